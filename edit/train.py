"""The training task of the editing model, in its three stages: frames, films, backtranslation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.data.cache import LatentCache, build_cache, mark, still_to_come
from mediagen.edit.back import OwnClips, Source, backtranslate, world_source
from mediagen.edit.generate import EditWay, edit_latent
from mediagen.edit.model import EditModel
from mediagen.edit.pairs import NONE, Animated, Clips, Frames, Marks, OwnFrames, Pair, Pairs
from mediagen.flow import draw_t, interpolate, noise_like, velocity
from mediagen.generate import VideoModels, decode_frames
from mediagen.generator import FlowGenerator
from mediagen.judge.recogniser import Recogniser
from mediagen.media.clip import to_float
from mediagen.media.sheets import save_sheet
from mediagen.nn.denoiser import Conditions
from mediagen.parallel.spread import spread
from mediagen.tae import TAE
from mediagen.text.text import Text, TextEncoder, with_fps
from mediagen.train.task import multiplies_bf16_fast
from mediagen.world.edit_names import TASKS

_CHUNK = 32  # pairs that are drawn and encoded at a time
_DIFFERS = 0.15  # mean difference of a cell's numbers that is more than the autoencoder's own, where pictures are equal


@dataclass(frozen=True, kw_only=True)
class EditTaskConfig(Config):
    """What the editing model is trained on.

    frames, animated, marks, clips, back: how often a batch is of edited frames, of such frames moved alike, of films
    with something marked, of clips without a film (whose film is black), and of backtranslated clips, in parts of their
    sum. pairs: how many of each are drawn and encoded, before training, by `processes` processes.
    data: a folder of a user's own, see `pairs.OwnFrames` and, for `back`, `back.OwnClips`.  drop: share of texts
    dropped, with their tasks, for guidance; half of them lose their film as well, which turns black.
    past: share of films of which the first latent frames are given.  noise: standard deviation of what is added to a
    backtranslated clip where it stands beside.  focus: by how much more the loss counts where a film and its edit
    differ, so that small things do not drown in what is copied.  back_steps, text_scale, film_scale: of the edits that
    backtranslated clips are made by.
    """

    data: str | None = None
    size: tuple[int, int] = (64, 64)
    seconds: float = 2.0
    fps: float = 16.0
    pairs: int = 4_096
    processes: int = 0
    first: int = 0
    batch: int = 32
    frames: float = 5.0
    animated: float = 0.0
    marks: float = 0.0
    clips: float = 1.0
    back: float = 0.0
    drop: float = 0.1
    past: float = 0.1
    noise: float = 0.3
    focus: float = 0.0
    back_steps: int = 24
    text_scale: float = 3.0
    film_scale: float = 1.5
    t_mean: float = -0.5
    t_std: float = 1.2

    def __post_init__(self) -> None:
        shares = self.shares
        if min(shares.values()) < 0 or not sum(shares.values()):
            raise ValueError(f"got the shares {shares}, expected none below 0 and one above; raise one.")

    @property
    def shares(self) -> dict[str, float]:
        """Of each kind of batch, those of 0 included."""
        return {name: getattr(self, name) for name in ("frames", "animated", "marks", "clips", "back")}


DrawnPair = tuple[np.ndarray | None, np.ndarray, tuple[str, ...], int]


def _draw(stream: Pairs, number: int) -> DrawnPair:
    """A pair as arrays, which travel between processes."""
    pair = stream.pair(number)
    return None if pair.before is None else pair.before.numpy(), pair.after.numpy(), pair.texts, pair.task


@dataclass(frozen=True)
class EditBatch:
    """latent, beside, known: (B, C, L, h, w); clean (B, 1, L, h, w); task (B,); first: token in time of the first."""

    latent: Tensor
    beside: Tensor
    known: Tensor
    clean: Tensor
    text: Text
    task: Tensor
    first: int


class EditTask:
    """Trains an EditModel by flow matching on latents of pairs; see `mediagen.train.task.Task`.

    recogniser: judges what is backtranslated, see `back.worked`. The model's weights at the start are those that
    backtranslate: a stage that does begins with those of the stage before.
    """

    name = "edit"

    def __init__(
        self,
        model: EditModel,
        tae: TAE,
        text: TextEncoder,
        config: EditTaskConfig,
        cache: Path,
        device: str = "cpu",
        recogniser: Recogniser | None = None,
    ) -> None:
        self.config, self.device = config, device
        wants = (
            model.config.text_widths,
            model.config.latent_channels,
            model.config.beside_channels,
            model.config.tasks,
        )
        given = (text.widths, tae.config.latent_channels, tae.config.latent_channels, len(TASKS))
        if wants != given:
            raise ValueError(
                f"got a model of text widths {wants[0]}, {wants[1]} and {wants[2]} latent channels, {wants[3]} tasks, "
                f"expected {given[0]}, {given[1]}, {given[2]} and {given[3]}; set text_widths, latent_channels, "
                "beside_channels and tasks of the model."
            )
        self.model, self.tae, self.text = model.to(device), tae.to(device).eval(), text.to(device).eval()
        self.recogniser = None if recogniser is None else recogniser.to(device).eval()
        self.names = [name for name, share in config.shares.items() if share]
        self.pools = {name: self._pool(name, cache / name) for name in self.names}
        self.kept = {name: self._kept(name, pool) for name, pool in self.pools.items()}
        frames = max((pool.tensors["after"].shape[2] for pool in self.pools.values()), default=1)
        width, height = config.size
        self.black = self._encode(torch.zeros(1, frames * tae.stride[0], height, width, 3, dtype=torch.uint8))

    def batch(self, step: int, rank: int, world: int) -> EditBatch:
        """A batch of one kind, drawn by the shares."""
        config = self.config
        rng = np.random.default_rng((step, rank, world, 101))
        shares = np.array([config.shares[name] for name in self.names])
        name = self.names[int(rng.choice(len(shares), p=shares / shares.sum()))]
        pool, kept = self.pools[name], self.kept[name]
        rows = kept[rng.integers(0, len(kept), config.batch)]
        latent, beside = (pool.tensors[key][rows].float().to(self.device) for key in ("after", "before"))
        task, first = pool.tensors["task"][rows].to(self.device).clone(), 0
        patch, longest = self.model.config.patch[0], self.model.config.longest[0]
        if name == "frames":  # a frame stands still for as long as one token lasts, anywhere in time
            latent, beside = (part.repeat_interleave(patch, dim=2) for part in (latent, beside))
            first = int(rng.integers(longest))
        if name == "clips":
            beside = self.black[:, :, : latent.shape[2]].expand_as(latent)
        if name == "back":
            noise = torch.from_numpy(rng.standard_normal(beside.shape, np.float32)).to(self.device)
            beside = beside + config.noise * noise
        texts, dropped = [], rng.random(config.batch) < config.drop
        for row, empty in zip(rows, dropped, strict=True):
            told = pool.captions[row].split("\n")
            texts.append("" if empty else with_fps(told[rng.integers(len(told))], config.fps))
        task[torch.from_numpy(dropped)] = NONE
        alone = torch.from_numpy(dropped & (rng.random(config.batch) < 0.5)).to(self.device)
        beside = torch.where(alone[:, None, None, None, None], self.black[:, :, : latent.shape[2]], beside)
        known, clean = torch.zeros_like(latent), torch.zeros_like(latent[:, :1])
        for i in np.flatnonzero((rng.random(config.batch) < config.past) & (name != "frames")):
            count = patch * int(rng.integers(1, max(2, latent.shape[2] // patch)))
            if count < latent.shape[2]:
                known[i, :, :count], clean[i, :, :count] = latent[i, :, :count], 1.0
        return EditBatch(latent, beside, known, clean, self.text.encode(texts), task, first)

    def loss(
        self, model: EditModel, batch: EditBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Mean squared error of the velocity, weighted by `focus`."""
        latent = batch.latent
        t = draw_t(len(latent), rng, self.config.t_mean, self.config.t_std)
        noise = noise_like(latent, rng)
        told = Conditions(text=batch.text, known=batch.known, clean=batch.clean, beside=batch.beside, task=batch.task)
        prepared = model.prepare(told, (latent.shape[2], latent.shape[3], latent.shape[4]), first=batch.first)
        error = model(interpolate(latent, noise, t), t, prepared) - velocity(latent, noise)
        differs = (latent - batch.beside).abs().mean(1, keepdim=True) > _DIFFERS
        weight = 1 + self.config.focus * differs
        weight = weight / weight.mean((1, 2, 3, 4), keepdim=True)
        return (error.square() * weight).mean(), {}

    @torch.no_grad()
    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Edited validation frames: each with what was asked, the frame, and what the model made of it."""
        assert isinstance(model, EditModel)
        config = self.config
        stream = Frames("validation", config.size, config.seconds, config.fps, 1)
        rows, titles = [], list[str]()
        for number in range(8):
            pair = stream.pair(number)
            assert pair.before is not None
            latent = self._edit(self._encode(pair.before[None]), pair.texts[0], pair.task, number, model)
            made = self._decode(latent, 1)[0].cpu()
            rows.append(torch.cat((pair.before, made, pair.after)))
            titles.append(pair.texts[0])
        save_sheet(rows, folder / f"edit-{step:06d}.png", 1, titles)
        return {}

    def _pool(self, name: str, cache: Path) -> LatentCache:
        config = self.config
        common: dict[str, object] = {"size": config.size, "seconds": config.seconds, "fps": config.fps}
        common |= {"tae": mark(self.tae), "first": config.first}
        if name == "back":
            own = None if config.data is None else OwnClips(config.data, config.size, config.seconds, config.fps)
            about = {**common, "model": mark(self.model), "steps": config.back_steps, "judge": mark(self.recogniser)}
            about |= {"scales": [config.text_scale, config.film_scale], "data": None if own is None else own.mark}
            world = partial(world_source, split="train", size=config.size, seconds=config.seconds, fps=config.fps)
            encode = partial(self._back_items, world if own is None else own.source)
        else:
            stream = self._stream(name)
            about = {**common, "stream": stream.mark}
            encode = partial(self._items, self._pairs(stream))
        return build_cache(cache, config.pairs, encode, about=about, device=self.device)

    def _pairs(self, stream: Pairs) -> Callable[[range], Iterator[Pair]]:
        """What gives the pairs of a range of numbers; ranges come one after another, as `build_cache` asks for them."""
        config, ahead = self.config, list[Iterator[DrawnPair]]()

        def pairs(numbers: range) -> Iterator[Pair]:
            if not ahead:
                wanted = [config.first + number for number in still_to_come(numbers, config.pairs)]
                ahead.append(spread(partial(_draw, stream), wanted, config.processes))
            for _ in numbers:
                before, after, texts, task = next(ahead[0])
                film = None if before is None else torch.from_numpy(before)
                yield Pair(film, torch.from_numpy(after), texts, task)

        return pairs

    def _stream(self, name: str) -> Pairs:
        config = self.config
        if name == "frames" and config.data is not None:
            return OwnFrames(config.data, config.size)
        kinds = {"frames": Frames, "animated": Animated, "marks": Marks, "clips": Clips}
        return kinds[name]("train", config.size, config.seconds, config.fps)

    def _kept(self, name: str, pool: LatentCache) -> np.ndarray:
        """Rows of a pool that are learnt from."""
        if name != "back":
            return np.arange(len(pool))
        kept = pool.tensors["kept"].nonzero()[:, 0].numpy()
        if not len(kept):
            raise ValueError(
                f"got {len(pool)} backtranslated clips of which none worked, expected some; train the stages before "
                "it for longer, or ask for more pairs."
            )
        return kept

    @torch.no_grad()
    def _items(self, pair_of: Callable[[range], Iterator[Pair]], numbers: range) -> tuple[dict[str, Tensor], list[str]]:
        made: dict[str, list[Tensor]] = {"before": [], "after": [], "task": []}
        texts: list[str] = []
        drawn = pair_of(numbers)
        for start in range(0, len(numbers), _CHUNK):
            pairs = [next(drawn) for _ in numbers[start : start + _CHUNK]]
            after = self._encode(torch.stack([pair.after for pair in pairs]))
            films = [pair.before for pair in pairs if pair.before is not None]
            before = self._encode(torch.stack(films)) if films else torch.zeros_like(after)
            for name, value in (("before", before), ("after", after)):
                made[name].append(value.half().cpu())
            made["task"].append(torch.tensor([pair.task for pair in pairs]))
            texts += ["\n".join(pair.texts) for pair in pairs]
        return {name: torch.cat(values) for name, values in made.items()}, texts

    def _back_items(self, source_of: Callable[[int], Source], numbers: range) -> tuple[dict[str, Tensor], list[str]]:
        numbers = range(self.config.first + numbers.start, self.config.first + numbers.stop)
        self.model.eval()
        return backtranslate(source_of, self._edit, self._encode, self._decode, numbers, self.recogniser)

    def _edit(self, latent: Tensor, text: str, task: int, number: int, model: EditModel | None = None) -> Tensor:
        config, model = self.config, model or self.model
        rng = torch.Generator(self.device).manual_seed(number)
        way = EditWay(steps=config.back_steps, text_scale=config.text_scale, film_scale=config.film_scale)
        patch = model.config.patch[0]
        short = -latent.shape[2] % patch
        beside = torch.cat((latent, latent[:, :, -1:].expand(-1, -1, short, -1, -1)), dim=2)
        black = self._black(beside)
        told = self.text.encode([with_fps(text, config.fps), ""])
        made = edit_latent(model, told, beside, black, task, rng=rng, way=way)
        return made[:, :, : latent.shape[2]]

    def _black(self, like: Tensor) -> Tensor:
        count = like.shape[2] * self.tae.stride[0]
        height, width = like.shape[3] * self.tae.stride[1], like.shape[4] * self.tae.stride[2]
        return self._encode(torch.zeros(1, count, height, width, 3, dtype=torch.uint8))

    def _encode(self, frames: Tensor) -> Tensor:
        videos = to_float(frames.to(self.device))
        with torch.no_grad(), torch.autocast(videos.device.type, torch.bfloat16, multiplies_bf16_fast(videos.device)):
            return self.tae.encode(videos).float()

    def _decode(self, latent: Tensor, frames: int) -> Tensor:
        return decode_frames(VideoModels(FlowGenerator(self.text, self.model), self.tae), latent, frames)
