"""Portraits: the world's people as faces to learn from, an identity in takes of other pose, light, place and dress."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mediagen.personalize.align import FACE, Frame, align
from mediagen.world.draw import render
from mediagen.world.figures import FaceTruth, face_truth, place
from mediagen.world.motion import camera
from mediagen.world.people import HEAD_MOTIONS, draw_identity
from mediagen.world.scene import Scene, draw_person, draw_scene

SECONDS, FPS = 2.0, 16.0


@dataclass(frozen=True)
class Take:
    """A person in a scene, who by number, in pictures uint8 (F, H, W, 3), and where the face is, in picture heights."""

    scene: Scene
    pictures: Tensor
    face: FaceTruth

    def aligned(self, frame: Frame = FACE) -> Tensor:
        """The face of every picture in place, uint8 (F, side, side, 3)."""
        return align(self.pictures, self.face.points * self.pictures.shape[1], frame)


def portrait_scene(number: int, take: int, split: str = "train") -> Scene:
    """Identity `number` of a split near the camera, in a place, weather, light, dress and motion that `take` draws."""
    rng = np.random.default_rng((number, take, len(split), 71))
    person = draw_person(rng, number, split, 1.0)
    person = replace(person, shot="portrait", motion=str(rng.choice(HEAD_MOTIONS)), near=float(rng.uniform(0.45, 0.95)))
    around = draw_scene(int(rng.integers(2**40)), "train", "standard", seconds=SECONDS, fps=FPS)
    assert person.identity == draw_identity(number, _SPLITS[split])
    return replace(around, things=(), person=replace(person, x=0.5 + 0.1 * (person.x - 0.5)), camera="still")


_SPLITS = {"train": 0, "validation": 1, "test": 2, "held-out": 3}


def takes(scenes: list[Scene], size: int, frames: list[int]) -> list[Take]:
    """Some frames of scenes with a person, size x size pixels."""
    pictures = render(scenes, (size, size), frames=frames)
    return [Take(scene, shown, face_of(scene, frames)) for scene, shown in zip(scenes, pictures, strict=True)]


def face_of(scene: Scene, frames: list[int]) -> FaceTruth:
    """What `mediagen.world.draw.truth` says of the face, without drawing."""
    assert scene.person is not None
    times = np.asarray(frames) / scene.fps
    placed = place(scene.person, scene.seconds, scene.aspect, times)
    return face_truth(scene.person, placed, *camera(scene, times), scene.aspect)


def face_pool(numbers: range, count: int, split: str = "train", first: int = 0) -> tuple[Tensor, Tensor]:
    """Aligned faces of identities: uint8 (len(numbers), 2 * count, 112, 112, 3), two of each take, and yaw beside them.

    count: takes of each.  first: number of the first take.
    """
    faces = torch.empty(len(numbers), 2 * count, FACE.side, FACE.side, 3, dtype=torch.uint8)
    yaw = torch.empty(len(numbers), 2 * count)
    sizes = (64, 96, 128, 160)
    for start in range(0, len(numbers), 64):
        some = numbers[start : start + 64]
        for take in range(count):
            scenes = [portrait_scene(number, first + take, split) for number in some]
            rng = np.random.default_rng((numbers.start + start, first + take, 73))
            when = [int(rng.integers(0, 16)), int(rng.integers(16, 32))]
            for row, made in enumerate(takes(scenes, sizes[int(rng.integers(len(sizes)))], when)):
                faces[start + row, 2 * take : 2 * take + 2] = made.aligned()
                yaw[start + row, 2 * take : 2 * take + 2] = torch.from_numpy(made.face.yaw)
    return faces, yaw
