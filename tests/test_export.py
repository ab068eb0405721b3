"""ONNX decoders: the same pictures and sound as torch at every shape, refused where not, out of date where stale."""

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from mediagen.audio.codec.export import CodecGraph
from mediagen.audio.codec.model import Codec, CodecConfig
from mediagen.export import write
from mediagen.export.card import CARD, FILE, why_not
from mediagen.export.runtime import OnnxDecoder
from mediagen.export.tae import TAEGraph
from mediagen.sdk import Engine, ModelError, RequestError
from mediagen.sdk.cli.app import main
from mediagen.sdk.models.info import built_in, overview
from mediagen.sdk.tasks.replay import differences
from mediagen.tae import TAE, TAEConfig
from mediagen.weights import load_model, save_model

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "decode_numpy.py"


def tae(**changes: Any) -> TAE:
    """A small one that has every kind of layer, with statistics of its latent that are not those of a new model."""
    sizes: dict[str, Any] = {"widths": (4, 8, 8), "encoder_blocks": (0, 0, 0), "decoder_blocks": (0, 1, 0)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = TAE(TAEConfig(**{"latent_channels": 4, **sizes, **changes})).eval()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.15)
        model.latent_mean.normal_()
        model.latent_std.uniform_(0.5, 2)
    return model


FINE: dict[str, Any] = {"stem": (1, 2, 2), "blend": True, "replicate": False}


@pytest.mark.parametrize("changes", [{}, {"blend": True}, FINE, {"skip": False}, {"attention": False}])
@torch.no_grad()
def test_the_graph_is_the_decoder_whatever_it_is_made_of(changes: dict[str, Any]) -> None:
    model = tae(**changes)
    graph = TAEGraph(model).eval()
    for shape in graph.shapes:
        latent = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        torch.testing.assert_close(graph(latent), graph.reference(latent), rtol=1e-4, atol=2e-4)


@pytest.fixture(scope="module")
def exported(model_folder, tmp_path_factory) -> Path:
    """A model folder with its ONNX decoders beside the weights, as `engine.export_onnx` leaves it."""
    folder = shutil.copytree(model_folder, tmp_path_factory.mktemp("exported") / "models")
    model = tae()
    save_model(model, model.config, folder / "tae")
    written = Engine.from_pretrained(folder, device="cpu").export_onnx(folder)
    assert written == [folder / "tae" / FILE, folder / "codec" / FILE]
    return folder


@pytest.fixture
def copy(exported, tmp_path) -> Path:
    return shutil.copytree(exported, tmp_path / "copy")


@pytest.fixture
def quick(exported, monkeypatch) -> None:
    """Takes the file of the fixture in place of exporting once more, which is what costs time."""
    files = {"frames": exported / "tae" / FILE, "sound": exported / "codec" / FILE}
    monkeypatch.setattr(write, "_exported", lambda graph: files[graph.output].read_bytes())


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 2, 5, 3), (3, 7, 2, 4)])
def test_pictures_are_those_of_torch_at_shapes_of_any_size(exported, shape):
    batch, *grid = shape
    model, decoder = load_model(TAE, exported / "tae"), OnnxDecoder(exported / "tae")
    latent = noise(batch, 4, *grid)
    with torch.no_grad():
        expected = model.decode(latent)
    assert torch.allclose(decoder.decode(latent), expected, atol=1e-5) and expected.std() > 0.05
    assert torch.equal(decoder.decode(latent, 5), decoder.decode(latent)[:, :, :5])


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (1, 150)])
def test_sound_is_that_of_torch_at_any_length(exported, shape):
    batch, length = shape
    model, decoder = load_model(Codec, exported / "codec"), OnnxDecoder(exported / "codec")
    latent = noise(batch, 8, length)
    with torch.no_grad():
        expected = model.decode(latent, 1900 * length)
    made = decoder.decode(latent, 1900 * length)
    assert made.shape == expected.shape and torch.allclose(made, expected, atol=1e-5) and expected.std() > 1e-3


def test_every_kind_of_layer_is_rewritten_right():
    """The codec on the waveform itself: snakes, uneven strides, wide kernels."""
    sizes: dict[str, Any] = {
        "hop": 1,
        "strides": (3, 5, 128),
        "encoder": (4,) * 4,
        "decoder": (8, 6, 4, 4),
        "latent": 6,
    }
    model = Codec(CodecConfig(**sizes, kernel=7, dilations=(1, 3))).eval()
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=float("a" in name.split(".")), std=0.3)
    given = ((CodecGraph(model), (noise(2, 6, 3), torch.tensor([7]))), (TAEGraph(tae()), (noise(2, 4, 3, 2, 5),)))
    for graph, inputs in given:
        with torch.no_grad():
            assert torch.allclose(graph(*inputs), graph.reference(*inputs), atol=1e-4), type(graph)


def test_a_part_of_a_sound_is_decoded_as_in_the_whole(exported):
    decoder, latent = OnnxDecoder(exported / "codec"), noise(1, 8, 150)
    whole, part = decoder.decode(latent), decoder.decode(latent[..., 60:], first=60)
    margin = 16 * 1920
    assert torch.allclose(whole[..., 60 * 1920 + margin :], part[..., margin:], atol=1e-5)


def test_tiles_are_those_of_torch(exported):
    model, decoder, latent = load_model(TAE, exported / "tae"), OnnxDecoder(exported / "tae"), noise(1, 4, 9, 2, 2)
    with torch.no_grad():
        expected = model.decode_tiled(latent, 70)
    tiled = decoder.decode_tiled(latent, 70)
    assert tiled.shape == (1, 3, 70, 16, 16) and torch.allclose(tiled, expected, atol=1e-5)
    assert not torch.allclose(tiled, decoder.decode(latent, 70), atol=1e-5), "nothing was tiled"
    assert torch.equal(decoder.decode_tiled(latent[:, :, :4]), decoder.decode(latent[:, :, :4]))


@pytest.mark.parametrize("shape", [(1, 5, 2, 2, 2), (4, 2, 2, 2), (1, 4, 0, 2, 2)])
def test_what_is_no_latent_is_refused(exported, shape):
    with pytest.raises(ValueError, match=r"got a latent of shape .* expected \(batch, 4, time, height, width\)"):
        OnnxDecoder(exported / "tae").decode(torch.zeros(shape))


def test_more_frames_than_there_are_are_refused(exported):
    with pytest.raises(ValueError, match="got frames=2000, expected at most 1920 from 1"):
        OnnxDecoder(exported / "codec").decode(noise(1, 8, 1), 2000)


def test_the_card_holds_what_a_program_without_us_needs(exported):
    card = json.loads((exported / "tae" / CARD).read_text())
    assert card["input"]["shape"] == ["batch", 4, "time", "height", "width"]
    assert card["output"]["shape"] == ["batch", "8 * time", 3, "8 * height", "8 * width"]
    assert (card["opset"], card["output_range"], card["tiling"]["tile"]) == (18, [-1, 1], 4)
    assert len(card["checked"]["shapes"]) == 3 and card["checked"]["max_abs"] <= 1e-4
    session = onnxruntime.InferenceSession(exported / "tae" / card["file"], providers=["CPUExecutionProvider"])
    assert [(i.name, i.shape) for i in session.get_inputs()] == [("latent", card["input"]["shape"])]
    assert [o.name for o in session.get_outputs()] == [card["output"]["name"]]
    sound = json.loads((exported / "codec" / CARD).read_text())
    assert sound["rate"] == 48_000 and sound["output"]["shape"] == ["batch", 1, "1920 * time"]


def test_a_file_that_differs_from_torch_is_refused_and_leaves_nothing(quick, tmp_path):
    wrong = tae()
    with torch.no_grad():
        wrong.write.bias.add_(0.001)  # type: ignore[union-attr]
    with pytest.raises(ValueError, match=r"differs from torch by up to 0\.00.*expected at most 0\.0001; nothing was"):
        write.write_decoder(TAEGraph(wrong), tmp_path / "tae", "weights")
    assert list(tmp_path.iterdir()) == []


def test_the_engine_takes_fresh_decoders_and_makes_the_same_clip(exported):
    by_onnx, by_torch = (Engine.from_pretrained(exported, device="cpu", decoder=name) for name in (None, "torch"))
    assert (by_onnx.decoder, by_torch.decoder) == ("onnx", "torch")
    one, other = (engine.generate("a red ball", seed=3) for engine in (by_onnx, by_torch))
    assert (one.settings["decoder"], other.settings["decoder"]) == ("onnx", "torch")
    assert one.frames is not None and other.frames is not None and one.sound is not None and other.sound is not None
    assert (one.frames.int() - other.frames.int()).abs().max() <= 1 and one.frames.float().std() > 1
    assert torch.allclose(one.sound, other.sound, atol=1e-4)
    silent = by_onnx.generate("a red ball", seed=3, sound=False).frames
    assert silent is not None and torch.equal(one.frames, silent)
    assert "the decoder 'onnx'" in differences(one.settings, other.settings)[0]
    assert by_onnx.models.fingerprint == by_torch.models.fingerprint
    decoder = by_onnx.models.decoder("tae")
    assert decoder is not None and decoder.provider == "CPUExecutionProvider" and not decoder.note


def test_a_clip_is_made_again_with_the_decoder_it_was_made_with(exported, model_folder):
    for name in ("onnx", "torch"):
        assert Engine.to_repeat({"decoder": name}, exported).decoder == name
    assert Engine.to_repeat({}, exported).decoder == "torch", "files of before ONNX do not say it"
    assert Engine.to_repeat({"decoder": "onnx"}, model_folder).decoder == "torch"


def test_stale_and_damaged_decoders_are_passed_over_and_it_is_said(copy, caplog):
    weights = copy / "tae" / "model.safetensors"
    model = load_model(TAE, copy / "tae")
    save_model(model, model.config, copy / "tae")
    assert why_not(copy / "tae") == "", "the same weights, written again"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert why_not(copy / "tae") == "was made from other weights"
    with caplog.at_level(logging.WARNING, "mediagen"):
        assert Engine.from_pretrained(copy, device="cpu").decoder == "torch"
    assert "was made from other weights: torch decodes; run 'mediagen export' again." in caplog.text
    assert "was made from other weights" in dict(overview(copy))["tae"]
    with pytest.raises(ModelError, match=r"'onnx', but the ONNX decoder in .*tae' was made from other weights; write"):
        Engine.from_pretrained(copy, device="cpu", decoder="onnx")
    weights.write_bytes(whole)
    assert Engine.from_pretrained(copy, device="cpu").decoder == "onnx"
    (copy / "codec" / FILE).write_bytes(b"no ONNX")
    assert why_not(copy / "codec") == "is damaged"
    with pytest.raises(ValueError, match="got a damaged ONNX file"):
        OnnxDecoder(copy / "codec")


def test_without_decoders_torch_decodes_and_asking_for_them_says_how_to_write_them(model_folder, caplog):
    assert Engine.from_pretrained(model_folder, device="cpu").decoder == "torch" and not caplog.text
    with pytest.raises(ModelError, match=r"is missing.*mediagen export --model"):
        Engine.from_pretrained(model_folder, device="cpu", decoder="onnx")
    with pytest.raises(RequestError, match="got the decoder 'onyx', expected onnx or torch"):
        Engine.from_pretrained(model_folder, device="cpu", decoder="onyx")


def test_asking_for_cuda_without_it_is_told(exported, caplog, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with caplog.at_level(logging.WARNING, "mediagen"):
        decoder = OnnxDecoder(exported / "tae", device="cuda")
    assert decoder.provider == "CPUExecutionProvider"
    told = "asked for CUDAExecutionProvider, but the video decoder runs on CPUExecutionProvider; CUDA needs"
    assert decoder.note.startswith(told) and decoder.note in caplog.text


def test_the_built_in_models_decode_by_onnx_as_they_are_shipped():
    engine = Engine.from_pretrained(device="cpu")
    assert engine.decoder == "onnx" and sorted(engine.models.exportable()) == ["codec", "tae"]
    assert sum(path.stat().st_size for path in built_in().rglob("*.safetensors")) < 100e6  # decoders stand beside
    wishes: dict[str, Any] = {"seed": 3, "seconds": 0.5, "num_inference_steps": 1}
    one, same = (engine.generate("a red ball", **wishes) for _ in range(2))
    other = Engine.from_pretrained(device="cpu", decoder="torch").generate("a red ball", **wishes)
    assert one.frames is not None and same.frames is not None and other.frames is not None
    assert one.sound is not None and same.sound is not None and other.sound is not None
    assert torch.equal(one.frames, same.frames) and torch.equal(one.sound, same.sound)
    assert (one.frames.int() - other.frames.int()).abs().max() <= 1 and one.frames.float().std() > 1
    assert torch.allclose(one.sound, other.sound, atol=1e-4) and one.sound.abs().max() > 1e-3


def test_exporting_without_its_packages_names_the_extra_and_decoding_needs_none_of_them(
    exported, monkeypatch, tmp_path
):
    engine = Engine.from_pretrained(exported, device="cpu")
    monkeypatch.setattr(write, "find_spec", lambda name: None)
    with pytest.raises(RequestError, match=r"without onnx, onnxscript; pip install 'mediagen\[onnx\]'"):
        engine.export_onnx(tmp_path)
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert engine.decoder == "onnx" and OnnxDecoder(exported / "tae").decode(noise(1, 4, 1, 1, 1)).std() > 0


def test_the_command_writes_both_and_says_so(quick, exported, tmp_path, monkeypatch, capsys):
    command = ["mediagen", "export", "--model", str(exported), "-o", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    said = " ".join(capsys.readouterr().err.split())
    assert not ended.value.code and said.count("of torch at the three shapes that its card names") == 2
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert files == {f"{family}/{name}" for family in ("tae", "codec") for name in (FILE, CARD)}
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(sys, "argv", [*command[:-1], str(tmp_path / "file")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2 and "which is a file, expected a folder" in capsys.readouterr().err


def test_the_example_decodes_without_torch(exported, tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('there is no torch here')")
    latent = noise(1, 4, 2, 3, 2)
    np.save(tmp_path / "latent.npy", latent.numpy())
    arguments = [sys.executable, str(EXAMPLE), str(exported), "latent.npy"]
    code = f"import sys, runpy; sys.path.insert(0, '.'); sys.argv = {arguments[1:]!r}; runpy.run_path(sys.argv[0])"
    code += "\ntry: import torch\nexcept ImportError: sys.exit('torch' in sys.modules or 'mediagen' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=120)
    frames = np.load(tmp_path / "frames.npy")
    expected = OnnxDecoder(exported / "tae").decode(latent)[0].permute(1, 2, 3, 0)
    assert frames.shape == (16, 24, 16, 3)
    assert np.abs(frames - ((expected.clamp(-1, 1) + 1) * 127.5).numpy()).max() <= 0.51
    assert (tmp_path / "sound.wav").stat().st_size == 44 + 2 * 96_000
    assert len(EXAMPLE.read_text().splitlines()) <= 40
