"""Two transformers as each of two processes holds them: python tests/shard_toy.py FILE, in torchrun's environment."""

import os
import sys
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor

from mediagen.audio.model import AudioConfig, AudioModel, SoundConditions
from mediagen.nn.denoiser import Conditions
from mediagen.parallel.shard import shard_blocks, split_matrices
from mediagen.text.text import Text
from mediagen.video import VideoConfig, VideoModel

VIDEO = VideoConfig(
    latent_channels=4, width=32, depth=2, heads=4, hidden=48, text_widths=(8,), longest=(4, 4, 4), mixing=True,
    beside_channels=4, tasks=3,
)  # fmt: skip
AUDIO = AudioConfig(
    latent_channels=4, width=32, depth=2, heads=4, text_widths=(8,), picture_width=6, picture_taps=3, longest=40,
    mixing=True,
)  # fmt: skip


def case(name: str, batch: slice = slice(None)) -> tuple[Any, Tensor, Tensor, Conditions, Any]:
    """A model whose every weight matters, and some of two samples: x, t, conditions and shape."""
    rng = torch.Generator().manual_seed(3)
    model = VideoModel(VIDEO) if name == "video" else AudioModel(AUDIO)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2, generator=rng)
    words = Text((torch.randn(2, 5, 8, generator=rng),), (torch.arange(5) < torch.tensor([[5], [3]]),))[batch]
    t = torch.tensor([0.2, 0.7])[batch]
    if name == "video":
        x, known, beside = torch.randn(3, 2, 4, 2, 4, 4, generator=rng)[:, batch]
        clean, task = torch.zeros_like(x[:, :1]), torch.tensor([2, -1])[batch]
        clean[:, :, 0] = 1
        return model, x, t, Conditions(text=words, known=known, clean=clean, beside=beside, task=task), (2, 4, 4)
    x, known = torch.randn(2, 2, 4, 20, generator=rng)[:, batch]
    pictures, clean = torch.randn(2, 20, 6, generator=rng)[batch], (torch.arange(20) < 6).expand(len(x), -1)
    return model, x, t, SoundConditions(text=words, known=known, clean=clean, pictures=pictures), 20


def results(model: Any, x: Tensor, t: Tensor, conditions: Conditions, shape: Any) -> dict[str, Tensor]:
    """The output without gradients (in two steps, of which the second reads what the first remembered), and with."""
    with torch.no_grad():
        prepared = model.prepare(conditions, shape, [0.3])
        first, again = model(x, 0.3, prepared), model(x, 0.3, prepared)
        assert torch.equal(first, again)
    out = model(x, t, model.prepare(conditions, shape))
    out.square().mean().backward()
    found = {"sampled": first, "out": out.detach()}
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, f"{name} has no gradient"
        found[name] = parameter.grad.full_tensor() if isinstance(parameter.grad, DTensor) else parameter.grad
    return found


def main() -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank, mesh, found = dist.get_rank(), init_device_mesh("cpu", (2,)), {}
    for name in ("video", "audio"):
        own = case(name, slice(rank, rank + 1))
        shard_blocks(own[0], mesh)
        mine = results(*own)
        for key in ("sampled", "out"):
            both = [torch.empty_like(mine[key]) for _ in range(2)]
            dist.all_gather(both, mine[key])
            mine[key] = torch.cat(both)
        found |= {f"{name} blocks {key}": value for key, value in mine.items()}
        whole = case(name)
        split_matrices(whole[0], mesh)
        found |= {f"{name} matrices {key}": value for key, value in results(*whole).items()}
    try:
        split_matrices(VideoModel(VIDEO.replace(heads=1)), mesh)
    except ValueError as error:
        assert "2 processes for 1 heads" in str(error)
    else:
        raise AssertionError("one head was split over two processes")
    if rank == 0:
        torch.save(found, sys.argv[1])
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    assert os.environ["WORLD_SIZE"] == "2"
    main()
