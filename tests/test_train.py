import json
import logging
import math
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from train_toy import Duel, Net, NetConfig, Toy, exported, settings

from mediagen.audio.train.codec import save_heard
from mediagen.media.sheets import save_sheet
from mediagen.train.average import average_weights
from mediagen.train.checkpoint import State, checkpoints, load_checkpoint, load_latest, save_checkpoint
from mediagen.train.ema import EMA, ema_decay
from mediagen.train.log import read_log
from mediagen.train.loop import train
from mediagen.train.optim import Learner, adamw, schedule
from mediagen.weights import load_model, save_model

SCRIPT = Path(__file__).parent / "train_toy.py"


class Stop(Exception):
    pass


def stop_at(step: int):
    def on_step(done: int, figures: object) -> None:
        if done == step:
            raise Stop

    return on_step


@pytest.mark.parametrize(("task", "changes"), [(Toy, {}), (Duel, {"accumulate": 2}), (Toy, {"workers": 2, "ema": 0.0})])
def test_a_resumed_run_ends_in_the_bytes_of_an_uninterrupted_one(tmp_path, task, changes):
    config = settings(**changes)
    train(task(), config, tmp_path / "whole")
    for step in (6, 7, 9):  # 4 and 8 are saved: some steps are done twice
        with pytest.raises(Stop):
            train(task(), config, tmp_path / "cut", on_step=stop_at(step))
    train(task(), config, tmp_path / "cut")
    assert exported(tmp_path / "cut") == exported(tmp_path / "whole")
    last = [load_checkpoint(tmp_path / name / "checkpoints" / "step-000012") for name in ("cut", "whole")]
    assert all(
        torch.equal(value, last[1].tensors[part][name])
        for part, tensors in last[0].tensors.items()
        for name, value in tensors.items()
    )
    steps = [record["step"] for record in read_log(tmp_path / "cut", "train")]
    assert steps == [4, 8, 12]  # what a dead run wrote beyond its checkpoint is not there twice


def test_background_workers_give_the_same_training(tmp_path):
    for workers in (0, 3):
        train(Toy(), settings(workers=workers), tmp_path / str(workers))
    assert exported(tmp_path / "0") == exported(tmp_path / "3")


def test_the_global_random_state_neither_matters_nor_changes(tmp_path):
    torch.manual_seed(1)
    train(Toy(), settings(), tmp_path / "a")
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.rand(1) == drawn
    train(Toy(), settings(), tmp_path / "b")
    assert exported(tmp_path / "a") == exported(tmp_path / "b")


def test_training_lowers_the_loss_of_what_is_exported(tmp_path):
    folder = train(Toy(noisy=False), settings(steps=150, ema=0.98), tmp_path)
    x = torch.randn(256, 4, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        assert (load_model(Net, folder)(x) - x.sum(1)).square().mean() < 0.3  # 4.0 at the start
    assert (tmp_path / "previews" / "150.txt").exists()
    records = read_log(tmp_path, "train")
    assert records[-1]["step"] == 150 and records[-1]["eta"] == 0 and records[-1]["samples_per_second"] > 0


def test_accumulated_micro_batches_equal_one_big_batch(tmp_path):
    class Big(Toy):
        def batch(self, step, rank, world):
            return torch.cat([super(Big, self).batch(2 * step + i, rank, world) for i in (0, 1)])

    train(Toy(noisy=False), settings(accumulate=2), tmp_path / "two")
    train(Big(noisy=False), settings(), tmp_path / "one")
    two, one = load_model(Net, tmp_path / "two" / "export"), load_model(Net, tmp_path / "one" / "export")
    start = Toy().model
    assert (two.first.weight - start.first.weight).abs().max() > 0.01
    assert torch.allclose(two.first.weight, one.first.weight, atol=1e-3)  # float16 on disk


def test_a_bad_batch_is_skipped_and_counted(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        train(Toy(bad=frozenset({5})), settings(), tmp_path)
    model = load_model(Net, tmp_path / "export")
    assert all(value.isfinite().all() for value in model.state_dict().values())
    assert read_log(tmp_path, "train")[-1]["skipped"] == 1
    assert "skipped step 6" in caplog.text
    assert all(math.isfinite(record["loss"]) for record in read_log(tmp_path, "train"))


def test_a_run_gone_bad_gives_up_and_keeps_its_last_good_checkpoint(tmp_path):
    with pytest.raises(FloatingPointError, match=r"20 steps in a row.*last good checkpoint"):
        train(Toy(bad=range(10, 99)), settings(steps=90, keep=1, save_every=2), tmp_path)
    assert [path.name for path in checkpoints(tmp_path / "checkpoints")] == ["step-000010"]
    train(Toy(), settings(), tmp_path)  # with the data mended it goes on


def test_a_gradient_that_overflows_under_a_finite_loss_is_seen():
    class Edge(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

    edge = Edge()
    learner = Learner(edge, (0.9, 0.99), 0.0, 1.0)
    from mediagen.parallel.ranks import Ranks

    loss = edge.weight.sqrt().sum()  # 0 is finite, its slope is not
    loss.backward()
    assert loss.isfinite()
    assert not math.isfinite(learner.step(0.1, Ranks(torch.device("cpu"))))
    assert edge.weight.item() == 0 and edge.weight.grad is None


def test_a_damaged_checkpoint_is_stepped_over_and_replaced(tmp_path, caplog):
    train(Toy(), settings(), tmp_path / "whole")
    with pytest.raises(Stop):
        train(Toy(), settings(keep=3), tmp_path / "hit", on_step=stop_at(9))
    newest = checkpoints(tmp_path / "hit" / "checkpoints")[-1]
    content = bytearray((newest / "optimiser.safetensors").read_bytes())
    content[-3] ^= 1
    (newest / "optimiser.safetensors").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        train(Toy(), settings(keep=1, save_every=6), tmp_path / "hit")
    assert "optimiser.safetensors" in caplog.text
    assert exported(tmp_path / "hit") == exported(tmp_path / "whole")


def test_only_damaged_checkpoints_are_an_error_not_a_fresh_start(tmp_path):
    folder = save_checkpoint(tmp_path, State(3, {"model": {"a": torch.ones(2)}}, {}), keep=2)
    assert load_latest(tmp_path) is not None
    (folder / "manifest.json").write_text((folder / "manifest.json").read_text().replace('"step": 3', '"step": 4'))
    with pytest.raises(ValueError, match=r"only damaged checkpoints.*manifest.json"):
        load_latest(tmp_path)
    assert load_latest(tmp_path / "elsewhere") is None


def test_a_checkpoint_holds_no_pickle_and_never_a_nan(tmp_path):
    folder = save_checkpoint(tmp_path, State(1, {"model": {"a": torch.ones(2)}}, {"x": 1}), keep=1)
    assert {path.suffix for path in folder.iterdir()} == {".safetensors", ".json"}
    with pytest.raises(FloatingPointError, match="model/a at step 2"):
        save_checkpoint(tmp_path, State(2, {"model": {"a": torch.tensor([1.0, math.nan])}}, {}), keep=1)
    assert checkpoints(tmp_path) == [folder]


def test_a_fresh_start_never_overwrites_a_run(tmp_path):
    train(Toy(), settings(), tmp_path)
    before = exported(tmp_path)
    with pytest.raises(ValueError, match="another folder"):
        train(Toy(), settings(steps=5), tmp_path, resume=False)
    assert exported(tmp_path) == before


def test_another_model_in_the_folder_is_an_error(tmp_path):
    train(Toy(), settings(), tmp_path)
    wider = Toy()
    wider.model = Net(NetConfig(width=32))
    with pytest.raises(ValueError, match=r"first.weight.*\(16, 4\) instead of \(32, 4\)"):
        train(wider, settings(steps=20), tmp_path)


def test_an_interrupt_saves_the_finished_step(tmp_path):
    before = signal.getsignal(signal.SIGINT)  # ignored, where the tests run in the background of a shell

    def on_step(done, figures):
        if done == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(Toy(), settings(), tmp_path / "cut", on_step=on_step)
    assert checkpoints(tmp_path / "cut" / "checkpoints")[-1].name == "step-000006"
    assert signal.getsignal(signal.SIGINT) is before
    train(Toy(), settings(), tmp_path / "cut")
    train(Toy(), settings(), tmp_path / "whole")
    assert exported(tmp_path / "cut") == exported(tmp_path / "whole")


def test_killed_at_random_moments_it_ends_in_the_same_bytes(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "kill", tmp_path, "6"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_processes_equal_one_with_the_double_batch_and_resume_exactly(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    world = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, SCRIPT, "ranks", tmp_path]
    started = [
        subprocess.Popen(command, env={**os.environ, **world, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    train(Toy(noisy=False, rows=16), settings(batch=16), tmp_path / "alone")
    both = load_checkpoint(tmp_path / "together" / "checkpoints" / "step-000012").tensors
    alone = load_checkpoint(tmp_path / "alone" / "checkpoints" / "step-000012").tensors
    assert all(
        torch.allclose(both[part][name], alone[part][name], atol=1e-5)
        for part in ("model", "ema", "optimiser")
        for name in alone[part]
        if not name.endswith("mean")  # a statistic of the first rank's own data
    )
    assert exported(tmp_path / "stopped") == exported(tmp_path / "whole")


def test_the_average_follows_its_formula():
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    ema, expected = EMA(module, 0.5), 0.0
    for n in range(12):
        nn.init.constant_(module.weight, n + 1.0)
        ema.update()
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * (n + 1)
        assert ema_decay(0.5, n) == decay
    assert ema.model.weight.item() == pytest.approx(expected, rel=1e-6)
    assert not ema.model.weight.requires_grad


def test_schedules_begin_at_nothing_peak_after_the_warm_up_and_fall_to_the_last_share():
    for decay in ("cosine", "linear"):
        shares = [schedule(step, 100, 10, decay, 0.1) for step in range(101)]
        assert shares[0] == 0.1 and shares[9] == 1.0 and shares[10] == 1.0
        assert shares[10:] == sorted(shares[10:], reverse=True) and shares[100] == pytest.approx(0.1)
    assert schedule(55, 100, 10, "linear", 0.0) == pytest.approx(0.5)
    assert [schedule(step, 100, 0, "constant", 0.0) for step in (0, 50, 99)] == [1.0] * 3


def test_vectors_do_not_decay_and_a_scaled_parameter_learns_slower():
    module = nn.Linear(2, 2)
    module.weight.lr_scale = 0.1  # type: ignore[assignment]
    groups = {group["params"][0].ndim: group for group in adamw(module, (0.9, 0.99), 0.3).param_groups}
    assert groups[2]["weight_decay"] == 0.3 and groups[2]["lr_scale"] == 0.1
    assert groups[1]["weight_decay"] == 0.0 and groups[1]["lr_scale"] == 1.0
    with pytest.raises(ValueError, match="unfreeze"):
        adamw(nn.Linear(2, 2).requires_grad_(False), (0.9, 0.99), 0.3)


def test_averaged_models_are_the_mean_of_their_weights(tmp_path):
    models = [Net(NetConfig()) for _ in range(2)]
    for index, model in enumerate(models):
        save_model(model, model.config, tmp_path / str(index), half=False)
    mean = average_weights(Net, [tmp_path / "0", tmp_path / "1"], shares=[3, 1])
    assert torch.allclose(mean.first.weight, 0.75 * models[0].first.weight + 0.25 * models[1].first.weight)
    save_model(Net(NetConfig(width=3)), NetConfig(width=3), tmp_path / "2")
    with pytest.raises(ValueError, match="different configs"):
        average_weights(Net, [tmp_path / "0", tmp_path / "2"])
    with pytest.raises(ValueError, match="at least one"):
        average_weights(Net, [])


def test_a_wrong_setting_is_an_error_at_the_door():
    with pytest.raises(ValueError, match="steps=0"):
        settings(steps=0)
    with pytest.raises(ValueError, match="cosine"):
        settings(decay="cosin")


def test_tensorboard_gets_the_same_figures_and_what_a_preview_shows(tmp_path):
    pytest.importorskip("tensorboard", exc_type=ImportError)

    class Shown(Toy):
        def preview(self, model, folder, step):
            save_sheet([torch.zeros(8, 8, 3, dtype=torch.uint8)], folder / f"seen-{step:06d}.png")
            save_heard({"made": torch.zeros(1, 4800)}, folder, f"heard-{step:06d}")
            return {}

    train(Shown(), settings(tensorboard=True), tmp_path)
    (written,) = (tmp_path / "tensorboard").iterdir()
    content = written.read_bytes()
    assert b"train/loss" in content and b"seen" in content and b"\x89PNG" in content
    assert b"heard-made" in content and b"WAVE" in content


def test_a_figure_of_some_steps_is_averaged_over_those(tmp_path):
    class Alternating(Toy):
        def loss(self, model, batch, rng):
            loss, figures = super().loss(model, batch, rng)
            return loss, figures if batch[0, 0] > 0 else {**figures, "negative": 7.0}

    train(Alternating(), settings(accumulate=2), tmp_path)
    assert {record.get("negative", 7.0) for record in read_log(tmp_path, "train")} == {7.0}


def test_the_log_is_json_whatever_the_figures(tmp_path):
    class Odd(Toy):
        def preview(self, model, folder, step):
            return {"fraction": math.nan}

    train(Odd(), settings(), tmp_path)
    assert read_log(tmp_path, "preview")[0]["fraction"] is None
    assert all(json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines())
