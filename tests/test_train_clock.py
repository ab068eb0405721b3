"""Runs that end by the clock, parts that are compiled, and work that is spread: what a GPU training is made of."""

import logging
import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from train_toy import Toy, exported, settings

from mediagen.audio.train.recogniser import sound_of
from mediagen.data.captions import EncodedCaptions
from mediagen.nn.denoiser import Conditions
from mediagen.parallel.spread import spread
from mediagen.tae import TAE, TAEConfig
from mediagen.text.text import PRESETS, Text, TextEncoder
from mediagen.train import clock as clock_module
from mediagen.train.compiled import compile_parts
from mediagen.train.log import read_log
from mediagen.train.loop import train
from mediagen.train.tasks.tae import TAETask, TAETaskConfig
from mediagen.train.tasks.video import VideoTaskConfig, clip_captions
from mediagen.video import VideoConfig, VideoModel
from mediagen.world.scene import draw_scene


class FakeClock:
    """Stands in for time: every step of a run takes as long as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(clock_module.time, "monotonic", lambda: self.now)

    def step(self, seconds: float):
        def on_step(done: int, figures: object) -> None:
            self.now += seconds

        return on_step


def test_a_run_by_the_clock_ends_in_time_with_its_schedule_at_the_end(tmp_path, monkeypatch, caplog):
    clock = FakeClock(monkeypatch)
    config = settings(steps=10_000, max_seconds=50.0, log_every=1, preview_every=10_000, save_every=10_000)
    with caplog.at_level(logging.INFO):
        train(Toy(), config, tmp_path, on_step=clock.step(1.0))
    assert "about" in caplog.text and "50 s" in caplog.text
    rates = [record["lr"] for record in read_log(tmp_path, "train")]
    assert 50 <= len(rates) <= 52 and rates[-1] < 0.01 * config.lr
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[25] == pytest.approx(0.5 * config.lr, rel=0.2)  # half of the time is half of the cosine
    assert (tmp_path / "previews" / f"{len(rates)}.txt").exists() and exported(tmp_path)


def test_a_run_by_the_clock_that_was_stopped_has_the_rest_of_its_time(tmp_path, monkeypatch):
    clock = FakeClock(monkeypatch)

    class Stop(Exception):
        pass

    def until(step: int):
        def on_step(done: int, figures: object) -> None:
            clock.now += 1.0
            if done == step:
                raise Stop

        return on_step

    config = settings(steps=10_000, max_seconds=30.0, save_every=10)
    with pytest.raises(Stop):
        train(Toy(), config, tmp_path, on_step=until(20))
    clock.now += 1e6  # the machine was off
    seen: list[int] = []

    def on_step(done: int, figures: object) -> None:
        seen.append(done)
        clock.now += 1.0

    train(Toy(), config, tmp_path, on_step=on_step)
    assert seen[0] == 21 and 29 <= seen[-1] <= 32
    last = seen[-1]
    train(Toy(), config, tmp_path, on_step=on_step)
    assert seen[-1] == last, "its time was over"


def test_a_time_that_is_long_enough_changes_nothing(tmp_path):
    train(Toy(), settings(), tmp_path / "steps")
    train(Toy(), settings(max_seconds=0.0), tmp_path / "none")
    assert exported(tmp_path / "steps") == exported(tmp_path / "none")
    steps = []
    train(Toy(), settings(max_seconds=1000.0), tmp_path / "long", on_step=lambda step, _: steps.append(step))
    assert steps[-1] == settings().steps


def count_graphs() -> int:
    return torch._dynamo.utils.counters["stats"]["unique_graphs"]


@pytest.fixture
def fresh_compiler():
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    yield
    torch._dynamo.reset()


@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.filterwarnings("ignore")  # torch warns of itself while it compiles
def test_equal_blocks_are_compiled_once_without_breaks_and_learn_the_same():
    config = VideoConfig(
        latent_channels=4, width=32, depth=3, heads=2, hidden=32, text_widths=(32,), longest=(4, 4, 4), mixing=True
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VideoModel(config)
        nn.init.normal_(model.write.weight, std=0.1)
        x, known = torch.randn(2, 4, 2, 4, 4), torch.randn(2, 4, 2, 4, 4)
        text = Text((torch.randn(2, 3, 32),), (torch.ones(2, 3, dtype=torch.bool),))

    def gradient() -> torch.Tensor:
        model.zero_grad()
        prepared = model.prepare(Conditions(text=text, known=known, clean=torch.ones(2, 1, 2, 4, 4)), (2, 4, 4))
        model(x, torch.tensor([0.2, 0.7]), prepared).square().mean().backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    plain = gradient()
    parts = compile_parts(model, backend="aot_eager")
    assert all(block in parts for block in model.blocks)
    assert torch.allclose(gradient(), plain, atol=1e-5)
    graphs = count_graphs()
    assert graphs <= len(parts) - 2, "three equal blocks want one graph"
    gradient()
    assert count_graphs() == graphs and not torch._dynamo.utils.counters["graph_break"]


@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.filterwarnings("ignore")  # torch warns of itself while it compiles
def test_an_autoencoder_is_compiled_though_its_task_calls_no_forward():
    tae = TAE(TAEConfig(latent_channels=4, widths=(8, 8, 8), encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1)))
    video = torch.rand(1, 3, 8, 16, 16)
    plain = [tae.decode_raw(tae.encode_raw(part)) for part in (video, video[:, :, :1])]
    compile_parts(tae, backend="aot_eager")
    made = []
    for _ in range(2):  # clips and pictures in turn
        made = [tae.decode_raw(tae.encode_raw(part)) for part in (video, video[:, :, :1])]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(plain, made, strict=True))
    assert 4 <= count_graphs() <= 12 and not torch._dynamo.utils.counters["graph_break"]


def test_spread_work_comes_back_in_order_and_equal():
    assert list(spread(math.sqrt, range(5), 0)) == [math.sqrt(n) for n in range(5)]
    scenes = [draw_scene(seed, seconds=0.5) for seed in range(5)]
    for one, two in zip(spread(sound_of, scenes), spread(sound_of, scenes, 2), strict=True):
        assert np.array_equal(one, two)


def test_encoded_captions_are_the_captions_of_their_clip_or_nothing():
    text = TextEncoder(PRESETS["debug"]).eval()
    config = VideoTaskConfig(captions_per_clip=3, difficulty="standard")
    films = ["", "", "a film of its own"]
    told = EncodedCaptions(text, partial(clip_captions, config, films), 3)
    rows = np.array([0, 2, 1, 2])
    for step in range(3):
        drawn = told.draw(rows, np.random.default_rng(step))
        for row, states, mask in zip(rows, drawn.parts[0], drawn.masks[0], strict=True):
            own = [text.encode([caption]).parts[0][0] for caption in clip_captions(config, films, int(row))]
            alike = [
                one for one in own if one.shape == states[mask].shape and torch.allclose(states[mask], one, atol=1e-5)
            ]
            assert alike, f"step {step}, clip {row}"
    assert clip_captions(config, films, 2) == ["FPS-16 a film of its own"] * 3
    nothing = told.draw(rows, np.random.default_rng(0), drop=1.0)
    assert torch.allclose(nothing.parts[0][3][nothing.masks[0][3]], text.encode([""]).parts[0][0], atol=1e-5)


def test_a_pool_gives_the_world_s_clips_and_a_rank_its_own():
    tae = TAE(TAEConfig(latent_channels=4, widths=(8, 8, 8), encoder_blocks=(0, 0, 0), decoder_blocks=(0, 0, 0)))
    task = TAETask(tae, TAETaskConfig(size=(16, 16), frames=8, batch=3, pool=5, fit_clips=0))
    batch = task.batch(1, 0, 1).video
    clips = [((clip.movedim(-1, 0).float() / 127.5) - 1) for clip in task.pool[0]]
    assert batch.shape == (3, 3, 8, 16, 16) and len(clips) == 5
    for video in batch:
        assert any(torch.allclose(video, clip[:, s : s + 8], atol=1e-6) for clip in clips for s in range(25))
    assert torch.equal(batch, task.batch(1, 0, 1).video) and not torch.equal(batch, task.batch(1, 1, 2).video)
    assert task.batch(4, 0, 1).video.shape == (3, 3, 1, 16, 16)
