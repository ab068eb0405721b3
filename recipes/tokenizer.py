"""Learns the packaged tokenizer anew: python recipes/tokenizer.py [FILE]. The small text encoders must then follow."""

import sys
from collections.abc import Iterator

import numpy as np

from mediagen.text.text import with_fps
from mediagen.text.tokenizer import OWN_FILE, train_tokenizer
from mediagen.train.tasks.prompt import RATES
from mediagen.world.scene import draw_scene
from mediagen.world.words import caption, music_caption, sound_caption


def world_captions(count: int, seed: int = 0) -> Iterator[str]:
    """Captions of pictures, sounds and music, with and without frame rates: what the tokenizer is learnt from."""
    for index in range(seed, seed + count):
        rng = np.random.default_rng((index, 3))
        scene = draw_scene(index, "train", "full" if index % 2 else "simple")
        yield caption(scene, rng)
        yield with_fps(caption(scene, rng), RATES[index % len(RATES)])
        if index % 2:
            yield sound_caption(scene, rng)
            yield music_caption(scene, rng)


if __name__ == "__main__":
    train_tokenizer(world_captions(4_000)).save(sys.argv[1] if len(sys.argv) > 1 else str(OWN_FILE))
