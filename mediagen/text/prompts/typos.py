"""Typos: the word that was meant, by how few strokes part it from one that the lexicon has."""

from functools import cache, lru_cache

from mediagen.text.prompts.lexicon import Lexicon, lexicon

LONG = 9  # letters of a word in which two strokes may be wrong


def corrected(word: str, words: Lexicon) -> str | None:
    """The word of the lexicon that `word` mistypes, None where it is one itself, or is like none.

    One stroke (a letter too many, too few, another, or two swapped), two in words of LONG letters. A word of up to five
    letters is never another by one letter alone, for most such are words: "wall" is no "ball". What shows nothing
    ("the", "into") is only meant where two letters are swapped.
    """
    return None if words.language == "zh" else _corrected(word, words.language)


@lru_cache(4096)
def _corrected(word: str, language: str) -> str | None:
    words = lexicon(language)
    known = word in words.words or word in words.real or (word,) in words.phrases or (word,) in words.foreign
    if known or len(word) < 2 or not word.isalpha():
        return None
    allowed = 2 if len(word) >= LONG else 1
    best: tuple[float, str] | None = None
    near = _shorter(word, allowed)
    for known in set().union(*(_index(language).get(short, ()) for short in near)):
        swapped = len(word) == len(known) and sorted(word) == sorted(known)
        if not swapped and (known not in words.telling or (len(word) <= 5 and len(word) == len(known))):
            continue
        strokes = distance(word, known, allowed)
        if strokes > allowed:
            continue
        # Which of several: fewer strokes, the same first letter, a letter left out
        # before one too many, what is most spoken of.
        cost = strokes + 0.3 * (word[0] != known[0]) + 0.2 * (len(word) > len(known)) + 0.01 * len(known)
        cost += 0.15 * (known not in words.plainest)
        if best is None or (cost, known) < best:
            best = (cost, known)
    return None if best is None else best[1]


@cache
def _index(language: str) -> dict[str, list[str]]:
    """The words by what they are without a letter or two: two words within so many strokes share one (SymSpell)."""
    index: dict[str, list[str]] = {}
    for word in lexicon(language).words:
        if len(word) >= 3:
            for short in _shorter(word, 2 if len(word) >= LONG - 2 else 1):
                index.setdefault(short, []).append(word)
    return index


def _shorter(word: str, letters: int) -> set[str]:
    """The word, and what is left of it without up to so many letters."""
    shorter = {word}
    for _ in range(letters):
        shorter |= {some[:i] + some[i + 1 :] for some in shorter for i in range(len(some))}
    return shorter


def distance(a: str, b: str, most: int) -> int:
    """Strokes from `a` to `b`, where two swapped letters count as one; more than `most` is most + 1."""
    before, row = [], list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before = before, row
        row = [i]
        for j, y in enumerate(b, 1):
            least = min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                least = min(least, older[j - 2] + 1)
            row.append(least)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
