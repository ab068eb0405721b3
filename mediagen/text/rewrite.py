"""Prompts in anyone's words become captions as the models were taught, and what they don't know is named.

Movie Gen (arXiv 2410.13720, section 3.4.1) rewrites short prompts into the order and plain words of its training
captions. Here the meaning is read by rules and told again, so that nothing is made up.
"""

import re
from dataclasses import dataclass, replace

from mediagen.text.prompts.lexicon import plain
from mediagen.text.prompts.meaning import Known, Meaning, Somebody, Thing, known_to
from mediagen.text.prompts.motions import DIRECTED, suited
from mediagen.text.prompts.near import nearest_word, slots_near, slots_of
from mediagen.text.prompts.reading import Read, read
from mediagen.text.prompts.telling import caption
from mediagen.world import vocabulary as vo
from mediagen.world.people import PERSON_MOTIONS

_QUOTES = {'"': '"', "“": "”", "«": "»", "„": "“", "「": "」"}
_MOST = 2  # subjects of a scene
# What is nearest where a model knows less than the whole world.
_SIMPLER = {"boat": "car", "rocket": "car", "bird": "ball", "fish": "ball", "person": "ball", "small": "medium"}
_AS_THING = {"walks left": "rolls left", "walks right": "rolls right", "jumps": "bounces", "dances": "spins"}
_AS_PERSON = {"bounces": "jumps", "spins": "dances", "rests": "stands", "rolls left": "walks left",
              "rolls right": "walks right"}  # fmt: skip


@dataclass(frozen=True)
class Rewritten:
    """A prompt, and the text that the models are given for it.

    unknown: words that the models don't know, as written, each with the nearest that they do (None: nothing is near).
    corrected: mistyped words, and how they were read.  meaning: what `prompt` says, of what can be shown at all.
    made: what `text` says, which stays within what the models know.
    """

    prompt: str
    text: str
    meaning: Meaning
    made: Meaning
    unknown: tuple[tuple[str, str | None], ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()

    @property
    def note(self) -> str:
        """A sentence for the user, "" where there is nothing to say."""
        said = []
        if self.unknown:
            near = (f"{word} (nearest: {nearest})" if nearest else word for word, nearest in self.unknown)
            said.append("not known: " + ", ".join(near))
        if self.corrected:
            said.append("read " + ", ".join(f"'{word}' as '{better}'" for word, better in self.corrected))
        if not said and self.text == self.prompt:
            return ""
        return "; ".join([*said, f"made: {self.text}"])


def rewrite(prompt: str, difficulty: str = "standard") -> Rewritten:
    """`prompt` in the words that models of the world's `difficulty` were taught.

    A text in quotation marks is taken as it is, and so is one that uses nothing but the words of the world's captions.
    Of words that are not known the nearest known one is shown, where it is a thing, a place or a motion.
    ValueError where nothing of the prompt can be shown.
    """
    prompt, known = prompt.strip(), known_to(difficulty)
    found = read(prompt)
    meaning = replace(found.meaning, things=tuple(thing for thing in found.meaning.things if thing != Thing()))
    made, unknown = _nearest(found)
    made, beyond = _within(made, found, known)
    typed = {plain(word): word for word in re.findall(r"[^\W_]+", prompt)}  # as written, accents and capitals too
    named = [(word, _simpler(near, known)) for word, near in unknown] + beyond
    unknown = tuple(dict.fromkeys((typed.get(word, word), near) for word, near in named))
    if len(prompt) > 2 and _QUOTES.get(prompt[0]) == prompt[-1]:
        return Rewritten(prompt, prompt[1:-1].strip(), meaning, made, unknown)
    if not made:
        words = ", ".join(f"'{word}'" for word, _ in unknown[:5]) or f"'{prompt[:40]}'"
        raise ValueError(
            f"prompt: got {words}, of which nothing can be shown, expected a thing or a place that the models know; "
            'write for example "a red ball bounces in a meadow".'
        )
    if found.plain and not unknown:
        return Rewritten(prompt, prompt, meaning, made)
    return Rewritten(prompt, caption(made), meaning, made, unknown, tuple(found.corrected))


def _nearest(found: Read) -> tuple[Meaning, list[tuple[str, str | None]]]:
    """The meaning with the nearest known for what is not, and the words that are not known."""
    meaning = found.meaning
    unknown = [(word, nearest_word(word, found.language)) for word in dict.fromkeys(found.unknown)]
    things: list[Thing] = []
    person = meaning.person
    for index, thing in enumerate(meaning.things):
        if index not in found.stand_ins:
            things.append(thing)
            continue
        slots = slots_near(found.stand_ins[index], found.language)
        if "kind" in slots:
            things.append(replace(thing, kind=slots["kind"]))
        elif "who" in slots and person is None:
            sex, _, age = slots["who"].partition(" ")
            motion = _AS_PERSON.get(thing.motion or "")
            if thing.motion == "crosses":
                motion = DIRECTED["walks"][thing.facing != -1]
            if motion is None and thing.motion is not None:
                unknown.append((found.said.get(f"motion{index}", thing.motion), None))
            person = Somebody(woman=sex == "woman", age=age, colour=thing.colour, motion=motion)
        elif thing != Thing():
            things.append(thing)
    bare = [thing for thing in things if thing.kind is None and thing.motion is None]
    if len(things) > len(bare) or person is not None:  # a colour that belongs to nothing
        unknown += [(thing.colour or thing.size or "", None) for thing in bare]
        things = [thing for thing in things if thing not in bare]
    unknown += [(thing.kind or thing.motion or "", None) for thing in things[_MOST - (person is not None) :]]
    meaning = replace(meaning, things=tuple(things[: _MOST - (person is not None)]), person=person)
    for word, _ in unknown:
        meaning = _filled(meaning, slots_near(word, found.language))
    return meaning, unknown


def _filled(meaning: Meaning, slots: dict[str, str]) -> Meaning:
    """Where the place, the weather, the time or what happens is left open, the nearest of an unknown word."""
    for name in ("place", "weather", "time"):
        if name in slots and getattr(meaning, name) is None:
            meaning = replace(meaning, **{name: slots[name]})
    if "act" in slots and meaning.person and meaning.person.motion is None and not meaning.things:
        act = slots["act"]
        if act in PERSON_MOTIONS:
            meaning = replace(meaning, person=replace(meaning.person, motion=act))
    first = meaning.things[0] if meaning.things else None
    motion = slots.get("motion") or _AS_THING.get(slots.get("act", ""))
    if motion is not None and first is not None and first.motion is None and meaning.person is None:
        facing = int(slots["direction"]) if "direction" in slots else None
        motion, facing = suited(first.kind, motion, facing)
        first = replace(first, motion=motion, facing=facing)
        meaning = replace(meaning, things=(first, *meaning.things[1:]))
    return meaning


def _simpler(nearest: str | None, known: Known) -> str | None:
    """The nearest word that is known to a model which learned less than the whole world."""
    slots = slots_of(nearest or "")
    kind = slots.get("kind") or ("person" if "who" in slots else None)
    if kind is not None and kind not in known.kinds and not (kind == "person" and known.people):
        return _SIMPLER[kind]
    if "act" in slots and not known.people:
        return _AS_THING.get(slots["act"])
    return None if slots.get("weather", "clear") not in known.weathers else nearest


def _within(meaning: Meaning, found: Read, known: Known) -> tuple[Meaning, list[tuple[str, str | None]]]:
    """The meaning in what a model knows, and the words that go beyond."""
    beyond: list[tuple[str, str | None]] = []
    for name, values, nearest in (
        ("weather", known.weathers, vo.WEATHER_WORDS["clear"][0]),
        ("camera", known.cameras, vo.CAMERA_WORDS["still"][0].lower()),
        ("style", known.styles, vo.STYLE_WORDS["plain"][0]),
    ):
        value = getattr(meaning, name)
        if value is not None and value not in values:
            beyond.append((found.said.get(name) or str(value), nearest))
            meaning = replace(meaning, **{name: None})
    things = list(meaning.things)
    if meaning.person is not None and not known.people:
        person = meaning.person
        if found.meaning.person is not None:
            beyond.append((found.said.get("person", "person"), _SIMPLER["person"]))
        if not things:
            motion = _AS_THING.get(person.motion or "")
            things = [Thing(_SIMPLER["person"], person.colour, None, motion)]
        meaning = replace(meaning, person=None)
    for index, thing in enumerate(things):
        if thing.kind is not None and thing.kind not in known.kinds:
            if index not in found.stand_ins:
                beyond.append((found.said.get(f"kind{index}") or thing.kind, _SIMPLER[thing.kind]))
            kind = _SIMPLER[thing.kind]
            motion, facing = suited(kind, thing.motion, thing.facing)
            thing = replace(thing, kind=kind, motion=motion, facing=facing)
        if thing.size is not None and thing.size not in known.sizes:
            beyond.append((found.said.get(f"size{index}") or thing.size, _SIMPLER[thing.size]))
            thing = replace(thing, size=_SIMPLER[thing.size])
        things[index] = thing
    return replace(meaning, things=tuple(things)), beyond
