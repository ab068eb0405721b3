"""Clips from a prompt."""

import math
from typing import Any

from mediagen.personalize.store import mentioned
from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.intake import cost
from mediagen.sdk.service.intake.forms import Form
from mediagen.sdk.service.kinds import tabs
from mediagen.sdk.service.kinds.kind import Kind, Outcome, Start, check_sound
from mediagen.sdk.service.kinds.sounds import FAMILIES
from mediagen.sdk.tasks.progress import SILENT, WITH_SOUND, Stages
from mediagen.sdk.tasks.requests import GenerateRequest
from mediagen.sdk.tasks.upscale_requests import UpscaleRequest

PICTURES = ("prompt", "tae", "video")


class Generate(Kind):
    """A clip from a prompt, from a first picture where one is given."""

    name, what, method = "generate", "making clips", "generate"
    families, request = PICTURES, GenerateRequest
    starts = (Start("input_reference", "picture", needed=False, argument="image"),)
    hidden = ("prompt_rewritten",)
    routes, summary, rank = ("/v1/videos",), ("Make a clip from a prompt",), 0
    tab = tabs.Tab(
        "Generate",
        "Generate",
        "What happens?",
        "For example: a red ball bounces in a green meadow",
        (
            tabs.SECONDS,
            tabs.Field("size", "Size", "select"),
            tabs.Field("fps", "Frames a second", "select"),
            tabs.STEPS,
            tabs.GUIDANCE,
            tabs.SEED,
            tabs.NEGATIVE,
            tabs.REWRITE,
            tabs.STRICT,
            tabs.Field("input_reference", "Picture to begin with", "file", accept="image/png,image/jpeg,image/webp"),
            tabs.SOUND_PROMPT,
            tabs.SOUND,
        ),
    )

    def adapted(self, values: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], list[str]]:
        """See Kind: the size that is nearest in shape and then in area, and a length within the limits."""
        made, notes = dict(values), []
        width, height = values.get("width"), values.get("height")
        if width and height and (width, height) not in (*limits.all_sizes, *limits.larger_sizes):
            near = min(
                limits.all_sizes,
                key=lambda size: (
                    round(abs(math.log(size[0] * height / (size[1] * width))), 3),
                    abs(math.log(size[0] * size[1] / (width * height))),
                ),
            )
            made |= {"width": near[0], "height": near[1]}
            notes.append(f"A size of {width}x{height} became {near[0]}x{near[1]}, for which this model was trained.")
        seconds = values.get("seconds")
        if isinstance(seconds, int | float) and math.isfinite(seconds) and seconds > 0:
            made["seconds"] = min(max(seconds, limits.min_seconds), limits.max_seconds)
            if made["seconds"] != seconds:
                notes.append(f"{seconds:g} seconds became {made['seconds']:g}, for which this model was trained.")
        return made, notes

    def chosen(self, form: Form) -> str:
        """See Kind: one with `characters` shows a person."""
        return "character" if "characters" in form.values else self.name

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        """See Kind."""
        if "people" not in about and (named := mentioned(request.prompt)):  # this machine's own people are not served
            raise RequestError(
                f"prompt: got '@{named[0]}', who is nobody here; name a person in `characters`.", "prompt"
            )
        check_sound(request, engine, FAMILIES)
        able = getattr(engine.models, "can", None)
        if able is not None and about and not any(about["size"]) and not able("generate"):
            raise RequestError("input_reference: got none, expected a picture, which this model starts from; give one.")
        return request.fit(engine.limits)[0]

    def price(self, full: Any, limits: Limits, about: dict[str, Any]) -> cost.Cost:
        """See Kind."""
        size, factor = limits.made_at((full.width, full.height))
        made = cost.estimate(full, limits, size, full.fps)
        if factor == 1:
            return made
        request = UpscaleRequest.of({"factor": factor}).with_defaults(limits)
        larger = cost.estimate_upscale(request, size, full.fps, full.seconds)
        return cost.Cost(made.units + larger.units, max(made.bytes, larger.bytes))

    def outcome(self, full: Any, about: dict[str, Any]) -> Outcome:
        """See Kind."""
        return Outcome((full.width, full.height), full.fps, full.seconds)

    def stages(self, values: dict[str, Any]) -> Stages:
        """See Kind."""
        return WITH_SOUND if values.get("sound", True) else SILENT


KIND = Generate()
