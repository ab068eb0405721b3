"""Where bfloat16 is taken without being asked for: wherever the processor multiplies it faster than float32."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from train_toy import Toy, settings

from mediagen.tae import TAE, TAEConfig
from mediagen.text.text import PRESETS, TextEncoder
from mediagen.train.loop import train
from mediagen.train.tasks.video import VideoTask, VideoTaskConfig
from mediagen.video import VideoConfig, VideoModel


class Listening(Toy):
    """A toy that hears in what precision its loss is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.half: list[bool] = []

    def loss(self, model: nn.Module, batch: Tensor, rng: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        self.half.append(torch.is_autocast_enabled("cpu"))
        return super().loss(model, batch, rng)


@pytest.mark.parametrize(
    ("has", "half"),
    [({"amx_bf16": True}, True), ({"amx_bf16": False, "avx512_bf16": True}, True), ({"avx512_f": True}, False)],
)
def test_a_processor_that_multiplies_bfloat16_does(
    has: dict[str, bool], half: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    task = Listening()
    train(task, settings(steps=2, precision="auto"), tmp_path / "run")
    assert task.half == [half, half]
    text, tae = TextEncoder(PRESETS["debug"]), TAE(TAEConfig(latent_channels=4, widths=(8, 8, 8)))
    heard, encode = [], tae.encode
    monkeypatch.setattr(tae, "encode", lambda *a: heard.append(torch.is_autocast_enabled("cpu")) or encode(*a))
    model = VideoModel(VideoConfig(latent_channels=4, width=32, depth=1, heads=2, hidden=32, text_widths=(32,)))
    VideoTask(model, tae, text, VideoTaskConfig(size=(32, 32), seconds=0.5, clips=1), tmp_path / "cache")
    assert heard == [half, half]  # a clip, and its first picture
