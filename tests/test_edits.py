"""Edits of the world: one thing changes and can be seen, the rest stays, and instructions say which."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mediagen.world import instruction_words, people_instruction_words, whole_instruction_words
from mediagen.world.draw import render
from mediagen.world.edit_names import LOCAL, TASKS, WHOLE
from mediagen.world.edits import Edit, alike, changed, draw_edit, render_edits, subject
from mediagen.world.instructions import instruct
from mediagen.world.people_words import HAIR_COLOUR_WORDS
from mediagen.world.scene import Scene, draw_scene, is_held_out
from mediagen.world.vocabulary import COLOUR_WORDS, KIND_WORDS

FRAMES = [0, 10, 24, 31]


def edits_of(task: str, count: int, split: str = "train") -> list[Edit]:
    return [draw_edit(seed, split, task) for seed in range(count)]


def held(scene: Scene) -> bool:
    shown = (*([scene.person] if scene.person else []), *scene.things)
    return any(is_held_out(one.kind, one.colour, scene.place) for one in shown)


@pytest.mark.parametrize("task", TASKS)
def test_every_edit_can_be_seen(task: str) -> None:
    before, after = render_edits(edits_of(task, 40), (96, 96), FRAMES)
    assert (~alike(before, after)).any(1).all()


@pytest.mark.parametrize("task", LOCAL)
def test_what_a_local_edit_leaves_alone_stays(task: str) -> None:
    edits = edits_of(task, 24)
    drawn = [render([getattr(edit, when) for edit in edits], (80, 64), frames=FRAMES) for when in ("before", "after")]
    before, after = render_edits(edits, (80, 64), FRAMES)
    for index, edit in enumerate(edits):
        rest = ~changed(edit, (80, 64), FRAMES)
        apart = (drawn[0][index].int() - drawn[1][index].int()).abs().amax(-1)
        assert apart[rest].max() <= 1  # the end of a shadow, that nobody sees
        assert torch.equal(before[index][rest], after[index][rest])
        assert rest.float().mean() > 0.2 or edit.old == "person"


def test_a_mark_paints_what_can_be_seen_of_a_thing_and_nothing_else() -> None:
    for edit in edits_of("mark", 12):
        before, after = (frames[0] for frames in render_edits([edit], (64, 64), FRAMES))
        covered = changed(edit, (64, 64), FRAMES)
        assert covered.any() and torch.equal(before[~covered], after[~covered])
        assert len(after[covered].unique(dim=0)) == 1


def test_only_what_an_edit_is_about_differs_in_the_scene() -> None:
    for task in TASKS:
        for edit in edits_of(task, 30):
            assert edit.task == task
            one, other = edit.before, edit.after
            if task in WHOLE:
                assert getattr(one, task) != getattr(other, task)
                assert replace(other, **{task: getattr(one, task)}) == one
            elif task == "mark":
                assert one == other
            elif task in ("add", "remove"):
                more, less, name = (other, one, edit.new) if task == "add" else (one, other, edit.old)
                assert name and (more.person, len(more.things)) != (less.person, len(less.things))
                assert set(less.things) <= set(more.things)
            else:
                was, now = subject(one, edit.old), subject(other, edit.new)
                assert was != now
                things = [was if thing == now else thing for thing in other.things]
                person = was if other.person == now else other.person
                assert replace(other, things=tuple(things), person=person) == one  # type: ignore[arg-type]
        assert edits_of(task, 30) == edits_of(task, 30)
        assert len({edit.before.seed for edit in edits_of(task, 30)}) == 30


def test_held_out_triples_are_before_or_after_where_they_belong() -> None:
    for seed in range(60):
        for split in ("train", "validation"):
            edit = draw_edit(seed, split)
            assert not held(edit.before) and not held(edit.after)
        edit = draw_edit(seed, "held-out")
        assert held(edit.before) or held(edit.after)
    assert {draw_edit(seed, "held-out", task).task for seed in range(3) for task in TASKS} == {*TASKS}
    with pytest.raises(ValueError, match="task 'paint'"):
        draw_edit(0, "train", "paint")


def test_an_edit_can_be_undone_but_a_mark() -> None:
    for task in TASKS:
        edit = draw_edit(3, "train", task)
        if task == "mark":
            with pytest.raises(ValueError, match="cannot be undone"):
                _ = edit.reversed
            continue
        back = edit.reversed
        assert (back.before, back.after) == (edit.after, edit.before) and back.reversed == edit
    assert draw_edit(3, "train", "add").reversed.task == "remove"


def test_instructions_say_what_comes_and_backward_ones_what_was() -> None:
    rng = np.random.default_rng(1)
    for edit in edits_of("recolour", 40):
        for way, colour in (
            (edit, subject(edit.after, edit.new).colour),
            (edit.reversed, subject(edit.before, edit.old).colour),
        ):
            for held_out in (False, True):
                said = instruct(way, rng, held_out).lower()
                assert any(word in said for word in COLOUR_WORDS[colour]), said
    for edit in edits_of("replace", 40):
        new = subject(edit.after, edit.new)
        said = instruct(edit, rng).lower()
        assert any(word in said for word in KIND_WORDS[new.kind]), said
    for edit in edits_of("person", 60):
        if edit.part == "hair_colour":
            assert edit.after.person is not None
            words = HAIR_COLOUR_WORDS[edit.after.person.identity.hair_colour]
            said = instruct(edit, rng).lower()
            assert any(word in said for word in words), said


def test_instructions_have_many_phrasings_and_training_never_reads_those_kept_out() -> None:
    rng = np.random.default_rng(2)
    for task in TASKS:
        edits = edits_of(task, 12)
        seen = {instruct(edit, rng).lower() for edit in edits for _ in range(20)}
        kept = {instruct(edit, rng, held_out=True).lower() for edit in edits for _ in range(20)}
        assert len(seen) > 40 and not any("{" in text or "}" in text for text in seen | kept)
    tables = [
        instruction_words.INSTRUCTIONS,
        *whole_instruction_words.BECOMES.values(),
        people_instruction_words.PUT_ON,
    ]
    tables += [people_instruction_words.TAKE_OFF, people_instruction_words.EXPRESSION]
    for table in tables:
        for trained, kept_out in table.values():
            assert trained and kept_out and not {*trained} & {*kept_out}


def test_scenes_of_edits_are_not_those_of_clips() -> None:
    clips = {draw_scene(number, "train", "standard").seed for number in range(100)}
    assert not clips & {draw_edit(seed).before.seed for seed in range(100)}
