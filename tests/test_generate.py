"""The story of a clip: exact lengths, seeds, what it begins with and goes on from, and what training tells of that."""

from dataclasses import replace

import pytest
import torch
from test_video import SMALL, build, rng

from mediagen.generate import (
    STILL,
    VideoModels,
    Way,
    count_windows,
    decode_frames,
    extend_video,
    generate_video,
    known_start,
)
from mediagen.generator import FlowGenerator
from mediagen.grid import Grid
from mediagen.guidance import cfg
from mediagen.media.clip import to_float
from mediagen.nn.denoiser import Conditions
from mediagen.sampling import euler, linear_quadratic
from mediagen.tae import TAE, TAEConfig
from mediagen.text.text import PRESETS, TextEncoder
from mediagen.train.tasks.video import VideoTask, VideoTaskConfig


def models() -> VideoModels:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tae = TAE(
            TAEConfig(latent_channels=4, widths=(8, 8, 8), encoder_blocks=(0, 0, 0), decoder_blocks=(0, 0, 0))
        ).eval()
        words = TextEncoder(PRESETS["debug"]).eval()
    return VideoModels(FlowGenerator(words, build(SMALL.replace(text_widths=words.widths))), tae)


def test_a_clip_has_exactly_its_frames_and_a_seed_is_a_clip() -> None:
    made, grid = models(), Grid.of(1.0, (32, 32), 13)
    latents = [made.generator.latents(["a red ball"], grid, rng=rng(seed), steps=3, scale=3.0) for seed in (0, 0, 1)]
    assert torch.equal(latents[0], latents[1]) and not torch.equal(latents[0], latents[2])
    assert decode_frames(made, latents[0], grid.frames).shape == (1, 13, 32, 32, 3)


def test_a_batch_of_prompts_is_the_clips_one_by_one() -> None:
    made, grid = models(), Grid.of(1.0, (32, 32), 16)
    both = made.generator.latents(["a red ball", "a blue cube by the sea"], grid, rng=rng(), steps=3, scale=3.0)
    noise = torch.randn(2, 4, *grid.latent, generator=rng())
    flow = made.generator
    assert isinstance(flow, FlowGenerator)
    prepared = flow.video.prepare(Conditions(text=flow.text.encode(["FPS-16 a red ball", ""])), grid.latent)
    x = noise[:1]
    alone = euler(cfg(flow.video, prepared, 3.0), x, linear_quadratic(3))
    assert torch.allclose(both[:1], alone, atol=1e-3)


def test_a_training_of_models_that_do_not_fit_is_refused_before_clips_are_encoded(tmp_path) -> None:
    made = models()
    assert isinstance(made.generator, FlowGenerator)
    with pytest.raises(ValueError, match=r"widths \(32,\).*expected \(8, 12\)"):
        VideoTask(build(), made.tae, made.generator.text, VideoTaskConfig(), tmp_path / "cache")
    assert not list(tmp_path.iterdir())


def test_a_picture_or_a_clips_end_becomes_what_is_known() -> None:
    made, grid = models(), Grid.of(1.0, (32, 32), 24)
    frames = torch.randint(0, 255, (20, 32, 32, 3), dtype=torch.uint8, generator=rng())
    told = known_start(made.tae, frames[:1], grid)
    assert told.known is not None and told.clean is not None
    assert told.known.shape == (1, 4, 3, 4, 4) and told.clean[0, 0, :, 0, 0].tolist() == [STILL, 0, 0]
    told = known_start(made.tae, frames, grid)
    assert told.clean is not None and told.clean[0, 0, :, 0, 0].tolist() == [1, 1, 0]
    with pytest.raises(ValueError, match="frames to begin"):
        known_start(made.tae, frames[:5], grid)


def test_clips_made_together_are_those_made_alone() -> None:
    """Each has the noise of its own seed, and begins with the picture that all are given."""
    made, grid = models(), Grid.of(0.5, (32, 32), 16)
    picture = torch.randint(0, 255, (1, 32, 32, 3), dtype=torch.uint8, generator=rng())
    many = {"way": Way(steps=2), "begin": picture}
    both = generate_video(made, "a red ball", grid, rngs=[rng(1), rng(2)], **many)
    alone = [generate_video(made, "a red ball", grid, rngs=[rng(seed)], **many) for seed in (1, 2)]
    assert both.shape == (2, 8, 32, 32, 3) and not torch.equal(both[0], both[1])
    assert (both.float() - torch.cat(alone).float()).abs().max() <= 1


class Noise:
    """A generator of clips that are nothing but the noise they would be made from, which it keeps."""

    patch = (1, 1, 1)

    def __init__(self) -> None:
        self.drawn: list[torch.Tensor] = []
        self.told: list[Conditions | None] = []

    def latents(self, prompts, grid, *, rng, steps, scale, negative="", conditions=None, on_step=None):
        each = [torch.randn(1, 4, *grid.latent, generator=own) for own in rng]
        self.drawn.append(torch.cat(each))
        self.told.append(conditions)
        for index in range(steps):
            if on_step is not None:
                on_step(index, (index + 1) / steps, self.drawn[-1])
        return self.drawn[-1]


@pytest.mark.parametrize(("longest", "count"), [(16, 20), (8, 20), (2, 3), (24, 1)])
def test_a_clip_goes_on_by_exactly_its_frames_in_windows_of_their_own_noise(longest: int, count: int) -> None:
    """Also where the longest clip is one latent frame, of which the first frame is known; by any generator."""
    noise, steps = Noise(), []
    made = VideoModels(noise, models().tae)
    frames = torch.randint(0, 255, (10, 32, 32, 3), dtype=torch.uint8, generator=rng())
    grid = made.grid(longest / 16, (32, 32), 16)
    longer = extend_video(
        made, frames, "it falls", grid, count, rng=rng(), way=Way(steps=2), on_step=lambda i, t, x: steps.append(i)
    )
    assert len(longer) == 10 + count and torch.equal(longer[:10], frames)
    assert steps == list(range(2 * count_windows(grid, count))) and len(noise.drawn) == count_windows(grid, count)
    for number, first in enumerate(noise.drawn):
        assert all((first - other).abs().min() > 0 for other in noise.drawn[:number])
    for told in noise.told:
        assert (
            told is not None and told.clean is not None and told.clean[:, :, 0].min() == (1 if longest > 8 else STILL)
        )


def test_a_clip_of_one_frame_cannot_go_on() -> None:
    made = VideoModels(Noise(), models().tae)
    with pytest.raises(ValueError, match="windows of 1 frame"):
        extend_video(
            made, torch.zeros(1, 32, 32, 3).byte(), "", made.grid(1 / 16, (32, 32), 16), 4, rng=rng(), way=Way()
        )


def test_the_solver_adds_up_in_float32_whatever_the_weights_are() -> None:
    made, grid = models(), Grid.of(0.5, (32, 32), 16)
    flow = made.generator
    assert isinstance(flow, FlowGenerator)
    exact = flow.latents(["a red ball"], grid, rng=rng(), steps=4)
    flow.video.bfloat16()
    flow.text.bfloat16()
    seen = []
    half = flow.latents(["a red ball"], grid, rng=rng(), steps=4, on_step=lambda i, t, x: seen.append(x.dtype))
    assert half.dtype is torch.float32 and set(seen) == {torch.float32}
    assert (half - exact).square().mean() < 0.02 * exact.square().mean()


def test_what_is_known_is_the_end_of_the_clip() -> None:
    made, grid = models(), Grid.of(1.0, (32, 32), 24)
    frames = torch.randint(0, 255, (20, 32, 32, 3), dtype=torch.uint8, generator=rng())
    told = known_start(made.tae, frames, grid)
    with torch.no_grad():
        end = made.tae.encode(to_float(frames[4:][None]))  # the last two whole latent frames
    assert told.known is not None and torch.equal(told.known[:, :, :2], end)


@pytest.mark.parametrize(("latent_frames", "way"), [(8, "decode"), (9, "decode_tiled")])
def test_long_clips_are_decoded_in_tiles(latent_frames: int, way: str) -> None:
    called = []

    class Decoder:
        def decode(self, latent, frames: int | None = None):
            called.append("decode")
            return torch.zeros(1, 3, frames or 0, 8, 8)

        def decode_tiled(self, latent, frames: int | None = None):
            called.append("decode_tiled")
            return torch.zeros(1, 3, frames or 0, 8, 8)

    made = replace(models(), decoder=Decoder())
    assert decode_frames(made, torch.zeros(1, 4, latent_frames, 1, 1), 5).shape == (1, 5, 8, 8, 3)
    assert called == [way]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> VideoTask:
    made = models()
    assert isinstance(made.generator, FlowGenerator)
    config = VideoTaskConfig(size=(32, 32), seconds=1.5, clips=3, batch=48, images=0.0, drop=0.25)
    flow = made.generator
    return VideoTask(flow.video, made.tae, flow.text, config, tmp_path_factory.mktemp("cache"))


def test_training_gives_a_first_picture_just_as_generation_does(task: VideoTask) -> None:
    task.config, config = task.config.replace(still=1.0, past=0.0), task.config
    batch = task.batch(0, 0, 1)
    task.config = config
    picture = torch.zeros(1, 32, 32, 3, dtype=torch.uint8)
    told = known_start(task.tae, picture, Grid.of(1.5, (32, 32), 16.0))
    assert told.clean is not None and told.clean.shape[2:] == batch.clean.shape[2:]
    assert torch.equal(batch.clean, told.clean.expand_as(batch.clean))
    firsts = {tuple(still.float().flatten().tolist()) for still in task.stills[:, :, 0]}
    assert all(tuple(known.flatten().tolist()) in firsts for known in batch.known[:, :, 0])


@pytest.mark.parametrize("written", [0, 2])
def test_a_share_of_the_captions_is_dropped(task: VideoTask, written: int, tmp_path) -> None:
    """Of 4 x 48 captions about a quarter is what the encoder makes of no words, by either way of telling them."""
    if written:
        config = task.config.replace(captions_per_clip=written)
        task = VideoTask(task.model, task.tae, task.text, config, tmp_path)  # type: ignore[arg-type]
    nothing = task.text.encode([""])
    texts = [task.batch(step, 0, 1).text for step in range(4)]
    words = int(nothing.masks[0].sum())
    dropped = [
        int(mask.sum()) == words and torch.allclose(part[:words], nothing.parts[0][0, :words], atol=1e-4)
        for text in texts for part, mask in zip(text.parts[0], text.masks[0], strict=True)
    ]  # fmt: skip
    assert 0.12 < sum(dropped) / len(dropped) < 0.4
