"""Distillation: guidance goes into the weights, several steps into one; a folder's fast model makes plain requests."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from mediagen.data.world import WorldStream
from mediagen.generator import FlowGenerator
from mediagen.grid import Grid
from mediagen.sampling import linear
from mediagen.sdk import Engine
from mediagen.tae import TAE, TAEConfig
from mediagen.text.text import PRESETS, TextEncoder
from mediagen.train.tasks.distil import DistilTask, DistilTaskConfig
from mediagen.train.tasks.video import VideoTask, VideoTaskConfig
from mediagen.video import VideoConfig, VideoModel

TINY = VideoConfig(
    latent_channels=4, patch=(2, 2, 2), width=32, depth=1, heads=2, hidden=32, text_widths=(32,), longest=(4, 4, 4)
)
SIZES: dict[str, Any] = {
    "latent_channels": 4, "stem": (1, 2, 2), "widths": (8, 8, 8), "encoder_blocks": (0, 0, 0),
    "decoder_blocks": (0, 0, 0), "attention": False,
}  # fmt: skip


def models() -> tuple[VideoModel, TAE, TextEncoder]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, tae, text = VideoModel(TINY), TAE(TAEConfig(**SIZES)).eval(), TextEncoder(PRESETS["debug"]).eval()
        torch.nn.init.normal_(model.write.weight, std=0.2)
    return model, tae, text


def taught(tmp_path: Path, **settings: Any) -> DistilTask:
    config = DistilTaskConfig(size=(32, 32), seconds=0.5, clips=4, batch=4, **settings)
    return DistilTask(*models(), config, tmp_path / "cache")


def learn(task: DistilTask, steps: int) -> list[float]:
    optimiser = torch.optim.Adam(task.model.parameters(), lr=3e-3)
    losses = []
    for step in range(steps):
        loss, _ = task.loss(task.model, task.batch(step, 0, 1), torch.Generator().manual_seed(step))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


def test_a_student_without_guidance_starts_as_its_teacher_and_one_with_it_does_not(tmp_path: Path) -> None:
    loss, _ = taught(tmp_path, scale=1.0).loss(*_asked(same := taught(tmp_path, scale=1.0)))
    assert float(loss.detach()) < 1e-10 and same.teacher is not same.model
    guided = taught(tmp_path, scale=5.0)
    assert float(guided.loss(*_asked(guided))[0].detach()) > 1e-4


def _asked(task: DistilTask) -> tuple[Any, Any, torch.Generator]:
    return task.model, task.batch(0, 0, 1), torch.Generator().manual_seed(0)


def test_few_steps_come_nearer_to_the_teacher_s_many(tmp_path: Path) -> None:
    task = taught(tmp_path, nodes=2, substeps=8, scale=3.0)
    grid = Grid.of(0.5, (32, 32), 16.0, task.tae.stride, TINY.patch)
    assert grid.latent == (2, 4, 4)

    def latents(model: VideoModel, steps: int, scale: float) -> torch.Tensor:
        rng = torch.Generator().manual_seed(3)
        return FlowGenerator(task.text, model, linear).latents(["a red ball"], grid, rng=rng, steps=steps, scale=scale)

    goal = latents(task.teacher, 16, 3.0)
    before = (latents(task.model, 2, 1.0) - goal).square().mean()
    losses = learn(task, 120)
    after = (latents(task.model, 2, 1.0) - goal).square().mean()
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10]) and after < 0.7 * before
    assert task.preview(task.model.eval(), tmp_path, 1)["distance"] > 0 and list(tmp_path.glob("distil-*.png"))
    with pytest.raises(ValueError, match="drop=0"):
        DistilTaskConfig(drop=0.1)


def test_a_shot_that_goes_on_is_given_its_past_and_told_its_future(tmp_path: Path) -> None:
    config = VideoTaskConfig(
        difficulty="standard", size=(32, 32), seconds=1.0, clips=6, batch=6, turning=1.0, images=0.0, drop=0.0
    )
    task = VideoTask(*models(), config, tmp_path / "cache")
    batch, before = task.batch(0, 0, 1), task.before.tolist()
    assert isinstance(task.stream, WorldStream)
    assert set(before) <= {1, 2} and all(before)
    for known, clean, latent in zip(batch.known, batch.clean, batch.latent, strict=True):
        count = int(clean[0, :, 0, 0].sum())
        assert count in (1, 2) and torch.equal(known[:, :count], latent[:, :count]) and not known[:, count:].any()
    scene = task.stream.scene(0)
    assert scene.ending.subject.motion != scene.subject.motion and scene.subject.turns[0].time == before[0] * 0.25
    pictures = VideoTask(*models(), config.replace(images=1.0), tmp_path / "cache").batch(0, 0, 1)
    assert pictures.latent.shape[2] == 2  # one token, which stands still
    drawn = VideoTask(*models(), config.replace(processes=2, first=0), tmp_path / "by others")
    assert torch.equal(drawn.latents, task.latents) and torch.equal(drawn.before, task.before)


def test_the_fast_model_makes_what_is_plain_and_the_full_one_the_rest(model_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model_folder, tmp_path / "models"))
    limits = json.loads((folder / "engine.json").read_text())
    (folder / "engine.json").write_text(json.dumps(limits | {"fast_steps": 2}))
    shutil.copytree(folder / "video", folder / "video_fast")
    engine = Engine.from_pretrained(folder, device="cpu")
    plain = engine.generate("a red ball", seed=1, sound=False)
    assert (plain.settings["num_inference_steps"], plain.settings["guidance_scale"]) == (2, 1.0)
    assert engine.models.loaded("video_fast") and not engine.models.loaded("video")
    wishes: list[dict[str, Any]] = [{"negative_prompt": "blue"}, {"guidance_scale": 2.5}, {"num_inference_steps": 4}]
    for wish in wishes:
        made = engine.generate("a red ball", seed=1, sound=False, **wish)
        assert made.settings["guidance_scale"] == wish.get("guidance_scale", 2.0)
        assert made.settings["num_inference_steps"] == wish.get("num_inference_steps", 3)
    assert engine.models.loaded("video")
