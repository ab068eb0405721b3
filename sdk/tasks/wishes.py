"""What may be wished for by keyword, for editors and type checkers; the requests check it when the program runs."""

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mediagen.personalize.character import Character
    from mediagen.sdk.tasks.progress import ProgressCallback


class Wishes(TypedDict, total=False):
    """Of everything; see `Asked`."""

    negative_prompt: str
    num_inference_steps: int | None
    guidance_scale: float | None
    seed: int | None


class MoreWishes(Wishes, total=False):
    """Of more of a clip; see `ExtendRequest`."""

    sound: bool | None
    sound_prompt: str | None
    rewrite: bool
    strict: bool


class ClipWishes(MoreWishes, total=False):
    """Of clips and longer clips; see `GenerateRequest` and `ExtendRequest`."""

    seconds: float | None
    fps: float | None
    width: int | None
    height: int | None
    image: Any


class ExtraSoundWishes(Wishes, total=False):
    """Of all sound; see `SoundRequest`."""

    music_prompt: str | None
    effects: bool
    music: bool
    candidates: int | None
    method: Literal["segments", "blend"]
    merge: Literal["triangle", "uniform"]
    lufs: float


class FilmSoundWishes(ExtraSoundWishes, total=False):
    """Of sound for a film."""

    start: float | None
    end: float | None
    keep_audio: float
    picture_guidance_scale: float | None


class SoundWishes(FilmSoundWishes, total=False):
    """Of any sound, as `submit_audio` takes it."""

    seconds: float | None


class EditWishes(Wishes, total=False):
    """Of edits; see `EditRequest`."""

    task: str | None
    mask: Any
    region: tuple[int, int, int, int] | None
    start: float | None
    end: float | None
    keep_rest: bool | None
    picture_guidance_scale: float | None
    sound: Literal["keep", "remake", "none"]


class UpscaleWishes(TypedDict, total=False):
    """Of larger pictures; see `UpscaleRequest`."""

    factor: Literal[2, 4]
    keep: float | None
    num_inference_steps: int | None
    seed: int | None


class StoryWishes(Wishes, total=False):
    """Of a story; see `StoryRequest`."""

    seconds: float | None
    music: str | None
    sound: bool | None
    dissolve: float
    fps: float | None
    width: int | None
    height: int | None
    rewrite: bool
    strict: bool


class MadeStoryWishes(StoryWishes, total=False):
    """As `StoryWishes`, with who is in it and where its scenes stand; see `Engine.story`."""

    character: "Character | None"
    folder: "str | Path | None"
    on_scene: "Callable[..., None] | None"


class Callbacks(TypedDict, total=False):
    """Of what is made while the caller waits; see `Engine.generate`."""

    callback_on_step_end: "Callable[..., bool | None] | None"
    on_progress: "ProgressCallback | None"


class MadeClipWishes(ClipWishes, Callbacks, total=False):
    """As `ClipWishes`, with callbacks and who is shown; see `Engine.generate`."""

    character: "Character | None"
    person_scale: float | None
    candidates: int | None


class HeardSoundWishes(ExtraSoundWishes, Callbacks, total=False):
    """Of sound alone, with callbacks."""


class HeardFilmWishes(FilmSoundWishes, Callbacks, total=False):
    """As `FilmSoundWishes`, with callbacks."""


class MadeEditWishes(EditWishes, Callbacks, total=False):
    """As `EditWishes`, with callbacks."""


class MadeUpscaleWishes(UpscaleWishes, Callbacks, total=False):
    """As `UpscaleWishes`, with callbacks."""
