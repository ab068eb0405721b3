"""What a bench writes down: figures with their 95 % intervals, in named parts."""

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from mediagen.judge.measures import wilson

Tell = Callable[[str, int, int], None]  # (stage, done, of): hears how far a bench is


@dataclass(frozen=True)
class Figure:
    """One measured value. low, high: 95 % interval, None where there is none.  count: trials.  unit: "" for a share."""

    value: float
    low: float | None = None
    high: float | None = None
    count: int = 0
    unit: str = ""
    note: str = ""

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "not measured"
        text = f"{100 * self.value:.1f} %" if self.unit == "" else f"{self.value:.4g} {self.unit}".rstrip()
        if self.low is not None and self.high is not None:
            bounds = (100 * self.low, 100 * self.high) if self.unit == "" else (self.low, self.high)
            text += (
                f" ({bounds[0]:.1f} to {bounds[1]:.1f})"
                if self.unit == ""
                else f" ({bounds[0]:.4g} to {bounds[1]:.4g})"
            )
        return text


def share(hits: Iterable[bool], note: str = "") -> Figure:
    """The share of trials that hit, with its Wilson interval; NaN for no trials."""
    hits = list(hits)
    if not hits:
        return Figure(math.nan, note=note)
    low, high = wilson(sum(hits), len(hits))
    return Figure(sum(hits) / len(hits), low, high, len(hits), note=note)


def mean(values: Iterable[float], unit: str, note: str = "") -> Figure:
    """The mean of finite values with its normal interval; the note says how many values were not finite."""
    every = list(values)
    kept = [value for value in every if math.isfinite(value)]
    if len(kept) < len(every):
        note = f"{note}; {len(every) - len(kept)} not finite, left out".lstrip("; ")
    if not kept:
        return Figure(math.nan, unit=unit, note=note)
    middle = sum(kept) / len(kept)
    if len(kept) == 1:
        return Figure(middle, count=1, unit=unit, note=note)
    spread = math.sqrt(sum((value - middle) ** 2 for value in kept) / (len(kept) - 1) / len(kept))
    return Figure(middle, middle - 1.96 * spread, middle + 1.96 * spread, len(kept), unit, note)


@dataclass
class Part:
    """One part of a bench. figures by name, "a / b" for b within group a.  skipped: why it could not be measured."""

    title: str
    figures: dict[str, Figure] = field(default_factory=dict)
    skipped: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; what is not finite becomes null, because JSON has no word for it."""
        return {
            "title": self.title,
            "skipped": self.skipped,
            "figures": {
                name: {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(f).items()}
                for name, f in self.figures.items()
            },
        }
