"""Entry: all that is known of one pipeline class of diffusers, as data; `table` holds one for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from mediagen.sdk.models.limits import Limits


@dataclass(frozen=True, kw_only=True)
class Call:
    """How a pipeline class is called for one task. pipeline: its name in diffusers.

    The others name its arguments; "" where it has none.  first: the picture that a clip begins with.  before: frames
    that it goes on from.  film, mask: what is edited, and where.  references: pictures of who or what is in it.
    fps, frames, scale: frames a second, how many, guidance.  overlap: how many frames it goes on from.  size: whether
    it takes a width and a height.
    """

    pipeline: str
    first: str = ""
    before: str = ""
    film: str = ""
    mask: str = ""
    references: str = ""
    fps: str = ""
    frames: str = "num_frames"
    scale: str = "guidance_scale"
    overlap: str = ""
    size: bool = True

    @property
    def arguments(self) -> set[str]:
        """Every argument that it is ever called with."""
        named = {self.first, self.before, self.film, self.mask, self.references, self.fps, self.frames, self.scale}
        always = {"prompt", "negative_prompt", "num_inference_steps", "generator", "output_type"}
        return (named | {self.overlap} | always | ({"width", "height"} if self.size else set())) - {""}


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Weights of a class that differ from its entry. config: values in the config.json of components, which tell.

    name: in words.  limits: what differs of the entry's.  calls: what they can do besides.
    """

    name: str
    config: Mapping[str, Mapping[str, Any]]
    limits: Mapping[str, Any] = field(default_factory=dict)
    calls: Mapping[str, Call] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One pipeline class.

    what: in words.  calls: by task: "generate", "picture" (from one), "extend", "edit", "character", "sound".
    limits: sizes, rates, lengths, steps, guidance; frame counts of the form `limits.frame_step` k + 1.
    licence: of the weights that are known for this class.  variants: the first whose config fits counts.
    latent: axes of the latents that its callback hears: "BCLHW", "BLCHW" or "packed".  overlap: frames at the end of a
    film that it goes on from.  exact: components that stay float32, where less is seen.  speaks: whether sound comes
    with the pictures.  packages: that it needs besides diffusers, as {import name: name on PyPI}.
    """

    what: str
    calls: Mapping[str, Call]
    limits: Limits
    licence: str
    variants: tuple[Variant, ...] = ()
    latent: str = "BCLHW"
    overlap: int = 1
    exact: tuple[str, ...] = ()
    speaks: bool = False
    packages: Mapping[str, str] = field(default_factory=dict)

    def found(self, configs: Mapping[str, Mapping[str, Any]]) -> tuple[Self, str]:
        """The entry of the weights with these component configs, and the name of the variant that they are, or ""."""
        for one in self.variants:
            told = [configs.get(part, {}).get(key) == value for part, said in one.config.items()
                    for key, value in said.items()]  # fmt: skip
            if all(told):
                calls = {**self.calls, **one.calls}
                limits = Limits.of({**self.limits.to_dict(), **one.limits})
                return replace(self, calls=calls, limits=limits), one.name
        return self, ""

    @property
    def tasks(self) -> list[str]:
        """What it can do; a model that starts from a picture can go on from the last one of a film."""
        made = list(self.calls)
        return [*made, "extend"] if "picture" in made and "extend" not in made else made

    def call(self, task: str) -> Call | None:
        """How a task is done."""
        return self.calls.get(task) or (self.calls.get("picture") if task == "extend" else None)
