"""Our models as a pipeline of diffusers: the same clips, in the words of diffusers."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false

from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("diffusers")

import diffusers

from mediagen.sdk import Engine, RequestError
from mediagen.sdk import diffusers as bridge
from mediagen.sdk.diffusers import MediagenPipeline


@pytest.fixture(scope="module")
def pipe(model_folder: Path) -> Any:
    return MediagenPipeline.from_pretrained(model_folder).to("cpu")


def test_it_is_a_pipeline_that_makes_what_the_engine_makes(pipe: Any, model_folder: Path) -> None:
    assert isinstance(pipe, diffusers.DiffusionPipeline)
    expected = Engine.from_pretrained(model_folder, device="cpu").generate("a ball", seconds=0.5, seed=7).frames
    call: Any = pipe
    told: list[tuple[int, float, int]] = []

    def on_step(one: Any, step: int, t: float, said: dict[str, Any]) -> None:
        assert one is pipe
        told.append((step, t, said["latents"].ndim))

    seeded = torch.Generator().manual_seed(7)
    made = call("a ball", num_frames=8, generator=seeded, output_type="pt", callback_on_step_end=on_step)
    assert expected is not None and torch.equal((made.frames[0] * 255).round().to(torch.uint8),
                                                expected.permute(0, 3, 1, 2))  # fmt: skip
    assert made.sound[0].shape == (1, 24_000) and made.fps == 16
    assert [step for step, *_ in told] == [0, 1, 2] and told[-1][1:] == (1.0, 5)


def test_outputs_have_the_forms_that_diffusers_gives(pipe: Any) -> None:
    asked: dict[str, Any] = {"num_frames": 8, "generator": torch.Generator().manual_seed(1), "sound": False}
    as_np, as_pil = (pipe("a ball", output_type=kind, **asked).frames[0] for kind in ("np", "pil"))
    assert as_np.shape == (8, 32, 32, 3) and 0 <= as_np.min() <= as_np.max() <= 1
    assert len(as_pil) == 8 and as_pil[0].size == (32, 32)
    several = pipe(["a ball", "a cube"], num_videos_per_prompt=2, return_dict=False, **asked)[0]
    assert several.shape == (4, 8, 32, 32, 3)
    with pytest.raises(RequestError, match="output_type: got 'latent'"):
        pipe("a ball", output_type="latent", **asked)
    with pytest.raises(RequestError, match="custom: got it"):
        MediagenPipeline.from_pretrained(None, custom=1)


def test_diffusers_own_from_pretrained_reads_a_folder_that_was_saved(model_folder: Path, tmp_path: Path) -> None:
    saved = Engine.from_pretrained(model_folder, device="cpu").save_pretrained(tmp_path / "saved")
    assert Engine.from_pretrained(saved, device="cpu").limits.width == 32, "it stays a folder of ours"
    found: Any = diffusers.DiffusionPipeline.from_pretrained(
        str(saved), custom_pipeline=bridge.__file__, trust_remote_code=True
    )
    made = found("a ball", num_frames=8, generator=torch.Generator().manual_seed(7), sound=False)
    expected = Engine.from_pretrained(model_folder, device="cpu").generate("a ball", seconds=0.5, seed=7, sound=False)
    assert expected.frames is not None
    assert torch.equal(torch.from_numpy(made.frames[0] * 255).round().to(torch.uint8), expected.frames)
