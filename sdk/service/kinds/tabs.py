"""Tab: a kind of job on the page, as data; the page builds its form from it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """A field of the form. name: in the request.  input: "number", "text", "check", "select", "file" or
    "box", a text that is drawn on a frame of the film.

    limit: of the model's limits, whose value is used where the field stays empty.  empty: what to say there instead.
    value: of a box, whether it is ticked; of a number, what is sent where it stays empty.  choices: of a select; of
    sizes and rates, the limits'.  main: whether it stands before the settings.  shown_with: a box that it goes with.
    needs: of the model's limits, without which it is not shown.
    """

    name: str
    label: str
    input: str = "number"
    limit: str = ""
    empty: str = ""
    value: bool | str | None = None
    low: float | None = None
    high: float | None = None
    step: str = "any"
    choices: tuple[str, ...] = ()
    accept: str = ""
    main: bool = False
    shown_with: str = ""
    needs: str = ""


@dataclass(frozen=True)
class Tab:
    """title: on the tab.  go: on its button.  label, hint: of the prompt.  optional: whether that may stay empty.

    use: what a result becomes as its input: "Use as input for ...".  examples: prompts to click.  compares: whether a
    result is shown with what it was made of.
    """

    title: str
    go: str
    label: str
    hint: str
    fields: tuple[Field, ...] = ()
    optional: bool = False
    use: str = ""
    examples: tuple[str, ...] = ()
    compares: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


STEPS = Field("num_inference_steps", "Steps", limit="steps", low=1, high=1000, step="1")
GUIDANCE = Field("guidance_scale", "Guidance", limit="guidance_scale", low=0, high=100)
SEED = Field("seed", "Seed", empty="by chance", low=0, step="1")
SECONDS = Field("seconds", "Seconds", limit="seconds", low=0)
NEGATIVE = Field("negative_prompt", "Not this", "text")
REWRITE = Field("rewrite", "Put into the models' own words", "check", value=True)
STRICT = Field("strict", "Refuse words that the models don't know", "check", value=False)
SOUND = Field("sound", "With sound", "check", value=True, needs="sound")
SOUND_PROMPT = Field("sound_prompt", "What it sounds like", "text", empty="as the prompt says", needs="sound")
EFFECTS = Field("effects", "Effects and surroundings", "check", value=True, main=True)
MUSIC = Field("music", "Music", "check", value=False, main=True)
MUSIC_PROMPT = Field("music_prompt", "What music?", "text", main=True, shown_with="music")
SOUND_STEPS = Field("num_inference_steps", "Steps", limit="sound_steps", low=1, high=1000, step="1")
SOUND_GUIDANCE = Field("guidance_scale", "Guidance", limit="sound_guidance_scale", low=0, high=100)
TRIES = Field("candidates", "Tries, best kept", limit="sound_candidates", low=1, high=16, step="1")
