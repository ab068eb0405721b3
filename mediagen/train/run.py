"""Run: the state of one training and the moves that the loop makes with it."""

import contextlib
import logging
import math
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.parallel.ranks import Ranks
from mediagen.train.checkpoint import State, checkpoints, load_latest, save_checkpoint
from mediagen.train.clock import Clock
from mediagen.train.compiled import compile_parts
from mediagen.train.ema import EMA
from mediagen.train.log import Log
from mediagen.train.optim import Learner, schedule
from mediagen.train.settings import Settings, changes, record, refuse_changes
from mediagen.train.task import Task, TrainConfig, multiplies_bf16_fast
from mediagen.weights import fit_tensors, save_model, sweep

BAD_STEPS = 20  # non-finite gradients in a row after which a run gives up
_log = logging.getLogger(__name__)


class Run:
    """The state of one training run: what is learnt, what is averaged, where it is written."""

    def __init__(self, task: Task, config: TrainConfig, folder: Path) -> None:
        self.task, self.config, self.folder = task, config, folder
        self.device = next(task.model.parameters()).device
        self.step, self.bad, self.bad_in_row = 0, 0, 0  # bad: steps skipped because gradients were not finite
        critic: nn.Module | None = getattr(task, "critic", None)
        self.learner = Learner(task.model, config.betas, config.weight_decay, config.clip)
        self.critic = None if critic is None else Learner(critic, config.betas, config.weight_decay, config.clip)
        self.ema = EMA(task.model, config.ema)
        self.ranks = Ranks(self.device)
        self.clock, self._spent = Clock(task.name, config), 0.0
        self.log: Log | None = None  # on the first rank only
        self._sums: dict[str, tuple[float | Tensor, int]] = {}  # of each figure since the last line of the log
        self._since, self._since_time = 0, 0.0

    def start(self, resume: bool, allow: Collection[str] = (), about: Settings | None = None) -> None:
        """Makes the ranks equal, cleans up after a killed run and goes on from the newest checkpoint."""
        saved, settings = self.folder / "checkpoints", self._settings() | (about or {})
        if self.config.max_seconds > 0 and self.ranks.together:  # whose clocks, and so learning rates, would differ
            raise ValueError(f"got max_seconds and {self.ranks.world} processes, expected one; give steps instead.")
        with self.ranks.as_one():
            if not resume and checkpoints(saved):
                raise ValueError(
                    f"got resume=False and a folder with checkpoints, {saved}; delete it or use another folder."
                )
            if self.ranks.rank == 0:
                saved.mkdir(parents=True, exist_ok=True)
                sweep(self.folder)
        for module in [self.task.model, self.ema.model, *([self.critic.module] if self.critic else [])]:
            self.ranks.same_start(module)
        with self.ranks.as_one():
            state = load_latest(saved)
            if state is not None:
                self._restore(state)
                refuse_changes(self.folder, settings, allow)
        self._together_at(state)
        if self.ranks.rank == 0:
            record(self.folder, settings)
        if self.config.compile:
            compile_parts(self.task.model, self.config.graphs)
        if self.ranks.rank == 0:
            self.log = Log(self.folder, self.step, self.config.tensorboard)
        self._since, self._since_time = self.step, time.monotonic()
        self.clock.begin(self.step, self._spent)

    def _together_at(self, state: State | None) -> None:
        """ValueError, on every rank, unless all go on from one checkpoint: each may have a folder of its own."""
        found = self.ranks.gather((-1, "") if state is None else (state.step, state.mark))
        for rank, other in enumerate(found):
            if other != found[0]:
                had = [f"step {step}" if step >= 0 else "no checkpoint" for step, _ in (found[0], other)]
                raise self.ranks.heard(
                    ValueError(
                        f"got {had[0]} in {self.folder} on rank 0 and {'another ' * (had[0] == had[1])}{had[1]} on "
                        f"rank {rank}, expected one checkpoint for all; put the folder where every machine sees the "
                        "same files."
                    )
                )

    def _settings(self) -> Settings:
        """All that the run is told, for those who ask in the same folder again."""
        told = {
            "loop": self.config,
            "task": getattr(self.task, "config", None),
            "model": getattr(self.task.model, "config", None),
        }
        return {name: config.to_dict() for name, config in told.items() if isinstance(config, Config)}

    @contextlib.contextmanager
    def closing(self) -> Iterator[None]:
        """Sets torch's threads inside, and gives everything back at the end."""
        threads = torch.get_num_threads()
        torch.set_num_threads(self.config.threads or threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            if self.log is not None:
                self.log.close()
            if self.critic is not None:
                self.critic.hold(False)

    def advance(self, batches: list[Any]) -> dict[str, float | Tensor]:
        """One optimiser step over the micro-batches, of the model and then of the critic; returns mean figures."""
        seen: dict[str, list[float | Tensor]] = {}
        scale = self._lr_share()
        self.task.model.train()
        if self.config.compile and self.config.graphs:
            torch.compiler.cudagraph_mark_step_begin()
        if self.critic is not None:
            self.critic.hold(True)
        for index, batch in enumerate(batches):
            with self._random(index, 0) as rng:
                loss, found = self.task.loss(self.task.model, batch, rng)
            (loss / len(batches)).backward()
            for name, value in {"loss": loss, **found}.items():
                seen.setdefault(name, []).append(value.detach() if isinstance(value, Tensor) else value)
        norm = self.learner.step(self.config.lr * scale, self.ranks)
        sound = math.isfinite(norm)
        self.ranks.same_buffers(self.task.model)  # at every step: a run that is stopped goes on with the first rank's
        if sound:
            self.ema.update()
        else:
            self.ema.restore_buffers()
        figures = {name: sum(values) / len(values) for name, values in seen.items()}
        figures |= {"norm": norm, "lr": self.config.lr * scale}
        if self.critic is not None:
            figures["critic_norm"] = norm = self._advance_critic(self.critic, batches, scale)
            sound = sound and math.isfinite(norm)
        self.step += 1
        self._guard(sound)
        return figures

    def _advance_critic(self, critic: Learner, batches: list[Any], scale: float) -> float:
        critic.hold(False)
        critic.module.train()
        for index, batch in enumerate(batches):
            with self._random(index, 1) as rng:
                loss: Tensor = self.task.critic_loss(critic.module, batch, rng)  # type: ignore[attr-defined]
            (loss / len(batches)).backward()
        self.learner.clear()  # what the critic's loss may have left in the model
        return critic.step((self.config.critic_lr or self.config.lr) * scale, self.ranks)

    def _guard(self, sound: bool) -> None:
        self.bad_in_row = 0 if sound else self.bad_in_row + 1
        self.bad += not sound
        if not sound:
            _log.warning("%s: skipped step %d, its gradients are not finite", self.task.name, self.step)
        if self.bad_in_row >= BAD_STEPS:
            raise FloatingPointError(
                f"{self.task.name}: got non-finite gradients in {BAD_STEPS} steps in a row, up to step {self.step}; "
                "lower lr or look at the data, then train again: the run goes on from its last good checkpoint."
            )

    def _lr_share(self) -> float:
        config = self.config
        return schedule(self.step, self.clock.total(self.step), config.warmup, config.decay, config.lr_last)

    @contextlib.contextmanager
    def _random(self, micro: int, purpose: int) -> Iterator[torch.Generator]:
        """A generator that depends on seed, step and rank alone; so does the global one inside (for dropout)."""
        words = (self.config.seed, self.step, self.ranks.rank, micro, purpose)
        seed = int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)
        gpu = self.device.type == "cuda"
        wish = self.config.precision
        half = wish == "bf16" or (wish == "auto" and multiplies_bf16_fast(self.device))
        with torch.random.fork_rng(devices=[self.device] if gpu else []):
            torch.manual_seed(seed)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
                yield torch.Generator(self.device).manual_seed(seed)

    def report(self, figures: dict[str, float | Tensor], last: bool) -> None:
        """Adds a step's figures up, and logs their mean with speed and time to go every `log_every` steps."""
        if not self.bad_in_row:
            for name, value in figures.items():  # counted one by one: some figures are not of every step
                total, count = self._sums.get(name, (0.0, 0))
                self._sums[name] = (total + value, count + 1)
        if self.log is None or (self.step % self.config.log_every and not last):
            return
        steps, seconds = self.step - self._since, max(time.monotonic() - self._since_time, 1e-9)
        rate = steps * self.config.batch * self.config.accumulate * self.ranks.world / seconds
        total = self.step if last else self.clock.total(self.step)
        eta = (total - self.step) * seconds / steps
        mean = {name: float(total) / count for name, (total, count) in self._sums.items()}
        self.log.write(self.step, "train", {**mean, "samples_per_second": rate, "eta": eta, "skipped": float(self.bad)})
        _log.info(
            "%s: step %d/%d, loss %.4f, %.1f samples/s, %.0f s to go",
            self.task.name,
            self.step,
            total,
            mean.get("loss", math.nan),
            rate,
            eta,
        )
        self._sums, self._since, self._since_time = {}, self.step, time.monotonic()

    def preview(self) -> None:
        """Lets the task draw with the averaged model; the time does not count as training."""
        if self.log is not None:
            began, folder = time.monotonic(), self.folder / "previews"
            folder.mkdir(exist_ok=True)
            with torch.no_grad(), self._random(0, 2):
                self.log.write(self.step, "preview", self.task.preview(self.ema.model, folder, self.step))
            self.log.show(self.step, sorted(folder.glob(f"*{self.step:06d}*")))
            self._since_time += time.monotonic() - began
        self.ranks.wait()

    def save(self) -> None:
        """A checkpoint and an export; while steps are being skipped nothing is saved, so the last good one stays."""
        if self.ranks.rank == 0 and not self.bad_in_row:
            tensors = {
                "model": self.task.model.state_dict(),
                "optimiser": self.learner.moments(),
                "ema": self.ema.model.state_dict(),
            }
            if self.critic is not None:
                tensors |= {"critic": self.critic.module.state_dict(), "critic_optimiser": self.critic.moments()}
            values = {"updates": self.ema.updates, "bad": self.bad, "config": self.config.to_dict()}
            values["seconds"] = self.clock.seconds
            save_checkpoint(self.folder / "checkpoints", State(self.step, tensors, values), self.config.keep)
        self.export()

    def export(self) -> Path:
        """Writes the averaged weights as `load_model` reads them; returns their folder."""
        folder = self.folder / "export"
        if self.ranks.rank == 0:
            save_model(self.ema.model, getattr(self.task.model, "config"), folder)  # noqa: B009 (any Config will do)
        self.ranks.wait()
        return folder

    def _restore(self, state: State) -> None:
        where = f"{self.folder}, step {state.step}"
        if (self.critic is not None) != ("critic" in state.tensors):
            raise ValueError(f"{where}: got a checkpoint with other parts than the task (critic); use another folder.")
        fit_tensors(self.task.model, state.tensors["model"], where)
        fit_tensors(self.ema.model, state.tensors["ema"], where)
        self.learner.load_moments(state.tensors["optimiser"])
        if self.critic is not None:
            fit_tensors(self.critic.module, state.tensors["critic"], where)
            self.critic.load_moments(state.tensors["critic_optimiser"])
        self.step, self.bad, self.ema.updates = state.step, state.values["bad"], state.values["updates"]
        self._spent = state.values.get("seconds", 0.0)
        changed = changes(self.folder, self._settings())
        _log.info("%s: resumed at %s%s", self.task.name, where, f"; changed: {', '.join(changed)}" if changed else "")
