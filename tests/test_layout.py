"""The shape of the house: every package is shipped, imports only go down, nobody takes a name that is not theirs."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ("audio", "edit", "personalize", "sdk")  # folders beside mediagen/ that are its sub-packages
LONGEST = 320  # lines of a file; about 300 wants to be two

# The longest name that fits decides: mediagen.nn.conv stands where mediagen.nn does.
FLOORS = {
    1: "config errors grid nn parcel parallel.ranks pretrained weights",
    2: "flow guidance media parallel sampling tae text upsample video world",
    3: "data export generate generator judge story train",
    4: "systems",
    5: "audio edit personalize",
    6: "sdk",
}
FLOOR = {f"mediagen.{name}": floor for floor, names in FLOORS.items() for name in names.split()} | {"mediagen": 0}
# `clip.save(path)` is worth the one circle: inside the function, so nothing is imported until it is called.
LAZY = {"mediagen.media.clip": "mediagen.media.write"}


def sources() -> dict[str, Path]:
    """Every module of the library by the name it is imported under."""
    found = {}
    for top in ("mediagen", *BESIDE):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            parts = parts if top == "mediagen" else ("mediagen", *parts)
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


SOURCES = sources()


def floor(module: str) -> int | None:
    while module != "mediagen" and module not in FLOOR:
        module = module.rpartition(".")[0]
    return FLOOR[module] if module != "mediagen" else None


def imports(module: str) -> set[str]:
    """Modules of ours that `module` names, also inside functions; what only the type checker reads does not count."""
    tree = ast.parse(SOURCES[module].read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            node.body = [ast.Pass()]
    package = module if SOURCES[module].name == "__init__.py" else module.rpartition(".")[0]
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:  # a module, as in `from mediagen.media import read`, or a name in one
                inner = f"{base}.{alias.name}"
                names.add(inner if inner in SOURCES else base)
    return {name for name in names if name.split(".")[0] == "mediagen"}


def test_every_package_on_disk_is_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    on_disk = {name for name, path in SOURCES.items() if path.name == "__init__.py"}
    assert set(project["packages"]) == on_disk, "an unlisted package is silently missing from the wheel"
    assert project["package-dir"] == {f"mediagen.{name}": name for name in BESIDE}
    without = {str(path.parent) for path in SOURCES.values() if not (path.parent / "__init__.py").exists()}
    assert not without, "these folders have modules and no __init__.py"


def test_imports_only_go_down() -> None:
    wrong = []
    for module in SOURCES:
        own = floor(module)
        if own is None:
            if module != "mediagen":
                wrong.append(f"{module} has no floor: add its name to FLOORS above")
            continue
        for target in imports(module) - {"mediagen"}:
            its = floor(target)
            if its is not None and its > own:
                wrong.append(f"{module} (floor {own}) imports {target} (floor {its}), which is above it")
            if own == its == 5 and module.split(".")[1] != target.split(".")[1]:
                wrong.append(f"{module} imports {target}: folders of floor 5 do not know each other")
    assert not wrong, "\n".join(sorted(wrong))


def test_no_imports_go_round() -> None:
    """Also inside functions: two modules that need each other are one, or want a third below them."""
    graph = {module: (imports(module) & set(SOURCES)) - {module, LAZY.get(module)} for module in SOURCES}
    done: set[str] = set()

    def walk(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, "these go round: " + " -> ".join((*above[above.index(module) :], module))
        if module not in done:
            for target in sorted(graph[module]):
                walk(target, (*above, module))
            done.add(module)

    for module in graph:
        walk(module, ())


def test_the_walk_sees_imports_of_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "probe.py"
    path.write_text(
        "import mediagen.sdk\nfrom mediagen import audio\nfrom ..edit import nothing\nfrom ..media import clip\n"
        "def late():\n    from mediagen.train.loop import train\n"
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mediagen.personalize\n"
    )
    monkeypatch.setitem(SOURCES, "mediagen.nn.probe", path)
    expected = {"mediagen.sdk", "mediagen.audio", "mediagen.edit", "mediagen.media.clip", "mediagen.train.loop"}
    assert imports("mediagen.nn.probe") == expected


@pytest.mark.parametrize("name", BESIDE)
def test_a_bare_name_is_refused_with_advice(name: str) -> None:
    """Imported as `audio`, the folder would make a second copy of every class."""
    made = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {name}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    last = made.stderr.strip().splitlines()[-1]
    assert made.returncode != 0 and last.startswith("ImportError"), made.stderr
    assert f"'mediagen.{name}'" in last and f"from mediagen import {name}" in last


def test_no_file_is_too_long_and_none_is_a_drawer() -> None:
    files = [*SOURCES.values(), *(ROOT / "tests").rglob("*.py")]
    long = {
        str(path.relative_to(ROOT)): lines for path in files if (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert not long, f"split these: {long}"
    assert not {path.name for path in files} & {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
