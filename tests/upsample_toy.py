"""Models of a few thousand numbers that make pictures larger, for the tests."""

import shutil
from pathlib import Path

import torch
from edit_toy import seeded, stirred, toy_tae
from torch import nn

from mediagen.tae import TAE
from mediagen.upsample import UpsampleModel, upsample_config
from mediagen.video import VideoConfig
from mediagen.weights import save_model

CONFIG = upsample_config(
    VideoConfig(latent_channels=4, width=32, depth=1, heads=2, hidden=32, text_widths=(32,), longest=(14, 8, 8))
)


def toy_frames() -> TAE:
    """An autoencoder of single frames."""
    return seeded(lambda: TAE(toy_tae().config.replace(time=False)), 2).eval()


def toy_upsample(seed: int = 1) -> UpsampleModel:
    """A model in which everything has an influence."""
    model = seeded(lambda: UpsampleModel(CONFIG), seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        nn.init.normal_(model.read.weight, std=0.1)
    stirred(model, seed)
    return model


def upsample_folder(models: Path, folder: Path) -> Path:
    """A copy of a toy model folder that makes pictures larger too; its parts have random weights."""
    shutil.copytree(models, folder)
    for name, model in (("upsample", toy_upsample()), ("upsample_tae", toy_frames())):
        save_model(model, model.config, folder / name)
    return folder
