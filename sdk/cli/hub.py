"""Options of models in diffusers' layout, which several commands have."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediagen.sdk.cli.console import say

if TYPE_CHECKING:
    from mediagen.sdk.hub.opening import HubWishes

Offload = Annotated[
    str | None, typer.Option("--offload", help="Of public models: none, model or sequential; what is not used waits.")
]
Quantize = Annotated[str | None, typer.Option("--quantize", help="Of public models: weights as int8 or fp8.")]
Tiling = Annotated[bool, typer.Option("--tiling", help="Of public models: decode pictures in tiles.")]
Lora = Annotated[
    list[str] | None,
    typer.Option("--lora", metavar="FILE_OR_REPO[:SCALE]", help="Weights to add; may be given more than once."),
]
SoundModel = Annotated[
    str | None, typer.Option("--sound-model", help="What gives the films of a public model their sound.")
]


def wishes(offload: str | None, quantize: str | None, tiling: bool, lora: list[str] | None,
           sound_model: str | None) -> "HubWishes":  # fmt: skip
    """What was asked for of a public model."""
    return {"offload": offload, "quantize": quantize, "tiling": tiling, "lora": lora, "sound_model": sound_model}


def licence(engine: Any) -> None:
    """Says under which licence the weights of a public model are; nothing of others."""
    layout = getattr(engine.models, "layout", None)
    if layout is not None:
        say(f"{layout.name}: the weights are under {layout.licence}.")
