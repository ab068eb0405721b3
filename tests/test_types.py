"""Editors and type checkers see the whole of mediagen: after `pip install -e .`, and after a plain install."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TYPED = ROOT / "tests" / "typed"


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: installing leaves files behind."""
    folder = tmp_path_factory.mktemp("source")
    names = (
        "mediagen",
        "audio",
        "edit",
        "personalize",
        "sdk",
        "pyproject.toml",
        "build_backend.py",
        "README.md",
        "LICENSE",
    )
    for name in names:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(
                place, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors", "*.onnx")
            )
        else:
            shutil.copy(place, folder)
    return folder


@pytest.mark.parametrize("way", ["editable", "plain"])
def test_a_users_script_is_checked(way: str, source: Path, tmp_path: Path) -> None:
    made = run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    inside = Path(run(python, "-c", asked, cwd=tmp_path).stdout.strip())
    import torch

    (inside / "others.pth").write_text(f"{Path(torch.__file__).parents[1]}\n")
    words = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-build-isolation"]
    made = run(*words, *(["-e"] if way == "editable" else []), source, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    ran = run(
        python, "-c", "import mediagen.sdk, mediagen.grid as g; print(mediagen.sdk.__file__, g.__file__)", cwd=tmp_path
    )
    places = [Path(word) for word in ran.stdout.split()]
    stands = (
        (source / "sdk", source / "mediagen") if way == "editable" else (inside / "mediagen/sdk", inside / "mediagen")
    )
    assert tuple(place.parent for place in places) == stands, ran.stderr
    home = tmp_path / "user"
    shutil.copytree(TYPED, home)
    (home / "pyrightconfig.json").write_text(json.dumps({"reportUnusedExpression": False}))
    seen = run(sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", python, cwd=home)
    found = json.loads(seen.stdout)["generalDiagnostics"]
    lines = {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in found if one["severity"] == "error"}
    marked = (home / "wrong.py").read_text().splitlines()
    expected = {("wrong.py", number) for number, line in enumerate(marked, 1) if line.endswith("# wrong")}
    assert lines == expected, "\n".join(f"{one['file']}: {one['message']}" for one in found)


def test_wishes_are_those_of_the_requests() -> None:
    from mediagen.sdk.tasks import wishes
    from mediagen.sdk.tasks.requests import GenerateRequest
    from mediagen.sdk.tasks.sound_requests import SoundRequest

    own = {"prompt", "prompt_rewritten"}
    assert wishes.ClipWishes.__annotations__.keys() | own == GenerateRequest.model_fields.keys()
    assert wishes.SoundWishes.__annotations__.keys() | {"prompt"} == SoundRequest.model_fields.keys()
