"""Parcel: model folders as a few files of limited size with checksums, to carry them where large files cannot go."""

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mediagen.weights import write_atomic

PARCEL = "parcel.json"
MOST = 15 * 2**20  # bytes of a file


def pack(models: str | Path, names: Sequence[str], into: str | Path, most: int = MOST, **about: Any) -> Path:
    """Writes `names`, folders or files of `models`, as into/weights-0.part, ... and into/parcel.json.

    most: bytes of a part at most.  about: further JSON values to keep in parcel.json, which is written last. Equal
    contents give equal parts.
    """
    models, into = Path(models), Path(into)
    into.mkdir(parents=True, exist_ok=True)
    for old in into.glob("weights-*.part"):
        old.unlink()
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        wanted = [path for name in names for path in (models / name, *(models / name).rglob("*"))]
        for path in sorted(path for path in wanted if path.is_file()):
            entry = tarfile.TarInfo(path.relative_to(models).as_posix())
            entry.size = path.stat().st_size
            with path.open("rb") as file:
                tar.addfile(entry, file)
    whole = content.getvalue()
    parts = [whole[start : start + most] for start in range(0, len(whole), most)]
    for index, part in enumerate(parts):
        write_atomic(into / f"weights-{index}.part", part)
    known = {"holds": list(names), "parts": len(parts), "sha256": hashlib.sha256(whole).hexdigest(), **about}
    write_atomic(into / PARCEL, (json.dumps(known, indent=1) + "\n").encode())
    return into


def unpack(parcel: str | Path, models: str | Path) -> list[str]:
    """Puts the folders of a parcel into the model folder `models`, over those that are there; returns their names.

    Raises ValueError, before anything is written, where a part is missing, the checksum is another, or a file would
    lie outside of `models`.
    """
    parcel, models = Path(parcel), Path(models)
    known = json.loads((parcel / PARCEL).read_bytes())
    paths = [parcel / f"weights-{index}.part" for index in range(known["parts"])]
    missing = [path.name for path in paths if not path.is_file()]
    whole = b"" if missing else b"".join(path.read_bytes() for path in paths)
    if missing or hashlib.sha256(whole).hexdigest() != known["sha256"]:
        what = f"without {', '.join(missing)}" if missing else "with damaged parts"
        raise ValueError(f"{parcel}: got a parcel {what}, expected {known['parts']} whole ones; fetch them again.")
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        files: dict[Path, bytes] = {}
        for member in tar:  # by hand, for Python before 3.11.4 cannot extract with a filter
            path, file = models / member.name, tar.extractfile(member)
            if file is None or not path.resolve().is_relative_to(models.resolve()):
                raise ValueError(f"{parcel}: got '{member.name}' in a parcel, expected plain files of a model folder.")
            files[path] = file.read()
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, content)
    return list(known["holds"])


def unpack_all(folder: str | Path, models: str | Path) -> list[str]:
    """Unpacks every parcel in the sub-folders of `folder`, in the order of their names, as `unpack`."""
    found = sorted(path.parent for path in Path(folder).glob(f"*/{PARCEL}"))
    return [name for parcel in found for name in unpack(parcel, models)]
