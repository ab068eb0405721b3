"""Captions of clips written and encoded once, by one process or several, and the work that is spread over them."""

import math

import numpy as np
import torch

from mediagen.data.captions import EncodedCaptions
from mediagen.parallel.spread import spread
from mediagen.text.text import TextEncoder


def test_a_clip_draws_its_own_captions_or_the_empty_one() -> None:
    torch.manual_seed(0)
    text = TextEncoder.from_preset("debug").eval()
    said = [["a red ball", "a ball"], ["a blue cube", "a cube"]]
    with torch.no_grad():
        captions = EncodedCaptions(text, said.__getitem__, 2)
        expected = [text.encode([one]).parts[0].sum() for one in (*said[0], *said[1], "")]

    def drawn(drop: float) -> list[int]:
        found = captions.draw(np.array([0, 1] * 20), np.random.default_rng(0), drop).parts[0].sum(dim=(1, 2))
        near = [int((torch.stack(expected) - one).abs().argmin()) for one in found]
        return near

    plain = drawn(0.0)
    assert {*plain[::2]} == {0, 1} and {*plain[1::2]} == {2, 3}
    assert {*drawn(1.0)} == {4} and 0 < drawn(0.5).count(4) < 40


def test_what_processes_make_comes_in_order() -> None:
    items = list(range(40))
    assert list(spread(math.sqrt, items, 2)) == list(spread(math.sqrt, items)) == [math.sqrt(item) for item in items]
