"""Makes the pictures of the documentation: 24 clips of held-out scenes, seeds 0 to 23, none left out; a long film.

python docs/make_samples.py [MODELS] [OUT]
"""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mediagen.audio.train.mixes import EFFECTS, Mix
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip
from mediagen.media.sheets import save_sheet
from mediagen.sdk import Engine
from mediagen.world.film import draw_film, render_films
from mediagen.world.scene import draw_scene
from mediagen.world.words import caption, music_caption

_FLOOR = -80.0  # dB below the loudest point that is drawn black
_COLOURS = np.array([(0, 0, 4), (66, 10, 104), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 220)], float)


def main() -> None:
    engine = Engine.from_pretrained(sys.argv[1] if len(sys.argv) > 1 else None)
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent)
    prompts = [caption(draw_scene(seed, "test"), np.random.default_rng(seed)) for seed in range(24)]
    clips = [engine.generate(prompt, seed=seed) for seed, prompt in enumerate(prompts)]
    strips, spectra = [], []
    for clip in clips:
        assert clip.frames is not None and clip.sound is not None
        strips.append(clip.frames[:: max(1, len(clip.frames) // 8)][:8])
        spectra.append(spectrogram_image(clip.sound, clip.rate, (256, 96)))
    save_sheet(strips, folder / "samples-24.png", 2, prompts)
    save_sheet(spectra, folder / "spectrograms-24.png", 4, prompts)
    enlarged = [
        torch.nn.functional.interpolate(s.movedim(-1, 1).float(), scale_factor=2).to(torch.uint8).movedim(1, -1)
        for s in strips[:6]
    ]
    save_sheet([strip[::2] for strip in enlarged], folder / "samples.png", 2, prompts[:6])
    sound_a_film(engine, folder / "long-sound.png")


def spectrogram_image(sound: torch.Tensor, rate: int, size: tuple[int, int] = (512, 128)) -> torch.Tensor:
    """Draws float (channels, S) at `rate` Hz as a mel spectrogram; gives uint8 (height, width, 3), low tones below.

    `size` = (width, height). Rows are evenly spaced in mel from 0 Hz to half the rate; black is 80 dB below the top.
    """
    width, height = size
    window, mono = 1024, sound.detach().cpu().float().mean(0)
    mono = torch.nn.functional.pad(mono, (0, max(0, window - len(mono))))
    hop = max(1, len(mono) // max(width - 1, 1))
    spectrum = torch.stft(
        mono, window, hop, window=torch.hann_window(window), center=True, pad_mode="constant", return_complex=True
    )
    decibels = 20 * torch.log10(spectrum.abs() + 1e-7)
    top = 2595 * math.log10(1 + rate / 2 / 700)
    hertz = 700 * (10 ** (torch.linspace(top, 0, height) / 2595) - 1)
    rows = (hertz / (rate / 2) * (decibels.shape[0] - 1)).clamp(0, decibels.shape[0] - 1)
    low = rows.floor().long().clamp(max=decibels.shape[0] - 2)
    picture = torch.lerp(decibels[low], decibels[low + 1], (rows - low)[:, None])
    picture = picture[:, torch.linspace(0, picture.shape[1] - 1, width).round().long()]
    loudest = max(picture.max().item(), -60.0)  # silence stays black instead of showing its rounding noise
    share = ((picture - loudest - _FLOOR) / -_FLOOR).clamp(0, 1).numpy()
    points = np.linspace(0, 1, len(_COLOURS))
    painted = np.stack([np.interp(share, points, _COLOURS[:, channel]) for channel in range(3)], axis=-1)
    return torch.from_numpy(painted.round().astype(np.uint8))


def sound_a_film(engine: Engine, path: Path) -> None:
    """Spectrograms of 30 s of film: the world's own effects, what is made for the pictures, and a second filled in."""
    film = draw_film(77, "test", seconds=30.0, fps=engine.limits.fps, music=1.0)
    size = (engine.limits.width, engine.limits.height)
    clip, own = Clip(frames=render_films([film], size)[0], fps=film.fps), EFFECTS.sound(film)
    bed = music_caption(replace(film.shots[0], mood=film.mood), np.random.default_rng(0))
    made = {
        "the world's own effects": own,
        "made for the pictures, segments": engine.add_audio(clip, seed=0).sound,
        "made for the pictures, blended windows": engine.add_audio(clip, method="blend", seed=0).sound,
        f"music alone: {bed}": engine.add_audio(clip, music_prompt=bed, music=True, effects=False, seed=0).sound,
        "the world's music": Mix(effects=False).sound(film),
        "the world's own effects, 12 s to 13 s filled in": engine.fill_audio(Clip(None, sound=own), 12, 13).sound,
    }
    rows = [spectrogram_image(sound, SOUND_RATE, (1200, 96)) for sound in made.values() if sound is not None]
    save_sheet(rows, path, 1, list(made))


if __name__ == "__main__":
    main()
