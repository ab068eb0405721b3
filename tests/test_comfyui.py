"""The node for ComfyUI, over HTTP against the service; of ComfyUI itself two functions are stood in for."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("fastapi")

from service_toy import ToyEngine, ask, serving

from mediagen.sdk import comfyui
from mediagen.sdk.comfyui import MediagenVideo

GRAPH = json.loads(
    re.findall(r"```text\n(.*?)```", (Path(__file__).parent.parent / "docs/comfyui.md").read_text(), re.DOTALL)[0]
)


class Interrupted(BaseException):
    """As ComfyUI's, it is no Exception."""


@pytest.fixture
def comfy(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], None]]:
    """Stand-ins; `stop` is what is called at each look."""
    said: dict[str, Callable[[], None]] = {"stop": lambda: None}
    management, latest = ModuleType("comfy.model_management"), ModuleType("comfy_api.latest")
    vars(management)["throw_exception_if_processing_interrupted"] = lambda: said["stop"]()
    vars(latest)["InputImpl"] = type("InputImpl", (), {"VideoFromFile": staticmethod(lambda file: file)})
    for name, module in (("comfy.model_management", management), ("comfy_api.latest", latest)):
        monkeypatch.setitem(sys.modules, name.split(".")[0], ModuleType(name.split(".")[0]))
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(comfyui, "POLL", 0.02)
    return said


def test_the_graph_of_the_documents_asks_for_what_the_node_takes_and_is_made(tmp_path: Path, comfy: Any) -> None:
    node, save = GRAPH["1"], GRAPH["2"]
    kinds = MediagenVideo.INPUT_TYPES()
    assert comfyui.NODE_CLASS_MAPPINGS[node["class_type"]] is MediagenVideo
    assert set(kinds["required"]) <= set(node["inputs"]) <= set(kinds["required"]) | set(kinds["optional"])
    assert save["inputs"]["video"] == ["1", 0] and MediagenVideo.RETURN_TYPES[0] == "VIDEO"
    engine = ToyEngine()
    with serving(engine, tmp_path, token="secret") as (url, _):
        asked = {**node["inputs"], "server": url + "/", "seconds": 0.5, "token": "secret"}
        (film,) = getattr(MediagenVideo(), MediagenVideo.FUNCTION)(**asked)
    assert film.read()[4:8] == b"ftyp" and engine.made == [7]


def test_an_interrupt_cancels_the_job(tmp_path: Path, comfy: dict[str, Callable[[], None]]) -> None:
    def stop() -> None:
        raise Interrupted

    comfy["stop"] = stop
    with serving(ToyEngine(pause=0.2), tmp_path) as (url, _):
        with pytest.raises(Interrupted):
            MediagenVideo().make("a red ball", 0.5, 1, url)
        assert json.loads(ask(url, "GET", "/v1/videos")[2])["data"] == []


def test_what_is_refused_or_fails_is_said_in_the_services_sentence(tmp_path: Path, comfy: Any) -> None:
    engine = ToyEngine()
    with serving(engine, tmp_path) as (url, _):
        with pytest.raises(RuntimeError, match="got 500 seconds"):
            MediagenVideo().make("a red ball", 500.0, 1, url)
        with pytest.raises(RuntimeError, match="nobody"):
            MediagenVideo().make("a red ball", 0.5, 1, url, model="nobody")
        engine.fail = ValueError("got a dragon, expected a boat; write a boat.")
        with pytest.raises(RuntimeError):
            MediagenVideo().make("a red ball", 0.5, 1, url)
    with pytest.raises(RuntimeError, match="start `mediagen serve`"):
        MediagenVideo().make("a red ball", 0.5, 1, "http://127.0.0.1:9")


def test_the_file_needs_python_alone() -> None:
    source = Path(comfyui.__file__).read_text()
    taken = set(re.findall(r"^\s*(?:from|import) (\w+)", source, re.MULTILINE))
    assert taken <= {"io", "json", "time", "urllib", "typing", "comfy", "comfy_api"}
