"""Edits through the command line, the service and its clients: the calls as they are written in the docs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
import torch
from edit_toy import edit_folder
from PIL import Image
from service_toy import serving
from test_anew import film, packets
from test_service import client

from mediagen.media.footage import Footage
from mediagen.media.read import read_settings
from mediagen.media.remux.anew import own_pictures
from mediagen.sdk import Engine, RemoteEngine, RequestError
from mediagen.sdk.cli.app import main

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return edit_folder(model_folder, tmp_path_factory.mktemp("edit") / "models")


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["mediagen", "edit", *map(str, arguments)])
    monkeypatch.delenv("MEDIAGEN_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.err + said.out


def pictures(path: Path) -> torch.Tensor:
    return torch.cat(list(own_pictures(Footage(path))))


def test_the_command_edits_a_film_and_says_what_was_kept(folder: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    source = film(tmp_path / "film.mp4")
    region = ["--task", "remove", "--region", "10,4,20,16", "--seed", 3, "--model", folder]
    code, said = run(monkeypatch, capsys, source, "remove the boat", *region, "-o", tmp_path / "out.mp4")
    assert code == 0 and "the model alone kept them to" in said and "The file holds them to" in said
    assert packets(tmp_path / "out.mp4") == packets(source)
    code, said = run(monkeypatch, capsys, source, "remove the boat", *region, "--lossless", "-o", tmp_path / "out.mkv")
    assert code == 0
    apart = (pictures(tmp_path / "out.mkv").int() - pictures(source).int()).abs().amax(-1)
    outside = torch.ones(36, 48, dtype=torch.bool)
    outside[4:20, 10:30] = False
    assert not apart[:, outside].any() and apart[:, ~outside].any()
    code, said = run(monkeypatch, capsys, source, "let it snow", "--task", "weather", "--from", "0:00.2", "--to", 0.3,
                     "--sound", "none", "--json", "--model", folder, "-o", tmp_path / "part.mp4")  # fmt: skip
    told = json.loads(said.strip().splitlines()[-1])
    assert code == 0 and told["settings"]["start"] == 0.2 and not Footage(tmp_path / "part.mp4").has_audio


def test_edits_are_made_again_from_the_film_they_began_with(folder: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    source, common = film(tmp_path / "film.mp4"), ["--model", folder, "--lossless"]
    first, second = tmp_path / "one.mkv", tmp_path / "two.mkv"
    assert run(monkeypatch, capsys, source, "make it day", "--task", "time", *common, "-o", first)[0] == 0
    snow = ["let it snow", "--task", "weather", "--region", "0,0,20,20"]
    assert run(monkeypatch, capsys, first, *snow, *common, "-o", second)[0] == 0
    for begin, name in ((source, "a.mkv"), (first, "b.mkv")):
        code, said = run(monkeypatch, capsys, begin, "--replay", second, *common, "-o", tmp_path / name)
        assert code == 0 and "note: the first" not in said, said
        assert torch.equal(pictures(tmp_path / name), pictures(second))
    assert read_settings(tmp_path / "b.mkv")["source"]["prompt"] == "make it day"
    other = film(tmp_path / "other.mp4", (64, 48))
    code, said = run(monkeypatch, capsys, other, "--replay", second, *common, "-o", tmp_path / "c.mkv")
    assert code == 2 and "is not the film that the edit 'let it snow'" in said
    code, said = run(monkeypatch, capsys, source, "--replay", second, "--seed", 4, *common, "-o", tmp_path / "c.mkv")
    assert code == 2 and "--replay and seed" in said


WRONG: list[tuple[list[Any], str]] = [
    ([], "got no instruction"),
    ([" "], "PROMPT: got an empty text"),
    (["x", "--task", "repaint"], "expected one of recolour"),
    (["x", "--region", "1,2"], "--region: got '1,2'"),
    (["x", "--region", "40,0,20,10"], "but the film is 48x36"),
    (["x", "--from", "9"], "but the film lasts"),
    (["x", "--from", "soon"], "--from: got 'soon'"),
    (["x", "--sound", "loud"], "--sound: got 'loud'"),
    (["x", "--keep-rest", "maybe"], "--keep-rest: got 'maybe'"),
    (["x", "--lossless", "-o", "made.mp4"], r"expected a .mkv"),
    (["x", "-o", "made.gif"], "expected an ending of"),
    (["x", "-o", "made.webm"], "sound in aac"),
]


@pytest.mark.parametrize(("given", "said"), WRONG)
def test_wrong_input_is_one_sentence(folder: Path, tmp_path: Path, monkeypatch, capsys, given, said) -> None:
    monkeypatch.chdir(tmp_path)
    code, told = run(monkeypatch, capsys, film(tmp_path / "film.mp4"), *given, "--model", folder)
    assert code == 2 and said in " ".join(told.split()) and "Traceback" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_without_an_edit_model_the_command_says_how_to_train_one(model_folder, tmp_path, monkeypatch, capsys) -> None:
    code, said = run(monkeypatch, capsys, film(tmp_path / "film.mp4"), "let it snow", "--model", model_folder)
    assert code == 1 and "has no edit model; train one with 'mediagen train edit" in said


def test_the_service_edits_and_remixes_as_the_openai_client_sends_it(folder: Path, tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4")
    with serving(Engine.from_pretrained(folder, device="cpu"), tmp_path / "data") as (url, _):
        api = client(url)
        asked = {"task": "weather", "region": "8,4,20,16", "seed": 2, "num_inference_steps": 2}
        video = api.videos.edit(prompt="let it snow", video=source, extra_body=asked)
        assert api.videos.poll(video.id, poll_interval_ms=20).status == "completed"
        made = tmp_path / "made.mp4"
        made.write_bytes(api.videos.download_content(video.id).read())
        assert packets(made) == packets(source) and Footage(made).size == (48, 36)
        assert read_settings(made)["region"] == [8, 4, 20, 16]
        again = api.videos.remix(video.id, prompt="make it day")
        assert again.remixed_from_video_id == video.id
        assert api.videos.poll(again.id, poll_interval_ms=20).status == "completed"
        again_file = tmp_path / "again.mp4"
        again_file.write_bytes(api.videos.download_content(again.id).read())
        assert read_settings(again_file)["source"]["prompt"] == "let it snow"
        refused: list[tuple[dict[str, Any], str]] = [
            ({"region": "40,0,20,10"}, "but the film is 48x36"),
            ({"task": "repaint"}, "expected one of"),
            ({"start": 9}, "but the film lasts"),
            ({"strength": 1}, "unknown field"),
        ]
        for wrong, said in refused:
            with pytest.raises(openai.BadRequestError, match=said):
                api.videos.edit(prompt="let it snow", video=source, extra_body=wrong)
        assert "edit" in next(iter(api.models.list())).kinds


def test_remote_engines_edit_like_local_ones(folder: Path, tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4")
    place = np.zeros((36, 48), bool)
    place[:20, :20] = True
    Image.fromarray(place).save(tmp_path / "mask.png")
    engine = Engine.from_pretrained(folder, device="cpu")
    with serving(engine, tmp_path / "data") as (url, _):
        remote = RemoteEngine(url)
        job = remote.edit(source, "let it snow", task="weather", mask=place, seed=1)
        out = job.save(tmp_path / "remote.mp4")
        here = engine.edit(source, "let it snow", task="weather", mask=place, seed=1).save(tmp_path / "local.mp4")
        assert torch.equal(pictures(out), pictures(here))
        assert read_settings(out)["mask"] == read_settings(here)["mask"]
        boxed = remote.submit_edit(job, "make it day", task="time", region=(0, 0, 8, 8), seed=1)
        assert read_settings(boxed.save(tmp_path / "boxed.mp4"))["region"] == [0, 0, 8, 8]
        masked = remote.submit_edit(job, "make it day", task="time", mask=tmp_path / "mask.png", seed=1)
        assert masked.result().frames is not None
        with pytest.raises(RequestError, match="but the film is 48x36"):
            remote.edit(source, "let it snow", mask=np.ones((8, 8), bool))
