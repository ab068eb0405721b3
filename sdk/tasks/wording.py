"""Wording: a prompt as it was written, in the words of the models; what they don't know is told, or refused."""

from typing import Protocol

from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.limits import Limits
from mediagen.text.rewrite import rewrite


class Worded(Protocol):
    """The fields of a request that its wording needs."""

    @property
    def prompt(self) -> str: ...
    @property
    def rewrite(self) -> bool: ...
    @property
    def strict(self) -> bool: ...
    @property
    def prompt_rewritten(self) -> str | None: ...


def reword(asked: Worded, limits: Limits) -> tuple[str | None, list[str]]:
    """The prompt as the models shall read it (None: as it is), and sentences for the user.

    Models that learned from other films than the world's get a prompt as it is, and what was rewritten before is not
    rewritten again.
    RequestError where nothing of the prompt can be shown, or where a strict request has words that are not known.
    """
    before = asked.prompt_rewritten
    if not limits.rewrite or not (asked.rewrite or asked.strict):
        return before, []
    try:
        made = rewrite(asked.prompt, limits.difficulty)
    except ValueError as error:
        if before is not None:
            return before, []
        raise RequestError(str(error), "prompt") from None
    if before is not None:  # told again where it was told then, so that the same note stands in the file
        return before, [made.note] if made.note and made.text == before else []
    if asked.strict and made.unknown:
        words = ", ".join(f"{word} (nearest: {near})" if near else word for word, near in made.unknown)
        raise RequestError(
            f"prompt: got {words}, which the models don't know, expected words that they do; "
            "change the prompt, or leave 'strict' out to get the nearest.",
            "prompt",
        )
    return (made.text, [made.note] if made.note else []) if asked.rewrite else (None, [])
