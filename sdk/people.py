"""The half of an engine that knows people: makes characters, keeps them, and says who a prompt means."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediagen.personalize.character import Character
from mediagen.personalize.store import Store
from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks import people

if TYPE_CHECKING:
    from mediagen.personalize.likeness import OnTry


def character_store() -> Store:
    """Where this user's characters are kept: MEDIAGEN_CHARACTERS, or the user's own data folder."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "mediagen"
    return Store(os.environ.get("MEDIAGEN_CHARACTERS") or home / "characters")


class People:
    """Characters of an engine."""

    models: ModelFolder
    kept: Store | None = None  # whose characters are known, in place of this user's: a service has its own

    @property
    def characters(self) -> Store:
        """The characters that are kept on this machine, by name."""
        return self.kept or character_store()

    def create_character(
        self,
        image: Any = None,
        *,
        name: str,
        consent: bool = False,
        images: list[Any] | None = None,
        face: int | None = None,
        drawn: bool = False,
        finder: str = "own",
        on_try: "OnTry | None" = None,
    ) -> Character:
        """A character from a picture of one face, several `images`, or a film; `characters.add` keeps it.

        image: a path, a PIL image, uint8 (H, W, 3), or a clip.  consent: that the person agreed; must be True.  face:
        which of several, from 1 at the left.  drawn: take the drawn person that is most like the photo, which models
        of drawn people need; on_try(done, of all) hears of the search.  finder: "own", or "mtcnn" for real photos.
        Raises RequestError, before any work, where that cannot be, ModelError where the folder has no face models.
        """
        if (image is None) == (images is None):
            raise RequestError("got an image and images, or neither, expected one of them; give one.")
        source = image if images is None else images
        return people.create(self.models, source, name, consent, face=face, drawn=drawn, finder=finder, on_try=on_try)
