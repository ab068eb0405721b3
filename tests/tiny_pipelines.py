"""Folders in diffusers' layout: the real pipeline classes with random components of a few thousand numbers each.

They prove how a pipeline is called, not what its pictures look like. Each folder gets a mediagen.json with sizes that
such components can make, and the word that they are random.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
WORDS = 32  # width of what a text encoder gives


def tokenizer(length: int = 16) -> Any:
    """Letters as tokens."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = ["<pad>", "</s>", "<unk>"] + [chr(code) for code in range(32, 127)]
    made = Tokenizer(models.WordLevel({letter: index for index, letter in enumerate(letters)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=length
    )


def t5() -> Any:
    from transformers import T5Config, T5EncoderModel

    sizes = {"d_model": WORDS, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 4}
    return T5EncoderModel(T5Config(vocab_size=1103, **sizes)).eval()


def umt5() -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    sizes = {"d_model": WORDS, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 4}
    return UMT5EncoderModel(UMT5Config(vocab_size=1103, **sizes)).eval()


def words() -> dict[str, Any]:
    return {"tokenizer": tokenizer(), "text_encoder": t5()}


def wan_words() -> dict[str, Any]:
    return {"tokenizer": tokenizer(), "text_encoder": umt5()}


def wan_vae(**more: Any) -> Any:
    from diffusers import AutoencoderKLWan

    sizes: dict[str, Any] = {"base_dim": 3, "z_dim": 16, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1}
    return AutoencoderKLWan(**{**sizes, "temperal_downsample": [False, True, True], **more})


def wan_transformer(kind: str = "WanTransformer3DModel", channels: int = 16, out: int = 16, **more: Any) -> Any:
    import diffusers

    return getattr(diffusers, kind)(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=channels,
        out_channels=out,
        text_dim=WORDS,
        freq_dim=256,
        ffn_dim=32,
        **{"num_layers": 2, "rope_max_seq_len": 32, **more},
    )


def flow(**settings: Any) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(**settings)


def unipc() -> Any:
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


def wan() -> dict[str, Any]:
    return {**wan_words(), "vae": wan_vae(), "transformer": wan_transformer(), "scheduler": unipc()}


def wan_5b() -> dict[str, Any]:
    """Wan 2.2 TI2V 5B: an autoencoder of its own, and times of each frame's own."""
    more = {"in_channels": 12, "out_channels": 12, "is_residual": True, "patch_size": 2}
    vae = wan_vae(z_dim=48, latents_mean=[0.0] * 48, latents_std=[1.0] * 48, scale_factor_spatial=16, **more)
    return {**wan_words(), "vae": vae, "transformer": wan_transformer(channels=48, out=48), "scheduler": unipc(),
            "expand_timesteps": True}  # fmt: skip


def wan_picture() -> dict[str, Any]:
    """As Wan 2.2 14B: two transformers, the first for what is noisy, and no encoder of the picture."""
    two = {name: wan_transformer(channels=36) for name in ("transformer", "transformer_2")}
    return {**wan_words(), **two, "vae": wan_vae(), "scheduler": unipc(), "boundary_ratio": 0.875,
            "image_encoder": None, "image_processor": None}  # fmt: skip


def wan_vace() -> dict[str, Any]:
    told = {"num_layers": 3, "vace_layers": [0, 2], "vace_in_channels": 96}
    transformer = wan_transformer("WanVACETransformer3DModel", **told)
    for block in transformer.vace_blocks:  # what is shown counts, even in eight bits
        block.proj_out.weight.data *= 100
    return {**wan_words(), "vae": wan_vae(), "transformer": transformer, "scheduler": flow(shift=7.0)}


def lucy() -> dict[str, Any]:
    parts = wan_5b()
    return {**parts, "transformer": wan_transformer(channels=96, out=48), "expand_timesteps": True}


def skyreels() -> dict[str, Any]:
    return {**wan_words(), "vae": wan_vae(), "transformer": wan_transformer("SkyReelsV2Transformer3DModel"),
            "scheduler": unipc()}  # fmt: skip


def ltx() -> dict[str, Any]:
    from diffusers import AutoencoderKLLTXVideo, LTXVideoTransformer3DModel

    transformer = LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=1,
        caption_channels=WORDS,
    )
    vae = AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True, False),
        decoder_spatio_temporal_scaling=(True, True, True, False),
        decoder_inject_noise=(False, False, False, False, False),
        upsample_residual=(False, False, False, False),
        upsample_factor=(1, 1, 1, 1),
        timestep_conditioning=False,
        patch_size=4,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
    )
    return {**words(), "vae": vae, "transformer": transformer, "scheduler": flow()}


def cog_vae() -> Any:
    from diffusers import AutoencoderKLCogVideoX

    return AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    )


def cog() -> dict[str, Any]:
    from diffusers import CogVideoXTransformer3DModel, DDIMScheduler

    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=4,
        attention_head_dim=8,
        in_channels=4,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=WORDS,
        num_layers=1,
        sample_width=2,
        sample_height=2,
        sample_frames=9,
        patch_size=2,
        temporal_compression_ratio=4,
        max_text_seq_length=16,
    )
    return {**words(), "vae": cog_vae(), "transformer": transformer, "scheduler": DDIMScheduler()}


def consisid() -> dict[str, Any]:
    from diffusers import ConsisIDTransformer3DModel, DDIMScheduler

    transformer = ConsisIDTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=8,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=WORDS,
        num_layers=1,
        sample_width=2,
        sample_height=2,
        sample_frames=9,
        patch_size=2,
        max_text_seq_length=16,
        use_rotary_positional_embeddings=True,
        use_learned_positional_embeddings=True,
        cross_attn_interval=1,
        is_train_face=True,
        cross_attn_dim_head=1,
        cross_attn_num_heads=1,
        LFE_id_dim=2,
        LFE_vit_dim=2,
        LFE_depth=5,
        LFE_dim_head=8,
        LFE_num_heads=2,
        LFE_num_id_token=1,
        LFE_num_querie=1,
        LFE_output_dim=21,
        LFE_ff_mult=1,
        LFE_num_scale=1,
    )
    return {**words(), "vae": cog_vae(), "transformer": transformer, "scheduler": DDIMScheduler()}


def hunyuan(picture: bool = False) -> dict[str, Any]:
    from diffusers import AutoencoderKLHunyuanVideo15, HunyuanVideo15Transformer3DModel
    from diffusers.guiders import ClassifierFreeGuidance
    from transformers import ByT5Tokenizer, Qwen2_5_VLTextConfig, Qwen2_5_VLTextModel

    transformer = HunyuanVideo15Transformer3DModel(
        in_channels=9,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=1,
        num_refiner_layers=1,
        mlp_ratio=2.0,
        patch_size=1,
        patch_size_t=1,
        text_embed_dim=16,
        text_embed_2_dim=WORDS,
        image_embed_dim=12,
        rope_axes_dim=(2, 2, 4),
        target_size=16,
        task_type="i2v" if picture else "t2v",
    )
    vae = AutoencoderKLHunyuanVideo15(
        latent_channels=4,
        block_out_channels=(16, 16, 16),
        layers_per_block=1,
        spatial_compression_ratio=4,
        temporal_compression_ratio=4,
        downsample_match_channel=False,
        upsample_match_channel=False,
    )
    rope = {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default", "rope_theta": 1e6}
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2}
    reader = Qwen2_5_VLTextConfig(**sizes, num_key_value_heads=2, rope_parameters=rope, vocab_size=128, bos_token_id=1,
                                  eos_token_id=1)  # fmt: skip
    letters = tokenizer(1200)
    letters.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    made = {
        "transformer": transformer,
        "vae": vae,
        "scheduler": flow(shift=7.0),
        "text_encoder": Qwen2_5_VLTextModel(reader).eval(),
        "tokenizer": letters,
        "text_encoder_2": t5(),
        "tokenizer_2": ByT5Tokenizer(),
        "guider": ClassifierFreeGuidance(guidance_scale=6.0),
    }
    if picture:
        from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

        eye = {"hidden_size": 12, "intermediate_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2}
        config = SiglipVisionConfig(**eye, image_size=27 * 2, patch_size=2)
        made |= {"image_encoder": SiglipVisionModel(config).eval(),
                 "feature_extractor": SiglipImageProcessor(size={"height": 54, "width": 54})}  # fmt: skip
    return made


def ltx2() -> dict[str, Any]:
    from diffusers import AutoencoderKLLTX2Audio, AutoencoderKLLTX2Video, LTX2VideoTransformer3DModel
    from diffusers.pipelines.ltx2 import LTX2TextConnectors
    from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    text = {"hidden_size": WORDS, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    eye = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    reader = Gemma3ForConditionalGeneration(
        Gemma3Config(
            text_config={**text, "num_key_value_heads": 1, "head_dim": 8, "vocab_size": 128},
            vision_config={**eye, "image_size": 28, "patch_size": 14},
            mm_tokens_per_image=1,
        )
    )
    transformer = LTX2VideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=2,
        qk_norm="rms_norm_across_heads",
        caption_channels=WORDS,
        rope_double_precision=False,
        rope_type="split",
    )
    heads = {f"{kind}_connector_{name}": value for kind in ("video", "audio") for name, value in (
        ("num_attention_heads", 4), ("attention_head_dim", 8), ("num_layers", 1), ("num_learnable_registers", None)
    )}  # fmt: skip
    connectors = LTX2TextConnectors(
        caption_channels=WORDS,
        text_proj_in_factor=3,
        connector_rope_base_seq_len=32,
        rope_theta=10000.0,
        rope_double_precision=False,
        causal_temporal_positioning=False,
        rope_type="split",
        **heads,
    )
    vae = AutoencoderKLLTX2Video(
        latent_channels=4,
        block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        layers_per_block=(1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True),
        decoder_spatio_temporal_scaling=(True, True, True),
        decoder_inject_noise=(False, False, False, False),
        downsample_type=("spatiotemporal", "spatiotemporal", "spatiotemporal"),
        upsample_residual=(False, False, False),
        upsample_factor=(1, 1, 1),
        timestep_conditioning=False,
        patch_size=1,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
    )
    audio_vae = AutoencoderKLLTX2Audio(
        base_channels=4,
        output_channels=2,
        ch_mult=(1,),
        num_res_blocks=1,
        attn_resolutions=None,
        in_channels=2,
        resolution=32,
        latent_channels=2,
        norm_type="pixel",
        causality_axis="height",
        mid_block_add_attention=False,
        sample_rate=16000,
        mel_hop_length=160,
        is_causal=True,
        mel_bins=8,
    )
    vocoder = LTX2Vocoder(
        in_channels=16,
        hidden_channels=32,
        out_channels=2,
        upsample_kernel_sizes=[20, 16],
        upsample_factors=[10, 16],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        output_sampling_rate=16000,
    )
    return {
        "transformer": transformer,
        "vae": vae,
        "audio_vae": audio_vae,
        "scheduler": flow(),
        "text_encoder": reader.eval(),
        "tokenizer": tokenizer(),
        "connectors": connectors,
        "vocoder": vocoder,
    }


def stable_audio() -> dict[str, Any]:
    from diffusers import (
        AutoencoderOobleck,
        CosineDPMSolverMultistepScheduler,
        StableAudioDiTModel,
        StableAudioProjectionModel,
    )

    transformer = StableAudioDiTModel(
        sample_size=400,
        in_channels=3,
        num_layers=2,
        attention_head_dim=4,
        num_key_value_attention_heads=2,
        out_channels=3,
        cross_attention_dim=4,
        time_proj_dim=8,
        global_states_input_dim=8,
        cross_attention_input_dim=4,
    )
    vae = AutoencoderOobleck(
        encoder_hidden_size=6,
        downsampling_ratios=[2, 5],
        decoder_channels=3,
        decoder_input_channels=3,
        audio_channels=2,
        channel_multiples=[2, 4],
        sampling_rate=2000,
    )
    return {
        **words(),
        "vae": vae,
        "transformer": transformer,
        "scheduler": CosineDPMSolverMultistepScheduler(
            solver_order=2, prediction_type="v_prediction", sigma_data=1.0, sigma_schedule="exponential"
        ),
        "projection_model": StableAudioProjectionModel(
            text_encoder_dim=WORDS, conditioning_dim=4, min_value=0, max_value=32
        ),
    }


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
