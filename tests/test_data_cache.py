import pytest
import torch

from mediagen.data.cache import LatentCache, build_cache, mark


def encode(items: range) -> tuple[dict[str, torch.Tensor], list[str]]:
    values = torch.tensor(list(items))
    return {"latent": values[:, None].float() * torch.ones(3), "label": values * 1000}, [f"item {i} é" for i in items]


def test_items_come_back_by_number(tmp_path):
    build_cache(tmp_path, 10, encode, shard=4, about={"split": "train"})
    cache = LatentCache(tmp_path)
    assert len(cache) == 10 and cache.about == {"split": "train"}
    assert cache.tensors["latent"].dtype == torch.float16 and cache.tensors["latent"].shape == (10, 3)
    assert cache.tensors["latent"][:, 0].tolist() == list(range(10))
    assert cache.tensors["label"].tolist() == [1000 * i for i in range(10)]
    assert cache.captions == [f"item {i} é" for i in range(10)]


def test_a_build_that_died_goes_on_where_it_was(tmp_path):
    asked = []

    def dying(items):
        if items.start == 8 and 8 not in asked:
            asked.append(8)
            raise KeyboardInterrupt
        asked.append(items.start)
        return encode(items)

    with pytest.raises(KeyboardInterrupt):
        build_cache(tmp_path, 10, dying, shard=4)
    with pytest.raises(ValueError, match="2 of 3 shards"):
        LatentCache(tmp_path)
    (tmp_path / "shard-00002.safetensors.99.tmp").write_bytes(b"half")
    cache = build_cache(tmp_path, 10, dying, shard=4)
    assert asked == [0, 4, 8, 8] and len(cache) == 10
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("name", ["shard-00001.safetensors", "shard-00001.json"])
def test_a_damaged_shard_is_named(tmp_path, name):
    build_cache(tmp_path, 10, encode, shard=4)
    content = bytearray((tmp_path / name).read_bytes())
    content[-2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}: got a missing or damaged shard"):
        LatentCache(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ValueError, match=name):
        LatentCache(tmp_path)


def test_another_cache_in_the_folder_is_an_error(tmp_path):
    build_cache(tmp_path, 4, encode, about={"size": 64})
    with pytest.raises(ValueError, match="another cache"):
        build_cache(tmp_path, 4, encode, about={"size": 128})
    with pytest.raises(ValueError, match="build it first"):
        LatentCache(tmp_path / "elsewhere")


def test_an_encoder_that_miscounts_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="expected 4"):
        build_cache(tmp_path, 4, lambda items: (encode(items)[0], ["one"]))


def test_the_mark_of_an_encoder_is_that_of_its_weights():
    torch.manual_seed(0)
    one, other = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
    before = mark(one)
    assert before != mark(other) and mark(None) not in (before, mark(other))
    other.load_state_dict(one.state_dict())
    assert mark(other) == before
