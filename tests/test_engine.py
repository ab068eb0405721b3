"""The engine on debug-size models: exact lengths, the same clip from the same seed, and refusals before any work."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from PIL import Image

from mediagen.media.read import read_settings
from mediagen.sdk import Cancelled, Clip, Engine, ModelError, RequestError
from mediagen.sdk.models.folder import ModelFolder, dtype_of
from mediagen.sdk.tasks.replay import again, differences


@pytest.fixture(scope="module")
def engine(model_folder):
    return Engine.from_pretrained(model_folder, device="cpu")


def make(engine: Engine, **asked) -> Any:
    wishes: Any = {"sound": False, "seed": 3, **asked}
    return engine.generate(wishes.pop("prompt", "a red ball"), **wishes)


def test_a_clip_has_the_length_and_size_that_were_asked_for(engine):
    clip = make(engine, seconds=1.25)
    assert clip.frames is not None and clip.frames.shape == (20, 32, 32, 3)
    assert clip.frames.float().std() > 1
    assert (clip.fps, clip.caption, clip.settings["seed"]) == (16, "a red ball", 3)


def test_the_same_seed_makes_the_same_clip_and_nothing_else_does(engine):
    clip = make(engine)
    state = torch.get_rng_state()
    assert torch.equal(clip.frames, make(engine).frames)
    assert torch.equal(state, torch.get_rng_state()), "torch's global random state was touched"
    assert not torch.equal(clip.frames, make(engine, seed=4).frames)
    assert not torch.equal(clip.frames, make(engine, prompt="a blue cube").frames)
    assert not torch.equal(clip.frames, make(engine, negative_prompt="a blue cube").frames)
    assert not torch.equal(clip.frames, make(engine, guidance_scale=5).frames)
    assert not torch.equal(clip.frames, make(engine, num_inference_steps=4).frames)


def test_a_seed_is_drawn_and_told(engine):
    first, second = make(engine, seed=None), make(engine, seed=None)
    assert first.settings["seed"] != second.settings["seed"]
    assert torch.equal(first.frames, make(engine, seed=first.settings["seed"]).frames)


def test_clips_made_at_once_equal_those_made_alone(model_folder):
    shared = Engine.from_pretrained(model_folder, device="cpu")
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: make(shared, seed=seed), range(4)))
    alone = Engine.from_pretrained(model_folder, device="cpu")
    for seed, clip in enumerate(together):
        assert torch.equal(clip.frames, make(alone, seed=seed).frames)


def test_a_file_can_be_made_again_to_the_byte(engine, tmp_path):
    first = make(engine, seconds=1.03, seed=None).save(tmp_path / "first.mp4")
    settings = read_settings(first)
    assert settings["seconds"] == 1.0 and settings["asked"] == {"seconds": 1.03} and "1.03" in settings["notes"][0]
    second = engine.run(again(first)).save(tmp_path / "again.mp4")
    assert first.read_bytes() == second.read_bytes()
    assert differences(settings, read_settings(second)) == []
    assert "other models" in differences({**settings, "model": "x"}, settings)[0]


def test_a_file_that_cannot_be_made_again_says_why(engine, tmp_path):
    bare = Clip(torch.zeros(8, 32, 32, 3, dtype=torch.uint8)).save(tmp_path / "bare.mp4")
    with pytest.raises(RequestError, match="without settings"):
        again(bare)
    longer = engine.extend(make(engine), "it falls", 0.5, sound=False, seed=1).save(tmp_path / "longer.mp4")
    with pytest.raises(RequestError, match="made by 'mediagen extend'"):
        again(longer)


def test_a_picture_steers_the_clip_and_only_its_fingerprint_is_kept(engine, tmp_path):
    white = Image.new("RGB", (64, 32), "white")
    white.save(tmp_path / "white.png")
    from_path, from_pil = make(engine, image=tmp_path / "white.png"), make(engine, image=white)
    assert torch.equal(from_path.frames, from_pil.frames)
    assert not torch.equal(from_path.frames, make(engine).frames)
    assert len(from_path.settings["picture"]) == 12 and "image" not in from_path.settings
    path = from_path.save(tmp_path / "clip.mp4")
    with pytest.raises(RequestError, match="started from a picture"):
        again(path)
    assert again(path, white).image is white


@pytest.mark.parametrize("image", ["missing.png", 3, torch.zeros(4, 4, 3), torch.zeros(4, 4, dtype=torch.uint8)])
def test_what_is_no_picture_is_refused(engine, image):
    with pytest.raises(RequestError, match="expected"):
        make(engine, image=image)


def test_a_damaged_picture_is_refused(engine, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(RequestError, match=r"bad\.png"):
        make(engine, image=tmp_path / "bad.png")


@pytest.mark.parametrize(("seconds", "frames"), [(0.25, 4), (1.0, 16), (2.5, 40)])
def test_extending_keeps_what_was_there_and_adds_what_was_asked(engine, seconds, frames):
    clip = make(engine)
    longer = engine.extend(clip, "the ball falls", seconds, sound=False, seed=1)
    assert len(longer.frames) == 16 + frames
    assert torch.equal(longer.frames[:16], clip.frames)
    assert longer.settings["source"] == clip.settings and longer.settings["seconds"] == seconds
    assert torch.equal(longer.frames, engine.extend(clip, "the ball falls", seconds, sound=False, seed=1).frames)


def test_what_is_extended_matters(engine):
    dark, light = (Clip(torch.full((16, 32, 32, 3), level, dtype=torch.uint8)) for level in (20, 220))
    after_dark, after_light = (engine.extend(clip, "a ball", 0.5, sound=False, seed=1) for clip in (dark, light))
    assert not torch.equal(after_dark.frames[16:], after_light.frames[16:])


def test_models_of_short_clips_extend_by_every_frame(model_folder, tmp_path):
    """Their longest clip is one latent frame, of which the first frame is known."""
    folder = tmp_path / "short"
    shutil.copytree(model_folder, folder)
    limits = json.loads((folder / "engine.json").read_text()) | {"seconds": 0.5, "max_seconds": 0.5}
    (folder / "engine.json").write_text(json.dumps(limits))
    engine = Engine.from_pretrained(folder, device="cpu")
    clip = make(engine)
    longer = engine.extend(clip, "a ball", 1.25, sound=False)
    assert len(clip.frames) == 8 and longer.frames is not None and len(longer.frames) == 28


def test_weights_may_be_bfloat16_and_the_clip_says_so(engine, model_folder):
    half = Engine.from_pretrained(model_folder, device="cpu", dtype="bfloat16")
    clip, exact = make(half, sound=True), make(engine, sound=True)
    types = {name: next(half.models.get(name).parameters()).dtype for name in ("prompt", "video", "audio", "tae")}
    assert set(list(types.values())[:3]) == {torch.bfloat16} and types["tae"] is torch.float32
    assert (clip.settings["dtype"], exact.settings["dtype"]) == ("bfloat16", "float32")
    assert (clip.frames.float() - exact.frames.float()).abs().mean() < 8 and clip.sound.isfinite().all()
    again = Engine.to_repeat(clip.settings, model_folder)
    assert torch.equal(make(again).frames, make(half).frames)
    assert "weights of bfloat16" in differences(clip.settings, exact.settings)[0]
    with pytest.raises(RequestError, match="got the dtype 'int8', expected bfloat16 or float32"):
        Engine.from_pretrained(model_folder, dtype="int8")


def test_a_gpu_that_can_gets_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert dtype_of(None, torch.device("cuda")) is torch.bfloat16
    assert dtype_of("float32", torch.device("cuda")) is dtype_of(None, torch.device("cpu")) is torch.float32
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert dtype_of(None, torch.device("cuda")) is torch.float32


def test_even_one_frame_can_be_extended(engine):
    clip = Clip(torch.full((1, 32, 32, 3), 99, dtype=torch.uint8))
    assert len(engine.extend(clip, "a ball", 1, sound=False).frames) == 17


def test_sound_covers_the_pictures_exactly_and_follows_seed_and_words(engine):
    clip = make(engine, sound=True, seconds=1.25)
    assert clip.sound is not None and clip.sound.shape == (1, 60_000) and clip.rate == 48_000
    assert clip.sound.std() > 1e-4 and clip.sound.abs().max() <= 1
    assert torch.equal(clip.sound, make(engine, sound=True, seconds=1.25).sound)
    assert torch.equal(clip.frames, make(engine, seconds=1.25).frames), "sound changed the pictures"
    assert not torch.equal(clip.sound, make(engine, sound=True, seconds=1.25, seed=4).sound)
    assert not torch.equal(clip.sound, make(engine, sound=True, seconds=1.25, sound_prompt="rain").sound)


@pytest.mark.parametrize("seconds", [0.25, 2.5])
def test_extending_goes_on_with_the_sound(engine, seconds):
    clip = make(engine, sound=True)
    longer = engine.extend(clip, "the ball falls", seconds, seed=1)
    assert longer.sound.shape == (1, round((1 + seconds) * 48_000))
    fade = 480
    assert torch.equal(longer.sound[:, : 48_000 - fade], clip.sound[:, :-fade])
    silent = engine.extend(clip, "the ball falls", seconds, sound=False)
    assert torch.equal(silent.sound, clip.sound)


def test_extending_keeps_stereo_and_gives_a_silent_clip_a_sound(engine):
    stereo = Clip(torch.zeros(16, 32, 32, 3, dtype=torch.uint8), sound=torch.rand(2, 22_050) - 0.5, rate=22_050)
    longer = engine.extend(stereo, "a ball", 0.5, seed=1)
    assert longer.sound.shape == (2, 72_000) and longer.rate == 48_000
    silent = Clip(torch.zeros(16, 32, 32, 3, dtype=torch.uint8))
    assert engine.extend(silent, "a ball", 0.5, seed=1).sound.shape == (1, 72_000)


def test_without_sound_models_a_request_with_sound_is_refused_at_once(model_folder, tmp_path):
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    shutil.rmtree(copy / "audio")
    silent = Engine.from_pretrained(copy, device="cpu")
    with pytest.raises(RequestError, match="lacks audio"):
        make(silent, sound=True)
    assert not silent.models.loaded("video")
    assert make(silent).sound is None


def test_more_steps_than_the_schedule_emulates_are_taken(engine):
    assert len(make(engine, num_inference_steps=300, seconds=0.5).frames) == 8


def test_callbacks_hear_every_step_and_can_stop(engine):
    heard, stages = [], []

    def hear(given, step, t, info):
        heard.append((given is engine, step, info["steps"], 0 < t <= 1))

    make(engine, callback_on_step_end=hear, on_progress=lambda moment: stages.append(moment.stage))
    assert heard == [(True, 0, 3, True), (True, 1, 3, True), (True, 2, 3, True)]
    assert list(dict.fromkeys(stages))[-3:] == ["Reading the prompt", "Making the pictures", "Decoding the pictures"]

    heard.clear()
    with pytest.raises(Cancelled, match="after step 2 of 3"):
        make(engine, callback_on_step_end=lambda given, step, t, info: heard.append(step) or step < 1)
    assert heard == [0, 1]


def test_a_request_is_refused_before_any_model_is_loaded(model_folder):
    fresh = Engine.from_pretrained(model_folder, device="cpu")
    with pytest.raises(RequestError):
        make(fresh, seconds=60)
    assert not any(fresh.models.loaded(name) for name in ("tae", "prompt", "video"))


def test_a_long_prompt_is_read_as_far_as_the_model_can_and_it_is_said(engine):
    assert (
        "longer than the model reads" in make(engine, prompt="a red ball and " * 60, rewrite=False).settings["notes"][0]
    )


def test_missing_and_damaged_models_are_one_sentence(model_folder, tmp_path):
    with pytest.raises(ModelError, match=r"without engine\.json"):
        Engine.from_pretrained(tmp_path / "nothing")
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    weights = copy / "video" / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        make(Engine.from_pretrained(copy, device="cpu"))
    shutil.rmtree(copy / "video")
    with pytest.raises(ModelError, match="without 'video'"):
        make(Engine.from_pretrained(copy, device="cpu"))
    (copy / "engine.json").write_text('{"stepz": 3}')
    with pytest.raises(ModelError, match="did you mean 'steps'"):
        Engine.from_pretrained(copy)


def test_the_fingerprint_follows_the_weights(model_folder, tmp_path):
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    before = ModelFolder(copy).fingerprint
    assert before == ModelFolder(model_folder).fingerprint
    weights = copy / "tae" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    assert ModelFolder(copy).fingerprint != before


def test_hub_models_are_fetched_as_tensors_and_json_alone(model_folder, monkeypatch):
    asked = {}

    def fetch(name, *, revision, allow_patterns):
        asked.update(name=name, revision=revision, patterns=allow_patterns)
        return str(model_folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    assert Engine.from_pretrained("someone/model", revision="v1").limits.width == 32
    assert asked == {"name": "someone/model", "revision": "v1", "patterns": ["*.json", "*.safetensors"]}


def test_a_sound_too_short_to_go_on_from_stays_all_the_same(engine):
    frames = torch.zeros(8, 32, 32, 3, dtype=torch.uint8)
    short = torch.full((1, 900), 0.25)
    longer = engine.extend(Clip(frames=frames, fps=16.0, sound=short), "a ball", 0.5, seed=1)
    assert longer.sound is not None and longer.sound.shape[-1] == 48_000 and torch.equal(longer.sound[:, :900], short)
