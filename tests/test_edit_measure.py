"""Figures about edits: what they say of the truth, of the film as it was, and of what is between."""

import math

import torch

from mediagen.edit.measure import FilmPairs, interval, marked, overlap, preserved, structure, success
from mediagen.judge.recogniser import Recogniser, truth
from mediagen.world.edit_names import TASKS
from mediagen.world.palette import COLOUR_RGB

FILMS = FilmPairs("test", (64, 64), 1.0, 8.0)


class Knowing(Recogniser):
    """Reads what is there: it knows the two films of each pair by their pixels."""

    def __init__(self) -> None:
        super().__init__(Recogniser.PRESETS["debug"])
        self.known: list[tuple[torch.Tensor, dict[str, str]]] = []

    def judge(self, frames, chunk=16):
        rows = []
        for film in frames:
            apart = [float((film.float() - known.float()).abs().mean()) for known, _ in self.known]
            rows.append(self.known[apart.index(min(apart))][1])
        return rows, torch.zeros(len(rows), 1)


def test_the_truth_succeeds_and_the_film_as_it_was_does_not() -> None:
    good = bad = 0
    for number in range(3 * len(TASKS)):
        pair = FILMS.pair(number)
        assert pair.edit.task == TASKS[number % len(TASKS)]
        knowing = Knowing()
        for scene, film in ((pair.edit.before, pair.before), (pair.edit.after, pair.after)):
            if scene.person or scene.things:
                knowing.known.append((film, {"motion": "", "size": "", **truth(scene)}))
        knowing.known = [
            (film, {**dict.fromkeys(knowing.config.classes, ""), **names}) for film, names in knowing.known
        ]
        good += success(pair, pair.after, knowing)
        bad += success(pair, pair.before, knowing)
    assert good == 3 * len(TASKS) and bad == 0


def test_what_is_preserved_is_read_outside_of_the_mask_alone() -> None:
    before = torch.randint(0, 256, (2, 24, 24, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    mask = torch.zeros(2, 24, 24, dtype=torch.bool)
    mask[:, :10] = True
    made = before.clone()
    made[:, :10] = 0
    assert preserved(before, made, mask) == 99.0 and structure(before, made, mask) > 0.9999
    made[:, 12:] = (made[:, 12:].int() + 5).clamp(max=255).to(torch.uint8)
    assert 30 < preserved(before, made, mask) < 36
    assert math.isnan(preserved(before, made, torch.ones_like(mask)))
    noise = torch.randint(0, 256, before.shape, generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    assert structure(before, noise, mask) < 0.2 and preserved(before, noise, mask) < 10


def test_a_mark_is_found_where_it_was_painted() -> None:
    pair = FILMS.pair(TASKS.index("mark"))
    found = marked(pair.before, pair.after, COLOUR_RGB[pair.edit.colour])
    assert overlap(found, pair.mask) > 0.99
    assert not marked(pair.before, pair.before, COLOUR_RGB[pair.edit.colour]).any()
    assert overlap(pair.mask, torch.zeros_like(pair.mask)) == 0.0


def test_intervals() -> None:
    low, high = interval(85, 100)
    assert low < 0.85 < high and abs(low - 0.767) < 2e-3 and abs(high - 0.907) < 2e-3
    assert interval(0, 10)[0] < 1e-9 and interval(10, 10)[1] > 1 - 1e-9 and interval(0, 0) == (0.0, 1.0)
