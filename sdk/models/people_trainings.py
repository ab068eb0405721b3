"""The trainings of what a person in a clip needs: the finder of faces, the face encoder, the video model with a person.

Every import stands inside a function, as in `trainings`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mediagen.sdk.models.training import Ingredients, Place, Training

if TYPE_CHECKING:
    from mediagen.train.stages import Stage


def _faces() -> Ingredients:
    from mediagen.personalize.faces import FaceFinder
    from mediagen.personalize.train.faces import FinderTask, FinderTaskConfig

    return Ingredients(
        FaceFinder.PRESETS,
        FaceFinder,
        FinderTaskConfig,
        lambda model, config, at: FinderTask(model, config, at.device),
    )


def _face_encoder() -> Ingredients:
    from mediagen.personalize.arcface import ArcFace
    from mediagen.personalize.train.encoder import EncoderTask, EncoderTaskConfig

    return Ingredients(
        {name: preset.replace(identities=5_000) for name, preset in ArcFace.PRESETS.items()},
        ArcFace,
        EncoderTaskConfig,
        lambda model, config, at: EncoderTask(model, config, at.device),
    )


def _personalize() -> Ingredients:
    from mediagen.personalize.model import PersonalModel
    from mediagen.personalize.train.person import PersonTask, PersonTaskConfig

    def task(model: PersonalModel, config: PersonTaskConfig, at: Place) -> PersonTask:
        tae, text, finder, encoder = (at.frozen(name) for name in ("tae", "prompt", "faces", "face_encoder"))
        if not config.tower:  # as it was trained: what stage III makes of it is in the weights that it goes on from
            model.take_tower(at.frozen("aligned"))
        made = PersonTask(model, tae, text, finder, encoder, config, at.folder / "cache", at.device)
        at.tell(made.survivors.told())
        return made

    return Ingredients(PersonalModel.PRESETS, PersonalModel, PersonTaskConfig, task)


def _personal_stages() -> "Sequence[Stage]":
    """Movie Gen, section 5.2: identity first, then length, then what is no copy of the reference."""
    from mediagen.train.stages import Stage

    crossed = {"crossed": 1.0, "tower": True, "steps": 2_000, "lr": 2e-4}
    return (
        Stage(name="paired", what="faces of the clip itself, short latents", settings={"latents": 2}),
        Stage(name="longer", what="the same, whole clips", settings={"steps": 2_000, "lr": 3e-4}),
        Stage(name="crossed", what="faces of other clips, with the picture tower", settings=crossed),
    )


def _keep_face_encoder(exported: Path, folder: Path) -> None:
    from mediagen.personalize.arcface import keep_encoder

    keep_encoder(exported, folder)


PEOPLE: dict[str, Training] = {
    "faces": Training(
        "finder of faces: a box and five landmarks each",
        "faces",
        _faces,
        work=20,
        loop={"steps": 5_000, "lr": 2e-3, "warmup": 100, "ema": 0.995, "lr_last": 0.02, "weight_decay": 0.02},
    ),
    "face-encoder": Training(
        "encoder that knows a face again",
        "face_encoder",
        _face_encoder,
        work=60,
        loop={
            "steps": 2_800,
            "lr": 3e-3,
            "warmup": 100,
            "ema": 0.99,
            "lr_last": 0.01,
            "clip": 5.0,
        },
        keep=_keep_face_encoder,
    ),
    "personalize": Training(
        "transformer of the pictures that takes a person; starts from a video model (--start)",
        "personalize",
        _personalize,
        work=120,
        preset="standard",
        stages=_personal_stages,
        course=("paired", "longer", "crossed"),
        loop={"steps": 3_000, "lr": 5e-4, "warmup": 100, "ema": 0.998, "lr_last": 0.02},
    ),
}
