"""Kind: all that the service knows of one kind of job. A file of this folder holds one as KIND, and that adds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mediagen.grid import SOUND_RATE
from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.intake.cost import Cost
from mediagen.sdk.service.intake.forms import Form
from mediagen.sdk.service.kinds.tabs import Tab
from mediagen.sdk.tasks.progress import WITH_SOUND, Stages
from mediagen.sdk.tasks.requests import Asked

COMMON = ("model", "size", "webhook_url")  # fields that every form may have, beside those of its request


@dataclass(frozen=True)
class Start:
    """A file that a job starts from. field: of the form.  needed: whether there must be one.

    read: "picture", "clip" (held in memory), "film" (of which the engine gets the path, so that it may be long and
    large) or "sound".  argument: of the engine's method; "" for its next place.
    """

    field: str
    read: str
    needed: bool = True
    argument: str = ""

    @property
    def by_id(self) -> bool:
        """Whether a completed job may stand in its place."""
        return self.read != "picture"


@dataclass(frozen=True)
class Outcome:
    """What comes out. size: (width, height) in pixels, (0, 0) for sound alone.  fps: of its frames."""

    size: tuple[int, int]
    fps: float
    seconds: float


class Kind:
    """One kind of job: what it takes, costs and gives, its progress, its routes and its tab on the page.

    name: in `kind` of a video object.  what: in words, for errors.  made: of what comes out, on the page.
    families: of the catalog, which must be in the
    model folder.  method: of Engine.  request: checks the fields.  hidden: fields of the request that it does not take.
    starts: files that it starts from, the one that a film goes on from first.  routes: that POST makes it at; one with
    {id} starts from that job.  summary: of the routes, one for each.  rank: its place among the tabs.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    made: ClassVar[str] = ""
    families: ClassVar[tuple[str, ...]]
    method: ClassVar[str]
    request: ClassVar[type[Asked]]
    hidden: ClassVar[tuple[str, ...]] = ()
    starts: ClassVar[tuple[Start, ...]] = ()
    routes: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[tuple[str, ...]] = ()
    tab: ClassVar[Tab | None] = None
    rank: ClassVar[float] = 99

    @property
    def fields(self) -> list[str]:
        """The fields of the request that come as values; a size comes as `size`, files by themselves."""
        left_out = {"width", "height", *self.hidden, *(start.argument for start in self.starts)}
        return [field for field in self.request.model_fields if field not in left_out]

    @property
    def sources(self) -> dict[str, Start]:
        """What it starts from, by the role of the file in the store."""
        return {start.field if place else "source": start for place, start in enumerate(self.starts)}

    @property
    def sound_alone(self) -> bool:
        """Whether it goes on from a sound, so that the pictures of a film are no more."""
        return bool(self.starts) and self.starts[0].read == "sound"

    @property
    def form_fields(self) -> list[str]:
        """Every field that its form may have, but for the files."""
        sized = "width" in self.request.model_fields
        return [*(field for field in COMMON if sized or field != "size"), *self.fields]

    def chosen(self, form: Form) -> str:
        """The kind that is made of a form at its routes: its own name, unless what is sent says another."""
        return self.name

    def adapted(self, values: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], list[str]]:
        """Values that were meant for another model, as near as this one comes, and a sentence for each change."""
        return values, []

    def asked(self, values: dict[str, Any], about: dict[str, Any]) -> Asked:
        """The request as it was asked; RequestError where a field is wrong. about: see `check`."""
        prompt = self.request.model_fields.get("prompt")
        if "prompt" not in values and about.get("caption") and prompt is not None and prompt.is_required():
            values = {**values, "prompt": about["caption"]}
        return self.request.of(values)

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        """The request as it will be made, every number filled in; RequestError where it cannot be.

        about: what is known of the file that it starts from: size, fps, seconds, caption, samples, channels; of a
        further file under the name of its field.  Before a file that may be left out is read, it is empty.
        """
        raise NotImplementedError

    def limits(self, engine: Any) -> Limits:
        """Those of the models that make it."""
        return engine.limits

    def price(self, full: Any, limits: Limits, about: dict[str, Any]) -> Cost:
        """What a request that was checked will take."""
        raise NotImplementedError

    def outcome(self, full: Any, about: dict[str, Any]) -> Outcome:
        """What comes out; here, something as large and as long as what it started from."""
        return Outcome(about["size"], about["fps"], about["seconds"])

    def caption(self, values: dict[str, Any]) -> str | None:
        """The prompt of a job with these values, as it is told."""
        return values.get("prompt")

    def stages(self, values: dict[str, Any]) -> Stages:
        """The stages of a job with these values, and where each lies between 0 and 1 of it."""
        return WITH_SOUND

    def beside(self, values: dict[str, Any], folder: Path) -> dict[str, Any]:
        """What else a job is made of, from the data folder, when it begins; goes to `make` as given."""
        return {}

    def make(self, engine: Any, given: dict[str, Any], values: dict[str, Any], **calls: Any) -> Any:
        """The clip, sound or film. given: what it starts from, by the field's name.  calls: callbacks of the engine."""
        placed = [given[start.field] for start in self.starts if start.field in given and not start.argument]
        named = {start.argument: given[start.field] for start in self.starts if start.field in given and start.argument}
        return getattr(engine, self.method)(*placed, **{**values, **named}, **calls)

    def told(self, job: Any, store: Any) -> dict[str, Any]:
        """What a video object of this kind says beyond the others; store: with the jobs that belong to it, say."""
        return {}

    def add_routes(self, router: Any, service: Any) -> None:
        """Adds routes that make no job, to what the client's API has beside them."""


def measured(about: dict[str, Any], sound_alone: bool) -> dict[str, Any]:
    """What is known about the start of a job, with its size, fps and seconds; 0 where there is none."""
    seconds = about.get("seconds")
    if seconds is None and "samples" in about:
        seconds = about["samples"] / SOUND_RATE
    elif seconds is None:
        seconds = about["frames"] / about["fps"] if about.get("fps") else 0.0
    told = {**about, "size": tuple(about.get("size", (0, 0))), "fps": about.get("fps") or 0.0, "seconds": seconds}
    if sound_alone and about:  # pictures that a sound comes from are no more
        told |= {"samples": about.get("samples", round(seconds * SOUND_RATE)), "size": (0, 0), "fps": 0.0}
    return told


def check_sound(request: Any, engine: Any, families: Sequence[str]) -> None:
    """RequestError where a request wants sound that the model folder cannot make."""
    lacking = [family for family in families if not engine.models.has(family)]
    if request.sound and lacking:
        raise RequestError(
            f"sound: got a request with sound, for which this server lacks {', '.join(lacking)}; ask for none."
        )
