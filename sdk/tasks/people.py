"""People: characters from what a user has, and clips with one of them, where the model folder has models for that."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from mediagen.media.clip import Clip
from mediagen.media.read import read_clip, read_image, read_settings
from mediagen.personalize.adapters import MTCNN
from mediagen.personalize.character import Character, make_character
from mediagen.personalize.faces import Finder
from mediagen.personalize.likeness import OnTry
from mediagen.personalize.store import Store, checked, mentioned, unknown
from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks.first_frame import any_image

FACES = ("faces", "face_encoder")  # families that making a character needs
FINDERS = ("own", "mtcnn")
_MOST = 32  # frames of a film that are looked at


def require(models: ModelFolder, *families: str) -> None:
    """ModelError, before any work, where the folder lacks one of the families."""
    lacking = [name for name in families if not models.has(name)]
    if lacking:
        raise ModelError(
            f"got the model folder '{models.path}' without {', '.join(lacking)}, which people in clips need; add them, "
            "or give another folder."
        )


def create(
    models: ModelFolder,
    source: Any,
    name: str,
    consent: bool,
    *,
    face: int | None = None,
    drawn: bool = False,
    finder: str = "own",
    on_try: OnTry | None = None,
) -> Character:
    """A character of a picture, several, or a film: paths, PIL images, uint8 arrays, or a clip."""
    if consent is not True:
        raise RequestError(
            "consent: got none, expected that the person agreed to be shown; say so with consent=True (--consent)."
        )
    name = checked(name)
    if finder not in FINDERS:
        raise RequestError(f"finder: got '{finder}', expected {' or '.join(FINDERS)}; give one, or leave it out.")
    require(models, *(FACES[1:] if finder == "mtcnn" else FACES))
    pictures = [one for each in (source if isinstance(source, list | tuple) else [source]) for one in shown(each)]
    found: Finder = MTCNN() if finder == "mtcnn" else models.get("faces")
    encoder = models.get("face_encoder")
    return make_character(found, encoder, pictures, name, consent=True, face=face, drawn=drawn, on_try=on_try)


def shown(source: Any) -> list[Tensor]:
    """What a source shows, as pictures uint8 (H, W, 3); of a film one a second."""
    if isinstance(source, str | Path) and Path(source).suffix.lower() in (
        ".mp4",
        ".webm",
        ".mov",
        ".mkv",
        ".avi",
        ".gif",
    ):
        try:
            source = read_clip(source)
        except (ValueError, OSError) as error:
            raise RequestError(str(error)) from None
    if isinstance(source, Clip):
        if source.frames is None or not len(source.frames):
            raise RequestError("got a clip without pictures, expected a face in some; give another.")
        every = max(1, round(source.fps), len(source.frames) // _MOST)
        return list(source.frames[::every])
    if isinstance(source, str | Path):
        try:
            return [read_image(source)[0]]
        except (ValueError, OSError) as error:
            raise RequestError(str(error)) from None
    return [any_image(source)[0]]


def settings_of(path: str | Path) -> dict[str, Any]:
    """What a film's file says of how it was made; nothing where it cannot be read, which is said elsewhere."""
    try:
        return read_settings(path)
    except (ValueError, OSError):
        return {}


def in_clip(settings: dict[str, Any]) -> str | None:
    """The fingerprint of who is in a clip, as its settings or those of what it was made from name it; None: nobody."""
    seen: Any = settings
    while isinstance(seen, dict):
        if isinstance(seen.get("character"), str):
            return seen["character"]
        seen = seen.get("source")
    return None


def known_in(settings: dict[str, Any], store: Store) -> Character | None:
    """Who is in a clip, where they are kept in the store, under the name that people call them; None else."""
    fingerprint = in_clip(settings)
    kept = () if fingerprint is None else map(store.get, store.names())
    found = next((one for one in kept if one.fingerprint == fingerprint), None)
    return found if found is None or not found.label else replace(found, name=found.label)


def meant(prompt: str, character: Character | None, store: Store) -> Character | None:
    """Who is meant by a prompt, or given beside it; None for nobody.

    RequestError for an unknown name, and for several people, of whom models can show one.
    """
    names = mentioned(prompt)
    known: Sequence[str] = [*store.names(), *([character.name] if character is not None else [])]
    for name in names:
        if name not in known:
            raise RequestError(unknown(name, known), "prompt")
    people = {*names, *([character.name] if character is not None else [])}
    if len(people) > 1:
        raise RequestError(f"got {len(people)} people, expected one in a clip; leave the others out.", "prompt")
    if character is not None or not names:
        return character
    return store.get(names[0])
