"""The one family of errors that a user of mediagen meets; each message is one sentence: got, expected, what to do."""

import difflib


class MediagenError(Exception):
    """Base of every error that the SDK raises on purpose."""


class RequestError(MediagenError, ValueError):
    """What was asked for cannot be made: a wrong prompt, number, size, picture or output file.

    field: of the request, where one is wrong and the sentence does not begin with its name.
    """

    def __init__(self, message: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ModelError(MediagenError):
    """A model folder is missing, incomplete or damaged."""


class OutputError(MediagenError, OSError):
    """A file could not be written: the disk is full, or the folder may not be written to."""


class NotYet(MediagenError, TimeoutError):
    """What was waited for is still being made."""


class Cancelled(MediagenError):
    """The caller stopped the work; nothing was written."""


def nearest(key: str, known: list[str]) -> str:
    """What to say after an unknown name."""
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(known)}."
