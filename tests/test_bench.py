"""What the bench says of engines whose worth is known: one that shows the truth, and one that shows nothing."""

import json
import math
import shutil
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mediagen.audio.judge.scorer import PRESETS, SoundScorer
from mediagen.generate import VideoModels
from mediagen.generator import FlowGenerator
from mediagen.judge.recogniser import truth
from mediagen.judge.whole_objects import smallest_area
from mediagen.media.clip import Clip
from mediagen.nn.denoiser import Conditions
from mediagen.sdk.bench import measure as bench
from mediagen.sdk.bench.figures import Figure, Part, mean, share
from mediagen.sdk.bench.films import measure_films, measure_gaps, measure_layers
from mediagen.sdk.bench.pictures import Asked, draw_prompts, grid_of, measure_pictures, measure_schedule
from mediagen.sdk.bench.sound import contacts_seen, measure_seen_sync, measure_sync
from mediagen.sdk.bench.speed import measure_step, transformer_flops
from mediagen.sdk.engine import Engine
from mediagen.sdk.models.limits import Limits
from mediagen.tae import TAE, TAEConfig
from mediagen.text.text import TextEncoder
from mediagen.video import VideoConfig, VideoModel
from mediagen.weights import save_model
from mediagen.world.draw import render
from mediagen.world.motion import contacts
from mediagen.world.scene import is_held_out
from mediagen.world.sounds import synthesise

LIMITS = Limits(seconds=1.0)


class Oracle:
    """A recogniser that knows the truth of the clips it was told of, and says "nothing" of others."""

    def __init__(self, asked: list[Asked]) -> None:
        frames = render([one.scene for one in asked])
        self.known = {clip.numpy().tobytes(): truth(one.scene) for clip, one in zip(frames, asked, strict=True)}
        self.nothing = dict.fromkeys(truth(asked[0].scene), "nothing")

    def judge(self, frames: Tensor) -> tuple[list[dict[str, str]], Tensor]:
        names = [self.known.get(clip.numpy().tobytes(), self.nothing) for clip in frames]
        return names, frames[:, ::4, ::16, ::16].flatten(1)[:, :8].float()


class Folder:
    fingerprint = "fake"

    def __init__(self, **models: Any) -> None:
        self.models, self.device, self.edits = models, torch.device("cpu"), self

    def has(self, name: str) -> bool:
        return name in self.models

    def get(self, name: str) -> Any:
        return self.models[name]


class Fake:
    """An engine that pictures its prompts perfectly, or (blind) as grey noise."""

    def __init__(self, asked: list[Asked], blind: bool = False) -> None:
        self.limits, self.blind = LIMITS, blind
        self.models = Folder(recogniser=Oracle(asked))
        self.scenes = {one.prompt: one.scene for one in asked}

    def generate(self, prompt: str, *, seed: int, sound: bool) -> Clip:
        frames = render([self.scenes[prompt]])[0]
        if self.blind:
            rng = torch.Generator().manual_seed(seed)
            frames = torch.randint(90, 160, frames.shape, generator=rng, dtype=torch.uint8)
        return Clip(frames=frames, caption=prompt)


def test_prompts_are_of_the_splits_they_say_and_do_not_depend_on_their_number() -> None:
    asked = draw_prompts(20, LIMITS, seed=3)
    assert [one.prompt for one in asked[:7]] == [one.prompt for one in draw_prompts(7, LIMITS, seed=3)]
    assert [one.split for one in asked].count("held-out") == 4
    for one in asked:
        thing = one.scene.things[0]
        assert one.split == "test" or is_held_out(thing.kind, thing.colour, one.scene.place)
        assert {"place", "kind", "colour"} <= one.said


@pytest.mark.parametrize("blind", [False, True])
def test_a_perfect_engine_scores_all_and_a_blind_one_nothing(blind: bool) -> None:
    asked = draw_prompts(10, LIMITS, seed=1)
    part, clips = measure_pictures(cast(Engine, Fake(asked, blind)), asked)
    figures, wanted = part.figures, 0.0 if blind else 1.0
    assert [clip.caption for clip in clips] == [one.prompt for one in asked]
    assert figures["generated / place"].value == figures["generated, held-out triples / all of it"].value == wanted
    assert figures["generated / motion"].count == sum("motion" in one.said for one in asked)
    assert abs(figures["generated / one object"].value - wanted) <= 0.2
    assert figures["true renders / all of it"].value == 1.0
    floor = figures["true renders / Fréchet"].value
    distance = figures["generated / Fréchet"].value
    assert distance > 1.5 * floor if blind else distance == floor


def test_report_is_written_whole_and_says_what_could_not_be_measured(tmp_path: Path) -> None:
    asked = draw_prompts(2, LIMITS)
    report = bench.measure(cast(Engine, Fake(asked)), prompts=2, out=tmp_path)
    stored = json.loads((tmp_path / "bench.json").read_text())
    assert [part["skipped"] != "" for part in stored["parts"]] == [True] * len(bench.PARTS)
    assert "no prompt" in stored["parts"][0]["skipped"]
    report.parts.append(Part("<b>", {"nothing": Figure(math.nan), "half": share([True, False])}))
    report.sheets.append(("Sheet", torch.zeros(4, 4, 3, dtype=torch.uint8)))
    text = report.write(tmp_path).read_text()
    assert "&lt;b&gt;" in text and "data:image/png;base64," in text and "50.0 %" in text
    assert json.loads((tmp_path / "bench.json").read_text())["parts"][-1]["figures"]["nothing"]["value"] is None
    assert report.table().row_count == len(bench.PARTS) + 2 and not list(tmp_path.glob("*.tmp"))
    with pytest.raises(ValueError, match="expected at least 1"):
        bench.measure(cast(Engine, Fake(asked)), parts=["picture"])


def test_means_leave_out_what_is_not_finite_and_say_so() -> None:
    figure = mean([1.0, 3.0, math.inf], "dB")
    assert (figure.value, figure.count) == (2.0, 2) and "1 not finite" in figure.note
    assert figure.low == pytest.approx(2 - 1.96) and math.isnan(share([]).value)


def test_contacts_are_seen_where_things_strike_the_ground() -> None:
    limits = Limits()
    asked = [one for one in draw_prompts(60, limits) if one.scene.things[0].colour not in ("white", "black")]
    bounces = [one for one in asked if one.scene.things[0].motion == "bounces"][:4]
    others = [one for one in asked if not contacts(one.scene)][:6]

    def seen(one: Asked) -> list[float]:
        thing, frames = one.scene.things[0], render([one.scene])[0]
        return contacts_seen(frames, thing.colour, one.scene.fps, smallest_area(thing.size))

    for one in bounces:
        true = [contact.time for contact in contacts(one.scene) if contact.time < limits.seconds - 0.1]
        found = seen(one)
        assert sum(any(abs(a - b) < 0.08 for b in found) for a in true) >= len(true) - 1 and len(found) <= len(true) + 1
    assert sum(bool(seen(one)) for one in others) <= 1


def test_sound_in_time_beats_sound_of_other_clips() -> None:
    asked = [one for one in draw_prompts(60, Limits()) if contacts(one.scene)][:6]
    scenes = {one.prompt: one.scene for one in asked}
    part = measure_sync(lambda clip, prompt, seed: synthesise(scenes[prompt]), asked, (64, 64))
    figures = part.figures
    assert figures["onset F1"].value == figures["onset F1, the world's own sound"].value > 0.8
    assert figures["onset F1, shuffled clips"].value < 0.6
    clips = [Clip(frames=render([one.scene])[0], sound=synthesise(one.scene)) for one in asked]
    seen = measure_seen_sync(clips, asked).figures
    assert seen["onset F1"].value > 0.6 > seen["onset F1, shuffled clips"].value
    assert seen["F1 of the tracker on true renders"].value > 0.6
    assert measure_sync(lambda *_: torch.zeros(1, 96_000), asked[:1], (64, 64)).skipped


@pytest.fixture(scope="module")
def tiny() -> VideoModels:
    torch.manual_seed(0)
    text = TextEncoder.from_preset("debug").eval()
    config = VideoConfig(width=32, depth=2, heads=2, hidden=64, text_widths=text.widths, mixing=True)
    video = VideoModel(config).eval()
    nn.init.normal_(video.write.weight, std=0.3)  # a fresh model predicts 0, which every schedule integrates alike
    tae = TAE(TAEConfig(widths=(8, 8, 16))).eval()
    return VideoModels(FlowGenerator(text, video), tae)


def test_finer_schedules_come_closer_to_the_reference(tiny: VideoModels) -> None:
    limits = Limits(seconds=0.5)
    figures = measure_schedule(tiny, draw_prompts(1, limits), limits).figures
    assert 0 < figures["RMSE, 250 uniform"].value < figures["RMSE, 50 uniform"].value


def test_operations_agree_with_a_counter_and_steps_are_timed(tiny: VideoModels) -> None:
    limits, flow = Limits(seconds=0.5), tiny.generator
    assert isinstance(flow, FlowGenerator)
    config = flow.video.config
    grid = grid_of(tiny, limits)
    text = flow.text.encode(["a red ball"])
    prepared = flow.video.prepare(Conditions(text=text), grid.latent, [0.5])
    with torch.no_grad():
        flow.video(
            torch.zeros(1, 16, *grid.latent), 0.5, prepared
        )  # the first step of a request reads the text as well
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        flow.video(torch.zeros(1, 16, *grid.latent), 0.5, prepared)
    length = text.parts[0].shape[1]
    ends = (
        2 * grid.tokens * config.width * 4 * (2 * 16 + 1 + 16)
    )  # reading and writing patches, which the formula omits
    formula = transformer_flops(grid.tokens, config.width, config.depth, config.hidden, 3, length)
    assert counter.get_total_flops() == pytest.approx(formula + ends, rel=0.02)
    part = measure_step(tiny, limits)
    assert part.figures["sampling step"].value > part.figures["sampling step, floor"].value


def test_parts_run_on_real_models_and_say_which_model_they_lack(model_folder: Path, tmp_path: Path) -> None:
    engine = Engine.from_pretrained(model_folder, device="cpu")
    heard: list[str] = []
    parts = ("pictures", "autoencoder", "codec", "sound", "speed")
    report = bench.measure(engine, 6, tmp_path, parts, progress=lambda stage, done, of: heard.append(stage))
    found = {part.title: part for part in report.parts}
    assert "no recogniser" in found["Pictures"].skipped and "Sounding generated clips" in heard
    assert found["Autoencoder"].figures["PSNR"].count == 6 and found["Sound codec"].figures["SI-SDR"].count == 6
    stages = found["Speed"].figures
    assert "Making the pictures" in stages and stages["whole clip"].value > stages["Making the pictures"].value
    assert found["Sound in time, true pictures"].figures["onset F1, the world's own sound"].value > 0.5


def test_long_films_gaps_and_layers_are_measured(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "models")
    save_model(SoundScorer(PRESETS["debug"]).eval(), PRESETS["debug"], tmp_path / "models" / "sound_scorer")
    engine = Engine.from_pretrained(tmp_path / "models", device="cpu")
    segments, blend, uniform = measure_films(engine, 1, 0.3, 2)
    assert [part.title for part in (segments, blend, uniform)] == [
        "Long sound, segments", "Long sound, blend, triangle", "Long sound, blend, uniform"
    ]  # fmt: skip
    for part in (segments, blend, uniform):
        assert {"onset F1", "onset F1, impacts moved", "seconds for a second"} <= set(part.figures)
        assert part.figures["log-spectral distance at joints"].value > 0
        assert 0 <= part.figures["onset F1"].value < 0.5, "weights by chance hear nothing"
    gaps = measure_gaps(engine, 1, 2).figures
    assert gaps["the rest is the same, to the sample"].value == 1 and gaps["seam energy at joints"].count == 2
    layers = measure_layers(engine, 2, 1).figures
    assert layers["effects alone: no music"].count == layers["the world's music: no effects"].count == 2
