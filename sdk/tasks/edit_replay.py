"""Edits made again: the chain of edits that a file tells, given the film that one of them began with."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediagen.sdk.errors import RequestError
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.edit_sources import digest, source_of
from mediagen.sdk.tasks.edited import EditedFilm
from mediagen.sdk.tasks.edits import size_for

if TYPE_CHECKING:
    from mediagen.sdk.engine import Engine
    from mediagen.sdk.tasks.progress import ProgressCallback


def chain_of(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The edits that made a file, the first one first, each as its file told it; empty where none did."""
    chain: list[dict[str, Any]] = []
    while settings.get("task") == "edit":
        chain.insert(0, settings)
        settings = settings.get("source", {})
    return chain


def request_of(told: dict[str, Any], mask: Any = None) -> EditRequest:
    """The request that an edit was made by; RequestError where it had a mask and none is given."""
    if "mask" in told and mask is None:
        raise RequestError(
            f"got the edit '{told['prompt']}', which had a mask, expected that too; give it with --mask."
        )
    values = {**told, "task": told["edit_task"], "mask": mask if "mask" in told else None}
    return EditRequest.of({name: value for name, value in values.items() if name in EditRequest.model_fields})


def replay(
    engine: "Engine",
    film: Path,
    settings: dict[str, Any],
    mask: Any = None,
    on_progress: "ProgressCallback | None" = None,
    keep: Callable[[EditedFilm, Path], object] | None = None,
) -> tuple[EditedFilm, list[str]]:
    """Makes a file's edits again, from the one on that began with `film`; and sentences about what may differ.

    keep(made, folder) is called with the last one while the films between are still there.  RequestError where no edit
    of the chain began with that film.
    """
    chain = chain_of(settings)
    if not chain:
        raise RequestError("got a file that no edit made, expected one of 'mediagen edit'; give another.")
    begin = next((place for place in reversed(range(len(chain))) if _began(engine, film, chain[place])), None)
    if begin is None:
        raise RequestError(
            f"got {film.name}, which is not the film that the edit '{chain[-1]['prompt']}', or one before it, began "
            "with; give that film."
        )
    notes, made = list[str](), None
    with tempfile.TemporaryDirectory() as folder:
        source = film
        for place, told in enumerate(chain[begin:]):
            made = engine.run_edit(source, request_of(told, mask), on_progress=on_progress)
            assert isinstance(made, EditedFilm)
            if made.settings["film"] != told["film"]:
                notes.append(f"the first '{told['prompt']}' began with a file that had lost detail: this one differs.")
            if told is not chain[-1]:
                source = made.save(Path(folder) / f"{place}.mkv", lossless=True)
        assert made is not None
        if keep is not None:
            keep(made, Path(folder))
    return made, notes


def _began(engine: "Engine", film: Path, told: dict[str, Any]) -> bool:
    limits = engine.models.edits.limits
    source = source_of(film, limits.max_edit_seconds)
    try:
        start, end = request_of(told, "unread").inside(source.size, source.seconds)
    except RequestError:
        return False
    return digest(source.small(limits.fps, size_for(source, limits), start, end)) == told["film"]
