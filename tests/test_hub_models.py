"""Public models around their calls: memory, LoRA, what is missing, fetching, the command line."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("diffusers")

from tiny_pipelines import build
from toy_hub import SHA, ToyHub, serving

from mediagen.sdk import Engine, ModelError, RequestError
from mediagen.sdk.hub import about
from mediagen.sdk.hub.entry import Entry
from mediagen.sdk.hub.fetch import fetch
from mediagen.sdk.hub.folder import PipelineFolder
from mediagen.sdk.hub.layout import Layout
from mediagen.sdk.hub.memory import Lora, Memory, OutOfMemory
from mediagen.sdk.hub.table import ENTRIES


@pytest.fixture(scope="module")
def wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("WanPipeline", tmp_path_factory.mktemp("wan") / "tiny-wan")


def models(engine: Engine) -> PipelineFolder:
    assert isinstance(engine.models, PipelineFolder)
    return engine.models


def frames(engine: Engine, **asked: Any) -> torch.Tensor:
    made = engine.generate("a ball", seed=1, sound=False, **asked).frames
    assert made is not None
    return made


def test_out_of_memory_is_one_sentence_with_what_to_try_and_the_next_clip_is_made(
    wan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine.from_pretrained(wan, device="cpu")
    before, vae = frames(engine), models(engine).pipeline("generate").vae
    decode = vae.decode

    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 40.00 GiB. GPU 0 has ...")

    monkeypatch.setattr(vae, "decode", full)
    with pytest.raises(OutOfMemory, match=r"too little memory for this clip; decode in tiles \(--tiling\)\.$") as told:
        frames(engine)
    assert isinstance(told.value, MemoryError), "so that the service calls it by its name"
    monkeypatch.setattr(vae, "decode", decode)
    assert torch.equal(frames(engine), before)


def test_what_to_try_next_goes_from_what_costs_least() -> None:
    steps, memory = [], Memory()
    for changed in ({"tiling": True}, {"offload": "model"}, {"quantize": "fp8"}, {"offload": "sequential"}):
        steps.append(memory.advice(tileable=True))
        memory = Memory(**{"tiling": memory.tiling, "offload": memory.offload, "quantize": memory.quantize, **changed})
    steps.append(memory.advice(tileable=True))
    for said, word in zip(steps, ("--tiling", "offload model", "fp8", "sequential", "smaller model"), strict=True):
        assert word in said


def test_whole_numbers_of_eight_bits_are_torchaos(wan: Path) -> None:
    pytest.importorskip("torchao")
    engine = Engine.from_pretrained(wan, device="cpu", quantize="int8")
    made, plain = frames(engine), frames(Engine.from_pretrained(wan, device="cpu"))
    kinds = {type(weight).__name__ for weight in models(engine).pipeline("generate").transformer.parameters()}
    assert "Int8Tensor" in kinds, "the transformer's matrices"
    assert (made.float() - plain.float()).abs().mean() < 1 and torch.equal(made, frames(engine))


def test_tiles_and_eight_bits_are_kept_in_the_file(wan: Path) -> None:
    engine = Engine.from_pretrained(wan, device="cpu", tiling=True, quantize="fp8")
    made = engine.generate("a ball", seed=1, sound=False)
    assert made.settings["memory"] == {"quantize": "fp8", "tiling": True}
    pipe = models(engine).pipeline("generate")
    assert pipe.vae.use_tiling
    assert any(weight.dtype == torch.float8_e4m3fn for weight in pipe.transformer.parameters())
    assert made.frames is not None and not torch.equal(made.frames, frames(Engine.from_pretrained(wan, device="cpu")))
    again = Engine.to_repeat(made.settings, wan)
    assert models(again).memory == models(engine).memory and torch.equal(frames(again), made.frames)


def test_wrong_options_are_refused_by_name(wan: Path, model_folder: Path) -> None:
    for wishes, said in (
        ({"offload": "disk"}, "offload: got 'disk'"),
        ({"quantize": "int3"}, "quantize: got 'int3'"),
        ({"lora": "file:much"}, "lora: got 'file:much'"),
    ):
        with pytest.raises(RequestError, match=said):
            Engine.from_pretrained(wan, device="cpu", **wishes)  # pyright: ignore[reportArgumentType]
    with pytest.raises(RequestError, match="tiling: got it for a model folder of mediagen's"):
        Engine.from_pretrained(model_folder, device="cpu", tiling=True)
    with pytest.raises(RequestError, match="on a CPU, where there is nothing to gain"):
        frames(Engine.from_pretrained(wan, device="cpu", offload="model"))


@pytest.fixture(scope="module")
def lora(wan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that change the tiny Wan, as training tools of the field write them."""
    peft = pytest.importorskip("peft")
    from diffusers import WanPipeline

    pipe, folder = WanPipeline.from_pretrained(wan), tmp_path_factory.mktemp("lora")
    pipe.transformer.add_adapter(peft.LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False))
    for weight in pipe.transformer.parameters():
        weight.data *= 3 if weight.requires_grad else 1
    layers = peft.get_peft_model_state_dict(pipe.transformer)
    WanPipeline.save_lora_weights(folder, transformer_lora_layers=layers)
    return next(folder.glob("*.safetensors"))


def test_lora_changes_the_pictures_by_its_scale(wan: Path, lora: Path) -> None:
    plain, whole, none, both = (
        frames(Engine.from_pretrained(wan, device="cpu", lora=one))
        for one in (None, str(lora), f"{lora}:0", [f"{lora}:0.5", f"{lora}:0.5"])
    )
    assert torch.equal(plain, none) and not torch.equal(plain, whole)
    assert (whole.int() - both.int()).abs().max() <= 2, "two halves are a whole"
    told = Engine.from_pretrained(wan, device="cpu", lora=f"{lora}:0.5").generate("a", seed=1, sound=False).settings
    assert told["memory"]["lora"] == [f"{lora.name}:0.5"], "no path of this machine"


def test_a_lora_that_does_not_fit_is_told_so(wan: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"transformer.nothing.lora_A.weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(RequestError, match="which does not fit this model"):
        frames(Engine.from_pretrained(wan, device="cpu", lora=str(tmp_path / "other.safetensors")))


def test_scales_of_lora_are_read_and_drives_are_none() -> None:
    assert Lora.of("owner/name:0.8") == Lora("owner/name", 0.8)
    assert Lora.of("owner/name") == Lora("owner/name") and Lora.of("C:/a/b.safetensors").source == "C:/a/b.safetensors"


def test_an_unknown_class_names_those_that_are_known(wan: Path, tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    with pytest.raises(ModelError, match=r"'FluxPipeline'.*WanPipeline, WanImageToVideoPipeline"):
        Engine.from_pretrained(tmp_path, device="cpu")
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": ["remote", "WanPipeline"]}))
    with pytest.raises(ModelError, match="does not know"):
        Engine.from_pretrained(tmp_path, device="cpu")


def test_what_a_folder_lacks_is_said(wan: Path, tmp_path: Path) -> None:
    import shutil

    broken = shutil.copytree(wan, tmp_path / "broken")
    (broken / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    (broken / "transformer" / "x.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"w": "two.safetensors"}})
    )
    assert Layout(wan).missing() == []
    assert set(Layout(broken).missing()) == {"transformer/two.safetensors", "the weights of vae as safetensors"}
    with pytest.raises(ModelError, match=r"without .*two.safetensors.*mediagen fetch"):
        frames(Engine.from_pretrained(broken, device="cpu"))


def test_the_weights_say_which_variant_of_a_class_they_are() -> None:
    entry = ENTRIES["WanPipeline"]
    plain, other = entry.found({"vae": {"z_dim": 16}}), entry.found({"vae": {"z_dim": 48}})
    assert (plain[1], plain[0].limits.fps, plain[0].tasks) == ("", 16, ["generate"])
    assert (other[1], other[0].limits.fps, other[0].tasks) == ("Wan 2.2 TI2V 5B", 24, ["generate", "picture", "extend"])


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_the_limits_of_the_table_agree_with_each_other(name: str) -> None:
    entry: Entry = ENTRIES[name]
    for limits in [entry.limits, *(entry.found(variant.config)[0].limits for variant in entry.variants)]:
        if entry.tasks == ["sound"]:
            continue
        frames = limits.max_seconds * limits.fps
        assert abs(frames - round(frames)) < 1e-6 and round(frames) % limits.frame_step == 1
        assert all(edge % 16 == 0 for size in limits.all_sizes for edge in size)


def test_models_are_fetched_with_progress_and_only_what_is_needed(
    wan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    repo = shutil.copytree(wan, tmp_path / "repo")
    for name in ("huge.safetensors", "vae/model.fp16.safetensors", "text_encoder/model.bin", "run.py"):
        (repo / name).write_bytes(b"0" * 64)
    cache = tmp_path / "cache"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    heard: list[tuple[int, int]] = []
    with serving(ToyHub({"Wan-AI/tiny": repo})) as hub:
        hub.cut = 150_000
        with pytest.raises(ModelError, match="fetch again: what came is kept"):
            fetch("Wan-AI/tiny", endpoint=hub.url)
        came = {name for name, _ in hub.asked}
        hub.cut, hub.asked = 0, []
        folder = fetch("Wan-AI/tiny", on_bytes=lambda done, of: heard.append((done, of)), endpoint=hub.url)
    assert heard and heard[-1][0] == heard[-1][1] > 100_000 and heard == sorted(heard)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert not names & {"huge.safetensors", "vae/model.fp16.safetensors", "text_encoder/model.bin", "run.py"}
    assert Layout(folder).missing() == [] and folder.name == SHA
    again = {name for name, _ in hub.asked}
    assert "vae/diffusion_pytorch_model.safetensors" in came - again, "what came is not asked for again"
    with pytest.raises(ModelError, match="could be fetched"):
        fetch("Wan-AI/other", endpoint=hub.url)
    found = {one.name: one for one in about.models(cache)}
    assert found["Wan-AI/tiny"].can == ["words"] and (found["Wan-AI/tiny"].gigabytes or 0) > 0
    assert found["Wan-AI/Wan2.2-TI2V-5B-Diffusers"].gigabytes is None
    made = Engine.from_pretrained(folder, device="cpu").generate("a ball", seed=1, sound=False).settings
    assert (made["weights"], made["revision"]) == ("Wan-AI/tiny", SHA)


def mediagen(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "mediagen.sdk.cli", *words],
        capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )  # fmt: skip


def test_the_command_line_makes_a_clip_and_makes_it_again(wan: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.mp4", tmp_path / "b.mp4"
    made = mediagen("generate", "a ball", "--model", str(wan), "--no-sound", "--seed", "3", "-o", str(first))
    assert made.returncode == 0, made.stderr
    assert "weights are under Apache-2.0" in made.stderr and "never trained" in made.stderr
    again = mediagen("generate", "--from", str(first), "--model", str(wan), "-o", str(second))
    assert again.returncode == 0, again.stderr
    assert first.read_bytes() == second.read_bytes()
    assert "WanPipeline" in mediagen("info", "--model", str(wan)).stdout


def test_known_models_are_listed_without_torch() -> None:
    code = "import sys; from mediagen.sdk.hub.about import models; models(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
    listed = mediagen("models")
    assert listed.returncode == 0 and "Wan-AI/Wan2.2-TI2V-5B-Diffusers" in listed.stdout


def test_without_the_extra_one_sentence_says_how_to_get_it(wan: Path) -> None:
    code = (
        "import sys\n"
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name in ('diffusers', 'accelerate') else find(name, *more)\n"
        "from mediagen.sdk import Engine, RequestError\n"
        "assert 'diffusers' not in sys.modules\n"
        f"try:\n    Engine.from_pretrained({str(wan)!r}, device='cpu')\n"
        "except RequestError as error:\n    assert 'mediagen[hub]' in str(error), error\nelse:\n    sys.exit(1)\n"
        "Engine.from_pretrained(device='cpu')\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def test_prompts_of_public_models_stay_as_they_were_written() -> None:
    assert ENTRIES and not any(entry.limits.rewrite for entry in ENTRIES.values())
