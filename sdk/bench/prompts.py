"""What is understood of prompts as people write them: 400, by hand, in six languages, with what they mean."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mediagen.sdk.bench.figures import Part, share
from mediagen.text.prompts.lexicon import plain
from mediagen.text.prompts.meaning import Meaning, Thing
from mediagen.text.prompts.reading import Read, read

WRITTEN = Path(__file__).with_name("prompts.json")
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "pt": "Portuguese", "zh": "Chinese"}


@dataclass(frozen=True)
class Prompt:
    """A prompt by hand. meaning: of what the world has.  unknown: its words that the world lacks.

    aside: whether it was kept out of sight while the rules were made.
    """

    prompt: str
    language: str
    meaning: Meaning
    unknown: tuple[str, ...]
    aside: bool


def written() -> list[Prompt]:
    """The prompts that people wrote."""
    return [
        Prompt(row["prompt"], row["language"], Meaning.of(row["meaning"]), tuple(row["unknown"]), row["aside"])
        for row in json.loads(WRITTEN.read_text())
    ]


def right(found: Meaning, truth: Meaning) -> bool:
    """Whether all of a meaning was found, and no more; what goes without saying counts as said."""
    kept = tuple(thing for thing in found.things if thing != Thing())
    return replace(found, things=kept).canonical == truth.canonical


def named(found: Read, word: str) -> bool:
    """Whether an unknown word was named, alone or in a phrase."""
    wanted, words = plain(word), [plain(one) for one in found.unknown]
    if found.language == "zh":
        return any(one in (wanted, wanted + "的") for one in words)
    return any(wanted == one or wanted in one.split() for one in words)


def measure_prompts(
    prompts: Sequence[Prompt] | None = None, reader: Callable[[str], Meaning] | None = None, title: str = "Prompts"
) -> Part:
    """Shares of prompts whose meaning is right, and of unknown words that are named.

    "raw": what the world's own words say, read by the same rules without synonyms, other languages and typos, as the
    models would have to take it.  "rewritten": what the rewriter reads.  reader: another one, such as a student.
    """
    prompts = written() if prompts is None else prompts
    found = [read(one.prompt) for one in prompts]
    raw = [read(one.prompt, synonyms=False, typos=False).meaning for one in prompts]
    meant = [one.meaning for one in found] if reader is None else [reader(one.prompt) for one in prompts]
    hits = [right(meaning, one.meaning) for meaning, one in zip(meant, prompts, strict=True)]
    part = Part(title)
    part.figures["meaning right, raw"] = share(right(a, one.meaning) for a, one in zip(raw, prompts, strict=True))
    part.figures["meaning right, rewritten"] = share(hits)
    for code, name in LANGUAGES.items():
        some = [hit for hit, one in zip(hits, prompts, strict=True) if one.language == code]
        if some:
            part.figures[f"meaning right, rewritten / {name}"] = share(some)
    aside = [hit for hit, one in zip(hits, prompts, strict=True) if one.aside]
    if 0 < len(aside) < len(prompts):
        part.figures["meaning right, rewritten / kept aside"] = share(aside)
    if reader is None:
        words = [named(a, word) for a, one in zip(found, prompts, strict=True) for word in one.unknown]
        part.figures["unknown words named"] = share(words)
        plain_ones = [a for a, one in zip(found, prompts, strict=True) if not one.unknown]
        part.figures["known words taken for unknown"] = share((bool(a.unknown) for a in plain_ones), "of known prompts")
    return part
