"""Opening: a model by its folder or name, whichever layout it is in."""

from pathlib import Path
from typing import Any, TypedDict

import torch

from mediagen.sdk.errors import MediagenError, RequestError
from mediagen.sdk.hub.folder import PipelineFolder
from mediagen.sdk.hub.layout import is_pipeline
from mediagen.sdk.hub.memory import Memory
from mediagen.sdk.models.folder import ModelFolder, device_of, dtype_of
from mediagen.sdk.models.info import locate
from mediagen.sdk.tasks.replay import decoder_of, dtype_name


class HubWishes(TypedDict, total=False):
    """Of models in diffusers' layout, by keyword.

    offload: "none", "model" or "sequential".  quantize: "int8" or "fp8".  tiling: whether pictures are decoded in
    tiles.  lora: FILE_OR_REPO or FILE_OR_REPO:SCALE, or a list of them.  sound_model: the folder or name of what gives
    films their sound; None for the built-in models.
    """

    offload: str | None
    quantize: str | None
    tiling: bool | None
    lora: str | list[str] | None
    sound_model: str | Path | None


def opened(model: str | Path | None, device: str | None, revision: str | None, decoder: str | None,
           dtype: str | None, wishes: HubWishes) -> ModelFolder:  # fmt: skip
    """The models of a folder or name; raises as `Engine.from_pretrained`."""
    where = device_of(device)
    weights, given = dtype_of(dtype, where), {name: value for name, value in wishes.items() if value}
    folder = None if model is None else locate(model, revision)
    if folder is None or not is_pipeline(folder):
        if given:
            raise RequestError(
                f"{next(iter(given))}: got it for a model folder of mediagen's, expected one in diffusers' layout; "
                "leave it out."
            )
        return ModelFolder.of(model if folder is None else folder, where, None, decoder, weights)
    if decoder == "onnx":
        raise RequestError("got the decoder 'onnx', which a pipeline of diffusers has none of; leave it out.")
    memory = Memory.of(wishes.get("offload"), wishes.get("quantize"), wishes.get("tiling"), wishes.get("lora"))
    return pipeline_folder(folder, where, weights, memory, wishes.get("sound_model"))


def is_pipeline_named(model: str | Path | None) -> bool:
    """Whether a folder or name is of a model in diffusers' layout; fetched where it is on the hub."""
    return model is not None and is_pipeline(locate(model))


def opened_again(settings: dict[str, Any], model: str | Path | None, wishes: HubWishes) -> ModelFolder:
    """The models that made a file, by its settings. model: where they are, if not on the hub."""
    dtype, decoder = dtype_name(settings), decoder_of(settings)
    if "pipeline" not in settings:
        try:
            return opened(model, None, None, decoder, dtype, wishes)
        except MediagenError:
            return opened(model, None, None, None, dtype, wishes)
    named = settings.get("weights")
    if model is None and named is None:
        raise RequestError(
            f"got a file made by a {settings['pipeline']} from a folder, expected that too; give it with --model."
        )
    told = settings.get("memory", {})
    again = HubWishes(quantize=told.get("quantize"), tiling=told.get("tiling"), lora=told.get("lora"))
    given: Any = {name: value for name, value in wishes.items() if value}
    again: Any = {**again, **given}
    revision = settings.get("revision") if model is None else None
    return opened(model or named, None, revision, None, dtype, again)


def pipeline_folder(folder: Path, device: torch.device, dtype: torch.dtype, memory: Memory,
                    sound_model: str | Path | None) -> PipelineFolder:  # fmt: skip
    """A pipeline with its model of sound: the one that is named, or ours; a pipeline of sound is its own."""
    made = PipelineFolder(folder, device, dtype, memory)
    if made.can("sound"):
        return made
    where = locate(sound_model)
    sound = PipelineFolder(where, device, dtype) if is_pipeline(where) else ModelFolder(where, device)
    return PipelineFolder(folder, device, dtype, memory, sound)
