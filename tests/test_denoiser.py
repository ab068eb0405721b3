"""What both transformers share: what a model is told, how it grows, and half the bits of its weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from shard_toy import AUDIO, VIDEO, case
from torch import Tensor, nn

from mediagen.audio.model import AudioConfig, AudioModel
from mediagen.nn.denoiser import Conditions
from mediagen.text.text import Text
from mediagen.train.optim import adamw
from mediagen.video import VideoConfig, VideoModel
from mediagen.weights import load_model, save_model, start_from

NAMES = ("video", "audio")
OLD_VIDEO = VIDEO.replace(beside_channels=0, tasks=0)


def drawn(model: Any) -> Any:
    rng = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2, generator=rng)
    return model.eval()


@torch.no_grad()
def velocity(model: Any, x: Tensor, t: Tensor, told: Conditions, shape: Any) -> Tensor:
    return model(x, t, model.prepare(told, shape))


def grown(old: Any, new: Any, folder: Path) -> list[str]:
    save_model(old, old.config, folder, half=False)
    return start_from(new.eval(), folder)


def with_unheard_words(told: Conditions) -> Conditions:
    """The same, and what a second encoder of width 12 would say, of which nothing is to be read."""
    assert isinstance(told.text, Text)
    words = Text((*told.text.parts, torch.randn(2, 3, 12)), (*told.text.masks, torch.zeros(2, 3, dtype=torch.bool)))
    return replace(told, text=words)


def test_a_grown_video_model_equals_the_old_one_where_nothing_new_is_given(tmp_path: Path) -> None:
    old = drawn(VideoModel(OLD_VIDEO))
    _, x, t, told, shape = case("video")
    plain = replace(told, beside=None, task=None)
    before = velocity(old, x, t, plain, shape)
    new = VideoModel(VIDEO.replace(longest=(5, 4, 6)))
    assert grown(old, new, tmp_path) == ["tasks.table", "tasks.tokens.weight", "tasks.shift.weight"]
    assert new.read.in_features - old.read.in_features == 4 * 4, "four channels beside in each of the four cells"
    assert torch.equal(velocity(new, x, t, plain, shape), before)
    untold = velocity(new, x, t, replace(told, task=torch.tensor([-1, -1])), shape)
    torch.testing.assert_close(untold, before, rtol=1e-6, atol=1e-6)  # keys that are masked may change a rounding
    assert torch.equal(new.positions[2][:4], old.positions[2]) and new.positions[2][4:].any()
    reading = VideoModel(VIDEO.replace(text_widths=(8, 12)))
    assert "text.linears.1.weight" in grown(old, reading, tmp_path)
    torch.testing.assert_close(velocity(reading, x, t, with_unheard_words(plain), shape), before, rtol=1e-6, atol=1e-6)


def test_more_tasks_and_more_channels_beside_leave_those_there_were(tmp_path: Path) -> None:
    old, x, t, told, shape = case("video")
    new = VideoModel(VIDEO.replace(tasks=5, beside_channels=7))
    assert grown(old, new, tmp_path) == []
    assert told.beside is not None
    more = replace(told, beside=nn.functional.pad(told.beside, (0, 0) * 3 + (0, 3)))
    torch.testing.assert_close(velocity(new, x, t, more, shape), velocity(old, x, t, told, shape), rtol=1e-6, atol=1e-6)


def test_a_grown_sound_model_equals_the_old_one(tmp_path: Path) -> None:
    old, x, t, told, shape = case("audio")
    before = velocity(old, x, t, told, shape)
    new = AudioModel(AUDIO.replace(longest=60, picture_taps=7, text_widths=(8, 12)))
    assert all(name.startswith("text.") for name in grown(old, new, tmp_path))
    torch.testing.assert_close(velocity(new, x, t, with_unheard_words(told), shape), before, rtol=1e-6, atol=1e-6)
    without = drawn(AudioModel(AUDIO.replace(picture_taps=0)))
    new = AudioModel(AUDIO)
    assert grown(without, new, tmp_path) == ["follow.weight"]
    assert torch.equal(velocity(new, x, t, told, shape), velocity(without, x, t, told, shape))


@pytest.mark.parametrize(
    ("old", "new", "built"),
    [
        (OLD_VIDEO, OLD_VIDEO.replace(latent_channels=8), ("read.", "write.")),
        (OLD_VIDEO, OLD_VIDEO.replace(patch=(2, 2, 1)), ("read.", "write.")),  # as many cells, in another order
        (AUDIO, AUDIO.replace(latent_channels=8), ("read.", "recall.", "write.")),
    ],
)
def test_weights_start_a_model_of_another_latent(
    old: Any, new: Any, built: tuple[str, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make: Any = VideoModel if isinstance(old, VideoConfig) else AudioModel
    first, second = drawn(make(old)), make(new)
    before = {name: value.clone() for name, value in second.state_dict().items()}
    left = grown(first, second, tmp_path)
    assert set(left) == {name for name in before if name.startswith(built)}
    assert all(name in caplog.text for name in left)
    for name, value in second.state_dict().items():
        assert torch.equal(value, before[name] if name in left else first.state_dict()[name]), name


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (OLD_VIDEO, OLD_VIDEO.replace(hidden=64), r"'blocks.0.mlp.gate.weight' is \(48, 32\) instead of \(64, 32\)"),
        (OLD_VIDEO, OLD_VIDEO.replace(longest=(4, 3, 4)), r"'positions.1' is \(4, 32\) instead of \(3, 32\)"),
        (VIDEO, VIDEO.replace(tasks=2), r"'tasks.table' is \(3, 32\)"),
        (VIDEO, VIDEO.replace(beside_channels=2), r"'read.weight' is \(32, 52\) instead of \(32, 44\)"),
        (VIDEO, VIDEO.replace(text_widths=(9,)), r"'text.linears.0.weight'"),
        (VIDEO, OLD_VIDEO, r"'tasks.table' is unknown"),
        (VIDEO, VIDEO.replace(heads=2), "heads=4, expected heads=2"),  # whose tensors all have the same shapes
        (VIDEO, VIDEO.replace(mixing=False), "mixing"),
        (AUDIO, AUDIO.replace(picture_width=8), "'see.weight'"),
        (AUDIO, AUDIO.replace(depth=3), "depth=2, expected depth=3"),
    ],
)
def test_what_cannot_grow_is_named(old: Any, new: Any, named: str, tmp_path: Path) -> None:
    make: Any = VideoModel if isinstance(old, VideoConfig) else AudioModel
    with pytest.raises(ValueError, match=named):
        grown(make(old), make(new), tmp_path)


@torch.no_grad()
def test_the_task_and_the_latent_beside_are_heard_and_each_sample_has_its_own() -> None:
    model, x, t, told, shape = case("video")
    assert told.beside is not None and told.task is not None
    plain = velocity(model, x, t, told, shape)
    for change in (replace(told, beside=2 * told.beside), replace(told, task=torch.tensor([0, 1]))):
        assert (velocity(model, x, t, change, shape) - plain).abs().amax((1, 2, 3, 4)).min() > 1e-3
    one = replace(told, task=torch.tensor([0, -1]))
    torch.testing.assert_close(velocity(model, x, t, one, shape)[1], plain[1])
    none = velocity(model, x, t, replace(told, task=None), shape)
    torch.testing.assert_close(none[1], plain[1])  # -1 is no task
    rows = model.prepare(told, shape, [0.2, 0.7])
    torch.testing.assert_close(model(x, 0.7, rows), velocity(model, x, torch.full((2,), 0.7), told, shape))
    for matrix in (model.tasks.shift, model.tasks.tokens):
        before = matrix.weight.clone()
        matrix.weight.zero_()
        assert not torch.allclose(velocity(model, x, t, told, shape)[0], plain[0], atol=1e-3)
        matrix.weight.copy_(before)


def test_what_a_model_was_not_built_for_is_refused() -> None:
    _, _, _, told, shape = case("video")
    with pytest.raises(ValueError, match="built without any"):
        VideoModel(OLD_VIDEO).prepare(replace(told, beside=None), shape)
    with pytest.raises(ValueError, match="beside_channels"):
        VideoModel(OLD_VIDEO).prepare(replace(told, task=None), shape)
    with pytest.raises(ValueError, match=r"tasks \[2, 3\].*0 to 2"):
        VideoModel(VIDEO).prepare(replace(told, task=torch.tensor([2, 3])), shape)


@torch.no_grad()
@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_weights_run_and_give_what_float32_gives_in_the_type_of_x(name: str, tmp_path: Path) -> None:
    model, x, t, told, shape = case(name)
    exact = velocity(model, x, t, told, shape)
    save_model(model, model.config, tmp_path, half=False)
    half = load_model(type(model), tmp_path, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in half.parameters()} == {torch.bfloat16}
    found = velocity(half, x, t, told, shape)
    assert found.dtype is torch.float32 and (found - exact).square().mean() < 0.01 * exact.square().mean()


@torch.no_grad()
@pytest.mark.parametrize("name", NAMES)
def test_the_time_is_not_rounded_with_the_weights(name: str) -> None:
    """Two times that bfloat16 tells apart only in what is made of them: their waves are the float32 model's."""
    model = case(name)[0]
    t = torch.tensor([0.501, 0.502])
    exact = model.timestep(t)
    found = model.bfloat16().timestep(t).float()
    assert (found - exact).abs().max() < 0.05 * exact.std() + 0.05 * (exact[0] - exact[1]).abs().max()


@pytest.mark.parametrize("name", NAMES)
def test_what_was_prepared_and_sampled_with_can_still_be_trained_with(name: str) -> None:
    """What the layers remember of a text has no gradients; a training step reads the text anew."""
    model, x, t, told, shape = case(name)
    gradients = []
    for sampled in (False, True):
        model.zero_grad()
        prepared = model.prepare(told, shape)
        if sampled:
            with torch.no_grad():
                model(x, t, prepared)
        model(x, t, prepared).square().mean().backward()
        gradients.append(model.get_parameter("blocks.0.text.key.weight").grad)
    assert gradients[0] is not None and gradients[0].any() and torch.equal(gradients[0], gradients[1])


@torch.no_grad()
def test_positions_reach_every_layer_of_the_pictures() -> None:
    """Through two layers that add nothing come positions once for each: what twice the positions do in one layer."""
    model, x, t, told, shape = case("video")
    for block in model.blocks:
        for matrix in (block.attention.out, block.text.out, block.mlp.down):
            matrix.weight.zero_()
    two = velocity(model, x, t, told, shape)
    model.blocks = model.blocks[:1]
    once = velocity(model, x, t, told, shape)
    for table in model.positions:
        table.mul_(2)
    torch.testing.assert_close(velocity(model, x, t, told, shape), two)
    assert not torch.allclose(once, two, atol=1e-2)


@torch.no_grad()
@pytest.mark.parametrize("name", NAMES)
def test_t_may_be_a_whole_number(name: str) -> None:
    model, x, _, told, shape = case(name)
    assert torch.equal(model(x, 1, model.prepare(told, shape)), model(x, 1.0, model.prepare(told, shape)))


@pytest.mark.parametrize(
    ("config", "values", "named"),
    [
        (VideoConfig, {"width": 100, "heads": 3}, "width=100 and heads=3.*width=120 is one"),
        (VideoConfig, {"width": 36, "heads": 2}, "multiple of 8"),
        (VideoConfig, {"depth": 0}, "depth=0"),
        (VideoConfig, {"patch": (1, 0, 2)}, r"patch=\(1, 0, 2\)"),
        (VideoConfig, {"text_widths": ()}, "text_widths"),
        (VideoConfig, {"tasks": -1}, "tasks=-1"),
        (AudioConfig, {"width": 100, "heads": 3}, "width=100"),
        (AudioConfig, {"latent_channels": 0}, "latent_channels=0"),
        (AudioConfig, {"mlp_ratio": 0.0}, "mlp_ratio"),
    ],
)
def test_sizes_are_checked_at_the_door(config: Any, values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        config(**values)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_without_gradients_shrinks_matrices_and_leaves_vectors_and_their_tables(name: str) -> None:
    model = case(name)[0]
    before = {key: value.clone() for key, value in model.named_parameters()}
    optimiser = adamw(model, (0.9, 0.99), 0.1)
    for group in optimiser.param_groups:
        group["lr"] = 0.1
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    kept = {key for key, value in model.named_parameters() if torch.equal(value, before[key])}
    assert {key for key in kept if key.startswith("positions")} and {"blocks.0.bias", "blocks.1.bias"} <= kept
    assert all(before[key].ndim == 1 or key.split(".")[-1] in ("bias", "table") or "positions" in key for key in kept)
    assert {key for key, value in before.items() if value.ndim == 1} <= kept
