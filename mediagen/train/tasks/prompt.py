"""The Task of the prompt encoder, reading what captions say."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.data.folder import FolderStream
from mediagen.data.stream import open_stream
from mediagen.data.survey import Needs
from mediagen.text.encoders import Encoder
from mediagen.text.text import TextConfig, TextEncoder, with_fps
from mediagen.text.tokenizer import MASK
from mediagen.weights import load_model, save_model
from mediagen.world import people
from mediagen.world import scene as sc
from mediagen.world.people import Person
from mediagen.world.scene import Scene, draw_scene
from mediagen.world.words import tell

RATES = (8, 12, 16, 24, 25, 30, 50, 60)
_SCENE = {"place": sc.PLACES, "weather": sc.WEATHERS, "time": sc.TIMES, "camera": sc.CAMERAS, "style": sc.STYLES}
_THING = {"kind": sc.SUBJECTS, "colour": sc.COLOURS, "size": sc.SIZES, "motion": sc.ACTIONS, "facing": (-1, 1)}
_LOOKS = {
    "woman": (False, True),
    "age": people.AGES,
    "hair_style": people.HAIR_STYLES,
    "hair_colour": people.HAIR_COLOURS,
    "beard": people.BEARDS,
    "moustache": (False, True),
    "glasses": people.GLASSES,
}
_DRESS = {"top": people.TOPS, "hat": people.HATS, "hat_colour": sc.COLOURS}
HEADS: dict[str, int] = {
    **{name: len(values) for name, values in _SCENE.items()},
    **{f"{name}{index}": len(values) for index in (0, 1) for name, values in _THING.items()},
    **{name: len(values) for name, values in {**_LOOKS, **_DRESS}.items()},
    "subjects": 2,
    "fps": len(RATES) + 1,  # and none
}
UNSAID = -100  # the class of what a caption leaves open; cross entropy ignores it
_PLAIN = ("weather", "time", "camera", "style")  # unsaid means the plain one, so these are always known


@dataclass(frozen=True, kw_only=True)
class PromptTaskConfig(Config):
    """What a prompt encoder is trained on.

    batch: captions a step.  standard: share of that difficulty.  hidden: share of tokens to guess, in an eighth of
    the captions.  guess: weight of that term.  check: captions of a preview.
    data: a folder of videos, of whose captions a share `own` of each batch is drawn; what they say is unknown, so that
    only their hidden words teach anything. The rest is the world's.  skip_unusable: leaves out videos without caption.
    """

    batch: int = 64
    standard: float = 0.85
    hidden: float = 0.2
    guess: float = 0.1
    check: int = 256
    data: str | None = None
    own: float = 0.5
    skip_unusable: bool = False

    @property
    def needs(self) -> Needs:
        """What is read of a film: its caption alone."""
        return Needs(pictures=False)


@dataclass(frozen=True)
class PromptBatch:
    """ids (B, M), mask (B, M), and what each caption says: class (B,) by head, UNSAID where it is left open.

    own: how many of them, the first ones, are not the world's.
    """

    ids: Tensor
    mask: Tensor
    classes: dict[str, Tensor]
    captions: list[str]
    own: int = 0


class PromptReader(nn.Module):
    """A prompt encoder and the heads that it is trained with; only `text` is kept (`keep_encoder`)."""

    Config: ClassVar = TextConfig

    def __init__(self, config: TextConfig | None = None) -> None:
        super().__init__()
        self.config = config or TextConfig()
        if len(self.config.encoders) != 1 or self.config.encoders[0].kind != "prompt":
            raise ValueError("got other encoders than one of kind 'prompt', expected that one; change the config.")
        self.text = TextEncoder(self.config)
        width = self.text.widths[0]
        self.heads = nn.ModuleDict({name: nn.Linear(width, count) for name, count in HEADS.items()})
        self.guess = nn.Linear(width, len(self.encoder.tokenizer))

    @property
    def encoder(self) -> Encoder:
        """The one encoder that is trained."""
        return self.text.parts[0]

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Logits (B, classes) by head, from the mean of the states; and the states (B, M, D)."""
        states = self.encoder(ids, mask)
        mean = states.sum(1) / mask.sum(1, keepdim=True)
        return {name: head(mean) for name, head in self.heads.items()}, states


class PromptTask:
    """Trains a prompt encoder to read what a caption says, and to guess hidden words; see mediagen.train.loop."""

    name = "prompt"

    def __init__(self, model: PromptReader, config: PromptTaskConfig | None = None) -> None:
        self.model = model
        self.config = config or PromptTaskConfig()
        self.own, self.held_out = self._own_captions("train"), self._own_captions("validation")

    def batch(self, step: int, rank: int, world: int) -> PromptBatch:
        """Captions of the training split, a third of them without a frame rate."""
        config, rng = self.config, np.random.default_rng((step, rank, 43))
        count = min(config.batch, round(config.batch * config.own)) if self.own else 0
        own = [self.own[row] for row in rng.integers(0, max(1, len(self.own)), count)]
        return self._captions("train", (step * world + rank) * config.batch, config.batch - count, own)

    def loss(
        self, model: PromptReader, batch: PromptBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Mean cross entropy of the answers, and of the hidden tokens in an eighth of the captions."""
        device = next(model.parameters()).device
        ids, mask = batch.ids.to(device), batch.mask.to(device)
        logits, _ = model(ids, mask)
        classes = {name: value.to(device) for name, value in batch.classes.items()}
        answers = sum(int((value != UNSAID).sum()) for value in batch.classes.values())
        wrong = [F.cross_entropy(logits[name], classes[name], ignore_index=UNSAID, reduction="sum") for name in HEADS]
        read = torch.stack(wrong).sum() / answers  # every answer counts alike: few captions have a second thing

        few = max(1, len(ids) // 8, batch.own)
        ids, mask = ids[:few], mask[:few]
        hide = (torch.rand(ids.shape, generator=rng, device=rng.device).to(device) < self.config.hidden) & mask
        _, states = model(ids.masked_fill(hide, MASK), mask)
        guess = F.cross_entropy(model.guess(states[hide]), ids[hide], reduction="sum") / hide.sum().clamp(min=1)
        return read + self.config.guess * guess, {"read": read.detach(), "guess": guess.detach()}

    @torch.no_grad()
    def preview(self, model: PromptReader, folder: Path, step: int) -> dict[str, float]:
        """Shares of right answers on captions of held-out combinations; the misread ones go to misread.txt."""
        batch = self._captions("held-out", 0, self.config.check)
        device = next(model.parameters()).device
        logits, _ = model(batch.ids.to(device), batch.mask.to(device))
        figures, misread = {}, []
        for name in HEADS:
            said, answer = batch.classes[name], logits[name].argmax(1).cpu()
            asked = said != UNSAID
            figures[name] = float((answer == said)[asked].float().mean()) if asked.any() else 1.0
            misread += [f"{name}: {batch.captions[i]}" for i in ((answer != said) & asked).nonzero()[:, 0].tolist()]
        if self.held_out:
            figures["own_words_guessed"] = self._guessed(model, self.held_out)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "misread.txt").write_text("\n".join(misread) + "\n")
        return figures

    def _own_captions(self, split: str) -> list[str]:
        """Captions of films of one's own; none without such films, or where none are held out."""
        config = self.config
        if config.data is None:
            return []
        stream = open_stream(config.data, split, needs=config.needs, skip_unusable=config.skip_unusable)
        return stream.captions if isinstance(stream, FolderStream) else []

    def _guessed(self, model: PromptReader, captions: list[str]) -> float:
        """Share of every fourth word of captions that is guessed where it is hidden."""
        device = next(model.parameters()).device
        ids, mask, _ = self.model.encoder.tokenize(captions)
        ids, mask = ids.to(device), mask.to(device)
        hide = mask & (torch.arange(ids.shape[1], device=device) % 4 == 1)
        _, states = model(ids.masked_fill(hide, MASK), mask)
        return float((model.guess(states[hide]).argmax(-1) == ids[hide]).float().mean())

    def _captions(self, split: str, first: int, count: int, own: Sequence[str] = ()) -> PromptBatch:
        """Of the world's scenes from `first` on, after `own` ones."""
        rates = np.random.default_rng((first, 47)).integers(len(RATES) * 3 // 2, size=len(own))
        captions = [with_fps(text, RATES[rate]) if rate < len(RATES) else text
                    for text, rate in zip(own, rates, strict=True)]  # fmt: skip
        nothing = dict.fromkeys(HEADS, UNSAID)
        rows: list[dict[str, int]] = [{**nothing, "fps": min(int(rate), len(RATES))} for rate in rates]
        for seed in range(first, first + count):
            rng = np.random.default_rng((seed, sc.SPLITS.index(split), 17))
            scene = draw_scene(seed, split, "standard" if rng.random() < self.config.standard else "simple")
            text, said = tell(scene, rng)
            rate = int(rng.integers(len(RATES))) if rng.random() < 2 / 3 else len(RATES)
            captions.append(with_fps(text, RATES[rate]) if rate < len(RATES) else text)
            rows.append({**classes_of(scene, said), "fps": rate})
        ids, mask, _ = self.model.encoder.tokenize(captions)
        return PromptBatch(ids, mask, {name: torch.tensor([row[name] for row in rows]) for name in HEADS}, captions,
                           len(own))  # fmt: skip


def keep_encoder(export: Path, folder: Path) -> Path:
    """Writes the encoder of the PromptReader in `export` alone to `folder`, where load_model(TextEncoder) reads it."""
    reader = load_model(PromptReader, export)
    return save_model(reader.text, reader.config, folder)


def classes_of(scene: Scene, said: frozenset[str]) -> dict[str, int]:
    """The class of each head but "fps" for a caption of `scene` that says the attributes `said`."""
    classes = {"subjects": len(scene.shown) - 1}
    for name, values in _SCENE.items():
        known = name in said or name in _PLAIN
        classes[name] = values.index(getattr(scene, name)) if known else UNSAID
    for index in (0, 1):
        for name, values in _THING.items():
            head = f"{name}{index}"
            classes[head] = values.index(getattr(scene.shown[index], name)) if head in said else UNSAID
    person = scene.person
    for name, values in _LOOKS.items():
        told = person is not None and ("looks" in said or name in ("woman", "age"))
        classes[name] = values.index(getattr(person.identity, name)) if person and told else UNSAID
    for name, values in _DRESS.items():
        told = "colour0" in said if name == "top" else "looks" in said and (name == "hat" or _hatted(person))
        classes[name] = values.index(getattr(person, name)) if person and told else UNSAID
    if person and person.identity.hair_style == "bald":
        classes["hair_colour"] = UNSAID
    if person and person.identity.glasses in ("round", "square"):  # most captions only say glasses
        classes["glasses"] = UNSAID if classes["glasses"] == UNSAID else people.GLASSES.index("round")
    return classes


def _hatted(person: Person | None) -> bool:
    return person is not None and person.hat != "none"
