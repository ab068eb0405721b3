"""Stories end to end, with toy models: what stays, what is made again, and what outlives a kill."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mediagen.media.read import read_clip, read_settings
from mediagen.sdk import Cancelled, Engine, ModelError, RequestError
from mediagen.sdk.cli.app import main
from mediagen.sdk.tasks import stories
from mediagen.sdk.tasks.clips import ClipWork
from mediagen.sdk.tasks.stories import Story
from mediagen.sdk.tasks.takes import Takes

SCENES = [
    {"prompt": "a red ball rolls right in a meadow"},
    {"prompt": "it bounces", "seconds": 3},
    {"prompt": "a blue cube", "transition": "cut"},
    {"prompt": "it falls", "transition": "dissolve", "seconds": 0.5},
]


@pytest.fixture(scope="module")
def engine(model_folder: Path) -> Engine:
    return Engine.from_pretrained(model_folder, device="cpu")


@pytest.fixture(scope="module")
def story(engine: Engine) -> Story:
    return engine.story(SCENES, seed=3)


def same(one: Story, other: Story) -> tuple[list[bool], list[bool]]:
    pairs = [(a.clip, b.clip) for a, b in zip(one.scenes, other.scenes, strict=True)]
    pictures = [torch.equal(torch.as_tensor(a.frames), torch.as_tensor(b.frames)) for a, b in pairs]
    return pictures, [torch.equal(torch.as_tensor(a.sound), torch.as_tensor(b.sound)) for a, b in pairs]


def test_lengths_are_exact_and_scenes_are_films_of_their_own(story: Story) -> None:
    frames = 16 + 48 + 16 + 8 - 4  # half of the last scene, at most, is shared
    assert story.clip.frames.shape == (frames, 32, 32, 3) and story.seconds == frames / 16
    assert story.clip.sound is not None and story.clip.sound.shape == (1, frames * 3_000)
    assert [scene.start for scene in story.scenes] == [0, 16, 64, 76]
    assert [len(scene.clip.frames) for scene in story.scenes] == [16, 48, 16, 8]
    for scene in story.scenes[:2]:
        part = story.clip.frames[scene.start : scene.start + len(scene.clip.frames)]
        assert torch.equal(part, scene.clip.frames), "what no dissolve covers stands in the film as it is"
    assert story.settings["task"] == "story" and story.settings["seed"] == 3
    assert story.scenes[1].asked.words == "a red ball bounces in a meadow"


def test_the_same_seed_makes_the_same_film_and_another_another(engine: Engine, story: Story) -> None:
    assert same(story, engine.story(SCENES, seed=3)) == ([True] * 4, [True] * 4)
    assert not any(same(story, engine.story(SCENES, seed=4, num_inference_steps=1))[0])


def test_a_continuation_begins_where_the_scene_before_ends(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[torch.Tensor] = []
    whole = ClipWork.more_pictures

    def heard(self: Any, frames: torch.Tensor, count: int, fps: float) -> torch.Tensor:
        given.append(frames)
        return whole(self, frames, count, fps)

    monkeypatch.setattr(ClipWork, "more_pictures", heard)
    made = engine.story("a red ball | it falls", seed=1, sound=False)
    assert len(given) == 1 and torch.equal(given[0], made.scenes[0].clip.frames)
    given.clear()
    engine.story([{"prompt": "a ball"}, {"prompt": "a cube", "transition": "cut"}], seed=1, sound=False)
    assert not given


def test_one_scene_is_made_again_with_what_goes_on_from_it_and_nothing_else(story: Story) -> None:
    new = story.remake(0, seed=99)
    assert same(story, new) == ([False, False, True, True], [False, False, True, True])
    last = story.remake(3)
    assert same(story, last) == ([True, True, True, False], [True, True, False, False])
    until = (78 - 64) * 3_000 - 480  # the middle of the dissolve, and where sounds meet
    parts = [one.scenes[2].clip.sound for one in (story, last)]
    assert torch.equal(*(torch.as_tensor(part)[:, :until] for part in parts)), "but for what the dissolve shares"
    said = story.remake(2, prompt="a green star")
    assert same(story, said)[0] == [True, True, False, False] and said.scenes[2].asked.prompt == "a green star"
    assert "a green star falls" in said.scenes[3].asked.words, "what 'it' is follows the words before"


def test_music_goes_through_so_that_the_sound_is_new_from_a_remade_scene_on(engine: Engine) -> None:
    one = engine.story(SCENES, seed=3, music="calm", num_inference_steps=1)
    assert same(one, one.remake(2, seed=50)) == ([True, True, False, True], [True, True, False, False])


def test_words_of_a_scene_change_at_its_frame(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, int, int]] = []

    def sounded(models: Any, pictures: Any, words: Any, known: torch.Tensor, *, samples: int, **_: Any) -> torch.Tensor:
        said.append((words.prompt, known.shape[-1], samples))
        return torch.cat((known, torch.full((1, samples - known.shape[-1]), 0.1 * len(said))), -1)

    kept: list[tuple[int, ...]] = []
    put = Takes.put
    monkeypatch.setattr(Takes, "put", lambda self, key, made: kept.append(tuple(made.shape)) or put(self, key, made))
    monkeypatch.setattr(stories, "extend_sound", sounded)
    told = [{"prompt": "a red ball", "sound_prompt": "a bell"}, {"prompt": "it falls"}]
    made = engine.story(told, seed=1, num_inference_steps=1, music="calm")
    assert [(known, samples) for _, known, samples in said] == [(0, 48_000), (48_000, 96_000)]
    assert "a bell" in said[0][0] and "ball" in said[1][0] and all("calm" in words for words, _, _ in said)
    sound = made.clip.sound
    assert sound is not None and sound[0, 47_999] == pytest.approx(0.1) and sound[0, 48_000] == pytest.approx(0.2)
    assert [shape for shape in kept if len(shape) == 2] == [(1, 48_000)] * 2, "of each scene what it adds, and no more"


class Killed(BaseException):
    """As sudden as a kill: nothing is tidied up."""


def test_a_story_that_was_killed_goes_on_from_what_stands_on_disk(
    engine: Engine, story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(index: int, _: Any) -> None:
        if index == 1:
            raise Killed

    with pytest.raises(Killed):
        engine.story(SCENES, seed=3, folder=tmp_path, on_scene=dies)
    assert len(list(tmp_path.glob("*.safetensors"))) == 2
    made: list[int] = []
    pictures = ClipWork.pictures

    def counted(self: Any, seeds: list[int], *rest: Any) -> torch.Tensor:
        made.extend(seeds)
        return pictures(self, seeds, *rest)

    monkeypatch.setattr(ClipWork, "pictures", counted)
    again = engine.story(SCENES, seed=3, folder=tmp_path)
    assert made == [5, 6] and same(story, again) == ([True] * 4, [True] * 4)
    damaged = sorted(tmp_path.glob("*.safetensors"))[0]
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert same(story, engine.story(SCENES, seed=3, folder=tmp_path))[0] == [True] * 4
    engine.story(SCENES[:1], seed=3, folder=tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) == 2, "a scene and its sound: all else is dropped"


def test_a_job_of_a_story_is_heard_and_cancelled(engine: Engine) -> None:
    heard: list[tuple[str, int, int | None]] = []
    shown: list[int] = []
    engine.story(
        "a red ball | it falls",
        seed=1,
        on_progress=lambda moment: heard.append((moment.stage, moment.step, moment.steps)),
        on_scene=lambda index, clip: shown.append(len(clip.frames)),
    )
    pictures = [step for stage, step, _ in heard if stage == "Making the pictures"]
    assert pictures == sorted(pictures) and pictures[-1] == 200 and shown == [16, 16]
    with pytest.raises(Cancelled):
        engine.story("a red ball | it falls", seed=1, callback_on_step_end=lambda *_: False)
    job = engine.submit_story("a red ball | it falls", seed=1, sound=False)
    assert job.result(60).clip.frames.shape[0] == 32 and job.progress == 100
    with pytest.raises(RequestError, match="transition"):
        engine.submit_story([{"prompt": "a ball", "transition": "wipe"}])


def test_a_person_needs_models_that_know_people(engine: Engine) -> None:
    with pytest.raises(RequestError, match="@bob"):
        engine.story("a red ball | @bob nods", seed=1)
    with pytest.raises((ModelError, RequestError)):
        engine.story([{"prompt": "a red ball", "character": "bob"}], seed=1)


def test_the_command_makes_goes_on_and_makes_again(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: object) -> int:
        monkeypatch.setattr("sys.argv", ["mediagen", "story", *map(str, words), "--model", str(model_folder)])
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    out, told = tmp_path / "film.mp4", "a red ball rolls right | it bounces | a blue cube"
    assert run(told, "-o", out, "--remake", 1) == 2 and "not made here yet" in capsys.readouterr().err
    assert run(told, "-o", out, "--seed", 5) == 0
    assert "Scene 2 of 3: it bounces" in capsys.readouterr().err
    first, kept = out.read_bytes(), {path.name for path in (tmp_path / "film.scenes").iterdir()}
    assert len(read_clip(out).frames) == 48 and read_settings(out)["task"] == "story" and len(kept) == 7
    assert run(told, "-o", out) == 0 and out.read_bytes() == first, "without a seed: that which it had"
    assert run(told, "-o", out, "--remake", 3, "--json") == 0
    assert json.loads(capsys.readouterr().out)["seconds"] == 3.0
    again = {path.name for path in (tmp_path / "film.scenes").iterdir()}
    assert len(again & kept) == 5 and out.read_bytes() != first, "two scenes with their sounds, and the request"
    changed = out.read_bytes()
    assert run(told, "-o", out) == 0 and out.read_bytes() == changed
    for words, said in (
        ((told, "-o", out, "--remake", 4), "expected 1 to 3"),
        (("", "-o", tmp_path / "b.mp4"), "got no scenes"),
        ((tmp_path / "none.toml", "-o", tmp_path / "b.mp4"), "cannot be read"),
    ):
        assert run(*words) == 2 and said in capsys.readouterr().err
