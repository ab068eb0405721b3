"""Makes the pictures of the documentation: 24 clips of held-out scenes, seeds 0 to 23, none left out; a long film.

python docs/make_samples.py [MODELS] [OUT]
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mediagen.audio.train.mixes import EFFECTS, Mix
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip
from mediagen.media.sheets import save_sheet, spectrogram_image
from mediagen.sdk import Engine
from mediagen.world.film import draw_film, render_films
from mediagen.world.scene import draw_scene
from mediagen.world.words import caption, music_caption


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
