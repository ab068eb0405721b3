"""The video model: counts of the report, exact accelerations, conditioning on what is known; the story of a clip."""

import pytest
import torch

from mediagen.generate import STILL, VideoModels, Way, count_windows, decode_frames, extend_video, known_start
from mediagen.generator import FlowGenerator
from mediagen.grid import Grid
from mediagen.guidance import cfg
from mediagen.nn.denoiser import Conditions
from mediagen.nn.transformer import Attention, RMSNorm, mixer
from mediagen.tae import TAE, TAEConfig
from mediagen.text.text import PRESETS, Text, TextEncoder
from mediagen.train.tasks.video import VideoTask, VideoTaskConfig
from mediagen.video import VideoConfig, VideoModel

SMALL = VideoConfig(
    latent_channels=4, width=32, depth=2, heads=2, hidden=48, text_widths=(8, 12), longest=(4, 4, 4), mixing=True
)
SHAPE = (2, 4, 4)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def build(config: VideoConfig = SMALL) -> VideoModel:
    """A model whose every parameter matters: those that start at zero are drawn."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VideoModel(config).eval()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    return model


def text(batch: int = 2) -> Text:
    parts = tuple(torch.randn(batch, 5, width, generator=rng(width)) for width in (8, 12))
    masks = tuple(torch.arange(5) < torch.tensor([[5], [3]])[:batch] for _ in parts)
    return Text(parts, masks)


@pytest.mark.parametrize(("preset", "billions"), [("30b", 28.99), ("5b", 4.83)])
def test_presets_count_as_published(preset: str, billions: float) -> None:
    with torch.device("meta"):
        model = VideoModel.from_preset(preset)
    count = sum(parameter.numel() for parameter in model.blocks.parameters()) / 1e9
    assert count == pytest.approx(billions, rel=0.01)


def test_the_reports_clip_fits_the_30b_positions() -> None:
    grid = Grid.of(16, (768, 768), 16)
    longest = VideoModel.PRESETS["30b"].longest
    assert grid.tokens == 73_728 and all(n <= most for n, most in zip((32, 48, 48), longest, strict=True))


@torch.no_grad()
def test_rows_computed_once_equal_rows_computed_each_step() -> None:
    model, x = build(), torch.randn(2, 4, *SHAPE, generator=rng())
    once, each = model.prepare(Conditions(text=text()), SHAPE, [0.25]), model.prepare(Conditions(text=text()), SHAPE)
    a, b = model(x, 0.25, once), model(x, torch.full((2,), 0.25), each)
    assert torch.allclose(a, b, atol=1e-5)


@torch.no_grad()
def test_batched_guidance_equals_two_plain_forwards() -> None:
    model, x = build(), torch.randn(1, 4, *SHAPE, generator=rng())
    both = text()
    batched = cfg(model, model.prepare(Conditions(text=both), SHAPE, [0.5]), 4.0)(x, 0.5)
    prompt, null = (
        model(x, torch.tensor([0.5]), model.prepare(Conditions(text=both[i : i + 1]), SHAPE)) for i in (0, 1)
    )
    assert torch.allclose(batched, null + 4.0 * (prompt - null), atol=1e-5)


@torch.no_grad()
def test_padding_of_the_text_changes_nothing() -> None:
    model, x = build(), torch.randn(1, 4, *SHAPE, generator=rng())
    short = text()[1:]
    cut = Text(tuple(part[:, :3] for part in short.parts), tuple(mask[:, :3] for mask in short.masks))
    assert torch.allclose(
        model(x, 0.5, model.prepare(Conditions(text=short), SHAPE)),
        model(x, 0.5, model.prepare(Conditions(text=cut), SHAPE)),
        atol=1e-5,
    )


@torch.no_grad()
def test_the_text_the_time_and_what_is_known_all_matter_and_unknown_cells_do_not() -> None:
    model, x = build(), torch.randn(1, 4, *SHAPE, generator=rng())
    one, known = text()[:1], torch.randn(1, 4, *SHAPE, generator=rng(5))
    clean = torch.zeros(1, 1, *SHAPE)
    clean[:, :, 0] = 1
    plain = model(x, 0.5, model.prepare(Conditions(text=one), SHAPE))
    assert not torch.allclose(plain, model(x, 0.5, model.prepare(Conditions(text=text()[1:]), SHAPE)), atol=1e-4)
    assert not torch.allclose(plain, model(x, 0.6, model.prepare(Conditions(text=one), SHAPE)), atol=1e-4)
    given = model(x, 0.5, model.prepare(Conditions(text=one, known=known, clean=clean), SHAPE))
    assert not torch.allclose(plain, given, atol=1e-4)
    other = known.clone()
    other[:, :, 1] = 9.0
    assert torch.equal(given, model(x, 0.5, model.prepare(Conditions(text=one, known=other, clean=clean), SHAPE)))


def test_a_fresh_model_ignores_what_is_known() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VideoModel(SMALL)
    torch.nn.init.normal_(model.write.weight)
    x, known, clean = torch.randn(1, 4, *SHAPE), torch.randn(1, 4, *SHAPE), torch.ones(1, 1, *SHAPE)
    one = text()[:1]
    assert torch.equal(
        model(x, 0.5, model.prepare(Conditions(text=one), SHAPE)),
        model(x, 0.5, model.prepare(Conditions(text=one, known=known, clean=clean), SHAPE)),
    )


def test_too_large_a_latent_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        build().prepare(Conditions(text=text()), (5, 4, 4))
    with pytest.raises(ValueError, match="multiples"):
        build().prepare(Conditions(text=text()), (2, 3, 4))


def test_the_norms_backward_is_the_true_gradient() -> None:
    norm = RMSNorm(6).double()
    x, scale, shift = (
        torch.randn(2, n, 6, dtype=torch.double, generator=rng(i), requires_grad=True) for i, n in enumerate((3, 1, 1))
    )
    assert torch.autograd.gradcheck(lambda *args: norm(*args), (x, scale, shift))
    rms = x.square().mean(-1, keepdim=True).add(1e-6).sqrt()
    assert torch.allclose(norm(x, scale, shift), x / rms * (1 + scale) + shift)


def test_the_norms_backward_takes_an_input_narrower_than_its_gain() -> None:
    norm, x = RMSNorm(8), torch.randn(2, 3, 8, generator=rng())
    norm(x.bfloat16()).square().sum().backward()
    narrow, norm.weight.grad = norm.weight.grad, None
    norm(x).square().sum().backward()
    wide = norm.weight.grad
    assert narrow is not None and wide is not None and torch.allclose(narrow, wide, rtol=0.05, atol=0.05)


def test_mixing_brings_neighbours_and_its_backward_is_the_true_gradient() -> None:
    mix = mixer((2, 2, 3))
    x = torch.randn(1, 12, 8, dtype=torch.double, generator=rng(), requires_grad=True)
    assert torch.autograd.gradcheck(lambda y: mix(y), (x,))
    cube, mixed = x.view(2, 2, 3, 8), mix(x).view(2, 2, 3, 8)
    assert torch.equal(mixed[0, :, :, 0], cube[1, :, :, 0]) and torch.equal(mixed[1, :, :, 0], cube[1, :, :, 0])
    assert torch.equal(mixed[:, :, 1:, 5], cube[:, :, :-1, 5]) and torch.equal(mixed[:, :, 0, 5], cube[:, :, 0, 5])
    assert torch.equal(mixed[..., 6:], cube[..., 6:])


def test_attention_can_be_swapped_from_outside() -> None:
    attention, seen = Attention(8, 2), []

    def spy(query, key, value, mask):
        seen.append(query.shape)
        return value

    attention.attend = spy
    attention(torch.randn(1, 3, 8))
    assert seen == [(1, 2, 3, 4)]


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
    from mediagen.sampling import euler, linear_quadratic

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


class Noise:
    """A generator of clips that are nothing but the noise they would be made from, which it keeps."""

    patch = (1, 1, 1)

    def __init__(self) -> None:
        self.drawn: list[torch.Tensor] = []
        self.told: list[Conditions | None] = []

    def latents(self, prompts, grid, *, rng, steps, scale, negative="", conditions=None, on_step=None):
        self.drawn.append(torch.randn(len(prompts), 4, *grid.latent, generator=rng))
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


def test_a_model_that_sampled_in_inference_mode_can_be_trained() -> None:
    x = torch.randn(1, 30, 8)
    with torch.inference_mode():
        mixer((2, 3, 5))(x)
    x.requires_grad_()
    mixer((2, 3, 5))(x).sum().backward()
    assert x.grad is not None and x.grad.sum() == x.numel()


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
