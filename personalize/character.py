"""Character: a person that clips can show, made from pictures of one face, with consent; and what is refused."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from mediagen.errors import ModelError, RequestError
from mediagen.personalize.align import BUST, FACE
from mediagen.personalize.arcface import FaceEncoder
from mediagen.personalize.faces import Face, Finder
from mediagen.personalize.likeness import OnTry, likeness

LEAST = 40  # pixels of a face's height
SIDEWAYS = 0.45  # of `Face.turned`, from which on half of a face is hidden
ONE_PERSON = 0.3  # cosine between pictures of one person, at least
_FILE, _ABOUT = "character.safetensors", "character.json"


class SeveralFaces(RequestError):
    """A picture has several faces and nobody said which. numbered: the picture with numbers on them."""

    def __init__(self, message: str, numbered: Image.Image) -> None:
        super().__init__(message, "face")
        self.numbered = numbered


@dataclass(frozen=True, repr=False)
class Character:
    """A person by name. vector: unit (512,).  crop: the face alone, all else masked, uint8 (112, 112, 3).

    bust: uint8 (96, 96, 3), for people to look at.  consent: that it was said.  made: Unix seconds.  drawn: whether the
    face is a drawn one that was fitted to the picture.
    label: what people call them, where `name` is an id.  salt: of the fingerprint.
    """

    name: str
    vector: Tensor
    crop: Tensor
    bust: Tensor
    consent: bool
    made: float = field(default_factory=time.time)
    drawn: bool = False
    label: str = ""
    salt: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def thumbnail(self) -> Image.Image:
        """The face with hair and shoulders."""
        return Image.fromarray(self.bust.numpy())

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that tell this character from others, and nothing of the face."""
        content = self.crop.contiguous().numpy().tobytes() + self.vector.float().contiguous().numpy().tobytes()
        return hashlib.sha256(self.salt.encode() + content).hexdigest()[:12]

    def save(self, folder: str | Path) -> Path:
        """Writes a folder of safetensors and JSON, and returns it."""
        from mediagen.weights import save_tensors, write_atomic

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {"vector": self.vector.float(), "crop": self.crop, "bust": self.bust}
        save_tensors(tensors, folder / _FILE)
        about = {"name": self.name, "consent": self.consent, "made": self.made, "drawn": self.drawn}
        about |= {"label": self.label, "salt": self.salt}
        write_atomic(folder / _ABOUT, _json(about))
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Reads what `save` wrote; RequestError where there is none, ModelError where it is damaged."""
        import json

        from mediagen.weights import load_tensors

        folder = Path(folder)
        if not (folder / _ABOUT).is_file():
            raise RequestError(f"got no character in {folder}, expected a folder that Character.save wrote; make one.")
        try:
            about, tensors = json.loads((folder / _ABOUT).read_text()), load_tensors(folder / _FILE)
            return cls(vector=tensors["vector"], crop=tensors["crop"], bust=tensors["bust"], **about)
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"got a damaged character in {folder} ({error}); make it again.") from None

    def __repr__(self) -> str:
        return f"<Character '{self.name}' {self.fingerprint}{', drawn' if self.drawn else ''}>"


def make_character(
    finder: Finder,
    encoder: FaceEncoder,
    pictures: Sequence[Tensor],
    name: str,
    *,
    consent: bool,
    face: int | None = None,
    drawn: bool = False,
    on_try: OnTry | None = None,
) -> Character:
    """The person whom `pictures`, uint8 (H, W, 3) each, show: of a film its frames, of which some may show nobody.

    consent: that the person agreed; without it RequestError.  face: which, from the left, where there are several.
    drawn: take the drawn person that is most like the clearest picture.  RequestError in one sentence for no face,
    several, one that is small, turned away, or of another person than the first picture's.
    """
    if consent is not True:
        raise RequestError(
            "consent: got none, expected that the person agreed to be shown; say consent=True if so, or leave it."
        )
    if not pictures:
        raise RequestError("got no pictures, expected one or more of a face; give some.")
    chosen: list[tuple[Tensor, Face]] = []
    refused: RequestError | None = None
    for picture in pictures:
        try:
            chosen.append((picture, chosen_face(picture, finder.find(picture[None])[0], face)))
        except RequestError as error:
            refused = refused or error
            if len(pictures) == 1 or isinstance(error, SeveralFaces):
                raise
    if not chosen:
        assert refused is not None
        raise refused
    picture, clearest = min(chosen, key=lambda one: one[1].turned - 0.001 * min(one[1].height, 200))
    aligned = torch.stack([found.aligned(shown) for shown, found in chosen])
    vectors = encoder.embed(aligned)
    if float((vectors @ vectors[0]).min()) < ONE_PERSON:
        raise RequestError("got pictures of several people, expected one person; leave out those of others.")
    bust, crop = clearest.aligned(picture, BUST), clearest.aligned(picture)
    vector = F.normalize(vectors.mean(0), dim=0)
    if drawn:
        fitted = likeness(picture, clearest, on_try)
        bust, crop, vector = fitted.bust, fitted.face, encoder.embed(fitted.face[None])[0]
    return Character(name, vector, masked(crop), bust, True, drawn=drawn)


def chosen_face(picture: Tensor, faces: list[Face], number: int | None) -> Face:
    """The face of a picture that is meant; RequestError where there is none, or none that is large and open enough."""
    if not faces:
        raise RequestError("got a picture without a face, expected one; give another picture.")
    if number is None and len(faces) > 1:
        raise SeveralFaces(
            f"got {len(faces)} faces, expected one; say which by a number from 1 (left) to {len(faces)}.",
            numbered(picture, faces),
        )
    if number is not None and not 1 <= number <= len(faces):
        raise RequestError(f"face: got {number}, expected 1 to {len(faces)}; count from the left.", "face")
    face = faces[0 if number is None else number - 1]
    if face.height < LEAST:
        raise RequestError(
            f"got a face {face.height:.0f} pixels high, expected at least {LEAST}; give a larger picture of it."
        )
    if face.turned > SIDEWAYS:
        raise RequestError("got a face from the side, expected both eyes and the mouth; give one that looks ahead.")
    return face


def numbered(picture: Tensor, faces: list[Face]) -> Image.Image:
    """The picture with a box and a number on each face."""
    image = Image.fromarray(picture.cpu().numpy())
    draw = ImageDraw.Draw(image)
    for number, face in enumerate(faces, 1):
        draw.rectangle(face.box, outline="yellow", width=max(1, image.width // 256))
        place = (face.box[0] + 3, face.box[1] + 2)
        draw.text(
            place, str(number), fill="yellow", stroke_fill="black", stroke_width=2, font_size=max(12, face.height / 4)
        )
    return image


def masked(crop: Tensor) -> Tensor:
    """An aligned face, uint8 (112, 112, 3), with grey around it."""
    y, x = torch.meshgrid(torch.arange(FACE.side), torch.arange(FACE.side), indexing="ij")
    inside = ((x - 55.5) / 54) ** 2 + ((y - 60) / 64) ** 2 <= 1
    return torch.where(inside[..., None], crop, torch.full_like(crop, 128))


def _json(values: dict[str, Any]) -> bytes:
    import json

    return (json.dumps(values, indent=2) + "\n").encode()


def likeness_of(finder: Finder, encoder: FaceEncoder, frames: Tensor, character: Character) -> dict[str, float]:
    """Of a clip's frames, uint8 (F, H, W, 3): the mean cosine of the faces in it to the character, and the share of
    frames with a face."""
    found = finder.find(frames)
    faces = [
        max(each, key=lambda face: face.height).aligned(frame)
        for frame, each in zip(frames, found, strict=True)
        if each
    ]
    cosine = float((encoder.embed(torch.stack(faces)) @ character.vector).mean()) if faces else 0.0
    return {"cosine": round(cosine, 4), "faces": round(float(np.mean([bool(each) for each in found])), 4)}
