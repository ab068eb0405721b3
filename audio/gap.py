"""What a gap in a sound is made from, and how what was made joins what was there."""

import torch
from torch import Tensor

from mediagen.audio.codec.model import Codec
from mediagen.audio.conditions import LATENT_RATE
from mediagen.audio.extend import Extension
from mediagen.grid import SOUND_HOP, sound_latents

_JOIN = 2400  # samples, 50 ms: over which known sound fades into what was made beside it; at 10 ms the joint is heard


def region(samples: int, first: int, last: int, plan: Extension) -> tuple[int, int, Tensor]:
    """The latent frames (start, stop) that are looked at to make samples first to last, and which are known (1, L)."""
    begin, end, reach = first // SOUND_HOP, sound_latents(last), round(plan.window * LATENT_RATE)
    start, stop = max(0, begin - reach), min(sound_latents(samples), end + reach)
    frame = torch.arange(start, stop)[None]
    return start, stop, (frame < begin) | (frame >= end)


def check_gap(known: Tensor, first: int, last: int) -> None:
    """ValueError unless samples first to last lie in the known sound (C, S), or begin where it ends."""
    heard = known.shape[-1]
    if known.ndim != 2 or not 0 <= first < last or not (last <= heard or first == heard):
        raise ValueError(
            f"got known sound {tuple(known.shape)} and a gap from sample {first} to {last}, expected (C, S) with the "
            "gap inside, or S where the gap begins; change the gap."
        )
    if heard < SOUND_HOP:
        raise ValueError(f"got {heard} samples of known sound, expected at least {SOUND_HOP}; give more.")


def remember(codec: Codec, known: Tensor, first: int, last: int, start: int, stop: int) -> Tensor:
    """The latent (1, C, stop - start) of known sound, whose gap is filled by mirrored sound: silence would be heard."""
    before, after = known[:, :first], known[:, last:]
    half = (last - first) // 2
    left = before.flip(-1)[:, :half]
    right = after.flip(-1)[:, max(0, after.shape[-1] - half) :]
    hole = known.new_zeros(1, last - first)
    hole[:, : left.shape[-1]] = left
    hole[:, hole.shape[-1] - right.shape[-1] :] = right
    sound = torch.cat((before, hole, after), dim=-1)[:, start * SOUND_HOP : stop * SOUND_HOP]
    return codec.encode(sound[None].to(codec.latent_mean))


def join(known: Tensor, made: Tensor, first: int, last: int) -> Tensor:
    """`known` with its gap filled by `made` (1, last - first), which comes in and goes out over 50 ms of the gap.

    Meanwhile the known sound is mirrored into the gap and fades out, so that neither click nor hole is heard.
    """
    before, after = known[:, :first], known[:, last:]
    made = _come_in(before.flip(-1), made)
    return torch.cat((before, _come_in(after, made.flip(-1)).flip(-1), after), dim=-1)


def _come_in(mirrored: Tensor, made: Tensor) -> Tensor:
    fade = min(_JOIN, mirrored.shape[-1], made.shape[-1] // 2)
    rise = torch.linspace(0, 1, fade + 2, device=made.device)[1:-1]
    return torch.cat((torch.lerp(mirrored[:, :fade], made[:, :fade], rise), made[:, fade:]), dim=-1)
