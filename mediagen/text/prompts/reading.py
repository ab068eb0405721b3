"""Reading: free text to what it means, by rules; what is not understood is kept, word by word.

The text becomes pieces (the longest phrase of the lexicon that fits, or an unknown word), which are bound as in plain
speech: an adjective to the noun beside it, what happens to who was spoken of last, or to who comes next.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from mediagen.text.prompts.lexicon import ADJECTIVES, NOUNS, Entry, lexicon
from mediagen.text.prompts.meaning import Meaning, Somebody, Thing
from mediagen.text.prompts.motions import DIRECTED, directed, suited
from mediagen.text.prompts.near import slots_near
from mediagen.text.prompts.nouns import Nouns
from mediagen.text.prompts.pieces import Piece, language_of, pieces_of


@dataclass
class Read:
    """What was read. unknown: words that nothing was made of.  corrected: (as typed, as read).

    stand_ins: the unknown nouns by the index of the thing they stand for.  plain: whether captions of the world say it
    so, word by word.
    """

    meaning: Meaning
    language: str
    unknown: list[str] = field(default_factory=list)
    corrected: list[tuple[str, str]] = field(default_factory=list)
    stand_ins: dict[int, str] = field(default_factory=dict)
    plain: bool = False
    said: dict[str, str] = field(default_factory=dict)  # "place", "motion0" ... -> the words that said it


def read(text: str, language: str | None = None, *, synonyms: bool = True, typos: bool = True) -> Read:
    """What `text` means.

    synonyms: without them only the world's own words are read.  typos: without, a word is known only as it is written.
    """
    language = language or (language_of(text) if synonyms else "en")
    words = lexicon(language)
    reader = Reader(language, words.after)
    pieces, fixed = pieces_of(text, words, synonyms, typos)
    reader.bind(pieces)
    result = reader.result()
    for typed, better in [pair for pair in fixed if pair[1] in result.unknown]:  # read so, it made no sense either
        result.unknown = [typed if word == better else word for word in result.unknown]
        fixed.remove((typed, better))
    result.corrected = fixed
    world = all(piece.cut or (piece.entry is not None and piece.entry.world) for piece in pieces)
    result.plain = world and not (fixed or result.unknown)
    return result


class Reader(Nouns):
    """Binds the pieces of one text."""

    def bind(self, pieces: list[Piece]) -> None:
        """Takes in the whole text."""
        self.fresh = True  # nobody was spoken of yet in this sentence
        for index, piece in enumerate(pieces):
            if piece.cut:
                self.leave()
                self.one_more()
                if piece.text in ".!?;\n。！？；":
                    self.fresh, self.direction = True, None
                self.open = self.after_preposition = self.no = False
            elif piece.entry is None:
                self._unknown(piece, pieces, index)
            elif self.no and piece.has(*NOUNS, "weather", "motion", "mood", "act"):
                self._without(piece)
            elif (noun := piece.has(*NOUNS)) and not self.describes(pieces, index):
                self.noun(noun, piece)
            elif piece.has(*ADJECTIVES):
                self.adjective(piece, pieces, index)
            else:
                self._other(piece, pieces, index)
        self.leave()
        self.one_more()
        self._end()
        both = any(piece.text == "both" for piece in pieces)
        for before, thing in zip(self.things, self.things[1:], strict=False):
            if "motion" not in before and "motion" in thing and (both or thing.get("beside") is before):
                before |= {name: thing[name] for name in ("motion", "facing") if name in thing}

    def noun(self, noun: str, piece: Piece) -> None:
        """As `Nouns.noun`; who is spoken of first does what was said before: "bouncing, a ball"."""
        super().noun(noun, piece)
        target = self.subject
        waits = self.motion is not None and piece.has("kind", "thing", "who")
        if waits and target is not None and "motion" not in target:
            self._do_waiting(target)

    def _other(self, piece: Piece, pieces: list[Piece], index: int) -> None:
        if piece.has("motion", "act"):
            self._happens(piece, pieces, index)
        elif piece.has("direction"):
            self._side(piece, pieces, index)
        elif piece.has("camera"):
            self.leave()
            self._tell("camera", piece)
            self.moved = self.around if piece.value("camera") == "pan" else None
            if self.direction is not None and self.moved is not None:
                self._turn(self.around, "camera", self.direction)
        for slot in ("place", "weather", "time", "style", "shot", "mood"):
            if piece.has(slot):
                if slot != "place" or self.head is not None:
                    self.leave()
                self._tell(slot, piece)
        if piece.has("place"):
            self.adjectives = [a for a in self.adjectives if not self.after_preposition or not a.has("size", "colour")]
            self.open = self.after_preposition = False
        if piece.has("article") and not (index and piece.text == "that" and pieces[index - 1].has(*NOUNS)):
            if not (self.after and self.adjectives):
                self.leave()
            self.open, self.definite = True, piece.text in _DEFINITE
        if piece.has("preposition") and not piece.has("article"):
            self.leave()
            self.after_preposition = True
        if piece.has("no"):
            self.no = True

    def _tell(self, slot: str, piece: Piece) -> None:
        if slot == "camera" and self.around.get("camera", "pan") != "pan" and piece.value(slot) == "pan":
            return
        said = self.around.get(slot)
        if said is not None and said != piece.value(slot) and slot in ("place", "weather", "camera"):
            if slot == "camera" and said in DIRECTED["pan"] and piece.value(slot) == "pan":
                return
            self.unknown.append(piece.text)  # two of a sort: one is shown, the other one named
            return
        self.around[slot] = piece.value(slot)
        self.said[slot] = piece.text

    def _happens(self, piece: Piece, pieces: list[Piece], index: int) -> None:
        ahead = next((p for p in pieces[index + 1 :] if not p.adjective), None)
        before_noun = self.open or (
            self.fresh and ahead is not None and not ahead.cut and (ahead.has("kind", "who") or ahead.entry is None)
        )
        if not before_noun:
            self.leave()
        target = self.subject
        if not before_noun and target is not None and "motion" in target and piece.has("motion"):
            if piece.value("motion") == target["motion"]:
                return
            if target["motion"] == "crosses" and target.get("facing") is None:  # "flies, in circles"
                target["motion"] = piece.value("motion")
                return
        if before_noun or target is None or "motion" in target:
            before = self.motion
            says_more = before is not None and before.has("motion") and before.value("motion") in (
                "crosses", piece.value("motion") if piece.has("motion") else None
            )  # fmt: skip
            if before is not None and not says_more:
                self.unknown.append(before.text)
            self.motion = piece
            if target is None or before_noun:
                self.moved = None
            return
        self._move(piece, target)

    def _do_waiting(self, target: dict[str, Any]) -> None:
        motion, self.motion = self.motion, None
        if motion is not None:
            self._move(motion, target)

    def _move(self, piece: Piece, target: dict[str, Any]) -> None:
        slot = "act" if target is self.person else "motion"
        if not piece.has(slot):
            self.unknown.append(piece.text)
            return
        target["motion"], target["did"] = piece.value(slot), piece.text
        self.moved = target
        side = int(piece.value("direction")) if piece.has("direction") else self.direction
        self.direction = None
        if side is not None:
            self._turn(target, "motion", side)

    def _side(self, piece: Piece, pieces: list[Piece], index: int) -> None:
        side = int(piece.value("direction"))
        ahead = pieces[index + 1] if index + 1 < len(pieces) else None
        if (ahead and ahead.has("motion", "act", "camera") and not self.open) or self.moved is None:
            self.direction = side
            if self.motion is not None:
                self.motion = replace(
                    self.motion, entry=Entry({**_slots(self.motion), "direction": piece.value("direction")})
                )
                self.direction = None
            return
        self._turn(self.moved, "camera" if self.moved is self.around else "motion", side)

    def _turn(self, target: dict[str, Any], name: str, side: int) -> None:
        motion = target.get(name)
        if motion == "crosses":
            target["facing"] = side
        elif motion in DIRECTED:
            target[name] = DIRECTED[motion][side > 0]

    def _unknown(self, piece: Piece, pieces: list[Piece], index: int) -> None:
        self.unknown.append(piece.text)
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        like = slots_near(piece.text, self.language)
        named = bool({"kind", "who"} & set(like))  # a noun, as far as the tables know
        if not (self.open or named) and self.subject is not None and piece.text.endswith(("s", "ing", "ed")):
            self.leave()  # more likely what happens than a noun
        if self.no:
            self.no = False
            return
        if clothes := {slot: like[slot] for slot in ("top", "hat") if slot in like}:
            self.noun(next(iter(clothes)), Piece(piece.text, Entry(clothes)))
            return
        adjective = following is not None and following.adjective and not self.after
        if following is not None and (
            following.has("kind") or (not named and (following.has("hat", "top", "who", "hair") or adjective))
        ):
            return  # an adjective that is not known
        if {"motion", "act"} & set(like) and not named:
            return
        noun = self.open or bool(self.adjectives) or self.fresh
        if noun and not named and following is not None and following.entry is None and not following.cut:
            return  # the last of several is the noun
        if self.after_preposition and named and self.subject and self.subject.get("stand_in") == "unlike":
            self.subject |= {"word": piece.text, "stand_in": "like"}  # "a litter of puppies"
            for adjective in self.adjectives:
                self.give(adjective)
            self.adjectives = []
        elif self.after_preposition and not (named and self.subject is None):
            self.adjectives.clear()
        elif noun or (named and self.subject is None):
            stand_in: dict[str, Any] = {"word": piece.text, "stand_in": "like" if named else "unlike"}
            self.things.append(stand_in)
            self.head = ("thing", stand_in)
            waiting, self.adjectives = self.adjectives, []
            for adjective in waiting:
                self.give(adjective)
            self.subject, self.fresh = stand_in, False
            self._do_waiting(stand_in)
        self.open = self.after_preposition = self.definite = False

    def _without(self, piece: Piece) -> None:
        self.adjectives.clear()
        self.no = False
        for name in ("hat", "glasses", "beard"):
            if piece.has(name) and self.person is not None:
                self.person[name] = "none"
        if piece.has("weather"):
            self.around["weather"] = "clear"

    def _end(self) -> None:
        if self.adjectives and self.head is None:
            thing: dict[str, Any] = {"word": "", "unsaid": True}
            self.things.append(thing)
            self.head, self.subject = ("thing", thing), thing
            self.leave()
        if self.motion is not None:
            target = next((t for t in reversed(self.things) if "motion" not in t), None)
            if target is None and self.person is not None and "motion" not in self.person:
                target = self.person
            if target is None and not self.things and self.person is None:
                target = {"word": "", "unsaid": True}
                self.things.append(target)
            if target is None:
                self.unknown.append(self.motion.text)
            else:
                self._move(self.motion, target)
        self.unknown += [adjective.text for adjective in self.adjectives]

    def result(self) -> Read:
        """What was bound."""
        things, stand_ins = [], {}
        for values in self.things:
            motion, facing = suited(values.get("kind"), values.get("motion"), values.get("facing"))
            values |= {"motion": motion, "facing": facing}
            self.said[f"motion{len(things)}"] = values.get("did", "")
            self.said[f"kind{len(things)}"] = values["word"]
            thing = Thing(**{k: v for k, v in values.items() if k in Thing.__dataclass_fields__})
            if values.get("stand_in"):
                stand_ins[len(things)] = values["word"]
            elif thing == Thing():
                continue
            things.append(thing)
        person = None
        if self.person is not None:
            self.said["person"] = self.person.get("word", "person")
            self.person["motion"] = directed(self.person.get("motion"))
            person = Somebody(**{k: v for k, v in self.person.items() if k in Somebody.__dataclass_fields__})
            if "shot" in self.around:
                person = replace(person, shot=self.around["shot"])
        around = {name: directed(value) for name, value in self.around.items() if name != "shot"}
        meaning = Meaning(things=tuple(things), person=person, **around)
        return Read(meaning, self.language, self.unknown, [], stand_ins, False, self.said)


def _slots(piece: Piece) -> dict[str, str]:
    return piece.entry.slots if piece.entry else {}


_DEFINITE = frozenset(
    word
    for words in ("the this that", "der die das den dem", "le la l les ce cet cette", "el los las o os as", "这个 那个")
    for word in words.split()
)
