"""What the judges of a model folder say of one clip: figures between 0 and 1, or likenesses between -1 and 1."""

import re

import torch

from mediagen.audio.conditions import LATENT_RATE
from mediagen.audio.generate import see_pictures
from mediagen.grid import SOUND_HOP, SOUND_RATE
from mediagen.media.clip import Clip, to_float
from mediagen.media.resample import resample
from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.models.folder import ModelFolder

SEEN = ("place", "kind", "colour", "motion", "weather", "camera", "time", "size", "style")  # what a prompt may name
JUDGES = ("recogniser", "sound_scorer")


@torch.inference_mode()
def score(models: ModelFolder, clip: Clip, prompt: str) -> dict[str, float]:
    """See `Engine.score`."""
    if not prompt.strip():
        raise RequestError("got no prompt to judge by, and a clip without a caption, expected one; give a prompt.")
    if not any(models.has(name) for name in JUDGES):
        raise ModelError(f"got a model folder without judges ({', '.join(JUDGES)}), expected one; give another folder.")
    return _seen(models, clip, prompt) | _heard(models, clip, prompt)


def _seen(models: ModelFolder, clip: Clip, prompt: str) -> dict[str, float]:
    from mediagen.judge.recogniser import ATTRIBUTES
    from mediagen.judge.whole_objects import frames_with_whole_object

    if clip.frames is None or not len(clip.frames) or not models.has("recogniser"):
        return {}
    logits = models.get("recogniser")(to_float(clip.frames[None].to(models.device)))
    asked = {name: _named(prompt, ATTRIBUTES[name][: logits[name].shape[-1]]) for name in SEEN if name in logits}
    found = {
        name: float(logits[name][0].softmax(0)[ATTRIBUTES[name].index(word)]) for name, word in asked.items() if word
    }
    if asked["colour"]:
        found["whole object"] = float(frames_with_whole_object(clip.frames.cpu(), asked["colour"]).float().mean())
    return found


def _heard(models: ModelFolder, clip: Clip, prompt: str) -> dict[str, float]:
    if (
        clip.sound is None
        or not models.has("sound_scorer")
        or clip.sound.shape[-1] * SOUND_RATE < SOUND_HOP * clip.rate
    ):
        return {}
    scorer = models.get("sound_scorer")
    sound = resample(clip.sound, clip.rate, SOUND_RATE).mean(0)[None, None].to(models.device)
    found = {
        "sound and words": float(scorer.text_score(sound, [prompt])),
        "music": float(scorer.music_probability(sound)),
    }
    if clip.frames is not None and len(clip.frames) and models.has("aligned"):
        pictures = see_pictures(models.get("aligned"), clip.frames.to(models.device), clip.fps)
        count = sound.shape[-1] // SOUND_HOP
        found["sound and pictures"] = float(scorer.picture_score(sound, pictures.window(0, count), LATENT_RATE))
    return found


def _named(prompt: str, classes: tuple[str, ...]) -> str | None:
    """The one class that a prompt names, in any form of the word; None where it names none or several."""
    named = [word for word in classes if re.search(rf"\b{re.escape(word)}\w*", prompt.lower())]
    return named[0] if len(named) == 1 else None
