"""Student: a small network that reads what a prompt means from its bytes, trained on what a teacher says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.text.prompts.lexicon import plain
from mediagen.text.prompts.meaning import Meaning, Somebody, Thing
from mediagen.world import people
from mediagen.world import scene as sc

_AROUND = {
    "place": (None, *sc.PLACES),
    "weather": sc.WEATHERS,
    "time": sc.TIMES,
    "camera": sc.CAMERAS,
    "style": sc.STYLES,
}
_THING = {
    "kind": (None, *sc.KINDS),
    "colour": (None, *sc.COLOURS),
    "size": (None, *sc.SIZES),
    "motion": (None, *sc.MOTIONS),
    "facing": (None, -1, 1),
}
_PERSON = {
    "woman": (None, False, True),
    "age": (None, *people.AGES),
    "hair_style": (None, *people.HAIR_STYLES),
    "hair_colour": (None, *people.HAIR_COLOURS),
    "beard": people.BEARDS,
    "moustache": (False, True),
    "glasses": people.GLASSES,
    "hat": people.HATS,
    "hat_colour": (None, *sc.COLOURS),
    "top": (None, *people.TOPS),
    "colour": (None, *sc.COLOURS),
    "motion": (None, *people.PERSON_MOTIONS),
}
HEADS: dict[str, tuple[Any, ...]] = {
    **_AROUND,
    **{f"{name} {index}": values for index in (0, 1) for name, values in _THING.items()},
    "person": (False, True),
    **{f"person {name}": values for name, values in _PERSON.items()},
}


@dataclass(frozen=True, kw_only=True)
class StudentConfig(Config):
    """Shape of a Student: bytes that it reads, width, layers, heads of attention."""

    length: int = 192
    width: int = 128
    layers: int = 3
    heads: int = 4


class Student(nn.Module):
    """Bytes to classes by head: a strided convolution, transformer layers, and a query of its own for every head."""

    Config: ClassVar = StudentConfig
    PRESETS: ClassVar = {
        "debug": StudentConfig(width=16, layers=1, heads=2),
        "small": StudentConfig(length=160, width=64, layers=2),
        "tiny": StudentConfig(),
    }

    def __init__(self, config: StudentConfig | None = None) -> None:
        super().__init__()
        self.config = config or StudentConfig()
        width = self.config.width
        self.bytes = nn.Embedding(257, width, padding_idx=256)
        self.places = nn.Parameter(0.02 * torch.randn(self.config.length // 2, width))
        self.conv = nn.Conv1d(width, width, 5, stride=2, padding=2)
        layer = nn.TransformerEncoderLayer(
            width, self.config.heads, 3 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, self.config.layers, enable_nested_tensor=False)
        self.queries = nn.Parameter(0.02 * torch.randn(len(HEADS), width))
        self.attention = nn.MultiheadAttention(width, self.config.heads, batch_first=True)
        self.heads = nn.ModuleList(nn.Linear(width, len(values)) for values in HEADS.values())

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Bytes (B, length) of the prompts, without capitals and accents; 256 where there are none."""
        ids = torch.full((len(prompts), self.config.length), 256)
        for row, prompt in enumerate(prompts):
            said = plain(prompt).encode()[: self.config.length]
            ids[row, : len(said)] = torch.tensor(list(said), dtype=torch.long)
        return ids.to(self.queries.device)

    def forward(self, ids: Tensor) -> list[Tensor]:
        """Logits (B, classes) of every head, from bytes (B, length)."""
        states = self.conv(self.bytes(ids).transpose(1, 2)).transpose(1, 2) + self.places
        empty = (ids == 256)[:, ::2]
        empty[:, 0] = False  # attention needs one place that may be read
        states = self.layers(states, src_key_padding_mask=empty)
        queries = self.queries.expand(len(ids), -1, -1)
        found, _ = self.attention(queries, states, states, key_padding_mask=empty, need_weights=False)
        return [head(found[:, index]) for index, head in enumerate(self.heads)]

    @torch.inference_mode()
    def read(self, prompts: Sequence[str]) -> list[Meaning]:
        """What prompts mean."""
        best = torch.stack([logits.argmax(1) for logits in self(self.encode(prompts))], 1)
        return [meaning_from(row) for row in best.tolist()]


def classes_of(meaning: Meaning) -> list[int]:
    """The class of every head, of a meaning with all filled in that goes without saying."""
    meaning = meaning.canonical
    values: dict[str, Any] = {name: getattr(meaning, name) for name in _AROUND}
    for index in (0, 1):
        thing = meaning.things[index] if index < len(meaning.things) else Thing()
        values |= {f"{name} {index}": getattr(thing, name) for name in _THING}
    person = meaning.person or Somebody().canonical
    values |= {"person": meaning.person is not None}
    values |= {f"person {name}": getattr(person, name) for name in _PERSON}
    return [choices.index(values[name]) for name, choices in HEADS.items()]


def meaning_from(classes: Sequence[int]) -> Meaning:
    """The meaning of a class for every head."""
    values = {name: choices[at] for (name, choices), at in zip(HEADS.items(), classes, strict=True)}
    things = tuple(Thing(**{name: values[f"{name} {index}"] for name in _THING}) for index in (0, 1))
    person = Somebody(**{name: values[f"person {name}"] for name in _PERSON}) if values["person"] else None
    around = {name: values[name] for name in _AROUND}
    return replace(Meaning(**around), things=tuple(one for one in things if one != Thing()), person=person)
