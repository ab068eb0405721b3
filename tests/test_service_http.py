"""The service below the client: keys, cancels, ranges, events, tokens, and requests that no client would send."""

import base64
import io
import json
import socket
import sqlite3
import threading
import time
from typing import Any

import pytest
from PIL import Image
from service_toy import ToyEngine, ask, error, finished, make, serving, wait

from mediagen.sdk import RequestError
from mediagen.sdk.service.http.address import check_address
from mediagen.sdk.service.program import locked
from mediagen.sdk.service.settings import Settings


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    engine = ToyEngine()
    folder = tmp_path_factory.mktemp("service")
    with serving(engine, folder, max_upload_mib=1, max_pixels=2**18, decode_seconds=20) as (url, service):
        yield url, engine, service


def test_an_idempotency_key_makes_one_job(toy):
    url, engine, _ = toy
    before, asked = len(engine.made), {"prompt": "once"}
    answers: list[Any] = []

    def send() -> None:
        answers.append(ask(url, "POST", "/v1/videos", asked, Idempotency_Key="k1"))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = {json.loads(answer[2])["id"] for answer in answers}
    assert len(ids) == 1 and all(answer[0] == 200 for answer in answers)
    wait(url, ids.pop(), "completed")
    assert len(engine.made) == before + 1
    other = ask(url, "POST", "/v1/videos", {"prompt": "another"}, Idempotency_Key="k1")
    assert other[0] == 422 and error(other)["code"] == "idempotency_key_reused"
    assert ask(url, "POST", "/v1/videos", asked, Idempotency_Key="k" * 300)[0] == 400


def test_a_cancel_stops_within_a_step(tmp_path):
    engine = ToyEngine(0.1)
    with serving(engine, tmp_path) as (url, service):
        running = make(url, num_inference_steps=1000)["id"]
        waiting = make(url)["id"]
        wait(url, running, "in_progress")
        assert json.loads(ask(url, "POST", f"/v1/videos/{waiting}/cancel")[2])["status"] == "cancelled"
        begun = time.monotonic()
        ask(url, "POST", f"/v1/videos/{running}/cancel")
        assert wait(url, running, "cancelled")["progress"] < 100
        assert time.monotonic() - begun < 5, "1000 steps take 100 s"
        assert not engine.made and not list(service.store.files.iterdir())
        assert ask(url, "GET", f"/v1/videos/{running}/content")[0] == 400
        assert finished(url)["status"] == "completed", "the next one works"

        deleted = make(url, num_inference_steps=1000)["id"]
        wait(url, deleted, "in_progress")
        assert json.loads(ask(url, "DELETE", f"/v1/videos/{deleted}")[2])["deleted"]
        assert ask(url, "GET", f"/v1/videos/{deleted}")[0] == 404
        assert ask(url, "POST", f"/v1/videos/{deleted}/cancel")[0] == 404


def test_ranges_are_parts_of_the_film(toy):
    url, _, _ = toy
    path = f"/v1/videos/{finished(url)['id']}/content"
    status, headers, whole = ask(url, "GET", path)
    assert (status, headers["content-type"], headers["accept-ranges"]) == (200, "video/mp4", "bytes")
    assert ask(url, "HEAD", path)[1]["content-length"] == str(len(whole)) == headers["content-length"]
    for given, expected in (("0-9", whole[:10]), ("10-", whole[10:]), ("-7", whole[-7:]), ("5-999999", whole[5:])):
        status, headers, part = ask(url, "GET", path, Range=f"bytes={given}")
        assert (status, part) == (206, expected) and headers["content-range"].endswith(f"/{len(whole)}")
    assert ask(url, "GET", path, Range=f"bytes={len(whole)}-")[0] == 416
    for given in ("bytes=9-1", "bytes=x-y", "bytes=-0", "lines=0-1", "bytes=" + "0-0," * 5000):
        answer = ask(url, "GET", path, Range=given)
        assert answer[0] in (400, 416) and error(answer)


def test_events_tell_the_story_and_previews_change_no_byte(tmp_path):
    with serving(ToyEngine(0.05), tmp_path) as (url, service):
        id = make(url, num_inference_steps=40, seed=5)["id"]
        text = ask(url, "GET", f"/v1/videos/{id}/events")[2].decode()
        events = [part.split("\n") for part in text.strip().split("\n\n")]
        seen = [json.loads(data.removeprefix("data: ")) for _, data in events]
        assert events[-1][0] == "event: completed" and {name for name, _ in events[:-1]} == {"event: progress"}
        progress = [one["progress"] for one in seen]
        assert progress == sorted(progress) and progress[-1] == 100 and len(set(progress)) > 3
        assert any(one["step"] and one["steps"] == 40 and one["seconds_left"] for one in seen)
        preview = next(one["preview"] for one in seen if one.get("preview"))
        kind, _, data = preview.partition(",")
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            assert kind == "data:image/jpeg;base64" and picture.size == (4, 4)
        assert not service.listeners.full() and not service.listeners.heard(id)
        alone = finished(url, num_inference_steps=40, seed=5)["id"]
        films = [ask(url, "GET", f"/v1/videos/{job}/content")[2] for job in (id, alone)]
        assert films[0] == films[1]
        ask(url, "DELETE", f"/v1/videos/{id}")
        assert ask(url, "GET", f"/v1/videos/{id}/events")[0] == 404


def test_without_the_token_nothing_is_told(tmp_path):
    with serving(ToyEngine(), tmp_path, token="s3cret") as (url, _):
        for given in (None, "Bearer wrong", "Bearer ", "s3cret", "Basic s3cret", "Bearer s3cret\u00e9"):
            headers = {} if given is None else {"Authorization": given}
            for path in ("/v1/videos", "/v1/videos/x/content", "/v1/models", "/metrics", "/v1/nothing"):
                answer = ask(url, "GET", path, **headers)
                assert answer[0] == 401 and error(answer)["type"] == "authentication_error"
        for path in ("/v1/videos", "/metrics"):
            assert ask(url, "GET", path, Authorization="Bearer s3cret")[0] == 200
        assert ask(url, "GET", "/healthz")[0] == ask(url, "GET", "/docs")[0] == 200


def test_pages_of_others_cannot_use_a_server_without_token(toy):
    url, _, _ = toy
    assert ask(url, "GET", "/v1/videos", Host="evil.example")[0] == 403
    assert ask(url, "POST", "/v1/videos", {"prompt": "x"}, Origin="http://evil.example")[0] == 403
    assert ask(url, "GET", "/v1/videos", Origin=url)[0] == 200
    for host, status in (("[::1]:80", 200), ("127.0.0.2", 200), ("LOCALHOST:1", 200), ("127.0.0.1.evil.example", 403)):
        assert ask(url, "GET", "/v1/videos", Host=host)[0] == status, host


def test_other_than_loopback_demands_a_token():
    for host in ("0.0.0.0", "192.168.0.4", "::", "example.com"):
        with pytest.raises(RequestError, match="token"):
            check_address(host, None)
        check_address(host, "s3cret")
    for host in ("127.0.0.1", "localhost", "::1"):
        check_address(host, None)
    with pytest.raises(RequestError, match="ASCII"):
        check_address("127.0.0.1", "s3cret\n")


def test_a_data_folder_has_one_server(tmp_path):
    with locked(tmp_path), pytest.raises(RequestError, match="another server"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_too_much_is_refused_before_it_is_made(tmp_path):
    engine = ToyEngine(0.2)
    with serving(engine, tmp_path, max_queue=2) as (url, _):
        wait(url, make(url)["id"], "in_progress")
        for _ in range(2):
            make(url)
        answer = ask(url, "POST", "/v1/videos", {"prompt": "one more"})
        assert answer[0] == 429 and 1 <= int(answer[1]["retry-after"]) <= 60 and error(answer)["code"] == "queue_full"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"max_job_seconds": 1e-6}, "s to make"),
        ({"max_job_mib": 1}, "MiB of memory"),
    ]
    for settings, word in cases:
        with serving(engine, tmp_path / word, **settings) as (url, _):
            answer = ask(url, "POST", "/v1/videos", {"prompt": "a ball"})
            assert answer[0] == 400 and word in error(answer)["message"] and error(answer)["code"] == "too_large"


WRONG: list[tuple[Any, str | None]] = [
    ({}, None),
    ({"prompt": ""}, "prompt"),
    ({"prompt": 3}, "prompt"),
    ({"prompt": "x" * 3000}, "prompt"),
    ({"prompt": "a\ud800b"}, "prompt"),
    ({"prompt": "x", "seconds": "nan"}, "seconds"),
    ({"prompt": "x", "seconds": "99"}, "seconds"),
    ({"prompt": "x", "seconds": []}, "seconds"),
    ({"prompt": "x", "seconds": 10**400}, "seconds"),
    ({"prompt": "x", "seed": 1.5}, "seed"),
    ({"prompt": "x", "seed": 2**63}, "seed"),
    ({"prompt": "x", "size": "huge"}, "size"),
    ({"prompt": "x", "size": "999999x999999"}, "size"),
    ({"prompt": "x", "size": "1x1"}, "size"),
    ({"prompt": "x", "fps": 7}, "fps"),
    ({"prompt": "x", "sound": "loud"}, "sound"),
    ({"prompt": "x", "stepz": 4}, "stepz"),
    ({"prompt": "x", "stepz" * 99: 4}, ("stepz" * 99)[:80]),
    ({"prompt": "x", "seed": json.loads("[" * 900 + "]" * 900)}, "seed"),
    ({"prompt": "x", "width": 32}, "width"),
    ({"prompt": "x", "image": "/etc/passwd"}, "image"),
    ({"prompt": "x", "model": "\ud800"}, "model"),
    ({"prompt": "x", "model": {"a": 1}}, "model"),
    ({"prompt": "x", "input_reference": "/etc/passwd"}, "input_reference"),
    ({"prompt": "x", "input_reference": []}, "input_reference"),
    ({"prompt": "x", "input_reference": {"image_url": "http://127.0.0.1/a.png"}}, "input_reference"),
    ({"prompt": "x", "input_reference": {"image_url": "data:image/png;base64,%%"}}, "input_reference"),
    ({"prompt": "x", "input_reference": {"image_url": "data:image/png;base64,AAAA"}}, None),
]


@pytest.mark.parametrize(("body", "param"), WRONG, ids=[str(index) for index in range(len(WRONG))])
def test_what_is_asked_wrongly_is_400(toy, body, param):
    answer = ask(toy[0], "POST", "/v1/videos", body)
    assert answer[0] == 400, answer
    assert error(answer)["param"] == param and error(answer)["type"] == "invalid_request_error"


def test_what_no_client_sends_is_no_5xx(toy):
    url, _, service = toy
    bodies = [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"prompt": 1e999}', b'{"prompt": NaN}']
    kinds = ["application/json", "multipart/form-data", "multipart/form-data; boundary=x", "text/xml", "",
             "application/x-www-form-urlencoded"]  # fmt: skip
    routes = ["/v1/videos", "/v1/videos/extensions", "/v1/videos/x/cancel", "/v1/videos/x/remix"]
    for route in routes:
        for body in bodies:
            for kind in kinds:
                answer = ask(url, "POST", route, body, Content_Type=kind)
                assert 400 <= answer[0] < 500 or (answer[0], route[-5:]) == (501, "remix"), (route, body[:9], kind)
                error(answer)
    paths = ["/v1/videos/../../etc/passwd", "/v1/videos/%2e%2e%2fjobs.sqlite/content", "/v1/videos/%00", "/v1/%ff",
             "/v1/videos?limit=abc", "/v1/videos?limit=1e9", "/v1/videos?order=up", "/v1/videos?after=%00", "//x",
             "/v1/videos/x/content?variant=../jobs.sqlite", "/v1/models/x", "/static/../app.py"]  # fmt: skip
    for path in paths:
        answer = ask(url, "GET", path)
        assert 400 <= answer[0] < 500, path
        error(answer)
    for method in ("PUT", "PATCH", "OPTIONS", "TRACE", "BREW"):
        answer = ask(url, method, "/v1/videos")
        assert answer[0] == 405 and error(answer)
    wide = b'{"prompt": "x", "seed": [' + b"[]," * 300_000 + b"[]]}"
    assert ask(url, "POST", "/v1/videos", wide)[0] == 413, "it would take a hundred times its size"
    assert ask(url, "POST", "/v1/videos", b"x" * 4_000_000, **{"Content_Type": "text/xml"})[0] == 413
    raw = [b"\0\0\0\0\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST /v1/videos HTTP/1.1\r\nHost: a\r\nContent-Length: -5",
           b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000]  # fmt: skip
    for data in raw:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5) as line:
            line.sendall(data + b"\r\n\r\n")
            assert not line.recv(100).startswith(b"HTTP/1.1 5")
    assert finished(url)["status"] == "completed"
    assert not list(service.store.files.glob("*.png"))


def test_a_full_disk_is_told_as_such(toy, monkeypatch):
    url, _, service = toy

    def full(*_: Any, **__: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(service.store, "create", full)
        answer = ask(url, "POST", "/v1/videos", {"prompt": "a ball"})
        assert answer[0] == 507 and error(answer)["code"] == "storage_full"
    with monkeypatch.context() as patch:
        patch.setattr(service.store, "beat", full)
        assert finished(url)["status"] == "completed", "progress that cannot be written stops no job"
    assert finished(url)["status"] == "completed"


def test_the_documents_need_no_other_host(toy):
    url, _, _ = toy
    page = ask(url, "GET", "/docs")[2].decode()
    assert "//" not in page.replace("<!--", "") and "openapi.json" in page
    api = json.loads(ask(url, "GET", "/openapi.json")[2])
    body = api["paths"]["/v1/videos"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {"prompt", "seconds", "size", "input_reference", "seed"} <= set(body["properties"])
    told = [set(route["responses"]) for path in api["paths"].values() for route in path.values()]
    assert all("4XX" in one and "422" not in one for one in told)
    figures = ask(url, "GET", "/metrics")[2].decode()
    assert 'mediagen_jobs{status="queued"} 0' in figures and "process_open_fds" in figures


def test_settings_have_bounds_that_hold_together():
    assert Settings().job_bytes > 2**30 and Settings(max_job_mib=5).job_bytes == 5 * 2**20
