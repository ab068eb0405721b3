"""`mediagen check`: what the films, pictures and sounds of a folder are, and whether the product takes them."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediagen.sdk.cli.console import reporting, say
from mediagen.sdk.errors import RequestError

if TYPE_CHECKING:
    from mediagen.media.survey import Found


def check(
    folder: Annotated[Path, typer.Argument(help="Folder, with all that is in it, or one file.")],
    json_out: Annotated[bool, typer.Option("--json", help="One object of JSON for each file.")] = False,
) -> None:
    """Say of each film, picture and sound what it is, whether it is taken, and what a copy would keep."""
    with reporting():
        if not folder.exists():
            raise RequestError(f"got '{folder}', which does not exist, expected a folder or a file; check the path.")
        from mediagen.media.survey import survey

        taken = count = 0
        for found in survey(folder):
            count += 1
            taken += not found.refused
            name = found.path.relative_to(folder).as_posix() if folder.is_dir() else found.path.name
            if json_out:
                told = dataclasses.asdict(found) | {"path": name, "taken": not found.refused}
                sys.stdout.write(json.dumps(told, ensure_ascii=True) + "\n")
                continue
            typer.echo(f"{'taken  ' if not found.refused else 'REFUSED'}  {name}: {found.kind}, {found.what or '?'}")
            if found.refused:
                typer.echo(f"         {found.refused}")
            if found.endings:
                typer.echo(
                    f"         with new sound as {', '.join(ending[1:] for ending in found.endings)}{_also(found)}"
                )
        say(f"{taken} of {count} files are taken.")


def _also(found: "Found") -> str:
    kept, lost = ", ".join(found.kept), ", ".join(found.lost)
    return (f"; keeps {kept}" if kept else "") + (f"; loses {lost}" if lost else "")
