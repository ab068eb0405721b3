"""What the stages of recipes/gpu.sh train, and for how long: on a GPU, and as a rehearsal."""

from dataclasses import dataclass, field
from typing import Any

Settings = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """share: of the stage's training time, by training, or TRAINING:STAGE of a course.  judge: seconds for judging.

    bench: parts of it.  starts: folders of models that a training begins with, where not with its own of an earlier
    call.  begins: the same, of trainings that go on with their own as soon as they have it.  limits: of the engine.
    """

    name: str
    share: dict[str, float]
    judge: float
    bench: tuple[str, ...] = ()
    starts: dict[str, str] = field(default_factory=dict)
    begins: dict[str, str] = field(default_factory=dict)
    limits: Settings = field(default_factory=dict)


STAGES = {
    "1": Stage("autoencoder", {"tae": 1.0}, 50, ("autoencoder",)),
    "2": Stage("readers", {"prompt": 0.25, "aligned": 0.25, "recogniser": 0.5}, 30),
    "3": Stage("video", {"video": 1.0}, 110, ("pictures",)),
    "4": Stage("codec", {"codec": 1.0}, 50, ("codec",)),
    "5": Stage("audio", {"sound-recogniser": 0.15, "audio": 0.85}, 70, ("sound",)),
    "6": Stage("fast", {"distil:guided": 0.45, "distil:few": 0.55}, 110, ("pictures",),
               {"distil:guided": "video", "distil:few": "video_fast"}, limits={"fast_steps": 8}),
    "7": Stage("edits", {"edit:frames": 0.45, "edit:films": 0.55}, 20, begins={"edit:frames": "video"}),
}  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """What the stages train, and for how long. seconds: of a whole stage.  filling: share of it that draws clips.

    sets: preset and settings by training.  clips: at most that many are drawn, by the setting that they go into.
    """

    seconds: float
    limits: Settings
    sets: dict[str, Settings]
    clips: dict[str, tuple[str, int]]
    prompts: int
    filling: float = 0.35
    judge: float = 1.0  # times the stage's seconds for judging
    extra: Settings = field(default_factory=dict)


_CLIPS = {"size": [128, 128], "seconds": 2.0}
_MANY = {"processes": 14}
_ONCE = {"captions_per_clip": 4, **_MANY}
GPU = Scale(
    seconds=540,
    limits={"width": 128, "height": 128, "seconds": 2, "max_seconds": 2, "sound_steps": 16, "difficulty": "standard"},
    sets={
        "tae": {"preset": "standard", "difficulty": "standard", "size": [128, 128], "crop": 64, "batch": 64, "lr": 8e-4,
                "compile": True},
        "prompt": {"preset": "standard", "standard": 0.85, "batch": 128, "steps": 3000},
        "aligned": {"standard": 0.85, "batch": 128, "seconds": 2.0},
        "recogniser": {"preset": "standard", "standard": 0.85, "batch": 32, "lr": 2e-3, **_CLIPS, **_MANY},
        "video": {"preset": "standard", "difficulty": "standard", "turning": 0.33, "batch": 128, "lr": 1e-3,
                  "warmup": 300, "ema": 0.999, "compile": True, **_CLIPS, **_ONCE},
        "distil": {"preset": "standard", "difficulty": "standard", "batch": 64, "compile": True, **_CLIPS, **_ONCE},
        "codec": {"standard": 0.8, "pool": 8000, "batch": 48, **_MANY, "workers": 2},
        "sound-recogniser": {"standard": 0.85, "pool": 4000, "batch": 64, "seconds": 2.0, **_MANY},
        "audio": {"standard": 0.85, "clips": 6_000, "batch": 64, "check": 32, "size": [128, 128], **_ONCE},
        "edit": {"preset": "standard", "focus": 4.0, "compile": True, **_CLIPS, **_MANY},
        "edit:frames": {"pairs": 16_384, "clips": 0.0, "batch": 256, "lr": 8e-4, "warmup": 100, "ema": 0.999},
        "edit:films": {"pairs": 1_536, "frames": 1.0, "batch": 64, "lr": 4e-4, "warmup": 50, "ema": 0.999},
    },
    clips={"tae": ("pool", 24_000), "recogniser": ("pool", 16_384), "video": ("clips", 49_152),
           "distil": ("clips", 8_192)},
    prompts=128,
)  # fmt: skip
_TINY = {"size": [32, 32], "batch": 4}
_SMALL = {"width": 32, "depth": 1, "heads": 2, "hidden": 32, "text_widths": [32], "longest": [4, 4, 4], "seconds": 1.0,
          **_TINY}  # fmt: skip
TOY = Scale(  # the same from end to end, in seconds on a CPU
    seconds=6,
    limits={"width": 32, "height": 32, "seconds": 1, "min_seconds": 0.5, "max_seconds": 1, "steps": 2,
            "sound_steps": 1, "difficulty": "standard"},
    sets={
        "tae": {"widths": [8, 8, 8], "encoder_blocks": [0, 0, 0], "decoder_blocks": [0, 0, 0], "attention": False,
                "latent_channels": 4, "frames": 8, "fit_clips": 8, "difficulty": "standard", **_TINY},
        "prompt": {"preset": "debug", "batch": 4, "check": 8},
        "aligned": {"preset": "debug", "batch": 4, "check": 8},
        "recogniser": {"preset": "debug", "check": 4, **_TINY},
        "video": {"difficulty": "standard", "captions_per_clip": 2, **_SMALL},
        "distil": {"difficulty": "standard", "captions_per_clip": 2, **_SMALL},
        "codec": {"preset": "debug", "pool": 4, "batch": 2, "check": 2},
        "sound-recogniser": {"pool": 4, "batch": 4, "check": 4},
        "audio": {"preset": "debug", "clips": 4, "check": 2, "preview_steps": 1, "seconds": 2.0, "windows": [1.0, 2.0],
                  "captions_per_clip": 2, **_TINY},
        "edit": {"latent_channels": 4, "beside_channels": 4, "pairs": 4, **_SMALL},
    },
    clips={"tae": ("pool", 8), "recogniser": ("pool", 8), "video": ("clips", 8), "distil": ("clips", 8)},
    prompts=2,
    judge=0.02,
    extra={"steps": 3},
)  # fmt: skip
