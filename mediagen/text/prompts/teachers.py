"""Teachers: how people might have put what a caption says, for a student to learn from, and the filter of it.

Movie Gen (arXiv 2410.13720, section 3.4.1) has a large language model rewrite prompts, keeps what people found good,
and trains a small one on that. Here a teacher goes the other way, from captions whose meaning is known to free prompts,
and a pair is kept where the rules read the same meaning back.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mediagen.text.prompts.lexicon import EMPTY, TABLES, lexicon
from mediagen.text.prompts.meaning import Meaning, Thing, meaning_of
from mediagen.text.prompts.pieces import pieces_of
from mediagen.text.prompts.reading import read
from mediagen.text.prompts.telling import caption
from mediagen.world.scene import SPLITS, draw_scene
from mediagen.world.words import tell

SHOTS = """Say it as people type prompts: other words, another order, sometimes a typo. Keep what is meant. One line.
Caption: Zoom in: a purple star spins in outer space
Prompt: violet star twirling in the cosmos, camera moves closer
Caption: a small blue boat sails right at the seaside in the rain
Prompt: can you make a litle blue ship going to the right on the ocean? it's raining
Caption: {caption}
Prompt:"""  # few-shot, as published


class Teacher(Protocol):
    """Free prompts for captions, each with the meaning that it has."""

    def free(self, said: Sequence[tuple[str, Meaning]], rng: np.random.Generator) -> list[str]:
        """A free prompt for each caption and its meaning."""
        ...


class Rules:
    """The teacher that is built in: synonyms, other languages and typos, from the lexicon."""

    def free(self, said: Sequence[tuple[str, Meaning]], rng: np.random.Generator) -> list[str]:
        """See Teacher."""
        return [self._one(text, meaning, rng) for text, meaning in said]

    def _one(self, text: str, meaning: Meaning, rng: np.random.Generator) -> str:
        languages = [name for name in TABLES if name != "en"]
        foreign = rng.random() < 0.4 and meaning.person is None
        text = _abroad(meaning, _pick(rng, languages), rng) if foreign else _otherwise(text, rng)
        return _mistyped(text, rng) if rng.random() < 0.25 else text


class Instruct:
    """Any instruct model that transformers can run. complete: texts -> how the model goes on with each."""

    def __init__(self, complete: Callable[[list[str]], list[str]]) -> None:
        self.complete = complete

    @classmethod
    def from_pretrained(cls, model: str | Path, device: str = "cpu") -> "Instruct":
        """By name on the Hugging Face hub or folder; ValueError where there is none that can be read."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(model)
            network: Any = AutoModelForCausalLM.from_pretrained(model)
            network.to(device).eval()
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"teacher: got '{model}', which cannot be read ({reason}); give another.") from None
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        tokenizer.padding_side = "left"

        def complete(texts: list[str]) -> list[str]:
            given = tokenizer(texts, return_tensors="pt", padding=True).to(device)
            given.pop("token_type_ids", None)
            made = network.generate(**given, max_new_tokens=48, do_sample=True, pad_token_id=tokenizer.pad_token_id)
            return tokenizer.batch_decode(made[:, given["input_ids"].shape[1] :], skip_special_tokens=True)

        return cls(complete)

    def free(self, said: Sequence[tuple[str, Meaning]], rng: np.random.Generator) -> list[str]:
        """See Teacher."""
        answers = self.complete([SHOTS.format(caption=caption(meaning)) for _, meaning in said])
        return [(answer.strip().splitlines() or [""])[0].strip() for answer in answers]


def pairs(teacher: Teacher, split: str, first: int, count: int) -> list[tuple[str, Meaning]]:
    """Free prompts and what they mean, of scenes `first` on; fewer than `count`, for the filter drops some."""
    rng, said = np.random.default_rng((first, SPLITS.index(split), 71)), []
    for seed in range(first, first + count):
        scene = draw_scene(seed, split, "standard")
        text, names = tell(scene, rng)
        said.append((text, meaning_of(scene, names)))
    prompts = teacher.free(said, rng)
    return [(free, truth) for free, (_, truth) in zip(prompts, said, strict=True) if kept(free, truth)]


def kept(prompt: str, truth: Meaning) -> bool:
    """The filter: whether the rules read `truth` back, and know every word."""
    found = read(prompt)
    return not found.unknown and _shotless(found.meaning) == _shotless(truth)


def _shotless(meaning: Meaning) -> dict[str, object]:
    values = meaning.canonical.to_dict()
    if "person" in values:
        values["person"].pop("shot", None)
    return values


@cache
def _phrases() -> dict[tuple[tuple[str, str], ...], list[str]]:
    """English phrases by what they mean."""
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for words, entry in lexicon("en").phrases.items():
        if entry.slots and not set(entry.slots) & set(EMPTY):
            found.setdefault(tuple(sorted(entry.slots.items())), []).append(" ".join(words))
    return found


def _otherwise(text: str, rng: np.random.Generator) -> str:
    """The caption with other phrases in place of some of its own."""
    made = []
    for piece in pieces_of(text, lexicon("en"), True, False)[0]:
        same = _phrases().get(tuple(sorted(piece.entry.slots.items())), []) if piece.entry else []
        made.append(_pick(rng, same) if same and rng.random() < 0.6 else piece.text)
    return " ".join(made).replace(" ,", ",").replace(" .", ".").replace(" :", ":")


def _abroad(meaning: Meaning, language: str, rng: np.random.Generator) -> str:
    """What is meant in another language, in its plainest order."""
    table, space = TABLES[language], "" if language == "zh" else " "
    articles = [word for word in table.ARTICLES.split(",")[:2] if word.strip()]

    def word(slot: str, value: str) -> str:
        phrase = _pick(rng, [one.strip() for one in table.WORDS[slot][value].split(",")])
        return " ".join(one[:-1] + _pick(rng, table.ENDINGS) if one.endswith("~") else one for one in phrase.split())

    def thing(one: Thing) -> str:
        before = [word("size", one.size)] if one.size else []
        colour = [word("colour", one.colour)] if one.colour else []
        noun = [word("kind", one.kind)] if one.kind else []
        motion, side = one.motion, one.facing
        if motion in ("rolls left", "rolls right"):
            motion, side = "rolls", 1 if motion == "rolls right" else -1
        does = [word("motion", motion)] if motion else []
        goes = [word("direction", str(side))] if side and motion else []
        order = [*before, *noun, *colour] if table.AFTER else [*before, *colour, *noun]
        return space.join([_pick(rng, articles).strip(), *order, *(goes + does if language == "zh" else does + goes)])

    parts = [(" und " if language == "de" else ", ").join(thing(one) for one in meaning.things)]
    parts += [word(name, value) for name in ("place", "weather", "time") if (value := getattr(meaning, name))]
    if meaning.camera is not None and meaning.camera in table.WORDS["camera"]:
        parts.insert(0, word("camera", meaning.camera))
    if meaning.style is not None and meaning.style in table.WORDS["style"]:
        parts.append(word("style", meaning.style))
    return ("，" if language == "zh" else ", ").join(parts)


def _mistyped(text: str, rng: np.random.Generator) -> str:
    """A letter left out, doubled or swapped with the next, in one longer word."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if long:
        index = long[int(rng.integers(len(long)))]
        word = words[index]
        at = int(rng.integers(1, len(word) - 1))
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        words[index] = _pick(rng, [word[:at] + word[at + 1 :], word[:at] + word[at:][:1] + word[at:], swapped])
    return " ".join(words)


def _pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]
