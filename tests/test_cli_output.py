"""What the command line writes and says: nothing is lost, programs can read it, several clips come with a sheet."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image
from strange import film

from mediagen.media.read import read_clip, read_settings
from mediagen.sdk.cli.app import main


@pytest.fixture
def told(monkeypatch, capsys):
    """Runs a command in this process; returns exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mediagen", *map(str, arguments)])
        monkeypatch.delenv("MEDIAGEN_DEBUG", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_json_is_one_object_and_quiet_is_quiet(told, model_folder, tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    code, said, heard = told(
        "generate",
        "a red ball",
        "--no-sound",
        "--seconds",
        1.03,
        "--seed",
        7,
        "--model",
        model_folder,
        "-o",
        out,
        "--json",
    )
    assert code == 0 and heard == "" and said.count("\n") == 1
    about = json.loads(said)
    assert about["path"] == str(out) and about["seed"] == 7 and about["seconds"] == 1.0
    assert about["settings"] == read_settings(out) and about["notes"] == [
        "1.03 seconds became 1: 16 whole frames at 16 fps."
    ]
    longer = tmp_path / "b.mp4"
    code, said, heard = told("extend", out, "--no-sound", "--seconds", 0.5, "--model", model_folder, "-o", longer, "-q")
    assert (code, said, heard) == (0, "", "") and longer.exists()
    code, said, heard = told(
        "extend", out, "--seconds", -1, "--model", model_folder, "-o", tmp_path / "c.mp4", "--json"
    )
    assert code == 2 and said == "" and heard.startswith("error: --seconds"), "errors are said all the same"


def test_a_file_that_is_there_stays(told, model_folder, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = ("a red ball", "--no-sound", "--seed", 1, "--model", model_folder)
    (tmp_path / "a.mp4").write_bytes(b"mine")
    code, _, heard = told("generate", *wanted, "-o", "a.mp4")
    assert code == 2 and "which exists" in heard and "--force" in heard and (tmp_path / "a.mp4").read_bytes() == b"mine"
    assert told("generate", *wanted, "-o", "a.mp4", "--force")[0] == 0 and read_clip("a.mp4").fps == 16
    for expected in ("clip.mp4", "clip-2.mp4"):
        assert f"Wrote {expected}" in told("generate", *wanted)[2]


def test_several_clips_have_seeds_of_their_own_and_a_sheet(told, model_folder, tmp_path: Path) -> None:
    wanted = ("generate", "a red ball", "--no-sound", "--model", model_folder)
    code, said, _ = told(*wanted, "--seed", 5, "--count", 3, "-o", tmp_path / "a.mp4", "--json")
    about = json.loads(said)
    assert code == 0 and [clip["seed"] for clip in about["clips"]] == [5, 6, 7]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-1.mp4", "a-2.mp4", "a-3.mp4", "a-sheet.png"]
    with Image.open(about["sheet"]) as sheet:
        assert sheet.width > 5 * 16 and sheet.height > 3 * 16
    told(*wanted, "--seed", 6, "-o", tmp_path / "alone.mp4")
    alone, beside = (read_clip(tmp_path / name).frames.int() for name in ("alone.mp4", "a-2.mp4"))
    assert (alone - beside).abs().float().mean() < 1.5, "made beside others it is the clip of its seed"
    assert (alone - read_clip(tmp_path / "a-1.mp4").frames.int()).abs().float().mean() > 3
    code, _, heard = told(*wanted, "--count", 3, "-o", tmp_path / "a.mp4")
    assert code == 2 and "a-1.mp4" in heard


def test_a_gif_makes_no_sound_and_goes_on(told, model_folder, tmp_path: Path) -> None:
    out = tmp_path / "a.gif"
    code, said, _ = told("generate", "a red ball", "--seed", 1, "--model", model_folder, "-o", out, "--json")
    assert code == 0 and json.loads(said)["settings"]["sound"] is False
    clip = read_clip(out)
    assert clip.fps == 16 and len(clip.frames) == 16 and clip.caption == "a red ball" and clip.settings["seed"] == 1
    code, _, heard = told(
        "extend", out, "--no-sound", "--seconds", 0.5, "--model", model_folder, "-o", tmp_path / "b.mp4"
    )
    assert code == 0, heard
    assert len(read_clip(tmp_path / "b.mp4").frames) == 24


def test_a_clip_of_varying_rate_is_read_by_time(tmp_path: Path) -> None:
    from strange import number

    times = [i * 0.02 for i in range(30)] + [0.6 + i * 0.1 for i in range(30)]
    clip = read_clip(film(tmp_path / "a.mp4", times))
    for index, frame in enumerate(clip.frames):
        true = max(j for j, t in enumerate(times) if t <= index / clip.fps + 0.01)
        assert abs(times[number(frame.numpy())] - times[true]) <= 0.101


def test_a_gif_gets_its_sound_in_a_file_that_can_hold_it(told, tmp_path: Path, monkeypatch) -> None:
    from strange import bars, shown

    monkeypatch.chdir(tmp_path)
    frames = [Image.fromarray(bars(i)) for i in range(8)]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:], duration=100)
    code, _, heard = told("sound", "a.gif", "--steps", 1, "--candidates", 1, "--seed", 1)
    assert code == 0 and "Wrote a-sound.mov" in heard and [n for _, n in shown(Path("a-sound.mov"))] == list(range(8))


def test_check_says_what_is_taken_and_kept(told, tmp_path: Path) -> None:
    import struct

    from strange import describe, edit

    describe(film(tmp_path / "shape.mp4", sound=2.0), (b"pasp", struct.pack(">II", 4, 3)))
    edit(
        film(tmp_path / "day" / "cut.mov" if (tmp_path / "day").mkdir() is None else tmp_path, 48),
        (1.0, 0.0),
        (1.0, 2.0),
    )
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    (tmp_path / "._a.mp4").write_bytes(b"\0")
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("a caption")
    code, said, heard = told("check", tmp_path, "--json")
    found = {one["path"]: one for one in map(json.loads, said.splitlines())}
    assert code == 0 and "3 of 5 files are taken." in heard
    assert set(found) == {"shape.mp4", "day/cut.mov", "bad.mp4", "._a.mp4", "a.png"}
    assert found["shape.mp4"]["kept"] == ["pixels of 4:3"] and ".mkv" in found["shape.mp4"]["endings"]
    assert found["day/cut.mov"]["kept"] == ["edit list"] and found["day/cut.mov"]["endings"] == [".mp4", ".mov"]
    assert "damaged" in found["bad.mp4"]["refused"] and "64x64, 2.00 s, 16 fps" in found["shape.mp4"]["what"]
    code, said, _ = told("check", tmp_path / "shape.mp4")
    assert code == 0 and said.startswith("taken    shape.mp4: film, h264") and "keeps pixels of 4:3" in said
    assert told("check", tmp_path / "none")[0] == 2
