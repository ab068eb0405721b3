"""Pieces: a text cut into the longest phrases that the lexicon has, and words that it lacks."""

from dataclasses import dataclass

from mediagen.text.prompts.lexicon import ADJECTIVES, NOUNS, TABLES, Entry, Lexicon, is_cut, lexicon, tokens
from mediagen.text.prompts.typos import corrected


@dataclass
class Piece:
    """A phrase or a word. entry: None where it is unknown.  cut: whether it is a mark that parts sentences."""

    text: str
    entry: Entry | None
    cut: bool = False

    def has(self, *slots: str) -> str | None:
        """The first of `slots` that the piece says."""
        return next((slot for slot in slots if self.entry and slot in self.entry.slots), None)

    def value(self, slot: str) -> str:
        """What it says in a slot."""
        return self.entry.slots[slot] if self.entry else ""

    @property
    def adjective(self) -> bool:
        """Whether it tells of a noun and is none."""
        return self.has(*ADJECTIVES) is not None and self.has(*NOUNS) is None


def language_of(text: str) -> str:
    """The language that knows most of the words; English where none knows more."""
    words = [token for token in tokens(text) if not is_cut(token)]
    if any("\u4e00" <= word <= "\u9fff" for word in words):
        return "zh"
    counts = {
        name: sum(word in lexicon(name).words or word in lexicon(name).real for word in words)
        for name in TABLES
        if name != "zh"
    }
    return max(counts, key=lambda name: counts[name])


def pieces_of(text: str, words: Lexicon, synonyms: bool, typos: bool) -> tuple[list[Piece], list[tuple[str, str]]]:
    """The pieces of a text, and the words that were corrected: (as typed, as read); see `reading.read`."""
    said, fixed = tokens(text), []
    if typos:
        for index, token in enumerate(said):
            better = corrected(token, words)
            if better is not None:
                fixed.append((token, better))
                said[index] = better
    pieces, start = [], 0
    while start < len(said):
        for length in range(min(words.longest, len(said) - start), 0, -1):
            phrase = tuple(said[start : start + length])
            entry = words.phrases.get(phrase)
            if entry is None and synonyms and phrase in words.foreign:
                pieces.append(Piece(_joined(phrase), None))
                start += length
                break
            if entry is not None and (
                synonyms or entry.world or set(entry.slots) <= {"article", "preposition", "glue"}
            ):
                pieces.append(Piece(_joined(phrase), entry))
                start += length
                break
        else:
            token = said[start]
            pieces.append(Piece(token, None, cut=is_cut(token)))
            start += 1
    return (_runs(pieces, words) if words.language == "zh" else pieces), fixed


def _runs(pieces: list[Piece], words: Lexicon) -> list[Piece]:
    """Unknown characters side by side as one word."""
    made: list[Piece] = []
    for piece in pieces:
        last = made[-1] if made else None
        alone = piece.entry is None and not piece.cut and tuple(piece.text) not in words.foreign
        if alone and last and last.entry is None and not last.cut and tuple(last.text) not in words.foreign:
            last.text += piece.text
        else:
            made.append(piece)
    return made


def _joined(phrase: tuple[str, ...]) -> str:
    return ("" if "\u4e00" <= phrase[0] <= "\u9fff" else " ").join(phrase)
