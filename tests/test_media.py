"""Files of media: what is written comes back, whole or not at all."""

import math
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mediagen.media.clip import Clip
from mediagen.media.read import read_clip, read_image, read_settings, read_sound
from mediagen.media.resample import resample
from mediagen.media.sheets import contact_sheet, save_sheet
from mediagen.media.write import write_clip

COLOURS = [(220, 30, 30), (30, 200, 40), (30, 40, 220), (230, 220, 40), (255, 255, 255), (0, 0, 0)]


def film(
    frames: int = 19, height: int = 32, width: int = 48, fps: float = 16.0, extra: int = 17, channels: int = 1
) -> Clip:
    """Colours change with each frame; the sound is clicks, and ends just after the pictures, off every codec's grid."""
    pictures = torch.tensor([COLOURS[i % len(COLOURS)] for i in range(frames)], dtype=torch.uint8)
    samples = round(frames / fps * 48_000) + extra
    sound = torch.zeros(channels, samples)
    for index, begin in enumerate(range(500, samples - 400, 7_001)):
        sound[:, begin : begin + 200] = 0.6 * torch.sin(torch.arange(200) * (0.1 + 0.05 * index))
    if channels == 2:
        sound[1] *= -0.5
    return Clip(
        pictures[:, None, None].expand(frames, height, width, 3).contiguous(),
        fps,
        sound,
        48_000,
        "farver på 紙",
        {"seed": 3},
    )


def lag(a: torch.Tensor, b: torch.Tensor) -> int:
    """Samples by which `b` comes after `a`, at the peak of their correlation."""
    size = 2 * max(len(a), len(b))
    peak = int(torch.fft.irfft(torch.fft.rfft(a, size).conj() * torch.fft.rfft(b, size)).argmax())
    return peak if peak < size // 2 else peak - size


@pytest.mark.parametrize(("ending", "fps", "channels"), [("mp4", 16, 1), ("mp4", 30000 / 1001, 2), ("webm", 24, 1)])
def test_a_film_comes_back_exact_in_time(tmp_path: Path, ending: str, fps: float, channels: int) -> None:
    clip = film(fps=fps, channels=channels)
    assert clip.frames is not None and clip.sound is not None
    path = clip.save(tmp_path / f"film.{ending}")
    back = read_clip(path)
    assert back.frames is not None and back.sound is not None
    assert back.frames.shape == clip.frames.shape
    # Colours change with every frame: one lost, doubled or swapped frame, or a wrong colour matrix, shows here.
    assert (back.frames.float() - clip.frames.float()).abs().max() <= 6
    assert back.fps == pytest.approx(fps, abs=1e-6)
    assert back.sound.shape == clip.sound.shape and back.rate == 48_000
    assert lag(clip.sound[0], back.sound[0]) == 0
    assert (back.sound - clip.sound).square().mean() < 0.01 * clip.sound.square().mean()
    assert (back.caption, back.settings) == (clip.caption, clip.settings)
    assert read_settings(path) == {"seed": 3}


@pytest.mark.parametrize("ending", ["mp4", "webm", "wav", "png", "gif"])
def test_equal_clips_make_equal_bytes_and_leave_nothing_else(tmp_path: Path, ending: str) -> None:
    first = film().save(tmp_path / f"a.{ending}").read_bytes()
    (tmp_path / f"b.{ending}").write_bytes(b"an older file")
    assert film().save(tmp_path / f"b.{ending}").read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a.{ending}", f"b.{ending}"]
    assert read_settings(tmp_path / f"a.{ending}") == {"seed": 3}


def test_a_failed_write_keeps_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film().save(tmp_path / "film.mp4")
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        film(frames=5).save(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_mp4_starts_with_its_index(tmp_path: Path) -> None:
    data = film().save(tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # a browser can play it while it loads


def test_sound_of_another_rate_is_written_at_48_khz(tmp_path: Path) -> None:
    tone = 0.5 * torch.sin(2 * math.pi * 300 * torch.arange(22_050) / 22_050)[None]
    frames = torch.zeros(16, 32, 32, 3, dtype=torch.uint8)
    back = read_clip(Clip(frames, 16, tone, 22_050).save(tmp_path / "tone.mp4"))
    assert back.rate == 48_000 and back.sound is not None and back.sound.shape == (1, 48_000)
    assert torch.fft.rfft(back.sound[0]).abs().argmax() == 300  # 1 s: bins are hertz


def test_silent_films_and_single_frames_come_back(tmp_path: Path) -> None:
    frames = torch.full((1, 32, 32, 3), 90, dtype=torch.uint8)
    back = read_clip(Clip(frames, 16).save(tmp_path / "still.mp4"))
    assert back.frames is not None and len(back.frames) == 1 and back.sound is None and back.fps == 16


def test_wav_keeps_every_sample(tmp_path: Path) -> None:
    clip = film(channels=2)
    assert clip.sound is not None
    path = clip.save(tmp_path / "sound.wav")
    with wave.open(str(path)) as file:  # a second reader agrees
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 48_000, clip.sound.shape[1])
    assert (read_sound(path) - clip.sound).abs().max() <= 2 / 32_768
    assert read_sound(path, rate=16_000).shape == (2, round(clip.sound.shape[1] / 3))


def test_png_keeps_one_frame_exactly_and_lays_out_many(tmp_path: Path) -> None:
    clip = film(frames=1)
    assert clip.frames is not None
    assert torch.equal(read_image(clip.save(tmp_path / "one.png")), clip.frames)
    assert read_image(film(frames=4, height=32, width=48).save(tmp_path / "four.png")).shape == (1, 66, 98, 3)


def test_gif_lasts_as_long_as_the_clip(tmp_path: Path) -> None:
    with Image.open(film(frames=19, fps=16).save(tmp_path / "film.gif")) as image:
        total = index = 0
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            total += image.info["duration"]
    assert index == 18 and total == pytest.approx(1000 * 19 / 16, abs=5)


def test_a_picture_is_cut_to_the_middle_turned_upright_and_laid_on_white(tmp_path: Path) -> None:
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = (255, 0, 0)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert torch.equal(read_image(tmp_path / "wide.png", (20, 20))[0, 5, 5:15], torch.tensor([[255, 0, 0]] * 10).byte())
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    Image.fromarray(wide).save(tmp_path / "turned.png", exif=exif)
    assert read_image(tmp_path / "turned.png").shape == (1, 60, 20, 3)
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_image(tmp_path / "clear.png").min() == 255


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({}, "film.avi", "got the name 'film.avi'.*expected an ending.*film.mp4"),
        ({}, "none/film.mp4", "folder.*expected one that exists; create it"),
        ({"height": 31}, "film.mp4", "got frames of 48x31, expected even sizes"),
        ({"fps": 0.0}, "film.mp4", "expected a number above 0"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_sentence(tmp_path: Path, change: dict, name: str, words: str) -> None:
    clip = film(**({} if "fps" in change else change))
    clip = Clip(clip.frames, change.get("fps", 16.0), clip.sound)
    with pytest.raises(ValueError, match=words):
        write_clip(clip, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_clips_that_lack_what_the_format_holds_are_refused(tmp_path: Path) -> None:
    clip = film()
    for bad, name, words in (
        (Clip(None, 16, clip.sound), "a.mp4", "without frames"),
        (Clip(clip.frames), "a.wav", "without sound"),
        (Clip(clip.frames, 16, torch.full((1, 9), math.nan)), "a.mp4", "finite"),
        (Clip(clip.frames, 16, settings={"path": tmp_path}), "a.mp4", "JSON cannot hold"),
    ):
        with pytest.raises(ValueError, match=words):
            bad.save(tmp_path / name)


@pytest.mark.parametrize("ending", ["mp4", "webm"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, ending: str, share: float) -> None:
    noise = torch.randint(0, 255, (16, 32, 32, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    data = Clip(noise, 16, film().sound).save(tmp_path / f"whole.{ending}").read_bytes()
    (tmp_path / f"cut.{ending}").write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=r"damaged|cut short"):
        read_clip(tmp_path / f"cut.{ending}")


def test_missing_foreign_and_oversized_files_are_refused(tmp_path: Path) -> None:
    path = film().save(tmp_path / "film.mp4")
    (tmp_path / "text.mp4").write_text("not a film " * 100)
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{path}\n#EXT-X-ENDLIST\n")
    for call, words in (
        (lambda: read_clip(tmp_path / "none.mp4"), "got no file"),
        (lambda: read_clip(tmp_path / "text.mp4"), "damaged or no video"),
        (lambda: read_clip(tmp_path / "list.mp4"), "damaged or no video"),  # a playlist may not open other files
        (lambda: read_clip(film().save(tmp_path / "film.wav")), "without pictures"),
        (lambda: read_clip(path, max_seconds=1), "expected at most 1 s"),
        (lambda: read_clip(path, max_pixels=19 * 32 * 48 - 1), "expected at most 29,183"),
        (lambda: read_sound(path, max_seconds=1), "expected at most 1 s"),
        (lambda: read_sound(Clip(film().frames).save(tmp_path / "silent.mp4")), "without sound"),
        (lambda: read_image(tmp_path / "text.mp4"), "no picture"),
        (lambda: read_image(film(frames=1).save(tmp_path / "one.png"), max_pixels=9), "expected at most 9"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    whole = read_clip(path, max_pixels=19 * 32 * 48).frames
    assert whole is not None and len(whole) == 19


def test_resampling_there_and_back_has_no_lag() -> None:
    time = torch.arange(9_601) / 48_000
    sound = torch.stack([torch.sin(2 * math.pi * 440 * time), torch.sin(2 * math.pi * 1_000 * time)])
    low = resample(sound, 48_000, 16_000)
    assert low.shape == (2, 3_200)
    back = resample(low, 16_000, 48_000)[:, 500:9_000]
    assert (back - sound[:, 500:9_000]).abs().max() < 0.01


def test_a_contact_sheet_puts_pictures_in_their_places(tmp_path: Path) -> None:
    tiles = [torch.full((10, 20, 3), value, dtype=torch.uint8) for value in (50, 100, 150)]
    sheet = contact_sheet(tiles, columns=2)
    assert sheet.shape == (22, 42, 3)
    assert (sheet[:10, :20] == 50).all() and (sheet[:10, 22:] == 100).all() and (sheet[12:, :20] == 150).all()
    strips = contact_sheet([torch.stack(tiles)], columns=1, captions=["a caption far too long for this tile"])
    assert strips.shape == (24, 60, 3) and (strips[:10, 20:40] == 100).all()
    assert strips[12:].max() > 200  # the caption is there
    assert torch.equal(read_image(save_sheet(tiles, tmp_path / "sheet.png", columns=2))[0], sheet)
    with pytest.raises(ValueError, match="got 1 captions for 3 pictures"):
        contact_sheet(tiles, columns=2, captions=["a"])
