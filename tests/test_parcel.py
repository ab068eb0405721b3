import json

import pytest

from mediagen.parcel import pack, unpack, unpack_all


def fill(folder, **files):
    for name, content in files.items():
        path = folder / name / "model.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_what_is_packed_in_small_files_comes_back_whole(tmp_path):
    fill(tmp_path / "models", video=bytes(range(256)) * 40, tae=b"abc", left=b"no")
    parcel = pack(tmp_path / "models", ["video", "tae"], tmp_path / "out" / "3-video", most=4096, calls=2)
    sizes = [path.stat().st_size for path in parcel.iterdir()]
    assert max(sizes) <= 4096 and len(sizes) > 3
    assert json.loads((parcel / "parcel.json").read_text())["calls"] == 2
    assert unpack(parcel, tmp_path / "back") == ["video", "tae"]
    for name in ("video", "tae"):
        path = f"{name}/model.safetensors"
        assert (tmp_path / "back" / path).read_bytes() == (tmp_path / "models" / path).read_bytes()
    assert not (tmp_path / "back" / "left").exists()


def test_a_later_parcel_replaces_an_earlier_one_and_leaves_no_old_parts(tmp_path):
    fill(tmp_path / "models", video=bytes(9000))
    first = pack(tmp_path / "models", ["video"], tmp_path / "out" / "3-video", most=2048)
    many = len(list(first.iterdir()))
    fill(tmp_path / "models", video=b"new", tae=b"t")
    pack(tmp_path / "models", ["video"], first)
    assert len(list(first.iterdir())) == 2 < many
    pack(tmp_path / "models", ["tae"], tmp_path / "out" / "1-autoencoder")
    assert unpack_all(tmp_path / "out", tmp_path / "back") == ["tae", "video"]
    assert (tmp_path / "back" / "video" / "model.safetensors").read_bytes() == b"new"


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_parcel_that_is_not_whole_is_refused_before_anything_is_written(tmp_path, harm):
    fill(tmp_path / "models", tae=bytes(5000))
    parcel = pack(tmp_path / "models", ["tae"], tmp_path / "out", most=2048)
    part = parcel / "weights-1.part"
    if harm == "missing":
        part.unlink()
    else:
        part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match=f"{harm}|weights-1"):
        unpack(parcel, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_parcel_writes_nowhere_else(tmp_path):
    fill(tmp_path / "models", tae=b"abc")
    parcel = pack(tmp_path / "models" / "tae", ["../tae/model.safetensors"], tmp_path / "out")
    with pytest.raises(ValueError, match="expected plain files of a model folder"):
        unpack(parcel, tmp_path / "back")
    assert not (tmp_path / "tae").exists() and not (tmp_path / "back").exists()
