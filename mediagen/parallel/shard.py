"""Models too large for one device: every process holds a share of the weights, put there from outside the model."""

from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

from mediagen.nn.denoiser import Denoiser

# By columns a process makes whole heads and hidden channels of its own; by rows what they give is added up.
_COLUMNS = ("attention.query", "attention.key", "attention.value", "text.query", "text.key", "text.value")
_ROWS = ("attention.out", "text.out", "mlp.down")
_HIDDEN = ("mlp.gate", "mlp.up")  # the plain MLP has no gate


def shard_blocks(model: Denoiser, mesh: DeviceMesh) -> None:
    """Shards the weights over a mesh of one axis, block by block (FSDP2); make the optimiser afterwards.

    A block's weights are whole while it runs; what stands outside the blocks is whole from `prepare` to the end of the
    backward. Gradients are averaged over the processes, each of which has its own batch. One process changes nothing.
    """
    if mesh.size() == 1:
        return
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    register_fsdp_forward_method(model, "prepare")


def split_matrices(model: Denoiser, mesh: DeviceMesh) -> None:
    """Splits the matrices of every block over a mesh of one axis (tensor parallelism); all processes see one batch.

    Raises ValueError where heads or hidden channels do not come out even. One process changes nothing.
    """
    size = mesh.size()
    if size == 1:
        return
    heads, hidden = model.config.heads, model.blocks[0].get_parameter("mlp.down.weight").shape[1]
    if heads % size or hidden % size:
        raise ValueError(
            f"got {size} processes for {heads} heads and {hidden} hidden channels, expected a number that divides "
            "both; use fewer."
        )
    for block in model.blocks:
        names = {name for name, _ in block.named_modules()}
        plan = {name: ColwiseParallel() for name in (*_COLUMNS, *_HIDDEN) if name in names}
        parallelize_module(block, mesh, {**plan, **{name: RowwiseParallel() for name in _ROWS}})
