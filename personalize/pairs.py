"""Pairs: which clips can teach a person, found by their faces, and whose face goes beside which clip.

As the report filters (Movie Gen, section 5.2): faces found once a second, exactly one in each picture, the same one
from picture to picture, and over films those that are alike are one person.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from mediagen.personalize.align import FACE
from mediagen.personalize.arcface import SIZE, FaceEncoder
from mediagen.personalize.character import SIDEWAYS, masked
from mediagen.personalize.faces import Finder

STEADY = 0.5  # cosine of neighbouring pictures, at least
LEAST = 24  # pixels of a face's height that teaches


@dataclass(frozen=True)
class Reference:
    """A face of a clip: the masked crop, uint8 (112, 112, 3), its vector (512,), and why there is none, or ""."""

    crop: Tensor
    vector: Tensor
    why: str = ""


NOBODY = Reference(torch.zeros(FACE.side, FACE.side, 3, dtype=torch.uint8), torch.zeros(SIZE))


# The steps of the filter in their order: why a clip is left out, and what those that are left have.
STEPS = {
    "several faces": "never several faces",
    "no face": "a face in every picture",
    "a small face": f"a face of {LEAST} pixels or more",
    "another face later": "the same face throughout",
    "a face from the side": "a face that looks ahead",
}


@dataclass
class Survivors:
    """How many clips are left after each step, in words. left_out: by the step, one of STEPS, that they failed at."""

    clips: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    people: int = 0
    crossed: int = 0  # clips of people who are in another one too

    def told(self) -> str:
        """One line: how many clips passed each step, how many people are in them, and how many can be crossed."""
        left, steps = self.clips, []
        for why, have in STEPS.items():
            left -= self.left_out.get(why, 0)
            steps.append(f"{left} with {have}")
        return (
            f"Of {self.clips} clips: {', of these '.join(steps)}. They show {self.people} people; "
            f"{self.crossed} are of people who are in another one."
        )


def reference_of(finder: Finder, encoder: FaceEncoder, frames: Tensor, fps: float) -> Reference:
    """The clearest face of a clip's frames, uint8 (F, H, W, 3), looked at once a second, or why it teaches nothing."""
    every = max(1, round(fps))
    looked = frames[:: every if len(frames) > every else max(1, len(frames) - 1)]
    found = finder.find(looked)
    if any(len(faces) > 1 for faces in found):
        return Reference(NOBODY.crop, NOBODY.vector, "several faces")
    if not all(found):
        return Reference(NOBODY.crop, NOBODY.vector, "no face")
    faces = [one[0] for one in found]
    if min(face.height for face in faces) < LEAST:
        return Reference(NOBODY.crop, NOBODY.vector, "a small face")
    aligned = torch.stack([face.aligned(frame) for face, frame in zip(faces, looked, strict=True)])
    vectors = encoder.embed(aligned)
    if len(vectors) > 1 and float((vectors[1:] * vectors[:-1]).sum(1).min()) <= STEADY:
        return Reference(NOBODY.crop, NOBODY.vector, "another face later")
    best = min(range(len(faces)), key=lambda row: faces[row].turned)
    if faces[best].turned > SIDEWAYS:
        return Reference(NOBODY.crop, NOBODY.vector, "a face from the side")
    return Reference(masked(aligned[best]), vectors[best])


def people_of(vectors: Tensor, alike: float = STEADY) -> list[int]:
    """Who is in each clip, a number each: those whose mean face is nearest and alike are one (N, 512)."""
    sums: list[Tensor] = []
    who: list[int] = []
    for vector in vectors:
        near = [float(torch.nn.functional.cosine_similarity(total, vector, dim=0)) for total in sums]
        best = max(range(len(near)), key=near.__getitem__, default=-1)
        if best < 0 or near[best] < alike:
            sums.append(vector.clone())
            who.append(len(sums) - 1)
        else:
            sums[best] += vector
            who.append(best)
    return who
