"""Files of earlier clips: their frames, and the settings by which they can be made again."""

from pathlib import Path
from typing import Any

from mediagen.media.clip import Clip, Film
from mediagen.media.read import read_clip, read_settings
from mediagen.sdk.errors import RequestError
from mediagen.sdk.tasks.requests import GenerateRequest


def read(path: str | Path) -> Film:
    """The clip in a file; RequestError where it cannot be read."""
    try:
        return read_clip(path)
    except (ValueError, OSError) as error:
        raise RequestError(str(error)) from None


def settings_of(path: str | Path) -> dict[str, Any]:
    """What made the file, as it is stored; RequestError where it cannot be read or carries none of mediagen's."""
    path = Path(path)
    try:
        settings = read_settings(path)
    except (ValueError, OSError) as error:
        raise RequestError(str(error)) from None
    if not settings:
        raise RequestError(f"got {path.name} without settings, expected a file of mediagen's; give its prompt instead.")
    return settings


def request_of(settings: dict[str, Any], name: str, image: Any = None) -> dict[str, Any]:
    """What `GenerateRequest.of` takes to make a clip again from its settings; image: the picture that it started from.

    name: of the file, for errors. RequestError where it started from a picture and none is given, or where it was
    extended: its first part is no longer what a model made but what a file kept of it, so nothing repeats exactly.
    """
    if settings.get("task") != GenerateRequest.task:
        raise RequestError(
            f"got {name}, made by 'mediagen {settings.get('task')}', expected one made by 'mediagen generate'; "
            "run that command again on the clip that it started from."
        )
    if "picture" in settings and image is None:
        raise RequestError(f"got {name}, which started from a picture, expected that too; give the picture.")
    # What was rounded is asked for again as it was, so that the same note stands in the file.
    values = {**settings, **settings.get("asked", {}), "image": image}
    if "prompt_rewritten" not in settings:  # of before prompts were rewritten: the models read what was written
        values["prompt_rewritten"] = settings.get("prompt")
    return {key: value for key, value in values.items() if key in GenerateRequest.model_fields}


def words_of(clip: Clip) -> str:
    """The words that the models were given for a clip."""
    return str(clip.settings.get("prompt_rewritten") or clip.caption)


def again(path: str | Path, image: Any = None) -> GenerateRequest:
    """The request that made a file, to be run again; errors as in `settings_of` and `request_of`."""
    return GenerateRequest.of(request_of(settings_of(path), Path(path).name, image))


def decoder_of(settings: dict[str, Any]) -> str:
    """What decoded a clip; files of before there was a choice do not say it."""
    return str(settings.get("decoder", "torch"))


def dtype_name(settings: dict[str, Any]) -> str:
    """The type of weights that made a clip; files of before there was a choice do not say it."""
    return str(settings.get("dtype", "float32"))


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Sentences about why a clip that was made again cannot be the same: other models, another version or picture."""
    words = {"model": "other models", "version": "another version of mediagen", "picture": "another picture"}
    changed = [word for key, word in words.items() if old.get(key) != new.get(key)]
    if decoder_of(old) != decoder_of(new):
        changed.append(f"the decoder '{decoder_of(old)}'")
    if dtype_name(old) != dtype_name(new):
        changed.append(f"weights of {dtype_name(old)}")
    if old.get("together") != new.get("together"):  # sums are made in another order
        changed.append("others beside it" if "together" in old else "none beside it")
    return [f"the first clip was made with {' and '.join(changed)}: this one differs."] if changed else []
