"""Lexicon: every phrase that means something in the world, in one language, from the world's tables and `languages`.

A phrase means slots and values. Nouns: kind, thing, who ("woman adult"), hair, hat, top, glasses, beard, moustache.
Adjectives: colour, hair_colour, size, age, hair_look, glasses_look, top_look. What happens: motion (of a thing), act
(of a person), direction (1 right, -1 left). Around it: place, weather, time, sunny, style, camera, shot, mood. Words
without a meaning: article, preposition, glue, no, detail.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from mediagen.text.prompts.languages import chinese, english, french, german, portuguese, spanish
from mediagen.world import people_words as pw
from mediagen.world import vocabulary as vo

TABLES = {"en": english, "de": german, "fr": french, "es": spanish, "pt": portuguese, "zh": chinese}
NOUNS = ("kind", "thing", "who", "hair", "hat", "top", "glasses", "beard", "moustache")
ADJECTIVES = ("colour", "hair_colour", "size", "age", "hair_look", "glasses_look", "top_look")
EMPTY = ("article", "preposition", "glue", "no", "detail")  # say nothing of the scene
_CUTS = ".!?;:,\n。，；：！？、()[]–—|"
_CJK = "\u4e00-\u9fff"
_TOKEN = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+|[{re.escape(_CUTS)}]")


@dataclass
class Entry:
    """What a phrase means: value by slot; world: whether captions of the world say it so."""

    slots: dict[str, str] = field(default_factory=dict)
    world: bool = False


@dataclass
class Lexicon:
    """The phrases of one language.

    phrases: by their words.  longest: words of the longest.  near: unknown word -> nearest English words of the world.
    words: all that occur in phrases.  telling: those that say something of the scene; plainest: those of things,
    colours, places and motions.  real: others that are no typos.  foreign: the phrases of `near`.
    after: adjectives follow their nouns.
    """

    language: str
    after: bool
    phrases: dict[tuple[str, ...], Entry] = field(default_factory=dict)
    near: dict[str, str] = field(default_factory=dict)
    foreign: set[tuple[str, ...]] = field(default_factory=set)
    longest: int = 1
    words: frozenset[str] = frozenset()
    telling: frozenset[str] = frozenset()
    plainest: frozenset[str] = frozenset()
    real: frozenset[str] = frozenset()

    def add(self, text: str, slots: dict[str, str], world: bool = False) -> None:
        """A phrase; one that has the slot already keeps it."""
        words = tuple(tokens(text))
        if not words:
            return
        entry = self.phrases.setdefault(words, Entry())
        entry.slots = {**slots, **entry.slots}
        entry.world |= world
        self.longest = max(self.longest, len(words))


def plain(text: str) -> str:
    """Lower case without accents: how words are compared."""
    text = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return "".join(c for c in text if not unicodedata.combining(c))


def tokens(text: str) -> list[str]:
    """The words of a text, each Chinese character one, and the marks that part sentences."""
    return _TOKEN.findall(plain(text))


def is_cut(token: str) -> bool:
    """Whether a token is a mark and no word."""
    return token in _CUTS


@cache
def lexicon(language: str) -> Lexicon:
    """The phrases of one of TABLES; those of English stand behind every other language's."""
    table = TABLES[language]
    made = Lexicon(language, table.AFTER)
    if language == "en":
        _add_world(made)
    for slot, values in table.WORDS.items():
        for value, phrases in values.items():
            slots = {slot: value}
            if slot == "sunny":
                slots = {"weather": "clear", "time": "day"}
            for phrase in _forms(phrases, table.ENDINGS):
                for form in _verbs(phrase) if language == "en" and slot in ("motion", "act") else (phrase,):
                    made.add(form, slots)
                    if "ä" in form or "ö" in form or "ü" in form:
                        made.add(form.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue"), slots)
    for slot, phrases in (("article", table.ARTICLES), ("preposition", table.PREPOSITIONS), ("glue", table.GLUE)):
        for phrase in _forms(phrases, table.ENDINGS):
            made.add(phrase, {slot: ""})
    for word, nearest in ((word, key) for key, words in table.NEAR.items() for word in words.split()):
        words = tuple(tokens(word.replace("_", " ")))
        key = "".join(words) if language == "zh" else " ".join(words)
        made.near[key] = f"{made.near.get(key, '')}|{nearest}".strip("|")
        made.foreign.add(words)
        made.longest = max(made.longest, len(words))
    made.words = frozenset(word for phrase in made.phrases for word in phrase if len(word) > 1)
    made.telling = frozenset(
        word
        for phrase, entry in made.phrases.items()
        if not set(entry.slots) <= set(EMPTY)
        for word in phrase
        if set(made.phrases.get((word,), Entry({"part": ""})).slots) - set(EMPTY)
    )
    made.plainest = frozenset(
        word
        for word in made.telling
        if {"kind", "colour", "place", "motion"} & set(made.phrases.get((word,), Entry()).slots)
    )
    made.real = frozenset(word for known in made.near for word in known.split()) | frozenset(_real(table))
    if language != "en":
        behind = lexicon("en")
        made.phrases = {**behind.phrases, **made.phrases}
        made.foreign |= behind.foreign
        made.near = {**behind.near, **made.near}
        made.longest = max(made.longest, behind.longest)
    return made


def _real(table: object) -> list[str]:
    return str(getattr(table, "REAL", "")).split()


def _forms(phrases: str, endings: tuple[str, ...]) -> Iterator[str]:
    for phrase in phrases.replace("\n", " ").split(","):
        words = [[word[:-1] + end for end in endings] if word.endswith("~") else [word] for word in phrase.split()]
        yield from (" ".join(choice) for choice in product(*words))


_IRREGULAR = frozenset(["i", "fall", "fly", "swim", "spin", "rise", "go", "drive", "stand", "sit", "lie"])


def base_of(verb: str) -> str:
    """ "flies" as "fly"."""
    return verb[:-3] + "y" if verb.endswith("ies") else verb[:-1]


def _verbs(phrase: str) -> tuple[str, ...]:
    """ "bounces off" also as "bounce off" and "bounced off"."""
    first, _, rest = phrase.partition(" ")
    if not first.endswith("s") or first.endswith("ss") or base_of(first) in _IRREGULAR:
        return (phrase,)
    base = base_of(first)
    bases = [base, first[:-2]] if first.endswith(("shes", "ches", "sses", "xes", "oes")) else [base]
    bases += [f"{bases[-1]}d" if bases[-1].endswith("e") else f"{bases[-1]}ed"]
    return (phrase, *(f"{one} {rest}".strip() for one in bases))


def _add_world(made: Lexicon) -> None:
    """The tables that captions of the world are composed from."""
    colours = [(word, name) for name, words in vo.COLOUR_WORDS.items() for word in words]
    hairs = [(word, name) for name, words in pw.HAIR_COLOUR_WORDS.items() for word in words]
    simple: list[tuple[str, dict[str, tuple[str, ...]]]] = [
        ("kind", vo.KIND_WORDS),
        ("size", vo.SIZE_WORDS),
        ("weather", vo.WEATHER_WORDS),
        ("time", vo.TIME_WORDS),
        ("style", vo.STYLE_WORDS),
        ("camera", vo.CAMERA_WORDS),
        ("glasses", pw.GLASSES_WORDS),
        ("beard", {name: tuple(_bare(word) for word in words) for name, words in pw.BEARD_WORDS.items()}),
    ]
    for slot, table in simple:
        for value, words in table.items():
            for word in words:
                made.add(word, {slot: value}, True)
    for place, words in vo.PLACE_WORDS.items():
        for word in words:
            made.add(word.split("|")[1], {"place": place}, True)
    for word in vo.SUNNY_WORDS:
        made.add(word, {"weather": "clear", "time": "day"}, True)
    for shade, (word, name) in product(("", "dark ", "light ", "bright ", "deep ", "pale ", "neon "), colours):
        made.add(shade + word, {"colour": name}, not shade)
    for word, name in hairs:
        made.add(word, {"hair_colour": name}, True)
    for zoom in ("zoom in", "zoom out"):
        made.add(f"The camera {zoom.replace('zoom', 'zooms')} on", {"camera": zoom}, True)
    for (woman, age), words in pw.PERSON_WORDS.items():
        for word in words:
            made.add(word, {"who": f"{'woman' if woman else 'man'} {age}"}, True)
    for slot, table, tints, tint in (
        ("hair", pw.HAIR_WORDS, hairs, "hair_colour"),
        ("hat", pw.HAT_WORDS, colours, "colour"),
        ("top", pw.TOP_WORDS, colours, "colour"),
    ):
        for value, forms in table.items():
            for form, (word, name) in product(forms, tints):
                slots = {slot: value, tint: name} if "{c}" in form else {slot: value}
                made.add(_bare(form.format(c=word)), slots, True)
    _add_motions(made)
    for word in pw.MOUSTACHE_WORDS:
        made.add(_bare(word), {"moustache": ""}, True)
    for word in (*pw.FRECKLE_WORDS, *pw.EARRING_WORDS):
        made.add(word, {"detail": ""}, True)
    for frames, shot in ((pw.PORTRAIT_FRAMES, "portrait"), (pw.FIGURE_FRAMES, "figure")):
        for form in frames:
            made.add(_bare(form.format("")), {"shot": shot}, True)
    for mood, words in vo.MOOD_WORDS.items():
        for word, noun in product(words, ("music", "background music", "melody", "tune")):
            made.add(f"{word} {noun}", {"mood": mood}, True)
    _add_joints(made)


def _add_motions(made: Lexicon) -> None:
    things = [(motion, word) for motion, words in vo.MOTION_WORDS.items() for word in words]
    things += [("crosses", word) for words in vo.CROSSING_WORDS.values() for word in words]
    for motion, word in things:
        sides = (("right", "left"), ("left", "right")) if "{d}" in word else ((None, None),)
        for side, other in sides:
            slots = {"motion": motion} | ({"direction": "1" if side == "right" else "-1"} if side else {})
            for form in word.replace("{d}", side or "").replace("{o}", other or "").split("|"):
                for verb in _verbs(form):
                    made.add(verb, slots, True)
    for act, words in pw.PERSON_MOTION_WORDS.items():
        for word, his in product(words, ("his", "her", "their", "the")):
            for form in word.replace("{h}", his).split("|"):
                for verb in _verbs(form):
                    made.add(verb, {"act": act}, True)


def _add_joints(made: Lexicon) -> None:
    """The words between: of the world's sentence forms, frames and harmless extras."""
    forms: Iterable[str] = (*vo.CLAUSES, *vo.STILL_CLAUSES, *vo.PAIR_CLAUSES, *vo.FRAMES, *vo.EXTRAS)
    befores = (word.split("|")[0] for words in vo.PLACE_WORDS.values() for word in words)
    joints = ("with a an wearing dressed in and while her his their",)
    for word in (token for form in (*forms, *befores, *joints) for token in tokens(re.sub(r"\{\w*\}", " ", form))):
        if not is_cut(word) and word not in ("two", "things"):  # "two things" is a phrase; "two cars" are too many
            made.add(word, {}, True)
    for form in vo.FRAMES:
        made.add(re.sub(r"\{\w*\}", " ", form), {"shot": "portrait"} if "close" in form else {"glue": ""}, True)
    for word in (*vo.EXTRAS, "two things"):
        made.add(word, {"glue": ""}, True)


def _bare(phrase: str) -> str:
    return re.sub(r"^(a|an|the) ", "", phrase.strip())
