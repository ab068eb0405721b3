"""Models of a few thousand numbers that edit, for the tests: an autoencoder, a text encoder, a video model grown."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mediagen.edit.model import EditModel, edit_config
from mediagen.edit.tasks import TaskReader, TaskReaderConfig
from mediagen.sdk.tasks import edits
from mediagen.tae import TAE, TAEConfig
from mediagen.text.text import PRESETS, TextEncoder
from mediagen.video import VideoConfig
from mediagen.weights import save_model

BASE = VideoConfig(
    latent_channels=4, patch=(2, 2, 2), width=32, depth=2, heads=2, hidden=32, text_widths=(32,), longest=(4, 8, 8)
)


def stirred(model: nn.Module, seed: int = 0) -> nn.Module:
    """The model with numbers where layers start at zero, so that everything has an influence."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for parameter in model.parameters():
            if not parameter.any():
                nn.init.normal_(parameter, std=0.3)
    return model.eval()


def seeded(make, seed: int = 0):
    """What `make` builds, of a seed, without a mark on the global random state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def toy_tae() -> TAE:
    config = TAEConfig(
        latent_channels=4,
        stem=(1, 2, 2),
        widths=(8, 8, 8),
        encoder_blocks=(0, 0, 0),
        decoder_blocks=(0, 0, 0),
        attention=False,
    )
    return seeded(lambda: TAE(config)).eval()


def toy_text() -> TextEncoder:
    return seeded(lambda: TextEncoder(PRESETS["debug"])).eval()


def toy_edit(seed: int = 1) -> EditModel:
    model = seeded(lambda: EditModel(edit_config(BASE)), seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        nn.init.normal_(model.read.weight, std=0.1)
    stirred(model, seed)
    return model


def edit_folder(models: Path, folder: Path) -> Path:
    """A copy of a toy model folder that edits too; its parts have random weights."""
    shutil.copytree(models, folder)
    video = VideoConfig.load(models / "video" / "config.json")
    edit = seeded(lambda: EditModel(edit_config(video)), 3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        nn.init.normal_(edit.read.weight, std=0.1)
    save_model(stirred(edit, 3), edit.config, folder / "edit")
    reader = seeded(lambda: TaskReader(TaskReaderConfig(text_widths=video.text_widths, width=16)), 4)
    save_model(reader, reader.config, folder / "edit_tasks")
    return folder


def found_in(monkeypatch: pytest.MonkeyPatch, left: int, right: int) -> None:
    """What the model marks, which a toy cannot: the columns from left to right."""

    def marked(film: torch.Tensor, made: torch.Tensor, colour: Any) -> torch.Tensor:
        mask = torch.zeros(film.shape[:3], dtype=torch.bool)
        mask[:, :, left:right] = True
        return mask

    monkeypatch.setattr(edits, "marked", marked)
