"""`mediagen train edit`: its three stages from a video model's weights, and a model folder that edits afterwards."""

import shutil

import pytest
import torch
from PIL import Image

from mediagen.edit.model import EditModel
from mediagen.media.clip import Clip
from mediagen.sdk import Engine
from mediagen.sdk.cli.app import main
from mediagen.weights import load_model, load_tensors

SIZES = "latent_channels=4 width=32 depth=1 heads=2 hidden=32 text_widths=[32] longest=[4,4,4] patch=[1,2,2]"
SMALL = "beside_channels=4 mixing=false size=[32,32] seconds=1 fps=8 pairs=4 batch=2 steps=2 back_steps=2 log_every=1"


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["mediagen", "train", *map(str, arguments)])
    monkeypatch.delenv("MEDIAGEN_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0), capsys.readouterr().err


def test_three_stages_from_a_video_model_to_a_folder_that_edits(model_folder, tmp_path, monkeypatch, capsys) -> None:
    models = shutil.copytree(model_folder, tmp_path / "models")
    monkeypatch.setattr("mediagen.edit.back.worked", lambda *_: True)
    common = [part for one in f"{SIZES} {SMALL}".split() for part in ("--set", one)]
    said = ["edit", "--model", models, "--start", models / "video", "--into", models, "-o", tmp_path / "run", *common]
    code, told = run(monkeypatch, capsys, *said)
    assert code == 0, told
    stages = {"frames": ["clips", "frames"], "films": ["animated", "clips", "marks"], "back": ["back"]}
    for stage, kinds in stages.items():
        assert sorted(path.name for path in (tmp_path / "run" / stage / "cache").iterdir()) == kinds
    folders = (models / "video", tmp_path / "run" / "frames" / "export")
    base, first = (load_tensors(folder / "model.safetensors") for folder in folders)
    near = (base["blocks.0.mlp.up.weight"].float() - first["blocks.0.mlp.up.weight"].float()).abs().max()
    assert near < 0.05, "the first stage began with the video model"
    assert load_model(EditModel, models / "edit").config.tasks == 12
    frames = torch.zeros(8, 32, 32, 3, dtype=torch.uint8)
    made = Engine.from_pretrained(models).edit(Clip(frames, 8.0), "let it snow", seed=1)
    assert made.frames.shape == frames.shape and any("edit_tasks" in note for note in made.settings["notes"])


def test_own_frames_are_learnt_from_and_what_is_missing_is_said(model_folder, tmp_path, monkeypatch, capsys) -> None:
    data = tmp_path / "data"
    data.mkdir()
    common = [part for one in f"{SIZES} {SMALL}".split() for part in ("--set", one)]
    said = ["edit", "--model", model_folder, "--stages", "frames", "--data", data, "-o", tmp_path / "run", *common]
    code, told = run(monkeypatch, capsys, *said)
    assert code != 0 and "without a.png" in told and "Traceback" not in told
    place = data / "one"
    place.mkdir()
    for name, grey in (("a.png", 30), ("b.png", 200)):
        Image.new("RGB", (40, 20), (grey, grey, grey)).save(place / name)
    (place / "edit.txt").write_text("task: time\nmake it bright\n")
    code, told = run(monkeypatch, capsys, *said)
    assert code == 0, told
