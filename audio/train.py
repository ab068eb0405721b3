"""The training task of the audio model: clips are encoded once, the world's captions written anew at every step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mediagen.aligned import AlignedEncoder
from mediagen.audio.codec import Codec
from mediagen.audio.conditions import LATENT_RATE, at_sound_rate, draw_clean, draw_drops, sound_prompt
from mediagen.audio.generate import generate_latents, watch
from mediagen.audio.model import AudioModel
from mediagen.audio.recogniser import SoundRecogniser, sound_of
from mediagen.audio.train_codec import impact_f1, save_spectrograms
from mediagen.clip import to_float, to_uint8
from mediagen.config import Config
from mediagen.flow import draw_t, flow_loss, noise_like, velocity
from mediagen.nn.weights import Tensors
from mediagen.tae import TAE
from mediagen.text import Text, TextEncoder
from mediagen.train.cache import build_cache
from mediagen.train.spread import spread
from mediagen.train.tellings import Tellings
from mediagen.world.draw import render
from mediagen.world.scene import Scene, draw_scene
from mediagen.world.sounds import foreground_class, synthesise
from mediagen.world.stream import FolderStream, open_stream, pictures_of, sounds_of
from mediagen.world.words import caption, music_caption, sound_caption


@dataclass(frozen=True)
class SoundEncoders:
    """The frozen models that the audio model learns from.

    tae: where given, every second clip is seen through it, as generated pictures are.
    """

    text: TextEncoder
    aligned: AlignedEncoder
    codec: Codec
    tae: TAE | None = None


@dataclass(frozen=True, kw_only=True)
class AudioTaskConfig(Config):
    """What the audio model is trained on, and how t is drawn.

    clips: encoded once, before training (0.14 MB each on disk and in memory for the tiny models).  full: share of
    difficulty "full".  crops: share of batches of shorter windows, from `shortest` seconds on, that begin anywhere.
    t_mean, t_std: of the logit-normal (0 and 1 in the report).  check: sounds of a preview, made in `preview_steps`
    with `guidance`.  data: a folder of videos with captions and sound tracks to learn from in place of the world;
    `clips` is then how many windows of them are encoded.  tellings: prompts of each clip that are written and encoded
    once; 0 writes them anew at every step.  processes: that make sounds and tellings before the training.
    """

    data: str | None = None
    full: float = 0.0
    size: tuple[int, int] = (64, 64)
    seconds: float = 2.0
    fps: float = 16.0
    clips: int = 4000
    batch: int = 16
    crops: float = 0.25
    shortest: float = 1.0
    t_mean: float = 0.0
    t_std: float = 1.0
    check: int = 8
    preview_steps: int = 16
    guidance: float = 3.0
    tellings: int = 0
    processes: int = 0


@dataclass(frozen=True)
class AudioBatch:
    """latent (B, C, L), pictures at 25 Hz (B, L, P), the text of the prompts, and of "" (one row)."""

    latent: Tensor
    pictures: Tensor
    text: Text
    null: Text


class AudioTask:
    """Trains an AudioModel by flow matching on sounds and their pictures; see `mediagen.train.task.Task`.

    cache: folder that the encoded clips are kept in.  judge: where given, previews tell how many sounds it names right.
    """

    name = "audio"

    def __init__(
        self,
        model: AudioModel,
        encoders: SoundEncoders,
        config: AudioTaskConfig,
        cache: Path,
        device: str = "cpu",
        judge: SoundRecogniser | None = None,
    ) -> None:
        self.config, self.device, self.encoders = config, device, encoders
        sizes = model.config
        wants = (sizes.text_widths, sizes.latent_channels, sizes.picture_width)
        has = (encoders.text.widths, encoders.codec.config.latent, encoders.aligned.features)
        if wants != has:  # seen now, not when thousands of clips are encoded
            raise ValueError(
                f"got encoders of text_widths, latent_channels and picture_width {has}, expected {wants}; set those of "
                "the model, or give other models."
            )
        self.model = model.to(device)
        for module in filter(None, (encoders.text, encoders.aligned, encoders.codec, encoders.tae, judge)):
            module.to(device).eval().requires_grad_(False)
        self.judge = judge
        about = {key: getattr(config, key) for key in ("full", "size", "seconds", "fps")}
        about |= {name: _mark(getattr(encoders, name)) for name in ("aligned", "codec", "tae")}
        self.stream, self.held_out = (
            open_stream(config.data, split, "simple", config.size, config.seconds, config.fps, sound=True)
            for split in ("train", "validation")
        )
        if isinstance(self.stream, FolderStream):
            about["data"] = self.stream.mark
        self._heard: Iterator[np.ndarray] | None = None  # the world's sounds, in order, while the cache is built
        pool = build_cache(cache, config.clips, self._encode_range, shard=64, about=about)
        self.pool, self.captions = {name: value.to(device) for name, value in pool.tensors.items()}, pool.captions
        tell = partial(tell_sound, config, self.captions)
        self.told = Tellings(encoders.text, tell, config.clips, config.processes) if config.tellings else None
        self.null = encoders.text.encode([""])

    def scene(self, index: int, split: str = "train") -> Scene:
        """Scene number `index` of a split."""
        return _scene(self.config, split, index)

    def encode_scenes(self, scenes: list[Scene], sounds: Tensor | None = None) -> Tensors:
        """What `encode` makes of scenes; sounds: theirs (B, 1, S), where they were made already."""
        frames = render(scenes, self.config.size, self.device)
        sounds = torch.stack([synthesise(scene) for scene in scenes]) if sounds is None else sounds
        return self.encode(frames, sounds, [scene.seed for scene in scenes])

    @torch.no_grad()
    def encode(self, frames: Tensor, sounds: Tensor, numbers: Sequence[int]) -> Tensors:
        """latent (B, C, L) of the sounds, and the features of the pictures, (B, F, P) at the frames' own rate.

        frames: uint8 (B, F, H, W, 3).  sounds: (B, 1, S).  numbers: of the clips; odd ones go through the autoencoder.
        """
        frames = frames.to(self.device)
        if self.encoders.tae is not None:
            tae = self.encoders.tae
            worn = torch.tensor([number % 2 == 1 for number in numbers], device=frames.device)
            if worn.any():
                frames[worn] = to_uint8(tae.decode(tae.encode(to_float(frames[worn])), frames.shape[1]))
        return {
            "latent": self.encoders.codec.encode(sounds.to(self.device)),
            "pictures": self.encoders.aligned.picture_features(frames),
        }

    def batch(self, step: int, rank: int, world: int) -> AudioBatch:
        config, rng = self.config, np.random.default_rng((step, rank, 21))
        rows = rng.integers(0, config.clips, config.batch)
        chosen = torch.from_numpy(rows).to(self.device)
        latent, pictures = self.pool["latent"][chosen].float(), self.pool["pictures"][chosen].float()
        first, length = 0, latent.shape[-1]
        if rng.random() < config.crops:
            least = min(length, round(config.shortest * LATENT_RATE))
            length = int(rng.integers(least, length + 1))
            first = int(rng.integers(0, latent.shape[-1] - length + 1))
        if self.told is None:
            text = self.encoders.text.encode([_prompt(config, self.captions, int(row), rng) for row in rows])
        else:
            text = self.told.draw(rows, rng)
        pictures = at_sound_rate(pictures, config.fps, length, start=first / LATENT_RATE)
        return AudioBatch(latent[..., first : first + length], pictures, text, self.null)

    def loss(
        self, model: nn.Module, batch: AudioBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """The flow-matching loss over what is to be made; what is known is given and not judged."""
        assert isinstance(model, AudioModel)
        latent, count = batch.latent, len(batch.latent)
        without_text, without_pictures = draw_drops(count, rng)
        text = Text.cat([batch.text, batch.null])[
            torch.where(without_text, count, torch.arange(count, device=rng.device))
        ]
        pictures = batch.pictures * ~without_pictures[:, None, None]
        clean = draw_clean(count, latent.shape[-1], rng)
        prepared = model.prepare(text, latent.shape[-1], pictures, latent, clean)
        noise, t = noise_like(latent, rng), draw_t(count, rng, self.config.t_mean, self.config.t_std)
        target = velocity(latent, noise)
        losses = flow_loss(
            lambda x, t: torch.where(clean[:, None], target, model(x, t, prepared)), latent, t, noise
        ) / (~clean).float().mean(1)
        free = ~clean.any(1) & ~without_text & ~without_pictures
        figures: dict[str, float | Tensor] = {"whole": (losses.detach() * free).sum() / free.sum().clamp_min(1)}
        return losses.mean(), figures

    @torch.no_grad()
    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Sounds for validation clips and their own pictures, spectrograms of the truth above them, and figures.

        onset_f1 and class_accuracy are of the generated sounds; those that end in _codec are what the codec allows.
        They are of the world alone, where the truth is known.
        """
        assert isinstance(model, AudioModel)
        config, codec = self.config, self.encoders.codec
        scenes, frames, truth, prompts = self._held_out()
        latent = codec.encode(truth)
        pictures = watch(self.encoders.aligned, frames, config.fps, latent.shape[-1])
        text = self.encoders.text.encode(prompts)
        rng = torch.Generator(self.device).manual_seed(0)
        made = generate_latents(
            model,
            text,
            self.null,
            latent.shape[-1],
            rng=rng,
            pictures=pictures,
            steps=config.preview_steps,
            guidance=config.guidance,
        )
        prepared = model.prepare(text, latent.shape[-1], pictures)
        t = (torch.arange(len(latent), device=self.device) + 0.5) / len(latent)
        losses = flow_loss(lambda x, t: model(x, t, prepared), latent, t, noise_like(latent, rng))
        figures = {"validation_loss": float(losses.mean())}
        sounds = {"": codec.decode(made, truth.shape[-1]), "_codec": codec.decode(latent, truth.shape[-1])}
        for name, sound in sounds.items() if scenes else ():
            figures[f"onset_f1{name}"] = impact_f1(scenes, sound.cpu())
            if self.judge is not None:
                named = zip(self.judge.classify(sound), scenes, strict=True)
                figures[f"class_accuracy{name}"] = float(np.mean([word == foreground_class(s) for word, s in named]))
        save_spectrograms(truth[:8, 0].cpu(), sounds[""][:8, 0].cpu(), folder / f"audio-{step:06d}.png")
        (folder / f"audio-{step:06d}.txt").write_text("\n".join(prompts[:8]) + "\n")
        return figures

    def _held_out(self) -> tuple[list[Scene], Tensor, Tensor, list[str]]:
        """Validation data: scenes (none of a folder), pictures (B, F, H, W, 3), sounds (B, 1, S) and prompts."""
        config = self.config
        if isinstance(self.held_out, FolderStream):
            clips = self.held_out.clips_at(range(config.check), sound=True)
            frames, sounds, scenes = pictures_of(clips), sounds_of(clips), []
            prompts = [sound_prompt(clip.caption) for clip in clips]
        else:
            scenes = [self.scene(index, "validation") for index in range(config.check)]
            frames = render(scenes, config.size, self.device)
            sounds = torch.stack([synthesise(scene) for scene in scenes])
            prompts = [world_prompt(scene, np.random.default_rng((i, 23))) for i, scene in enumerate(scenes)]
        return scenes, frames.to(self.device), sounds.to(self.device), prompts

    def _encode_range(self, items: range) -> tuple[Tensors, list[str]]:
        """Tensors and captions; those of the world are "": they are written anew at every step."""
        parts, captions = [], []
        if self._heard is None:  # made ahead by other processes, and from where an earlier build was killed
            scenes = [self.scene(index) for index in range(items.start, self.config.clips)]
            self._heard = spread(sound_of, scenes, self.config.processes)
        for chunk in (items[first : first + 16] for first in range(0, len(items), 16)):
            if isinstance(self.stream, FolderStream):
                clips = self.stream.clips_at(chunk, sound=True)
                parts.append(self.encode(pictures_of(clips), sounds_of(clips), chunk))
                captions += [clip.caption for clip in clips]
            else:
                sounds = torch.stack([torch.from_numpy(next(self._heard)) for _ in chunk])
                parts.append(self.encode_scenes([self.scene(index) for index in chunk], sounds))
                captions += [""] * len(chunk)
        return {name: torch.cat([part[name].half().cpu() for part in parts]) for name in parts[0]}, captions


def tell_sound(config: AudioTaskConfig, captions: list[str], index: int) -> list[str]:
    """The `tellings` of clip number `index`."""
    rng = np.random.default_rng((index, 31))
    return [_prompt(config, captions, index, rng) for _ in range(config.tellings)]


def _prompt(config: AudioTaskConfig, captions: list[str], index: int, rng: np.random.Generator) -> str:
    told = captions[index]
    return sound_prompt(told) if told else world_prompt(_scene(config, "train", index), rng)


def _scene(config: AudioTaskConfig, split: str, index: int) -> Scene:
    difficulty = "full" if np.random.default_rng((index, 19)).random() < config.full else "simple"
    aspect = config.size[0] / config.size[1]
    return draw_scene(index, split, difficulty, seconds=config.seconds, fps=config.fps, aspect=aspect)


def world_prompt(scene: Scene, rng: np.random.Generator) -> str:
    """A prompt as a person could give for the sound of `scene`.

    4 in 10 tell what is seen, as when a film's own prompt is used, 4 what is heard, 2 both. The music, or that there is
    none, is told apart in 7 of 10; in the others music is only mentioned, and none means none.
    """
    roll = rng.random()
    told = [] if 0.4 <= roll < 0.8 else [caption(scene, rng)]
    told += [] if roll < 0.4 else [sound_caption(scene, rng)]
    music = music_caption(scene, rng)
    if rng.random() < 0.7:
        return sound_prompt(". ".join(part.rstrip(".") for part in told), music)
    return sound_prompt(". ".join(part.rstrip(".") for part in (*told, music) if part))


def _mark(module: nn.Module | None) -> str:
    """A few digits that change with the weights, so that clips encoded by other models are not mistaken for these."""
    tensors = [] if module is None else [value.detach().double().cpu() for value in module.state_dict().values()]
    return f"{sum(float(value.abs().sum()) for value in tensors):.9g}"
