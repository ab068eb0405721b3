"""The table of trainings: a name, the model with its presets, the task with its settings, and the loop's defaults.

Every import stands inside a function, so that reading the table costs nothing. A new training is one entry here.
"""

from pathlib import Path

from mediagen.sdk.models import courses
from mediagen.sdk.models.edit_trainings import EDITING
from mediagen.sdk.models.people_trainings import PEOPLE
from mediagen.sdk.models.training import Ingredients, Place, Training
from mediagen.sdk.models.upsample_trainings import UPSAMPLING

__all__ = ["TRAININGS", "Ingredients", "Place", "Training"]


def _keep_encoder(exported: Path, folder: Path) -> None:
    from mediagen.train.tasks.prompt import keep_encoder

    keep_encoder(exported, folder)


def _tae() -> Ingredients:
    from mediagen.tae import TAE
    from mediagen.train.tasks.tae import TAETask, TAETaskConfig

    def task(model: TAE, config: TAETaskConfig, at: Place) -> TAETask:
        eyes = at.frozen("aligned") if config.perceptual_weight > 0 else None
        return TAETask(model, config, at.device, eyes)

    return Ingredients(TAE.PRESETS, TAE, TAETaskConfig, task)


def _prompt() -> Ingredients:
    from mediagen.text.text import PRESETS
    from mediagen.train.tasks.prompt import PromptReader, PromptTask, PromptTaskConfig

    own = {name: preset for name, preset in PRESETS.items() if not any(part.source for part in preset.encoders)}
    return Ingredients(
        own, PromptReader, PromptTaskConfig, lambda model, config, at: PromptTask(model.to(at.device), config)
    )


def _aligned() -> Ingredients:
    from mediagen.text.aligned import PRESETS, AlignedEncoder
    from mediagen.train.tasks.aligned import AlignedTask, AlignedTaskConfig

    own = {name: preset for name, preset in PRESETS.items() if not preset.source}
    return Ingredients(
        own, AlignedEncoder, AlignedTaskConfig, lambda model, config, at: AlignedTask(model.to(at.device), config)
    )


def _recogniser() -> Ingredients:
    from mediagen.judge.recogniser import Recogniser
    from mediagen.train.tasks.recogniser import RecogniserTask, RecogniserTaskConfig

    return Ingredients(
        Recogniser.PRESETS,
        Recogniser,
        RecogniserTaskConfig,
        lambda model, config, at: RecogniserTask(model, config, at.device),
    )


def _rewrite() -> Ingredients:
    from mediagen.text.prompts.student import Student
    from mediagen.train.tasks.rewrite import RewriteTask, RewriteTaskConfig

    return Ingredients(
        Student.PRESETS, Student, RewriteTaskConfig, lambda model, config, at: RewriteTask(model.to(at.device), config)
    )


def _video() -> Ingredients:
    from mediagen.train.tasks.video import VideoTask, VideoTaskConfig
    from mediagen.video import VideoModel

    return Ingredients(
        VideoModel.PRESETS,
        VideoModel,
        VideoTaskConfig,
        lambda model, config, at: VideoTask(
            model, at.frozen("tae"), at.frozen("prompt"), config, at.folder / "cache", at.device
        ),
    )


def _distil() -> Ingredients:
    from mediagen.train.tasks.distil import DistilTask, DistilTaskConfig
    from mediagen.video import VideoModel

    return Ingredients(
        VideoModel.PRESETS,
        VideoModel,
        DistilTaskConfig,
        lambda model, config, at: DistilTask(
            model, at.frozen("tae"), at.frozen("prompt"), config, at.folder / "cache", at.device
        ),
    )


def _codec() -> Ingredients:
    from mediagen.audio.codec.model import PRESETS, Codec
    from mediagen.audio.train.codec import CodecTask, CodecTaskConfig

    return Ingredients(PRESETS, Codec, CodecTaskConfig, lambda model, config, at: CodecTask(model, config, at.device))


def _audio() -> Ingredients:
    from mediagen.audio.model import AudioModel
    from mediagen.audio.train.audio import AudioTask, AudioTaskConfig, SoundEncoders

    def task(model: AudioModel, config: AudioTaskConfig, at: Place) -> AudioTask:
        encoders = SoundEncoders(*(at.frozen(name) for name in ("prompt", "aligned", "codec", "tae")))
        return AudioTask(model, encoders, config, at.folder / "cache", at.device)

    return Ingredients(AudioModel.PRESETS, AudioModel, AudioTaskConfig, task)


def _sound_recogniser() -> Ingredients:
    from mediagen.audio.judge.recogniser import SoundRecogniser
    from mediagen.audio.train.recogniser import SoundRecogniserTask, SoundRecogniserTaskConfig

    return Ingredients(
        {"tiny": SoundRecogniser.Config()},
        SoundRecogniser,
        SoundRecogniserTaskConfig,
        lambda model, config, at: SoundRecogniserTask(model, config, at.device),
    )


def _sound_scorer() -> Ingredients:
    from mediagen.audio.judge.scorer import PRESETS, SoundScorer
    from mediagen.audio.train.scorer import SoundScorerTask, SoundScorerTaskConfig

    def task(model: SoundScorer, config: SoundScorerTaskConfig, at: Place) -> SoundScorerTask:
        return SoundScorerTask(model, at.frozen("codec"), at.frozen("aligned"), config, at.folder / "cache", at.device)

    return Ingredients(PRESETS, SoundScorer, SoundScorerTaskConfig, task)


# What a CPU of two cores trains the built-in models with, where `mediagen train` is given nothing else; recipes/ has
# the sequence, docs/training-notes.md the reasons.
TRAININGS: dict[str, Training] = {
    "tae": Training(
        "temporal autoencoder of the pictures",
        "tae",
        _tae,
        work=85,
        stages=courses.tae,
        course=("first", "again"),
        loop={"steps": 2_600, "lr": 8e-4, "warmup": 300, "clip": 0.5, "ema": 0.998, "decay": "linear", "lr_last": 0.03},
    ),
    "prompt": Training(
        "text encoder that reads the prompt",
        "prompt",
        _prompt,
        work=10,
        loop={"steps": 1_000, "lr": 2e-3, "ema": 0.99, "betas": (0.9, 0.98)},
        keep=_keep_encoder,
    ),
    "aligned": Training(
        "encoder in which text and pictures share one space",
        "aligned",
        _aligned,
        work=16,
        loop={"steps": 1_000, "ema": 0.995},
    ),
    "recogniser": Training(
        "judge of pictures: names what they show",
        "recogniser",
        _recogniser,
        work=17,
        loop={"steps": 2_400, "lr": 3e-3, "warmup": 50, "ema": 0.995, "decay": "linear"},
    ),
    "rewrite": Training(
        "student of the prompts' rewriter, of rules or of an instruct model",
        "rewrite",
        _rewrite,
        work=28,
        loop={"steps": 2_000, "lr": 1.5e-3, "warmup": 100, "ema": 0.99},
    ),
    "video": Training(
        "transformer of the pictures",
        "video",
        _video,
        work=98,
        stages=courses.video,
        course=("clips", "again"),
        loop={"steps": 5_200, "lr": 1.2e-3, "warmup": 200, "ema": 0.998, "lr_last": 0.02},
        task={"clips": 8_192},
    ),
    **EDITING,
    "distil": Training(
        "the transformer of the pictures in few steps, from the one of many",
        "video_fast",
        _distil,
        work=400,
        stages=courses.distil,
        course=("guided", "few"),
        loop={"steps": 2_000, "lr": 3e-4, "warmup": 50, "ema": 0.998, "lr_last": 0.05},
        task={"clips": 8_192},
    ),
    "codec": Training(
        "48 kHz sound codec",
        "codec",
        _codec,
        work=16,
        loop={
            "steps": 4_100,
            "lr": 8e-4,
            "warmup": 200,
            "betas": (0.8, 0.99),
            "ema": 0.998,
            "decay": "linear",
            "lr_last": 0.05,
        },
    ),
    "audio": Training(
        "transformer of the sound",
        "audio",
        _audio,
        work=75,
        stages=courses.audio,
        course=("short", "films"),
        loop={"steps": 8_000, "warmup": 200, "ema": 0.998, "lr_last": 0.02},
    ),
    "sound-recogniser": Training(
        "judge of sounds: names what is heard",
        "sound_recogniser",
        _sound_recogniser,
        work=1.5,
        loop={"steps": 600, "lr": 3e-3, "warmup": 20, "ema": 0.99, "decay": "linear"},
    ),
    "sound-scorer": Training(
        "judge of sounds: how well they fit words and pictures, and whether there is music",
        "sound_scorer",
        _sound_scorer,
        work=12,
        loop={"steps": 1_500, "lr": 2e-3, "warmup": 40, "ema": 0.99, "decay": "linear"},
    ),
    **PEOPLE,
    **UPSAMPLING,
}
