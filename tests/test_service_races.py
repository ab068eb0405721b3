"""What the service does where two come at once, or something ends in the middle: no lost answers, no files left."""

import asyncio
import threading
import time
from typing import Any

import pytest
from service_toy import LIMITS, ToyEngine

from mediagen.sdk.service.http import events
from mediagen.sdk.service.http.guard import Guard
from mediagen.sdk.service.intake import starts
from mediagen.sdk.service.intake.forms import Form
from mediagen.sdk.service.intake.uploads import Decoder
from mediagen.sdk.service.queue import store
from mediagen.sdk.service.queue.rows import CANCELLED, DONE, RUNNING
from mediagen.sdk.service.queue.store import Store
from mediagen.sdk.service.refusals import Refused
from mediagen.sdk.service.service import Service
from mediagen.sdk.service.settings import Settings
from mediagen.sdk.tasks.progress import Progress


@pytest.fixture
def idle(tmp_path):
    """A service whose workers are not started: jobs are made by hand."""
    made = Service(ToyEngine(), Store(tmp_path), Settings(max_listeners=1))
    yield made
    made.stop()


def finished(idle: Service) -> str:
    id = idle.create("generate", Form({"prompt": "a ball", "seconds": 0.125})).id
    job = idle.store.lease(idle.workers.owner, 60)
    assert job is not None
    idle.workers._do(job)
    assert idle.get(id).status == DONE
    return id


def test_a_key_that_grows_too_old_while_it_is_looked_up_is_replaced(idle, monkeypatch):
    """Between two looks at the clock a key's day may end: it is not cleared away yet, and not known any more."""
    begun = time.time()
    job = idle.create("generate", Form({"prompt": "a ball"}), "k")
    clock = iter([begun + 50, begun + 200])  # of what is cleared away, and of what is still known
    monkeypatch.setattr(store, "KEY_LIFE", 100.0)
    monkeypatch.setattr(store, "time", type("Clock", (), {"time": lambda: next(clock)}))
    made = idle.store.create(type(job)(**{**vars(job), "id": "later", "seq": 0}), key="k", digest="another")
    assert made.id == "later"


def test_no_more_listen_than_may_however_many_pass_the_first_look(idle):
    id = finished(idle)
    assert idle.listeners.join(id) and not idle.listeners.join(id) and idle.listeners.full()

    async def heard() -> list[str]:
        return [part async for part in events.stream(idle, id)]

    assert asyncio.run(heard()) == [], "who comes too late is sent away"
    idle.listeners.leave(id)
    assert len(asyncio.run(heard())) == 1 and not idle.listeners.full(), "who leaves makes room"


def test_a_job_that_was_cancelled_between_the_queue_and_its_worker_is_not_begun(idle):
    id = idle.create("generate", Form({"prompt": "a ball"})).id
    job = idle.store.lease(idle.workers.owner, 60)
    assert job is not None and idle.cancel(id).status == RUNNING, "nobody has heard it yet"
    idle.engine.generate = lambda *_, **__: pytest.fail("it was begun")
    idle.workers._do(job)
    assert idle.get(id).status == CANCELLED


def test_a_cancel_of_another_process_holds_when_the_service_ends_at_that_moment(idle):
    """A job that is stopped by the end of the service waits again; one that was cancelled must not come back."""
    id = idle.create("generate", Form({"prompt": "a ball", "num_inference_steps": 50})).id
    job, steps = idle.store.lease(idle.workers.owner, 60), list[int]()
    assert job is not None

    def stop(stage: str, step: int) -> None:
        steps.append(step)
        if step == 3:
            idle.store.stop(id)  # as another process does, which this one's workers do not hear of
            idle.workers.watches[id].beat()
            idle.workers._ending.set()

    idle.engine.heard = stop
    idle.workers._do(job)
    assert steps[-1] == 3 and idle.get(id).status == CANCELLED


def test_loading_the_models_is_no_work_that_the_next_estimate_counts(idle):
    id = idle.create("generate", Form({"prompt": "a ball", "num_inference_steps": 1})).id
    job = idle.store.lease(idle.workers.owner, 60)
    assert job is not None
    made = idle.engine.generate

    def slowly(*given: Any, on_progress: Any, **more: Any) -> Any:
        on_progress(Progress("Loading"))
        time.sleep(1.0)
        return made(*given, on_progress=on_progress, **more)

    idle.engine.generate = slowly
    idle.workers._do(job)
    assert idle.get(id).status == DONE and 0 < (idle.store.rate() or 0) * job.cost < 0.5


def test_a_source_that_cannot_be_kept_leaves_no_file(idle, monkeypatch):
    id = finished(idle)
    before = sorted(idle.store.files.iterdir())

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(starts, "settle", full)
    with pytest.raises(OSError, match="No space"):
        idle.create("extend", Form({"prompt": "on", "video": {"id": id}}))
    assert sorted(idle.store.files.iterdir()) == before and len(idle.store.page(None, 9, True)) == 1


def test_uploads_that_wait_for_the_decoder_leave_threads_for_others(tmp_path, monkeypatch):
    decoder, going = Decoder(Settings()), threading.Event()

    def slow(line: str) -> dict[str, Any]:
        assert going.wait(30)
        return {}

    monkeypatch.setattr(decoder, "_ask", slow)
    answers: list[Any] = []

    def send() -> None:
        try:
            answers.append(decoder.decode(tmp_path, tmp_path, "picture", LIMITS))
        except Refused as refused:
            answers.append(refused)

    threads = [threading.Thread(target=send) for _ in range(40)]  # as many as a server has
    for thread in threads:
        thread.start()
    end = time.monotonic() + 20
    while len(answers) < 24:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert all(one.status == 429 and one.headers["Retry-After"] for one in answers)
    going.set()
    for thread in threads:
        thread.join()
    assert answers[24:] == [{}] * 16
    assert decoder.decode(tmp_path, tmp_path, "picture", LIMITS) == {}, "there is room again"


def sent(scope: dict[str, Any], app: Any = None) -> list[Any]:
    """What a guarded application answers to a scope of ASGI."""
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def refuse(*_: Any) -> None:
        raise AssertionError("it was let through")

    base = {"path": "/", "method": "POST", "query_string": b"", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(app or refuse, None, 1000, lambda *_: None)({**base, **scope}, receive, send))
    return told


def test_a_length_of_thousands_of_digits_is_too_large_and_no_fault_of_ours():
    for length in (b"9" * 5000, b"1001", b"-1", b"1e3"):
        headers = [(b"host", b"localhost"), (b"content-length", length)]
        assert sent({"type": "http", "headers": headers})[0]["status"] == 413


def test_a_websocket_is_closed_before_anybody_hears_it():
    assert [message["type"] for message in sent({"type": "websocket"})] == ["websocket.close"]
