"""The training task of the audio model: clips are encoded once, the world's captions written anew at every step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mediagen.audio.codec.model import Codec
from mediagen.audio.conditions import LATENT_RATE, at_sound_rate, draw_clean, draw_drops, sound_prompt
from mediagen.audio.model import AudioModel, SoundConditions
from mediagen.audio.sampler import generate_latents
from mediagen.audio.train.codec import impact_f1, save_heard, save_spectrograms
from mediagen.audio.train.config import AudioTaskConfig
from mediagen.audio.train.mixes import EFFECTS, SHARES, film_prompt
from mediagen.audio.train.stretches import Stretch, cuts, sounds_of_mixes, stretch_prompt, stretch_prompts
from mediagen.data.batch import pictures_of, sounds_of
from mediagen.data.cache import build_cache, mark, still_to_come
from mediagen.data.captions import EncodedCaptions
from mediagen.data.folder import FolderStream
from mediagen.data.stream import open_stream
from mediagen.flow import draw_t, flow_loss, noise_like, velocity
from mediagen.media.clip import to_float, to_uint8
from mediagen.parallel.spread import spread
from mediagen.tae import TAE
from mediagen.text.aligned import AlignedEncoder
from mediagen.text.text import Text, TextEncoder
from mediagen.train.task import multiplies_bf16_fast
from mediagen.weights import Tensors
from mediagen.world.film import Film, draw_film, film_contacts, render_films

SINGLES = 10**6  # single shots have numbers from here on, away from those of the films


@dataclass(frozen=True)
class SoundEncoders:
    """The frozen models that the audio model learns from.

    tae: where given, every second clip is seen through it, as generated pictures are.
    """

    text: TextEncoder
    aligned: AlignedEncoder
    codec: Codec
    tae: TAE | None = None


@dataclass(frozen=True)
class AudioBatch:
    """latent (B, C, L), pictures at 25 Hz (B, L, P), the text of the prompts, and of "" (one row)."""

    latent: Tensor
    pictures: Tensor
    text: Text
    null: Text


class AudioTask:
    """Trains an AudioModel by flow matching on sounds and their pictures; see `mediagen.train.task.Task`.

    cache: folder that the encoded clips are kept in.
    """

    name = "audio"

    def __init__(
        self, model: AudioModel, encoders: SoundEncoders, config: AudioTaskConfig, cache: Path, device: str = "cpu"
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
        for module in filter(None, (encoders.text, encoders.aligned, encoders.codec, encoders.tae)):
            module.to(device).eval().requires_grad_(False)
        about = {key: getattr(config, key) for key in ("standard", "size", "seconds", "fps", "windows", "singles")}
        about |= {name: mark(getattr(encoders, name)) for name in ("aligned", "codec", "tae")}
        self.stream, self.held_out = (
            open_stream(
                config.data,
                split,
                "simple",
                config.size,
                config.seconds,
                config.fps,
                sound=True,
                needs=config.needs,
                skip_unusable=config.skip_unusable,
            )
            for split in ("train", "validation")
        )
        if isinstance(self.stream, FolderStream):
            about["data"] = self.stream.mark
        self._heard: Iterator[np.ndarray] | None = None  # the world's sounds that this process encodes
        pool = build_cache(cache, config.clips, self._encode_range, shard=64, about=about, device=device)
        self.pool, self.captions = {name: value.to(device) for name, value in pool.tensors.items()}, pool.captions
        self.stretches = [stretch for row in range(config.clips) for stretch in self._stretches(row)]
        self.mixes = 1 if config.data else len(SHARES)
        tell = partial(stretch_prompts, config.captions_per_clip, self.mixes, self.captions, self.stretches)
        count = len(self.stretches) * self.mixes
        self.told = EncodedCaptions(encoders.text, tell, count, config.processes) if config.captions_per_clip else None
        self.null = encoders.text.encode([""])

    def films(self, index: int, split: str = "train") -> list[Film]:
        """What is seen in clip number `index` of a split: one film, or single shots one after another."""
        if np.random.default_rng((index, 37)).random() >= self.config.singles:
            return [self._film(index, index, split)]
        count = round(self.config.seconds / self.config.windows[0])
        return [self._film(SINGLES + count * index + number, index, split, count) for number in range(count)]

    def _film(self, seed: int, index: int, split: str, count: int = 1) -> Film:
        config = self.config
        standard = np.random.default_rng((index, 19)).random() < config.standard
        aspect, difficulty = config.size[0] / config.size[1], "standard" if standard else "simple"
        return draw_film(
            seed, split, difficulty, seconds=config.seconds / count, fps=config.fps, aspect=aspect, music=1.0
        )

    def encode_films(self, numbers: Sequence[int], sounds: Tensor | None = None) -> Tensors:
        """What `encode` makes of the clips of these numbers; sounds: theirs (B, T, S), where they were made already."""
        clips = [self.films(number) for number in numbers]
        sounds = (
            torch.stack([torch.from_numpy(sounds_of_mixes(films)) for films in clips]) if sounds is None else sounds
        )
        frames = torch.stack([torch.cat(render_films(films, self.config.size, self.device)) for films in clips])
        return self.encode(frames, sounds, numbers)

    @torch.no_grad()
    def encode(self, frames: Tensor, sounds: Tensor, numbers: Sequence[int]) -> Tensors:
        """latent (B, T, C, L) of the sounds, and the features of the pictures, (B, F, P) at the frames' own rate.

        frames: uint8 (B, F, H, W, 3).  sounds: (B, T, S), the mixes.  numbers: of the clips; odd ones go through the
        autoencoder.
        """
        frames = frames.to(self.device)
        with torch.autocast(frames.device.type, torch.bfloat16, enabled=multiplies_bf16_fast(frames.device)):
            if self.encoders.tae is not None:
                tae = self.encoders.tae
                worn = torch.tensor([number % 2 == 1 for number in numbers], device=frames.device)
                if worn.any():
                    frames[worn] = to_uint8(tae.decode(tae.encode(to_float(frames[worn])), frames.shape[1]))
            pictures = self.encoders.aligned.picture_features(frames)
        latents = [torch.cat([self.encoders.codec.encode(part[:, None]) for part in parts], -1)
                   for parts in self._apart(sounds.to(self.device), numbers)]  # fmt: skip
        return {"latent": torch.stack(latents), "pictures": pictures}

    def batch(self, step: int, rank: int, world: int) -> AudioBatch:
        """Windows of one length: half of them begin with their stretch or one of its shots, the others anywhere."""
        config, rng = self.config, np.random.default_rng((step, rank, 21))
        whole = self.pool["latent"].shape[-1]
        length = min(whole, round(float(rng.choice(config.windows)) * LATENT_RATE))
        fitting = [number for number, stretch in enumerate(self.stretches) if stretch.length >= length]
        chosen = rng.choice(fitting, config.batch * whole // length)
        mixes = rng.choice(self.mixes, len(chosen), p=SHARES if self.mixes > 1 else None)
        latents, pictures, prompts = [], [], []
        for stretch, mix in zip((self.stretches[number] for number in chosen), mixes.tolist(), strict=True):
            begin = int(rng.integers(0, stretch.length - length + 1))
            if rng.random() < 0.5:
                begin = min(int(rng.choice(cuts(stretch))), stretch.length - length)
            first = stretch.first + begin
            seen = self.pool["pictures"][stretch.row : stretch.row + 1].float()
            pictures.append(at_sound_rate(seen, config.fps, length, start=first / LATENT_RATE))
            latents.append(self.pool["latent"][stretch.row, mix, :, first : first + length].float())
            if self.told is None:
                start, seconds = begin / LATENT_RATE, length / LATENT_RATE
                prompts.append(stretch_prompt(self.captions, stretch, mix, rng, start, seconds))
        told = None if self.told is None else self.told.draw(chosen * self.mixes + mixes, rng)
        text = self.encoders.text.encode(prompts) if told is None else told
        return AudioBatch(torch.stack(latents), torch.cat(pictures), text, self.null)

    def loss(
        self, model: nn.Module, batch: AudioBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """The flow-matching loss over what is to be made; what is known is given and not judged."""
        assert isinstance(model, AudioModel)
        latent, count = batch.latent, len(batch.latent)
        without_text, without_pictures = draw_drops(count, rng)
        rows = torch.where(without_text, count, torch.arange(count, device=rng.device))
        text = Text.cat([batch.text, batch.null])[rows]
        pictures = batch.pictures * ~without_pictures[:, None, None]
        clean = draw_clean(count, latent.shape[-1], rng, hidden=self.config.made)
        told = SoundConditions(text=text, pictures=pictures, known=latent, clean=clean)
        prepared = model.prepare(told, latent.shape[-1])
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

        onset_f1 is of the generated sounds, onset_f1_codec what the codec allows; of the world alone, where the truth
        is known, and of films that have effects.
        """
        assert isinstance(model, AudioModel)
        config, codec = self.config, self.encoders.codec
        frames, truth, prompts, impacts = self._held_out()
        latent = codec.encode(truth)
        pictures = at_sound_rate(self.encoders.aligned.picture_features(frames), config.fps, latent.shape[-1])
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
        prepared = model.prepare(SoundConditions(text=text, pictures=pictures), latent.shape[-1])
        t = (torch.arange(len(latent), device=self.device) + 0.5) / len(latent)
        loss = flow_loss(lambda x, t: model(x, t, prepared), latent, t, noise_like(latent, rng)).mean()
        figures = {"validation_loss": float(loss)}
        sounds = {"": codec.decode(made, truth.shape[-1]), "_codec": codec.decode(latent, truth.shape[-1])}
        for name, sound in sounds.items() if impacts else ():
            figures[f"onset_f1{name}"] = impact_f1(impacts, sound.cpu())
        save_spectrograms(truth[:8, 0].cpu(), sounds[""][:8, 0].cpu(), folder / f"audio-{step:06d}.png", "made")
        save_heard({"true": truth[0], "made": sounds[""][0]}, folder, f"audio-{step:06d}")
        (folder / f"audio-{step:06d}.txt").write_text("\n".join(prompts[:8]) + "\n")
        return figures

    def _held_out(self) -> tuple[Tensor, Tensor, list[str], list[list[float]]]:
        """Validation data: pictures (B, F, H, W, 3), sounds (B, 1, S), prompts, times of impacts (none of a folder)."""
        config, impacts = self.config, list[list[float]]()
        if isinstance(self.held_out, FolderStream):
            clips = self.held_out.clips_at(range(config.check), sound=True)
            frames, sounds = pictures_of(clips), sounds_of(clips)
            prompts = [sound_prompt(clip.caption) for clip in clips]
        else:
            films = [self._film(index, index, "validation") for index in range(config.check)]
            frames = torch.stack(render_films(films, config.size, self.device))
            sounds = torch.stack([EFFECTS.sound(film) for film in films])
            prompts = [film_prompt(film, EFFECTS, np.random.default_rng((i, 23))) for i, film in enumerate(films)]
            impacts = [[contact.time for contact in film_contacts(film)] for film in films]
        return frames.to(self.device), sounds.to(self.device), prompts, impacts

    def _encode_range(self, items: range) -> tuple[Tensors, list[str]]:
        """Tensors and captions; those of the world are "": they are written anew at every step."""
        parts, captions = [], []
        if self._heard is None and not isinstance(self.stream, FolderStream):  # made ahead by other processes
            clips = [self.films(index) for index in still_to_come(items, self.config.clips)]
            self._heard = spread(sounds_of_mixes, clips, self.config.processes)
        heard = self._heard or iter(())
        for chunk in (items[first : first + 8] for first in range(0, len(items), 8)):
            if isinstance(self.stream, FolderStream):
                clips = self.stream.clips_at(chunk, sound=True)
                parts.append(self.encode(pictures_of(clips), sounds_of(clips), chunk))
                captions += [clip.caption for clip in clips]
            else:
                parts.append(self.encode_films(chunk, torch.stack([torch.from_numpy(next(heard)) for _ in chunk])))
                captions += [""] * len(chunk)
        return {name: torch.cat([part[name].half().cpu() for part in parts]) for name in parts[0]}, captions

    def _stretches(self, row: int) -> list[Stretch]:
        """The stretches of clip `row`, in order."""
        whole = self.pool["latent"].shape[-1]
        films = [None] if self.config.data else self.films(row)
        length = whole // len(films)
        return [Stretch(row, number * length, length, film) for number, film in enumerate(films)]

    def _apart(self, sounds: Tensor, numbers: Sequence[int]) -> Iterator[Sequence[Tensor]]:
        """The sounds (B, T, S) clip by clip, split where a new film begins, so that no latent hears two."""
        for sound, number in zip(sounds, numbers, strict=True):
            yield sound.chunk(1 if self.config.data else len(self.films(number)), -1)
