"""Sound for films that exist, through the engine and the command line: pictures untouched, lengths exact."""

from functools import partial
from pathlib import Path

import av
import pytest
import torch
from films import shoot

from mediagen.media.clip import Clip
from mediagen.media.loudness import MOST_GAIN, measure
from mediagen.media.read import read_settings, read_sound
from mediagen.media.soundtrack import CODECS
from mediagen.sdk import Cancelled, Engine, RequestError
from mediagen.sdk.cli.clock import seconds_of
from mediagen.sdk.cli.sound import FILMS


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.fixture(scope="module")
def engine(model_folder) -> Engine:
    return Engine.from_pretrained(model_folder, device="cpu")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """2.5 s at 24 fps with stereo clicks."""
    return shoot(tmp_path_factory.mktemp("film") / "film.mp4", [1001 * i for i in range(60)], sound=2.5)


def test_a_file_keeps_its_pictures_and_gets_sound_of_its_length(engine, source, tmp_path):
    made = engine.add_audio(source, "a ball", seed=3)
    out = made.save(tmp_path / "out.mp4")
    assert packets(out) == packets(source)
    heard = read_sound(out)
    assert heard.shape == (1, made.footage.samples) and made.sound.shape == heard.shape
    as_made = measure(list(made.chunks())).lufs
    assert measure([made.sound]).lufs == pytest.approx(min(-16, as_made + MOST_GAIN), abs=0.5)
    settings = read_settings(out)
    assert (settings["task"], settings["seed"], settings["prompt"]) == ("sound", 3, "a ball")
    again = engine.add_audio(source, "a ball", seed=3).save(tmp_path / "again.mp4")
    assert again.read_bytes() == out.read_bytes()
    assert engine.add_audio(source, "a ball", seed=4).save(tmp_path / "4.mp4").read_bytes() != out.read_bytes()


def test_a_window_leaves_the_rest_as_it_was(engine, source, tmp_path):
    out = engine.add_audio(source, start=1.0, end=1.5, seed=0).save(tmp_path / "out.wav")
    new = read_sound(out)
    old = read_sound(source)[:, : new.shape[-1]]
    assert (new[:, : 48_000 - 10] - old[:, : 48_000 - 10]).abs().max() < 1e-3
    assert (new[:, 72_010 : old.shape[-1]] - old[:, 72_010:]).abs().max() < 1e-3
    assert (new[:, 50_000:70_000] - old[:, 50_000:70_000]).abs().max() > 1e-2


def test_a_clip_gets_a_clip(engine):
    frames = torch.randint(0, 255, (20, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    silent = Clip(frames=frames, fps=10.0)
    made = engine.add_audio(silent, seed=1)
    assert made.frames is silent.frames and made.sound is not None and made.sound.shape == (1, 96_000)
    below = engine.add_audio(Clip(frames=frames, fps=10.0, sound=torch.ones(2, 96_000) * 0.1), keep_audio=0.5, seed=1)
    assert below.sound is not None and below.sound.shape == (2, 96_000)


def test_sound_alone_longer_and_filled(engine, tmp_path):
    made = engine.generate_audio("waves", 1.3, seed=2)
    assert made.frames is None and made.sound is not None and made.sound.shape == (1, 62_400)
    longer = engine.extend_audio(made, 0.5, seed=3)
    assert longer.sound is not None and longer.sound.shape == (1, 86_400)
    assert torch.equal(longer.sound[:, :62_400], made.sound)
    filled = engine.fill_audio(made, 0.4, 0.9, seed=3)
    assert filled.sound is not None
    changed = (filled.sound != made.sound)[0].nonzero()
    assert changed.min() >= 19_200 and changed.max() < 43_200 and len(changed) > 20_000
    path = made.save(tmp_path / "a.wav")
    assert engine.extend_audio(path, 0.5, "waves").seconds == pytest.approx(1.8)


def test_music_and_effects_change_what_is_asked(engine):
    heard = [
        engine.generate_audio(None, 0.5, seed=1, music=True, music_prompt="calm", effects=False).sound,
        engine.generate_audio(None, 0.5, seed=1, music=True, music_prompt="tense", effects=False).sound,
        engine.generate_audio(None, 0.5, seed=1, music=True, music_prompt="calm").sound,
        engine.generate_audio(None, 0.5, seed=1).sound,
    ]
    assert all(not torch.equal(a, b) for i, a in enumerate(heard) for b in heard[:i])


def test_it_can_be_cancelled(engine, source):
    with pytest.raises(Cancelled):
        engine.add_audio(source, callback_on_step_end=lambda *_: False)


def test_music_alone_does_not_look_at_the_pictures(engine):
    rng = torch.Generator().manual_seed(0)
    one, other = (Clip(torch.randint(0, 255, (16, 32, 32, 3), generator=rng).byte(), 16) for _ in range(2))
    music = [engine.add_audio(clip, music=True, effects=False, seed=1).sound for clip in (one, other)]
    assert torch.equal(*music) and music[0].abs().max() > 0
    assert torch.equal(music[0], engine.generate_audio(None, 1.0, music=True, effects=False, seed=1).sound)
    effects = [engine.add_audio(clip, seed=1).sound for clip in (one, other)]
    assert not torch.equal(*effects)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"music_prompt": "calm"}, "music_prompt: got 'calm' where no music"),
        ({"effects": False}, "neither effects nor music"),
        ({"prompt": "a ball", "effects": False, "music": True}, "prompt: got 'a ball' where nothing but music"),
        ({"start": 2.0, "end": 1.0}, "end of 1 s"),
        ({"start": 9.0}, "start of 9 s"),
        ({"end": 9.0}, "end of 9 s"),
        ({"keep_audio": 2}, "keep_audio: got 2"),
        ({"seconds": 2}, "seconds: got 2, but a film's sound lasts as long as the film"),
        ({"candidates": 3}, "no sound_scorer to choose by"),
        ({"method": "magic"}, "method: got 'magic'"),
        ({"musik": True}, "did you mean 'music'"),
    ],
)
def test_wishes_that_cannot_be_met_are_one_sentence(engine, source, wishes, said):
    with pytest.raises(RequestError, match=said):
        engine.add_audio(source, **wishes)


def test_sound_that_is_too_long_or_not_there_is_refused(engine, source, tmp_path):
    with pytest.raises(RequestError, match="expected at most 3600"):
        engine.generate_audio("waves", 4000)
    with pytest.raises(RequestError, match="without pictures"):
        engine.add_audio(Clip(frames=None, sound=torch.zeros(1, 100)))
    with pytest.raises(RequestError, match="gap from 1 to 9"):
        engine.fill_audio(source, 1, 9)
    with pytest.raises(RequestError, match="got 0 samples of sound"):
        engine.extend_audio(Clip(frames=None), 1)
    for wish in ({"keep_audio": 0.5}, {"picture_guidance_scale": 3.0}, {"start": 1.0, "end": 2.0}, {"start": 0.0}):
        with pytest.raises(RequestError, match=f"{next(iter(wish))}: got .*sound without a film"):
            engine.generate_audio("waves", 2, **wish)
    with pytest.raises(RequestError, match="the film itself"):
        engine.add_audio(source).save(source)
    (tmp_path / "cut.mp4").write_bytes(source.read_bytes()[:5000])
    with pytest.raises(RequestError, match=r"cut\.mp4"):
        engine.add_audio(tmp_path / "cut.mp4")


@pytest.fixture
def run(run):
    return partial(run, "sound")


def test_the_command_line_scores_a_film(run, source, model_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said = run(source, "--prompt", "a ball", "--from", "0:01", "--keep-audio", "0.3", "--model", model_folder)
    assert code == 0 and "Wrote film-sound.mp4: 2.5" in said and packets(tmp_path / "film-sound.mp4") == packets(source)
    code, said = run(
        "--music", "slow piano", "--no-effects", "--seconds", "0.7", "-o", "a.wav", "--model", model_folder
    )
    assert code == 0 and read_sound(tmp_path / "a.wav").shape == (1, 33_600)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no film and no prompt"),
        (["--prompt", "waves"], "got no --seconds"),
        (["--prompt", "waves", "--seconds", "2", "-o", "a.mp4"], "expected an ending of .wav"),
        (["film", "--seconds", "2"], "--seconds: got 2, but a film's sound lasts as long"),
        (["film", "--from", "soon"], "--from: got 'soon'"),
        (["film", "--to", "0:09"], "end of 9 s"),
        (["film", "-o", "a.avi"], "expected an ending of .mp4, .mov"),
        (["no.mp4"], "no.mp4"),
    ],
)
def test_the_command_line_refuses_in_one_sentence(run, source, model_folder, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, error = run(*(source if word == "film" else word for word in arguments), "--model", model_folder)
    assert code == 2 and said in error and "Traceback" not in error and not list(tmp_path.iterdir())


def test_times_are_read_as_people_write_them():
    assert [seconds_of("--from", text) for text in ("70", "01:10", "0:01:10", "1:02:03.5", None)] == [
        70,
        70,
        70,
        3723.5,
        None,
    ]
    assert set(FILMS) == set(CODECS)
