"""What editing is learnt from: frames, frames moved alike, marks, clips; never a film before and after."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mediagen.edit import back, measure, pairs
from mediagen.edit.nouns import named
from mediagen.edit.pairs import NONE, Animated, Clips, Frames, Marks, OwnFrames, Pair, animate, random_moves
from mediagen.edit.train import EditTaskConfig
from mediagen.world import edits
from mediagen.world.edit_names import TASKS
from mediagen.world.edits import alike
from mediagen.world.vocabulary import KIND_WORDS

AT: dict[str, Any] = {"split": "train", "size": (48, 32), "seconds": 1.0, "fps": 8.0, "texts": 2}
WORLD = {"frames": Frames, "animated": Animated, "marks": Marks, "clips": Clips}


def test_frames_show_what_is_asked_and_depend_on_their_number_alone() -> None:
    stream = Frames(**AT)
    seen = [stream.pair(number) for number in range(40)]
    for pair in seen:
        assert pair.before is not None and pair.before.shape == pair.after.shape == (1, 32, 48, 3)
        assert not alike(pair.before, pair.after).any() and len(pair.texts) == 2 and all(pair.texts)
    assert len({pair.task for pair in seen}) > 8 and TASKS.index("camera") not in {pair.task for pair in seen}
    again = stream.pair(7)
    assert torch.equal(again.after, seen[7].after) and again.texts == seen[7].texts
    assert Frames(**{**AT, "size": (64, 64)}).mark != stream.mark


def test_a_still_picture_is_moved_alike_before_and_after() -> None:
    stream, tasks = Animated(**AT), set()
    for number in range(30):
        pair = stream.pair(number)
        tasks.add(pair.task)
        assert pair.before is not None and len(pair.before) == len(pair.after) == 8
        if pair.task != TASKS.index("camera"):  # the same motion: what is alike stays alike
            apart = (pair.before.int() - pair.after.int()).abs().amax(-1) > 12
            first = apart[0].float().mean()
            assert all(abs(part.float().mean() - first) < 0.35 for part in apart)
            assert not torch.equal(pair.after[0], pair.after[-1])
    assert TASKS.index("camera") in tasks


def test_a_picture_that_does_not_move_stays_and_one_that_shifts_goes_there() -> None:
    picture = torch.zeros(32, 32, 3, dtype=torch.uint8)
    picture[8:16, 8:16] = 255
    still = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
    assert torch.equal(animate(picture, still)[0], picture)
    right = torch.tensor([[[1.0, 0, -0.5], [0, 1, 0]]])  # half of half a picture: 8 pixels
    assert torch.equal(animate(picture, right)[0, 8:16, 16:24], picture[8:16, 8:16])
    moves = random_moves(np.random.default_rng(0), 16)
    steps = (moves[1:] - moves[:-1]).abs().amax()
    assert moves.shape == (16, 2, 3) and 0 < steps < 0.05


def kinds(pair: Pair) -> set[str]:
    """The things that the phrasings name, people as one."""
    names = {name for text in pair.texts for name in named(text)}
    assert names
    return {name if name in KIND_WORDS else "person" for name in names}


def test_marks_and_clips() -> None:
    pair = Marks(**AT).pair(3)
    assert pair.task == TASKS.index("mark") and pair.before is not None and len(pair.after) == 8
    assert not alike(pair.before, pair.after).all()
    for number in range(6):  # a thing that is not there is not marked
        none = Marks(**AT, absent=1.0).pair(number)
        there = Marks(**AT, absent=0.0).pair(number)
        assert none.before is not None and there.before is not None
        assert torch.equal(none.before, none.after) and torch.equal(none.before, there.before)
        assert none.task == there.task and not kinds(none) & kinds(there)
    clip = Clips(**AT).pair(3)
    assert clip.before is None and clip.task == NONE and len(clip.after) == 8


def test_no_stream_of_the_training_can_make_a_film_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[int, set[Any]] = defaultdict(set)  # scenes by the seed of what they show, drawn for longer than a frame
    real = edits.render

    def recorded(scenes, size=(64, 64), device="cpu", frames=None):
        for scene in scenes:
            if frames is None or len(frames) > 1:
                drawn[scene.seed].add(scene)
        return real(scenes, size, device, frames)

    for module in (edits, pairs, back):
        monkeypatch.setattr(module, "render", recorded)
    kinds = set(EditTaskConfig().shares) - {"back"}
    assert kinds == {*WORLD}, "a new kind of batch needs to be held to this test"
    for name in kinds:
        for number in range(36):
            WORLD[name](**AT).pair(number)
    for number in range(36):
        source = back.world_source(number, "train", AT["size"], AT["seconds"], AT["fps"], 1)
        assert source.edit is not None and drawn[source.edit.before.seed] == {source.edit.before}
    assert drawn and all(len(scenes) == 1 for scenes in drawn.values())
    measure.FilmPairs("test", AT["size"], AT["seconds"], AT["fps"]).pair(0)  # the recorder sees one where there is one
    assert any(len(scenes) == 2 for scenes in drawn.values())
    for split in ("train", "validation"):
        with pytest.raises(ValueError, match=f"split '{split}'"):
            measure.FilmPairs(split, AT["size"], AT["seconds"], AT["fps"])


def test_own_frames(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.png"):
        OwnFrames(tmp_path, (16, 16))
    place = tmp_path / "one"
    place.mkdir()
    for name, grey in (("a.png", 30), ("b.png", 200)):
        Image.new("RGB", (40, 20), (grey, grey, grey)).save(place / name)
    with pytest.raises(ValueError, match=r"no edit\.txt"):
        OwnFrames(tmp_path, (16, 16))
    (place / "edit.txt").write_text("task: style\nmake it bright\nbrighten it\n")
    stream = OwnFrames(tmp_path, (16, 16))
    pair = stream.pair(5)
    assert pair.texts == ("make it bright", "brighten it") and TASKS[pair.task] == "style"
    assert pair.before is not None and pair.before.unique().tolist() == [30] and pair.after.unique().tolist() == [200]
    (place / "edit.txt").write_text("task: repaint\nmake it bright\n")
    with pytest.raises(ValueError, match="task 'repaint'"):
        OwnFrames(tmp_path, (16, 16))


def test_what_is_backtranslated_must_show_and_must_keep_the_rest() -> None:
    kept = 0
    for number in range(30):
        source = back.world_source(number, "train", (48, 48), 0.5, 8.0, 1)
        edit = source.edit
        assert edit is not None and source.forward and source.backward
        assert TASKS[source.back_task] == {"add": "remove", "remove": "add"}.get(edit.task, edit.task)
        assert not back.worked(source, source.clip)  # nothing happened
        truly = edits.render_edits([edit], (48, 48))[1][0]
        kept += back.worked(source, truly)
        if edit.local:
            assert not back.worked(source, 255 - source.clip)  # everything happened
    assert kept > 24
