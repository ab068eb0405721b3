"""Rewritten prompts in the engine, the command line and the service: told, stored, refused, and not done twice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from service_toy import LIMITS, ToyEngine, ask, error, finished, serving

from mediagen.media.read import read_settings
from mediagen.sdk.engine import Engine
from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.replay import again
from mediagen.sdk.tasks.requests import ExtendRequest, GenerateRequest

SHORT = {"seconds": 0.5, "sound": False, "seed": 3}


@pytest.fixture(scope="module")
def engine(model_folder: Path) -> Engine:
    return Engine.from_pretrained(model_folder, device="cpu")


def fit(prompt: str, limits: Limits | None = None, **asked: Any) -> tuple[GenerateRequest, list[str]]:
    return GenerateRequest.of({"prompt": prompt, **asked}).fit(limits or Limits())


def test_both_prompts_stand_in_the_settings_and_the_models_get_the_second(engine: Engine) -> None:
    free = engine.generate("Ein roter Ball hüpft auf der Wiese", **SHORT)
    caption = engine.generate("a red ball bounces in a meadow", **SHORT)
    raw = engine.generate("Ein roter Ball hüpft auf der Wiese", rewrite=False, **SHORT)
    assert free.caption == free.settings["prompt"] == "Ein roter Ball hüpft auf der Wiese"
    assert free.settings["prompt_rewritten"] == "a red ball bounces in a meadow"
    assert free.settings["notes"] == ["made: a red ball bounces in a meadow"]
    assert free.frames is not None and caption.frames is not None and raw.frames is not None
    assert torch.equal(free.frames, caption.frames) and "notes" not in caption.settings
    assert not torch.equal(free.frames, raw.frames)
    assert raw.settings["prompt_rewritten"] is None and not raw.settings["rewrite"]


def test_the_known_words_follow_the_models_difficulty() -> None:
    prompt = "a boat sails by in the rain"
    assert fit(prompt, Limits(difficulty="standard"))[1] == []
    full, notes = fit(prompt)
    assert full.words == "a car drives past" and "boat (nearest: car)" in notes[0]
    assert fit("asdf", Limits(rewrite=False))[0].words == "asdf", "models of other films read any words"


def test_strict_refuses_before_anything_is_made(engine: Engine) -> None:
    with pytest.raises(RequestError, match=r"got dog \(nearest: ball\), which the models don't know"):
        engine.submit("a dog in a meadow", strict=True)
    with pytest.raises(RequestError, match="got dog"):
        fit("a dog in a meadow", strict=True, rewrite=False)
    assert fit("ein roter Ball", strict=True)[0].words == "a red ball"
    with pytest.raises(RequestError, match="of which nothing can be shown"):
        engine.generate("asdf qwer")
    with pytest.raises(RequestError, match="got dog"):
        ExtendRequest.of({"prompt": "a dog", "strict": True}).fit(Limits(), 16, (64, 64), 1)


def test_making_again_does_not_rewrite_twice(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (tmp_path / f"{name}.mp4" for name in "abc")
    engine.generate("a dog and a rde ball", **SHORT).save(first)
    settings = read_settings(first)
    assert settings is not None and settings["prompt_rewritten"] == "a ball and a red ball"
    engine.run(again(first)).save(second)
    assert first.read_bytes() == second.read_bytes()

    import mediagen.sdk.tasks.wording as wording

    real = wording.rewrite  # a later version, which reads the same prompt otherwise
    monkeypatch.setattr(wording, "rewrite", lambda *a: replace(real(*a), text="a blue cube"))
    engine.run(again(first)).save(third)
    later = read_settings(third)
    assert later is not None and later["prompt_rewritten"] == "a ball and a red ball"


def test_a_file_of_before_prompts_were_rewritten_gives_its_prompt_to_the_models() -> None:
    from mediagen.sdk.tasks.replay import request_of

    old = request_of({"task": "generate", "prompt": "ein roter Ball", "seed": 1}, "old.mp4")
    full, notes = GenerateRequest.of(old).fit(Limits())
    assert full.words == "ein roter Ball" and notes == []


def test_the_service_tells_and_refuses(tmp_path: Path) -> None:
    toy = ToyEngine()
    toy.limits = replace(LIMITS, rewrite=True)
    heard: list[dict[str, Any]] = []
    real = toy.generate

    def generate(prompt: str, **asked: Any) -> Any:
        heard.append({name: asked.pop(name) for name in ("rewrite", "strict") if name in asked})
        return real(prompt, **asked)

    toy.generate = generate  # pyright: ignore[reportAttributeAccessIssue]
    with serving(toy, tmp_path) as (url, _):
        for body, message in (
            ({"prompt": "a dog", "strict": True}, "got dog (nearest: ball)"),
            ({"prompt": "asdf"}, "nothing can be shown"),
            ({"prompt": "a ball", "prompt_rewritten": "a dog"}, "prompt_rewritten"),  # is the engine's to say
        ):
            answer = ask(url, "POST", "/v1/videos", body)
            assert answer[0] == 400 and message in error(answer)["message"]
        finished(url, rewrite=False)
    assert heard == [{"rewrite": False}]


def test_models_with_words_of_their_own_get_prompts_as_they_are(model_folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for path in model_folder.iterdir():
        (own / path.name).symlink_to(path)
    (own / "words.json").write_text('{"things": ["dog"]}')
    assert Engine.from_pretrained(model_folder, device="cpu").limits.rewrite
    assert not Engine.from_pretrained(own, device="cpu").limits.rewrite
