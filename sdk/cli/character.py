"""`mediagen character`: people that clips can show are added, listed, shown and removed."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mediagen.sdk.cli.console import Bar, reporting, say
from mediagen.sdk.cli.output import unused
from mediagen.sdk.errors import RequestError

character = typer.Typer(no_args_is_help=True, help="People that clips can show: add, list, show, remove.")
Name = Annotated[str, typer.Argument(help="What prompts call the person: @NAME.")]


@character.command()
def add(
    name: Name,
    image: Annotated[list[Path], typer.Option("--image", help="A picture of the face, or a film; may be repeated.")],
    consent: Annotated[
        bool, typer.Option("--consent", help="The person agreed to be shown in generated clips.")
    ] = False,
    face: Annotated[int | None, typer.Option("--face", min=1, help="Which of several faces, from the left.")] = None,
    drawn: Annotated[
        bool, typer.Option("--drawn", help="Take the drawn person most like the photo: models of drawn people need it.")
    ] = False,
    finder: Annotated[str, typer.Option("--finder", help="own, or mtcnn (for real photos; see the guide).")] = "own",
    model: Annotated[
        str | None, typer.Option("--model", help="Model folder. Default: the one that is built in.")
    ] = None,
) -> None:
    """Keep a person for later clips. Nothing is kept without --consent."""
    with reporting():
        if not consent:
            raise RequestError(
                "consent: got no --consent, expected it: that the person agreed to be shown; add it if so."
            )
        for path in image:
            if not path.is_file():
                raise RequestError(f"got no file at '{path}', expected a picture or a film; check the path.")
        with Bar() as bar:
            bar.show("Loading")
            from mediagen.personalize.character import SeveralFaces
            from mediagen.sdk.engine import Engine

            engine = Engine.from_pretrained(model)
            try:
                made = engine.create_character(
                    images=list(image), name=name, consent=consent, face=face, drawn=drawn, finder=finder,
                    on_try=lambda done, of_all: bar.show("Fitting a drawn person", done, of_all),
                )  # fmt: skip
            except SeveralFaces as error:
                where = unused(Path("faces.png"))
                error.numbered.save(where)
                raise RequestError(f"{error} The picture with numbers is {where}; give --face N.") from None
            engine.characters.add(made)
        told = " as the drawn person most like the photo" if made.drawn else ""
        say(f"@{made.name} is kept{told} ({made.fingerprint}); 'mediagen character remove {made.name}' forgets it.")


@character.command("list")
def list_() -> None:
    """The people that are kept."""
    with reporting():
        from mediagen.sdk.people import character_store

        store = character_store()
        for name in store.names():
            one = store.get(name)
            kept = f"{datetime.fromtimestamp(one.made):%Y-%m-%d %H:%M}"
            typer.echo(f"@{name}  {one.fingerprint}  {kept}{'  drawn' if one.drawn else ''}")
        if not store.names():
            say("Nobody is kept; 'mediagen character add NAME --image FILE --consent' keeps someone.")


@character.command()
def show(
    name: Name,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Picture to write. Default: a new png.")] = None,
) -> None:
    """Write the thumbnail of a person."""
    with reporting():
        from mediagen.sdk.people import character_store

        where = out or unused(Path(f"{name.removeprefix('@')}.png"))
        if where.suffix.lower() not in (".png", ".jpg", ".webp"):
            raise RequestError(f"got the output '{where.name}', expected an ending of .png, .jpg or .webp.")
        character_store().get(name).thumbnail.save(where)
        say(f"Wrote {where}.")


@character.command()
def remove(name: Name) -> None:
    """Forget a person: everything of them is deleted. Clips that show them stay where you saved them."""
    with reporting():
        from mediagen.sdk.people import character_store

        character_store().remove(name)
        say(f"@{name.removeprefix('@')} is forgotten.")
