"""Makes the pictures of the documentation: 24 clips of held-out scenes, seeds 0 to 23, none left out.

python docs/make_samples.py [MODELS] [OUT]
"""

import sys
from pathlib import Path

import numpy as np
import torch

from mediagen.sdk import Engine
from mediagen.sheets import save_sheet, spectrogram_image
from mediagen.world.scene import draw_scene
from mediagen.world.words import caption


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


if __name__ == "__main__":
    main()
