"""The training task of the sound scorer: scenes with layers switched on and off, beside their words and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.aligned import AlignedEncoder
from mediagen.audio.codec import Codec
from mediagen.audio.conditions import LATENT_RATE, at_sound_rate
from mediagen.audio.mixes import Mix, mixed
from mediagen.audio.scorer import LAYERS, MEL_HOP, SoundScorer, signature
from mediagen.config import Config
from mediagen.nn.spectral import log_mel
from mediagen.nn.weights import Tensors
from mediagen.train.cache import build_cache, mark
from mediagen.train.task import multiplies_bf16_fast
from mediagen.world.draw import render

_SILENT = 0.002  # RMS below which a layer is not heard
_LEAST = 5  # columns of 10 ms in which a layer must be heard
_NEAR, _FAR = 4, 25  # frames at 25 Hz by which pictures are shifted, away from their sound: 0.16 s to 1 s
SHIFTS = (0.2, 0.4, 0.8)  # seconds, of the figures


@dataclass(frozen=True, kw_only=True)
class SoundScorerTaskConfig(Config):
    """What a scorer is trained on.

    scenes: encoded once, before training (0.5 MB each on disk and in memory for the tiny models).  seconds: of a scene.
    full: share of difficulty "full".  short: seconds of the windows; a share `longer` of the batches are of any
    length from there to `longest`, and where longer than a scene, or by chance, of two scenes one after the other.
    shifts: wrong times per sound.  noise: largest error of the latent, in its units, on the way through the codec.
    check: scenes of a preview, in groups of 32.
    """

    batch: int = 32
    scenes: int = 800
    seconds: float = 4.0
    full: float = 0.5
    fps: float = 16.0
    size: tuple[int, int] = (64, 64)
    short: float = 2.0
    longest: float = 6.0
    longer: float = 0.4
    shifts: int = 8
    noise: float = 0.3
    check: int = 64

    def __post_init__(self) -> None:
        room = self.seconds - self.short - _FAR / LATENT_RATE
        if room < 0 or not self.short < self.longest <= 2 * self.seconds - 2:
            raise ValueError(
                f"got windows of {self.short:g} to {self.longest:g} s and scenes of {self.seconds:g} s; expected the "
                "shortest to leave 1 s of a scene free, and the longest 2 s of two scenes."
            )


@dataclass(frozen=True)
class ScoredBatch:
    """Windows of L frames: spectra (B, 1, bands, 4 L + 1), and the pictures of a second more on both sides (B, L', P).

    shifts: frames by which pictures are shifted against their sound, K of them.  timed: which windows have an impact,
    bool (B,).  ids (B, M), mask (B, M): of the words.  layers: which of LAYERS are heard, float (B, 2).
    """

    spectra: Tensor
    pictures: Tensor
    shifts: list[int]
    timed: Tensor
    ids: Tensor
    mask: Tensor
    layers: Tensor


@dataclass(frozen=True)
class Found:
    """Cosines of sounds with words (B, B), pictures (B, B), and own pictures, in time and shifted (B, 1 + K);

    logits of the layers (B, 2).
    """

    words: Tensor
    pictures: Tensor
    times: Tensor
    layers: Tensor


class SoundScorerTask:
    """Trains a SoundScorer by contrasts; see `mediagen.train.task.Task`.

    Words find their sounds in the batch and sounds their words (CLIP, section 2.3); so do pictures and sounds, where a
    sound must also tell its pictures from the same pictures at another time.

    codec, aligned: frozen; half of the sounds come out of the codec.  cache: folder that encoded scenes are kept in.
    """

    name = "sound_scorer"

    def __init__(
        self,
        model: SoundScorer,
        codec: Codec,
        aligned: AlignedEncoder,
        config: SoundScorerTaskConfig,
        cache: Path,
        device: str = "cpu",
    ) -> None:
        self.config, self.device = config, device
        if model.config.picture_width != aligned.features:
            raise ValueError(
                f"got an aligned encoder of {aligned.features} features, expected {model.config.picture_width}; "
                "set picture_width of the model, or give another encoder."
            )
        self.model = model.to(device)
        self.codec, self.aligned = codec, aligned
        for part in (codec, aligned):
            part.to(device).eval().requires_grad_(False)
        about = {key: getattr(config, key) for key in ("seconds", "full", "fps", "size", "noise")}
        about |= {"codec": mark(codec), "aligned": mark(aligned), "bands": model.config.bands}
        self.pool = build_cache(cache, config.scenes, self._encode_range, shard=50, about=about).tensors
        self.frames = round(config.seconds * LATENT_RATE)

    def mix(self, index: int, split: str = "train") -> Mix:
        """Mix number `index` of a split."""
        config = self.config
        return mixed(index, split, config.full, config.seconds, config.fps, config.size[0] / config.size[1])

    def batch(self, step: int, rank: int, world: int) -> ScoredBatch:
        """Windows of training scenes, half of them as they come out of the codec."""
        config, rng = self.config, np.random.default_rng((step, rank, 29))
        short = round(config.short * LATENT_RATE)
        length, joined = short, False
        if rng.random() < config.longer:
            length = int(rng.integers(short, round(config.longest * LATENT_RATE) + 1))
            joined = length > self.frames or bool(rng.random() < 0.5)
        rows = rng.integers(0, config.scenes, (config.batch, 2))
        mixes = [[self.mix(int(row)) for row in pair] for pair in rows]
        if joined:  # a second of each scene at least
            low, high = max(0, self.frames + _FAR - length), min(self.frames - _FAR, 2 * self.frames - length)
            texts = [". then ".join(mix.tell(rng).rstrip(".") for mix in pair) for pair in mixes]
        else:
            low, high = 0, self.frames - length
            texts = [pair[0].tell(rng) for pair in mixes]
        firsts = rng.integers(low, high + 1, config.batch)
        shifts = rng.integers(_NEAR, _FAR + 1, config.shifts) * rng.choice((-1, 1), config.shifts)
        return self._windows(self.pool, mixes, rows, rng.random(rows.shape) < 0.5, firsts, shifts, length, texts)

    def loss(
        self, model: nn.Module, batch: ScoredBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Cross entropies of the three contrasts and of the layers, and the shares found."""
        assert isinstance(model, SoundScorer)
        found = compare(model, worn(batch.spectra, rng), batch)
        to_words, to_pictures, to_times = model.scale().unbind()
        own = torch.arange(len(found.words), device=found.words.device)
        words, pictures = to_words * found.words, to_pictures * found.pictures
        late = F.cross_entropy(to_times * found.times, torch.zeros_like(own), reduction="none")
        losses = (
            (F.cross_entropy(words, own) + F.cross_entropy(words.T, own)) / 2,
            (F.cross_entropy(pictures, own) + F.cross_entropy(pictures.T, own)) / 2,
            (late * batch.timed).sum() / batch.timed.sum().clamp(min=1),
            F.binary_cross_entropy_with_logits(found.layers, batch.layers),
        )
        return losses[0] + losses[1] + losses[2] + losses[3], {
            "text_found": (words.detach().argmax(0) == own).float().mean(),
            "picture_found": (pictures.detach().argmax(0) == own).float().mean(),
            "in_sync": (found.times[:, :1] > found.times[:, 1:])[batch.timed].float().mean(),
            "layers_right": ((found.layers > 0) == (batch.layers > 0.5)).float().mean(),
        }

    @torch.no_grad()
    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Shares found among 32 on validation scenes, both ways of hearing them, and in-sync against shifted pictures.

        in_sync_*: of the scenes with an impact within the first `short` seconds; chance is a half.
        """
        assert isinstance(model, SoundScorer)
        config, rng = self.config, np.random.default_rng(0)
        length = round(config.short * LATENT_RATE)
        found: dict[str, list[Tensor]] = {}
        for first in range(0, config.check, 32):
            mixes = [self.mix(row, "validation") for row in range(first, min(config.check, first + 32))]
            rows, zeros = np.stack([np.arange(len(mixes))] * 2, 1), np.zeros(len(mixes), int)
            shifts = np.array([round(shift * LATENT_RATE) for shift in SHIFTS])
            texts, pool, pairs = [mix.tell(rng) for mix in mixes], self.encode(mixes), [[mix, mix] for mix in mixes]
            for kind, through in (("", False), ("_codec", True)):
                codec = np.full(rows.shape, through)
                batch = self._windows(pool, pairs, rows, codec, zeros, shifts, length, texts)
                cosines = compare(model, batch.spectra, batch)
                own = torch.arange(len(mixes), device=cosines.words.device)
                parts = {"text_found": cosines.words.argmax(0) == own, "sound_found": cosines.pictures.argmax(0) == own}
                early = (cosines.times[:, :1] > cosines.times[:, 1:])[batch.timed]
                parts |= {f"in_sync_{shift:g}": early[:, index] for index, shift in enumerate(SHIFTS)}
                right = (cosines.layers > 0) == (batch.layers > 0.5)
                parts |= {name: right[:, index] for index, name in enumerate(LAYERS)}
                for name, value in parts.items():
                    found.setdefault(f"{name}{kind}", []).append(value.float().cpu())
        return {name: float(torch.cat(values).mean()) for name, values in found.items()}

    @torch.no_grad()
    def encode(self, mixes: Sequence[Mix]) -> Tensors:
        """Of each mix: spectra (2, bands, columns), without and with the codec, pictures at 25 Hz (L, P), and in which

        columns each of LAYERS is heard, bool (2, columns).
        """
        config = self.config
        layers = torch.stack([torch.stack(mix.layers()) for mix in mixes])
        whole = layers.sum(1)
        whole = whole * (0.95 / whole.abs().amax(-1, keepdim=True).clamp_min(0.95))
        device = torch.device(self.device)
        with torch.autocast(device.type, torch.bfloat16, multiplies_bf16_fast(device)):
            latent = self.codec.encode(whole.to(self.device))
            rng = torch.Generator().manual_seed(mixes[0].scene.seed)
            error = torch.randn(latent.shape, generator=rng) * torch.rand((len(latent), 1, 1), generator=rng)
            passed = self.codec.decode(latent + config.noise * error.to(latent), whole.shape[-1]).float().cpu()
            frames = render([mix.scene for mix in mixes], config.size, self.device)
            features = self.aligned.picture_features(frames).float()
        spectra = log_mel(torch.cat([whole, passed], 1), bands=self.model.config.bands, hop=MEL_HOP)
        loud = F.avg_pool1d(F.pad(layers.flatten(0, 1).square(), (MEL_HOP, MEL_HOP)), 2 * MEL_HOP, MEL_HOP).sqrt()
        return {
            "spectra": spectra,
            "pictures": at_sound_rate(features, config.fps, round(config.seconds * LATENT_RATE)).cpu(),
            "heard": (loud > _SILENT).reshape(len(mixes), len(LAYERS), -1),
        }

    def _encode_range(self, items: range) -> tuple[Tensors, list[str]]:
        mixes = [self.mix(index) for index in items]
        parts = [self.encode(mixes[first : first + 10]) for first in range(0, len(mixes), 10)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}, [""] * len(items)

    def _windows(self, pool: Tensors, mixes: list[list[Mix]], rows: np.ndarray, through: np.ndarray, firsts: np.ndarray,
                 shifts: np.ndarray, length: int, texts: list[str]) -> ScoredBatch:  # fmt: skip
        """Windows of `length` frames from frame `firsts` (B,) on, of pairs of scenes in a row, `rows` (B, 2).

        through: where the sound came out of the codec (B, 2).
        """
        one, two = torch.from_numpy(rows).unbind(1)
        a, b = torch.from_numpy(through).long().unbind(1)
        last = 4 * self.frames  # the last column of a scene is the first of the next
        spectra = torch.cat([pool["spectra"][one, a, :, :last], pool["spectra"][two, b]], -1)
        heard = torch.cat([pool["heard"][one, :, :last], pool["heard"][two]], -1)
        pictures = torch.cat([pool["pictures"][one], pool["pictures"][two]], 1)
        frames = torch.from_numpy(firsts)[:, None] + torch.arange(-_FAR, length + _FAR)
        pictures = pictures[torch.arange(len(rows))[:, None], frames.clamp(0, pictures.shape[1] - 1)]

        def cut(values: Tensor, size: int) -> Tensor:
            parts = [row.narrow(-1, 4 * int(first), size) for row, first in zip(values, firsts, strict=True)]
            return torch.stack(parts).float().to(self.device)

        timed = []
        for pair, first in zip(mixes, firsts / LATENT_RATE, strict=True):
            times = [*pair[0].impacts(), *(time + self.config.seconds for time in pair[1].impacts())]
            timed.append(any(first <= time < first + length / LATENT_RATE for time in times))
        ids, mask, _ = self.model.text.tokenize(texts)
        return ScoredBatch(
            spectra=cut(spectra, 4 * length + 1)[:, None],
            pictures=pictures.float().to(self.device),
            shifts=shifts.tolist(),
            timed=torch.tensor(timed, device=self.device),
            ids=ids.to(self.device),
            mask=mask.to(self.device),
            layers=(cut(heard, 4 * length).sum(-1) >= _LEAST).float(),
        )


def compare(model: SoundScorer, spectra: Tensor, batch: ScoredBatch) -> Found:
    """All that the losses and the figures are made of; `spectra` may be those of `batch` as something changed them."""
    length = batch.pictures.shape[1] - 2 * _FAR
    states, seen = model.listen_to(spectra)[..., :length], model.watch(batch.pictures)
    heard = signature(model.heard_when(states))
    own, *others = (signature(seen[..., _FAR + shift :][..., :length]) for shift in (0, *batch.shifts))
    words = model.means(states) @ model.read(batch.ids, batch.mask).T
    times = [(heard * one).sum(-1) for one in (own, *others)]
    return Found(words, heard @ own.T, torch.stack(times, 1), model.layer_logits(states))


def worn(spectra: Tensor, rng: torch.Generator) -> Tensor:
    """Log-mel spectra (B, 1, bands, N) as they would be at another loudness, in another tone, with hiss."""

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(spectra), 1, 1, 1, generator=rng, device=rng.device).to(spectra)

    tilt = torch.linspace(-1, 1, spectra.shape[2], device=spectra.device)[:, None]
    louder = spectra + draw(-2.0, 0.6) + draw(-0.5, 0.5) * tilt
    hiss = draw(-11.5, -6.0) + 0.3 * torch.randn(spectra.shape, generator=rng, device=rng.device).to(spectra)
    return torch.logaddexp(2 * louder, 2 * hiss) / 2
