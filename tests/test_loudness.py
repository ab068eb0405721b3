"""Loudness: brought to its target, held below its ceiling, and silence left alone."""

from collections.abc import Callable, Iterator

import pytest
import torch

from mediagen.grid import SOUND_RATE
from mediagen.media import loudness
from mediagen.media.loudness import CEILING, TARGET, Chunks, Level, Loudness, level, measure, spooled


def pieces(sound: torch.Tensor) -> Callable[[], Iterator[torch.Tensor]]:
    return lambda: iter(sound.split(30_011, dim=1))


def levelled(sound: torch.Tensor, lufs: float = TARGET) -> torch.Tensor:
    made = torch.cat(list(level(pieces(sound), lufs).apply(pieces(sound)())), dim=1)
    assert made.shape == sound.shape
    return made


def noise(seconds: float, loud: float, channels: int = 1) -> torch.Tensor:
    return loud * torch.randn(channels, round(seconds * 48_000), generator=torch.Generator().manual_seed(0))


def clicks(seconds: float, loud: float) -> torch.Tensor:
    sound = 0.003 * noise(seconds, 1.0)
    one = loud * torch.sin(0.3 * torch.arange(3_000)) * torch.exp(-torch.arange(3_000) / 1_000)
    for begin in range(0, sound.shape[1] - 3_000, 12_000):
        sound[:, begin : begin + 3_000] += one
    return sound


def test_a_known_tone_measures_as_the_standard_says() -> None:
    """BS.1770: a 997 Hz sine at full scale in one channel is -3.01 LUFS; half of it 6.02 less, in two 3.01 more."""
    tone = 0.5 * torch.sin(2 * torch.pi * 997 / 48_000 * torch.arange(48_000 * 4, dtype=torch.float64)).float()[None]
    found = measure(pieces(tone)())
    assert found.lufs == pytest.approx(-9.03, abs=0.1) and found.peak == pytest.approx(-6.02, abs=0.05)
    assert measure(pieces(tone.expand(2, -1))()).lufs == pytest.approx(-6.02, abs=0.1)
    late = torch.cat([tone, torch.full((1, 700), 0.9)], dim=1)  # a peak in the last, incomplete tenth of a second
    assert measure(pieces(late)()).peak > -1.5


@pytest.mark.parametrize(
    ("sound", "lufs"),
    [(noise(4, 0.02), TARGET), (noise(4, 0.4, 2), TARGET), (noise(4, 0.02), -23.0), (clicks(4, 0.5), -13.0)],
    ids=["soft", "loud", "other target", "peaks above the ceiling"],
)
def test_loudness_comes_to_the_target_within_half_a_unit(sound: torch.Tensor, lufs: float) -> None:
    found = measure([levelled(sound, lufs)])
    assert found.lufs == pytest.approx(lufs, abs=0.5)
    assert found.peak <= CEILING + 0.01


def test_the_limiter_delays_nothing() -> None:
    sound = clicks(3, 0.5)
    plan = level(pieces(sound), -13)
    assert plan.limit is not None, "this sound is here to need it"
    made = levelled(sound, -13)
    quiet = slice(9_000, 11_500)  # between clicks the gain alone is at work
    assert (made[:, quiet] - sound[:, quiet] * 10 ** ((plan.gain + plan.trim) / 20)).abs().max() < 1e-3
    assert int(made[0, :3_000].abs().argmax()) == pytest.approx(int(sound[0, :3_000].abs().argmax()), abs=25)


def test_silence_is_not_raised_to_noise_and_lone_peaks_are_not_crushed() -> None:
    assert not levelled(torch.zeros(1, 48_000)).any()
    hiss = noise(2, 1e-5)
    assert torch.equal(levelled(hiss), hiss)
    assert level(pieces(noise(2, 2e-4))).gain <= 24
    lone = torch.zeros(1, 96_000)
    lone[:, 5_000:5_040] = 0.9
    found = measure([levelled(lone)])
    assert found.peak <= CEILING + 0.01 and found.lufs < TARGET - 2
    assert levelled(torch.zeros(1, 0)).shape == (1, 0)
    with pytest.raises(ValueError, match="got a loudness of 3 LUFS"):
        level(pieces(hiss), 3)
    assert torch.equal(torch.cat(list(Level(0.0).apply(pieces(hiss)())), dim=1), hiss)


def test_spooled_sound_can_be_had_again_and_side_by_side() -> None:
    sound = noise(2.3, 0.5, 2)
    with spooled(iter(sound.split(7_777, dim=1))) as again:
        first, second = again(), again()
        next(first)
        assert torch.equal(torch.cat(list(second), dim=1), sound)
        assert torch.equal(torch.cat(list(first), dim=1), sound[:, 48_000:])


def test_long_sound_is_measured_in_pieces_and_comes_out_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = 0.05 * torch.randn(2, 3 * SOUND_RATE + 77, generator=torch.Generator().manual_seed(3))
    sound[:, ::SOUND_RATE] = 0.9
    whole = torch.cat(list(level(lambda: [sound]).apply([sound])), -1)
    longest = []

    def seen(chunks: Chunks) -> Loudness:
        pieces = list(chunks)
        longest.append(max(piece.shape[-1] for piece in pieces))
        return measure(pieces)

    monkeypatch.setattr(loudness, "measure", seen)
    assert torch.equal(loudness.levelled(sound), whole)
    assert longest and max(longest) <= SOUND_RATE, "FFmpeg keeps a piece four times over, in double"
