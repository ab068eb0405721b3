"""`mediagen info`: what a model folder holds, read from its JSON and the headers of its weights, without torch."""

import json
import re
import struct
from pathlib import Path

from mediagen.export.card import FILE, why_not
from mediagen.sdk.errors import ModelError
from mediagen.sdk.models.catalog import EDITS, FAMILIES, UPSCALE_FAMILIES
from mediagen.sdk.models.limits import Limits

SOUND = ("prompt", "aligned", "codec", "audio")  # the families that make sound
WEIGHTS, CONFIG, FIGURES = "model.safetensors", "config.json", "figures.json"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def built_in() -> Path:
    """The folder of the models that are part of the package."""
    from mediagen import pretrained

    return Path(pretrained.__file__).parent


def locate(model: str | Path | None, revision: str | None = None) -> Path:
    """The folder at a path, of a name "owner/model" on the Hugging Face hub (fetched), or the built-in one for None.

    "tiny" and "small" are built-in ones by name, where no folder here is called so.
    """
    if str(model) == "small" and not Path("small").is_dir() and not (built_in() / "small").is_dir():
        raise ModelError(
            "got the model 'small', which is not part of this version, expected 'tiny' or a folder; give one."
        )
    if model is None or (str(model) in ("tiny", "small") and not Path(model).is_dir()):
        return built_in() / "small" if model == "small" else built_in()
    if not Path(model).is_dir() and _HUB_NAME.fullmatch(str(model)):
        from mediagen.sdk.hub.fetch import fetch

        return fetch(str(model), revision)
    return Path(model)


def parameters(weights: Path) -> int:
    """Numbers in a safetensors file, counted from its header alone; ModelError where it is damaged."""
    try:
        with weights.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, weights.stat().st_size)))
        shapes = [entry["shape"] for name, entry in header.items() if name != "__metadata__"]
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise ModelError(f"{weights}: got a damaged file ({error}), expected safetensors; restore the file.") from None
    total = 0
    for shape in shapes:
        count = 1
        for size in shape:
            count *= size
        total += count
    return total


def overview(folder: Path) -> list[tuple[str, str]]:
    """Lines of (name, what is known about it): limits first, then each model that the folder holds."""
    if not (folder / "engine.json").is_file():
        raise ModelError(
            f"got the model folder '{folder}' without engine.json, expected a folder of all the models; give another, "
            "such as 'mediagen train --into' makes for a model that was trained."
        )
    try:
        limits = Limits.load(folder / "engine.json")
    except ValueError as error:
        raise ModelError(str(error)) from None
    sizes = ", ".join(f"{width}x{height}" for width, height in limits.all_sizes)
    rates = ", ".join(f"{fps:g}" for fps in limits.all_rates)
    lines = [
        ("folder", str(folder)),
        ("pictures", f"{sizes} pixels at {rates} fps, {limits.min_seconds:g} to {limits.max_seconds:g} s"),
        ("defaults", f"{limits.steps} steps, guidance {limits.guidance_scale:g}, {limits.seconds:g} s"),
        ("sound", _sound(folder, limits)),
    ]
    if all((folder / FAMILIES[name].folder / CONFIG).is_file() for name in UPSCALE_FAMILIES) and limits.larger_sizes:
        larger = ", ".join(f"{width}x{height}" for width, height in limits.larger_sizes)
        lines.insert(2, ("larger", f"{larger} pixels, made of them in {limits.upscale_steps} steps each time"))
    for place in ("", EDITS):
        for name, family in FAMILIES.items():
            weights = folder / place / family.folder / WEIGHTS
            if not weights.is_file():
                continue
            size = f"{parameters(weights) / 1e6:.2f} M parameters, {weights.stat().st_size / 1e6:.1f} MB"
            known = f"{size}; {family.what}" + _figures(weights.parent / FIGURES) + _decoder(weights.parent)
            lines.append((f"{place}/{name}" if place else name, known))
    return lines


def _sound(folder: Path, limits: Limits) -> str:
    """What the folder can do about sound."""
    missing = [name for name in SOUND if not (folder / FAMILIES[name].folder / WEIGHTS).is_file()]
    if missing:
        return f"none; the folder lacks {', '.join(missing)}"
    choice = (folder / FAMILIES["sound_scorer"].folder / WEIGHTS).is_file()
    return (
        f"mono at 48 kHz for clips, for films of up to {limits.max_sound_seconds:g} s, and alone; "
        f"{limits.sound_steps} steps, guidance {limits.sound_guidance_scale:g}, "
        f"{f'the best of {limits.sound_candidates}' if choice else '1 candidate'}"
    )


def _decoder(folder: Path) -> str:
    """What is known of the ONNX decoder in a family's folder, where there is one."""
    if not (folder / FILE).is_file():
        return ""
    return f"; ONNX decoder, {why}: export again" if (why := why_not(folder)) else "; ONNX decoder"


def _figures(path: Path) -> str:
    """What was measured, where a figures.json of plain names and numbers stands beside the weights."""
    if not path.is_file():
        return ""
    try:
        figures = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not valid JSON ({error}); restore the file.") from None
    return "; " + ", ".join(f"{name} {value:.3g}" for name, value in figures.items() if isinstance(value, int | float))
