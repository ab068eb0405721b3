"""The optimiser: AdamW in groups, the learning-rate schedule, and one guarded step of a module."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from mediagen.parallel.ranks import Ranks

_VECTORS = {"bias", "positions", "position_embedding", "relative_attention_bias", "table"}  # words of names


def adamw(module: nn.Module, betas: tuple[float, float], weight_decay: float) -> torch.optim.AdamW:
    """AdamW over what requires gradients; vectors and scalars do not decay: biases, norms, and tables of such.

    A table of vectors, such as positions or the bias of a block's modulation, has two dimensions, but is no matrix that
    multiplies.

    A parameter with an attribute `lr_scale` gets the learning rate times that number.
    """
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            key = (
                parameter.ndim >= 2 and not _VECTORS.intersection(name.split(".")),
                float(getattr(parameter, "lr_scale", 1.0)),
            )
            groups.setdefault(key, []).append(parameter)
    if not groups:
        raise ValueError(f"got {type(module).__name__} without a trainable parameter; unfreeze what is to be trained.")
    made = [
        {"params": parameters, "weight_decay": weight_decay if decays else 0.0, "lr_scale": scale}
        for (decays, scale), parameters in groups.items()
    ]
    return torch.optim.AdamW(made, lr=0.0, betas=betas, fused=True)


def schedule(step: int, steps: int, warmup: int, decay: str, last: float) -> float:
    """The learning rate at `step` (from 0) as a share of its peak: linear warm-up, then `decay` down to `last`."""
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, steps - warmup))
    fall = {"constant": 1.0, "linear": 1 - progress, "cosine": 0.5 + 0.5 * math.cos(math.pi * progress)}[decay]
    return last + (1 - last) * fall if decay != "constant" else 1.0


class Learner:
    """A module and its optimiser: gather gradients with `loss.backward()`, then `step`."""

    def __init__(self, module: nn.Module, betas: tuple[float, float], weight_decay: float, clip: float) -> None:
        self.module, self.clip = module, clip
        self.optimiser = adamw(module, betas, weight_decay)
        self.parameters = [parameter for group in self.optimiser.param_groups for parameter in group["params"]]

    def step(self, lr: float, ranks: Ranks) -> float:
        """Averages gradients over the ranks, clips and steps; returns their norm before clipping, and clears them.

        A norm that is not finite leaves weights and moments as they were: the loss may be fine where a gradient is not.
        """
        ranks.average_gradients(self.parameters)
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        total = torch.nn.utils.get_total_norm(gradients)
        norm = float(total)
        if math.isfinite(norm):
            if self.clip > 0:
                torch.nn.utils.clip_grads_with_norm_(self.parameters, self.clip, total)
            for group in self.optimiser.param_groups:
                group["lr"] = lr * group["lr_scale"]
            self.optimiser.step()
        self.clear()
        return norm

    def clear(self) -> None:
        """Forgets gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def hold(self, held: bool) -> None:
        """Stops (or lets) gradients flow into the parameters; they still flow through the module."""
        for parameter in self.parameters:
            parameter.requires_grad_(not held)

    def moments(self) -> dict[str, torch.Tensor]:
        """The optimiser's state as tensors named "parameter|moment"."""
        named = {id(parameter): name for name, parameter in self.module.named_parameters()}
        state = self.optimiser.state
        return {
            f"{named[id(p)]}|{key}": value for p in self.parameters if p in state for key, value in state[p].items()
        }

    def load_moments(self, tensors: dict[str, torch.Tensor]) -> None:
        """Takes back what `moments` gave; raises ValueError where it names another module's parameters."""
        place = {name: index for index, name in enumerate(self._names())}
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            name, _, moment = key.rpartition("|")
            if name not in place:
                raise ValueError(
                    f"got moments of the unknown parameter '{name}'; resume with the model that was saved."
                )
            state.setdefault(place[name], {})[moment] = value
        self.optimiser.load_state_dict({"state": state, "param_groups": self.optimiser.state_dict()["param_groups"]})

    def _names(self) -> Iterable[str]:
        named = {id(parameter): name for name, parameter in self.module.named_parameters()}
        return [named[id(parameter)] for parameter in self.parameters]
