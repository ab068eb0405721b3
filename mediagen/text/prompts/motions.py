"""Motions as whoever moves does them, and the side that they go to."""

from mediagen.world.scene import SUITS

DIRECTED = {
    "rolls": ("rolls left", "rolls right"),
    "walks": ("walks left", "walks right"),
    "pan": ("pan left", "pan right"),
}


def suited(kind: str | None, motion: str | None, facing: int | None) -> tuple[str | None, int | None]:
    """The motion and facing as the kind does it: a ball that goes right rolls, a car that rolls drives."""
    suits = SUITS.get(kind or "", ())
    if motion == "crosses" and "crosses" not in suits and "rolls left" in suits:
        return DIRECTED["rolls"][facing != -1], None
    if motion in ("rolls", *DIRECTED["rolls"]) and "crosses" in suits:
        return "crosses", None if motion == "rolls" else 1 if motion == "rolls right" else -1
    return directed(motion), facing


def directed(motion: str | None) -> str | None:
    """ "rolls" without a side is a roll to the right."""
    return DIRECTED[motion][1] if motion in DIRECTED else motion
