"""Every block of code in the documents holds: Python runs, commands parse, requests meet routes, extras exist."""

import ast
import dataclasses
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from edit_toy import edit_folder
from pages import ALL, PAGES, ROOT, SHELL, Block, blocks, commands, lines
from PIL import Image
from service_toy import serving
from torch.distributed.run import get_args_parser
from upsample_toy import upsample_folder

from mediagen.config import parse_settings
from mediagen.media.clip import Clip
from mediagen.sdk import Engine
from mediagen.sdk.cli.app import app, main
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.models.plan import course, planned
from mediagen.sdk.models.trainings import TRAININGS, Place
from mediagen.sdk.service.http.app import build
from mediagen.sdk.service.queue.store import Store
from mediagen.sdk.service.service import Service
from mediagen.sdk.service.settings import Settings

ADDRESS = "http://127.0.0.1:8000"
PROGRAM: Any = typer.main.get_command(app)
FOUND = [(name, words) for name in PAGES for words in commands(name)]
PYTHON = [page for page in PAGES if any(block.language == "python" for block in blocks(page))]
SHELLS = [block for block in ALL if block.language == SHELL]
OTHER_PROGRAMS = {"mediagen", "curl", "pip", "python", "source", "pytest", "mkdocs", "ray", "torchrun", "hf", "cp"}


@pytest.fixture(scope="module")
def folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The debug models with the built-in ones' size and length of clips."""
    place = tmp_path_factory.mktemp("docs")
    copy = upsample_folder(edit_folder(model_folder, place / "editing"), place / "models")
    limits = json.loads((copy / "engine.json").read_text()) | {"width": 64, "height": 64, "steps": 2}
    (copy / "engine.json").write_text(json.dumps(limits))
    return copy


@pytest.fixture(scope="module")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(Engine(ModelFolder(folder)), tmp_path_factory.mktemp("served")) as (url, _):
        yield url


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A folder with the files that a reader has, in which the built-in models are small and quick."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Engine, "from_pretrained", staticmethod(lambda *_, **__: Engine(ModelFolder(folder))))
    Clip(torch.randint(0, 255, (24, 48, 64, 3), dtype=torch.uint8), fps=12.0).save("street.mp4")
    Image.new("RGB", (80, 60), "blue").save("first.png")


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")  # of OpenAI, not of ours
@pytest.mark.parametrize("page", PYTHON)
def test_python_runs_from_the_top_of_a_page_to_its_end(page: str, place: None, address: str) -> None:
    names: dict[str, Any] = {}
    for block in blocks(page):
        if block.language == "python" and not block.why:
            body = "\n" * (block.line - 1) + block.body.replace(ADDRESS, address)
            exec(compile(body, page, "exec"), names)


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    left = [block for block in ALL if block.why]
    assert len(left) <= 4, [f"{block}: {block.why}" for block in left]
    for block in left:
        assert block.language != "python" or ast.parse(block.body)


def test_every_block_says_what_it_is() -> None:
    assert {block.language for block in ALL} <= {SHELL, "python", "console", "text"}
    for block in SHELLS:
        assert {words[0] for words in lines(block)} <= OTHER_PROGRAMS, block


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
            settings = parse_settings([setting for setting in given["settings"] or [] if setting != "KEY=VALUE"])
            training = TRAININGS[given["name"]]
            stages = course(training, (given["stages"] or "").split(",") if given["stages"] else [])
            settings |= {"data": str(given["data"])} if given["data"] else {}
            assert planned(training, given["preset"], stages, settings, Place("cpu", Path("runs"), None))


def test_torchrun_leaves_to_a_training_what_is_its_own() -> None:
    """Without two dashes before the module, --start would be one of torchrun's --start-method and --start_method."""
    asked = [words for block in SHELLS for words in lines(block) if words[0] == "torchrun"]
    assert len(asked) >= 3
    for words in asked:
        told = get_args_parser().parse_args([*words[1:], "--start", "MODEL"])
        assert told.module and told.training_script == "mediagen.sdk.cli"
        assert told.training_script_args[0] == "train" and told.training_script_args[-2:] == ["--start", "MODEL"]


def test_there_are_commands_to_look_at() -> None:
    assert {"generate", "extend", "train", "info", "bench", "serve"} <= {words[0] for _, words in FOUND}
    assert len(FOUND) > 25


def test_a_command_that_is_wrong_would_be_seen() -> None:
    with pytest.raises(Exception, match="--stepz"):
        PROGRAM.commands["generate"].make_context("generate", ["a ball", "--stepz", "3"])


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "console"], ids=str)
def test_what_a_command_answers_is_what_the_page_says(
    block: Block, place: None, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    command, _, answer = block.body.partition("\n")
    (words,) = lines(dataclasses.replace(block, body=command.removeprefix("$ ")))
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit):
        main()
    assert "".join(capsys.readouterr()).split() == answer.split()


@pytest.mark.parametrize("block", [block for block in SHELLS if "curl" in block.body], ids=str)
def test_every_request_meets_a_route_that_takes_it(block: Block, tmp_path: Path) -> None:
    store = Store(tmp_path)
    served = build(Service(None, store, Settings()))
    for _, *words in [words for words in lines(block) if words[0] == "curl"]:
        (url,) = [word for word in words if word.startswith(ADDRESS)]
        sent = [words[index + 1].partition("=")[0] for index, word in enumerate(words) if word == "-F"]
        method = words[words.index("-X") + 1] if "-X" in words else "POST" if sent or "-d" in words else "GET"
        path, known = url.removeprefix(ADDRESS), served.openapi()["paths"]
        (met,) = [each for each in known if re.fullmatch(re.sub(r"{\w+}", "[^/]+", each), path)]
        taken = known[met][method.lower()].get("requestBody", {"content": {}})["content"]
        assert not sent or set(sent) <= set(taken["multipart/form-data"]["schema"]["properties"]), block
    store.close()


def test_what_is_installed_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {
        extra for block in SHELLS for names in re.findall(r"\.\[([\w,]+)\]", block.body) for extra in names.split(",")
    }
    assert {"onnx", "serve", "test"} <= asked <= set(project["optional-dependencies"])
