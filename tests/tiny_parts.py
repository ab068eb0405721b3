"""Parts of the tiny pipelines: tokenizers, text encoders, and the families of Wan, LTX-Video and CogVideoX."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false, reportArgumentType=false

from typing import Any

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
