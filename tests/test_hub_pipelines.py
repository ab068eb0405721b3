"""Every pipeline class that mediagen knows, real but tiny, through the one engine: the calls, not the pictures."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("diffusers")
pytest.importorskip("accelerate")

from tiny_pipelines import COMPONENTS, build

from mediagen.media.clip import Clip
from mediagen.sdk import Cancelled, Engine, GenerateRequest, RequestError
from mediagen.sdk.hub.folder import PipelineFolder
from mediagen.sdk.hub.table import ENTRIES
from mediagen.sdk.tasks.replay import request_of, settings_of

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm.*"),
    pytest.mark.filterwarnings("ignore:.*__array__ implementation.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Should have t[ab].*"),  # torchsde, about the last digit of a time
]
PICTURE = torch.arange(40 * 40 * 3).remainder(251).to(torch.uint8).reshape(40, 40, 3)
NAMES = sorted(COMPONENTS)
SILENT: dict[str, Any] = {"sound": False}


@pytest.fixture(scope="module", params=NAMES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = build(request.param, tmp_path_factory.mktemp("pipelines") / request.param)
    return Engine.from_pretrained(folder, device="cpu")


@pytest.fixture(autouse=True)
def face(monkeypatch: pytest.MonkeyPatch) -> None:
    """ConsisID's models of faces are no part of diffusers; what they would say of any photo."""

    def read_face(pipe: Any, photo: Any, device: Any, dtype: Any) -> Any:
        return [torch.ones(1, 2, 2)], torch.ones(1, 2), photo

    monkeypatch.setattr("mediagen.sdk.hub.person.read_face", read_face)


def able(engine: Engine, *tasks: str) -> PipelineFolder:
    models = engine.models
    assert isinstance(models, PipelineFolder)
    if not any(models.can(task) for task in tasks):
        pytest.skip(f"{models.layout.name} is not for {' or '.join(tasks)}")
    return models


def film(engine: Engine, count: int = 9) -> Clip:
    limits = engine.limits
    frames = torch.arange(count * limits.height * limits.width * 3).remainder(253).to(torch.uint8)
    return Clip(frames.reshape(count, limits.height, limits.width, 3), fps=limits.fps, caption="a ball")


def make(engine: Engine, seed: int = 3, **calls: Any) -> Clip:
    """Whatever the pipeline is for, made of the same start."""
    models = able(engine, "generate", "picture", "character", "edit", "sound")
    if models.can("sound"):
        return engine.generate_audio("waves", 0.5, seed=seed, **calls)
    if models.can("edit") and not models.can("generate"):
        return engine.edit(film(engine), "make it blue", seed=seed, **calls)
    begin: dict[str, Any] = {} if models.can("generate") else {"image": PICTURE}
    return engine.generate("a red ball", seed=seed, **{**begin, **SILENT, **calls})


def content(clip: Clip) -> torch.Tensor:
    made = clip.sound if clip.frames is None else clip.frames
    assert made is not None
    return made


def test_a_seed_makes_the_same_again_and_another_makes_another(engine: Engine) -> None:
    first, again, other = make(engine, 3), make(engine, 3), make(engine, 4)
    assert torch.equal(content(first), content(again))
    assert not torch.equal(content(first), content(other))
    assert content(first).float().std() > 0
    if first.frames is not None and "source" not in first.settings:
        limits = engine.limits
        assert first.frames.shape == (round(limits.seconds * limits.fps), limits.height, limits.width, 3)


def test_torchs_own_random_numbers_are_left_alone(engine: Engine) -> None:
    make(engine)
    torch.manual_seed(5)
    make(engine)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3))


def test_every_step_is_heard_with_a_time_that_grows_to_one(engine: Engine) -> None:
    heard: list[tuple[int, float, tuple[int, ...], int]] = []
    stages: list[str] = []

    def on_step(_: Engine, step: int, t: float, info: dict[str, Any]) -> None:
        heard.append((step, t, tuple(info["latent"].shape), info["steps"]))

    clip = make(engine, callback_on_step_end=on_step, on_progress=lambda moment: stages.append(moment.stage))
    assert [step for step, *_ in heard] == list(range(heard[0][3])), "no step is missed, none is told twice"
    times = [t for _, t, *_ in heard]
    assert times == sorted(times) and times[-1] == 1.0 and times[0] < 1.0
    if clip.frames is None:
        assert set(stages) == {"Making the sound"}
        return
    assert stages[-1] == "Decoding the pictures" and "Making the pictures" in stages
    shape = heard[0][2]
    assert len(shape) == 5 and shape[0] == 1
    assert shape[2] == (len(clip.frames) - 1) // engine.limits.frame_step + 1, "latent frames stand third"


def test_a_cancelled_call_leaves_the_next_one_as_it_would_have_been(engine: Engine) -> None:
    before = make(engine, 3)
    with pytest.raises(Cancelled, match="after step 1 of 2"):
        make(engine, 8, callback_on_step_end=lambda *_: False)
    assert torch.equal(content(before), content(make(engine, 3)))


def test_a_file_says_what_made_it_and_is_made_again_from_that(engine: Engine, tmp_path: Path) -> None:
    models = able(engine, "generate", "picture", "character")
    made = make(engine)
    path = made.save(tmp_path / "made.mp4")
    settings = settings_of(path)
    assert settings["pipeline"] == models.layout.name and settings["diffusers"] and settings["torch"]
    assert settings["licence"] == models.layout.licence and settings["untrained"] is True
    assert any("never trained" in note for note in settings["notes"])
    image = None if models.can("generate") else PICTURE
    again = Engine.to_repeat(settings, models.path).run(GenerateRequest.of(request_of(settings, path.name, image)))
    assert torch.equal(content(again), content(made))
    with pytest.raises(RequestError, match="give it with --model"):
        Engine.to_repeat(settings)


def test_a_picture_is_where_a_clip_begins(engine: Engine) -> None:
    models = able(engine, "picture")
    made = engine.generate("a ball", image=PICTURE, seed=1, **SILENT)
    other = engine.generate("a ball", image=255 - PICTURE, seed=1, **SILENT)
    assert made.frames is not None and made.settings["picture"] != other.settings["picture"]
    assert not torch.equal(content(made), content(other)), f"{models.layout.name} does not look at the picture"


def test_a_longer_clip_keeps_the_frames_that_are_there(engine: Engine) -> None:
    models = able(engine, "extend")
    start = film(engine)
    longer = engine.extend(start, "it goes on", seconds=10 / 16, seed=1, **SILENT)
    assert start.frames is not None and longer.frames is not None
    assert len(longer.frames) == len(start.frames) + 10
    assert torch.equal(longer.frames[: len(start.frames)], start.frames)
    changed = Clip(255 - start.frames, fps=start.fps, caption="")
    other = engine.extend(changed, "it goes on", seconds=10 / 16, seed=1, **SILENT)
    assert other.frames is not None
    assert not torch.equal(other.frames[9:], longer.frames[9:]), f"{models.layout.name} does not look at what was"


def test_an_edit_looks_at_the_film_and_keeps_its_sound(engine: Engine) -> None:
    able(engine, "edit")
    before = film(engine)
    heard = torch.rand(1, 27_000) - 0.5
    before = Clip(before.frames, before.fps, sound=heard, caption="a ball")
    made = engine.edit(before, "make it blue", seed=1)
    assert made.frames is not None and before.frames is not None and made.sound is not None
    assert made.frames.shape == before.frames.shape and torch.equal(made.sound, heard)
    other = engine.edit(Clip(255 - before.frames, before.fps), "make it blue", seed=1)
    assert not torch.equal(content(made), content(other))


def test_a_mask_says_where_to_edit_or_that_it_cannot(engine: Engine) -> None:
    models = able(engine, "edit")
    mask = torch.zeros(engine.limits.height, engine.limits.width)
    mask[:, : engine.limits.width // 2] = 1
    call = models.entry.call("edit")
    assert call is not None
    if not call.mask:
        with pytest.raises(RequestError, match="takes none"):
            engine.edit(film(engine), "blue", mask=mask, seed=1)
        return
    half, whole = (engine.edit(film(engine), "blue", mask=one, seed=1) for one in (mask, torch.ones_like(mask)))
    assert not torch.equal(content(half), content(whole))


def test_a_person_from_a_photo(engine: Engine) -> None:
    able(engine, "character")
    ends: list[torch.Tensor] = []  # of the solver: in eight bits a glance at a photo is lost

    def on_step(_: Engine, step: int, t: float, info: dict[str, Any]) -> None:
        ends.extend([info["latent"].clone()] * (t == 1))

    made = engine.personalize(PICTURE, "a person waves", seed=1, callback_on_step_end=on_step, **SILENT)
    engine.personalize(255 - PICTURE, "a person waves", seed=1, callback_on_step_end=on_step, **SILENT)
    assert made.settings["task"] == "personalize" and not torch.equal(*ends)
    assert content(made).shape[0] == round(engine.limits.seconds * engine.limits.fps)


def test_what_a_pipeline_cannot_do_is_said_before_any_work(engine: Engine) -> None:
    models = engine.models
    assert isinstance(models, PipelineFolder)
    heard: list[Any] = []
    asked = {
        "generate": lambda: engine.generate("a ball", **SILENT, on_progress=heard.append),
        "extend": lambda: engine.extend(film(engine), "on", seconds=0.5, **SILENT, on_progress=heard.append),
        "edit": lambda: engine.edit(film(engine), "blue", on_progress=heard.append),
        "character": lambda: engine.personalize(PICTURE, "waves", **SILENT, on_progress=heard.append),
    }
    for task, ask in asked.items():
        if not models.can(task):
            with pytest.raises(RequestError, match=models.layout.name):
                ask()
    assert heard == []


def test_lengths_become_those_that_the_model_makes_and_it_is_said(engine: Engine) -> None:
    able(engine, "generate")
    step, fps = engine.limits.frame_step, engine.limits.fps
    made = engine.generate("a ball", seconds=step / fps, seed=1, **SILENT)
    assert made.frames is not None and len(made.frames) == step + 1
    assert f"{step}k + 1" in made.settings["notes"][0] and made.settings["asked"]


def test_a_prompt_that_is_longer_than_the_model_reads_is_noted(engine: Engine) -> None:
    models = able(engine, "generate")
    if "max_sequence_length" not in models.layout.call:
        pytest.skip("it reads more than a prompt may have")
    made = engine.generate("a red ball bounces in a meadow", seed=1, **SILENT)
    assert any("longer than the 16 tokens" in note for note in made.settings["notes"])
    assert not any("tokens" in note for note in engine.generate("a ball", seed=1, **SILENT).settings["notes"])


def test_weights_that_were_freed_are_read_again(engine: Engine) -> None:
    before = make(engine, 3)
    models = engine.models
    assert isinstance(models, PipelineFolder)
    models.unload()
    assert not models.loaded("video")
    assert torch.equal(content(before), content(make(engine, 3)))


def test_a_preview_is_a_picture_of_latents(engine: Engine) -> None:
    able(engine, "generate", "picture", "character", "edit")
    seen: list[torch.Tensor] = []
    make(engine, callback_on_step_end=lambda _, step, t, info: seen.append(info["latent"]))
    shown = engine.models.get("tae").decode(seen[0], 1)
    assert shown.shape == (1, 3, *seen[0].shape[2:]) and float(shown.abs().max()) <= 1 and float(shown.std()) > 0


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_calls_are_those_of_the_diffusers_that_is_installed(name: str) -> None:
    import diffusers

    for task, call in ENTRIES[name].calls.items():
        kind = getattr(diffusers, call.pipeline)
        known = set(inspect.signature(kind.__call__).parameters)
        asked = call.arguments - ({"output_type"} if task == "sound" else set())
        assert asked <= known, f"{call.pipeline} no longer takes {sorted(asked - known)}"
    variants = [variant for variant in ENTRIES[name].variants for variant in [variant.calls]]
    for call in (call for calls in variants for call in calls.values()):
        known = set(inspect.signature(getattr(diffusers, call.pipeline).__call__).parameters)
        assert call.arguments <= known


def test_every_class_of_the_table_has_a_tiny_one_here() -> None:
    assert {name.partition("-")[0] for name in COMPONENTS} == set(ENTRIES)
