"""Known: public weights by their names on the hub, with what their authors say of them; none was measured here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """pipeline: the class.  memory: GB of GPU memory that the model card names, and `how`; None where it names none."""

    name: str
    pipeline: str
    memory: float | None = None
    how: str = ""


KNOWN = (
    Known("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "WanPipeline", 8.19, "480p"),
    Known("Wan-AI/Wan2.1-T2V-14B-Diffusers", "WanPipeline"),
    Known("Wan-AI/Wan2.2-TI2V-5B-Diffusers", "WanPipeline", 24, "720p, offloaded"),
    Known("Wan-AI/Wan2.2-T2V-A14B-Diffusers", "WanPipeline", 80, "720p"),
    Known("Wan-AI/Wan2.2-I2V-A14B-Diffusers", "WanImageToVideoPipeline", 80, "720p"),
    Known("Wan-AI/Wan2.1-I2V-14B-480P-Diffusers", "WanImageToVideoPipeline"),
    Known("Wan-AI/Wan2.1-VACE-1.3B-diffusers", "WanVACEPipeline"),
    Known("Wan-AI/Wan2.1-VACE-14B-diffusers", "WanVACEPipeline"),
    Known("Lightricks/LTX-Video", "LTXPipeline"),
    Known("Lightricks/LTX-Video-0.9.5", "LTXConditionPipeline"),
    Known("Lightricks/LTX-2", "LTX2Pipeline"),
    Known("hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_t2v", "HunyuanVideo15Pipeline", 14, "offloaded"),
    Known("hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_i2v", "HunyuanVideo15ImageToVideoPipeline", 14,
          "offloaded"),
    Known("THUDM/CogVideoX-2b", "CogVideoXPipeline", 4, "offloaded and tiled"),
    Known("THUDM/CogVideoX-5b", "CogVideoXPipeline", 5, "offloaded and tiled"),
    Known("THUDM/CogVideoX1.5-5B", "CogVideoXPipeline", 10, "offloaded and tiled"),
    Known("decart-ai/Lucy-Edit-Dev", "LucyEditPipeline"),
    Known("BestWishYsh/ConsisID-preview", "ConsisIDPipeline", 7, "offloaded and tiled"),
    Known("Skywork/SkyReels-V2-DF-1.3B-540P-Diffusers", "SkyReelsV2DiffusionForcingPipeline", 14.7, "540p"),
    Known("Skywork/SkyReels-V2-DF-14B-540P-Diffusers", "SkyReelsV2DiffusionForcingPipeline", 51.2, "540p"),
    Known("stabilityai/stable-audio-open-1.0", "StableAudioPipeline"),
)  # fmt: skip
