"""Courses: the stages that a model's training may have, as data; `mediagen train MODEL --stages` runs some of them.

Every import stands inside a function, so that reading the table costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediagen.train.stages import Stage


def tae() -> "Sequence[Stage]":
    from mediagen.train.stages import Stage

    slower = {"steps": 2_300, "lr": 5e-4, "warmup": 100, "fit_clips": 0}
    return (
        Stage(name="first", what="from patches that are found by PCA"),
        Stage(name="again", what="the same once more, slower", settings=slower),
    )


def video() -> "Sequence[Stage]":
    """Movie Gen's stages (section 3.2) at the sizes of two cores, and the pair that the built-in model was made by."""
    from mediagen.train.stages import Stage

    slower = {"steps": 4_700, "lr": 8e-4, "warmup": 100, "past": 0.2}
    large: dict[str, Any] = {"size": (128, 128), "batch": 16, "clips": 4_096, "first": 10_000_000}
    tuned = {**large, "clips": 1_024, "steps": 600, "lr": 2e-4, "warmup": 50}
    return (
        Stage(name="pictures", what="single pictures of 64 px", settings={"images": 1.0, "steps": 2_000}),
        Stage(name="clips", what="clips of 64 px"),
        Stage(name="again", what="the same once more, slower", settings=slower),
        Stage(name="large", what="clips of 128 px", settings={**large, "steps": 4_000, "lr": 6e-4, "warmup": 100}),
        Stage(name="tuned", what="other clips of 128 px, slowly", settings={**tuned, "first": 20_000_000}),
        Stage(name="tuned-2", what="others still", settings={**tuned, "first": 30_000_000, "seed": 1}, start="large"),
        Stage(name="average", what="the mean of both", average=("tuned", "tuned-2")),
    )


def distil() -> "Sequence[Stage]":
    from mediagen.train.stages import Stage

    few = {"nodes": 8, "scale": 1.0, "steps": 3_000}
    return (
        Stage(name="guided", what="guidance into the weights"),
        Stage(name="few", what="eight steps in place of many", settings=few),
    )


def audio() -> "Sequence[Stage]":
    from mediagen.train.stages import Stage

    short: dict[str, Any] = {"seconds": 2.0, "windows": (1.0, 2.0), "singles": 0.0, "clips": 3_000, "batch": 32}
    return (
        Stage(name="short", what="sounds of 1 and 2 s", settings={**short, "steps": 4_300, "longest": 250}),
        Stage(name="films", what="films of 10 s, in windows of 2 to 10 s"),
    )
