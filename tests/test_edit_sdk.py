"""Editing as a user meets it: what is asked changes, the rest is the film's, byte for byte, in clips and in files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from edit_toy import edit_folder, found_in
from PIL import Image
from test_anew import film, packets

from mediagen.media.clip import Clip
from mediagen.media.footage import Footage
from mediagen.media.read import read_settings
from mediagen.media.remux.anew import own_pictures
from mediagen.sdk import Cancelled, Engine, ModelError, RequestError


@pytest.fixture(scope="module")
def engine(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.from_pretrained(edit_folder(model_folder, tmp_path_factory.mktemp("edit") / "models"))


def clip(frames: int = 24, size: tuple[int, int] = (48, 40), fps: float = 12.0) -> Clip:
    rng = torch.Generator().manual_seed(7)
    pictures = torch.randint(0, 256, (frames, size[1], size[0], 3), generator=rng, dtype=torch.uint8)
    sound = torch.rand(1, round(frames / fps * 48_000), generator=rng) * 0.2
    return Clip(pictures, fps, sound, 48_000, "noise", {"task": "generate", "prompt": "noise"})


def test_outside_of_a_region_a_clip_is_equal_and_inside_it_is_not(engine: Engine) -> None:
    source = clip()
    made = engine.edit(source, "make the ball blue", task="recolour", region=(8, 4, 20, 16), seed=1)
    assert source.frames is not None and made.mask is not None
    assert made.frames.shape == source.frames.shape and made.fps == 12 and made.kept == 99.0
    wanted = torch.zeros(40, 48, dtype=torch.bool)
    wanted[4:20, 8:28] = True
    assert bool((made.mask == wanted).all())
    assert torch.equal(made.frames[~made.mask], source.frames[~made.mask])
    assert (made.frames[made.mask] != source.frames[made.mask]).float().mean() > 0.8
    assert made.sound is source.sound and made.settings["source"] == source.settings
    assert made.settings["task"] == "edit" and made.settings["edit_task"] == "recolour" and made.settings["seed"] == 1
    assert {"psnr", "model_psnr", "model_ssim"} == {*made.settings["kept"]}


def test_models_of_half_the_width_edit_too(engine: Engine) -> None:
    half = Engine.from_pretrained(engine.models.path, dtype="bfloat16")
    made = [one.edit(clip(), "let it snow", region=(8, 4, 20, 16), seed=1).frames for one in (engine, half)]
    assert made[0] is not None and made[1] is not None
    assert 0 < (made[0].float() - made[1].float()).abs().mean() < 20


def test_the_seed_decides_every_byte(engine: Engine) -> None:
    a, b, c = (engine.edit(clip(), "let it snow", task="weather", keep_rest=False, seed=s).frames for s in (3, 3, 4))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_outside_of_the_time_nothing_changes(engine: Engine) -> None:
    source = clip(36)
    made = engine.edit(source, "let it snow", task="weather", start=1.0, end=2.0, seed=1, sound="none")
    assert source.frames is not None and made.mask is not None and made.sound is None
    assert torch.equal(made.frames[:12], source.frames[:12]) and torch.equal(made.frames[24:], source.frames[24:])
    assert not made.mask[:12].any() and not made.mask[24:].any() and bool(made.mask[12:24].all())
    assert all(not torch.equal(made.frames[i], source.frames[i]) for i in range(12, 24))


def test_a_mask_says_where_and_may_be_a_file_a_picture_or_an_array(engine: Engine, tmp_path: Path) -> None:
    source = clip(6)
    place = np.zeros((40, 48), np.uint8)
    place[10:30, 5:25] = 255
    Image.fromarray(place).save(tmp_path / "mask.png")
    made = [
        engine.edit(source, "remove the boat", task="remove", mask=mask, seed=2)
        for mask in (tmp_path / "mask.png", Image.fromarray(place), place > 0)
    ]
    for one in made:
        assert one.mask is not None and bool((one.mask == torch.from_numpy(place > 0)).all())
        assert torch.equal(one.frames, made[0].frames) and one.settings["mask"] == made[0].settings["mask"]


def test_what_the_model_finds_is_changed_and_the_rest_stays(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    found_in(monkeypatch, 4, 8)
    source = clip(20, (64, 64), 10.0)
    made = engine.edit(source, "make the ball blue", task="recolour", seed=1)
    assert source.frames is not None and made.mask is not None
    assert torch.equal(made.frames[~made.mask], source.frames[~made.mask])
    columns = made.mask.any(1).any(0).nonzero()[:, 0]
    assert 0 <= columns.min() < 8 and 16 <= columns.max() < 32  # the columns 8 to 15 of 64, grown
    whole = engine.edit(source, "make the ball blue", task="recolour", keep_rest=False, seed=1)
    assert whole.mask is not None and bool(whole.mask.all()) and whole.kept is None
    middle = made.mask.all(0)
    assert (made.frames[:, middle].float() - whole.frames[:, middle].float()).abs().mean() < 30
    found_in(monkeypatch, 0, 0)
    with pytest.raises(RequestError, match=r"no ball was found in the film; .*--keep-rest off"):
        engine.edit(source, "make the ball blue", task="recolour", seed=1)
    shown = engine.edit(source, "add a red star", task="add", seed=1)
    assert any("no star was found in the edited film" in note for note in shown.settings["notes"])
    unnamed = engine.edit(source, "make it nicer", task="recolour", seed=1)
    assert any("names nothing" in note for note in unnamed.settings["notes"])
    with pytest.raises(RequestError, match="names nothing that the models know"):
        engine.edit(source, "make it nicer", task="recolour", keep_rest=True, seed=1)


def test_a_film_keeps_its_size_its_times_and_its_sound(engine: Engine, tmp_path: Path) -> None:
    path = film(tmp_path / "a.webm", (74, 58), sounds=2, codec="libvpx-vp9")
    made = engine.edit(path, "let it snow", region=(10, 10, 30, 20), task="weather", seed=1)
    source = torch.cat(list(own_pictures(Footage(path))))
    assert made.frames.shape == source.shape == (12, 58, 74, 3) and made.seconds == Footage(path).seconds
    assert torch.equal(made.frames[~made.mask], source[~made.mask]) and not torch.equal(made.frames, source)
    out = made.save(tmp_path / "out.webm")
    assert packets(out) == packets(path) and len(packets(out)) == 2
    lossless = made.save(tmp_path / "out.mkv", lossless=True)
    assert torch.equal(torch.cat(list(own_pictures(Footage(lossless)))), made.frames)
    assert made.encoding(lossless) == 99.0 and 25 < made.encoding(out) < 99
    assert read_settings(out)["prompt"] == "let it snow" and read_settings(out)["kept"] == made.settings["kept"]
    assert any("the models know people and ball" in note for note in made.settings["notes"])
    same = engine.edit(path, "let it snow", region=(10, 10, 30, 20), task="weather", seed=1)
    assert same.save(tmp_path / "same.webm").read_bytes() == out.read_bytes()
    silent = engine.edit(path, "let it snow", task="weather", sound="none", seed=1).save(tmp_path / "silent.webm")
    assert not Footage(silent).has_audio
    with pytest.raises(RequestError, match="the film itself"):
        made.save(path)


def test_sound_is_made_anew_for_the_edited_part(engine: Engine, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", sounds=1)
    made = engine.edit(path, "let it snow", task="weather", sound="remake", start=0.2, end=0.4, seed=1)
    out = made.save(tmp_path / "out.mp4")
    before, after = (torch.cat(list(Footage(one).sound()), -1) for one in (path, out))
    assert Footage(out).samples == Footage(path).samples and packets(out) != packets(path)
    assert (before[:, :8000] - after[:, :8000]).abs().max() < 0.05
    assert (before[:, 10_500:18_500] - after[:, 10_500:18_500]).abs().max() > 0.05
    anew = engine.edit(clip(), "let it snow", task="weather", sound="remake", seed=1)
    assert anew.sound is not None and anew.sound.shape == (1, 96_000)
    assert not torch.equal(anew.sound, clip().sound)  # type: ignore[arg-type]


def test_a_long_film_is_edited_window_by_window(engine: Engine) -> None:
    source, moments = clip(100, (32, 32), 16.0), []
    made = engine.edit(source, "make it day", task="time", seed=1, num_inference_steps=2, on_progress=moments.append)
    assert made.frames.shape == (100, 32, 32, 3) and bool((made.frames != source.frames).any(-1).any(-1).any(-1).all())
    pictures = [moment for moment in moments if moment.stage == "Making the pictures"]
    assert pictures[-1].step == pictures[-1].steps == 2 * 6  # 32 frames, then 16 more each time


def test_it_can_be_cancelled_within_a_step(engine: Engine) -> None:
    steps = []

    def stop(engine: Engine, step: int, t: float, info: dict[str, Any]) -> bool:
        steps.append(step)
        return len(steps) < 2

    with pytest.raises(Cancelled):
        engine.edit(clip(), "make it day", task="time", callback_on_step_end=stop)
    assert len(steps) == 2


def test_edits_chain_and_each_tells_all(engine: Engine) -> None:
    once = engine.edit(clip(), "make it day", task="time", seed=1)
    twice = engine.edit(once, "let it snow", task="weather", seed=2)
    told = twice.settings
    assert told["prompt"] == "let it snow" and told["source"]["prompt"] == "make it day"
    assert told["source"]["source"] == clip().settings


def test_a_job_edits_while_the_caller_goes_on(engine: Engine) -> None:
    job = engine.submit_edit(clip(8), "make it day", task="time", seed=1)
    assert torch.equal(job.result(60).frames, engine.edit(clip(8), "make it day", task="time", seed=1).frames)
    assert job.status == "completed"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"prompt": " "}, "empty text"),
    ({"task": "recolor"}, "did you mean 'recolour'"),
    ({"mask": np.zeros((9, 9), bool)}, "mask of 9x9, expected 48x40"),
    ({"mask": np.zeros((40, 48), bool)}, "all black"),
    ({"mask": "nowhere.png"}, "cannot be read"),
    ({"mask": np.ones((40, 48), bool), "region": (0, 0, 4, 4)}, "one of them"),
    ({"region": (40, 0, 20, 10)}, "but the film is 48x40"),
    ({"region": (0, 0, 0, 10)}, "size of 1x1 or more"),
    ({"start": 5.0}, "but the film lasts 2 s"),
    ({"start": 1.0, "end": 0.5}, "after the start"),
    ({"sound": "loud"}, "keep, remake or none"),
    ({"region": (0, 0, 4, 4), "keep_rest": False}, "leaves none out"),
    ({"strength": 2}, "unknown setting 'strength'"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_wrong_input_is_told_before_any_work(engine: Engine, wrong: dict[str, Any], said: str) -> None:
    begun = []
    asked = {"prompt": "make it day", "task": "time", **wrong}
    with pytest.raises(RequestError, match=said) as raised:
        engine.edit(clip(), **asked, callback_on_step_end=lambda *_: begun.append(1))
    assert not begun and "\n" not in str(raised.value)


def test_a_film_without_pictures_and_a_folder_without_a_model(
    engine: Engine, model_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match="without pictures"):
        engine.edit(Clip(None, sound=torch.zeros(1, 48_000)), "make it day")
    (tmp_path / "a.txt").write_text("no film")
    with pytest.raises(RequestError, match=r"a\.txt"):
        engine.edit(tmp_path / "a.txt", "make it day")
    plain = Engine.from_pretrained(model_folder)
    for call in (plain.edit, plain.submit_edit):
        with pytest.raises(ModelError, match=r"has no edit model; train one with 'mediagen train edit"):
            call(clip(), "make it day")
