"""Folders in diffusers' layout: the real pipeline classes with random components of a few thousand numbers each.

They prove how a pipeline is called, not what its pictures look like. Each folder gets a mediagen.json with sizes that
such components can make, and the word that they are random.
"""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false, reportArgumentType=false

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_large_parts import hunyuan, ltx2, stable_audio
from tiny_parts import cog, consisid, ltx, lucy, skyreels, wan, wan_5b, wan_picture, wan_vace

LIMITS = {
    "width": 16,
    "height": 16,
    "sizes": [],
    "fps": 16,
    "rates": [],
    "seconds": 0.3125,
    "min_seconds": 0.0625,
    "max_seconds": 0.5625,
    "steps": 2,
    "guidance_scale": 3.0,
}
NINE = {"seconds": 0.5625, "width": 32, "height": 32}  # nine frames, for those that make 8k+1
SHORT = {"max_sequence_length": 16}  # of a prompt: what the tiny transformers were made for
STILL = {"stg_scale": 0.0, "audio_stg_scale": 0.0, "spatio_temporal_guidance_blocks": None}  # too few blocks for that
COMPONENTS: dict[str, tuple[Callable[[], dict[str, Any]], dict[str, Any], dict[str, Any]]] = {
    "WanPipeline": (wan, {}, {}),
    "WanPipeline-5B": (wan_5b, {"width": 32, "height": 32}, {}),
    "WanImageToVideoPipeline": (wan_picture, {}, {}),
    "WanVACEPipeline": (wan_vace, {}, {}),
    "LTXPipeline": (ltx, NINE, {}),
    "LTXConditionPipeline": (ltx, NINE | {"max_seconds": 25 / 16}, {}),
    "LTX2Pipeline": (
        ltx2,
        NINE,
        {**SHORT, "stg_scale": 0.0, "audio_stg_scale": 0.0, "spatio_temporal_guidance_blocks": None},
    ),
    "HunyuanVideo15Pipeline": (hunyuan, {}, {}),
    "HunyuanVideo15ImageToVideoPipeline": (lambda: hunyuan(picture=True), {}, {}),
    "CogVideoXPipeline": (cog, {}, SHORT),
    "LucyEditPipeline": (lucy, {"width": 32, "height": 32}, {}),
    "ConsisIDPipeline": (consisid, NINE | {"width": 16, "height": 16}, SHORT),
    "SkyReelsV2DiffusionForcingPipeline": (skyreels, {"max_seconds": 17 / 16}, {}),
    "StableAudioPipeline": (stable_audio, {}, {}),
}


def build(name: str, folder: Path) -> Path:
    """Saves the tiny pipeline of a class, or of a variant of it ("CLASS-VARIANT"); the folder."""
    import diffusers
    import torch

    components, limits, call = COMPONENTS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pipe = getattr(diffusers, name.partition("-")[0])(**components())
        for part in (pipe.components[part] for part in pipe.components if part.startswith("transformer")):
            for parameter in part.parameters() if part is not None else ():
                if not parameter.any():  # layers that start at zero would hide what they are told
                    torch.nn.init.normal_(parameter, std=0.3)
        pipe.save_pretrained(folder)
    sizes = {"sound_steps": 2} if name == "StableAudioPipeline" else {**LIMITS, **limits}
    (folder / "mediagen.json").write_text(json.dumps({"random": True, "limits": sizes, "call": call}))
    return folder
