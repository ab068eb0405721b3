"""EncodedCaptions: several captions of each clip, written and encoded once, where a GPU would wait for them."""

from collections.abc import Callable

import numpy as np
import torch

from mediagen.parallel.spread import spread
from mediagen.text.text import Text, TextEncoder

_CHUNK = 1024  # captions that are encoded at a time


class EncodedCaptions:
    """The encoded captions of `clips` clips, on the encoder's device.

    tell(index) gives the captions of a clip, as many for each; it is spread over `processes` (see `spread`).
    """

    def __init__(self, text: TextEncoder, tell: Callable[[int], list[str]], clips: int, processes: int = 0) -> None:
        told = list(spread(tell, range(clips), processes))
        self.each = len(told[0])
        captions = [caption for some in told for caption in some] + [""]
        parts = [text.encode(captions[start : start + _CHUNK]) for start in range(0, len(captions), _CHUNK)]
        self.text = Text.cat(parts)

    def draw(self, rows: np.ndarray, rng: np.random.Generator, drop: float = 0.0) -> Text:
        """One of the captions of each clip in `rows`, or, for a share `drop` of them, the empty one."""
        which = rows * self.each + rng.integers(0, self.each, len(rows))
        which = np.where(rng.random(len(rows)) < drop, len(self.text) - 1, which)
        return self.text[torch.from_numpy(which).to(self.text.parts[0].device)]
