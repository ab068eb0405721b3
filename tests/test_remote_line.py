"""The line between RemoteEngine and its service: what is sent where, what is sent again, which jobs are found."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from service_toy import ToyEngine, serving

from mediagen.sdk import MediagenError, RemoteEngine, RequestError


class Host:
    """A server that answers every request alike. heard: the path and the headers of each."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes = b"{}") -> None:
        self.heard: list[tuple[str, dict[str, str]]] = []
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                told.heard.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.send_response(status)
                for key, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def hosts() -> Iterator[Any]:
    made: list[Host] = []

    def host(*given: Any) -> Host:
        made.append(Host(*given))
        return made[-1]

    yield host
    for one in made:
        one.server.shutdown()
        one.server.server_close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_token_goes_to_no_other_host_than_its_own(hosts, method):
    other = hosts(200, {})
    for status in (301, 302, 307, 308):
        own = hosts(status, {"Location": f"http://localhost:{other.port}/v1/videos"})
        engine = RemoteEngine(f"http://127.0.0.1:{own.port}", token="s3cret")
        engine.ask(method, "/v1/videos", None if method == "GET" else {"prompt": "a ball"})
        assert own.heard[-1][1]["authorization"] == "Bearer s3cret"
        path, headers = other.heard[-1]
        assert path == "/v1/videos" and "authorization" not in headers, status
        assert "s3cret" not in str(headers)


def test_a_full_service_is_asked_again_when_it_says_and_one_job_is_made(tmp_path):
    with serving(ToyEngine(0.05), tmp_path, max_queue=1) as (url, service):
        engine = RemoteEngine(url)
        jobs = [engine.submit("a ball", num_inference_steps=2) for _ in range(4)]
        assert len({job.id for job in jobs}) == 4 and len(service.store.page(None, 99, True)) == 4
        for job in jobs:
            job.result(60)


def test_who_has_no_patience_hears_that_it_is_full(hosts):
    body = (
        b'{"error": {"message": "got a request while 3 jobs wait", "type": "x", "param": null, "code": "queue_full"}}'
    )
    full = hosts(429, {"Retry-After": "30"}, body)
    begun = time.monotonic()
    with pytest.raises(MediagenError, match="3 jobs wait") as caught:
        RemoteEngine(f"http://127.0.0.1:{full.port}", timeout=2).submit("a ball")
    assert not isinstance(caught.value, RequestError) and time.monotonic() - begun < 2 and len(full.heard) == 1
    soon = hosts(429, {"Retry-After": "0.2"}, body)
    with pytest.raises(MediagenError, match="3 jobs wait"):
        RemoteEngine(f"http://127.0.0.1:{soon.port}", timeout=1).submit("a ball")
    keys = {headers["idempotency-key"] for _, headers in soon.heard}
    assert 2 < len(soon.heard) < 8 and len(keys) == 1, "again, a few times, as one and the same request"


def test_jobs_are_listed_newest_first_and_found_by_their_ids(tmp_path):
    with serving(ToyEngine(), tmp_path) as (url, service):
        engine = RemoteEngine(url)
        made = [engine.submit("a ball", num_inference_steps=1) for _ in range(3)]
        for job in made:
            job.wait(60)
        service.engine.fail = RuntimeError("x")
        failed = engine.submit("a ball")
        with pytest.raises(MediagenError):
            failed.wait(60)
        assert [job.id for job in engine.jobs()] == [failed.id, *(job.id for job in made[::-1])]
        assert [job.id for job in engine.jobs("failed")] == [failed.id]
        found = engine.job(made[0].id)
        assert found.status == "completed" and found.result().frames is not None
        with pytest.raises(RequestError, match="does not exist"):
            engine.job("video_nothing")
        with pytest.raises(RequestError, match="status"):
            list(engine.jobs("done"))


def test_more_jobs_than_a_page_are_listed(tmp_path):
    with serving(ToyEngine(1.0), tmp_path) as (url, _):
        engine = RemoteEngine(url)
        ids = [engine.submit("a ball").id for _ in range(103)]
        assert [job.id for job in engine.jobs()] == ids[::-1]
