"""Folders, captions and pictures as other programs leave them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from strange import film, number

from mediagen.data.folder import FolderStream, videos_in
from mediagen.data.survey import Needs
from mediagen.media.encodings import decoded, printable
from mediagen.media.read import read_image
from mediagen.sdk.errors import RequestError
from mediagen.sdk.tasks.first_frame import first_frame

APPLE = b"\x00\x05\x16\x07" + b"\0\0\xb0\xff" * 100  # what a Mac leaves beside a file


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbfa red ball",
        "a red ball".encode("utf-16"),
        "a red ball".encode("utf-16-le"),
        b"\xfe\xff" + "a red ball".encode("utf-16-be"),
        "a red ball".encode("utf-32"),
        b"a red ball\0\0",
        b"\r\n a red ball \r\n",
        b"\xef\xbb\xbf\0a red ball\r",
    ],
)
def test_captions_in_other_encodings(tmp_path: Path, raw: bytes) -> None:
    assert decoded(raw) == "a red ball"
    (tmp_path / "a.mp4").write_bytes(b"")
    (tmp_path / "a.txt").write_bytes(raw)
    assert FolderStream(tmp_path, needs=Needs(pictures=False)).captions == ["a red ball"]


@pytest.mark.parametrize("raw", [b"the ball\x92s shadow", "赤い球".encode("shift_jis"), "красный".encode("cp1251")])
def test_captions_that_would_be_guessed_are_refused_by_name(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    (tmp_path / "a.txt").write_bytes(raw)
    with pytest.raises(ValueError, match=r"got 1 of 1 films .*: a\.txt in another encoding than UTF-8 or UTF-16"):
        FolderStream(tmp_path)


def test_text_of_tags_can_always_be_shown() -> None:
    assert printable("Caf\udce9") == "Café" and printable("half \ud83d") == "half ?" and printable("紙") == "紙"


def test_only_what_a_person_put_into_a_folder_counts(tmp_path: Path) -> None:
    others = (
        "._a.mp4", "__MACOSX/a.mp4", ".cache/b.mp4", "@eaDir/a.mp4", "#recycle/a.mkv", "$RECYCLE.BIN/a.mov",
        "day/.thumbnails/a.webm", ".Trashes/501/a.mp4",
    )  # fmt: skip
    for name in ("a.mp4", "day/b.MOV", *others):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(APPLE)
    (tmp_path / "scene.mp4").mkdir()
    assert [path.relative_to(tmp_path).as_posix() for path in videos_in(tmp_path)] == ["a.mp4", "day/b.MOV"]
    hidden = tmp_path / ".cache"  # asked for by name, it is the person's
    assert [path.name for path in videos_in(hidden)] == ["b.mp4"]


@pytest.mark.parametrize(
    "times",
    [
        [i * 0.02 for i in range(30)] + [0.6 + i * 0.1 for i in range(30)],  # faster, then slower
        [i * 0.1 for i in range(20)] + [2 + i * 0.02 for i in range(60)],
        [i / 16 for i in range(16)] + [2 + i / 16 for i in range(32)],  # a gap of a second
    ],
)
def test_the_pictures_of_a_window_are_those_of_its_time(tmp_path: Path, times: list[float]) -> None:
    film(tmp_path / "a.mp4", times)
    (tmp_path / "a.txt").write_text("x")
    stream = FolderStream(tmp_path, seconds=1.0, fps=16.0)
    spare = stream._footage(0).seconds - 1.0
    for window in range(3):
        start = stream._start(window, spare)
        clip = stream.clips_at([window])[0]
        assert clip.frames is not None
        true = [max(j for j, t in enumerate(times) if t <= start + k / 16 + 1e-4) for k in range(16)]
        assert [number(frame.numpy()) for frame in clip.frames] == true
        some = stream.clips_at([window], frames=[9, 2, 2])[0].frames
        assert some is not None and [number(frame.numpy()) for frame in some] == [true[9], true[2], true[2]]


def test_a_window_decodes_little_of_a_long_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mediagen.media import footage

    film(tmp_path / "a.mp4", 16 * 30, options={"g": "16", "bf": "0", "preset": "ultrafast"})
    (tmp_path / "a.txt").write_text("x")
    stream = FolderStream(tmp_path, seconds=1.0, fps=16.0)
    stream.clips_at([0])
    seen, whole = [0], footage.frames_of
    monkeypatch.setattr(footage, "frames_of", lambda *a: (seen.__setitem__(0, seen[0] + 1) or f for f in whole(*a)))
    stream.clips_at([3])
    assert 16 <= seen[0] < 16 * 5, f"{seen[0]} of 480 pictures were decoded"


RAMP = np.tile(np.linspace(0, 65_535, 64), (64, 1))


def written(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.{'tif' if kind in ('float', 'unit') else 'pgm' if kind == 'pgm' else 'png'}"
    if kind == "pgm":
        path.write_bytes(b"P5 64 64 65535\n" + RAMP.round().astype(">u2").tobytes())
        return path
    pictures = {
        "deep": lambda: Image.fromarray(RAMP.astype(np.uint16)),
        "float": lambda: Image.fromarray((RAMP / 257).astype(np.float32)),
        "unit": lambda: Image.fromarray((RAMP / 65_535).astype(np.float32)),
        "grey": lambda: Image.fromarray((RAMP / 257).round().astype(np.uint8)),
        "palette": lambda: Image.fromarray((RAMP / 257).round().astype(np.uint8)).convert("P"),
        "alpha": lambda: Image.merge("LA", [Image.fromarray((RAMP / 257).round().astype(np.uint8))] * 2),
    }
    pictures[kind]().save(path)
    return path


@pytest.mark.parametrize("kind", ["deep", "pgm", "float", "unit", "grey", "palette", "alpha"])
def test_a_picture_has_one_reading(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind)
    by_path = read_image(path)
    with Image.open(path) as image:
        assert torch.equal(first_frame(image, (64, 64)), by_path) and torch.equal(first_frame(path, (64, 64)), by_path)
    expected = RAMP / 257
    if kind == "alpha":  # over white
        expected = expected * expected / 255 + 255 - expected
    assert (by_path[0].float().mean(-1) - torch.from_numpy(expected)).abs().max() < 2


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "RGBA", "RGBa", "RGBX", "LA", "La", "PA", "HSV"])
def test_pictures_of_every_mode(mode: str) -> None:
    grey = Image.new("RGB", (8, 8), (0, 0, 0) if mode == "1" else (102, 102, 102))
    before = {"RGBa": "RGBA", "La": "LA", "PA": "P"}.get(mode)
    image = (grey.convert(before) if before else grey).convert(mode)
    assert (first_frame(image, (8, 8)).int() - (0 if mode == "1" else 102)).abs().max() <= 2


def test_one_grey_can_be_clear(tmp_path: Path) -> None:
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    deep = np.full((8, 8), 1000, np.uint16)
    deep[:4] = 0
    Image.fromarray(deep).save(tmp_path / "a.png", transparency=0, pnginfo=info)
    read = read_image(tmp_path / "a.png")[0]
    assert (read[:4] == 255).all() and (read[4:] == 4).all()


def test_pictures_that_cannot_be_read_are_named_in_our_words(tmp_path: Path) -> None:
    whole = written(tmp_path, "grey").read_bytes()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    noisy = (tmp_path / "noise.png").read_bytes()
    middle = noisy[:600] + bytes(100) + noisy[700:]
    for name, data in (("cut.png", noisy[:2000]), ("head.png", whole[:20]), ("text.png", b"x"), ("mid.png", middle)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=f"^got {name}, which is (a damaged|no) picture") as caught:
            read_image(tmp_path / name)
        assert not any(word in str(caught.value) for word in ("cannot identify", "truncated", "PNG", "broken"))
    Image.fromarray(np.full((4, 4), 300, np.float32)).save(tmp_path / "hot.tif")
    for given in (tmp_path / "hot.tif", Image.open(tmp_path / "hot.tif")):
        with pytest.raises(RequestError, match="with values from 300 to 300, expected 0 to 1 or 0 to 255; scale it"):
            first_frame(given, (4, 4))
