"""Another codec: EnCodec's latent behind the same encode and decode, and a model folder that has it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import EncodecConfig, EncodecModel

from mediagen.audio import extend
from mediagen.audio.codec.encodec import EncodecCodec, EncodecCodecConfig
from mediagen.sdk import Engine, ModelError
from mediagen.sdk.models.folder import ModelFolder
from mediagen.weights import load_model, save_model

HOP = 1920
# The 48 kHz model with fewer channels.
SMALL: dict[str, Any] = {
    "sampling_rate": 48_000,
    "audio_channels": 2,
    "normalize": True,
    "chunk_length_s": 1.0,
    "overlap": 0.01,
    "norm_type": "time_group_norm",
    "use_causal_conv": False,
    "num_filters": 2,
    "hidden_size": 4,
    "codebook_size": 4,
}


def published(folder: Path, **changes: Any) -> Path:
    """A folder as transformers writes it, with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        EncodecModel(EncodecConfig(**{**SMALL, **changes})).save_pretrained(folder)
    return folder


def noise(samples: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, 1, samples, generator=torch.Generator().manual_seed(seed))


def clips(count: int) -> list[Tensor]:
    return [noise(30_000, seed)[0] * (seed + 1) for seed in range(count)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def codec(source: Path) -> EncodecCodec:
    codec = EncodecCodec.from_source(str(source)).requires_grad_(False)
    codec.fit(clips(4))
    return codec


@pytest.mark.parametrize("samples", [1, 1919, 1920, 1921, 48_000, 48_001, 100_000])
def test_lengths_are_exact(codec: EncodecCodec, samples: int) -> None:
    sound = noise(samples)
    latent = codec.encode(sound)
    assert latent.shape == (1, 6 * 4 + 1, -(-samples // HOP)) and latent.isfinite().all()
    assert codec.decode(latent, samples).shape == sound.shape
    assert codec.decode(latent).shape == (1, 1, latent.shape[-1] * HOP)
    assert torch.equal(latent, codec.encode(sound))


def test_a_second_passes_as_through_the_published_network_without_its_quantiser(source, codec: EncodecCodec) -> None:
    net, sound = EncodecModel.from_pretrained(source), noise(48_000)
    scale = sound.square().mean().sqrt()
    with torch.no_grad():
        frames = net.get_submodule("encoder")((sound / scale).repeat(1, 2, 1))
        expected = net.get_submodule("decoder")(frames).mean(1, keepdim=True) * scale
    torch.testing.assert_close(codec.decode(codec.encode(sound)), expected, atol=1e-5, rtol=1e-4)


def test_loudness_is_carried(codec: EncodecCodec) -> None:
    """The network alone makes every second equally loud."""
    sound = noise(70_000)
    heard = codec.decode(codec.encode(sound))
    torch.testing.assert_close(codec.decode(codec.encode(sound / 8)), heard / 8, atol=1e-6, rtol=1e-3)
    silent = codec.decode(codec.encode(sound * 0))
    assert silent.isfinite().all() and silent.abs().max() < 1e-2


def test_seconds_are_heard_alone_and_meet_without_a_step(codec: EncodecCodec) -> None:
    sound, joint = noise(49 * HOP), 24 * HOP
    latent = codec.encode(sound)
    assert torch.allclose(codec.encode(sound[..., joint:])[..., 1:], latent[..., 25:], atol=1e-5)
    latent[:, -1] = 0.0  # one loudness
    whole = codec.decode(latent)
    before, after = codec.decode(latent[..., :25]), codec.decode(latent[..., 24:], first=24)
    begin, end = joint + 960 - 240, joint + 960 + 240
    torch.testing.assert_close(whole[..., :begin], before[..., :begin])
    torch.testing.assert_close(whole[..., end:], after[..., end - joint :])
    low = torch.minimum(before[..., begin:end], after[..., begin - joint : end - joint])
    high = torch.maximum(before[..., begin:end], after[..., begin - joint : end - joint])
    assert ((low - 1e-6 <= whole[..., begin:end]) & (whole[..., begin:end] <= high + 1e-6)).all()
    assert (before[..., end:] - after[..., end - joint : HOP]).abs().max() > 1e-3, "else there was nothing to meet"


@pytest.mark.parametrize("decoded", [45, 48, 50])
def test_chunks_decode_as_the_whole(codec: EncodecCodec, decoded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    latent = torch.randn(1, codec.config.latent, 130, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(extend, "DECODED", decoded)
    chunks = list(extend.decode_chunks(codec, latent, 130 * HOP - 700))
    torch.testing.assert_close(torch.cat(chunks, -1), codec.decode(latent, 130 * HOP - 700)[0], atol=1e-6, rtol=0)
    monkeypatch.setattr(extend, "MARGIN", 8)
    short = torch.cat(list(extend.decode_chunks(codec, latent, 130 * HOP - 700)), -1)
    assert (short - torch.cat(chunks, -1)).abs().max() > 1e-3, "the margin is there for a reason"


def test_channels_are_of_unit_spread_over_what_it_was_fitted_to(source: Path) -> None:
    codec = EncodecCodec.from_source(str(source))
    codec.fit(clips(4))
    latent = torch.cat([codec.encode(sound[None]) for sound in clips(4)], -1)
    torch.testing.assert_close(latent.mean((0, 2)), torch.zeros(25), atol=1e-3, rtol=0)
    torch.testing.assert_close(latent.std((0, 2), correction=0), torch.ones(25), atol=1e-2, rtol=0)
    with pytest.raises(ValueError, match="got no sounds"):
        codec.fit([])


def test_it_survives_the_disk(codec: EncodecCodec, tmp_path: Path) -> None:
    save_model(codec, codec.config, tmp_path, half=False)
    again = load_model(EncodecCodec, tmp_path)
    assert again.config == codec.config
    latent = codec.encode(noise(60_000))
    assert torch.equal(again.encode(noise(60_000)), latent)
    assert torch.equal(again.decode(latent), codec.decode(latent))


def test_what_it_cannot_hear_or_speak_is_refused(codec: EncodecCodec) -> None:
    with pytest.raises(ValueError, match=r"expected \(B, 1, S\); mix it down to one channel"):
        codec.encode(torch.zeros(1, 2, 4800))
    with pytest.raises(ValueError, match=r"expected \(B, 25, L\)"):
        codec.decode(torch.zeros(1, 24, 3))
    with pytest.raises(ValueError, match="got samples=1921, expected at most 1920 from 1 frames"):
        codec.decode(torch.zeros(1, 25, 1), 1921)


def test_weights_come_from_safetensors_of_the_right_kind_alone(source: Path, tmp_path: Path) -> None:
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_bytes((source / "config.json").read_bytes())
    torch.save({}, pickled / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"cannot be loaded .*; give a folder with its config.json and model.safeten"):
        EncodecCodec.from_source(str(pickled))
    with pytest.raises(ValueError, match="got the codec 'facebook/nothing-here', which cannot be loaded") as unknown:
        EncodecCodec.from_source("facebook/nothing-here")
    assert "\n" not in str(unknown.value)
    (pickled / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes()[:5000])
    with pytest.raises(ValueError, match="cannot be loaded"):
        EncodecCodec.from_source(str(pickled))
    for changes, said in (
        ({"sampling_rate": 24_000}, "at 24000 Hz"),
        ({"chunk_length_s": None}, "chunk_length_s=None"),
        ({"normalize": False}, "normalize=False"),
    ):
        with pytest.raises(ValueError, match=said):
            EncodecCodec.from_source(str(published(tmp_path / said, **changes)))
    (pickled / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ValueError, match="family 'bert', not encodec"):
        EncodecCodec.from_source(str(pickled))


def test_a_config_that_fits_nothing_is_refused() -> None:
    assert EncodecCodecConfig().latent == 6 * 128 + 1
    for net, said in (({"num_filter": 3}, "'num_filter'"), ({"num_filters": "x"}, "do not fit"),
                      ({"upsampling_ratios": [7, 5]}, "35 samples per frame")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            EncodecCodecConfig(net=net)


def test_from_a_published_folder_to_sound(source: Path, model_folder: Path, run, tmp_path: Path) -> None:
    """The command makes a model folder, the usual training trains on it, the usual engine makes sound with it."""
    models = tmp_path / "models"
    code, said = run("codec", source, "--into", models, "--model", model_folder, "--sounds", 2)
    assert code == 0 and "--set latent_channels=25" in said, said
    assert json.loads((models / "codec" / "config.json").read_text())["kind"] == "encodec"
    assert not (models / "audio").exists() and (models / "tae").is_dir()
    wanted = ["batch=1", "clips=1", "seconds=2", "windows=[1]", "size=[32,32]", "check=1", "preview_steps=1", "steps=1"]
    sets = [word for setting in ["latent_channels=25", *wanted] for word in ("--set", setting)]
    trained = ("train", "audio", "--preset", "debug", "--device", "cpu", "--model", models, "--into", models, *sets)
    code, said = run(*trained, "--out", tmp_path / "run")
    assert code == 0, said
    engine = Engine.from_pretrained(models, device="cpu")
    assert isinstance(engine.models.get("codec"), EncodecCodec)
    sound = engine.generate_audio("a ball", seconds=10.5, seed=1).sound
    assert sound is not None and sound.shape == (1, 504_000) and sound.abs().max() > 0
    code, said = run("codec", source, "--into", models)
    assert code == 2 and "which exists, expected a new folder" in said
    code, said = run("codec", "facebook/nothing-here", "--into", tmp_path / "other", "--model", model_folder)
    assert code == 2 and "cannot be loaded" in said and not (tmp_path / "other").exists()


def test_the_folder_decodes_it_by_torch_and_tells_what_is_damaged(codec: EncodecCodec, model_folder, tmp_path) -> None:
    (tmp_path / "engine.json").write_bytes((model_folder / "engine.json").read_bytes())
    save_model(codec, codec.config, tmp_path / "codec", half=False)
    models = ModelFolder(tmp_path, runtime="torch")
    assert models.exportable() == []
    models._runtime = "onnx"
    assert models.decoder("codec") is None
    (tmp_path / "codec" / "config.json").write_text('{"kind": "encodec", "net": {"hop": 3}}')
    with pytest.raises(ModelError, match="EnCodec size 'hop'"):
        models.get("codec")
