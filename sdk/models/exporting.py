"""Writes the decoders of a model folder as ONNX files, and what knows faces again as insightface loads it."""

from pathlib import Path

from mediagen.export.card import FILE, weights_fingerprint
from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.models.catalog import FAMILIES
from mediagen.sdk.models.folder import ModelFolder
from mediagen.weights import load_model


def export_onnx(models: ModelFolder, folder: Path) -> list[Path]:
    """The work of `Engine.export_onnx`, family by family, until one is wrong: that one is not written."""
    from mediagen.export.write import write_decoder

    names = models.exportable()
    if not names:
        raise RequestError(f"got the model folder '{models.path}' without a decoder to export; give another.")
    if folder.is_file():
        raise RequestError(f"got the output '{folder}', which is a file, expected a folder; choose another name.")
    written = []
    for name in names:
        family = FAMILIES[name]
        source = models.path / family.folder
        assert family.graph is not None
        try:
            graph = family.graph()(load_model(family.load(), source))  # from disk: what the fingerprint is of
            write_decoder(graph, folder / family.folder, weights_fingerprint(source))
        except ImportError as error:
            raise RequestError(str(error)) from None
        except (ValueError, OSError, RuntimeError) as error:
            raise ModelError(f"cannot export '{name}': {error}") from None
        written.append(folder / family.folder / FILE)
    if models.has("face_encoder"):
        written.append(_export_faces(models, folder))
    return written


def _export_faces(models: ModelFolder, folder: Path) -> Path:
    """The encoder of faces; it decodes nothing, and our own engines go on using torch for it."""
    from mediagen.personalize.arcface import ArcFace, export_arcface

    family = FAMILIES["face_encoder"]
    path = folder / family.folder / "arcface.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        export_arcface(load_model(ArcFace, models.path / family.folder), path)
    except ImportError as error:
        raise RequestError(str(error)) from None
    except (ValueError, OSError, RuntimeError) as error:
        raise ModelError(f"cannot export 'face_encoder': {error}") from None
    return path
