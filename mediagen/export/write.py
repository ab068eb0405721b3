"""Writes a decoder as ONNX: exported with every length free, held against torch, and refused where it differs."""

import contextlib
import io
import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mediagen import __version__
from mediagen.export.card import CARD, FILE, FORMAT, POSITION, file_fingerprint
from mediagen.export.graph import Graph
from mediagen.export.runtime import OnnxDecoder
from mediagen.weights import write_atomic

OPSET = 18
TOLERANCE = 1e-4  # largest difference from torch, in units of the output
_SMALL = 1024  # numbers; below, a tensor is not worth a cast


def write_decoder(graph: Graph, folder: str | Path, weights: str) -> dict[str, Any]:
    """Writes `graph` to folder/decoder.onnx, its card to folder/decoder.json, and returns the card.

    weights: fingerprint of what the graph was built from (`weights_fingerprint`). Batch, time, height and width are
    free. The file is run with ONNX Runtime at the graph's three `shapes` first: where it differs from torch's decoder
    by more than 1e-4 anywhere, ValueError, and nothing is left behind. ImportError where a package is missing.
    """
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise ImportError(f"got an export without {', '.join(missing)}; pip install 'mediagen[onnx]'.")
    folder = Path(folder)
    with tempfile.TemporaryDirectory(prefix="mediagen-") as name:
        part = Path(name)
        content = _exported(graph)
        (part / FILE).write_bytes(content)
        card = _card(graph, weights, file_fingerprint(part / FILE))
        (part / CARD).write_text(json.dumps(card))
        differences = _differences(graph, OnnxDecoder(part))
        worst = max(differences.values())
        if not worst <= TOLERANCE:  # a NaN is refused too
            told = ", ".join(f"{value:.2g} at {shape}" for shape, value in differences.items())
            raise ValueError(
                f"got an ONNX {card['what']} that differs from torch by up to {worst:.2g} ({told}), expected at most "
                f"{TOLERANCE:g}; nothing was written: check the weights, or report this."
            )
    checked = {"max_abs": worst, "shapes": [list(shape) for shape in graph.shapes], "torch": torch.__version__}
    card["checked"] = checked
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / FILE, content)
    write_atomic(folder / CARD, (json.dumps(card, indent=2) + "\n").encode())  # last: it vouches for the other
    return card


def _exported(graph: Graph) -> bytes:
    """The ONNX file of a graph."""
    inputs: dict[str, Tensor] = {"latent": torch.zeros(graph.example)}
    free: list[dict[int, Any]] = [{i: torch.export.Dim.DYNAMIC for i, a in enumerate(graph.axes) if a != "channels"}]
    if graph.positioned:
        inputs[POSITION] = torch.zeros(1, dtype=torch.int64)
        free.append({})
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            graph.eval(),
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=[graph.output],
            dynamic_shapes=tuple(free),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    made = program.model_proto
    sizes = {"batch": "batch", "time": "time", "height": "height", "width": "width"}
    for axis, dim in zip(graph.axes, made.graph.input[0].type.tensor_type.shape.dim, strict=True):
        if axis != "channels":
            dim.dim_param = sizes[axis]
    _halve(made)
    return made.SerializeToString()


def _halve(made: Any) -> None:
    """Stores as float16, with a cast, each large constant that loses nothing by it: the weights of a stored model."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for index, constant in enumerate(made.graph.initializer):
        if constant.data_type != TensorProto.FLOAT:
            continue
        value = numpy_helper.to_array(constant)
        half = value.astype("float16")
        if value.size >= _SMALL and (half.astype("float32") == value).all():
            name = constant.name
            made.graph.initializer[index].CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *made.graph.node]
    del made.graph.node[:]
    made.graph.node.extend(nodes)


def _card(graph: Graph, weights: str, sha256: str) -> dict[str, Any]:
    own = graph.card()
    sizes = {"batch": "batch", "channels": graph.channels}
    made = {
        axis: f"{own['strides'][axis]} * {axis}" if axis in own["strides"] else axis for axis in graph.output_axes
    } | {"channels": 3 if "height" in graph.axes else 1}
    return {
        "format": FORMAT,
        "what": own.pop("what"),
        "file": FILE,
        "sha256": sha256,
        "weights": weights,
        "made_by": f"mediagen {__version__}",
        "opset": OPSET,
        "input": {
            "name": "latent",
            "type": "float32",
            "axes": list(graph.axes),
            "shape": [sizes.get(axis, axis) for axis in graph.axes],
        },
        "output": {
            "name": graph.output,
            "type": "float32",
            "axes": list(graph.output_axes),
            "shape": [made[axis] for axis in graph.output_axes],
        },
        **({"position": {"name": POSITION, "type": "int64", "shape": [1]}} if graph.positioned else {}),
        **own,
    }


def _differences(graph: Graph, decoder: OnnxDecoder) -> dict[tuple[int, ...], float]:
    """Largest difference of the file from torch, for each shape."""
    rng, found = torch.Generator().manual_seed(0), {}
    for number, shape in enumerate(graph.shapes):
        latent = torch.randn(shape, generator=rng)
        first = 500 * number
        with torch.no_grad():
            expected = graph.reference(latent, torch.tensor([first]))
        found[shape] = (torch.from_numpy(decoder.run(latent.numpy(), first)) - expected).abs().max().item()
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporter's warnings and remarks from the user, whom they do not concern."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch._dynamo")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
