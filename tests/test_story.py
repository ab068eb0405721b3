"""Stories as data: where scenes lie, what they take from each other, and what is refused at the door."""

from pathlib import Path

import pytest
import torch

from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.results import seeded
from mediagen.sdk.tasks.stories import remade
from mediagen.sdk.tasks.story_requests import StoryRequest, read_story
from mediagen.story import Timeline
from mediagen.text.following import follow
from mediagen.text.prompts.meaning import Meaning
from mediagen.text.rewrite import rewrite

LIMITS = Limits(width=64, height=64, fps=16.0, seconds=2.0, max_seconds=2.0)


def grey(frames: int, level: int) -> torch.Tensor:
    return torch.full((frames, 2, 2, 3), level, dtype=torch.uint8)


def test_scenes_lie_where_their_transitions_say_and_lengths_are_exact() -> None:
    line = Timeline((32, 16, 20), ("cut", "continue", "cut"), 8)
    assert (line.starts, line.turns, line.frames) == ([0, 32, 48], [0, 32, 48], 68)
    line = Timeline((32, 16, 20), ("dissolve", "dissolve", "continue"), 8)
    assert (line.starts, line.turns, line.frames) == ([0, 24, 40], [0, 28, 40], 60)
    assert Timeline((6, 32), ("cut", "dissolve"), 8).overlap_at(1) == 3, "at most half of the shorter scene"


def test_a_dissolve_goes_over_evenly_and_the_rest_is_untouched() -> None:
    film = Timeline((10, 10), ("cut", "dissolve"), 4).join([grey(10, 0), grey(10, 100)])
    assert film[:, 0, 0, 0].tolist() == [0] * 6 + [20, 40, 60, 80] + [100] * 6
    film = Timeline((3, 2), ("cut", "cut"), 4).join([grey(3, 7), grey(2, 9)])
    assert film[:, 0, 0, 0].tolist() == [7, 7, 7, 9, 9]


def test_sound_goes_on_between_cuts_and_with_music_all_through() -> None:
    line = Timeline((8,) * 5, ("cut", "continue", "dissolve", "continue", "cut"), 2)
    assert line.runs(music=False) == [[0, 1], [2, 3], [4]]
    assert line.runs(music=True) == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("before", "prompt", "text"),
    [
        ("a red ball rolls right in a meadow", "it bounces", "a red ball bounces in a meadow"),
        ("a red ball rolls right in a meadow", "night falls", "a red ball rolls right in a meadow at night"),
        ("a red ball rolls right in a meadow", "then it spins at the beach", "a red ball spins at the seaside"),
        ("a small red ball rolls in a meadow", "the ball bounces", "a small red ball bounces in a meadow"),
        ("a red ball rolls in a meadow", "a blue cube falls", "a blue cube falls in a meadow"),
        ("ein roter Ball rollt nach rechts auf einer Wiese", "er hüpft", "a red ball bounces in a meadow"),
        (
            "a woman with long red hair nods in a forest",
            "it snows",
            "a woman with long red hair nods in a forest in falling snow",
        ),
        (
            "a woman with long red hair nods in a forest",
            "she waves in the desert",
            "a woman with long red hair waves in a desert",
        ),
        ("a woman with long red hair nods in a forest", "a man walks left", "a man walks left in a forest"),
        ("a red ball bounces in a meadow at night", "it falls in the desert", "a red ball falls in a desert"),
        ("a red ball bounces in a meadow at night", "a blue cube spins", "a blue cube spins in a meadow at night"),
    ],
)
def test_what_a_scene_leaves_open_is_taken_from_the_one_before(before: str, prompt: str, text: str) -> None:
    made = follow(prompt, follow(before, None).made)
    assert made.text == text and made.prompt == prompt and f"made: {text}" in made.note


def test_a_first_scene_and_a_quoted_one_are_read_as_ever() -> None:
    assert follow("a red ball bounces", None) == rewrite("a red ball bounces")
    before = rewrite("a red ball in a meadow").made
    assert follow('"it bounces"', before) == rewrite('"it bounces"')
    said = "a blue star spins in a forest at night, sunny"
    assert follow(said, Meaning()).text == rewrite(said).text


def test_a_request_is_filled_in_scene_by_scene() -> None:
    full, notes = seeded(StoryRequest.of({"scenes": "a red ball in a meadow | it bounces", "seed": 5})).fit(LIMITS)
    assert [(one.seed, one.seconds, one.transition) for one in full.scenes] == [(5, 2.0, "cut"), (6, 2.0, "continue")]
    assert full.scenes[1].words == "a red ball bounces in a meadow" and "scene 2: made" in notes[0]
    told = {"prompt": "a blue cube", "seconds": 5, "seed": 1, "transition": "dissolve"}
    full = StoryRequest.of({"scenes": ["a red ball", told], "seed": 5, "dissolve": 1.0}).fit(LIMITS)[0]
    assert full.timeline.frames == 32 + 80 - 16, "longer than a window: it is made of several"
    again = StoryRequest.of(full.model_dump())
    assert again.fit(LIMITS)[0] == full, "made again it is not rewritten twice"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"scenes": ""}, "got no scenes"),
        ({"scenes": " | "}, "got no scenes"),
        ({"scenes": []}, "got no scenes"),
        ({"scenes": ["a ball"] * 65}, "scenes: got 65, expected 1 to 64"),
        ({"scenes": [7]}, "scene 1: got 7, expected a text or a table"),
        ({"scenes": ["a ball", {"prompt": "a cube", "seconds": 0}]}, "scene 2: seconds: got 0"),
        ({"scenes": ["a ball", {"prompt": "a cube", "transition": "wipe"}]}, "scene 2: transition: got 'wipe'"),
        ({"scenes": ["a ball", {"prompt": "a cube", "sed": 1}]}, "scene 2: got the unknown setting 'sed'"),
        ({"scenes": ["a ball", {"seconds": 1}]}, "scene 2: got no prompt"),
        ({"scenes": ["a ball" + "a" * 10_000]}, "scene 1: prompt: got 10006 characters"),
        ({"scenes": "a ball", "seconds": 0}, "seconds: got 0"),
        ({"scenes": "a ball", "dissolve": -1}, "dissolve: got -1"),
        ({"scenes": "a ball", "seconds": 0.1}, "scene 1: got 0.1 seconds, expected at least 0.5"),
        ({"scenes": "a ball | xyzzy"}, "scene 2: prompt: got 'xyzzy'"),
        ({"scenes": "a ball", "width": 50, "height": 50}, "scene 1: got a size of 50x50"),
        ({"scenes": ["a ball"] * 60, "seconds": 60}, "got a story of 3600 seconds, expected at most 300"),
        ({"scenes": "a red ball | a dragon spins", "strict": True}, "scene 2: prompt: got dragon"),
    ],
)
def test_wrong_stories_are_one_sentence_before_any_work(asked: dict, said: str) -> None:
    with pytest.raises(RequestError) as error:
        seeded(StoryRequest.of(asked)).fit(LIMITS)
    assert said in str(error.value)


def test_a_scene_made_again_keeps_all_others_as_they_were_asked() -> None:
    request = StoryRequest.of({"scenes": "a red ball | it bounces | it falls", "seed": 5})
    new = remade(request, 1)
    assert new.scenes[1].seed not in (None, 6) and new.scenes[::2] == request.scenes[::2] and new.seed == 5
    said = remade(new, 1, prompt="it spins")
    assert said.scenes[1].prompt == "it spins" and said.scenes[1].seed == new.scenes[1].seed
    with pytest.raises(IndexError, match="expected 0 to 2"):
        remade(request, 3)


def test_a_story_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "ball.toml"
    path.write_text('music = "calm"\n[[scene]]\nprompt = "a red ball"\n[[scene]]\nprompt = "it falls"\nseconds = 1\n')
    request = StoryRequest.of(read_story(path))
    assert request.music == "calm" and [one.seconds for one in request.scenes] == [None, 1.0]
    for content, said in (
        (b"sed = 1\n[[scene]]\nprompt = 'a'\n", "did you mean 'seed'"),
        (b"[[scene", "which is no TOML"),
        (b"\xff\xfe", "another encoding"),
        (b"seed = 1\n", "got no scenes"),
    ):
        path.write_bytes(content)
        with pytest.raises(RequestError, match=said):
            StoryRequest.of(read_story(path))
    with pytest.raises(RequestError, match="cannot be read"):
        read_story(tmp_path / "none.toml")
