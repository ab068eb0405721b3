"""Footage: a film's length by its real times, its pictures and its sound, streamed; what is forged is refused."""

import os
import struct
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from films import LAST, STEADY, TICK, VARIABLE, heard, shoot

from mediagen.media.footage import Footage
from mediagen.media.soundtrack import write_sound

STATM = Path("/proc/self/statm")


def memory() -> float:
    """MB that this process holds now."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def greys(footage: Footage, rate: float, *window: float) -> list[int]:
    """Number of each picture that is shown, read from its grey."""
    batches = list(footage.pictures(rate, (16, 8), *window, batch=7))
    assert all(batch.dtype == torch.uint8 and batch.shape[1:] == (8, 16, 3) and len(batch) <= 7 for batch in batches)
    return [round(float(grey) / 5) for grey in torch.cat(batches)[:, 2:6, 8:14].float().mean((1, 2, 3))]


@pytest.mark.parametrize("times", [STEADY, VARIABLE], ids=["23.976", "variable"])
@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
def test_length_and_pictures_follow_the_real_times(tmp_path: Path, ending: str, times: list[int]) -> None:
    footage = Footage(shoot(tmp_path / f"film.{ending}", times))
    exact = Fraction(times[-1] + LAST) * TICK
    assert abs(footage.seconds - exact) <= (0 if ending in ("mp4", "mov") else 0.003)  # Matroska counts milliseconds
    assert footage.samples == round(footage.seconds * 48_000)
    assert footage.fps == (pytest.approx(24_000 / 1001, rel=1e-3) if times is STEADY else None)
    assert (footage.size, footage.has_audio, footage.channels) == ((64, 48), False, 0)
    middles = (np.arange(np.ceil(footage.seconds * 25 - 1e-6)) + 0.5) / 25
    expected = np.searchsorted(np.array(times) * float(TICK), middles, side="right") - 1
    wrong = np.array(greys(footage, 25)) != expected
    assert wrong.sum() <= (0 if ending in ("mp4", "mov") else 1), "only where a millisecond decides"
    later = greys(footage, 25, 1.2, 1.6)
    assert np.abs(np.array(later) - expected[30:40]).max() == 0, "a window is the same film"
    assert not heard(footage).any() and heard(footage).shape == (1, footage.samples)


def test_at_its_own_rate_each_frame_comes_once(tmp_path: Path) -> None:
    footage = Footage(shoot(tmp_path / "film.mp4", STEADY))
    assert footage.fps is not None and footage.fps == 24_000 / 1001
    assert greys(footage, footage.fps) == list(range(50))


def test_a_turned_film_is_upright_and_squeezed_whole(tmp_path: Path) -> None:
    footage = Footage(shoot(tmp_path / "film.mp4", STEADY[:5], turned=90))
    assert footage.size == (48, 64)
    (made,) = footage.pictures(24, (32, 32))
    red = made[0, ..., 0].float() - made[0, ..., 1].float() > 120  # a quarter of the width became one of the height
    assert red[25:].all() and not red[:23].any()


def test_sound_starts_with_the_pictures(tmp_path: Path) -> None:
    """The pictures begin half a second after the sound: what was heard before them is left out."""
    plain = heard(Footage(shoot(tmp_path / "a.mp4", STEADY, sound=3)), channels=2)
    late = Footage(shoot(tmp_path / "b.mp4", STEADY, sound=3, late=12_000))
    assert (late.origin, late.channels) == (Fraction(1, 2), 2)
    shifted = heard(late, channels=2)
    assert shifted.shape == plain.shape == (2, late.samples)
    assert (shifted[:, :50_000] - plain[:, 24_000:74_000]).abs().max() < 1e-6
    assert plain[0, :400].abs().max() > 0.3 and plain[1].abs().max() < 0.75 * plain[0].abs().max()


def test_a_window_of_sound_is_cut_from_the_whole(tmp_path: Path) -> None:
    footage = Footage(shoot(tmp_path / "film.mkv", [8 * t for t in STEADY], sound=12))
    whole, part = heard(footage), heard(footage, 5.00001, 6.5)
    assert part.shape == (1, round(6.5 * 48_000) - round(5.00001 * 48_000))
    assert (part - whole[:, round(5.00001 * 48_000) : round(6.5 * 48_000)]).abs().max() < 1e-3
    assert heard(footage)[:, 12 * 48_000 + 2_000 :].abs().max() == 0, "silence after the sound's end"


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ((1.0, 0.5), "end of 0.5 s"),
        ((1.0, 1.0), "end of 1 s"),
        ((0.0, 9.0), "end of 9 s"),
        ((5.0, None), "start of 5 s"),
        ((-1.0, None), "start of -1 s"),
        ((float("nan"), None), "start of nan s"),
    ],
)
def test_windows_that_make_no_sense_are_refused(tmp_path: Path, window: tuple[float, float | None], words: str) -> None:
    footage = Footage(shoot(tmp_path / "film.mp4", STEADY[:40]))
    for ask in (footage.sound, lambda *w: footage.pictures(8, (8, 8), *w)):
        with pytest.raises(ValueError, match=words):
            ask(*window)


def patched(path: Path, name: bytes, offset: int, value: bytes) -> Path:
    """The file with the bytes at `offset` behind its first `name` overwritten."""
    data = bytearray(path.read_bytes())
    at = data.index(name) + len(name) + offset
    data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


def test_forged_cut_and_empty_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    film = shoot(tmp_path / "film.mp4", STEADY, sound=2)
    data, webm = film.read_bytes(), shoot(tmp_path / "film.webm", VARIABLE, sound=4).read_bytes()
    for forged in (3.0, 4e6):
        path = shoot(tmp_path / "rate.mkv", STEADY[:9], sound=0.4, voice="pcm_s16le")
        known = struct.pack(">d", 48_000.0)
        with pytest.raises(ValueError, match=rf"at {forged:,.0f} Hz, expected|damaged"):
            Footage(patched(path, b"\xb5\x88" + known, -8, struct.pack(">d", forged)))
    with pytest.raises(ValueError, match=r"s or more, expected at most 3600"):
        Footage(shoot(tmp_path / "long.mp4", [0, 1001, 24_000 * 5_000]))
    with pytest.raises(ValueError, match="pixels or more"):
        Footage(film, max_pixels=64 * 47)
    with pytest.raises(ValueError, match="expected at most 2 s"):
        Footage(film, max_seconds=2)
    huge = patched(film, b"avc1", 24, (16_000).to_bytes(2) * 2)
    assert Footage(huge).size == (64, 48), "what the pictures say counts, not the header"
    for name, whole in (("cut.mp4", data), ("cut.webm", webm)):
        for share in (0.3, 0.6, 0.97):
            (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(ValueError, match=r"damaged|cut short|ends in the middle|no frame"):
                Footage(tmp_path / name)
    (tmp_path / "text.mp4").write_text("#EXTM3U\nhttp://example.org/a.ts\n")
    with pytest.raises(ValueError, match="damaged or no video"):
        Footage(tmp_path / "text.mp4")
    write_sound(tmp_path / "only.wav", [torch.zeros(1, 4_800)], 4_800)
    with pytest.raises(ValueError, match="without pictures"):
        Footage(tmp_path / "only.wav")


@pytest.mark.skipif(not STATM.exists(), reason="reads the memory in use from Linux's /proc")
def test_memory_does_not_grow_with_the_film(tmp_path: Path) -> None:
    """150 frames of 640x360 are 104 MB; a program that keeps them, whole or in part, cannot stay below 50."""
    footage = Footage(shoot(tmp_path / "long.mp4", [1001 * i for i in range(150)], sound=6, size=(640, 360)))
    next(footage.pictures(8, (64, 64)))  # what decoding needs at all
    before, most = memory(), 0.0
    for _ in chain(footage.pictures(24, (64, 64), batch=8), footage.sound()):
        most = max(most, memory() - before)
    assert most < 50
