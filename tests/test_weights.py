import json
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from mediagen.config import Config
from mediagen.nn.transformer import Attention, CrossAttention, SwiGLU
from mediagen.weights import load_model, load_weights, save_model, save_tensors, start_from


@dataclass(frozen=True, kw_only=True)
class PairConfig(Config):
    width: int = 4


class Pair(nn.Module):
    Config = PairConfig
    count: torch.Tensor
    scale: torch.Tensor

    def __init__(self, config: PairConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Linear(config.width, config.width)
        self.tied = nn.Linear(config.width, config.width, bias=False)
        self.tied.weight = self.first.weight
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("scale", torch.ones(config.width))


@pytest.fixture
def saved(tmp_path):
    pair = Pair(PairConfig(width=6))
    pair.count += 70_000
    pair.scale *= 0.125
    save_model(pair, pair.config, tmp_path)
    return pair, tmp_path


def test_a_model_comes_back_with_its_config_buffers_and_ties(saved):
    pair, folder = saved
    state = torch.random.get_rng_state()
    back = load_model(Pair, folder)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert back.config == PairConfig(width=6) and not back.training
    assert torch.equal(back.first.weight, pair.first.weight.half().float()) and back.first.weight.dtype == torch.float32
    assert back.tied.weight is back.first.weight
    assert back.count == 70_000 and torch.equal(back.scale, pair.scale)


def test_without_half_every_bit_comes_back(tmp_path):
    pair = Pair(PairConfig())
    save_model(pair, pair.config, tmp_path, half=False)
    assert torch.equal(load_model(Pair, tmp_path).first.weight, pair.first.weight)


def test_what_float16_cannot_hold_is_stored_whole(tmp_path):
    pair = Pair(PairConfig())
    pair.scale *= 1e6
    save_model(pair, pair.config, tmp_path)
    assert torch.equal(load_model(Pair, tmp_path).scale, pair.scale)


def test_equal_models_give_equal_bytes_and_no_temporary_file_stays(saved, tmp_path_factory):
    pair, folder = saved
    other = save_model(pair, pair.config, tmp_path_factory.mktemp("other"))
    assert (other / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "config.json"}


@pytest.mark.parametrize("place", [0, 5, 40, -200, -1])
def test_any_damaged_byte_is_one_clear_error(saved, place):
    _, folder = saved
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[place] ^= 0x11
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model.safetensors: got a damaged file.*restore"):
        load_model(Pair, folder)


def test_a_file_cut_short_or_missing_is_one_clear_error(saved):
    _, folder = saved
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ValueError, match="damaged"):
        load_model(Pair, folder)
    path.unlink()
    with pytest.raises(ValueError, match="got no weights at"):
        load_model(Pair, folder)
    (folder / "config.json").unlink()
    with pytest.raises(ValueError, match="got no config at"):
        load_model(Pair, folder)


def test_weights_of_another_shape_are_refused_and_change_nothing(saved):
    _, folder = saved
    small = Pair(PairConfig(width=4))
    before = small.first.weight.clone()
    with pytest.raises(ValueError, match=r"'first.weight' is \(6, 6\) instead of \(4, 4\)"):
        load_weights(small, folder)
    assert torch.equal(small.first.weight, before)


def test_missing_and_unknown_tensors_are_named(saved):
    _, folder = saved
    with pytest.raises(ValueError, match=r"'0.weight' is missing.*and \d more"):
        load_weights(nn.Sequential(nn.Linear(6, 6)), folder)


def test_a_class_without_config_or_a_foreign_config_is_an_error(saved):
    _, folder = saved
    with pytest.raises(ValueError, match="attribute `Config`"):
        load_model(nn.Identity, folder)
    (folder / "config.json").write_text(json.dumps({"widht": 6}))
    with pytest.raises(ValueError, match="did you mean 'width'"):
        load_model(Pair, folder)


class Table(nn.Module):
    """A model that grows by rows: with `grow` it says how."""

    Config = Config

    def __init__(self, rows=4, more=False):
        super().__init__()
        self.positions = nn.Parameter(torch.randn(rows, 3))
        self.register_buffer("seen", torch.tensor(float(rows)))
        if more:
            self.added = nn.Linear(3, 3)


class Growing(Table):
    def grow(self, tensors, config):
        assert isinstance(config, Config)
        return {**tensors, "positions": torch.cat((tensors["positions"], self.positions[4:]))}


def test_training_may_start_from_a_smaller_model_that_says_how_it_grows(tmp_path):
    small, large = Table(), Growing(6, more=True)
    save_model(small, Config(), tmp_path, half=False)
    before = {name: value.clone() for name, value in large.state_dict().items()}
    assert start_from(large, tmp_path) == ["added.weight", "added.bias"]
    assert torch.equal(large.positions[:4], small.positions) and large.seen == 4
    assert torch.equal(large.positions[4:], before["positions"][4:])
    assert torch.equal(large.added.weight, before["added.weight"])


def test_what_cannot_grow_is_named_and_nothing_is_copied(tmp_path):
    save_model(Table(more=True), Config(), tmp_path, half=False)
    large = Table(6, more=True)
    before = {name: value.clone() for name, value in large.state_dict().items()}
    with pytest.raises(ValueError, match=r"'positions' is \(4, 3\) instead of \(6, 3\)"):
        start_from(large, tmp_path)
    with pytest.raises(ValueError, match=r"'added.weight' is unknown"):
        start_from(Table(), tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in large.state_dict().items())
    with pytest.raises(ValueError, match="nothing of Linear"):
        start_from(nn.Linear(2, 2), tmp_path)


def test_fused_matrices_of_older_folders_are_read_as_the_plain_ones_they_are_made_of(tmp_path):
    class Older(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention, self.text, self.mlp = nn.Module(), nn.Module(), nn.Module()
            self.attention.qkv, self.text.key_value = nn.Linear(8, 24, bias=False), nn.Linear(8, 16, bias=False)
            self.mlp.gate_up = nn.Linear(8, 24, bias=False)

    class Newer(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention, self.text, self.mlp = Attention(8, 2), CrossAttention(8, 2), SwiGLU(8, 12)

    older, newer, x = nn.ModuleList([Older()]), nn.ModuleList([Newer()]), torch.randn(1, 5, 8)
    rest = {name: value for name, value in newer.state_dict().items() if name.split(".")[2] in ("query", "out", "down")}
    own = {name: value for name, value in rest.items() if "attention.query" not in name}
    save_tensors({**older.state_dict(), **own}, tmp_path / "model.safetensors")
    load_weights(newer, tmp_path)
    old: Any = older[0]
    gate, up = old.mlp.gate_up(x).chunk(2, dim=-1)
    new: Any = newer[0]
    torch.testing.assert_close(new.mlp(x), new.mlp.down(nn.functional.silu(gate) * up))
    fused = torch.cat([matrix(x) for matrix in (new.attention.query, new.attention.key, new.attention.value)], dim=-1)
    torch.testing.assert_close(fused, old.attention.qkv(x))
    both = torch.cat([new.text.key(x), new.text.value(x)], dim=-1)
    torch.testing.assert_close(both, old.text.key_value(x))
