"""The training task of the sound scorer: films with layers switched on and off, beside their words and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.audio.codec.model import Codec
from mediagen.audio.conditions import LATENT_RATE, at_sound_rate
from mediagen.audio.judge.scorer import LAYERS, MEL_HOP, SoundScorer, signature
from mediagen.audio.train.mixes import EFFECTS, Mix, film_words
from mediagen.config import Config
from mediagen.data.cache import build_cache, mark
from mediagen.nn.spectral import log_mel
from mediagen.text.aligned import AlignedEncoder
from mediagen.train.task import multiplies_bf16_fast
from mediagen.weights import Tensors
from mediagen.world.film import Film, draw_film, film_contacts, render_films

_SILENT = 0.002  # RMS below which a layer is not heard
_LEAST = 5  # columns of 10 ms in which a layer must be heard
_NEAR, _FAR = 4, 25  # frames at 25 Hz by which pictures are shifted, away from their sound: 0.16 s to 1 s
SHIFTS = (0.2, 0.4, 0.8)  # seconds, of the figures
_ALONE = (Mix(effects=False), EFFECTS)  # as LAYERS
MIXES = (Mix(), *_ALONE)


@dataclass(frozen=True, kw_only=True)
class SoundScorerTaskConfig(Config):
    """What a scorer is trained on.

    films: encoded once, before training (1.1 MB each on disk and in memory for the tiny models).  seconds: of a film.
    standard: share of that difficulty.  short, longest: seconds of the windows, most of which are short.  shifts: wrong
    times per sound.  noise: largest error of the latent, in its units, on the way through the codec.  check: films of a
    preview, in groups of 32.
    """

    batch: int = 32
    films: int = 1200
    seconds: float = 6.0
    standard: float = 0.25
    fps: float = 16.0
    size: tuple[int, int] = (64, 64)
    short: float = 2.0
    longest: float = 4.0
    shifts: int = 8
    noise: float = 0.3
    check: int = 64

    def __post_init__(self) -> None:
        if not 0 < self.short <= self.longest <= self.seconds - 2 * _FAR / LATENT_RATE:
            raise ValueError(
                f"got windows of {self.short:g} to {self.longest:g} s and films of {self.seconds:g} s; expected the "
                "longest to leave 2 s of a film free."
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
class Heard:
    """One window: row of the pool, film, which of MIXES, whether out of the codec, and its first frame."""

    row: int
    film: Film
    mix: int
    coded: bool
    first: int


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

    codec, aligned: frozen; half of the sounds come out of the codec.  cache: folder that encoded films are kept in.
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
        self.frames = round(config.seconds * LATENT_RATE)
        about = {key: getattr(config, key) for key in ("seconds", "standard", "fps", "size", "noise")}
        about |= {"codec": mark(codec), "aligned": mark(aligned), "bands": model.config.bands}
        self.pool = build_cache(cache, config.films, self._encode_range, shard=50, about=about, device=device).tensors

    def film(self, index: int, split: str = "train") -> Film:
        """Film number `index` of a split, with a music bed."""
        config = self.config
        difficulty = "standard" if np.random.default_rng((index, 19)).random() < config.standard else "simple"
        aspect = config.size[0] / config.size[1]
        return draw_film(index, split, difficulty, seconds=config.seconds, fps=config.fps, aspect=aspect, music=1.0)

    def batch(self, step: int, rank: int, world: int) -> ScoredBatch:
        """Windows of training films, half of them as they come out of the codec."""
        config, rng = self.config, np.random.default_rng((step, rank, 29))
        least, most = round(config.short * LATENT_RATE), round(config.longest * LATENT_RATE)
        length = least if rng.random() < 0.5 else int(rng.integers(least, most + 1))
        rows = rng.choice(config.films, config.batch, replace=config.batch > config.films)
        heard = [
            Heard(row, self.film(row), int(mix), bool(rng.random() < 0.5), int(first))
            for row, mix, first in zip(
                rows.tolist(),
                rng.integers(0, len(MIXES), len(rows)),
                rng.integers(_FAR, self.frames - _FAR - length + 1, len(rows)),
                strict=True,
            )
        ]
        shifts = rng.integers(_NEAR, _FAR + 1, config.shifts) * rng.choice((-1, 1), config.shifts)
        return self._windows(self.pool, heard, shifts, length, rng)

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
        """Shares found among 32 on validation films, both ways of hearing them, and in-sync against shifted pictures.

        in_sync_*: of the windows with an impact that is heard; chance is a half.
        """
        assert isinstance(model, SoundScorer)
        config, length = self.config, round(self.config.short * LATENT_RATE)
        shifts = np.array([round(shift * LATENT_RATE) for shift in SHIFTS])
        found: dict[str, list[Tensor]] = {}
        for first in range(0, config.check, 32):
            films = [self.film(row, "validation") for row in range(first, min(config.check, first + 32))]
            pool = self.encode(films)
            for kind, through in (("", False), ("_codec", True)):
                heard = [Heard(row, film, row % len(MIXES), through, _FAR) for row, film in enumerate(films)]
                batch = self._windows(pool, heard, shifts, length, np.random.default_rng(0))
                cosines = compare(model, batch.spectra, batch)
                own = torch.arange(len(films), device=cosines.words.device)
                parts = {"text_found": cosines.words.argmax(0) == own, "sound_found": cosines.pictures.argmax(0) == own}
                early = (cosines.times[:, :1] > cosines.times[:, 1:])[batch.timed]
                parts |= {f"in_sync_{shift:g}": early[:, index] for index, shift in enumerate(SHIFTS)}
                right = (cosines.layers > 0) == (batch.layers > 0.5)
                parts |= {name: right[:, index] for index, name in enumerate(LAYERS)}
                for name, value in parts.items():
                    found.setdefault(f"{name}{kind}", []).append(value.float().cpu())
        return {name: float(torch.cat(values).mean()) for name, values in found.items()}

    @torch.no_grad()
    def encode(self, films: Sequence[Film]) -> Tensors:
        """Of each film: spectra of its MIXES (T, 2, bands, columns), without and with the codec, pictures at 25 Hz

        (L, P), and in which columns each of LAYERS is heard, bool (2, columns).
        """
        config = self.config
        layers = torch.stack([torch.cat([mix.sound(film) for mix in _ALONE]) for film in films])  # (B, 2, S)
        sounds = torch.stack([torch.cat([mix.sound(film) for mix in MIXES]) for film in films]).flatten(0, 1)[:, None]
        device = torch.device(self.device)
        with torch.autocast(device.type, torch.bfloat16, multiplies_bf16_fast(device)):
            latent = self.codec.encode(sounds.to(self.device))
            rng = torch.Generator().manual_seed(films[0].seed)
            error = torch.randn(latent.shape, generator=rng) * torch.rand((len(latent), 1, 1), generator=rng)
            passed = self.codec.decode(latent + config.noise * error.to(latent), sounds.shape[-1]).float().cpu()
            frames = torch.stack(render_films(list(films), config.size, self.device))
            features = self.aligned.picture_features(frames).float()
        spectra = log_mel(torch.cat([sounds, passed], 1), bands=self.model.config.bands, hop=MEL_HOP)
        loud = F.avg_pool1d(F.pad(layers.square(), (MEL_HOP, MEL_HOP)), 2 * MEL_HOP, MEL_HOP).sqrt()
        return {
            "spectra": spectra.unflatten(0, (len(films), len(MIXES))),
            "pictures": at_sound_rate(features, config.fps, self.frames).cpu(),
            "heard": loud > _SILENT,
        }

    def _encode_range(self, items: range) -> tuple[Tensors, list[str]]:
        films = [self.film(index) for index in items]
        parts = [self.encode(films[first : first + 10]) for first in range(0, len(films), 10)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}, [""] * len(items)

    def _windows(self, pool: Tensors, heard: list[Heard], shifts: np.ndarray, length: int,
                 rng: np.random.Generator) -> ScoredBatch:  # fmt: skip
        """Windows of `length` frames; rng: writes the words."""
        spectra, pictures, layers, texts, timed = [], [], [], [], []
        for one in heard:
            mix, start, seconds = MIXES[one.mix], one.first / LATENT_RATE, length / LATENT_RATE
            columns = slice(4 * one.first, 4 * (one.first + length) + 1)
            spectra.append(pool["spectra"][one.row, one.mix, int(one.coded), :, columns])
            pictures.append(pool["pictures"][one.row, one.first - _FAR : one.first + length + _FAR])
            loud = pool["heard"][one.row, :, columns].float().sum(-1) >= _LEAST
            layers.append(loud & torch.tensor([mix.music, mix.effects]))
            texts.append(tell(one.film, mix, rng, start, seconds))
            times = [contact.time - start for contact in film_contacts(one.film)] if mix.effects else []
            timed.append(any(0 <= time < seconds for time in times))
        ids, mask, _ = self.model.text.tokenize(texts)
        return ScoredBatch(
            spectra=torch.stack(spectra).float()[:, None].to(self.device),
            pictures=torch.stack(pictures).float().to(self.device),
            shifts=shifts.tolist(),
            timed=torch.tensor(timed, device=self.device),
            ids=ids.to(self.device),
            mask=mask.to(self.device),
            layers=torch.stack(layers).float().to(self.device),
        )


def tell(film: Film, mix: Mix, rng: np.random.Generator, start: float, seconds: float) -> str:
    """One of many wordings of a window: effects and music, in any order, or that there is no music."""
    told, music = film_words(film, mix, rng, start, seconds)
    bed = music or ("no music" if rng.random() < 0.3 else "")
    if bed:
        told.insert(int(rng.integers(len(told) + 1)), f"music: {bed}" if rng.random() < 0.3 else bed)
    return ". ".join(told)


def compare(model: SoundScorer, spectra: Tensor, batch: ScoredBatch) -> Found:
    """All that the losses and the figures are made of; `spectra` may be those of `batch` as something changed them."""
    length = batch.pictures.shape[1] - 2 * _FAR
    states, seen = model.listen_to(spectra)[..., :length], model.look_at(batch.pictures)
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
