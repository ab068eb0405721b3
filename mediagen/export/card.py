"""The card: a JSON beside an ONNX decoder with all that its user must know, and by which it is seen to be out of date.

Reads no torch, so that `mediagen info` may use it.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

FILE, CARD = "decoder.onnx", "decoder.json"
POSITION = "first"  # input: latent frame of the whole at which a part begins, where the decoder asks for it
FORMAT = 1  # of the card; one of another format is out of date
_MADE_OF = ("config.json", "model.safetensors")


def weights_fingerprint(folder: Path) -> str:
    """Sixteen hex digits that change with the config and any byte of the weights in a family's folder."""
    total = hashlib.sha256()
    for name in _MADE_OF:
        total.update((folder / name).read_bytes())
    return total.hexdigest()[:16]


def file_fingerprint(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_card(folder: Path) -> dict[str, Any]:
    """The card in a folder; ValueError where it is missing or damaged."""
    path = folder / CARD
    try:
        card = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"got no card at {path} ({error}), expected JSON; export the decoder again.") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ValueError(f"{path}: got a card of another format, expected {FORMAT}; export the decoder again.")
    return card


def why_not(folder: Path) -> str:
    """Why the decoder in a family's folder must not be used, in a few words; "" where it fits the weights."""
    if not (folder / FILE).is_file() or not (folder / CARD).is_file():
        return "is missing"
    try:
        card = read_card(folder)
        if card["weights"] != weights_fingerprint(folder):
            return "was made from other weights"
        return "" if card["sha256"] == file_fingerprint(folder / FILE) else "is damaged"
    except (ValueError, KeyError, OSError):
        return "is damaged"
