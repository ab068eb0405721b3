"""Configs: what is wrong is said with the nearest right name; what is right survives a file."""

from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import pytest

from mediagen.config import Config, parse_settings


@dataclass(frozen=True, kw_only=True)
class Inner(Config):
    width: int = 8


@dataclass(frozen=True, kw_only=True)
class Outer(Config):
    steps: int = 10
    rate: float = 0.5
    name: str = "tiny"
    fast: bool = False
    widths: tuple[int, ...] = (1, 2)
    stride: tuple[int, int, int] = (8, 8, 8)
    decay: float | None = None
    inner: Inner = Inner()
    table: dict[str, int] | None = None


def test_a_config_survives_a_file(tmp_path: Path) -> None:
    config = Outer(steps=3, widths=(4, 5, 6), decay=0.25, inner=Inner(width=9), table={"a": 1}, name="på 紙")
    config.save(tmp_path / "config.json")
    assert Outer.load(tmp_path / "config.json") == config


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"Outer: got the unknown key 'stepz'; did you mean 'steps'\?"):
        Outer.of({"stepz": 3})
    with pytest.raises(ValueError, match=r"Inner: got the unknown key 'widht'; did you mean 'width'\?"):
        Outer.of({"inner": {"widht": 3}})
    with pytest.raises(ValueError, match=r"'zzzz'; use one of steps, rate, "):
        Outer.of({"zzzz": 3})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("steps", "3"), ("steps", 3.5), ("steps", True), ("steps", None), ("rate", "fast"), ("rate", True), ("name", 3),
        ("fast", 1), ("widths", 3), ("widths", [1, "2"]), ("stride", [8, 8]), ("decay", "x"), ("inner", 3),
        ("table", [1]),
    ],
)  # fmt: skip
def test_a_wrong_type_names_the_key_and_the_value(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"Outer\.{key}.*got .*expected"):
        Outer.of({key: value})


def test_plain_json_values_find_their_types() -> None:
    config = Outer.of({"rate": 1, "widths": [7], "stride": [1, 2, 2], "decay": None, "inner": {"width": 2}})
    assert config == Outer(rate=1.0, widths=(7,), stride=(1, 2, 2), inner=Inner(width=2))
    assert isinstance(config.rate, float)


def test_replace_checks_and_leaves_the_first_alone() -> None:
    config = Outer()
    assert config.replace(steps=4).steps == 4 and config.steps == 10
    with pytest.raises(ValueError, match="did you mean 'widths'"):
        config.replace(width=4)
    with pytest.raises(FrozenInstanceError):
        config.steps = 4  # pyright: ignore[reportAttributeAccessIssue]


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"got no config at .*none\.json"):
        Outer.load(tmp_path / "none.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json is not valid JSON"):
        Outer.load(tmp_path / "broken.json")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"list\.json: got a JSON list, expected an object"):
        Outer.load(tmp_path / "list.json")


def test_settings_of_the_command_line_are_read_as_json_or_text() -> None:
    words = ["lr=1e-3", "widths=[32,64]", "name=tiny", "note=a=b", "fast=true", "none=null"]
    expected = {"lr": 0.001, "widths": [32, 64], "name": "tiny", "note": "a=b", "fast": True, "none": None}
    assert parse_settings(words) == expected
    for wrong in ("lr", "=3"):
        with pytest.raises(ValueError, match=rf"got the setting '{wrong}', expected key=value"):
            parse_settings([wrong])
