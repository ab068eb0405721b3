"""Denoiser: what the models of pictures and of sound share, and the record of all that one is told."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from mediagen.nn.conditions import Encoded, TextProjection
from mediagen.nn.transformer import Block, Reading, RMSNorm, SwiGLU, TimestepMLP

TASK_TOKENS = 4  # that a task adds to the text
Tensors = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """All that a denoiser is told besides its noisy input; each is None where there is none.

    text: the prompts, one a sample.  known, clean: a latent, given where clean (one channel) is above 0.  beside: a
    latent (B, `beside_channels`, ...) that is read beside the noisy one, for editing and upsampling.  task: which of
    the model's `tasks` each sample is, int (B,); -1 for none.
    """

    text: Encoded | None = None
    known: Tensor | None = None
    clean: Tensor | None = None
    beside: Tensor | None = None
    task: Tensor | None = None

    def repeat(self, count: int) -> Self:
        """The same for `count` times as many samples, batch after batch; the text stays, for guidance changes it."""
        tensors = {part.name: value for part in fields(self) if isinstance(value := getattr(self, part.name), Tensor)}
        return replace(self, **{name: torch.cat([value] * count) for name, value in tensors.items()})


@dataclass(kw_only=True)
class Prepared:
    """All of a request that does not depend on t: made by `prepare`, read at every step."""

    readings: list[Reading]  # one a layer
    shift: Tensor | None  # (B, D): of the timestep, from the task
    rows: dict[float, Tensor] = field(default_factory=dict)  # modulation by time, (1 or B, 6, D)


class Tasks(nn.Module):
    """A learned vector for each task: by one matrix four tokens of text, by another a shift of the timestep.

    Emu Edit (arXiv 2311.10089, section 3.2) learns such a vector for each editing task. A new task shifts nothing.
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(count, width) * 0.02)
        self.tokens = nn.Linear(width, TASK_TOKENS * width, bias=False)
        self.shift = nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.shift.weight)

    def forward(self, task: Tensor, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The text's states (B, M, D) and mask (B, M) with the tokens of each sample's task, and the shift (B, D)."""
        task = task.to(states.device)
        if task.shape != (len(states),) or bool((task < -1).any()) or bool((task >= len(self.table)).any()):
            raise ValueError(
                f"got tasks {task.tolist()} for {len(states)} samples, expected one of 0 to {len(self.table) - 1}, or "
                "-1 for none, for each; give theirs."
            )
        vector, there = self.table[task.clamp_min(0)], (task >= 0)[:, None]
        tokens = self.tokens(vector).unflatten(-1, (TASK_TOKENS, -1)) * there[..., None]
        return (
            torch.cat((states, tokens), dim=1),
            torch.cat((mask, there.expand(-1, TASK_TOKENS)), dim=1),
            self.shift(vector) * there,
        )


class Denoiser(nn.Module):
    """Blocks under one timestep MLP that attend to a text; a subclass reads its latent into tokens and writes it back.

    A subclass has `Config` and `PRESETS`, calls itself `what` in errors, and offers prepare(conditions, shape, times)
    -> Prepared, forward(x, t, prepared) -> velocity and `grow`.
    """

    what: ClassVar[str]
    PRESETS: ClassVar[dict[str, Any]]

    def __init__(
        self,
        config: Any,
        hidden: int,
        mlp: Callable[[int, int], nn.Module] = SwiGLU,
        tasks: int = 0,
    ) -> None:
        super().__init__()
        self.config = config
        self.timestep = TimestepMLP(config.width)
        self.text = TextProjection(config.text_widths, config.width)
        self.tasks = Tasks(tasks, config.width) if tasks else None
        self.blocks = nn.ModuleList(Block(config.width, config.heads, hidden, mlp) for _ in range(config.depth))
        self.norm = RMSNorm(config.width)

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """A new, untrained model of one of the `PRESETS`."""
        if name not in cls.PRESETS:
            raise ValueError(f"got the {cls.what} preset '{name}', expected one of {', '.join(cls.PRESETS)}; give one.")
        return cls(cls.PRESETS[name])  # type: ignore[call-arg] (a subclass takes its config alone)

    def read_text(self, conditions: Conditions, times: list[float] | None) -> Prepared:
        """What every subclass prepares: the text for each layer, the task, and the modulation rows of `times`."""
        assert conditions.text is not None, "conditions without a text"
        states, mask = self.text(conditions.text)
        shift = None
        if conditions.task is not None:
            if self.tasks is None:
                raise ValueError("got a task, but this model was built without any; leave it out, or set `tasks`.")
            states, mask, shift = self.tasks(conditions.task, states, mask)
        prepared = Prepared(readings=[Reading(states, mask[:, None, None, :]) for _ in self.blocks], shift=shift)
        if times:
            each = len(states) if shift is not None else 1
            shifts = None if shift is None else shift.repeat(len(times), 1)
            asked = torch.tensor(times, device=states.device).repeat_interleave(each)
            prepared.rows = dict(zip(times, self.timestep(asked, shifts).split(each), strict=False))
        return prepared

    def run_blocks(
        self,
        tokens: Tensor,
        t: Tensor | float,
        prepared: Prepared,
        mix: Callable[[Tensor], Tensor] | None = None,
        positions: Tensor | None = None,
    ) -> Tensor:
        """Tokens (B, N, D) through all layers and the last norm.

        t: one number for all, or (B,).  positions (N, D): added to the input of every layer.
        """
        modulation = self._modulation(t, prepared, tokens.device)
        for block, reading in zip(self.blocks, prepared.readings, strict=True):
            tokens = block(tokens if positions is None else tokens + positions, modulation, reading, mix)
        return self.norm(tokens)

    def _modulation(self, t: Tensor | float, prepared: Prepared, device: torch.device) -> Tensor:
        if isinstance(t, Tensor):
            return self.timestep(t, prepared.shift)
        row = prepared.rows.get(float(t))
        return self.timestep(torch.tensor([float(t)], device=device), prepared.shift) if row is None else row

    def grow_shared(self, tensors: Tensors, old: Any) -> Tensors:
        """A subclass's `grow`, for what the base has: new tasks start as built, as do new text encoders."""
        new = self.config
        for name in ("width", "heads", "depth", "mixing"):  # without which equal tensors are another function
            if getattr(old, name) != getattr(new, name):
                raise ValueError(
                    f"got weights of {name}={getattr(old, name)}, expected {name}={getattr(new, name)}, which does not "
                    f"grow; set {name} as they have it."
                )
        grown = dict(tensors)
        if self.tasks is not None and "tasks.table" in grown:
            grown["tasks.table"] = grow_rows(grown["tasks.table"], self.tasks.table)
        return grown

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights, and so of all that is computed between a float32 input and a float32 velocity."""
        return self.norm.weight.dtype


def check_sizes(**sizes: int | tuple[int, ...]) -> None:
    """ValueError where one of the named sizes is not positive, or the width does not fit its heads."""
    for name, size in sizes.items():
        if size == () or any(each < 1 for each in (size if isinstance(size, tuple) else (size,))):
            raise ValueError(f"got {name}={size}, expected numbers from 1 on; raise it.")
    width, heads = sizes["width"], sizes["heads"]
    assert isinstance(width, int) and isinstance(heads, int)
    if width % heads or width % 8:
        raise ValueError(
            f"got width={width} and heads={heads}, expected a width that is a multiple of 8 and of heads; "
            f"width={-(-width // (8 * heads)) * 8 * heads} is one."
        )


def grow_rows(old: Tensor, new: Tensor) -> Tensor:
    """`new` (N, D) whose first rows are those of `old` (n <= N, D), as positions and tasks grow."""
    if old.ndim != new.ndim or old.shape[1:] != new.shape[1:] or len(old) > len(new):
        return old  # which does not fit, and is refused by its name
    return torch.cat((old, new[len(old) :].to(old)))
