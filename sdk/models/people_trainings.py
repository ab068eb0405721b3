"""The trainings of what a person in a clip needs: the finder of faces, the face encoder, the video model with a person.

Every import stands inside a function, as in `trainings`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from mediagen.sdk.models.training import Ingredients, Training

if TYPE_CHECKING:
    pass


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
}
