"""`mediagen verify`: what a file says of where it comes from, and whether it changed since."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mediagen.sdk.cli.console import reporting
from mediagen.sdk.errors import RequestError


def verify(
    file: Annotated[Path, typer.Argument(help="A film, picture or sound.")],
    json_out: Annotated[bool, typer.Option("--json", help="One object of JSON.")] = False,
) -> None:
    """Say whether a file was made by a model, and whether it changed since; exit code 1 where it did."""
    with reporting():
        from mediagen.media.provenance import verify as look

        try:
            found = look(file)
        except (ValueError, OSError) as error:
            raise RequestError(str(error)) from None
        typer.echo(json.dumps(asdict(found)) if json_out else f"{file.name} {found.told}")
        if found.changed or (found.signed is not None and found.signed["state"].startswith("broken")):
            raise typer.Exit(1)
