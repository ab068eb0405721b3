"""Larger pictures as a user meets them: clips and films, by engine, command line, service and client."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from service_toy import serving
from test_anew import film, packets
from upsample_toy import upsample_folder

from mediagen.media.clip import Clip, Film
from mediagen.media.footage import Footage
from mediagen.media.read import read_settings
from mediagen.media.remux.anew import own_pictures
from mediagen.sdk import Cancelled, Engine, ModelError, RemoteEngine, RequestError
from mediagen.sdk.bench.measure import measure
from mediagen.sdk.cli.app import main
from mediagen.sdk.models.info import overview
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.progress import Advance, Progress
from mediagen.sdk.tasks.upscaled import Spool, UpscaledFilm


@pytest.fixture(scope="module")
def folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return upsample_folder(model_folder, tmp_path_factory.mktemp("upscale") / "models")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    return Engine.from_pretrained(folder, device="cpu")


@pytest.fixture(scope="module")
def remote(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serving(engine, tmp_path_factory.mktemp("service")) as (url, _):
        yield RemoteEngine(url)


def clip(frames: int = 5, size: tuple[int, int] = (24, 16)) -> Clip:
    rng = torch.Generator().manual_seed(7)
    pictures = torch.randint(0, 256, (frames, size[1], size[0], 3), generator=rng, dtype=torch.uint8)
    return Clip(pictures, 12.0, torch.rand(1, 20_000, generator=rng) * 0.2, 48_000, "noise", {"prompt": "noise"})


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["mediagen", *map(str, arguments)])
    monkeypatch.delenv("MEDIAGEN_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.err + said.out


def test_a_clip_becomes_a_larger_clip_with_its_sound(engine: Engine) -> None:
    source = clip()
    made = engine.upscale(source, num_inference_steps=2, seed=3)
    assert isinstance(made, Film) and made.frames.shape == (5, 32, 48, 3) and made.fps == 12
    assert made.sound is not None and source.sound is not None and made.sound.equal(source.sound)
    assert made.caption == "noise" and made.settings["task"] == "upscale" and made.settings["factor"] == 2
    assert made.settings["source"] == source.settings and made.settings["num_inference_steps"] == 2
    assert engine.upscale(source, num_inference_steps=2, seed=3).frames.equal(made.frames)
    assert not engine.upscale(source, num_inference_steps=2, seed=4).frames.equal(made.frames)
    assert made.settings["keep"] == 0.0
    near = engine.upscale(source, keep=1.0, num_inference_steps=2, seed=3)
    assert source.frames is not None
    small = source.frames.permute(0, 3, 1, 2).float()
    back = [torch.nn.functional.avg_pool2d(one.frames.permute(0, 3, 1, 2).float(), 2) for one in (near, made)]
    assert (back[0] - small).abs().mean() < 0.5 * (back[1] - small).abs().mean()
    twice = engine.upscale(source, factor=4, num_inference_steps=1, seed=3)
    assert twice.frames.shape == (5, 64, 96, 3)


def test_a_films_file_keeps_its_times_and_every_packet_of_its_sound(engine: Engine, tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4")
    made = engine.upscale(source, num_inference_steps=1, seed=3)
    assert isinstance(made, UpscaledFilm)
    width, height = Footage(source).size
    written = made.save(tmp_path / "larger.mkv", lossless=True)
    after = Footage(written)
    assert made.size == after.size == (2 * width, 2 * height) and made.seconds == Footage(source).seconds
    assert torch.cat(list(own_pictures(after))).equal(made.frames)
    assert packets(written) == packets(source)
    ticks = [shown.times * float(shown.tick) for shown in (Footage(source).timeline, after.timeline)]
    assert len(ticks[0]) == len(ticks[1]) and abs((ticks[0] - ticks[0][0]) - (ticks[1] - ticks[1][0])).max() < 2e-3
    told = read_settings(written)
    assert told["task"] == "upscale" and told["seed"] == 3 and told["keep"] == 1.0
    assert made.ending == ".mp4" and Footage(made.save(tmp_path / "larger.mp4")).size == made.size
    with pytest.raises(RequestError, match="the film itself"):
        made.save(source)


def test_what_cannot_be_is_refused_before_any_work(engine: Engine, model_folder: Path, tmp_path: Path) -> None:
    for wishes, said in (
        ({"factor": 3}, "expected 2 or 4"),
        ({"factor": True}, "expected 2 or 4"),
        ({"keep": 1.5}, "from 0 to 1"),
        ({"guidance_scale": 2.0}, "no words are followed"),
        ({"negative_prompt": "rain"}, "no words are followed"),
        ({"prompt": "a ball"}, "unknown setting 'prompt'"),
        ({"num_inference_steps": 0}, "from 1 to 1000"),
    ):
        with pytest.raises(RequestError, match=said):
            engine.upscale(clip(), **wishes)  # type: ignore[call-overload]
    with pytest.raises(RequestError, match="expected at most"):
        engine.upscale(clip(1, (1200, 1000)))
    with pytest.raises(RequestError, match="expected a video"):
        engine.upscale(tmp_path / "none.mp4")
    with pytest.raises(RequestError, match="without pictures"):
        engine.upscale(Clip(None, sound=torch.zeros(1, 480)))
    plain = Engine.from_pretrained(model_folder, device="cpu")
    for call in (plain.upscale, plain.submit_upscale):
        with pytest.raises(ModelError, match="no upsample and no upsample_tae"):
            call(clip())
    assert plain.limits.upscale == 1 and not plain.limits.larger_sizes
    with pytest.raises(RequestError, match="expected 32x32, for which"):
        plain.generate("a red ball", width=64, height=64)


def test_clips_are_made_larger_than_the_models_make_them_and_made_again(engine: Engine, tmp_path: Path) -> None:
    assert engine.limits.larger_sizes == ((64, 64), (128, 128))
    wishes: Any = {"seconds": 0.5, "seed": 5, "sound": False}
    small = engine.generate("a red ball bounces", **wishes)
    made = engine.generate("a red ball bounces", width=64, height=64, **wishes)
    assert made.frames.shape == (8, 64, 64, 3) and made.settings["width"] == 64 and made.settings["seed"] == 5
    assert made.settings["upscaled"] == {"factor": 2, "num_inference_steps": engine.limits.upscale_steps}
    assert {key: value for key, value in made.settings.items() if key not in ("width", "height", "upscaled")} == {
        key: value for key, value in small.settings.items() if key not in ("width", "height")
    }
    by_hand = engine.upscale(small, seed=5)
    assert by_hand.frames.equal(made.frames)
    several = engine.generate("a red ball bounces", width=128, height=128, num_videos=2, **wishes)
    assert [one.frames.shape for one in several] == [(8, 128, 128, 3)] * 2
    with pytest.raises(RequestError, match="expected 32x32 or 64x64 or 128x128, which this model makes"):
        engine.generate("a red ball", width=96, height=96)


def test_the_progress_of_a_larger_clip_goes_on_while_it_is_made_larger(engine: Engine) -> None:
    share, shares = Advance(), dict[str, list[float]]()

    def hear(moment: Progress) -> None:
        share.hear(moment)
        shares.setdefault(moment.stage, []).append(share.value)

    wishes: Any = {"width": 64, "height": 64, "num_inference_steps": 4, "sound": False, "seed": 1}
    engine.generate("a red ball", on_progress=hear, **wishes)
    assert 0.2 < max(shares["Making the pictures"]) <= 0.4
    larger = shares["Enlarging the pictures"]
    assert min(larger) >= 0.4 and max(larger) > 0.9 and len({*larger}) > 3 and larger == sorted(larger)


def test_sizes_and_where_they_are_made() -> None:
    limits = Limits(width=64, height=64, sizes=((96, 64),), max_upscale_pixels=256 * 256)
    assert limits.larger_sizes == ((128, 128), (192, 128), (256, 256))
    assert limits.made_at((192, 128)) == ((96, 64), 2) and limits.made_at((256, 256)) == ((64, 64), 4)
    assert limits.made_at((96, 64)) == ((96, 64), 1)
    with pytest.raises(ValueError, match="larger_sizes"):
        limits.made_at((130, 128))
    with pytest.raises(ValueError, match=r"Limits.upscale: got 3"):
        Limits(upscale=3)


def test_progress_is_told_and_the_work_can_be_cancelled(engine: Engine) -> None:
    heard: list[Any] = []
    engine.upscale(clip(), factor=4, num_inference_steps=2, on_progress=heard.append)
    steps = [moment.step for moment in heard if moment.stage == "Enlarging the pictures"]
    assert steps == sorted(steps) and steps[-1] == 4 and all(moment.steps in (None, 4) for moment in heard)
    with pytest.raises(Cancelled, match="step 1 of 2"):
        engine.upscale(clip(), num_inference_steps=2, callback_on_step_end=lambda *_: False)
    job = engine.submit_upscale(clip(), num_inference_steps=1)
    assert job.result().frames.shape == (5, 32, 48, 3)


def test_latents_on_disk_come_back_in_order_as_often_as_they_are_read() -> None:
    spool = Spool()
    parts = [torch.randn(1, 4, count, 3, 2) for count in (3, 1, 5)]
    for part in parts:
        spool.add(part)
    for _ in range(2):
        assert all(a.equal(b.half()) for a, b in zip(spool, parts, strict=True))
    one, other = iter(spool), iter(spool)
    assert [next(one).equal(next(other)) for _ in parts] == [True] * 3


def test_the_command_makes_a_film_larger(folder: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    source = film(tmp_path / "film.mp4")
    out = tmp_path / "out.mp4"
    code, said = run(monkeypatch, capsys, "upscale", source, "-o", out, "--steps", 1, "--seed", 2, "--json",
                     "--model", folder)  # fmt: skip
    told = json.loads(said.strip().splitlines()[-1])
    width, height = Footage(source).size
    assert code == 0 and told["seed"] == 2 and Footage(out).size == (2 * width, 2 * height)
    for arguments, words in (
        ([source, "-o", out], "which exists"),
        ([source, "--factor", 3], "expected 2 or 4"),
        ([source, "-o", tmp_path / "x.mp4", "--lossless"], "expected a .mkv"),
        ([tmp_path / "none.mp4"], "got no file"),
        ([tmp_path], "expected"),
    ):
        code, said = run(monkeypatch, capsys, "upscale", *arguments, "--model", folder)
        assert code == 2 and words in said, said
    code, said = run(monkeypatch, capsys, "generate", "a red ball", "--size", "64x64", "--seconds", 0.5, "--no-sound",
                     "-o", tmp_path / "clip.mp4", "--model", folder)  # fmt: skip
    assert code == 0 and Footage(tmp_path / "clip.mp4").size == (64, 64)
    again = tmp_path / "again.mp4"
    code, said = run(monkeypatch, capsys, "generate", "--from", tmp_path / "clip.mp4", "-o", again, "--model", folder)
    assert code == 0 and again.read_bytes() == (tmp_path / "clip.mp4").read_bytes()


def test_the_service_makes_films_larger_as_the_engine_does(
    engine: Engine, remote: RemoteEngine, tmp_path: Path
) -> None:
    source = film(tmp_path / "film.mp4")
    job = remote.upscale(source, num_inference_steps=1, seed=3)
    saved = job.save(tmp_path / "larger.mp4")
    width, height = Footage(source).size
    assert Footage(saved).size == (2 * width, 2 * height) and packets(saved) == packets(source)
    assert (
        saved.read_bytes()
        == engine.upscale(source, num_inference_steps=1, seed=3).save(tmp_path / "own.mp4").read_bytes()
    )
    told = job.told()
    assert told["size"] == f"{2 * width}x{2 * height}" and told["status"] == "completed"
    again = remote.upscale(job, num_inference_steps=1, seed=3)  # a job of the service stands for its film
    assert again.told()["size"] == f"{4 * width}x{4 * height}"
    made = remote.upscale(clip(), num_inference_steps=1, seed=3)
    assert made.frames is not None and made.frames.shape == (5, 32, 48, 3)
    for wishes, said in (({"factor": 3}, "expected 2 or 4"), ({"prompt": "a ball"}, "prompt")):
        with pytest.raises(RequestError, match=said):
            remote.upscale(source, **wishes)
    clips = remote.generate("a red ball", width=64, height=64, seconds=0.5, sound=False)
    assert clips.frames.shape == (8, 64, 64, 3)


def test_a_service_without_the_models_says_so(both: Any, tmp_path: Path) -> None:
    _, plain = both
    with pytest.raises(ModelError, match="upsample"):
        plain.upscale(film(tmp_path / "film.mp4"))


def test_the_bench_measures_larger_pictures_and_says_what_is_lacking(engine: Engine, both: Any) -> None:
    report = measure(engine, prompts=2, parts=("upscale",))
    (part,), ((title, shown),) = report.parts, report.sheets
    assert "bicubic" in title and shown.shape == (8 * 64, 3 * 64, 3)
    for name in ("after the autoencoder", "degraded", "clean"):
        for way in ("bicubic", "upsampler"):
            assert {f"{name}, {way} / {what}" for what in ("PSNR", "sharpness", "squares")} <= set(part.figures)
    assert "generated, upsampler / squares" in part.figures and "generated, upsampler / PSNR" not in part.figures
    assert part.figures["seconds"].value > 0 and "seams, velocities averaged" in part.figures
    lacking = measure(both[0], prompts=2, parts=("upscale",)).parts[0]
    assert "no upsample and no upsample_tae" in lacking.skipped


def test_info_tells_the_larger_sizes(folder: Path, model_folder: Path) -> None:
    lines = dict(overview(folder))
    assert lines["larger"] == "64x64, 128x128 pixels, made of them in 8 steps each time"
    assert "upsample" in lines and "larger" not in dict(overview(model_folder))
