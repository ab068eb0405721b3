"""Windows: a film of any length cut into what an editing model knows, and its latents as frames again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mediagen.edit.model import EditModel
from mediagen.edit.tasks import TaskReader
from mediagen.generate import FrameDecoder
from mediagen.media.clip import to_float, to_uint8
from mediagen.tae import TAE
from mediagen.text.text import TextEncoder


@dataclass(frozen=True)
class EditModels:
    """The models that edit, all on one device and in eval mode. tasks: says what an instruction asks.

    decoder: in place of the `tae`'s own.
    """

    text: TextEncoder
    edit: EditModel
    tae: TAE
    tasks: TaskReader | None = None
    decoder: FrameDecoder | None = None


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for. task: its number, or -1 for none.  frames: of one window.  overlap: latent frames that a
    window knows of the one before it."""

    instruction: str
    negative: str = ""
    task: int = -1
    fps: float = 16.0
    frames: int = 32
    overlap: int = 4


def windows(film: Iterable[Tensor], models: EditModels, wish: Wish) -> Iterator[Tensor]:
    """Pieces of a film as windows (F, H, W, 3) that the model knows, the last one filled up with its last frame.

    Each begins `overlap` latent frames before the end of the last, so that both agree; only one window is in memory.
    """
    stride, patch = models.tae.stride[0], models.edit.config.patch[0]
    unit, whole, back = stride * patch, wish.frames, wish.overlap * stride
    assert whole % unit == 0 and back % unit == 0 and back < whole, (wish, unit)
    held: Tensor | None = None
    known = 0
    for piece in film:
        held = piece if held is None else torch.cat((held, piece))
        while len(held) >= whole:
            yield held[:whole]
            held, known = held[whole - back :], back
    if held is None:
        raise ValueError("got a film without pictures, expected some; give another.")
    if len(held) > known:
        length = -(-len(held) // unit) * unit
        yield torch.cat((held, held[-1:].expand(length - len(held), -1, -1, -1)))


def count_windows(frames: int, wish: Wish, stride: int) -> int:
    """How many windows a film of so many frames takes."""
    fresh = wish.frames - wish.overlap * stride
    return 1 + max(0, -(-(frames - wish.frames) // fresh))


def encode(models: EditModels, frames: Tensor) -> Tensor:
    """uint8 frames (F, H, W, 3) to their latent (1, C, L, h, w)."""
    device = next(models.tae.parameters()).device
    return models.tae.encode(to_float(frames[None].to(device))).float()


@torch.no_grad()
def decode_windows(models: EditModels, latents: Iterable[Tensor], overlap: int) -> Iterator[Tensor]:
    """The frames (F, H, W, 3) of latents as `edit_film` gives them, on the CPU; each is decoded after its past."""
    decoder, stride = models.decoder or models.tae, models.tae.stride[0]
    past: Tensor | None = None
    for latent in latents:
        seen = latent if past is None else torch.cat((past, latent), dim=2)
        known = 0 if past is None else past.shape[2]
        decode = decoder.decode if seen.shape[2] <= 8 else decoder.decode_tiled
        frames = to_uint8(decode(seen, seen.shape[2] * stride))[0].cpu()
        yield frames[known * stride :]
        past = seen[:, :, -overlap:]
