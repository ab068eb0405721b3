"""Provenance: files say that a machine made them, tell whether they changed since, and are signed with a key."""

import json
import subprocess
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from mediagen.media.clip import Clip
from mediagen.media.provenance import MADE, MARKED, MIXED, packet_of, verify
from mediagen.media.read import read_clip, read_settings
from mediagen.sdk.cli.app import app

SETTINGS = {"task": "generate", "prompt": "a ball", "seed": 1}


def clip(settings: dict | None = None) -> Clip:
    rng = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (6, 32, 32, 3), generator=rng, dtype=torch.uint8)
    return Clip(
        frames, 16.0, torch.rand(1, 18_000, generator=rng) - 0.5, settings=SETTINGS if settings is None else settings
    )


@pytest.mark.parametrize("ending", [".mp4", ".png", ".gif", ".wav", ".webm"])
def test_every_file_says_that_a_model_made_it_and_is_read_as_before(tmp_path: Path, ending: str) -> None:
    path = clip().save(tmp_path / f"clip{ending}")
    found = verify(path)
    assert found.source == MADE and found.changed is (False if ending in MARKED else None)
    assert read_settings(path)["prompt"] == "a ball"
    if ending in MARKED:
        assert b"Iptc4xmpExt:DigitalSourceType" in path.read_bytes()
    if ending == ".mp4":
        assert len(read_clip(path).frames) == 6
    if ending in (".png", ".gif"):
        with Image.open(path) as image:
            image.load()
            assert ending == ".gif" or "http://cv.iptc.org" in str(image.info.get("XML:com.adobe.xmp"))


@pytest.mark.parametrize("ending", [".mp4", ".png", ".gif", ".wav"])
def test_a_change_of_the_content_is_seen(tmp_path: Path, ending: str) -> None:
    path = clip().save(tmp_path / f"clip{ending}")
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    assert verify(path).changed is True and "CHANGED" in verify(path).told


def test_what_no_model_made_says_nothing(tmp_path: Path) -> None:
    path = clip({}).save(tmp_path / "own.mp4")
    assert verify(path).source == "" and "says nothing" in verify(path).told


def test_a_film_of_ones_own_with_new_sound_is_mixed(tmp_path: Path) -> None:
    path = clip({"task": "sound"}).save(tmp_path / "mixed.mp4")
    assert verify(path).source == MIXED


def test_equal_clips_still_make_equal_files(tmp_path: Path) -> None:
    one, two = (clip().save(tmp_path / name).read_bytes() for name in ("a.mp4", "b.mp4"))
    assert one == two


def test_pictures_that_pillow_writes_carry_the_packet(tmp_path: Path) -> None:
    for name in ("a.webp", "a.jpg"):
        Image.new("RGB", (8, 8)).save(tmp_path / name, xmp=packet_of(MADE))
        assert verify(tmp_path / name).source == MADE


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"no film")
    for name in ("x.mp4", "none.png"):
        with pytest.raises(ValueError, match=r"^got"):
            verify(tmp_path / name)


def test_the_command_line_tells_and_ends_with_1_where_something_changed(tmp_path: Path) -> None:
    path = clip().save(tmp_path / "clip.png")
    told = CliRunner().invoke(app, ["verify", str(path)])
    assert told.exit_code == 0 and "made by a trained model" in told.stdout and "as it was written" in told.stdout
    path.write_bytes(path.read_bytes() + b"more")
    changed = CliRunner().invoke(app, ["verify", str(path), "--json"])
    assert changed.exit_code == 1 and json.loads(changed.stdout)["changed"] is True
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "none.png")]).exit_code == 2


def certificates(folder: Path) -> tuple[Path, Path]:
    """A chain of two certificates and a key, as C2PA asks for them, of nobody."""

    def run(*words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder, timeout=60)

    (folder / "ca.cnf").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
                                   "subjectKeyIdentifier=hash\n")  # fmt: skip
    (folder / "own.cnf").write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    for name in ("ca", "own"):
        run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
        run("req", "-new", "-key", f"{name}.key", "-subj", f"/O=Test {name}/CN={name}", "-out", f"{name}.csr")
    run("x509", "-req", "-in", "ca.csr", "-signkey", "ca.key", "-days", "30", "-extfile", "ca.cnf", "-out", "ca.pem")
    run("x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
        "-extfile", "own.cnf", "-out", "own.pem")  # fmt: skip
    chain = folder / "chain.pem"
    chain.write_bytes((folder / "own.pem").read_bytes() + (folder / "ca.pem").read_bytes())
    return chain, folder / "own.key"


@pytest.mark.parametrize("ending", [".mp4", ".png"])
def test_a_signed_manifest_verifies_and_breaks_when_the_file_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    pytest.importorskip("c2pa")
    chain, key = certificates(tmp_path)
    monkeypatch.setenv("MEDIAGEN_SIGNING_CERTIFICATES", str(chain))
    monkeypatch.setenv("MEDIAGEN_SIGNING_KEY", str(key))
    path = clip().save(tmp_path / f"clip{ending}")
    found = verify(path)
    assert found.source == MADE and found.signed is not None
    assert found.signed["state"].startswith("valid") and found.signed["by"] == "Test own"
    if ending == ".mp4":
        assert len(read_clip(path).frames) == 6
    content = bytearray(path.read_bytes())
    at = content.rfind(b"mdat") if ending == ".mp4" else content.rfind(b"IDAT")
    content[at + 200] ^= 1
    path.write_bytes(content)
    changed = verify(path)
    assert changed.signed is not None and changed.signed["state"].startswith("broken")


def test_half_a_key_is_refused_before_anything_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAGEN_SIGNING_KEY", str(tmp_path / "own.key"))
    with pytest.raises(ValueError, match="expected both"):
        clip().save(tmp_path / "clip.mp4")
    assert not (tmp_path / "clip.mp4").exists()
