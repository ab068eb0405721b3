"""Parts of the tiny pipelines that have many: HunyuanVideo 1.5, LTX-2, Stable Audio."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false, reportArgumentType=false

from typing import Any

from tiny_parts import WORDS, flow, t5, tokenizer, words


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
