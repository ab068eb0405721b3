"""The video model: counts of the report, exact accelerations, conditioning on what is known."""

import pytest
import torch

from mediagen.grid import Grid
from mediagen.guidance import cfg
from mediagen.nn.denoiser import Conditions
from mediagen.nn.transformer import Attention, RMSNorm, mixer
from mediagen.text.text import Text
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


@torch.no_grad()
def test_a_model_is_told_where_the_latent_is_known_also_where_that_is_zero() -> None:
    model, x, one = build(), torch.randn(1, 4, *SHAPE, generator=rng()), text()[:1]
    black = Conditions(text=one, known=torch.zeros_like(x), clean=torch.ones(1, 1, *SHAPE))
    plain = model(x, 0.5, model.prepare(Conditions(text=one), SHAPE))
    assert not torch.allclose(model(x, 0.5, model.prepare(black, SHAPE)), plain, atol=1e-3)


@torch.no_grad()
def test_every_token_has_the_position_of_its_own_frame_row_and_column() -> None:
    model = build()
    positions = model.prepare(Conditions(text=text()), (3, 4, 8)).positions.view(3, 2, 4, -1)
    frames, rows, columns = model.positions
    for frame, row, column in ((0, 1, 3), (2, 0, 1), (1, 1, 0)):
        assert torch.allclose(positions[frame, row, column], frames[frame] + rows[row] + columns[column])


@torch.no_grad()
def test_what_is_read_from_a_cell_is_written_to_that_cell() -> None:
    """With maps that copy and layers that add nothing, the latent comes back, each token divided by its own size."""
    model = build(SMALL.replace(patch=(2, 2, 2), mixing=False))
    for parameter in (*model.blocks.parameters(), *model.positions, model.read.weight, model.read.bias):
        parameter.zero_()
    for parameter in (model.write.weight, model.write.bias):
        parameter.zero_()
    model.norm.weight.fill_(1)
    for cell in range(8):
        for channel in range(4):
            model.read.weight[cell * 4 + channel, cell * model.config.read_channels + channel] = 1
            model.write.weight[cell * 4 + channel, cell * 4 + channel] = 1
    x = torch.randn(1, 4, 4, 2, 6, generator=rng())
    out = model(x, 0.5, model.prepare(Conditions(text=text()[:1]), (4, 2, 6)))
    tokens = x.view(
        1, 4, 2, 2, 1, 2, 3, 2
    )  # channels; two frames in each of two, two rows in one, two columns in three
    size = tokens.square().sum((1, 3, 5, 7), keepdim=True).div(32).sqrt()  # of the width 32
    assert torch.allclose(out, (tokens / size).view_as(x), atol=1e-3)


@torch.no_grad()
def test_mixing_is_part_of_the_model_where_its_config_asks_for_it() -> None:
    x, told = torch.randn(1, 4, *SHAPE, generator=rng()), Conditions(text=text()[:1])
    mixed, plain = build(), build(SMALL.replace(mixing=False))
    plain.load_state_dict(mixed.state_dict())
    assert not torch.allclose(
        mixed(x, 0.5, mixed.prepare(told, SHAPE)), plain(x, 0.5, plain.prepare(told, SHAPE)), atol=1e-3
    )


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


def test_a_model_that_sampled_in_inference_mode_can_be_trained() -> None:
    x = torch.randn(1, 30, 8)
    with torch.inference_mode():
        mixer((2, 3, 5))(x)
    x.requires_grad_()
    mixer((2, 3, 5))(x).sum().backward()
    assert x.grad is not None and x.grad.sum() == x.numel()
