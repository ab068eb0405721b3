"""C2PA: signed content credentials in files, by the package c2pa-python (extra `provenance`) and a key of one's own."""

import json
import os
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SIGNED = (".mp4", ".mov", ".png", ".gif", ".wav")
CERTIFICATES, KEY = "MEDIAGEN_SIGNING_CERTIFICATES", "MEDIAGEN_SIGNING_KEY"  # files of PEM: the chain, and an ES256 key


def key() -> tuple[Path, Path] | None:
    """The files of certificates and key that the environment names; None where it names none.

    Raises ValueError where one is missing, or the package is.
    """
    named = os.environ.get(CERTIFICATES), os.environ.get(KEY)
    if not any(named):
        return None
    if not all(named):
        raise ValueError(f"got one of {CERTIFICATES} and {KEY}, expected both; set the other, or neither.")
    chain, own = Path(named[0] or ""), Path(named[1] or "")
    for path in (chain, own):
        if not path.is_file():
            raise ValueError(f"got no file at '{path}', expected a PEM to sign with; check the path.")
    if find_spec("c2pa") is None:
        raise ValueError("got a key to sign with but no package c2pa, expected it; install the extra 'provenance'.")
    return chain, own


def sign(path: Path, source: str) -> None:
    """Puts a signed manifest into a whole file: created by mediagen, of that digital source type.

    Raises ValueError where the key or its certificates cannot sign.
    """
    found = key()
    assert found is not None
    from c2pa import Builder, C2paError, C2paSignerInfo, Signer  # pyright: ignore[reportMissingImports]

    from mediagen import __version__

    actions = [{"action": "c2pa.created", "digitalSourceType": source}]
    manifest = {
        "claim_generator_info": [{"name": "mediagen", "version": __version__}],
        "title": "generated film",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }
    made = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        info = C2paSignerInfo(b"es256", found[0].read_bytes(), found[1].read_bytes(), None)
        with Signer.from_info(info) as signer, Builder(json.dumps(manifest)) as builder:
            builder.sign_file(path, made, signer)
        made.replace(path)
    except C2paError as error:
        raise ValueError(
            f"got a key that cannot sign ({error}), expected an ES256 one for C2PA; give another."
        ) from None
    finally:
        made.unlink(missing_ok=True)


def read(path: Path) -> dict[str, Any] | None:
    """What the manifest of a file says: state ("valid", "trusted" or "broken: why") and by whom; None without one.

    None also where the package is not installed.
    """
    if find_spec("c2pa") is None:
        return None
    from c2pa import C2paError, Reader  # pyright: ignore[reportMissingImports]

    try:
        with Reader(path) as reader:
            told = json.loads(reader.json())
    except C2paError as error:
        if "ManifestNotFound" in type(error).__name__ or "ManifestNotFound" in str(error) or "no JUMBF" in str(error):
            return None
        if "NotSupported" in type(error).__name__:
            return None
        return {"state": f"broken: {error}", "by": ""}
    active = told.get("manifests", {}).get(told.get("active_manifest"), {})
    state = str(told.get("validation_state", "")).lower()
    wrong = [each["code"] for each in told.get("validation_status", []) if "untrusted" not in each.get("code", "")]
    shown = (
        f"broken: {', '.join(wrong)}" if wrong else {"valid": "valid (its signer is unknown here)"}.get(state, state)
    )
    return {"state": shown, "by": active.get("signature_info", {}).get("issuer") or ""}
