"""Manners of the SDK: what is public explains itself, may be watched, and leaves the process as it found it."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mediagen.sdk import Cancelled, Clip, Engine, Job, MediagenError, RemoteEngine, RequestError, errors
from mediagen.sdk.remote.engine import RemoteJob

PUBLIC = [
    (kind, name)
    for kind in (Engine, RemoteEngine, Job, RemoteJob, Clip)
    for name in vars(kind)
    if not name.startswith("_") and (callable(getattr(kind, name)) or isinstance(vars(kind)[name], property))
]
MAKES: dict[str, Callable[..., Any]] = {
    "generate": lambda engine, clip, **on: engine.generate("a ball", seed=1, seconds=0.5, **on),
    "extend": lambda engine, clip, **on: engine.extend(clip, "a ball", 0.5, seed=1, **on),
    "add_audio": lambda engine, clip, **on: engine.add_audio(clip, seed=1, **on),
    "generate_audio": lambda engine, clip, **on: engine.generate_audio("rain", 0.5, seed=1, **on),
    "extend_audio": lambda engine, clip, **on: engine.extend_audio(clip, 0.5, "rain", seed=1, **on),
    "fill_audio": lambda engine, clip, **on: engine.fill_audio(clip, 0.2, 0.4, "rain", seed=1, **on),
}


@pytest.fixture(scope="module")
def engine(model_folder: Path) -> Engine:
    return Engine.from_pretrained(model_folder, device="cpu")


@pytest.fixture(scope="module")
def clip(engine: Engine) -> Clip:
    return engine.generate("a ball", seed=1)


@pytest.mark.parametrize(("kind", "name"), PUBLIC, ids=[f"{kind.__name__}.{name}" for kind, name in PUBLIC])
def test_what_is_public_is_explained(kind: type, name: str) -> None:
    member = vars(kind)[name]
    assert (member.__doc__ or getattr(kind, name).__doc__ or "").strip().endswith(".")


def test_there_is_one_family_of_errors() -> None:
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind)]
    assert len(kinds) > 3 and all(issubclass(kind, MediagenError) for kind in kinds)


@pytest.mark.parametrize("name", MAKES)
def test_every_work_may_be_watched_and_stopped_and_draws_from_its_own_seed(
    name: str, engine: Engine, clip: Clip
) -> None:
    heard: list[int] = []
    state = torch.get_rng_state()
    made = MAKES[name](engine, clip, callback_on_step_end=lambda given, step, t, info: heard.append(step))
    assert torch.equal(state, torch.get_rng_state()), "torch's global random state was touched"
    assert heard and isinstance(made, Clip) and made.settings["seed"] == 1
    torch.rand(3)  # what others draw meanwhile changes nothing
    again = MAKES[name](engine, clip)
    assert made.sound is not None and torch.equal(made.sound, again.sound)
    with pytest.raises(Cancelled):
        MAKES[name](engine, clip, callback_on_step_end=lambda *_: False)


def test_a_job_leaves_the_global_generator_alone(engine: Engine) -> None:
    state = torch.get_rng_state()
    assert engine.submit("a ball", seed=1, seconds=0.5).result(60).seconds == 0.5
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("name", ["callback_on_step_end", "on_progress"])
def test_a_callback_cannot_be_sent_and_it_is_said(name: str, engine: Engine) -> None:
    given: dict[str, Any] = {name: print}
    for refusing in (engine, RemoteEngine("http://127.0.0.1:9")):
        with pytest.raises(RequestError, match=name):
            refusing.submit("a ball", **given)
