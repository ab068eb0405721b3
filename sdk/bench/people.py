"""People: whether clips show the person of one photo, freely and steadily, and do what prompts say.

As Movie Gen's personalised videos are judged (arXiv 2410.13720, section 5.4: identity, by a reference each), in figures
of the world's own people, none of whom was trained on.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from mediagen.errors import ModelError, RequestError
from mediagen.generate import VideoModels, VideoWay, generate_video
from mediagen.media.sheets import contact_sheet
from mediagen.personalize.align import BUST
from mediagen.personalize.arcface import ArcFace, FaceEncoder
from mediagen.personalize.character import Character, chosen_face, masked
from mediagen.personalize.faces import Face, Finder
from mediagen.personalize.generate import PersonGenerator
from mediagen.personalize.measure import Watched, copying, hits, likenesses, turn_of, turned, watch
from mediagen.personalize.model import PersonalModel
from mediagen.personalize.portraits import portrait_scene
from mediagen.personalize.train.person import told
from mediagen.sdk.bench.figures import Figure, Part, Tell, mean, share
from mediagen.sdk.bench.pictures import through_tae, video_models
from mediagen.sdk.engine import Engine
from mediagen.weights import load_model
from mediagen.world.draw import render
from mediagen.world.scene import Scene
from mediagen.world.words import tell as in_words

PEOPLE = 200  # held-out identities
SHOWN = 16  # of them on the sheet, the first ones
_TRIES = 8  # pictures of a person, of which the first that `mediagen character add` would take is the reference
_PHOTO = 128  # pixels of a reference picture
_CLIP, _REFERENCE = 11, 20  # numbers of takes: another pose, light, place and dress
M = TypeVar("M", bound=nn.Module)
CEILING, WORDS, STRANGER = "true renders through the autoencoder", "words alone", "another identity"


@dataclass(frozen=True)
class Sitter:
    """A held-out person. character: of one picture, uint8 (S, S, 3).  face: aligned, uint8 (112, 112, 3).  turned: of
    the head in it, see `turn_of`.  scene: of their clip.  prompt: that says what they do and where, of "a person".
    looks: a prompt that also describes them."""

    character: Character
    picture: Tensor
    face: Tensor
    turned: float
    scene: Scene
    prompt: str
    looks: str


@dataclass(frozen=True)
class Stages:
    """What is measured beside the engine's own models. folders: of models with a person by a name, as trainings export
    them; none: the engine's own.  second: folder of a face encoder that was trained apart."""

    folders: dict[str, Path]
    second: Path | None = None


def stages_of(named: Sequence[str], second: Path | None) -> Stages:
    """Stages as the command line names them, NAME=FOLDER each; RequestError where one is none, or has no model."""
    folders = {}
    for one in named:
        name, sign, folder = one.partition("=")
        if not (name and sign and folder) or name in folders:
            raise RequestError(f"got the stage '{one}', expected NAME=FOLDER, each name once; give another.")
        folders[name] = Path(folder)
    for folder in [*folders.values(), *([] if second is None else [second])]:
        if not (folder / "config.json").is_file():
            raise RequestError(
                f"got the folder '{folder}' without a model, expected what a training exported; give it."
            )
    return Stages(folders, second)


@dataclass(frozen=True)
class _Clips:
    """Clips of one origin, one for each sitter. seconds: that each took, without the first, which warms up."""

    frames: list[Tensor]
    seconds: tuple[float, ...] = ()


class _Known:
    """A finder that was asked already."""

    def __init__(self, found: list[list[Face]]) -> None:
        self.found = found

    def find(self, frames: Tensor) -> list[list[Face]]:
        """See `Finder`."""
        return self.found


def measure_people(
    engine: Engine, seed: int = 0, count: int = PEOPLE, stages: Stages | None = None, tell: Tell | None = None
) -> tuple[Part, Tensor]:
    """The part, and a sheet of the first people: the reference left, eight frames of the last stage's clip right.

    The engine's folder needs prompt, tae, faces, face_encoder, and personalize where there are no `stages`; with video
    words alone are measured, with recogniser motion and place. ModelError for folders that hold no such model.
    """
    stages = stages or Stages({})
    get = engine.models.get
    videos = _videos(engine, stages)
    second = None if stages.second is None else _load(ArcFace, stages.second)
    finder, encoder = get("faces"), get("face_encoder")
    sitters, refused = sit(finder, encoder, engine, count, seed, tell)
    part = Part("People")
    part.figures["people whose picture was taken"] = share([True] * len(sitters) + [False] * refused)
    if len(sitters) < 2:
        part.skipped = f"the finder saw a face in the pictures of {len(sitters)} of {count} people"
        return part, torch.zeros(1, 1, 3, dtype=torch.uint8)
    made: dict[str, _Clips] = {}
    if engine.models.has("video"):
        plain = video_models(engine)
        made[WORDS] = _make(engine, sitters, seed, lambda _: plain, lambda one: one.looks, WORDS, tell)
    for name, video in videos.items():
        made[name] = _make(engine, sitters, seed, _with_person(engine, video), lambda one: one.prompt, name, tell)
    size = (engine.limits.width, engine.limits.height)
    true = [through_tae(get("tae"), render([one.scene], size))[0] for one in sitters]
    made[CEILING] = _Clips(true)
    judges: dict[str, FaceEncoder] = {"": encoder}
    if second is not None:
        judges[" by the second judge"] = second
    _judge(part, made, sitters, finder, judges, list(videos), tell)
    if engine.models.has("recogniser"):
        _told(part, made, sitters, get("recogniser"), list(videos))
    _times(part, made, list(videos))
    return part, _sheet(sitters, made[list(videos)[-1]].frames)


def sit(
    finder: Finder, encoder: FaceEncoder, engine: Engine, count: int, seed: int, tell: Tell | None
) -> tuple[list[Sitter], int]:
    """So many people of the test split, and how many had no picture that `mediagen character add` would take."""
    made, limits = [], engine.limits
    for index in range(count):
        number, rng = seed * 1_000 + index, np.random.default_rng((seed, index, 29))
        scene = portrait_scene(number, _CLIP, "test")
        assert scene.person is not None
        near = replace(scene.person, near=float(rng.uniform(0.45, 0.6)))
        aspect = limits.width / limits.height
        near = replace(near, x=near.x * aspect)
        scene = replace(scene, person=near, seconds=limits.seconds, fps=limits.fps, aspect=aspect)
        for take in range(_REFERENCE, _REFERENCE + _TRIES):
            picture = render([portrait_scene(number, take, "test")], (_PHOTO, _PHOTO), frames=[int(rng.integers(32))])
            try:
                face = chosen_face(picture[0, 0], finder.find(picture[0])[0], None)
            except RequestError:
                continue
            aligned = face.aligned(picture[0, 0])
            vector, bust = encoder.embed(aligned[None])[0], face.aligned(picture[0, 0], BUST)
            person = Character("person", vector, masked(aligned), bust, True)  # nobody is kept, and nobody real
            words = told(scene, rng), described(scene, rng)
            made.append(Sitter(person, picture[0, 0], aligned, turn_of(face), scene, *words))
            break
        if tell is not None:
            tell("Taking pictures of people", index + 1, count)
    return made, count - len(made)


def described(scene: Scene, rng: np.random.Generator) -> str:
    """A prompt that tells how a person looks, what they do and where."""
    tries = (in_words(scene, rng) for _ in range(64))
    return max(tries, key=lambda one: len({"looks", "place", "motion0"} & one[1]))[0]


def _load(cls: type[M], folder: Path) -> M:
    """The model in a folder; ModelError where there is none of that kind."""
    try:
        return load_model(cls, folder)
    except (ValueError, OSError) as error:
        raise ModelError(f"cannot measure '{folder}': {error}") from None


def _videos(engine: Engine, stages: Stages) -> dict[str, PersonalModel]:
    if not stages.folders:
        return {"with a person": engine.models.get("personalize")}
    return {name: _load(PersonalModel, path).to(engine.models.device) for name, path in stages.folders.items()}


def _with_person(engine: Engine, video: PersonalModel) -> Callable[[Sitter], VideoModels]:
    text, tae = engine.models.get("prompt"), engine.models.get("tae")
    return lambda one: VideoModels(PersonGenerator(text, video, one.character), tae)


def _make(engine: Engine, sitters: Sequence[Sitter], seed: int, models: Callable[[Sitter], VideoModels],
          prompt: Callable[[Sitter], str], name: str, tell: Tell | None) -> _Clips:  # fmt: skip
    """A clip of each, one after the other, as a user waits for them; at the folder's defaults."""
    limits, frames, seconds = engine.limits, [], []
    for index, one in enumerate(sitters):
        began, with_one = time.monotonic(), models(one)
        grid = with_one.grid(limits.seconds, (limits.width, limits.height), limits.fps)
        rng = torch.Generator(engine.models.device).manual_seed(seed * 1_000_003 + index)
        way = VideoWay(steps=limits.steps, scale=limits.guidance_scale)
        frames.append(generate_video(with_one, prompt(one), grid, rngs=[rng], way=way)[0].cpu())
        seconds.append(time.monotonic() - began)
        if tell is not None:
            tell(f"Generating, {name}", index + 1, len(sitters))
    return _Clips(frames, tuple(seconds[1:]))


def _judge(part: Part, made: dict[str, _Clips], sitters: Sequence[Sitter], finder: Finder,
           judges: dict[str, FaceEncoder], stages: list[str], tell: Tell | None) -> None:  # fmt: skip
    """Who is seen, how like, how turned, and whether the face stays."""
    looks = [one.turned for one in sitters]
    for by, encoder in judges.items():
        references = encoder.embed(torch.stack([one.face for one in sitters]))
        seen: dict[str, list[Watched]] = {}
        for name, clips in made.items():
            found = [finder.find(frames) for frames in clips.frames]
            pairs = zip(found, clips.frames, strict=True)
            seen[name] = [watch(_Known(faces), encoder, frames) for faces, frames in pairs]
            if tell is not None:
                tell("Looking for the people", len(seen), len(made))
        best = likenesses(seen[CEILING], references)
        for name, clips in seen.items():
            right, like = hits(clips, references), likenesses(clips, references)
            part.figures[f"{name} / rank-1{by}"] = share(right, f"of {len(sitters)}")
            part.figures[f"{name} / cosine{by}"] = mean(like, "cosine", "to the reference")
            part.figures[f"{name} / cosine over the ceiling's{by}"] = ratio(like, best)
            if name in stages and WORDS in seen:
                more = [100 * (a - b) for a, b in zip(right, hits(seen[WORDS], references), strict=True)]
                part.figures[f"{name} / rank-1 above words alone{by}"] = mean(more, "points")
        strangers = references.roll(1, 0)
        last = seen[stages[-1]]
        part.figures[f"{STRANGER} / rank-1{by}"] = share(hits(last, references, strangers), "by chance")
        part.figures[f"{STRANGER} / cosine{by}"] = mean(likenesses(last, strangers), "cosine", "of the last stage")
        if by:
            continue
        stays = {name: [clip.first_to_last for clip in clips] for name, clips in seen.items()}
        for name, clips in seen.items():
            part.figures[f"{name} / face found"] = mean([clip.seen.mean() for clip in clips], "of frames")
            part.figures[f"{name} / first against last frame"] = mean(stays[name], "cosine")
            part.figures[f"{name} / first against last, over the ceiling's"] = ratio(stays[name], stays[CEILING])
            part.figures[f"{name} / copying"] = correlation(clips, looks)


def _told(part: Part, made: dict[str, _Clips], sitters: Sequence[Sitter], recogniser: object, stages: list[str]) \
        -> None:  # fmt: skip
    """Motion and place as the prompt tells them, and against the base model on people."""
    right: dict[str, dict[str, list[bool]]] = {}
    for name, clips in made.items():
        found, _ = recogniser.judge(torch.stack(clips.frames))  # type: ignore[attr-defined]
        people = [one.scene.person for one in sitters]
        right[name] = {
            "motion": [one["motion"] == who.motion for one, who in zip(found, people, strict=True) if who],
            "place": [one["place"] == of.scene.place for one, of in zip(found, sitters, strict=True)],
        }
        for what, each in right[name].items():
            part.figures[f"{name} / {what}"] = share(each, "as told")
            if name in stages and WORDS in right:
                more = [100.0 * (a - b) for a, b in zip(each, right[WORDS][what], strict=True)]
                part.figures[f"{name} / {what} against the base model"] = mean(more, "points")


def _times(part: Part, made: dict[str, _Clips], stages: list[str]) -> None:
    for name, clips in made.items():
        if clips.seconds:
            part.figures[f"{name} / seconds"] = mean(clips.seconds, "s", "of a warm clip, pictures alone")
            if name in stages and WORDS in made:
                part.figures[f"{name} / seconds over a plain clip"] = ratio(clips.seconds, made[WORDS].seconds)


def ratio(values: Sequence[float], over: Sequence[float]) -> Figure:
    """The mean of values over that of others, side by side, with a bootstrap interval; what is not finite is left out
    of either mean."""
    one, other = np.asarray(values, dtype=float), np.asarray(over, dtype=float)

    def of(rows: np.ndarray) -> float:
        a, b = one[rows], other[rows]
        a, b = a[np.isfinite(a)], b[np.isfinite(b)]
        return float(a.mean() / b.mean()) if len(a) and len(b) and b.mean() > 0 else float("nan")

    rng = np.random.default_rng(31)
    drawn = np.asarray([of(rng.integers(0, len(one), len(one))) for _ in range(1_000)])
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, (0.025, 0.975)).tolist() if len(drawn) else (None, None)
    return Figure(of(np.arange(len(one))), low, high, len(one), "x")


def correlation(clips: Sequence[Watched], references: Sequence[float]) -> Figure:
    """`copying` with its interval by Fisher's transform."""
    value, count = copying(clips, references), len(turned(clips, references))
    if count < 4 or abs(value) >= 1:
        return Figure(value, count=count, unit="r", note="of the head's turn with the reference's")
    middle, spread = np.arctanh(value), 1.96 / np.sqrt(count - 3)
    low, high = float(np.tanh(middle - spread)), float(np.tanh(middle + spread))
    return Figure(value, low, high, count, "r", "of the head's turn with the reference's")


def _sheet(sitters: Sequence[Sitter], clips: Sequence[Tensor]) -> Tensor:
    strips, captions = [], []
    for one, frames in zip(sitters[:SHOWN], clips, strict=False):
        every = [round(i * (len(frames) - 1) / 7) for i in range(8)]
        side = frames.shape[1:3]
        photo = torch.nn.functional.interpolate(one.picture.permute(2, 0, 1)[None].float(), side, mode="area")
        strips.append(torch.cat((photo.round().to(torch.uint8).permute(0, 2, 3, 1), frames[every])))
        captions.append(one.prompt)
    return contact_sheet(strips, 1, captions)
