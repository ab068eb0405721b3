"""RemoteEngine takes what Engine takes, gives what it gives, tells its progress, and cancels for who stops waiting."""

import inspect
import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from service_toy import ToyEngine, serving

from mediagen.media.clip import Clip
from mediagen.media.read import read_sound
from mediagen.sdk import Cancelled, Engine, MediagenError, Progress, RemoteEngine, RequestError
from mediagen.sdk.remote import jobs as remote_jobs

MAKES = ("generate", "extend", "add_audio", "generate_audio", "extend_audio", "fill_audio", "submit", "submit_audio")
BIT = 1 / 32_768


@pytest.fixture
def slow(tmp_path):
    """A service that makes a clip in as many steps as are asked for, at 0.05 s each, and its engine's other face."""
    with serving(ToyEngine(0.05), tmp_path / "slow") as (url, service):
        yield RemoteEngine(url), service


def states(service: Any) -> list[str]:
    return [job.status for job in service.store.page(None, 100, True)]


@pytest.mark.parametrize("name", MAKES)
def test_a_call_is_written_alike_for_both(name):
    here, there = (inspect.signature(getattr(kind, name)).parameters.values() for kind in (Engine, RemoteEngine))
    by_place = inspect.Parameter.POSITIONAL_OR_KEYWORD
    plain = [[(one.name, one.default) for one in each if one.kind is by_place] for each in (here, there)]
    assert plain[0] == plain[1]
    named = {one.name for one in there if one.kind is inspect.Parameter.KEYWORD_ONLY}
    takes_more = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in here)
    assert takes_more or named <= {one.name for one in here}
    assert any(one.kind is inspect.Parameter.VAR_KEYWORD for one in there), "it leaves the rest to the service"


def test_sound_is_the_same_from_both_to_the_16_bits_of_a_wav(both, tmp_path):
    engine, remote = both
    own = engine.generate_audio("sea", 0.5, seed=1).save(tmp_path / "own.wav")
    calls: list[Any] = [
        lambda one: one.generate_audio("rain", 0.5, seed=3, music=True, music_prompt="a waltz"),
        lambda one: one.generate_audio(None, seconds=0.5, seed=3, music=True, effects=False),
        lambda one: one.extend_audio(own, 0.25, "rain", seed=3),
        lambda one: one.fill_audio(own, 0.1, 0.3, "rain", seed=3),
        lambda one: one.submit_audio("rain", seconds=0.5, seed=3).result(60),
        lambda one: one.submit_audio("rain", sound=own, seconds=0.25, seed=3).result(60),
        lambda one: one.submit_audio(sound=own, start=0.1, end=0.3, seed=3).result(60),
    ]
    for call in calls:
        here, there = call(engine), call(remote)
        assert here.frames is None and there.frames is None and there.rate == here.rate
        assert here.sound.shape == there.sound.shape and (here.sound - there.sound).abs().max() <= BIT
        assert (there.settings, there.caption) == (json.loads(json.dumps(here.settings)), here.caption)


def test_clips_files_and_jobs_are_taken_to_go_on_from(both, tmp_path):
    remote = both[1]
    first = remote.submit_audio("sea", seconds=0.5, seed=1)
    path = first.save(tmp_path / "first.wav", 60)
    clip = first.result()
    parts = [remote.extend_audio(one, 0.25, seed=2).sound for one in (path, clip, first)]
    assert all(torch.equal(part, parts[0]) for part in parts)
    assert (parts[0][:, : clip.sound.shape[-1]] - clip.sound).abs().max() <= BIT, "what was there stays"
    with pytest.raises(RequestError, match=r"expected one with \.wav"):
        first.save(tmp_path / "first.mp4")
    with pytest.raises(RequestError, match="without sound"):
        remote.extend_audio(Clip(frames=None), 1)


def test_a_soundtrack_is_a_job_too_on_both(both, tmp_path):
    film = both[0].generate("a ball", seed=1, seconds=0.5, sound=False).save(tmp_path / "film.mp4")
    made = [
        one.submit_audio("rain", video=film, seed=3).save(tmp_path / f"{index}.mp4", 60).read_bytes()
        for index, one in enumerate(both)
    ]
    assert made[0] == made[1] and read_sound(tmp_path / "0.mp4").shape[-1] == 24_000
    clip = both[0].generate("a ball", seed=1, seconds=0.5, sound=False)
    for one in both:
        job = one.submit_audio(video=clip, seed=3)
        result = job.result(60)
        assert result.frames is not None and result.sound.shape[-1] == 24_000
        assert (job.status, job.progress) == ("completed", 100)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({}, "no seconds"),
        ({"seconds": 99_999}, "seconds"),
        ({"seconds": 1, "start": 1}, "start"),
        ({"seconds": 1, "keep_audio": 0.5}, "keep_audio"),
        ({"seconds": 1, "effects": False}, "neither"),
        ({"seconds": 1, "musik": 1}, "musik"),
        ({"video": "film", "seconds": 1}, "seconds"),
        ({"video": "film", "sound": "film"}, "leave one out"),
        ({"sound": "film", "start": 9, "end": 10}, "lasts 0.5 s"),
        ({"sound": "film", "start": 0.1}, "without its end"),
        ({"sound": "film"}, "neither"),
        ({"sound": "nowhere.wav", "seconds": 1}, "nowhere.wav"),
    ],
)
def test_what_cannot_be_made_is_refused_at_once_by_both(both, tmp_path_factory, which, wishes, said):
    film = tmp_path_factory.getbasetemp() / "own.wav"
    if not film.exists():
        Clip(frames=None, sound=torch.zeros(1, 24_000)).save(film)
    asked = {name: film if it == "film" else it for name, it in wishes.items()}
    with pytest.raises(RequestError, match=said):
        both[which].submit_audio("rain", **asked)


def test_progress_is_told_as_the_job_shows_it(slow):
    remote, _ = slow
    heard: list[Progress] = []
    for make in (
        lambda: remote.generate("a ball", num_inference_steps=30, on_progress=heard.append),
        lambda: remote.generate_audio("rain", 0.5, num_inference_steps=30, on_progress=heard.append),
    ):
        heard.clear()
        made = make()
        assert isinstance(made, Clip) and len(heard) > 2 and all(type(one) is Progress for one in heard)
        steps = [one.step for one in heard if one.stage.startswith("Making the")]
        assert steps == sorted(set(steps)) and {one.steps for one in heard if one.step} == {30}


@pytest.mark.parametrize("error", [Cancelled("enough"), ZeroDivisionError("x"), KeyboardInterrupt()])
def test_who_raises_while_it_waits_has_the_job_cancelled(slow, error):
    remote, service = slow

    def stop(moment: Progress) -> None:
        if moment.step > 2:
            raise error

    with pytest.raises(type(error)) as caught:
        remote.generate("a ball", num_inference_steps=1000, on_progress=stop)
    assert caught.value is error
    end = time.monotonic() + 20
    while states(service) != ["cancelled"]:
        assert time.monotonic() < end, states(service)
        time.sleep(0.02)


def test_ctrl_c_while_nothing_is_heard_cancels_but_not_a_job_that_was_submitted(slow, monkeypatch):
    remote, service = slow

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    job = remote.submit_audio("rain", seconds=0.5, num_inference_steps=40)
    with monkeypatch.context() as patch:
        patch.setattr(remote_jobs, "time", type("Clock", (), {"sleep": interrupt, "monotonic": time.monotonic}))
        with pytest.raises(KeyboardInterrupt):
            job.result()
        with pytest.raises(KeyboardInterrupt):
            remote.generate_audio("rain", 0.5, num_inference_steps=1000)
    assert job.result(30).seconds == 0.5
    assert states(service) == ["cancelled", "completed"]


def test_a_service_that_is_gone_is_not_asked_to_cancel(slow, monkeypatch):
    remote, _ = slow
    asked: list[str] = []
    fetch = remote.fetch

    def gone(method: str, path: str, *rest: Any, **more: Any) -> bytes:
        asked.append(f"{method} {path.rpartition('/')[2]}")
        if method == "GET":
            monkeypatch.setattr(remote, "_url", "http://127.0.0.1:9")
        return fetch(method, path, *rest, **more)

    monkeypatch.setattr(remote, "fetch", gone)
    monkeypatch.setattr("mediagen.sdk.remote.engine.time.sleep", lambda seconds: None)
    with pytest.raises(MediagenError, match="is the service running"):
        remote.generate("a ball", num_inference_steps=1000)
    assert asked[0] == "POST videos" and len(asked) == 2 and asked[1].startswith("GET")


@pytest.mark.parametrize("name", MAKES)
def test_a_callback_of_steps_cannot_be_sent_and_it_is_said(name, tmp_path: Path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    given: dict[str, list[Any]] = {
        "extend": [film],
        "add_audio": [film],
        "extend_audio": [film],
        "fill_audio": [film, 1, 2],
    }
    with pytest.raises(RequestError, match="use on_progress"):
        getattr(RemoteEngine("http://127.0.0.1:9"), name)(*given.get(name, ["a ball"]), callback_on_step_end=print)


def test_who_extends_without_a_prompt_means_the_clips_own(both, tmp_path):
    film = both[0].generate("a red ball", seed=1, seconds=0.5, sound=False).save(tmp_path / "film.mp4")
    longer = [one.extend(film, None, 0.5, seed=2, sound=False) for one in both]
    assert [one.caption for one in longer] == ["a red ball"] * 2
    assert longer[0].settings == longer[1].settings
