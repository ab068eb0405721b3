"""What the documents promise exists: flags, models that can be trained, files and headings."""

import inspect
import re
from typing import Any

import pytest
import typer
from pages import ROOT, TEXTS

from mediagen.sdk import Engine
from mediagen.sdk.cli.app import app
from mediagen.sdk.models.trainings import TRAININGS
from mediagen.sdk.tasks.wishes import ClipWishes, Wishes

RECIPES = {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "recipes").glob("*.sh")}
PROGRAM: Any = typer.main.get_command(app)


def test_the_table_of_flags_is_that_of_the_command_and_of_the_engine() -> None:
    rows = re.findall(r"^\| (`-.*?) \| (`.*?) \|", TEXTS["docs/guide.md"], re.MULTILINE)
    flags = {flag for left, _ in rows for flag in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", left)}
    options = {option for parameter in PROGRAM.commands["generate"].params for option in parameter.opts}
    assert flags <= options and options - flags <= {"--out", "--from", "prompt", "--json", "--quiet", "-q", "--force"}
    names = {name for _, right in rows for name in re.findall(r"`([a-z_]+)(?:=\w+)?`", right)}
    known = {*inspect.signature(Engine.generate).parameters, *ClipWishes.__annotations__, *Wishes.__annotations__}
    assert names <= known and len(names) > 8


def test_every_model_that_can_be_trained_is_in_the_guide_and_in_a_recipe() -> None:
    assert set(re.findall(r"^\| `([a-z][a-z-]*)` \|", TEXTS["docs/guide.md"], re.MULTILINE)) == set(TRAININGS)
    for name, text in RECIPES.items():
        assert set(re.findall(r"^train ([a-z-]+)", text, re.MULTILINE)) <= set(TRAININGS), name
    assert set(re.findall(r"^train ([a-z-]+)", RECIPES["recipes/cpu.sh"], re.MULTILINE)) == set(TRAININGS)


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[name]):
        if "://" in target:
            continue
        file, _, heading = target.partition("#")
        path = ((ROOT / name).parent / file).resolve() if file else ROOT / name
        assert path.exists(), f"{name} links {target}"
        if heading:
            titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            assert heading in {title.lower().replace(" ", "-") for title in titles}, f"{name} links {target}"


def test_files_that_are_named_exist() -> None:
    pattern = r"`([\w/.-]+/[\w.-]+\.(?:py|sh|md|json|onnx))`"
    named = {(name, path) for name, text in TEXTS.items() for path in re.findall(pattern, text)}
    named = {(name, path) for name, path in named if not path.startswith("runs/")}
    assert named and not {(name, path) for name, path in named if not (ROOT / path).exists()}
