"""Shared fixtures: a whole model folder at debug size, with random weights."""

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Debug-size models are slower on two threads than on one."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real models of a few thousand numbers each: clips of 32x32, 16 fps, up to 2 s, in three steps."""
    import torch

    from mediagen.audio.codec.model import PRESETS as CODEC
    from mediagen.audio.codec.model import Codec
    from mediagen.audio.model import AudioModel
    from mediagen.tae import TAE, TAEConfig
    from mediagen.text.aligned import PRESETS as ALIGNED
    from mediagen.text.aligned import AlignedEncoder
    from mediagen.text.text import PRESETS, TextEncoder
    from mediagen.video import VideoConfig, VideoModel
    from mediagen.weights import save_model

    folder = tmp_path_factory.mktemp("models")
    sizes: dict[str, Any] = {
        "encoder_blocks": (0, 0, 0),
        "decoder_blocks": (0, 0, 0),
        "widths": (8, 8, 8),
        "attention": False,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models: dict[str, Any] = {
            "tae": TAE(TAEConfig(latent_channels=4, **sizes)),
            "prompt": TextEncoder(PRESETS["debug"]),
            "video": VideoModel(
                VideoConfig(
                    latent_channels=4, width=32, depth=1, heads=2, hidden=32, text_widths=(32,), longest=(4, 4, 4)
                )
            ),
            "aligned": AlignedEncoder(ALIGNED["debug"]),
            "codec": Codec(CODEC["debug"]),
            "audio": AudioModel(AudioModel.PRESETS["debug"]),
        }
        torch.nn.init.normal_(models["video"].read.weight, std=0.1)  # what is known has no influence at the start
        for name, model in models.items():
            for parameter in model.parameters():
                if not parameter.any():  # last layers start at zero, which would make every clip grey
                    torch.nn.init.normal_(parameter, std=0.3)
            save_model(model, model.config, folder / name)
    limits = {"width": 32, "height": 32, "fps": 16, "seconds": 1, "max_seconds": 2, "steps": 3, "guidance_scale": 2.0}
    (folder / "engine.json").write_text(json.dumps(limits | {"sound_steps": 2}))
    return folder
