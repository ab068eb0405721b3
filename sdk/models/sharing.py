"""Sharing: a model folder as others can fetch it, with a card that says what is known of it and nothing else."""

import json
import shutil
from itertools import product
from pathlib import Path
from typing import Any

from mediagen import __version__
from mediagen.sdk.errors import ModelError
from mediagen.sdk.models.catalog import EDITS, FAMILIES
from mediagen.sdk.models.folder import ENGINE, ModelFolder
from mediagen.sdk.models.info import CONFIG, FIGURES, WEIGHTS, parameters
from mediagen.weights import write_atomic

TRAINING = "training.json"  # beside the weights: what the run was told that made them
CARD = "README.md"
INDEX = "model_index.json"  # by which diffusers knows a pipeline: `sdk.diffusers`


def save_pretrained(models: ModelFolder, folder: Path, license: str | None = None) -> Path:
    """Copies what a model folder is made of, tensors and JSON alone, and writes its card; returns `folder`.

    license: of the weights, as the hub names it ("apache-2.0"); without one the card says that none is stated.
    Raises ModelError for a folder that is the model's own or has something else in it, and for text encoders that are
    read from a folder of this machine, which others lack.
    """
    here = models.path.resolve()
    if folder.resolve() == here or (folder.exists() and any(folder.iterdir()) and not (folder / ENGINE).is_file()):
        raise ModelError(f"got the folder '{folder}', expected an empty one or one of models other than these.")
    parts = {family.folder for family in FAMILIES.values()}
    inner = [f"{EDITS}/{part}" for part in parts] if (here / EDITS / ENGINE).is_file() else []
    places = [place for place in (*parts, *inner) if (here / place / CONFIG).is_file()]
    for place in places:
        _check_sources(here / place)
    for place in places:
        (folder / place).mkdir(parents=True, exist_ok=True)
        for file in (CONFIG, FIGURES, TRAINING, WEIGHTS):
            if (here / place / file).is_file():
                shutil.copyfile(here / place / file, folder / place / file)
    if inner:
        shutil.copyfile(here / EDITS / ENGINE, folder / EDITS / ENGINE)
    write_atomic(folder / CARD, _card(models, license).encode())
    write_atomic(
        folder / INDEX, json.dumps({"_class_name": "MediagenPipeline", "_diffusers_version": "0.42.0"}).encode()
    )
    shutil.copyfile(here / ENGINE, folder / ENGINE)  # last: a folder with it is whole
    return folder


def keep_training(run: Path, kept: Path) -> None:
    """Puts what a run was told beside the weights that came of it."""
    if (run / "settings.json").is_file():
        shutil.copyfile(run / "settings.json", kept / TRAINING)


def _check_sources(folder: Path) -> None:
    encoders = json.loads((folder / CONFIG).read_text()).get("encoders", [])
    for source in (one.get("source", "") for one in encoders if isinstance(one, dict)):
        if source and Path(source).is_dir():
            raise ModelError(
                f"got a text encoder that is read from '{source}', expected one that others have too; name the hub's "
                f"model as its source in {folder / CONFIG}."
            )


def _card(models: ModelFolder, license: str | None) -> str:
    limits = models.limits
    sizes = ", ".join(f"{width}x{height}" for width, height in limits.all_sizes)
    lines = ["---", "library_name: mediagen", "pipeline_tag: text-to-video"]
    lines += [f"license: {license}"] if license else []
    lines += ["---", "", "# A model of mediagen", ""]
    sound = "with 48 kHz sound" if limits.sound else "without sound"
    lines += [
        f"Makes clips of {sizes} pixels at {', '.join(f'{fps:g}' for fps in limits.all_rates)} fps, "
        f"{limits.min_seconds:g} to {limits.max_seconds:g} s, {sound}. Written by mediagen {__version__}.",
        "",
        "```python",
        "from mediagen.sdk import Engine",
        "",
        'Engine.from_pretrained("OWNER/NAME").generate("a prompt").save("clip.mp4")',
        "```",
        "",
        "| model | what | parameters | learnt from | steps | measured |",
        "|---|---|---|---|---|---|",
    ]
    for place, (name, family) in product(("", EDITS), FAMILIES.items()):
        folder = models.path / place / family.folder
        if not (folder / WEIGHTS).is_file():
            continue
        told, figures = _read(folder / TRAINING), _read(folder / FIGURES)
        cells = [
            f"{place}/{name}" if place else name,
            family.what,
            f"{parameters(folder / WEIGHTS):,}",
            _data(told),
            f"{told['loop']['steps']:,}" if "steps" in told.get("loop", {}) else "not recorded",
            ", ".join(f"{key} {value:.3g}" for key, value in figures.items() if isinstance(value, int | float)) or "no",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    stated = f"{license}." if license else "none is stated; ask the owner before you use the weights."
    return "\n".join([*lines, "", f"License of the weights: {stated}", ""])


def _data(told: dict[str, Any]) -> str:
    """What a model learnt from, without the places of this machine."""
    if "task" not in told:
        return "not recorded"
    data = told["task"].get("data")
    return "the drawn world of mediagen" if data is None else f"films of a folder named {Path(data).name}"


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ModelError(f"{path} is not valid JSON ({error}); restore or delete it.") from None
