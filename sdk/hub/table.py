"""The pipeline classes of diffusers that mediagen knows. A new one is one entry here, and one tiny one in the tests.

Sizes, rates, lengths, steps and guidance are those of the authors' model cards and of the pipelines' own defaults. A
folder may say others of its weights in a mediagen.json: {"limits": {"width": 640, ...}}.
"""

from mediagen.sdk.hub.entry import Call, Entry, Variant
from mediagen.sdk.models.limits import Limits

SETTINGS = "mediagen.json"  # in a folder: {"limits": {...}, "call": {...}, "licence": "...", "random": true}
_APACHE = "Apache-2.0"


def _limits(size: tuple[int, int], fps: float, frames: int, steps: int, scale: float, step: int = 4,
            sizes: tuple[tuple[int, int], ...] = (), rates: tuple[float, ...] = ()) -> Limits:  # fmt: skip
    """Limits whose default is their longest clip; frames: of that."""
    return Limits(
        width=size[0],
        height=size[1],
        sizes=((size[1], size[0]), *sizes),
        fps=fps,
        rates=rates,
        steps=steps,
        guidance_scale=scale,
        frame_step=step,
        pixel_bytes=24,
        rewrite=False,
        max_extended_seconds=600.0,
        seconds=frames / fps,
        min_seconds=1 / max((fps, *rates)),
        max_seconds=frames / fps,
    )


_WAN_5B = Variant(
    name="Wan 2.2 TI2V 5B",
    config={"vae": {"z_dim": 48}},
    limits={"width": 1280, "height": 704, "sizes": ((704, 1280),), "fps": 24.0, "seconds": 121 / 24,
            "min_seconds": 1 / 24, "max_seconds": 121 / 24},
    calls={"picture": Call(pipeline="WanImageToVideoPipeline", first="image")},
)  # fmt: skip
_LTX = _limits((704, 480), 24.0, 161, 50, 3.0, 8, sizes=((768, 512), (512, 768), (1216, 704), (704, 1216)),
               rates=(25.0, 30.0))  # fmt: skip

ENTRIES: dict[str, Entry] = {
    "WanPipeline": Entry(
        what="Wan 2.1 and 2.2, from words",
        calls={"generate": Call(pipeline="WanPipeline")},
        limits=_limits((832, 480), 16.0, 81, 50, 5.0, sizes=((1280, 720), (720, 1280))),
        licence=_APACHE,
        variants=(_WAN_5B,),
        exact=("vae",),
        packages={"ftfy": "ftfy"},
    ),
    "WanImageToVideoPipeline": Entry(
        what="Wan 2.1 and 2.2, from a picture",
        calls={"picture": Call(pipeline="WanImageToVideoPipeline", first="image")},
        limits=_limits((832, 480), 16.0, 81, 50, 5.0, sizes=((1280, 720), (720, 1280))),
        licence=_APACHE,
        variants=(_WAN_5B,),
        exact=("vae", "image_encoder"),
        packages={"ftfy": "ftfy"},
    ),
    "WanVACEPipeline": Entry(
        what="Wan 2.1 VACE: edits of a film, within a mask or everywhere, and clips from words and pictures",
        calls={
            "generate": Call(pipeline="WanVACEPipeline"),
            "picture": Call(pipeline="WanVACEPipeline", film="video", mask="mask"),
            "extend": Call(pipeline="WanVACEPipeline", film="video", mask="mask"),
            "edit": Call(pipeline="WanVACEPipeline", film="video", mask="mask"),
            "character": Call(pipeline="WanVACEPipeline", references="reference_images"),
        },
        limits=_limits((832, 480), 16.0, 81, 50, 5.0, sizes=((1280, 720), (720, 1280))),
        licence=_APACHE,
        overlap=17,
        exact=("vae",),
        packages={"ftfy": "ftfy"},
    ),
    "LTXPipeline": Entry(
        what="LTX-Video, from words or a picture",
        calls={
            "generate": Call(pipeline="LTXPipeline", fps="frame_rate"),
            "picture": Call(pipeline="LTXImageToVideoPipeline", first="image", fps="frame_rate"),
        },
        limits=_LTX,
        licence="LTX-Video Open Weights License",
        latent="packed",
    ),
    "LTXConditionPipeline": Entry(
        what="LTX-Video 0.9.5 and later, from words, a picture or frames",
        calls={
            "generate": Call(pipeline="LTXConditionPipeline", fps="frame_rate"),
            "picture": Call(pipeline="LTXConditionPipeline", first="image", fps="frame_rate"),
            "extend": Call(pipeline="LTXConditionPipeline", before="video", fps="frame_rate"),
        },
        limits=_LTX,
        licence="LTX-Video Open Weights License",
        latent="packed",
        overlap=9,
    ),
    "LTX2Pipeline": Entry(
        what="LTX-2, with its own sound",
        calls={
            "generate": Call(pipeline="LTX2Pipeline", fps="frame_rate"),
            "picture": Call(pipeline="LTX2ImageToVideoPipeline", first="image", fps="frame_rate"),
        },
        limits=_limits(
            (768, 512), 24.0, 121, 40, 4.0, 8, sizes=((1216, 704), (704, 1216), (1536, 1024)), rates=(25.0,)
        ),
        licence="LTX-2 Community License",
        latent="packed",
        speaks=True,
    ),
    "HunyuanVideo15Pipeline": Entry(
        what="HunyuanVideo 1.5, from words",
        calls={"generate": Call(pipeline="HunyuanVideo15Pipeline", scale="")},
        limits=_limits((848, 480), 24.0, 121, 50, 6.0, sizes=((1280, 720), (720, 1280))),
        licence="Tencent Hunyuan Community License (not for the EU, the UK and South Korea)",
    ),
    "HunyuanVideo15ImageToVideoPipeline": Entry(
        what="HunyuanVideo 1.5, from a picture, whose shape the film takes",
        calls={"picture": Call(pipeline="HunyuanVideo15ImageToVideoPipeline", first="image", scale="", size=False)},
        limits=_limits((848, 480), 24.0, 121, 50, 6.0, sizes=((1280, 720), (720, 1280))),
        licence="Tencent Hunyuan Community License (not for the EU, the UK and South Korea)",
    ),
    "CogVideoXPipeline": Entry(
        what="CogVideoX 2B and 5B, from words",
        calls={"generate": Call(pipeline="CogVideoXPipeline")},
        limits=_limits((720, 480), 8.0, 49, 50, 6.0),
        licence="Apache-2.0 (2B), CogVideoX License (5B)",
        latent="BLCHW",
        variants=(
            Variant(
                name="CogVideoX 1.5",
                config={"transformer": {"patch_size_t": 2}},
                limits={
                    "width": 1360,
                    "height": 768,
                    "sizes": ((768, 1360),),
                    "fps": 16.0,
                    "seconds": 81 / 16,
                    "min_seconds": 1 / 16,
                    "max_seconds": 81 / 16,
                    "frame_step": 16,
                },
            ),
        ),
    ),
    "LucyEditPipeline": Entry(
        what="Lucy Edit: a film changed by an instruction",
        calls={"edit": Call(pipeline="LucyEditPipeline", film="video")},
        limits=_limits((832, 480), 24.0, 81, 50, 5.0, sizes=((1280, 704), (704, 1280))),
        licence="Lucy Edit Dev Model Non-Commercial License",
        exact=("vae",),
        packages={"ftfy": "ftfy"},
    ),
    "ConsisIDPipeline": Entry(
        what="ConsisID: a person from a photo",
        calls={"character": Call(pipeline="ConsisIDPipeline", first="image")},
        limits=_limits((720, 480), 8.0, 49, 50, 6.0),
        licence=_APACHE,
        latent="BLCHW",
        packages={"cv2": "opencv-python-headless"},
    ),
    "SkyReelsV2DiffusionForcingPipeline": Entry(
        what="SkyReels V2 diffusion forcing: films that go on",
        calls={
            "generate": Call(pipeline="SkyReelsV2DiffusionForcingPipeline", fps="fps"),
            "picture": Call(pipeline="SkyReelsV2DiffusionForcingImageToVideoPipeline", first="image", fps="fps"),
            "extend": Call(
                pipeline="SkyReelsV2DiffusionForcingVideoToVideoPipeline",
                before="video",
                fps="fps",
                overlap="overlap_history",
            ),
        },
        limits=_limits((960, 544), 24.0, 97, 50, 6.0, sizes=((1280, 720), (720, 1280))),
        licence="Skywork Community License",
        overlap=17,
        exact=("vae",),
        packages={"ftfy": "ftfy"},
    ),
    "StableAudioPipeline": Entry(
        what="Stable Audio Open: sound from words",
        calls={"sound": Call(pipeline="StableAudioPipeline", frames="audio_end_in_s", size=False)},
        limits=Limits(rewrite=False, sound_steps=100, sound_guidance_scale=7.0, max_sound_seconds=600.0),
        licence="Stability AI Community License",
        packages={"torchsde": "torchsde"},
    ),
}
