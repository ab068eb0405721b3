"""The bench of people: figures of clips whose people are known, and the whole of it with toy models."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from mediagen.personalize.arcface import ArcFace
from mediagen.personalize.faces import Face
from mediagen.personalize.model import PersonalConfig, PersonalModel
from mediagen.personalize.portraits import portrait_scene
from mediagen.sdk.bench import measure as bench
from mediagen.sdk.bench import people
from mediagen.sdk.bench.people import CEILING, STRANGER, WORDS, Sitter, measure_people, ratio, stages_of
from mediagen.sdk.engine import Engine
from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.models.limits import Limits
from mediagen.tae import TAE
from mediagen.text.aligned import PRESETS
from mediagen.text.text import TextEncoder
from mediagen.video import VideoModel
from mediagen.weights import save_model
from mediagen.world.scene import Scene

torch.set_num_threads(1)
COUNT = 4
LIMITS = Limits(width=32, height=32, fps=16, seconds=0.5, min_seconds=0.5, max_seconds=2, steps=2)
POINTS = np.array([[9.0, 9], [21, 9], [15, 15], [11, 21], [19, 21]])
NUMBERS = {str(portrait_scene(number, 0, "test").person.identity): number for number in range(COUNT)}  # type: ignore[union-attr]


class Finder:
    """Sees a face, always turned alike, in any picture that is not dark."""

    def find(self, frames: Tensor) -> list[list[Face]]:
        scale = frames.shape[1] / 32
        face = Face((4 * scale, 4 * scale, 28 * scale, 28 * scale), POINTS * scale)
        return [[face] if frame.float().mean() > 9 else [] for frame in frames]


class ByColour:
    """Knows people by the red of their face, in which `painted` has their number."""

    def embed(self, faces: Tensor) -> Tensor:
        return torch.eye(512)[((faces[:, 60, 56, 0].float() - 20) / 40).round().long().clamp(0, 511)]


def painted(scenes: list[Scene], size: tuple[int, int], frames: list[int] | None = None) -> Tensor:
    red = [20 + 40 * NUMBERS[str(scene.person.identity)] for scene in scenes if scene.person]
    return torch.stack([torch.full((len(frames or range(8)), *size, 3), value, dtype=torch.uint8) for value in red])


def engine_of(tmp_path: Path, **models: Any) -> Engine:
    folder = SimpleNamespace(device=torch.device("cpu"), has=models.__contains__, get=models.__getitem__, path=tmp_path)
    return cast(Engine, SimpleNamespace(models=folder, limits=LIMITS))


def test_clips_of_the_right_people_reach_the_ceiling_and_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(engine: Engine, sitters: list[Sitter], seed: int, models: Any, prompt: Any, name: str, tell: Any) -> Any:
        asked = [prompt(one) for one in sitters]
        assert all((" with " in words) == (name == WORDS) for words in asked if "wears" not in words), asked
        clips = painted([one.scene for one in sitters], (32, 32))
        turn = {"right": 0, "wrong": 1, WORDS: 1}.get(name, 0)
        frames = list(clips.roll(turn, 0))
        frames = [*frames[:-1], frames[-1] * 0] if name == "right" else frames  # the last shows nobody
        return people._Clips(frames, (2.0, 4.0) if name == "right" else (1.0, 2.0))

    monkeypatch.setattr(people, "render", painted)
    monkeypatch.setattr(people, "_make", made)
    monkeypatch.setattr(people, "_videos", lambda *_: {"wrong": None, "right": None})
    monkeypatch.setattr(people, "_with_person", lambda *_: None)
    monkeypatch.setattr(people, "video_models", lambda *_: None)
    monkeypatch.setattr(people, "through_tae", lambda _, frames: frames)
    engine = engine_of(tmp_path, faces=Finder(), face_encoder=ByColour(), tae=None, video=None)
    part, sheet = measure_people(engine, count=COUNT)
    value = {name: figure.value for name, figure in part.figures.items()}
    assert value["people whose picture was taken"] == value[f"{CEILING} / rank-1"] == 1.0
    assert value["right / rank-1"] == 0.75 and value["wrong / rank-1"] == value[f"{WORDS} / rank-1"] == 0.0
    assert value[f"{STRANGER} / rank-1"] == 0.0 and value["right / face found"] == 0.75
    assert value["right / rank-1 above words alone"] == 75.0 and value["wrong / cosine over the ceiling's"] == 0.0
    assert value["right / cosine"] == value["right / cosine over the ceiling's"] == 1.0
    assert value["right / first against last, over the ceiling's"] == 1.0 and value["right / copying"] == 0.0
    assert value["right / seconds over a plain clip"] == 2.0
    assert sheet.shape[0] > COUNT * 32 and sheet.shape[1] > 8 * 32


def test_the_bench_runs_with_models_of_stages_and_a_second_judge(tmp_path: Path) -> None:
    """Toy models, which know nobody: every figure is there, and what it was measured on."""
    torch.manual_seed(0)
    small = {"width": 32, "depth": 1, "heads": 2, "hidden": 32, "text_widths": (32,), "longest": (8, 16, 16)}
    config = PersonalConfig(**small, aligned=PRESETS["debug"])  # type: ignore[arg-type]
    for name in ("paired", "crossed"):
        save_model(PersonalModel(config), config, tmp_path / name)
    judge = ArcFace.from_preset("debug")
    save_model(judge, judge.config, tmp_path / "judge")
    named = [f"stage I={tmp_path / 'paired'}", f"stage III={tmp_path / 'crossed'}"]
    video = VideoModel(VideoModel.Config(**small)).eval()  # type: ignore[arg-type]
    models = {"prompt": TextEncoder.from_preset("debug").eval(), "tae": TAE.from_preset("tiny").eval(), "video": video}
    faces = {"faces": Finder(), "face_encoder": ArcFace.from_preset("debug").eval()}
    heard: list[str] = []
    part, _ = measure_people(
        engine_of(tmp_path, **models, **faces),
        count=3,
        stages=stages_of(named, tmp_path / "judge"),
        tell=lambda stage, done, of: heard.append(stage),
    )
    for name in (WORDS, "stage I", "stage III", CEILING):
        for what in ("rank-1", "rank-1 by the second judge", "cosine over the ceiling's", "face found", "copying"):
            assert f"{name} / {what}" in part.figures, what
    assert part.figures["stage III / seconds over a plain clip"].value > 0
    assert part.figures["stage I / rank-1"].count == 3 and "Generating, stage III" in heard


def test_what_cannot_be_measured_is_said(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="expected NAME=FOLDER"):
        stages_of(["paired"], None)
    with pytest.raises(RequestError, match="without a model"):
        stages_of([f"paired={tmp_path}"], None)
    (tmp_path / "config.json").write_text("{}")
    engine = engine_of(tmp_path, faces=Finder(), face_encoder=ByColour())
    with pytest.raises(ModelError, match="cannot measure"):
        measure_people(engine, stages=stages_of([f"paired={tmp_path}"], None), count=2)
    blind = SimpleNamespace(find=lambda frames: [[] for _ in frames])
    part, _ = measure_people(engine_of(tmp_path, faces=blind, face_encoder=None, personalize=None), count=1)
    assert "0 of 1 people" in part.skipped and bench.NEEDS["people"]


def test_a_ratio_leaves_out_what_is_not_there() -> None:
    made = ratio([1.0, float("nan"), 3.0], [4.0, 4.0, 4.0])
    assert made.value == 0.5 and made.low is not None and 0.25 <= made.low <= 0.5
    assert np.isnan(ratio([1.0], [float("nan")]).value)
