"""The story of one edit: a film and an instruction to the film as it is asked for, window by window."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mediagen.edit.model import EditModel
from mediagen.edit.tasks import Told
from mediagen.edit.windows import EditModels, Wish, encode, windows
from mediagen.guidance import cfg, cfg_two
from mediagen.nn.denoiser import Conditions
from mediagen.sampling import OnStep, euler, linear_quadratic
from mediagen.text.text import Text, with_fps


@dataclass(frozen=True, kw_only=True)
class EditWay:
    """How an edit is made. steps: of the solver.  text_scale: of guidance, how strongly the instruction is followed.
    film_scale: how strongly the film is kept to."""

    steps: int = 50
    text_scale: float = 3.0
    film_scale: float = 1.5


@torch.no_grad()
def edit_film(models: EditModels, film: Iterable[Tensor], wish: Wish, *, rng: torch.Generator,
              way: EditWay | None = None, on_step: OnStep | None = None) -> Iterator[Tensor]:  # fmt: skip
    """The edited film as latents (1, C, L, h, w), window after window; each but the first leaves out what it knew.

    film: the pictures in order, uint8 (F, H, W, 3) in pieces of any length, of a size that the model knows.  on_step:
    as in `generate_video`, its index going on from window to window.
    """
    way, told = way or EditWay(), models.text.encode([with_fps(wish.instruction, wish.fps), wish.negative])
    before: Tensor | None = None
    black: Tensor | None = None
    for index, frames in enumerate(windows(film, models, wish)):
        beside = encode(models, frames)
        if black is None or black.shape != beside.shape:
            black = encode(models, torch.zeros_like(frames))
        known = None if before is None else before[:, :, -wish.overlap :]

        def counted(step: int, t: float, x: Tensor, done: int = index * way.steps) -> None:
            if on_step is not None:
                on_step(done + step, t, x)

        latent = edit_latent(
            models.edit, told, beside, black, wish.task, known=known, rng=rng, way=way, on_step=counted
        )
        yield latent if known is None else latent[:, :, wish.overlap :]
        before = latent


@torch.no_grad()
def edit_latent(model: EditModel, text: Text, beside: Tensor, black: Tensor, task: int, *, rng: torch.Generator,
                way: EditWay, known: Tensor | None = None, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """One window: the latent (1, C, L, h, w) of what becomes of the film whose latent stands `beside`.

    text: the instruction and the negative one (Text of 2).  black: the latent of a film that shows nothing.  known:
    of the result, its first latent frames.  Guidance has three terms: with the film and the words, with the film alone,
    with neither (InstructPix2Pix, arXiv 2211.09800, section 3.2.1); at a film_scale of 1 the third, and at a
    text_scale of 1 too the second, counts for nothing and is left out.
    """
    shape, times = (beside.shape[2], beside.shape[3], beside.shape[4]), linear_quadratic(way.steps)
    begin, clean = torch.zeros_like(beside), torch.zeros_like(beside[:, :1])
    if known is not None:
        begin[:, :, : known.shape[2]], clean[:, :, : known.shape[2]] = known, 1.0
    terms = 3 if way.film_scale != 1.0 else 2 if way.text_scale != 1.0 else 1
    told = torch.tensor([task, -1, -1], device=beside.device)[:terms] if model.config.tasks else None
    films = torch.cat((beside, beside, black)[:terms])
    conditions = replace(
        Conditions(known=begin, clean=clean).repeat(terms), text=text[[0, 1, 1][:terms]], beside=films, task=told
    )
    prepared = model.prepare(conditions, shape, times)
    noise = torch.randn(beside.shape, generator=rng, device=rng.device)
    if terms == 3:
        return euler(cfg_two(model, prepared, way.film_scale, way.text_scale), noise, times, on_step)
    return euler(cfg(model, prepared, way.text_scale), noise, times, on_step)


def task_of(models: EditModels, instruction: str) -> str | None:
    """What an instruction asks for, by name; None where no reader of tasks is there."""
    return None if models.tasks is None else models.tasks.task_of(Told.of(models.text, [instruction]))[0]
