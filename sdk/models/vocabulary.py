"""Vocabulary: the words that a model folder was trained on, for whoever writes a prompt for it."""

import json
from pathlib import Path
from typing import Any

from mediagen.sdk.errors import ModelError
from mediagen.sdk.models.folder import WORDS
from mediagen.sdk.models.info import built_in


def vocabulary(models: Any, difficulty: str) -> dict[str, list[str]]:
    """Words by topic: of the folder's words.json, or the world's for a built-in model; {} where neither is known.

    models: a `ModelFolder`.  difficulty: of its limits.  ModelError for a file that is no such JSON.
    """
    path: Path | None = getattr(models, "path", None)
    if path is None:
        return {}
    if (path / WORDS).is_file():
        try:
            found = json.loads((path / WORDS).read_text())
            return {str(topic): [str(word) for word in words] for topic, words in found.items()}
        except (ValueError, AttributeError, TypeError):
            raise ModelError(f"{path / WORDS}: got no topics with lists of words; correct it, or remove it.") from None
    if not path.resolve().is_relative_to(built_in().resolve()):
        return {}
    from mediagen.world import people, scene
    from mediagen.world.people_words import HAIR_STYLES_SAID, PEOPLE

    standard = difficulty == "standard"
    words = {
        "things": scene.KINDS if standard else scene.SIMPLE_KINDS,
        "colours": scene.COLOURS,
        "motions": scene.MOTIONS,
        "places": scene.PLACES,
    }
    if standard:
        words |= {"people": PEOPLE, "what people do": people.PERSON_MOTIONS, "hair": HAIR_STYLES_SAID}
        words |= {"sizes": scene.SIZES, "times": scene.TIMES}
        words |= {"weather": scene.WEATHERS[1:], "camera": scene.CAMERAS[1:]}  # the first is that there is none
    return {topic: list(said) for topic, said in words.items()}
