"""The GPU recipe, rehearsed at toy size on the CPU: every stage leaves what the next one needs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mediagen.parcel import unpack_all
from mediagen.sdk import Engine

ROOT = Path(__file__).resolve().parents[1]
STAGES = {
    "1-autoencoder": ["tae"],
    "2-readers": ["prompt", "aligned", "recogniser"],
    "3-video": ["video"],
    "4-codec": ["codec"],
    "5-audio": ["sound_recogniser", "audio"],
    "6-fast": ["video_fast"],
    "7-edits": ["edit"],
}


def recipe(bare: Path, *arguments: object, without: tuple[str, ...] = ("av",)) -> str:
    """Runs the script as on a bare machine: without some packages, and without an installed mediagen in front."""
    bare.mkdir(exist_ok=True)
    for package in without:
        (bare / f"{package}.py").write_text(f"raise ImportError('this machine has no {package}')\n")
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(bare), "OMP_NUM_THREADS": "1"}
    command = ["bash", str(ROOT / "recipes" / "gpu.sh"), *map(str, arguments), "--toy"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=550, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def read(stage: Path) -> dict[str, Any]:
    return json.loads((stage / "stage.json").read_text())


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("gpu")
    return folder / "out", recipe(folder / "bare", folder / "out")


def test_every_stage_leaves_its_weights_figures_and_pictures(rehearsed):
    out, said = rehearsed
    assert sorted(path.name for path in out.iterdir()) == list(STAGES)
    for name, holds in STAGES.items():
        parcel = json.loads((out / name / "parcel.json").read_text())
        about = read(out / name)
        assert parcel["holds"] == ["engine.json", *holds]
        assert len({label.partition(":")[0] for label in about["trainings"]}) == len(holds)
        assert "failed" not in about["figures"] and (about["figures"] or name == "7-edits")
        assert all(training["steps"] >= 1 for training in about["trainings"].values())
        assert (out / name / "preview.png").read_bytes()[:4] == b"\x89PNG" and (out / name / "log.jsonl").is_file()
    assert (
        "from earlier ones: engine.json, tae, engine.json, prompt" in said and "clips/s are drawn and encoded" in said
    )
    assert "first attempt" not in said and "failed" not in said


def test_what_a_stage_leaves_can_be_carried(rehearsed):
    out, _ = rehearsed
    for stage in out.iterdir():
        files = list(stage.rglob("*"))
        assert len(files) <= 8 and all(path.is_file() and path.stat().st_size < 16 * 2**20 for path in files)
        assert all(set(path.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_") for path in files)


def test_the_video_stage_goes_on_from_what_was_carried_and_ends_by_the_clock(rehearsed, tmp_path):
    out, _ = rehearsed
    said = recipe(
        tmp_path / "bare", tmp_path / "out", 3, out, "--set", "video.steps=100000000", without=("av", "pydantic")
    )
    assert "video goes on from the weights of an earlier call" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["3-video"]
    about = read(tmp_path / "out" / "3-video")
    assert about["calls"] == 2 and about["trainings"]["video"]["settings"]["first"] > 0
    assert 1 <= about["trainings"]["video"]["steps"] < 100_000_000
    assert "no pydantic" in about["figures"]["failed"], "trained all the same, and not judged"


def test_the_joined_folder_makes_a_clip_with_sound(rehearsed, tmp_path):
    unpack_all(rehearsed[0], tmp_path / "models")
    clip = Engine.from_pretrained(tmp_path / "models", device="cpu").generate("a red ball bounces", seed=1)
    assert clip.frames is not None and clip.frames.shape == (16, 32, 32, 3)
    assert clip.settings["num_inference_steps"] == 8, "by the model that is made for few steps"
    assert clip.sound is not None and clip.sound.shape == (1, 48_000) and torch.isfinite(clip.sound).all()
