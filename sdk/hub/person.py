"""A person from a photo, as the pipelines take one: a picture, or what models of faces read in it."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false

from importlib.util import find_spec
from typing import Any

import torch
from PIL import Image

from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.hub.entry import Call

_READERS = {"insightface": "insightface", "facexlib": "facexlib", "consisid_eva_clip": "consisid_eva_clip"}


def person(call: Call, pipe: Any, photo: Image.Image, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """The arguments that tell a pipeline of the person in a photo; RequestError where no face is found."""
    if call.references:
        return {call.references: [photo]}
    hidden, face, picture = read_face(pipe, photo, device, dtype)
    return {call.first: picture, "id_vit_hidden": hidden, "id_cond": face}


def read_face(pipe: Any, photo: Image.Image, device: torch.device, dtype: torch.dtype) -> tuple[Any, Any, Image.Image]:
    """What ConsisID's own models of faces see in a photo, and the face cut out of it.

    They are no part of diffusers, their weights lie in face_encoder/ of the model's repository, and some of them are
    for research alone.
    """
    lacking = [name for module, name in _READERS.items() if find_spec(module) is None]
    folder = getattr(pipe.config, "_name_or_path", "")
    if lacking:
        raise RequestError(
            f"got a photo for ConsisID, whose models of faces need {', '.join(lacking)}; install: pip install "
            f"{' '.join(lacking)} torchvision."
        )
    import numpy as np
    from diffusers.pipelines.consisid.consisid_utils import prepare_face_models, process_face_embeddings_infer

    try:
        first, second, eye, app, mean, std = prepare_face_models(str(folder), device, dtype)
    except (OSError, RuntimeError) as error:
        raise ModelError(f"cannot load the models of faces in '{folder}/face_encoder' ({error}).") from None
    try:
        face, hidden, picture, _ = process_face_embeddings_infer(
            first, eye, second, mean, std, app, device, dtype, np.asarray(photo), is_align_face=True
        )
    except (RuntimeError, IndexError) as error:
        raise RequestError(f"got a photo in which no face was found ({error}); give another one.") from None
    return hidden, face, picture
