"""Footage of one's own enters training by one door, a folder of videos with captions, for four trainings."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from mediagen.audio.codec.model import Codec
from mediagen.audio.model import AudioModel
from mediagen.audio.train.audio import AudioTask, AudioTaskConfig, SoundEncoders
from mediagen.audio.train.codec import CodecTask, CodecTaskConfig
from mediagen.data.folder import FolderStream
from mediagen.data.stream import open_stream
from mediagen.data.world import WorldStream
from mediagen.media.clip import Clip, to_float
from mediagen.sdk.cli.app import main
from mediagen.tae import TAE, TAEConfig
from mediagen.text.aligned import PRESETS as ALIGNED
from mediagen.text.aligned import AlignedEncoder
from mediagen.text.text import PRESETS, TextEncoder
from mediagen.train.tasks.aligned import AlignedTask, AlignedTaskConfig
from mediagen.train.tasks.prompt import UNSAID, PromptReader, PromptTask, PromptTaskConfig
from mediagen.train.tasks.tae import TAETask, TAETaskConfig
from mediagen.train.tasks.video import VideoTask, VideoTaskConfig
from mediagen.video import VideoConfig, VideoModel

COUNT, HELD_OUT = 11, 9  # the tenth file
SMALL = TAEConfig(
    latent_channels=4, encoder_blocks=(0, 0, 0), decoder_blocks=(0, 0, 0), widths=(8, 8, 8), attention=False
)


def level(index: int) -> int:
    """The grey of film number `index`."""
    return 20 + 20 * index


def pitch(index: int) -> int:
    """The tone of film number `index`, Hz."""
    return 300 + 100 * index


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven films of 2.25 s, 48x32, 20 fps: each of one grey and one tone (44.1 kHz), told by its caption."""
    folder = tmp_path_factory.mktemp("films")
    time = torch.arange(99_225) / 44_100
    for index in range(COUNT):
        frames = torch.full((45, 32, 48, 3), level(index), dtype=torch.uint8)
        tone = 0.5 * torch.sin(2 * math.pi * pitch(index) * time)
        Clip(frames, 20, torch.stack([tone, tone]), 44_100).save(folder / f"{index:02d}.mp4")
        (folder / f"{index:02d}.txt").write_text(f"film {index}\n")
    return folder


def heard(sound: Tensor) -> int:
    """Which film a sound (S,) at 48 kHz is from, by its loudest frequency."""
    spectrum = torch.fft.rfft(sound * torch.hann_window(len(sound))).abs()
    found = int(spectrum.argmax()) * 48_000 / len(sound)
    index = round((found - pitch(0)) / 100)
    assert abs(found - pitch(index)) < 10
    return index


def seen(frames: Tensor) -> int:
    """Which film pictures in [-1, 1] are from, by their grey."""
    assert frames.std() < 0.03
    return round(((float(frames.mean()) + 1) * 127.5 - level(0)) / 20)


def told(prompts: list[str]) -> list[int]:
    """Which films prompts that end in their captions are of."""
    return [int(prompt.split("film ")[1]) for prompt in prompts]


def listen(monkeypatch: pytest.MonkeyPatch, text: TextEncoder) -> list[str]:
    """A list that gets every prompt that `text` encodes."""
    prompts: list[str] = []
    encode = text.encode
    monkeypatch.setattr(text, "encode", lambda asked: (prompts.extend(asked), encode(asked))[1])
    return prompts


def test_every_tenth_film_is_held_out_where_there_are_ten(films: Path, tmp_path: Path) -> None:
    train, held_out = (open_stream(str(films), split) for split in ("train", "validation"))
    assert isinstance(train, FolderStream) and isinstance(held_out, FolderStream)
    assert held_out.captions == [f"film {HELD_OUT}"]
    assert train.captions == [f"film {index}" for index in range(COUNT) if index != HELD_OUT]
    for index in range(9):
        shutil.copy(films / f"{index:02d}.mp4", tmp_path)
        shutil.copy(films / f"{index:02d}.txt", tmp_path)
    few = open_stream(str(tmp_path), "train")
    assert isinstance(few, FolderStream) and len(few.videos) == 9
    assert isinstance(open_stream(str(tmp_path), "validation"), WorldStream)
    assert isinstance(open_stream(None, "train"), WorldStream)


def test_the_autoencoder_sees_the_films(films: Path, tmp_path: Path) -> None:
    config = TAETaskConfig(data=str(films), size=(32, 32), frames=8, batch=4, images=2, fit_clips=8)
    task = TAETask(TAE(SMALL), config)
    clips, images = task.batch(1, 0, 1), task.batch(4, 0, 1)
    assert clips.video.shape == (4, 3, 8, 32, 32) and images.video.shape == (8, 3, 1, 32, 32)
    assert torch.equal(clips.video, task.batch(1, 0, 1).video)
    assert not torch.equal(clips.video, task.batch(2, 0, 1).video)
    shown = {seen(clip) for step in range(6) for clip in task.batch(step, 0, 1).video}
    assert len(shown) > 5 and shown <= set(range(COUNT)) - {HELD_OUT}
    loss, _ = task.loss(task.model.train(), clips, torch.Generator().manual_seed(0))
    assert loss.isfinite()
    assert task.preview(task.model.eval(), tmp_path, 3)["validation_psnr"] > 5
    assert (tmp_path / "tae-000003.png").exists()


def test_the_video_model_learns_windows_with_their_own_captions(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    text, tae = TextEncoder(PRESETS["debug"]), TAE(SMALL).eval()
    model = VideoModel(
        VideoConfig(latent_channels=4, width=32, depth=1, heads=2, hidden=32, text_widths=(32,), longest=(4, 4, 4))
    )
    config = VideoTaskConfig(data=str(films), size=(32, 32), seconds=1.0, clips=14, batch=6, drop=0.0, images=0.0)
    task = VideoTask(model, tae, text, config, tmp_path / "cache")
    indices = told(task.captions)
    assert HELD_OUT not in indices and len(set(indices)) == COUNT - 1 and task.latents.shape == (14, 4, 2, 4, 4)
    with torch.no_grad():
        greys = torch.stack([torch.full((16, 32, 32, 3), level(i), dtype=torch.uint8) for i in range(COUNT)])
        distance = (task.latents[:, None].float() - tae.encode(to_float(greys))[None]).abs().mean((2, 3, 4, 5))
    assert distance.argmin(1).tolist() == indices
    prompts = listen(monkeypatch, text)
    batch = task.batch(0, 0, 1)
    assert all(prompt.startswith("FPS-16") for prompt in prompts)
    rows = [int((task.latents.float() - latent).abs().mean((1, 2, 3, 4)).argmin()) for latent in batch.latent]
    assert told(prompts) == [indices[row] for row in rows]
    prompts.clear()
    task.preview(model, tmp_path, 1)
    assert f"film {HELD_OUT}" in prompts[0]
    assert VideoTask(model, tae, text, config, tmp_path / "cache").captions == task.captions


def test_a_cache_of_other_films_is_refused(films: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    shutil.copytree(films, folder)
    text, tae = TextEncoder(PRESETS["debug"]), TAE(SMALL)
    model = VideoModel(
        VideoConfig(latent_channels=4, width=32, depth=1, heads=2, hidden=32, text_widths=(32,), longest=(4, 4, 4))
    )
    config = VideoTaskConfig(data=str(folder), size=(32, 32), clips=2)
    VideoTask(model, tae, text, config, tmp_path / "cache")
    (folder / "03.txt").write_text("another story")
    with pytest.raises(ValueError, match="another cache"):
        VideoTask(model, tae, text, config, tmp_path / "cache")


def test_the_codec_hears_the_films_at_48_khz(films: Path, tmp_path: Path) -> None:
    task = CodecTask(Codec.from_preset("debug"), CodecTaskConfig(data=str(films), pool=12, frames=6, batch=3, check=2))
    assert task.pool.shape == (12, 96_000)
    voices = {heard(sound.float() / 32767) for sound in task.pool}
    assert voices == set(range(COUNT)) - {HELD_OUT}
    assert {heard(crop[0]) for crop in task.batch(0, 0, 1).sound} <= voices
    assert isinstance(task.held_out, FolderStream) and heard(task.held_out.sound_at(3)[0]) == HELD_OUT
    figures = task.preview(task.model.eval(), tmp_path, 5)
    with Image.open(tmp_path / "codec-000005.png") as sheet:
        pixels = np.array(sheet.convert("L"))
    assert (pixels[-14:, :60] > 200).any(), "the lower row does not say what it is"
    assert {path.name for path in tmp_path.glob("*.wav")} == {"codec-000005-true.wav", "codec-000005-rebuilt.wav"}
    assert set(figures) == {"si_sdr", "log_mel_db"} and all(np.isfinite(list(figures.values())))


def test_the_sound_model_learns_sound_pictures_and_captions_of_one_window(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    encoders = SoundEncoders(
        TextEncoder(PRESETS["debug"]), AlignedEncoder(ALIGNED["debug"]), Codec.from_preset("debug"), TAE(SMALL)
    )
    config = AudioTaskConfig(data=str(films), seconds=2, windows=(2.0,), clips=4, batch=4, check=2, preview_steps=2)
    task = AudioTask(AudioModel.from_preset("debug"), encoders, config, tmp_path / "cache")
    assert HELD_OUT not in told(task.captions)
    clips = FolderStream(films, split="train").clips_at(range(4), sound=True)
    assert [clip.caption for clip in clips] == task.captions
    for number, clip in enumerate(clips):
        assert clip.frames is not None and clip.sound is not None
        assert [heard(clip.sound[0]), seen(to_float(clip.frames))] == told([clip.caption]) * 2
        for name, values in task.encode(clip.frames[None], clip.sound[None], [number]).items():
            torch.testing.assert_close(task.pool[name][number].float(), values[0], rtol=5e-3, atol=5e-3)
    prompts = listen(monkeypatch, encoders.text)
    batch = task.batch(0, 0, 1)
    rows = [int((task.pool["latent"][:, 0].float() - latent).abs().mean((1, 2)).argmin()) for latent in batch.latent]
    assert prompts == [f"quality 8.0. {task.captions[row]}" for row in rows]
    prompts.clear()
    assert set(task.preview(task.model, tmp_path, 2)) == {"validation_loss"}
    assert told(prompts) == [HELD_OUT, HELD_OUT]


def test_a_film_without_sound_is_named_by_those_that_need_it(films: Path, tmp_path: Path) -> None:
    shutil.copytree(films, tmp_path, dirs_exist_ok=True)
    Clip(torch.zeros(45, 32, 48, 3, dtype=torch.uint8), 20).save(tmp_path / "05.mp4")
    with pytest.raises(ValueError, match=r"05\.mp4 without a sound track"):
        CodecTask(Codec.from_preset("debug"), CodecTaskConfig(data=str(tmp_path), pool=1, check=1))
    assert open_stream(str(tmp_path), "train").clips(0, 1)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["mediagen", "train", *map(str, arguments)])
    monkeypatch.delenv("MEDIAGEN_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_line_trains_on_a_folder(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["size=[32,32]", "frames=8", "batch=2", "steps=2", "preview_every=2", "fit_clips=0", "widths=[8,8,8]"]
    settings = [word for setting in settings for word in ("--set", setting)]
    assert run(monkeypatch, "tae", "--data", films, *settings, "-o", tmp_path / "run") == 0
    assert "The trained model is in" in capsys.readouterr().err
    assert (tmp_path / "run" / "export" / "model.safetensors").is_file()


@pytest.mark.parametrize("name", ["video", "audio"])
def test_a_folder_that_cannot_be_used_is_one_sentence_and_leaves_nothing(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    data, out = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    assert run(monkeypatch, name, "--data", data, "-o", out) == 2
    assert "got no videos in" in capsys.readouterr().err and not out.exists()
    shutil.copy(films / "00.mp4", data)
    assert run(monkeypatch, name, "--data", data, "-o", out) == 2
    said = capsys.readouterr().err
    assert "without a caption" in said and "00.txt" in said and "Traceback" not in said and not out.exists()


def test_a_folder_is_judged_once_and_whole(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model_folder: Path
) -> None:
    data, out = tmp_path / "data", tmp_path / "run"
    shutil.copytree(films, data)
    (data / "01.txt").unlink()
    Clip(torch.zeros(45, 32, 48, 3, dtype=torch.uint8), 20).save(data / "05.mp4")  # without sound
    Clip(torch.zeros(10, 32, 48, 3, dtype=torch.uint8), 20).save(data / "06.mp4")
    (data / "07.mp4").write_bytes((films / "07.mp4").read_bytes()[:2000])
    sizes = (
        "latent_channels=4 width=32 depth=1 heads=2 hidden=32 text_widths=[32] longest=[4,4,4] size=[32,32] seconds=1"
    )
    video = ["video", "--data", data, "--model", model_folder, "--stages", "clips", "-o", out]
    video += [word for one in f"{sizes} seconds=1 clips=8 batch=2 steps=1".split() for word in ("--set", one)]
    assert run(monkeypatch, *video) == 2
    said = capsys.readouterr().err
    assert "3 of 11 films" in said and "--skip-unusable" in said and not out.exists()
    assert "01.mp4 without a caption" in said and "06.mp4 of 0.50 s, expected at least 1 s" in said
    assert "07.mp4 cannot be read" in said and "05.mp4" not in said, "pictures alone need no sound"

    assert run(monkeypatch, *video, "--skip-unusable") == 0
    assert "3 of 11 films are left out" in capsys.readouterr().err
    tae = TAETask(TAE(SMALL), TAETaskConfig(data=str(data), size=(32, 32), frames=8, batch=4, skip_unusable=True))
    assert isinstance(tae.stream, FolderStream) and "01.mp4" in {path.name for path in tae.stream.videos}
    codec = CodecTaskConfig(data=str(data), pool=14, frames=6, batch=3, check=2, skip_unusable=True)
    voices = {heard(sound.float() / 32767) for sound in CodecTask(Codec.from_preset("debug"), codec).pool}
    assert voices == {0, 1, 2, 3, 4, 8, 10}, "what has sound is learnt from, captions or not"


def test_what_is_left_out_never_moves_a_film_between_training_and_validation(films: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(films, data)
    (data / "01.txt").unlink()
    train = open_stream(str(data), "train", skip_unusable=True)
    held_out = open_stream(str(data), "validation", skip_unusable=True)
    assert isinstance(train, FolderStream) and isinstance(held_out, FolderStream)
    assert held_out.captions == [f"film {HELD_OUT}"] and len(train.videos) == COUNT - 2
    (data / f"{HELD_OUT:02d}.txt").unlink()
    assert isinstance(open_stream(str(data), "validation", skip_unusable=True), WorldStream)


def test_readers_learn_captions_of_one_s_own(films: Path, tmp_path: Path) -> None:
    for index in range(COUNT):  # where only captions are read, the films need not be films
        (tmp_path / f"{index:02d}.mp4").touch()
        (tmp_path / f"{index:02d}.txt").write_text(f"a lighthouse keeper, number {index}, tunes his accordion")
    config = PromptTaskConfig(data=str(tmp_path), batch=8, check=8, guess=10.0)
    task = PromptTask(PromptReader(PRESETS["debug"]), config)
    batch = task.batch(3, 0, 1)
    assert [("accordion" in text) for text in batch.captions] == [True] * 4 + [False] * 4
    captions = [text for step in range(20) for text in task.batch(step, 0, 1).captions[:4]]
    told_of = {text.split("number ")[1].split(",")[0] for text in captions}
    assert told_of == {str(index) for index in range(COUNT) if index != HELD_OUT}
    assert (batch.classes["place"][:4] == UNSAID).all() and (batch.classes["place"][4:] != UNSAID).any()
    fixed = torch.Generator().manual_seed(7)
    before = task.loss(task.model, batch, fixed)[1]["guess"]
    optimiser = torch.optim.Adam(task.model.parameters(), 3e-3)
    for step in range(60):
        optimiser.zero_grad()
        task.loss(task.model, task.batch(step, 0, 1), torch.Generator().manual_seed(step))[0].backward()
        optimiser.step()
    after = task.loss(task.model, batch, fixed.manual_seed(7))[1]["guess"]
    assert float(after) < 0.6 * float(before), "the words of the user's own captions are learnt"
    assert 0 <= task.preview(task.model.eval(), tmp_path / "look", 0)["own_words_guessed"] <= 1

    pairs = AlignedTask(AlignedEncoder(ALIGNED["debug"]), AlignedTaskConfig(data=str(films), batch=8, pool=30))
    drawn = pairs.batch(2, 0, 1)
    words = [str(pairs.model.tokenizer.decode(row, skip_special_tokens=True)) for row in drawn.ids]
    for frame, text in list(zip(drawn.frames, words, strict=True))[4:]:
        assert seen(to_float(frame[None])) == told([text])[0] != HELD_OUT
    assert not any("film" in text for text in words[:4])
    assert set(pairs.preview(pairs.model, tmp_path, 1)) == {"caption_found", "frame_found"}
