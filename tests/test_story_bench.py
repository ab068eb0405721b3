"""The measure of stories, on stories whose truth is known: drawn ones, and such as do not keep their word."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from mediagen.media.clip import Film
from mediagen.sdk import Engine
from mediagen.sdk.bench import stories
from mediagen.sdk.bench.stories import measure_stories, scripts, seam, sharpness
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.stories import Scene, Story
from mediagen.sdk.tasks.story_requests import StoryRequest
from mediagen.text.following import follow
from mediagen.world.draw import render

LIMITS = Limits()


@pytest.mark.parametrize("difficulty", ["simple", "standard"])
def test_what_a_script_leaves_out_is_read_as_it_is_meant(difficulty: str) -> None:
    for script in scripts(12, Limits(difficulty=difficulty), seed=1):
        before = None
        for told, true in zip(script.told, script.true, strict=True):
            made = follow(told["prompt"], before, difficulty).made
            thing, meant, before = made.things[0], true.things[0], made
            assert (made.place, thing.kind, thing.colour) == (true.place, meant.kind, meant.colour)
            assert thing.motion == meant.motion
            if true.place not in ("outer space", "night city"):  # where it always is
                assert (made.time == "night") == (true.time == "night")
    assert scripts(3, LIMITS) == scripts(5, LIMITS)[:3] and scripts(3, LIMITS) != scripts(3, LIMITS, seed=1)


class Drawn:
    """An engine whose films are true renders of the scripts, or of one scene all the time."""

    def __init__(self, stuck: bool = False) -> None:
        built_in, self.limits, self.stuck = Engine.from_pretrained("tiny").models, LIMITS, stuck
        self.models = SimpleNamespace(has=lambda name: name == "recogniser", get=built_in.get)
        self.known = {tuple(one["prompt"] for one in script.told): script.true for script in scripts(6, LIMITS)}

    def story(self, told: list[dict[str, Any]], seed: int, sound: bool) -> Story:
        true = self.known.get(tuple(one["prompt"] for one in told))
        if true is None:  # one prompt that goes on
            film = Film(torch.zeros(480, 64, 64, 3, dtype=torch.uint8), 16.0)
            return Story(film, (), StoryRequest.of({"scenes": told}), self_made)
        frames = render([true[0] if self.stuck else scene for scene in true], (64, 64))
        asked = StoryRequest.of({"scenes": told})
        scenes = [Scene(i + 1, 32 * i, asked.scenes[i], Film(one, 16.0)) for i, one in enumerate(frames)]
        return Story(Film(frames.flatten(0, 1), 16.0), tuple(scenes), asked, self_made)


def self_made(request: StoryRequest) -> Story:
    raise AssertionError("nothing is made again here")


def test_true_stories_keep_their_word_and_stuck_ones_do_not() -> None:
    engine: Any = Drawn()
    (part, drift), made = measure_stories(engine, 6)
    assert len(made) == 6 and part.figures["scenes / words"].value > 0.85 and part.figures["cast"].value > 0.85
    assert part.figures["scenes / words"].count == 30 and part.figures["cast"].count == 18
    assert part.figures["scenes / time"].value == 1 and part.figures["scenes / time"].count == 6
    assert part.figures["seam"].count == 18 and part.figures["seam"].value > 1.5, "these are cut together"
    assert {"2 s / place", "30 s / sharpness"} <= drift.figures.keys()
    stuck: Any = Drawn(stuck=True)
    (part, _), _ = measure_stories(stuck, 6)
    assert part.figures["scenes / words"].value < 0.4 and part.figures["scenes / time"].value == 0


def test_a_seam_is_the_step_over_those_beside_it() -> None:
    film = torch.arange(64).clamp(max=255).view(-1, 1, 1, 1).expand(64, 8, 8, 3).to(torch.uint8).clone()
    asked = StoryRequest.of({"scenes": "a ball | it falls"})
    scenes = tuple(Scene(i + 1, 32 * i, asked.scenes[i], Film(film[32 * i :][:32], 16.0)) for i in range(2))
    story = Story(Film(film, 16.0), scenes, asked, self_made)
    assert seam(story, 1) == pytest.approx(1)
    film[32:] += 4
    assert seam(story, 1) == pytest.approx(5)


def test_sharpness_falls_with_blur() -> None:
    frames = torch.zeros(2, 8, 8, 3, dtype=torch.uint8)
    frames[:, :, ::2] = 100
    soft = torch.full_like(frames, 50)
    assert sharpness(frames) == pytest.approx(50) and sharpness(soft) == 0
    assert stories.DRIFT == (2, 4, 8, 16, 30)
