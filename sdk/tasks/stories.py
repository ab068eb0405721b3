"""Story: a film of several scenes with one soundtrack, each of which can be made again."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mediagen.audio.conditions import mentions_music
from mediagen.audio.generate import SoundWords, count_sound_steps, extend_sound
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Film
from mediagen.personalize.character import Character
from mediagen.personalize.store import Store
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks import people, results
from mediagen.sdk.tasks.clips import ClipWork
from mediagen.sdk.tasks.person_clips import FAMILIES, SCALE, PersonWork
from mediagen.sdk.tasks.progress import Progress, ProgressCallback
from mediagen.sdk.tasks.story_requests import SceneRequest, StoryRequest
from mediagen.sdk.tasks.takes import Takes, key_of
from mediagen.sdk.tasks.work import StepCallback

OnScene = Callable[[int, Film], None]
PARTS = 100  # of the progress of a scene
_FADE = round(0.01 * SOUND_RATE)  # samples over which sounds that have nothing to do with each other meet


@dataclass(frozen=True)
class Scene:
    """A scene of a story. number: from 1 on.  start: its first frame in the film.  asked: its words, filled in.

    clip: the scene as a film of its own, with its part of the soundtrack.
    """

    number: int
    start: int
    asked: SceneRequest
    clip: Film


@dataclass(frozen=True)
class Story:
    """What `Engine.story` makes. clip: the whole film.  request: as it was asked, with its seed."""

    clip: Film
    scenes: tuple[Scene, ...]
    request: StoryRequest
    again: "Callable[[StoryRequest], Story]" = field(repr=False)

    @property
    def seconds(self) -> float:
        """Length of the film."""
        return self.clip.seconds

    @property
    def settings(self) -> dict[str, Any]:
        """What the film's file tells."""
        return self.clip.settings

    def remake(self, index: int, prompt: str | None = None, seed: int | None = None) -> "Story":
        """The story with scene `index`, from 0 on, made again, by other words or another seed (drawn where None).

        What goes on from that scene follows it; all else is what it was, byte for byte, but for what a dissolve shares
        with it; with music the sound is new from there on, for it goes through.  IndexError where there is no such
        scene.
        """
        return self.again(remade(self.request, index, prompt, seed))

    def save(self, path: str | Path) -> Path:
        """Writes the film; see `Clip.save`."""
        return self.clip.save(path)


def remade(request: StoryRequest, index: int, prompt: str | None = None, seed: int | None = None) -> StoryRequest:
    """The request with one scene asked for anew."""
    scenes = list(request.scenes)
    if not 0 <= index < len(scenes):
        raise IndexError(f"got scene {index}, expected 0 to {len(scenes) - 1}; give one of them.")
    changed: dict[str, Any] = {"seed": secrets.randbits(31) if seed is None and prompt is None else seed}
    if prompt is not None:
        changed |= {"prompt": prompt, "prompt_rewritten": None}
        changed["seed"] = scenes[index].seed if seed is None else seed
    scenes[index] = scenes[index].model_copy(update=changed)
    return StoryRequest.of({**request.model_dump(), "scenes": scenes})


class SceneSound(ClipWork):
    """Makes the sound of one scene."""

    def lasting(self, frames: Tensor, fps: float, known: Tensor, said: str, music: str | None) -> Tensor:
        """Sound (1, S) that covers the frames, of which `known` is there already; music: of what kind, if any."""
        limits = self.limits
        models, way = self._sounding(limits.sound_steps, limits.sound_guidance_scale, limits.sound_candidates)
        total, heard = round(len(frames) / fps * SOUND_RATE), known.shape[-1]
        words = SoundWords(effects=said, music=bool(music) or mentions_music(said), music_like=music or "")
        on_step = self._steps("Making the sound", count_sound_steps(models, heard, total, total, way))
        pictures = self._watched(models, frames, fps)
        return extend_sound(models, pictures, words, known, samples=total, seed=self._seed, way=way, on_step=on_step)


class StoryWork:
    """Makes one story of a request that has a seed. takes: what was made before.  character: who is in every scene."""

    def __init__(
        self,
        models: ModelFolder,
        asked: StoryRequest,
        store: Store,
        takes: Takes,
        character: Character | None,
        on_scene: OnScene | None,
        on_step: StepCallback | None,
        on_progress: ProgressCallback | None,
    ) -> None:
        self.models, self.asked, self.store, self.takes = models, asked, store, takes
        self.character, self.on_scene, self._on_step, self._on_progress = character, on_scene, on_step, on_progress
        self.request, self.notes = asked.fit(models.limits)
        self.timeline = self.request.timeline
        self.cast = [self._who(scene) for scene in self.request.scenes]
        self._keys = set[str]()
        if self.request.sound:
            self._sounds(0).check_sound()

    def make(self, again: Callable[[StoryRequest], Story]) -> Story:
        """The story; what `takes` has is not made again."""
        request, fps = self.request, self.request.fps or 0.0
        shown: list[Tensor] = []
        for index in range(len(request.scenes)):
            shown.append(self._pictures(index, shown[-1] if shown else None))
            if self.on_scene is not None:
                self.on_scene(index, Film(shown[-1], fps, caption=request.scenes[index].prompt))
        film = self.timeline.join(shown)
        sound = self._soundtrack(shown, fps) if request.sound else None
        settings = {**request.settings(), **self._told(), "seed": request.seed}
        scenes = []
        for index, (start, frames) in enumerate(zip(self.timeline.starts, shown, strict=True)):
            part = None if sound is None else sound[:, _at(start, fps) : _at(start + len(frames), fps)]
            caption = request.scenes[index].prompt
            clip = Film(frames, fps, part, SOUND_RATE, caption, {**settings, "scene": index + 1})
            scenes.append(Scene(index + 1, start, request.scenes[index], clip))
        told = " | ".join(scene.prompt for scene in request.scenes)
        self.takes.only(self._keys)
        return Story(Film(film, fps, sound, SOUND_RATE, told, settings), tuple(scenes), self.asked, again)

    def _pictures(self, index: int, before: Tensor | None) -> Tensor:
        """The frames of one scene."""
        asked, count = self.request.scene(index), self.timeline.lengths[index]
        assert asked.fps and asked.width and asked.height and asked.seed is not None
        work, fps, longest = self._work(index), asked.fps, self.models.limits.max_seconds
        who, goes_on = self.cast[index], before is not None and self.timeline.transitions[index] == "continue"
        tail = before[-round(longest * fps) :] if before is not None and goes_on else None
        key = self._key(
            asked=asked.settings(), frames=count, tail=tail,
            person=None if who is None else who.fingerprint,
        )  # fmt: skip
        kept = self.takes.get(key)
        if kept is None:
            if tail is None:
                seconds, size = min(count / fps, longest), (asked.width, asked.height)
                made = work.pictures([asked.seed], seconds, size, fps)[0]
                more = count - len(made)
                kept = work.more_pictures(made, more, fps) if more > 0 else made[:count]
            else:
                kept = work.more_pictures(tail, count, fps)[len(tail) :]
            self.takes.put(key, kept)
        self._say("Making the pictures", PARTS * (index + 1), PARTS * len(self.request.scenes))
        self.notes += [f"scene {index + 1}: {note}" for note in work.notes]
        return kept

    def _soundtrack(self, shown: Sequence[Tensor], fps: float) -> Tensor:
        """Sound (1, S) of the whole film, its words changing at the frame of each scene.

        Of scenes that dissolve each is seen by itself, so that one may be made again without the other.
        """
        turns = [*self.timeline.turns, self.timeline.frames]
        own = [
            frames[turns[index] - start : turns[index + 1] - start]
            for index, (start, frames) in enumerate(zip(self.timeline.starts, shown, strict=True))
        ]
        whole = torch.zeros(1, 0)
        for run in self.timeline.runs(bool(self.request.music)):
            first, known, before = turns[run[0]], torch.zeros(1, 0), ""
            offset = _at(first, fps)
            for index in run:
                scene, frames = self.request.scenes[index], torch.cat(own[run[0] : index + 1])
                said = scene.sound_prompt or scene.words
                heard, length = known.shape[-1], _at(turns[index + 1], fps) - offset
                asked = {"said": said, "music": self.request.music, "frames": frames, "seed": scene.seed}
                before = self._key(before=before, heard=heard, **asked)
                new = self.takes.get(before)  # what this scene adds: the whole so far, kept of each, would be quadratic
                if new is None:
                    made = self._sounds(index).lasting(frames, fps, known, said, self.request.music)
                    new = torch.nn.functional.pad(made, (0, length - made.shape[-1]))[:, heard:length].clone()
                    self.takes.put(before, new)
                known = torch.cat((known, new), -1)
                self._say("Making the sound", PARTS * (index + 1), PARTS * len(self.request.scenes))
            whole = _met(whole, known)
        return whole

    def _work(self, index: int) -> ClipWork:
        """What makes the pictures of one scene."""
        scene, hear, who = self.request.scene(index), partial(self._hear, index), self.cast[index]
        if who is None:
            return results.clip_work(self.models, scene, self._on_step, hear)
        return PersonWork(self.models, scene, self._on_step, hear, character=who, scale=SCALE)

    def _sounds(self, index: int) -> SceneSound:
        """What makes its sound."""
        return SceneSound(self.models.sound, self.request.scene(index), self._on_step, partial(self._hear, index))

    def _hear(self, index: int, moment: Progress) -> None:
        """The progress of a scene as a part of the story's."""
        if moment.steps:
            done = PARTS * index + PARTS * moment.step // moment.steps
            self._say(moment.stage, done, PARTS * len(self.request.scenes))
        elif self._on_progress is not None:
            self._on_progress(moment)

    def _who(self, scene: SceneRequest) -> Character | None:
        """Who is in a scene; ModelError where there are no models for that."""
        named = f"@{scene.character.removeprefix('@')} " if scene.character else ""
        who = people.meant(f"{named}{scene.prompt}", self.character, self.store)
        if who is not None:
            people.require(self.models, *FAMILIES)
        return who

    def _key(self, **parts: Any) -> str:
        key = key_of(**parts, made_by=self.models.told())
        self._keys.add(key)
        return key

    def _told(self) -> dict[str, Any]:
        told = results.told_of(self.models)
        return {**told, "notes": self.notes} if self.notes else told

    def _say(self, stage: str, step: int, steps: int) -> None:
        if self._on_progress is not None:
            self._on_progress(Progress(stage, step, steps))


def _at(frame: int, fps: float) -> int:
    """The sample at which a frame begins."""
    return round(frame / fps * SOUND_RATE)


def _met(one: Tensor, other: Tensor) -> Tensor:
    """Two sounds one after the other, each let out and in within a hundredth of a second."""
    length = min(_FADE, one.shape[-1], other.shape[-1])
    if not length:
        return torch.cat((one, other), -1)
    ramp = torch.linspace(0, 1, length)
    one, other = one.clone(), other.clone()
    one[:, -length:] *= ramp.flip(0)
    other[:, :length] *= ramp
    return torch.cat((one, other), -1)
