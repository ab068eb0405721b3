"""Memory: how a pipeline is held on a GPU that is smaller than it, and what to say where that was not enough."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false

import contextlib
import gc
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import torch

from mediagen.sdk.errors import MediagenError, RequestError

OFFLOADS = ("none", "model", "sequential")
QUANTISATIONS = ("int8", "fp8")


class OutOfMemory(MediagenError, MemoryError):
    """The device had too little memory for the work; the next piece of work finds it free."""


@dataclass(frozen=True)
class Lora:
    """Weights that are added to a model's. source: a file, a folder or a name on the hub.  scale: how much of them."""

    source: str
    scale: float = 1.0

    @classmethod
    def of(cls, text: str) -> Self:
        """Reads SOURCE or SOURCE:SCALE; RequestError where the scale is no number."""
        source, colon, scale = text.rpartition(":")
        if not colon or "/" in scale or "\\" in scale:  # of C:/file, or of no scale at all
            return cls(text)
        try:
            return cls(source, float(scale))
        except ValueError:
            raise RequestError(f"lora: got '{text}', expected FILE_OR_REPO or FILE_OR_REPO:SCALE; write 0.8.") from None


@dataclass(frozen=True, kw_only=True)
class Memory:
    """How a pipeline is held.

    offload: "none"; "model", which has one component on the GPU at a time; "sequential", which has one layer.
    quantize: the transformers' weights, "int8" (torchao) or "fp8" (stored so, and widened layer by layer).
    tiling: whether latents are encoded and decoded in tiles.  lora: added to the transformers' weights.
    """

    offload: str = "none"
    quantize: str | None = None
    tiling: bool = False
    lora: tuple[Lora, ...] = ()

    def __post_init__(self) -> None:
        if self.offload not in OFFLOADS:
            raise RequestError(f"offload: got '{self.offload}', expected {', '.join(OFFLOADS)}; give one of them.")
        if self.quantize not in (None, *QUANTISATIONS):
            raise RequestError(f"quantize: got '{self.quantize}', expected int8 or fp8; give one, or leave it out.")
        if self.quantize == "int8" and find_spec("torchao") is None:
            raise RequestError("quantize: got int8, which needs torchao; pip install torchao, or ask for fp8.")
        if self.lora and find_spec("peft") is None:
            raise RequestError("lora: got one, which needs peft; install it: pip install peft.")

    @classmethod
    def of(cls, offload: str | None, quantize: str | None, tiling: bool | None, lora: Any) -> Self:
        """What a user asked for; None means the default."""
        loras = (lora,) if isinstance(lora, str) else tuple(lora or ())
        return cls(offload=offload or "none", quantize=quantize, tiling=bool(tiling), lora=tuple(map(Lora.of, loras)))

    def told(self) -> dict[str, Any]:
        """What of it changes the pictures, as a file keeps it; a LoRA of this machine by its last part."""
        said: dict[str, Any] = {"quantize": self.quantize, "tiling": self.tiling or None}
        named = [(Path(one.source).name if Path(one.source).exists() else one.source, one.scale) for one in self.lora]
        said["lora"] = [f"{source}:{scale:g}" for source, scale in named] or None
        return {key: value for key, value in said.items() if value is not None}

    def loading(self, parts: list[str]) -> dict[str, Any]:
        """Arguments of `from_pretrained` for it; parts: the transformers."""
        if self.quantize != "int8":
            return {}
        from diffusers import PipelineQuantizationConfig
        from diffusers.quantizers.quantization_config import TorchAoConfig
        from torchao.quantization import Int8WeightOnlyConfig  # pyright: ignore[reportMissingImports]

        each: dict[str, Any] = {part: TorchAoConfig(Int8WeightOnlyConfig()) for part in parts}
        return {"quantization_config": PipelineQuantizationConfig(quant_mapping=each)}

    def place(self, pipe: Any, device: torch.device, dtype: torch.dtype, parts: list[str]) -> None:
        """Puts a loaded pipeline where it works; RequestError where it cannot be held so."""
        for index, one in enumerate(self.lora):
            add_lora(pipe, one, f"lora{index}")
        if self.lora:
            pipe.set_adapters([f"lora{index}" for index in range(len(self.lora))], [one.scale for one in self.lora])
        if self.quantize == "fp8":
            for part in parts:
                getattr(pipe, part).enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
        vae = getattr(pipe, "vae", None)
        for name in ("enable_tiling", "enable_slicing") if self.tiling else ():
            if hasattr(vae, name):
                getattr(vae, name)()
        if self.offload == "none":
            pipe.to(device)
        elif device.type == "cpu":
            raise RequestError(f"offload: got '{self.offload}' on a CPU, where there is nothing to gain; leave it out.")
        elif self.offload == "model":
            pipe.enable_model_cpu_offload(device=device)
        else:
            pipe.enable_sequential_cpu_offload(device=device)

    def advice(self, tileable: bool) -> str:
        """What to try next."""
        if tileable and not self.tiling:
            return "decode in tiles (--tiling)"
        if self.offload == "none":
            return "keep one part of the model on the GPU at a time (--offload model)"
        if self.quantize is None:
            return "store the weights in eight bits (--quantize fp8)"
        if self.offload == "model":
            return "keep one layer on the GPU at a time (--offload sequential), which is slow"
        return "ask for a smaller or shorter clip, or take a smaller model"


def add_lora(pipe: Any, lora: Lora, name: str) -> None:
    """Reads weights that are added to a pipeline's; RequestError where they cannot be."""
    if not hasattr(pipe, "load_lora_weights"):
        raise RequestError(f"lora: got '{lora.source}', but {type(pipe).__name__} takes none; leave it out.")
    path = Path(lora.source)
    where = (str(path.parent), path.name) if path.is_file() else (lora.source, None)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Already found a `peft_config`")  # several are what is wanted
            pipe.load_lora_weights(where[0], weight_name=where[1], adapter_name=name, use_safetensors=True)
    except Exception as error:
        why = " ".join(str(error).split())[:200]
        raise RequestError(f"lora: got '{lora.source}', which does not fit this model ({why}); give another.") from None


def short_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(error)


@contextlib.contextmanager
def in_memory(pipe: Any, memory: Memory) -> Iterator[None]:
    """Frees what a failed or cancelled call left; OutOfMemory, with what to try next, where memory ran out."""
    try:
        yield
    except BaseException as error:
        short = short_of_memory(error)
        error.__traceback__ = None if short else error.__traceback__  # whose frames hold what is to be freed
        if hasattr(pipe, "maybe_free_model_hooks"):
            pipe.maybe_free_model_hooks()
        if not short:
            raise
    else:
        return
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    tileable = hasattr(getattr(pipe, "vae", None), "enable_tiling")
    raise OutOfMemory(f"the device has too little memory for this clip; {memory.advice(tileable)}.")
