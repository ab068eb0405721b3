"""The table of model families: what stands in which folder, and how it is trained. A new family is one entry here.

Every import stands inside a function, so that reading the table costs nothing.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from torch import nn

    from mediagen.export.graph import Graph


@dataclass(frozen=True)
class Family:
    """One kind of model. folder: its place in a model folder.  what: a line for people.  load: gives its class.

    graph: gives the class of its decoder's ONNX graph, built from the model; None where it has no decoder to export.
    kinds: gives the classes of other models that do the same, by the `kind` in their config.json; not exported.
    half: whether it may have bfloat16 weights; the others are small, or what they make is looked at bit by bit.
    """

    folder: str
    what: str
    load: Callable[[], "type[nn.Module]"]
    graph: Callable[[], "Callable[[Any], Graph]"] | None = None
    kinds: Mapping[str, Callable[[], "type[nn.Module]"]] = field(default_factory=dict)
    half: bool = False

    def found(self, models: Path) -> Self:
        """The family as a model folder has it: with the class that its config.json asks for."""
        path = models / self.folder / "config.json"
        if not self.kinds or not path.is_file():
            return self
        try:
            load = self.kinds.get(json.loads(path.read_text())["kind"])
        except (ValueError, TypeError, LookupError):  # our own have none; what is damaged is told when it is loaded
            return self
        return self if load is None else replace(self, load=load, graph=None)


def _tae() -> "type[nn.Module]":
    from mediagen.tae import TAE

    return TAE


def _prompt() -> "type[nn.Module]":
    from mediagen.text.text import TextEncoder

    return TextEncoder


def _aligned() -> "type[nn.Module]":
    from mediagen.text.aligned import AlignedEncoder

    return AlignedEncoder


def _video() -> "type[nn.Module]":
    from mediagen.video import VideoModel

    return VideoModel


def _codec() -> "type[nn.Module]":
    from mediagen.audio.codec.model import Codec

    return Codec


def _encodec() -> "type[nn.Module]":
    from mediagen.audio.codec.encodec import EncodecCodec

    return EncodecCodec


def _audio() -> "type[nn.Module]":
    from mediagen.audio.model import AudioModel

    return AudioModel


def _recogniser() -> "type[nn.Module]":
    from mediagen.judge.recogniser import Recogniser

    return Recogniser


def _sound_recogniser() -> "type[nn.Module]":
    from mediagen.audio.judge.recogniser import SoundRecogniser

    return SoundRecogniser


def _edit() -> "type[nn.Module]":
    from mediagen.edit.model import EditModel

    return EditModel


def _edit_tasks() -> "type[nn.Module]":
    from mediagen.edit.tasks import TaskReader

    return TaskReader


def _upsample() -> "type[nn.Module]":
    from mediagen.upsample import UpsampleModel

    return UpsampleModel


def _tae_graph() -> "Callable[[Any], Graph]":
    from mediagen.export.tae import TAEGraph

    return TAEGraph


def _codec_graph() -> "Callable[[Any], Graph]":
    from mediagen.audio.codec.export import CodecGraph

    return CodecGraph


def _sound_scorer() -> "type[nn.Module]":
    from mediagen.audio.judge.scorer import SoundScorer

    return SoundScorer


def _faces() -> "type[nn.Module]":
    from mediagen.personalize.faces import FaceFinder

    return FaceFinder


def _face_encoder() -> "type[nn.Module]":
    from mediagen.personalize.arcface import ArcFace

    return ArcFace


def _personalize() -> "type[nn.Module]":
    from mediagen.personalize.model import PersonalModel

    return PersonalModel


FAMILIES: dict[str, Family] = {
    "tae": Family("tae", "temporal autoencoder: pictures to latent and back", _tae, _tae_graph),
    "prompt": Family("prompt", "text encoder that reads the prompt", _prompt, half=True),
    "aligned": Family("aligned", "encoder in which text and pictures share one space", _aligned),
    "video": Family("video", "diffusion transformer of the pictures", _video, half=True),
    "video_fast": Family("video_fast", "the same, distilled to few steps", _video, half=True),
    "codec": Family(
        "codec", "48 kHz sound codec: sound to latent and back", _codec, _codec_graph, {"encodec": _encodec}
    ),
    "audio": Family("audio", "diffusion transformer of the sound", _audio, half=True),
    "edit": Family("edit", "diffusion transformer that edits pictures by instruction", _edit, half=True),
    "edit_tasks": Family("edit_tasks", "says what kind of edit an instruction asks for", _edit_tasks),
    "upsample": Family("upsample", "diffusion transformer that makes pictures twice as large", _upsample, half=True),
    "upsample_tae": Family("upsample_tae", "autoencoder of single frames, for it", _tae),
    "recogniser": Family("recogniser", "says what a clip shows; judges the others", _recogniser),
    "sound_recogniser": Family("sound_recogniser", "says what is heard; judges the sounds", _sound_recogniser),
    "sound_scorer": Family("sound_scorer", "says how well a sound fits words and pictures", _sound_scorer),
    "faces": Family("faces", "finds faces, a box and five landmarks each", _faces),
    "face_encoder": Family("face_encoder", "knows a face again", _face_encoder),
    "personalize": Family("personalize", "diffusion transformer of pictures with a person", _personalize, half=True),
}
SOUND_FAMILIES = ("prompt", "aligned", "codec", "audio")  # those that make sound, in the order of `SoundModels`
UPSCALE_FAMILIES = ("upsample", "upsample_tae")
EDIT_FAMILIES = ("edit", "edit_tasks")
EDITS = "edits"  # sub-folder of a model folder that is one of its own, of models that edit at another size
