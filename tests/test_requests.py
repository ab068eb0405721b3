"""Requests: each wrong one gets one sentence that says what was got, what is expected and what to do."""

import pytest

from mediagen.sdk import ExtendRequest, GenerateRequest, Limits, MediagenError, RequestError
from mediagen.sdk.tasks.requests import MAX_PROMPT, whole_frames

LIMITS = Limits(
    width=64, height=48, sizes=((32, 32),), fps=16, rates=(8.0,), seconds=2, max_seconds=2, steps=7, guidance_scale=3
)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"prompt": ""}, "got an empty text"),
        ({"prompt": " \n "}, "got an empty text"),
        ({"prompt": "a" * 10_000}, "got 10000 characters, expected at most 2000"),
        ({"prompt": "a\x00b"}, "cannot be printed"),
        ({"prompt": "a\udcffb"}, "cannot be printed"),
        ({"prompt": 3}, "got 3, expected text"),
        ({}, "got no prompt"),
        ({"prompt": "a", "guidance_scale": float("nan")}, "guidance_scale: got nan, expected a number from 0 to 100"),
        ({"prompt": "a", "guidance_scale": -1}, "got -1, expected a number from 0"),
        ({"prompt": "a", "num_inference_steps": 0}, "got 0, expected a whole number from 1 to 1000"),
        ({"prompt": "a", "num_inference_steps": 1001}, "got 1001"),
        ({"prompt": "a", "num_inference_steps": 2.5}, "got 2.5, expected a whole number"),
        ({"prompt": "a", "num_inference_steps": True}, "got True"),
        ({"prompt": "a", "seed": -1}, "got -1, expected a whole number from 0 to 2^63 - 1"),
        ({"prompt": "a", "seed": 2**63}, "expected a whole number from 0 to 2^63 - 1"),
        ({"prompt": "a", "seconds": float("inf")}, "got inf"),
        ({"prompt": "a", "gidance_scale": 1}, "unknown setting 'gidance_scale'; did you mean 'guidance_scale'?"),
        ({"prompt": "a", "sound": "loud"}, "sound: got 'loud'"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(values, said):
    with pytest.raises(RequestError) as caught:
        GenerateRequest.of(values)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message and "pydantic" not in message


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"width": 65, "height": 48}, "got a size of 65x48, expected 64x48 or 32x32"),
        ({"width": 64}, "expected both or neither"),
        ({"seconds": 5}, "got 5 seconds, expected 0.5 to 2"),
        ({"fps": 30}, "got 30 fps, expected 16 or 8"),
    ],
)
def test_what_the_model_was_not_trained_for_is_refused(values, said):
    with pytest.raises(RequestError, match=said):
        GenerateRequest.of({"prompt": "ball", **values}).fit(LIMITS)


def test_defaults_come_from_the_model_and_what_is_given_stays():
    request, notes = GenerateRequest.of({"prompt": " a ball ", "width": 32, "height": 32}).fit(LIMITS)
    assert (request.prompt, request.width, request.height, request.fps) == ("a ball", 32, 32, 16)
    assert (request.seconds, request.num_inference_steps, request.guidance_scale) == (2, 7, 3)
    assert notes == []


def test_the_longest_prompt_and_any_script_are_taken():
    assert len(GenerateRequest.of({"prompt": "ä" * MAX_PROMPT}).prompt) == MAX_PROMPT
    assert GenerateRequest.of({"prompt": "ein „roter“ Ball, 赤い球 🔴"}).prompt.endswith("🔴")


def test_seconds_become_whole_frames_and_it_is_said():
    request, notes = GenerateRequest.of({"prompt": "ball", "seconds": 1.03}).fit(LIMITS)
    assert request.seconds == 1.0
    assert notes == ["1.03 seconds became 1: 16 whole frames at 16 fps."]
    assert whole_frames(0.01, 16) == (1 / 16, ["0.01 seconds became 0.0625: 1 whole frame at 16 fps."])


def test_extending_knows_the_clip():
    request = ExtendRequest.of({"prompt": "ball", "seconds": 2})
    assert request.fit(LIMITS, 16, (64, 48), 2)[0].num_inference_steps == 7
    with pytest.raises(RequestError, match="got a clip of 128x96 at 16 fps, expected 64x48 or 32x32"):
        request.fit(LIMITS, 16, (128, 96), 2)
    with pytest.raises(RequestError, match="add less"):
        request.fit(LIMITS, 16, (64, 48), 59)


def test_every_error_is_of_one_family_and_also_a_value_error():
    assert issubclass(RequestError, MediagenError) and issubclass(RequestError, ValueError)
