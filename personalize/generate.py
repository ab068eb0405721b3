"""The story of a clip with a person: face to tokens, tokens and words to latent, and the most like of a few clips."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mediagen.generate import VideoModels, VideoWay, decode_frames
from mediagen.grid import Grid
from mediagen.guidance import cfg_two
from mediagen.nn.denoiser import Conditions
from mediagen.personalize.arcface import FaceEncoder
from mediagen.personalize.character import Character, likeness_of
from mediagen.personalize.faces import Finder
from mediagen.personalize.model import PersonalModel, PersonConditions
from mediagen.personalize.store import spoken
from mediagen.sampling import OnStep, euler, linear_quadratic
from mediagen.text.text import TextEncoder, with_fps

EMPTY = 0.02  # of likeness, that each hundredth of frames without a face costs a candidate


@dataclass(frozen=True)
class PersonGenerator:
    """Flow matching with a PersonalModel, with guidance by the text and by the person; see `generator.Generator`."""

    text: TextEncoder
    video: PersonalModel
    character: Character
    person_scale: float = 1.0

    @property
    def patch(self) -> tuple[int, int, int]:
        return self.video.config.patch

    @torch.no_grad()
    def latents(self, prompts: list[str], grid: Grid, *, rng: torch.Generator | list[torch.Generator],
                steps: int = 50, scale: float = 3.0, negative: str = "", conditions: Conditions | None = None,
                on_step: OnStep | None = None) -> Tensor:  # fmt: skip
        """See `Generator`. Three readings at once: words and person, words alone, neither; person_scale 1 is as strong
        as the words are."""
        count, times = len(prompts), linear_quadratic(steps)
        words = [with_fps(spoken(prompt), grid.fps) for prompt in prompts]
        told = (conditions or Conditions()).repeat(3)
        faces = person_conditions([self.character] * (3 * count), [True] * count + [False] * (2 * count))
        told = replace(faces, known=told.known, clean=told.clean, beside=told.beside, task=told.task,
                       text=self.text.encode([*words, *words, *([negative] * count)]))  # fmt: skip
        prepared = self.video.prepare(told, grid.latent, times)
        each = rng if isinstance(rng, list) else [rng]
        shape = (count // len(each), self.video.config.latent_channels, *grid.latent)
        noise = torch.cat([torch.randn(shape, generator=own, device=own.device) for own in each])
        return euler(cfg_two(self.video, prepared, scale, self.person_scale * scale), noise, times, on_step)


def person_conditions(people: list[Character], present: list[bool]) -> PersonConditions:
    """The faces of people, one a sample, as a model is told them."""
    crop = torch.stack([one.crop for one in people]).permute(0, 3, 1, 2).float() / 127.5 - 1
    vector = torch.stack([one.vector for one in people])
    return PersonConditions(crop=crop, vector=vector, present=torch.tensor(present))


@dataclass(frozen=True)
class Judged:
    """A clip and how like the person it is. frames: uint8 (F, H, W, 3)."""

    frames: Tensor
    likeness: dict[str, float]
    fit: float  # by which candidates are chosen


@torch.no_grad()
def generate_person(models: VideoModels, finder: Finder, encoder: FaceEncoder, character: Character, prompt: str,
                    grid: Grid, *, rngs: list[torch.Generator], negative: str = "", way: VideoWay | None = None,
                    words: Callable[[Tensor], float] | None = None, on_step: OnStep | None = None,
                    on_decode: Callable[[], None] | None = None) -> Judged:  # fmt: skip
    """The best of as many candidates as there are `rngs`: most like the person, and right to the words.

    models: whose generator is a PersonGenerator.  words(frames): from 0 to 1, how right a clip is to the prompt.
    """
    way = way or VideoWay()
    latent = models.generator.latents([prompt] * len(rngs), grid, rng=rngs, steps=way.steps, scale=way.scale,
                                      negative=negative, on_step=on_step)  # fmt: skip
    if on_decode is not None:
        on_decode()
    judged = []
    for one in latent:
        frames = decode_frames(models, one[None], grid.frames)[0].cpu()
        found = likeness_of(finder, encoder, frames, character)
        fit = found["cosine"] - EMPTY * 100 * (1 - found["faces"]) + (0.5 * words(frames) if words else 0.0)
        judged.append(Judged(frames, found, fit))
    return max(judged, key=lambda one: one.fit)
