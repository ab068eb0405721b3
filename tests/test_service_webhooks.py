"""Webhooks: whoever asked is told of the end of a job, once heard never again, signed as the OpenAI client verifies."""

import base64
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import openai
import pytest
from net import Net
from service_toy import ToyEngine, ask, error, make, serving, wait

from mediagen.sdk import RequestError
from mediagen.sdk.service import program
from mediagen.sdk.service.queue import webhooks
from mediagen.sdk.service.queue.store import Store

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


class Receiver:
    """Hears what comes to it. answers: of the next deliveries; 200 after them."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, dict[str, str]]] = []
        self.answers: list[int] = []
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                told.heard.append((body, dict(self.headers.items())))
                status = told.answers.pop(0) if told.answers else 200
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def wait(self, count: int) -> None:
        end = time.monotonic() + 20
        while len(self.heard) < count:
            assert time.monotonic() < end, self.heard
            time.sleep(0.02)


@pytest.fixture
def receiver(monkeypatch) -> Iterator[Receiver]:
    monkeypatch.setattr(webhooks, "PAUSES", (0.05, 0.05))
    made = Receiver()
    yield made
    made.server.shutdown()
    made.thread.join()
    made.server.server_close()


def unwrapped(heard: tuple[bytes, dict[str, str]], secret: str = SECRET) -> Any:
    return openai.OpenAI(api_key="none").webhooks.unwrap(heard[0], heard[1], secret=secret)


def test_the_client_verifies_what_a_server_tells_of_every_job(receiver, tmp_path):
    engine = ToyEngine()
    own = f"http://127.0.0.1:{receiver.port}/hook?who=me"
    with serving(engine, tmp_path, webhook_url=own, webhook_secret=SECRET) as (url, _):
        done = wait(url, make(url)["id"], "completed")
        receiver.wait(1)
        engine.fail = RuntimeError("x")
        failed = wait(url, make(url)["id"], "failed")
        receiver.wait(2)
        events = [unwrapped(heard) for heard in receiver.heard]
        assert [(one.type, one.data.id) for one in events] == [
            ("video.completed", done["id"]),
            ("video.failed", failed["id"]),
        ]
        assert abs(events[0].created_at - time.time()) < 60 and events[0].object == "event"
        other = "whsec_" + base64.b64encode(bytes(32)).decode()
        with pytest.raises(openai.InvalidWebhookSignatureError):
            unwrapped(receiver.heard[0], other)
        body, headers = receiver.heard[0]
        with pytest.raises(openai.InvalidWebhookSignatureError):
            unwrapped((body.replace(b"completed", b"failed"), headers))
        time.sleep(0.2)
        assert len(receiver.heard) == 2, "what was heard is not told again"


def test_what_is_not_heard_is_told_again_under_the_same_id_and_at_last_given_up(receiver, tmp_path):
    own = f"http://127.0.0.1:{receiver.port}/"
    with serving(ToyEngine(), tmp_path, webhook_url=own, webhook_secret=SECRET) as (url, service):
        receiver.answers = [500, 302]
        wait(url, make(url)["id"], "completed")
        receiver.wait(3)
        ids = [headers["webhook-id"] for _, headers in receiver.heard]
        assert len(set(ids)) == 1 and all(unwrapped(heard) for heard in receiver.heard), "a redirect is not followed"
        receiver.answers = [500] * 9
        wait(url, make(url)["id"], "completed")
        receiver.wait(6)
        time.sleep(0.4)
        assert len(receiver.heard) == 6 and not service.store.rows("SELECT * FROM deliveries"), (
            "three tries, and no more"
        )
        receiver.answers = [410]
        wait(url, make(url)["id"], "completed")
        receiver.wait(7)
        time.sleep(0.4)
        assert len(receiver.heard) == 7, "who says that he is gone is left alone"


def test_what_was_not_told_before_the_end_of_the_server_is_told_by_the_next(receiver, tmp_path, monkeypatch):
    own = f"http://127.0.0.1:{receiver.port}/"
    receiver.answers = [503]
    monkeypatch.setattr(webhooks, "PAUSES", (1.0,))
    with serving(ToyEngine(), tmp_path, webhook_url=own, webhook_secret=SECRET) as (url, _):
        id = wait(url, make(url)["id"], "completed")["id"]
        receiver.wait(1)
    with serving(ToyEngine(), tmp_path, webhook_url=own, webhook_secret=SECRET):
        receiver.wait(2)
    assert unwrapped(receiver.heard[1]).data.id == id


def test_a_job_may_name_its_own_and_a_cancel_is_told_too(receiver, tmp_path, monkeypatch):
    Net(monkeypatch, receiver.port)
    with serving(ToyEngine(0.05), tmp_path, webhook_secret=SECRET) as (url, _):
        id = make(url, webhook_url="http://example.com/hook", num_inference_steps=1000)["id"]
        ask(url, "POST", f"/v1/videos/{id}/cancel")
        receiver.wait(1)
        event = unwrapped(receiver.heard[0])
        assert (event.type, event.data.id) == ("video.cancelled", id)
        wait(url, make(url)["id"], "completed")
        time.sleep(0.2)
        assert len(receiver.heard) == 1, "the other named none"


def test_a_job_that_is_deleted_is_not_told_of(receiver, tmp_path):
    own = f"http://127.0.0.1:{receiver.port}/"
    with serving(ToyEngine(0.05), tmp_path, webhook_url=own, webhook_secret=SECRET, poll=1.0) as (url, service):
        id = make(url, num_inference_steps=1000)["id"]
        assert ask(url, "DELETE", f"/v1/videos/{id}")[0] == 200
        assert not service.store.rows("SELECT * FROM deliveries") and not service.store.rows("SELECT * FROM webhooks")


@pytest.mark.parametrize(
    "bad",
    ["http://127.0.0.1/", "http://[::1]/", "http://example.com:22/", "ftp://example.com/", "x", 3, "http://10.0.0.1"],
)
def test_addresses_inside_are_refused_to_a_job(tmp_path, monkeypatch, bad):
    Net(monkeypatch, 1)
    with serving(ToyEngine(), tmp_path, webhook_secret=SECRET) as (url, service):
        answer = ask(url, "POST", "/v1/videos", {"prompt": "a ball", "webhook_url": bad})
        assert answer[0] == 400 and error(answer)["param"] == "webhook_url", answer
        assert not service.store.page(None, 9, True)


def test_an_address_that_turned_inside_since_it_was_asked_for_is_not_reached(receiver, tmp_path, monkeypatch):
    net = Net(monkeypatch, receiver.port)
    with serving(ToyEngine(0.1), tmp_path, webhook_secret=SECRET) as (url, service):
        id = make(url, webhook_url="http://example.com/hook")["id"]
        net.addresses = ["127.0.0.1"]
        wait(url, id, "completed")
        end = time.monotonic() + 20
        while service.store.rows("SELECT * FROM deliveries"):
            assert time.monotonic() < end
            time.sleep(0.02)
        assert not receiver.heard


def test_a_job_that_is_given_up_at_a_start_is_told_of_too(receiver, tmp_path):
    own = f"http://127.0.0.1:{receiver.port}/"
    with serving(ToyEngine(), tmp_path, webhook_url=own, webhook_secret=SECRET) as (url, _):
        wait(url, make(url)["id"], "completed")
        receiver.wait(1)
    store = Store(tmp_path)
    (done,) = store.page(None, 9, True)
    store.create(replace(done, id="given up", status="in_progress", attempts=99), webhook=own)
    store.close()
    with serving(ToyEngine(), tmp_path, webhook_url=own, webhook_secret=SECRET):
        receiver.wait(2)
    event = unwrapped(receiver.heard[1])
    assert (event.type, event.data.id) == ("video.failed", "given up")


def test_without_a_secret_there_are_none_and_a_weak_one_is_no_secret(tmp_path):
    with serving(ToyEngine(), tmp_path) as (url, _):
        answer = ask(url, "POST", "/v1/videos", {"prompt": "a ball", "webhook_url": "http://example.com/"})
        assert answer[0] == 400 and error(answer)["code"] == "webhooks_off"
    for weak in ("secret", "whsec_", "whsec_YWJj", "whsec_%%%"):
        with pytest.raises(RequestError, match="whsec_"):
            webhooks.key_of(weak)


def test_a_server_is_not_started_with_webhooks_that_cannot_work():
    program.check_webhooks("", "")
    program.check_webhooks("http://127.0.0.1:9000/hook", SECRET)
    for url, secret, said in (
        ("http://127.0.0.1/", "", "without a secret"),
        ("ftp://127.0.0.1/", SECRET, "--webhook-url"),
        ("", "weak", "whsec_"),
    ):
        with pytest.raises(RequestError, match=said):
            program.check_webhooks(url, secret)
