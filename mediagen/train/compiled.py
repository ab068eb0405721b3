"""torch.compile for a training: part by part, so that a fresh machine starts to train in seconds."""

import torch
from torch import nn

_SHAPES = 64  # that one part may be compiled for: an autoencoder's levels share their code, and see pictures and clips


def compile_parts(model: nn.Module, graphs: bool = False, backend: str = "inductor") -> list[nn.Module]:
    """Compiles, in place, the items of the model's outermost ModuleLists and its outermost Sequentials; returns them.

    Equal blocks are compiled once, and models that a task calls by other names than `forward` are reached as well. A
    model without such parts is compiled as a whole.  graphs: CUDA graphs, where a step is bound by launches.
    """
    parts = _parts(model) or [model]
    torch._dynamo.config.recompile_limit = max(_SHAPES, torch._dynamo.config.recompile_limit)
    for part in parts:
        if backend == "inductor":
            part.compile(dynamic=False, mode="reduce-overhead" if graphs else None)
        else:
            part.compile(dynamic=False, backend=backend)
    return parts


def _parts(module: nn.Module) -> list[nn.Module]:
    found: list[nn.Module] = []
    for child in module.children():
        if isinstance(child, nn.ModuleList):
            found += list(child)
        else:
            found += [child] if isinstance(child, nn.Sequential) else _parts(child)
    return found
