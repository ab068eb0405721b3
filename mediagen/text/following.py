"""Following: a scene's words, with what they leave open taken from the scene before.

"it bounces", after a red ball in a meadow, is a red ball that bounces in that meadow. The reading is `rewrite`'s.
"""

import re
from dataclasses import replace
from typing import TypeVar

from mediagen.text.prompts.meaning import Meaning, Somebody, Thing
from mediagen.text.prompts.motions import suited
from mediagen.text.prompts.telling import caption
from mediagen.text.rewrite import Rewritten, rewrite
from mediagen.world import vocabulary as vo
from mediagen.world.people_words import PERSON_WORDS

S = TypeVar("S", Thing, Somebody)
# "it" of the weather and the hour names nothing.
_HOUR = r"(?!\s+(?:rains|snows|gets|becomes|grows|(?:is|'s)\s+(?:raining|snowing|foggy|sunny|getting|night|day|dark)))"
_PRONOUN = re.compile(rf"\b(?:it{_HOUR}|he|she|they)\b", re.IGNORECASE)
_OTHERS = re.compile(r"^(?:er|sie|es|il|elle|él|ella|ele|ela)\b|^(?:然后)?(?:它|他|她)", re.IGNORECASE)  # left out
_QUOTED = ('"', "“", "«", "„", "「")


def follow(prompt: str, before: Meaning | None, difficulty: str = "standard") -> Rewritten:
    """`rewrite`, for a prompt that comes after a scene which meant `before` (None: after none).

    A pronoun is read as that scene's first subject; of a subject that both have, colour, size and looks stay where the
    prompt says no others, and so do place, style and, where the place is the same, weather and time. A text in
    quotation marks is taken as it is.
    ValueError as in `rewrite`.
    """
    if before is None or prompt.strip().startswith(_QUOTED):
        return rewrite(prompt, difficulty)
    subject = _name(before)
    named = _OTHERS.sub("", _PRONOUN.sub(subject, prompt, count=1)).strip() if subject else prompt
    found = rewrite(named, difficulty)
    made = _filled(found.made, before)
    if named == prompt and made == found.made:
        return found
    return replace(found, prompt=prompt.strip(), text=caption(made), made=made)


def _name(meaning: Meaning) -> str:
    """The first subject as a prompt would call it."""
    if meaning.person is not None:
        return "the " + PERSON_WORDS[meaning.person.woman is not False, meaning.person.age or "adult"][0]
    kind = meaning.things[0].kind if meaning.things else None
    return f"the {vo.KIND_WORDS[kind][0]}" if kind else ""


def _filled(made: Meaning, before: Meaning) -> Meaning:
    elsewhere = made.place not in (None, before.place)  # where another hour and weather may be
    carried = ("style",) if elsewhere else ("place", "weather", "time", "style")
    around = {name: getattr(made, name) or getattr(before, name) for name in carried}
    if made.person is None and all(thing.kind is None for thing in made.things):
        said = made.things[0] if made.things else Thing()
        if made.time is not None and said == Thing(motion="falls"):  # "night falls"
            said = Thing()
        return replace(made, person=_moved(before.person, said), things=_moved_things(before, said), **around)
    person = made.person
    if person is not None and before.person is not None and _same(person, before.person):
        person = _over(before.person, person)
    things = []
    for thing in made.things:
        same = next((old for old in before.things if old.kind == thing.kind), None)
        things.append(thing if same is None or thing.kind is None else _over(replace(same, motion=None), thing))
    return replace(made, person=person, things=tuple(things), **around)


def _moved_things(before: Meaning, said: Thing) -> tuple[Thing, ...]:
    """The things of the scene before, the first of them as is said now, unless that is of a person."""
    if not before.things or before.person is not None:
        return before.things
    first = _over(before.things[0], said)
    motion, facing = suited(first.kind, first.motion, first.facing)
    return (replace(first, motion=motion, facing=facing), *before.things[1:])


def _moved(person: Somebody | None, said: Thing) -> Somebody | None:
    return person if person is None or said.colour is None else replace(person, colour=said.colour)


def _same(one: Somebody, other: Somebody) -> bool:
    """Whether they may be one person, by what is said of both."""
    return all(getattr(one, name) in (None, getattr(other, name)) for name in ("woman", "age"))


def _over(old: S, new: S) -> S:
    """`old`, with what is said of `new`."""
    return replace(old, **{name: value for name, value in vars(new).items() if value is not None})
