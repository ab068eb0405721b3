"""Nouns: what is spoken of, and the adjectives that tell of it."""

from typing import Any

from mediagen.text.prompts.lexicon import ADJECTIVES, NOUNS
from mediagen.text.prompts.pieces import Piece

_TAKES = {  # which adjectives a noun takes, and the field they become
    "thing": {"colour": "colour", "size": "size"},
    "who": {"colour": "colour", "hair_colour": "hair_colour", "hair_look": "hair_style", "age": "age"},
    "hair": {"hair_colour": "hair_colour", "hair_look": "hair_style"},
    "hat": {"colour": "hat_colour"},
    "top": {"colour": "colour", "top_look": "top"},
    "glasses": {"glasses_look": "glasses"},
    "beard": {},
    "moustache": {},
}


class Nouns:
    """The things and the person that a text speaks of, as they are bound piece by piece; `Reader` adds what they do."""

    def __init__(self, language: str, after: bool) -> None:
        self.after, self.language = after, language
        self.things: list[dict[str, Any]] = []
        self.person: dict[str, Any] | None = None
        self.around: dict[str, str] = {}
        self.unknown: list[str] = []
        self.said: dict[str, str] = {}
        self.adjectives: list[Piece] = []  # that wait for their noun
        self.motion: Piece | None = None  # that waits for who does it
        self.direction: int | None = None  # that waits for its motion
        self.subject: dict[str, Any] | None = None
        self.head: tuple[str, dict[str, Any]] | None = None  # the noun spoken of last: its sort and where it is kept
        self.moved: dict[str, Any] | None = None  # whose direction may follow; self.around for the camera's
        self.open = self.after_preposition = self.definite = self.no = self.fresh = False

    def describes(self, pieces: list[Piece], index: int) -> bool:
        """Whether a word that may be noun or adjective is one before another noun: "junge Frau"."""
        piece = pieces[index]
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        return bool(piece.has("who") and piece.has("age") and following and following.has("who"))

    def noun(self, noun: str, piece: Piece) -> None:
        """Speaks of something: of what was spoken of before, or of one more."""
        sort = "thing" if noun in ("kind", "thing") else noun
        if sort == "thing":
            target = self._thing(piece.value(noun) if noun == "kind" else None, piece)
        else:
            target = self._somebody(noun, piece)
        if target is None:
            self.adjectives.clear()
            return
        self.head = (sort, target)
        for slot in ADJECTIVES:  # "a red cap" in one phrase
            if piece.has(slot) and (name := _TAKES[sort].get(slot)) and not (sort == "who" and slot == "age"):
                target[name] = piece.value(slot)
        waiting, self.adjectives = self.adjectives, []
        for adjective in waiting:
            self.give(adjective)
        if sort in ("thing", "who"):
            self.subject, self.fresh = target, False
        self.open = self.after_preposition = self.definite = self.no = False

    def _thing(self, kind: str | None, piece: Piece) -> dict[str, Any]:
        if kind is not None:
            same = [thing for thing in self.things if thing.get("kind") == kind]
            clash = same and any(
                name in same[-1] and same[-1][name] != adjective.value(slot)
                for adjective in self.adjectives
                for slot, name in _TAKES["thing"].items()
                if adjective.has(slot)
            )
            if same and self.definite and not clash:
                return same[-1]
            bare = self.things[-1] if self.things and self.things[-1] is self.subject else None
            if bare is not None and "kind" not in bare and bare.get("unsaid") and not self.open:
                bare["kind"] = kind
                return bare
        thing: dict[str, Any] = {"word": piece.text} | ({"kind": kind} if kind else {})
        if kind is None:
            thing["unsaid"] = True
        self.things.append(thing)
        return thing

    def _somebody(self, noun: str, piece: Piece) -> dict[str, Any] | None:
        person = self.person
        if person is None:
            person = self.person = {}
        if noun == "who":
            sex, _, age = piece.value("who").partition(" ")
            told = ({} if sex == "anyone" else {"woman": sex == "woman"}) | ({"age": age} if age else {})
            if "who" in person and any(person.get(name, value) != value for name, value in told.items()):
                if not self.definite:
                    self.unknown.append(piece.text)  # the world has one person at a time
                    return None
                return person
            person |= {"who": True, "word": piece.text, **told}
        elif noun == "moustache":
            person["moustache"] = True
        elif noun == "hair":
            if piece.value("hair"):
                person["hair_style"] = piece.value("hair")
        elif noun != "glasses" or "glasses" not in person:
            person[noun] = piece.value(noun)
        return person

    def give(self, adjective: Piece) -> bool:
        """Binds an adjective to the noun spoken of last; where that takes none such, the word is not understood."""
        if self.head is not None:
            sort, target = self.head
            for slot, name in _TAKES[sort].items():
                replaces = name in ("age", "top", "glasses")  # a noun says these by itself
                if adjective.has(slot) and (name not in target or replaces):
                    if name == "age" and adjective.value(slot) == "adult" and target.get("age") == "child":
                        return True  # "a young girl"
                    target[name] = adjective.value(slot)
                    return True
                if adjective.has(slot) and target.get(name) == adjective.value(slot):
                    return True
        self.unknown.append(adjective.text)
        return False

    def adjective(self, piece: Piece, pieces: list[Piece], index: int) -> None:
        """Binds an adjective to the noun before it, in languages that say so, or lets it wait for the next."""
        if self.after and index and not self.open and self.head and not self.adjectives:
            before = pieces[index - 1]
            beside = before.has(*NOUNS) or before.adjective or before.has("glue") is not None
            if beside and self.takes(piece) and not before.cut:
                self.give(piece)
                return
        if self.after and index and pieces[index - 1].has(*NOUNS) and self.takes(piece):
            self.give(piece)
            return
        self.adjectives.append(piece)

    def takes(self, piece: Piece) -> bool:
        """Whether the noun spoken of last lacks what an adjective says."""
        if self.head is None:
            return False
        sort, target = self.head
        return any(piece.has(slot) and name not in target for slot, name in _TAKES[sort].items())

    def leave(self) -> None:
        """Adjectives that found no noun after them tell of the one before: "it is red"."""
        if self.head is not None:
            waiting = [a for a in self.adjectives if self.takes(a)]
            self.adjectives = [a for a in self.adjectives if a not in waiting]
            for adjective in waiting:
                self.give(adjective)

    def one_more(self) -> None:
        """ "two balls, one red and one blue": another of the same kind, which does the same."""
        sort, target = self.head or ("", {})
        colours = [a for a in self.adjectives if a.has("colour")]
        if self.open and sort == "thing" and "kind" in target and len(colours) == len(self.adjectives) == 1:
            self.adjectives = []
            self.subject = {"word": target["word"], "kind": target["kind"], "beside": target}
            self.things.append(self.subject)
            self.head = ("thing", self.subject)
            self.give(colours[0])
