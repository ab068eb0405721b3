"""A training that takes a moment, and what the tests of the loop do with it in processes of their own.

python tests/train_toy.py kill FOLDER [KILLS]   kills a run (SIGKILL) at random moments, again and again, and compares
                                                its export with that of a run that was left alone
python tests/train_toy.py ranks FOLDER          one of several processes (torchrun's environment) that train together
"""

import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.train.loop import TrainConfig, train

ROWS = 8


@dataclass(frozen=True, kw_only=True)
class NetConfig(Config):
    width: int = 16


class Net(nn.Module):
    """A little network with everything a loop can get wrong: dropout, a running statistic, a frozen parameter."""

    Config = NetConfig
    mean: Tensor

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Linear(4, config.width)
        self.drop = nn.Dropout(0.1)
        self.last = nn.Linear(config.width, 1)
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(x.mean(0), 0.1)
        return self.last(self.drop(torch.tanh(self.first(x)))).squeeze(1)


class Toy:
    """Learns the sum of four numbers. noisy: with dropout and noise. bad: micro-batches that hold a NaN."""

    name = "toy"

    def __init__(self, noisy: bool = True, rows: int = ROWS, bad: frozenset[int] | range = frozenset()) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.model = Net(NetConfig())
        if not noisy:
            self.model.drop.p = 0.0
        self.noisy, self.rows, self.bad = noisy, rows, bad

    def batch(self, step: int, rank: int, world: int) -> Tensor:
        rows = torch.randn(self.rows * world, 4, generator=torch.Generator().manual_seed(step))
        rows = rows[rank * self.rows : (rank + 1) * self.rows]
        return rows * float("nan") if step in self.bad else rows

    def loss(self, model: nn.Module, batch: Tensor, rng: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        noise = torch.randn(batch.shape, generator=rng, device=batch.device) if self.noisy else torch.zeros_like(batch)
        error = model(batch + 0.1 * noise) - batch.sum(1)
        return error.square().mean(), {"error": error.detach().abs().mean()}

    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        torch.randn(7)  # drawing in a preview must not change the training
        (folder / f"{step}.txt").write_text("seen")
        return {"bias": float(model.get_parameter("last.bias").mean())}


class Duel(Toy):
    """The same with a critic, whose score is a small part of the loss."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = nn.Linear(1, 1)
        nn.init.ones_(self.critic.weight)
        nn.init.zeros_(self.critic.bias)

    def loss(self, model: nn.Module, batch: Tensor, rng: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        loss, figures = super().loss(model, batch, rng)
        return loss + 0.01 * self.critic(model(batch)[:, None]).mean(), figures

    def critic_loss(self, critic: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
        return (critic(self.model(batch).detach()[:, None]) - critic(batch.sum(1, keepdim=True))).mean()


def settings(**changes: object) -> TrainConfig:
    """A configuration for runs of a moment."""
    few = dict(steps=12, batch=ROWS, lr=0.02, warmup=3, ema=0.9, threads=1, log_every=4, preview_every=5, save_every=4)
    return TrainConfig.of({**few, **changes})


def exported(folder: Path) -> bytes:
    return (folder / "export" / "model.safetensors").read_bytes()


def kill_campaign(folder: Path, kills: int) -> None:
    """Raises AssertionError unless a run that is killed `kills` times ends in the bytes of one that is not.

    Each kill comes some milliseconds after a random step, so that it also hits the writing of checkpoints.
    """
    config = settings(steps=40, save_every=2, log_every=1)
    train(Duel(), config, folder / "whole")
    chance, done = random.Random(), 0
    for _ in range(kills):
        steps, delay = chance.randint(0, max(1, 60 // kills)), chance.uniform(0, 0.03)
        child = os.fork()
        if child == 0:
            seen = []

            def on_step(step: int, figures: dict, seen: list = seen, steps: int = steps, delay: float = delay) -> None:
                seen.append(step)
                if len(seen) == steps + 1:
                    threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()

            train(Duel(), config, folder / "killed", on_step=on_step)
            if not seen:  # it had ended before
                os._exit(0)
            time.sleep(delay + 0.1)
            os._exit(0)  # it ended before its kill was due
        done += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    train(Duel(), config, folder / "killed")
    print(f"{done} of {kills} kills landed")  # noqa: T201
    assert done
    assert exported(folder / "killed") == exported(folder / "whole")
    assert not list((folder / "killed").rglob("*.tmp"))


def ranks(folder: Path) -> None:
    """What each of two processes does: trains together, alone, and stopped and resumed together."""
    train(Toy(noisy=False), settings(), folder / "together")
    train(Toy(), settings(), folder / "whole")
    try:  # a signal to one of them stops both at the same step
        stop = signal.raise_signal if os.environ["RANK"] == "1" else lambda number: None
        train(
            Toy(), settings(), folder / "stopped", on_step=lambda step, _: stop(signal.SIGTERM) if step == 6 else None
        )
    except SystemExit:
        train(Toy(), settings(), folder / "stopped")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "kill":
        kill_campaign(Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 10)
    else:
        ranks(Path(sys.argv[2]))
