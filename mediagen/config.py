"""Frozen, validated configurations: every model owns one, written beside its weights as JSON."""

import dataclasses
import difflib
import json
import types
import typing
from pathlib import Path
from typing import Any, Self


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Base of every configuration. Subclasses are frozen dataclasses whose fields have plain JSON types."""

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Builds a config from plain values; an unknown key or a wrong type is an error that names the nearest key."""
        hints = typing.get_type_hints(cls)
        fields = {f.name: hints[f.name] for f in dataclasses.fields(cls)}
        made: dict[str, Any] = {}
        for key, value in values.items():
            if key not in fields:
                near = difflib.get_close_matches(key, fields, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(fields)}."
                raise ValueError(f"{cls.__name__}: got the unknown key '{key}'; {hint}")
            made[key] = _coerce(f"{cls.__name__}.{key}", value, fields[key])
        return cls(**made)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, checked as in `of`."""
        return type(self).of({**self.to_dict(), **changes})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a config from a JSON file."""
        path = Path(path)
        try:
            values = json.loads(path.read_text())
        except FileNotFoundError:
            raise ValueError(
                f"got no config at {path}; expected a JSON file, give a model folder that has one."
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is not valid JSON ({error}); restore the file.") from None
        if not isinstance(values, dict):
            raise ValueError(f"{path}: got a JSON {type(values).__name__}, expected an object; restore the file.")
        return cls.of(values)

    def save(self, path: str | Path) -> None:
        """Writes the config as indented JSON."""
        Path(path).write_text(json.dumps(self.to_dict(), indent=2) + "\n")


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Turns ["lr=1e-3", "widths=[32,64]"] into {"lr": 0.001, "widths": [32, 64]}; what is not JSON is a string."""
    made: dict[str, Any] = {}
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign or not key:
            raise ValueError(f"got the setting '{setting}', expected key=value; write for example lr=0.001.")
        try:
            made[key.strip()] = json.loads(text)
        except json.JSONDecodeError:
            made[key.strip()] = text
    return made


def _coerce(name: str, value: Any, hint: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in args:
            return None
        for choice in args:
            if choice is not type(None):
                return _coerce(name, value, choice)
    if origin is tuple and isinstance(value, list | tuple):
        element = args[0]
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_coerce(name, v, element) for v in value)
        if len(value) == len(args):
            return tuple(_coerce(name, v, a) for v, a in zip(value, args, strict=True))
    if isinstance(hint, type) and issubclass(hint, Config) and isinstance(value, dict):
        return hint.of(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin is dict and isinstance(value, dict):
        return value
    if isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise ValueError(f"{name}: got {value!r}, expected {getattr(hint, '__name__', hint)}; give one.")
