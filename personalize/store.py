"""Store: characters by name in one folder, kept with consent and forgotten without a trace."""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from mediagen.errors import RequestError
from mediagen.personalize.character import Character

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z][A-Za-z0-9_-]{0,31})")
STAND_IN = "a person"  # what a model of clips reads in the place of a name


class Store:
    """The characters in a folder. Names are of small letters, digits, - and _, and begin with a letter."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def names(self) -> list[str]:
        """All that are kept, in order."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(path.name for path in found if NAME.fullmatch(path.name) and (path / "character.json").is_file())

    def add(self, character: Character) -> Path:
        """Keeps one; RequestError for a name that cannot be one, or that is taken."""
        name = checked(character.name)
        if name in self.names():
            raise RequestError(f"got the name '{name}', which is taken; remove that character first, or give another.")
        if not character.consent:
            raise RequestError("got a character without consent, expected it; ask the person.")
        self.folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o700)  # nobody else's business
        part = self.folder / f".{name}.tmp"
        shutil.rmtree(part, ignore_errors=True)
        character.save(part)
        part.replace(self.folder / name)
        return self.folder / name

    def get(self, name: str) -> Character:
        """The one of a name; RequestError that lists the known names."""
        name = name.lower().removeprefix("@")
        if name not in self.names():
            raise RequestError(unknown(name, self.names()))
        return Character.load(self.folder / name)

    def remove(self, name: str) -> None:
        """Forgets one: its files are overwritten, then deleted, with what a killed process may have left of them."""
        name = name.lower().removeprefix("@")
        if name not in self.names():
            raise RequestError(unknown(name, self.names()))
        for folder in (self.folder / name, self.folder / f".{name}.tmp"):
            for path in folder.rglob("*") if folder.is_dir() else ():
                if path.is_file():
                    path.write_bytes(bytes(path.stat().st_size))
            shutil.rmtree(folder, ignore_errors=True)


def checked(name: str) -> str:
    """A name as it is kept; RequestError where it cannot be one."""
    if not isinstance(name, str) or not NAME.fullmatch(name.lower().removeprefix("@")):
        raise RequestError(
            f"name: got {str(name)[:40]!r}, expected up to 32 letters, digits, - and _, a letter first; give another."
        )
    return name.lower().removeprefix("@")


def mentioned(prompt: str) -> list[str]:
    """The names that a prompt has as @name, in order, each once."""
    return list(dict.fromkeys(name.lower() for name in _MENTION.findall(prompt)))


def spoken(prompt: str) -> str:
    """The prompt as a model reads it, with a person in the place of each name."""
    said = _MENTION.sub(STAND_IN, prompt)
    return said[:1].upper() + said[1:] if prompt.startswith("@") else said


def unknown(name: str, known: Iterable[str]) -> str:
    """What is said of a name that nobody has."""
    listed = ", ".join(f"@{each}" for each in known)
    return f"got the unknown character '@{name}'; " + (
        f"use one of {listed}." if listed else "add one with 'mediagen character add' first."
    )
