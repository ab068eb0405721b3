"""Near: the known word that is nearest to an unknown one, by tables of what is like what, or by spelling."""

import difflib

from mediagen.text.prompts.lexicon import lexicon, plain
from mediagen.world import vocabulary as vo


def nearest_word(word: str, language: str = "en") -> str | None:
    """The nearest word of the world, in English; None where nothing is near."""
    near = _near(word, language)
    if near:
        return near[0]
    if tuple(plain(word).split()) in lexicon(language).phrases:
        return None  # known, but too much: a third thing, a second motion
    words = [choice for table in (vo.KIND_WORDS, vo.PLACE_WORDS, vo.COLOUR_WORDS) for choice in table]
    close = difflib.get_close_matches(plain(word), words, n=1, cutoff=0.75)
    return close[0] if close else None


def slots_near(word: str, language: str) -> dict[str, str]:
    """What the nearest words of the world mean: value by slot, as in `lexicon.Entry`."""
    slots: dict[str, str] = {}
    for near in _near(word, language):
        slots = {**slots_of(near), **slots}
    return slots


def slots_of(phrase: str) -> dict[str, str]:
    """What an English phrase of the lexicon means; {} for one that it lacks."""
    entry = lexicon("en").phrases.get(tuple(phrase.split()))
    return entry.slots if entry else {}


def _near(word: str, language: str) -> list[str]:
    words = lexicon(language)
    key = plain(word).replace("-", " ")
    singular = (key[:-3] + "y" if key.endswith("ies") else key[:-1],) if key.endswith("s") else ()
    for name in (key, *singular, *reversed(key.split())):
        if name in words.near:
            return words.near[name].split("|")
    entry = words.phrases.get(tuple(key if language == "zh" else key.split()))
    for value in entry.slots.values() if entry else ():  # known, but not of this: brown hair, but no brown ball
        for name in (value, value + "s"):
            if name in lexicon("en").near:
                return lexicon("en").near[name].split("|")
    return []
