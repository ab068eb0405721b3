"""Own models: shared as a folder, fetched from the hub's cache, silent where nothing makes sound."""

import json
import shutil
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch

from mediagen.config import parse_settings
from mediagen.parallel.ranks import Ranks
from mediagen.sdk import Engine, ModelError, RequestError
from mediagen.sdk.cli.app import main
from mediagen.sdk.hub.fetch import patterns
from mediagen.sdk.models.plan import course, planned
from mediagen.sdk.models.trainings import TRAININGS, Place
from mediagen.text.encoders import Encoder, EncoderConfig
from mediagen.text.text import TextConfig, TextEncoder
from mediagen.train.stages import run_stages
from mediagen.weights import load_model, save_model


def test_a_shared_folder_is_read_back_as_the_hub_lays_it_out(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    shutil.copytree(model_folder, own)
    (own / "video" / "figures.json").write_text('{"kind": 0.91}')
    told = {"task": {"data": "/home/me/cats"}, "loop": {"steps": 1200}}
    (own / "video" / "training.json").write_text(json.dumps(told))
    (own / "tae" / "decoder.onnx").write_bytes(b"not to be shared")
    engine = Engine.from_pretrained(own, device="cpu")
    snapshot = tmp_path / "hub" / "models--me--cats" / "snapshots" / ("a" * 40)
    engine.save_pretrained(snapshot, license="apache-2.0")
    assert {path.suffix for path in snapshot.rglob("*") if path.is_file()} == {".json", ".safetensors", ".md"}

    card = (snapshot / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: mediagen") and "license: apache-2.0\n" in card
    assert "| films of a folder named cats | 1,200 | kind 0.91 |" in card and "/home/me" not in card
    assert "32x32 pixels at 16 fps" in card and "not recorded" in card

    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("a" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    fetched = Engine.from_pretrained("me/cats", device="cpu")
    assert fetched.models.path.resolve() == snapshot.resolve()
    clips = [one.generate("a red ball", seed=3, sound=False).frames for one in (engine, fetched)]
    assert clips[0] is not None and clips[1] is not None and torch.equal(clips[0], clips[1])


def test_all_weights_of_a_shared_folder_are_fetched_though_it_has_an_index(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Engine.from_pretrained(model_folder, device="cpu").save_pretrained(tmp_path / "shared")

    def download(name: str, file: str, **_: object) -> str:
        return str(shared / file)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    wanted = patterns("me/cats")
    for path in (path.relative_to(shared).as_posix() for path in shared.rglob("*") if path.suffix != ".md"):
        assert any(fnmatch(path, pattern) for pattern in wanted) or (shared / path).is_dir()


def test_what_cannot_be_shared_is_said(model_folder: Path, tmp_path: Path) -> None:
    engine = Engine.from_pretrained(model_folder, device="cpu")
    with pytest.raises(ModelError, match="empty one"):
        engine.save_pretrained(model_folder)
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(ModelError, match="empty one"):
        engine.save_pretrained(tmp_path)
    own = tmp_path / "own"
    shutil.copytree(model_folder, own)
    config = json.loads((own / "prompt" / "config.json").read_text())
    config["encoders"][0]["source"] = str(tmp_path)
    (own / "prompt" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="is read from"):
        Engine.from_pretrained(own, device="cpu").save_pretrained(tmp_path / "shared")
    assert not (tmp_path / "shared").exists()
    assert "none is stated" in (engine.save_pretrained(tmp_path / "plain") / "README.md").read_text()


def test_models_without_sound_work_silently_by_default(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mute = tmp_path / "mute"
    for name in ("engine.json", "tae", "prompt", "video"):
        (shutil.copytree if (model_folder / name).is_dir() else shutil.copy)(model_folder / name, _in(mute) / name)
    engine = Engine.from_pretrained(mute, device="cpu")
    assert engine.limits.sound is False and Engine.from_pretrained(model_folder, device="cpu").limits.sound is True
    clip = engine.generate("a red ball", seed=3)
    assert clip.sound is None and clip.settings["sound"] is False
    longer = engine.extend(clip, seconds=0.5)
    assert longer.sound is None and longer.frames is not None and len(longer.frames) == 24
    assert engine.submit("a red ball", seed=3).result().sound is None
    with pytest.raises(RequestError, match="lack aligned, codec, audio"):
        engine.generate("a red ball", sound=True)
    monkeypatch.setattr("sys.argv", ["mediagen", "generate", "a red ball", "--model", str(mute), "-o", f"{mute}/a.mp4"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code and (mute / "a.mp4").is_file(), capsys.readouterr().err


def _in(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def test_public_text_encoders_from_folders_take_the_reader_s_place(model_folder: Path, tmp_path: Path) -> None:
    own = shutil.copytree(model_folder, tmp_path / "own")
    sizes = {"prompt": 24, "character": 40, "aligned": 32}
    encoders = []
    for kind, width in sizes.items():
        own_kind = EncoderConfig(kind=kind, width=width, layers=1, heads=2, ff=48)
        public = Encoder.of(own_kind)
        public.net.save_pretrained(tmp_path / kind)  # type: ignore[operator]
        public.tokenizer.save_pretrained(tmp_path / kind)
        encoders.append(EncoderConfig(kind=kind, source=str(tmp_path / kind), tokens=32))
    text = TextEncoder(TextConfig(encoders=tuple(encoders)))
    assert text.widths == tuple(sizes.values())
    save_model(text, text.config, own / "prompt", half=False)
    read = load_model(TextEncoder, own / "prompt")
    for part, again in zip(text.encode(['a sign "open"']).parts, read.encode(['a sign "open"']).parts, strict=True):
        assert torch.equal(part, again)

    small = "latent_channels=4 width=32 depth=1 heads=2 hidden=32 longest=[4,4,4] size=[32,32] seconds=1 clips=4"
    words = [*small.split(), "batch=2", "text_widths=[24,40,32]", "steps=1", "preview_every=0"]
    given = parse_settings(words)
    place = Place("cpu", tmp_path / "run", str(own))
    before = [value.clone() for value in read.parameters()]
    (stage,) = planned(TRAININGS["video"], None, course(TRAININGS["video"], ["clips"]), given, place)
    made = run_stages([stage], tmp_path / "run", Ranks(torch.device("cpu")))
    assert json.loads((made / "config.json").read_text())["text_widths"] == [24, 40, 32]
    after = load_model(TextEncoder, own / "prompt").parameters()
    assert all(torch.equal(*both) for both in zip(before, after, strict=True)), "it runs frozen"
