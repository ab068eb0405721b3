"""The Task that trains the SoundRecogniser: on the world's sounds, worn as codecs and microphones wear them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.audio.judge.recogniser import SoundRecogniser
from mediagen.config import Config
from mediagen.parallel.spread import spread
from mediagen.world.scene import Scene, draw_scene
from mediagen.world.sounds import SOUND_CLASSES, foreground_class, synthesise


@dataclass(frozen=True, kw_only=True)
class SoundRecogniserTaskConfig(Config):
    """What a SoundRecogniser is trained on.

    pool: clips made at the start, by `processes` processes, and kept as int16.  standard: share of that difficulty.
    seconds: of a clip.  check: clips of a preview.
    """

    batch: int = 16
    pool: int = 2000
    standard: float = 0.5
    seconds: float = 2.0
    check: int = 200
    processes: int = 0


class SoundRecogniserTask:
    """Trains a SoundRecogniser on the world's sounds, worn as codecs wear them; see `mediagen.train.task.Task`."""

    name = "sound_recogniser"

    def __init__(
        self, model: SoundRecogniser, config: SoundRecogniserTaskConfig | None = None, device: str = "cpu"
    ) -> None:
        self.config, self.device = config or SoundRecogniserTaskConfig(), device
        self.model = model.to(device)
        sounds, self.labels = self._labelled("train", self.config.pool, self.config.standard)
        self.pool = (sounds * 32767).round().to(torch.int16)

    def batch(self, step: int, rank: int, world: int) -> tuple[Tensor, Tensor]:
        """Sounds (B, 1, S) and classes (B,)."""
        rng = np.random.default_rng((step, rank, 6))
        chosen = torch.from_numpy(rng.integers(0, len(self.pool), self.config.batch))
        return self.pool[chosen].float().to(self.device) / 32767, self.labels[chosen].to(self.device)

    def loss(
        self, model: nn.Module, batch: tuple[Tensor, Tensor], rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        logits = model(wear(batch[0], rng))
        right = (logits.detach().argmax(1) == batch[1]).float().mean()
        return F.cross_entropy(logits, batch[1], label_smoothing=0.05), {"accuracy": right}

    @torch.no_grad()
    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Accuracy on simple and standard validation clips, clean and worn."""
        figures = {}
        for name, standard in (("simple", 0.0), ("standard", 1.0)):
            sounds, labels = self._labelled("validation", self.config.check, standard)
            rng = torch.Generator(self.device).manual_seed(0)
            for kind in ("clean", "worn"):
                found = []
                for part in sounds.to(self.device).split(16):
                    found.append(model(wear(part, rng) if kind == "worn" else part).argmax(1).cpu())
                figures[f"accuracy_{name}_{kind}"] = float((torch.cat(found) == labels).float().mean())
        return figures

    def _labelled(self, split: str, count: int, standard: float) -> tuple[Tensor, Tensor]:
        """The first `count` clips of a split with one person or thing each: sounds (count, 1, S) and classes (count,).

        A share `standard` of them is of difficulty "standard".
        """
        scenes, seed = [], 0
        while len(scenes) < count:
            difficulty = "standard" if np.random.default_rng((seed, 12)).random() < standard else "simple"
            scene = draw_scene(seed, split, difficulty, seconds=self.config.seconds)
            scenes += [scene] if len(scene.shown) == 1 else []
            seed += 1
        sounds = [torch.from_numpy(sound) for sound in spread(sound_of, scenes, self.config.processes)]
        return torch.stack(sounds), torch.tensor([SOUND_CLASSES.index(foreground_class(scene)) for scene in scenes])


def sound_of(scene: Scene) -> np.ndarray:
    """The scene's sound as an array, float32 (1, S), which can travel between processes."""
    return synthesise(scene).numpy()


def wear(sound: Tensor, rng: torch.Generator) -> Tensor:
    """What codecs, generators and microphones do to (B, 1, S): loudness, noise, dullness, missing bands, a shift."""

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(sound), 1, 1, generator=rng, device=sound.device)

    spectrum = torch.fft.rfft(sound * 10 ** draw(-0.5, 0.3))
    hz = torch.linspace(0, 24_000, spectrum.shape[-1], device=sound.device)
    limit = 3500 * 2 ** draw(0.0, 4.5)  # of a low pass, up to beyond hearing
    tilt = 10 ** (draw(-0.3, 0.3) * torch.log10(hz.clamp_min(50) / 1000))
    shift = torch.exp(-2j * torch.pi * hz * draw(-0.02, 0.02))
    worn = torch.fft.irfft(spectrum * tilt * shift / (1 + (hz / limit) ** 4), sound.shape[-1])
    hiss = torch.randn(sound.shape, generator=rng, device=sound.device) * 10 ** draw(-4.5, -2.3)
    return (worn + hiss).clamp(-1, 1)
