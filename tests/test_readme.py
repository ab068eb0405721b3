"""What the documents promise exists: commands and their flags, settings, Python names, files and headings."""

import ast
import dataclasses
import importlib
import inspect
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from mediagen.config import parse_settings
from mediagen.sdk import Engine
from mediagen.sdk.cli import app
from mediagen.sdk.train_cli import plan
from mediagen.sdk.trainings import TRAININGS
from mediagen.train.loop import TrainConfig

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/guide.md", "docs/service.md")
TEXTS = {name: (ROOT / name).read_text() for name in NAMES}
RECIPES = {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "recipes").glob("*.sh")}
PROGRAM: Any = typer.main.get_command(app)


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language ("" for shell)."""
    fenced = re.findall(
        r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )  # in order, so that ends are not begins
    return [body for name, body in fenced if name == language]


def commands(name: str) -> list[list[str]]:
    """Every `mediagen ...` of a document, in blocks and in the text, without the program's name."""
    text = TEXTS[name]
    told = [re.split(r"&&|\|", line) for block in blocks(text, "") for line in block.splitlines()]
    told.append(re.findall(r"`(mediagen [^`]+)`", text))
    lines = [part.strip().removeprefix("$ ") for parts in told for part in parts]
    return [shlex.split(re.sub(r"\[([^]]*)\](\.\.\.)?", r"\1", line))[1:] for line in lines if line[:9] == "mediagen "]


FOUND = [(name, words) for name in TEXTS for words in commands(name)]


@pytest.mark.parametrize(("name", "words"), FOUND, ids=[" ".join(words)[:60] for _, words in FOUND])
def test_every_command_parses(name: str, words: list[str]) -> None:
    first, rest = words[0], words[1:]
    if first.startswith("-"):
        assert any(first in option.opts for option in PROGRAM.params) or first == "--help"
        return
    command = PROGRAM.commands[first]
    if rest and "--help" not in rest:  # alone, it is the name of the command
        given = command.make_context(first, list(rest)).params
        if first == "train" and given["name"] in TRAININGS:
            keys = [field.name for field in dataclasses.fields(TrainConfig)]
            settings = parse_settings([setting for setting in given["settings"] or [] if setting != "KEY=VALUE"])
            loop, _ = plan(TRAININGS[given["name"]], given["preset"], given["data"], settings, keys)
            TrainConfig.of(loop)


def test_there_are_commands_to_look_at() -> None:
    assert {"generate", "extend", "train", "info", "bench", "serve"} <= {words[0] for _, words in FOUND}
    assert len(FOUND) > 25


def test_a_command_that_is_wrong_would_be_seen() -> None:
    with pytest.raises(Exception, match="--stepz"):
        PROGRAM.commands["generate"].make_context("generate", ["a ball", "--stepz", "3"])


@pytest.mark.parametrize("name", TEXTS)
def test_python_is_python_and_its_names_exist(name: str) -> None:
    for block in blocks(TEXTS[name], "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mediagen"):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("engine.generate", "engine.extend"):
                known = inspect.signature(getattr(Engine, ast.unparse(node.func)[7:])).parameters
                assert {keyword.arg for keyword in node.keywords} <= set(known), ast.unparse(node)


def test_the_table_of_flags_is_that_of_the_command_and_of_the_engine() -> None:
    rows = re.findall(r"^\| (`-.*?) \| (`.*?) \|", TEXTS["docs/guide.md"], re.MULTILINE)
    flags = {flag for left, _ in rows for flag in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", left)}
    options = {option for parameter in PROGRAM.commands["generate"].params for option in parameter.opts}
    assert flags <= options and options - flags <= {"--out", "--from", "prompt"}
    names = {name for _, right in rows for name in re.findall(r"`([a-z_]+)(?:=\w+)?`", right)}
    assert names <= set(inspect.signature(Engine.generate).parameters) and len(names) > 8


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
    named = {(name, path) for name, text in TEXTS.items() for path in re.findall(r"`([\w/.-]+/[\w.-]+\.\w+)`", text)}
    named = {(name, path) for name, path in named if not path.startswith("runs/")}
    assert named and not {(name, path) for name, path in named if not (ROOT / path).exists()}
