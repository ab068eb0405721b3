"""The training task of the sound codec."""

import wave
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mediagen.audio.codec.critic import SpectralCritic
from mediagen.audio.codec.model import Codec
from mediagen.audio.judge.measures import log_mel_distance, onset_f1, onsets, si_sdr
from mediagen.config import Config
from mediagen.data.folder import FolderStream
from mediagen.data.stream import Stream, open_stream
from mediagen.data.survey import Needs
from mediagen.grid import SOUND_HOP, SOUND_RATE
from mediagen.media.sheets import save_sheet
from mediagen.nn.discriminator import hinge_critic, hinge_generator
from mediagen.nn.spectral import log_mel, spectral_loss
from mediagen.parallel.spread import spread
from mediagen.world.motion import contacts
from mediagen.world.scene import MOODS, Scene, draw_scene
from mediagen.world.sounds import synthesise


@dataclass(frozen=True, kw_only=True)
class CodecTaskConfig(Config):
    """What the codec is trained on and by which terms.

    pool: clips of 2 s that are made at the start and kept as int16 (0.2 MB each).  frames: latent frames per crop.
    standard: share of clips of that difficulty.  noise: see `Codec.reconstruct`.  wave: weight of the waveform's L1
    distance, for codecs that give waves; noise could only come closer by being too quiet.  tones: weight of the
    distance from the steady tones that are held in the sound, for codecs that have them.  adversarial: weight of the
    critic's term, 0 for no critic; it starts at step `adversarial_start`.  check: clips of a preview.  data: a folder
    of videos with sound tracks to learn from in place of the world.  processes: that make the pool, where it is the
    world's.
    """

    data: str | None = None
    batch: int = 8
    pool: int = 1500
    frames: int = 20
    standard: float = 0.1
    noise: float = 0.1
    kl: float = 1e-5
    wave: float = 10.0
    spectral: float = 1.0
    tones: float = 40.0
    adversarial: float = 0.0
    adversarial_start: int = 0
    check: int = 64
    processes: int = 0
    skip_unusable: bool = False  # films of the folder that cannot be used, as those without sound, are left out

    @property
    def needs(self) -> Needs:
        """What is read of a film."""
        return Needs(captions=False, sound=True, seconds=2.0)


@dataclass(frozen=True)
class SoundBatch:
    """Crops (B, 1, S) and the number of their step."""

    sound: Tensor
    step: int


class CodecTask:
    """Trains a Codec to rebuild the world's sounds; see `mediagen.train.task.Task`."""

    name = "codec"

    def __init__(self, model: Codec, config: CodecTaskConfig | None = None, device: str = "cpu") -> None:
        self.config, self.device = config or CodecTaskConfig(), device
        self.model = model.to(device)
        self.held_out = self._open("validation")
        self.pool = self._sounds()
        if self.config.frames * SOUND_HOP > self.pool.shape[1]:
            most = self.pool.shape[1] // SOUND_HOP
            raise ValueError(f"got frames={self.config.frames}, expected at most {most}, a clip's; lower it.")
        if self.config.adversarial > 0:
            self.critic = SpectralCritic().to(device)

    def _open(self, split: str) -> Stream:
        config = self.config
        return open_stream(config.data, split, sound=True, needs=config.needs, skip_unusable=config.skip_unusable)

    def _sounds(self) -> Tensor:
        """The pool, int16 (clips, S)."""
        config, numbers = self.config, range(self.config.pool)
        stream = self._open("train")
        if isinstance(stream, FolderStream):
            return torch.stack([_as_int16(stream.sound_at(number)[0]) for number in numbers])
        made = spread(partial(_layered_int16, standard=config.standard), numbers, config.processes)
        return torch.stack([torch.from_numpy(sound) for sound in made])

    def batch(self, step: int, rank: int, world: int) -> SoundBatch:
        """Random crops of random clips, each at a random loudness and polarity."""
        config, rng = self.config, np.random.default_rng((step, rank, 5))
        length = config.frames * SOUND_HOP
        crops = []
        for clip in rng.integers(0, len(self.pool), config.batch):
            start = rng.integers(0, self.pool.shape[1] - length + 1)
            gain = float(rng.choice((-1, 1)) * 2 ** rng.uniform(-1.5, 0.2))
            crops.append((self.pool[clip, start : start + length].float() * (gain / 32767)).clamp(-1, 1))
        return SoundBatch(torch.stack(crops)[:, None].to(self.device), step)

    def loss(
        self, model: nn.Module, batch: SoundBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        assert isinstance(model, Codec)
        config = self.config
        rebuilt, kl, tones = model.reconstruct(batch.sound, config.noise, rng)
        wave = (rebuilt - batch.sound).abs().mean()
        spectral = spectral_loss(rebuilt, batch.sound)
        total = (
            config.wave * model.frontend.waves * wave
            + config.spectral * spectral
            + config.tones * tones
            + config.kl * kl
        )
        figures: dict[str, float | Tensor] = {
            "wave": wave.detach(),
            "spectral": spectral.detach(),
            "kl": kl.detach(),
            "tones": tones.detach(),
            "si_sdr": si_sdr(rebuilt.detach(), batch.sound).median(),
        }
        if self._adversarial(batch.step):
            score = hinge_generator(self.critic, rebuilt)
            total, figures["score"] = total + config.adversarial * score, score.detach()
        return total, figures

    def critic_loss(self, critic: nn.Module, batch: SoundBatch, rng: torch.Generator) -> Tensor:
        if not self._adversarial(batch.step):
            return sum((p.sum() * 0 for p in critic.parameters()), torch.zeros((), device=self.device))
        with torch.no_grad():
            self.model.eval()  # leaves the running statistics as they are
            rebuilt, _, _ = self.model.reconstruct(batch.sound, self.config.noise, rng)
            self.model.train()
        return hinge_critic(critic, batch.sound, rebuilt)

    @torch.no_grad()
    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Figures on validation sounds, and spectrograms of eight above those of their reconstructions.

        The onset figures are of the world alone, where the true contacts are known.
        """
        assert isinstance(model, Codec)
        scenes: list[Scene] = []
        if isinstance(self.held_out, FolderStream):
            truth = torch.stack([self.held_out.sound_at(number) for number in range(self.config.check)])
        else:
            scenes = [draw_scene(seed, "validation", "simple") for seed in range(self.config.check)]
            truth = torch.stack([synthesise(scene) for scene in scenes])
        rebuilt = torch.cat([model.decode(model.encode(s.to(self.device)), s.shape[-1]).cpu() for s in truth.split(8)])
        save_spectrograms(truth[:8, 0], rebuilt[:8, 0], folder / f"codec-{step:06d}.png", "rebuilt")
        save_heard({"true": truth[0], "rebuilt": rebuilt[0]}, folder, f"codec-{step:06d}")
        figures = {
            "si_sdr": float(si_sdr(rebuilt, truth).mean()),
            "log_mel_db": float(log_mel_distance(rebuilt, truth).mean()),
        }
        if scenes:
            impacts = [[contact.time for contact in contacts(scene)] for scene in scenes]
            figures |= {"onset_f1": impact_f1(impacts, rebuilt), "onset_f1_truth": impact_f1(impacts, truth)}
        return figures

    def _adversarial(self, step: int) -> bool:
        return self.config.adversarial > 0 and step >= self.config.adversarial_start


def layered(seed: int, standard: float) -> Tensor:
    """Training clip `seed` (S,): mostly whole sounds, a fifth each effects alone and music alone."""
    rng = np.random.default_rng((seed, 11))
    scene = draw_scene(seed, "train", "standard" if rng.random() < standard else "simple")
    choice = rng.random()
    if choice < 0.2:
        return synthesise(scene, ambience=False, music=False)[0]
    if choice < 0.4:
        scene = replace(scene, mood=scene.mood or str(rng.choice(MOODS)))
        return synthesise(scene, effects=False, ambience=False)[0]
    return synthesise(scene)[0]


def impact_f1(impacts: list[list[float]], sounds: Tensor) -> float:
    """Mean onset F1 of sounds (B, 1, S) against the times of their impacts, of those that have any. NaN for none."""
    scores = [onset_f1(onsets(sound), times) for times, sound in zip(impacts, sounds, strict=True) if times]
    return float(np.mean(scores)) if scores else float("nan")


def save_heard(sounds: dict[str, Tensor], folder: Path, name: str) -> None:
    """Writes sounds (1, S) as NAME-true.wav and so on, of 16 bits, without PyAV, which GPU machines may lack."""
    for kind, sound in sounds.items():
        with wave.open(str(folder / f"{name}-{kind}.wav"), "wb") as file:
            file.setparams((1, 2, SOUND_RATE, 0, "NONE", ""))
            file.writeframes(_as_int16(sound[0].clamp(-1, 1)).cpu().numpy().astype("<i2").tobytes())


def save_spectrograms(above: Tensor, below: Tensor, path: Path, made: str) -> None:
    """Writes a grey PNG: log-mel spectrograms of the true `above` (B, S) in a row, those of `below` under them.

    made: what the lower row is called; the picture says which is which.
    """
    rows = [((log_mel(sounds, bands=80, hop=960) + 9.0) / 11).clamp(0, 1).flip(1) for sounds in (above, below)]
    tiles = [torch.cat(list(nn.functional.pad(row, (1, 1, 1, 1), value=1.0)), dim=1) for row in rows]
    grey = (torch.cat(tiles) * 255).to(torch.uint8).cpu()
    upper, lower = (half[..., None].expand(-1, -1, 3) for half in grey.chunk(2))
    save_sheet([upper, lower], path, 1, ["true", made])


def _layered_int16(seed: int, standard: float) -> np.ndarray:
    return _as_int16(layered(seed, standard)).numpy()


def _as_int16(sound: Tensor) -> Tensor:
    return (sound * 32767).round().to(torch.int16)
