"""A transformer of fewer layers, to begin from: python3 recipes/shallower.py VIDEO_MODEL OUT LAYER..."""

import sys

import torch

from mediagen.video import VideoConfig, VideoModel
from mediagen.weights import load_model, save_model


def keep(model: VideoModel, layers: list[int]) -> VideoModel:
    """A model of some of another's layers, in the order given, and of all else that it has."""
    model.blocks = torch.nn.ModuleList(model.blocks[layer] for layer in layers)
    model.config = model.config.replace(depth=len(layers))
    return model


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    source, out, *layers = sys.argv[1:]
    shallower = keep(load_model(VideoModel, source, "cpu"), [int(layer) for layer in layers])
    assert isinstance(shallower.config, VideoConfig)
    save_model(shallower, shallower.config, out)
