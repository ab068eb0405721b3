"""`mediagen models` and `mediagen fetch`: public weights, what they can do and what of them is here."""

import json
from typing import Annotated

import typer

from mediagen.sdk.cli.console import Bar, reporting, say


def models(json_out: Annotated[bool, typer.Option("--json", help="One object for each model.")] = False) -> None:
    """List public models: what each can do, its licence, the memory that its authors name, and what is here."""
    with reporting():
        from dataclasses import asdict

        from mediagen.sdk.hub.about import models as known

        found = known()
        width = max(len(one.name) for one in found) + 2
        for one in found:
            if json_out:
                typer.echo(json.dumps(asdict(one)))
                continue
            here = "-" if one.gigabytes is None else f"{one.gigabytes:.1f} GB"
            typer.echo(f"{one.name:<{width}}{here:>9}  {', '.join(one.can)}; {one.licence}"
                       + (f"; {one.memory}" if one.memory else ""))  # fmt: skip
            for file in one.lacking:
                typer.echo(f"{'':<{width}}{'':>9}  lacks {file}; run: mediagen fetch {one.name}")
        say("Memory is what the model cards name; nothing of it was measured here. See docs/models.md.")


def fetch(
    model: Annotated[str, typer.Argument(help='A name on the Hugging Face hub, "owner/model".')],
    revision: Annotated[str | None, typer.Option("--revision", help="Branch, tag or commit.")] = None,
) -> None:
    """Fetch a model into the cache of the hub; what is there already is not fetched again."""
    with reporting("Stopped; what came is kept, and the next fetch goes on from there."):
        with Bar() as bar:
            bar.show("Fetching")
            from mediagen.sdk.hub.fetch import fetch as get
            from mediagen.sdk.hub.layout import Layout, is_pipeline

            folder = get(model, revision, lambda done, of: bar.show("Fetching", done >> 20, max(1, of >> 20)))
        say(f"Fetched {model} to {folder} in {bar.elapsed:.1f} s.")
        if is_pipeline(folder):
            layout = Layout(folder)
            say(f"It is a {layout.name} of {layout.bytes / 1e9:.1f} GB under {layout.licence}.")
            for file in layout.missing():
                say(f"note: it lacks {file}; its repository has no such file as safetensors.")
