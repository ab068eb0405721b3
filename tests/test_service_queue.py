"""The queue: no job is lost or made twice, wherever the server is killed; and the short forms of the campaigns."""

import sqlite3
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks" / "reliability"))
from bombs import MOST, bombs, drop
from cancels import cancels
from kill import campaign
from malformed import requests
from mutants import uploads
from served import toys
from service_toy import ToyEngine
from storm import storm
from weights import weights

from mediagen.sdk.service.intake import starts
from mediagen.sdk.service.intake.forms import Form
from mediagen.sdk.service.queue import store as stores
from mediagen.sdk.service.queue.rows import CANCELLED, DONE, FAILED, RUNNING, WAITING, File, Job
from mediagen.sdk.service.queue.store import KeyReused, Store
from mediagen.sdk.service.refusals import Refused
from mediagen.sdk.service.service import Service
from mediagen.sdk.service.settings import Settings


def job(name: str) -> Job:
    return Job(
        id=name, kind="generate", request="{}", model="m", size="8x8", seconds="1", fps=16, created=time.time(), cost=2
    )


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path)
    yield made
    made.close()


def test_the_oldest_job_is_taken_once(store):
    for name in "abc":
        store.create(job(name))
    assert store.load() == (3, 6)
    taken = [store.lease("me", 60) for _ in range(4)]
    assert [one and one.id for one in taken] == ["a", "b", "c", None]
    assert store.counts() == {RUNNING: 3} and store.load() == (0, 6)


def test_a_silent_worker_loses_its_job_and_cannot_finish_it(store):
    store.create(job("a"))
    store.lease("first", -1)
    again = store.lease("second", 60)
    assert again is not None and (again.id, again.attempts) == ("a", 2)
    assert not store.beat("a", "first", 60, step=3)
    assert not store.finish("a", "first", [File.new("a", "video", ".mp4", "video/mp4")], [])
    store.end("a", "first", FAILED, "x", "y")
    assert store.get("a").status == RUNNING and store.file("a", "video") is None
    film = File.new("a", "video", ".mp4", "video/mp4")
    assert store.beat("a", "second", 60, step=3) and store.finish("a", "second", [film], ["a note"])
    assert store.get("a").status == DONE and store.file("a", "video") == film
    assert not store.finish("a", "second", [film], []), "a job is completed once"


def test_a_worker_never_takes_its_own_job_again(store):
    """After a sleep of the machine all leases are over, and the work in this process goes on."""
    store.create(job("a"))
    assert store.lease("me", -1) is not None
    assert store.lease("me", 60) is None and store.beat("a", "me", 60)


def test_a_change_that_cannot_be_committed_takes_no_later_one_with_it(store, tmp_path, monkeypatch):
    def full(self: Store) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_commit", full)
        with pytest.raises(sqlite3.OperationalError):
            store.create(job("a"))
    store.create(job("b"))
    other = Store(tmp_path)  # sees what is committed alone, as the next start does
    assert [one.id for one in other.page(None, 9, True)] == ["b"]
    other.close()


def test_ends_in_good_order_are_no_attempts(store):
    store.create(job("a"))
    for _ in range(5):
        taken = store.lease("me", 60)
        assert taken is not None and taken.attempts == 1
        store.end("a", "me", WAITING)


def test_a_speed_that_cannot_be_written_costs_no_film(tmp_path, monkeypatch):
    service = Service(ToyEngine(), Store(tmp_path), Settings())

    def full(seconds: float, model: str) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(service.store, "measured", full)
    made = service.create("generate", Form({"prompt": "a ball"}))
    taken = service.store.lease(service.workers.owner, 60)
    assert taken is not None
    service.workers._do(taken)
    assert service.get(made.id).status == DONE and service.store.path(service.file(made.id, "video")).stat().st_size
    service.stop()


def test_a_cancel_wins_over_a_finish_that_comes_after_it(store):
    store.create(job("a"))
    store.lease("me", 60)
    assert store.stop("a").status == RUNNING
    assert not store.beat("a", "me", 60) and not store.finish("a", "me", [], [])
    store.end("a", "me", CANCELLED)
    assert store.stop("a").status == CANCELLED


def test_a_key_belongs_to_one_request_for_a_day(store, monkeypatch):
    store.create(job("a"), key="k", digest="x")
    assert store.create(job("b"), key="k", digest="x").id == "a"
    with pytest.raises(KeyReused):
        store.create(job("c"), key="k", digest="y")
    assert store.get("b") is None and store.get("c") is None
    monkeypatch.setattr(stores, "KEY_LIFE", -1.0)
    assert store.keyed("k", "y") is None, "a key that is too old says nothing"
    assert store.create(job("d"), key="k", digest="y").id == "d"


def test_what_has_expired_goes_with_its_files_and_what_has_not_stays(tmp_path, monkeypatch):
    service = Service(ToyEngine(), Store(tmp_path), Settings(keep_days=2.0))
    ids = [service.create("generate", Form({"prompt": "a ball", "seconds": 0.125})).id for _ in range(3)]
    for _ in ids[:2]:
        taken = service.store.lease(service.workers.owner, 60)
        assert taken is not None
        service.workers._do(taken)
    first = service.get(ids[0])
    assert service.expires(first) == (first.ended or 0) + 2 * 86_400 and service.expires(service.get(ids[2])) is None
    with service.store.change() as db:
        db.execute("UPDATE jobs SET ended = ended - 172801 WHERE id = ?", (ids[0],))
        db.execute("UPDATE jobs SET created = created - 999999 WHERE id = ?", (ids[2],))
    service.sweep()
    assert service.store.get(ids[0]) is None and [service.get(id).status for id in ids[1:]] == [DONE, WAITING]
    assert len(list(service.store.files.iterdir())) == 3
    service.stop()


def test_what_kills_the_server_each_time_is_given_up(store):
    store.create(job("a"))
    for _ in range(3):
        store.lease("me", 60)
        store.recover(max_attempts=3)
    assert store.get("a").status == FAILED and "ask for less" in store.get("a").error


def test_a_kind_that_this_version_does_not_know_fails_and_can_be_deleted(tmp_path):
    """After a roll-back the data folder may hold jobs of a later version; they must not hold a worker for ever."""
    service = Service(ToyEngine(), Store(tmp_path), Settings(poll=0.01, lease=0.5))
    service.store.create(replace(job("a"), kind="dream", request='{"prompt": "x", "seed": 1}'))
    service.store.create(replace(job("b"), request="no JSON"))
    service.start()
    try:
        later = service.create("generate", Form({"prompt": "a ball", "seconds": 0.125}))
        end = time.monotonic() + 20
        while service.get(later.id).status != DONE:
            assert time.monotonic() < end
            time.sleep(0.02)
        assert service.get("a").status == service.get("b").status == FAILED
        assert "dream" in (service.get("a").error or "")
        begun = time.monotonic()
        service.delete("a")
        assert time.monotonic() - begun < 5 and service.store.get("a") is None
    finally:
        service.stop()


def test_no_more_wait_than_may_however_many_come_at_once(tmp_path, monkeypatch):
    """All have passed the first look before one is written: it is the writing that counts."""
    service, come = Service(ToyEngine(), Store(tmp_path), Settings(max_queue=2)), threading.Barrier(12)
    read = starts.Starts.read

    def together(*given: Any) -> None:
        come.wait(20)
        read(*given)

    monkeypatch.setattr(starts.Starts, "read", together)
    answers: list[Any] = []

    def send() -> None:
        try:
            answers.append(service.create("generate", Form({"prompt": "a ball"})))
        except Refused as refused:
            answers.append(refused.code)

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("queue_full") == 10 and service.store.counts() == {WAITING: 2}
    service.stop()


class Killed(BaseException):
    """Stands for kill -9: nothing in the service may catch it."""


def test_a_kill_at_any_moment_leaves_one_job_with_the_same_bytes(tmp_path, monkeypatch):
    """Ends the work before and after each transaction in turn; what comes after on the same folder must be whole."""
    expected = ToyEngine().generate("a ball", seed=7, seconds=0.125).save(tmp_path / "expected.mp4").read_bytes()
    moment, ended = 0, False
    while not ended:
        folder, left = tmp_path / f"at{moment}", moment

        def begin(self: Store, old: Any = Store.__dict__["_commit"]) -> None:
            nonlocal left
            for after in (False, True):
                if left == 0:
                    raise Killed
                left -= 1
                if not after:
                    old(self)

        first = Service(ToyEngine(), Store(folder), Settings())
        made = None
        with monkeypatch.context() as patch:
            patch.setattr(Store, "_commit", begin)
            try:
                made = first.create("generate", Form({"prompt": "a ball", "seed": 7, "seconds": 0.125}), key="k")
                taken = first.store.lease("dead", 60)
                assert taken is not None
                first.workers.owner = "dead"
                first.workers._do(taken)
                ended = True
            except Killed:
                pass
        first.store.close()
        second = Service(ToyEngine(), Store(folder), Settings(poll=0.01))
        second.start()
        try:
            again = second.create(
                "generate", Form({"prompt": "a ball", "seed": 7, "seconds": 0.125}), key="k"
            )  # the client tries again
            assert made is None or again.id == made.id
            while (status := second.get(again.id).status) != DONE:
                assert status in (WAITING, RUNNING)
                time.sleep(0.01)
            assert second.store.path(second.file(again.id, "video")).read_bytes() == expected
            assert second.store.counts() == {DONE: 1}
            assert len(list(second.store.files.iterdir())) == 3, "files of the dead are left"
        finally:
            second.stop()
        moment += 1
    assert moment > 8


def test_the_campaigns_in_short():
    with toys(0.01, 0.0, max_attempts=1000) as (killed, calm):
        figures = campaign(killed, calm, 12, 3, span=0.3, fields={"num_inference_steps": 20}, cancels=4)
        assert figures["kills while jobs were not done"] > 0 and figures["cancelled"] and not figures["bad"], figures
        for made in (storm(calm, 6, 2), cancels(killed, 4, 0.01), uploads(calm, 4), weights(calm, 100)):
            assert not made["bad"], made
        _, path, field, data = next(bombs())
        status, most = drop(calm, path, field, data)[:2]
        assert status == 400 and most < MOST
        made = requests(calm, 60)
        assert not made["bad"], made
