"""The Task that trains the video model with a person, in three stages: paired, longer, crossed (Movie Gen, 5.2)."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.data.batch import pictures_of
from mediagen.data.cache import build_cache, mark
from mediagen.data.folder import FolderStream
from mediagen.data.needs import Needs
from mediagen.flow import draw_t, flow_loss, noise_like
from mediagen.media.clip import Clip, to_float
from mediagen.media.sheets import save_sheet
from mediagen.personalize.arcface import FaceEncoder
from mediagen.personalize.faces import Finder
from mediagen.personalize.model import PersonalModel, PersonConditions
from mediagen.personalize.pairs import STEPS, Survivors, people_of, reference_of
from mediagen.personalize.portraits import portrait_scene
from mediagen.personalize.store import spoken
from mediagen.tae import TAE
from mediagen.text.text import Text, TextEncoder, with_fps
from mediagen.world.draw import render
from mediagen.world.people import BODY_MOTIONS, HEAD_MOTIONS
from mediagen.world.people_words import PERSON_MOTION_WORDS
from mediagen.world.scene import Scene
from mediagen.world.vocabulary import PLACE_WORDS, TIME_WORDS, WEATHER_WORDS

_CHUNK = 32


@dataclass(frozen=True, kw_only=True)
class PersonTaskConfig(Config):
    """What the video model with a person is trained on.

    people, takes: of the world's training split, and clips of each; data: a folder of films in their place, of which
    `clips` windows are looked at.  figures: share of takes in full figure, whose face is told from another take.
    latents: longest latent of a clip, in frames; 0: all of it.  crossed: share of clips that are told the face of
    another clip of that person.  tower: whether the picture tower is trained.  drop, nobody: shares without the text,
    and without the person.
    """

    data: str | None = None
    skip_unusable: bool = False
    people: int = 2_000
    takes: int = 4
    clips: int = 4_000
    figures: float = 0.3
    size: tuple[int, int] = (128, 128)
    seconds: float = 2.0
    fps: float = 16.0
    batch: int = 16
    latents: int = 0
    crossed: float = 0.0
    tower: bool = False
    drop: float = 0.1
    nobody: float = 0.1
    t_mean: float = -0.5
    t_std: float = 1.2

    @property
    def needs(self) -> Needs:
        """What is read of a film."""
        return Needs(seconds=self.seconds)


@dataclass(frozen=True)
class PersonBatch:
    """latent (B, C, L, h, w), the text, and the people as conditions on the model's device."""

    latent: Tensor
    text: Text
    person: PersonConditions


class PersonTask:
    """Trains a PersonalModel by flow matching; see `mediagen.train.task.Task`.

    survivors: how many clips were left after each step of the filter.
    """

    name = "personalize"

    def __init__(self, model: PersonalModel, tae: TAE, text: TextEncoder, finder: Finder, encoder: FaceEncoder,
                 config: PersonTaskConfig, cache: Path, device: str = "cpu") -> None:  # fmt: skip
        self.config, self.device = config, device
        self.model, self.tae, self.text = model.to(device), tae.to(device).eval(), text.to(device).eval()
        self.finder, self.encoder = finder, encoder
        self.model.person.freeze_tower(not config.tower)
        self.stream: Any = None
        about: dict[str, Any] = {"size": config.size, "seconds": config.seconds, "fps": config.fps, "tae": mark(tae)}
        if config.data is None:
            about |= {"takes": config.takes, "figures": config.figures}
        else:
            self.stream = FolderStream(config.data, config.size, config.seconds, config.fps, needs=config.needs,
                                       skip_unusable=config.skip_unusable)  # fmt: skip
            about |= {"data": self.stream.mark}
        count = config.clips if self.stream else config.people * config.takes
        pool = build_cache(cache, count, self.encode, about=about, device=device)
        self.latents, self.crops, self.vectors = (pool.tensors[name] for name in ("latent", "crop", "vector"))
        self.captions = pool.captions
        self.who, self.told_by, self.rows, self.survivors = self._pair(pool.tensors["why"])
        if not len(self.rows):
            raise ValueError(f"got no clip that teaches a person: {self.survivors.told()} Give others.")
        if config.crossed and not self.survivors.crossed:
            raise ValueError("got nobody who is in two clips, expected some for crossed pairs; set crossed to 0.")

    @torch.no_grad()
    def encode(self, numbers: range) -> tuple[dict[str, Tensor], list[str]]:
        """Latents, faces and captions of some clips; why: 0, or which of `REASONS` keeps one from teaching."""
        made: dict[str, list[Tensor]] = {"latent": [], "crop": [], "vector": [], "why": []}
        captions: list[str] = []
        for start in range(0, len(numbers), _CHUNK):
            clips = self._clips(list(numbers[start : start + _CHUNK]))
            made["latent"].append(self.tae.encode(to_float(pictures_of(clips).to(self.device))).half().cpu())
            for clip in clips:
                assert clip.frames is not None
                found = reference_of(self.finder, self.encoder, clip.frames, clip.fps)
                made["crop"].append(found.crop[None])
                made["vector"].append(found.vector[None])
                made["why"].append(torch.tensor([REASONS.index(found.why)]))
            captions += [clip.caption for clip in clips]
        return {name: torch.cat(parts) for name, parts in made.items()}, captions

    def _clips(self, numbers: list[int]) -> list[Clip]:
        if self.stream is not None:
            return self.stream.clips_at(numbers)
        scenes = [self.scene(number) for number in numbers]
        return [Clip(frames, self.config.fps) for frames in render(scenes, self.config.size)]

    def scene(self, number: int) -> Scene:
        """The world's clip of a number: every `takes` of them show one person."""
        person, take = divmod(number, self.config.takes)
        scene = portrait_scene(person, take)
        rng = np.random.default_rng((number, 83))
        scene = replace(scene, seconds=self.config.seconds, fps=self.config.fps)
        assert scene.person is not None
        if take and rng.random() < self.config.figures:
            tall = float(rng.uniform(0.5, 0.62))
            motion = str(rng.choice(BODY_MOTIONS))
            facing = {"walks right": 1, "walks left": -1}.get(motion, scene.person.facing)
            return replace(scene, person=replace(scene.person, shot="figure", motion=motion, near=tall, facing=facing))
        return replace(scene, person=replace(scene.person, near=float(rng.uniform(0.4, 0.6))))

    def _pair(self, why: Tensor) -> tuple[list[int], dict[int, list[int]], np.ndarray, Survivors]:
        """Who is in each clip, which clips tell whose face, the rows that can be learnt, and how many were left."""
        told = (why == 0).nonzero()[:, 0].tolist()
        if self.stream is None:  # the truth is known, and a figure's person is told by another take
            who = [row // self.config.takes for row in range(len(why))]
        else:
            who = [-1 - row for row in range(len(why))]
            for row, person in zip(told, people_of(self.vectors[told].float()), strict=True):
                who[row] = person
        told_by: dict[int, list[int]] = {}
        for row in told:
            told_by.setdefault(who[row], []).append(row)
        rows = [row for row in range(len(why)) if self._others(row, who, told_by) or why[row] == 0]
        out: dict[str, int] = {}
        for row in set(range(len(why))) - set(rows):
            out[REASONS[int(why[row])]] = out.get(REASONS[int(why[row])], 0) + 1
        crossed = sum(bool(self._others(row, who, told_by)) for row in rows)
        return who, told_by, np.asarray(rows), Survivors(len(why), out, len(told_by), crossed)

    @staticmethod
    def _others(row: int, who: list[int], told_by: dict[int, list[int]]) -> list[int]:
        return [other for other in told_by.get(who[row], []) if other != row]

    def batch(self, step: int, rank: int, world: int) -> PersonBatch:
        config = self.config
        rng = np.random.default_rng((step, rank, world, 59))
        rows = self.rows[rng.integers(0, len(self.rows), config.batch)].tolist()
        faces = [self.reference(row, rng) for row in rows]
        words = ["" if rng.random() < config.drop else with_fps(self.caption(row, rng), config.fps) for row in rows]
        latent = self.latents[rows].float().to(self.device)
        if config.latents:
            latent = latent[:, :, : config.latents]
        crop = self.crops[faces].permute(0, 3, 1, 2).float().to(self.device) / 127.5 - 1
        present = torch.from_numpy(rng.random(config.batch) >= config.nobody).to(self.device)
        vector = self.vectors[faces].float().to(self.device)
        return PersonBatch(latent, self.text.encode(words), PersonConditions(crop=crop, vector=vector, present=present))

    def reference(self, row: int, rng: np.random.Generator) -> int:
        """Whose face a clip is told: its own, or (crossed, or where its own is too small) of another clip of theirs."""
        others = self._others(row, self.who, self.told_by)
        own = row in self.told_by.get(self.who[row], ())
        if others and (not own or rng.random() < self.config.crossed):
            return others[int(rng.integers(len(others)))]
        return row

    def caption(self, row: int, rng: np.random.Generator) -> str:
        """What a clip shows, without a word of how the person looks."""
        return spoken(self.captions[row]) if self.stream is not None else told(self.scene(row), rng)

    def loss(
        self, model: nn.Module, batch: PersonBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        assert isinstance(model, PersonalModel)
        latent = batch.latent
        t = draw_t(len(latent), rng, self.config.t_mean, self.config.t_std)
        shape = (latent.shape[2], latent.shape[3], latent.shape[4])
        prepared = model.prepare(replace(batch.person, text=batch.text), shape)
        losses = flow_loss(lambda x, t: model(x, t, prepared), latent, t, noise_like(latent, rng))
        return losses.mean(), {}

    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Writes the faces that clips are told, eight clips a row; measuring is `personalize.measure`'s."""
        rows = self.rows[:: max(1, len(self.rows) // 32)][:32].tolist()
        rng = np.random.default_rng(0)
        save_sheet([self.crops[self.reference(row, rng)][None] for row in rows], folder / f"person-{step:06d}.png", 8)
        return {"people": float(self.survivors.people), "clips": float(len(self.rows))}


REASONS = ("", *STEPS)


def told(scene: Scene, rng: np.random.Generator) -> str:
    """A caption of what a person does and where, that says "a person" of whoever it is."""
    assert scene.person is not None and scene.person.motion in HEAD_MOTIONS + BODY_MOTIONS
    verb, gerund = str(rng.choice(PERSON_MOTION_WORDS[scene.person.motion])).replace("{h}", "the").split("|")
    before, bare = str(rng.choice(PLACE_WORDS[scene.place])).split("|")
    parts = [f"a person {verb if rng.random() < 0.7 else gerund} {before}{bare}"]
    if scene.weather != "clear":
        parts.append(str(rng.choice(WEATHER_WORDS[scene.weather])))
    if scene.time == "night" and rng.random() < 0.9:
        parts.append(str(rng.choice(TIME_WORDS["night"])))
    return ", ".join(parts)
