"""The seam of the loop: what a training is about (Task), and how it is run (TrainConfig)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from mediagen.config import Config


class Task(Protocol):
    """What is trained, on what, and how it is judged; nothing about how long or how fast.

    Optional: `critic: nn.Module` and `critic_loss(critic, batch, rng) -> Tensor`, for adversarial terms. The critic has
    its own optimiser and steps after the model; inside `loss` it is frozen.
    """

    @property
    def name(self) -> str:
        """What the log calls it."""
        ...

    @property
    def model(self) -> nn.Module:
        """What is trained, on its device; its `config` (a Config) is exported beside the weights."""
        ...

    def batch(self, step: int, rank: int, world: int) -> Any:
        """The data of micro-batch number `step`: a pure function of its arguments, so that a run resumes exactly."""
        ...

    def loss(self, model: Any, batch: Any, rng: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        """The loss (a scalar, mean over the batch) and figures for the log. `rng` is on the model's device."""
        ...

    def preview(self, model: Any, folder: Path, step: int) -> dict[str, float]:
        """Writes something to look at into `folder` and returns figures, from validation data; `model` is the EMA."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Config):
    """How a task is trained."""

    steps: int
    max_seconds: float = 0.0  # ends the run, and its schedule, in this time if `steps` have not; 0: no limit
    batch: int = 16  # items per micro-batch and process; the task makes them, the loop only counts them
    lr: float = 1e-3
    warmup: int = 100  # steps
    decay: str = "cosine"  # or "linear", "constant"
    lr_last: float = 0.0  # share of lr at the last step
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0  # largest norm of the gradients; 0 for none
    ema: float = 0.999
    accumulate: int = 1  # micro-batches per step
    critic_lr: float | None = None  # None: as lr
    seed: int = 0
    precision: str = "fp32"  # or "bf16": autocast; "auto": bf16 where the processor multiplies it fast
    compile: bool = False
    graphs: bool = False  # with compile: CUDA graphs, for steps that are bound by launches
    threads: int | None = None  # of torch on the CPU; None leaves them
    workers: int = 0  # background threads that make batches
    tensorboard: bool = False
    log_every: int = 50
    preview_every: int = 1000  # 0 for never
    save_every: int = 1000
    keep: int = 2  # checkpoints

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "accumulate", "log_every", "save_every", "keep"):
            if getattr(self, name) < 1:
                raise ValueError(f"got {name}={getattr(self, name)}, expected at least 1; raise it.")
        if self.decay not in ("cosine", "linear", "constant") or self.precision not in ("fp32", "bf16", "auto"):
            raise ValueError(
                f"got decay='{self.decay}' and precision='{self.precision}'; "
                "expected cosine, linear or constant, and fp32, bf16 or auto."
            )


def multiplies_bf16_fast(device: torch.device) -> bool:
    """Whether bfloat16 pays there: on a GPU, and on a CPU that multiplies it (AMX about 6x float32, AVX-512 2.4x)."""
    if device.type != "cpu":
        return True
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))
