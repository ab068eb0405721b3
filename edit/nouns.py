"""Which things an instruction names, of those that the world knows: what is to be found in the film."""

import re

from mediagen.world.people_words import PERSON_WORDS
from mediagen.world.vocabulary import KIND_WORDS

_PRONOUNS = {"her": "woman", "she": "woman", "him": "man", "his": "man", "he": "man"}
_PEOPLE = {word for words in PERSON_WORDS.values() for word in words} | {"person"}
NOUNS: dict[str, str] = {
    **{word: words[0] for words in KIND_WORDS.values() for word in words},
    **{word: word for word in _PEOPLE},
    **_PRONOUNS,
}
_FIND = re.compile(r"\b(" + "|".join(sorted(map(re.escape, NOUNS), key=len, reverse=True)) + r")s?\b", re.IGNORECASE)


def named(instruction: str) -> list[str]:
    """The things named, each once and by its plainest word, in their order: "turn the hoop into a ship" is ring, boat.

    People are named as they are ("the old man"), pronouns by man or woman.
    """
    found = (NOUNS[match.group(1).lower()] for match in _FIND.finditer(instruction))
    return list(dict.fromkeys(found))


def sought(task: str, instruction: str) -> tuple[list[str], list[str]]:
    """What must be found in the film, and what in the edited one, for a local task.

    Of a thing that is replaced it cannot be said which of the two is named first, so that both are sought in both.
    """
    names = named(instruction)
    if task == "add":
        return [], names[:1]
    if task == "remove":
        return names[:1], []
    if task == "replace":
        return names[:2], names[:2]
    return names[:1], names[:1]
