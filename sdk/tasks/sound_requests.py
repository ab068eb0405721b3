"""Requests for sound alone: for a video that exists, from a prompt, after a sound, or into a gap."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator

from mediagen.grid import SOUND_HOP, SOUND_RATE
from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.requests import Asked, Guidance, Seconds, number, text

Words = Annotated[str | None, BeforeValidator(text)]
Time = Annotated[float | None, number(0, 86_400)]
MUSIC = "background music"  # what is asked for where music is wanted and not described


class SoundRequest(Asked):
    """A soundtrack.

    prompt: what is heard, or what is seen; None leaves it to the pictures.  music_prompt: of the music, which is made
    where `music` is True.  effects: whether anything but music is made.  start, end: seconds of the film or sound in
    which it is made.  seconds: of sound without pictures, or to add.  keep_audio: 0 to 1, how much of the original
    stays under it.  candidates: so many are made of each window, and the best is kept.  picture_guidance_scale: as
    guidance_scale, which is then the text's; None for the same.  method: "segments" or "blend", how long sound is
    made.  merge: of blended windows, "triangle" or "uniform".  lufs: loudness (EBU R128).
    """

    task: ClassVar[str] = "sound"

    prompt: Words = None
    music_prompt: Words = None
    effects: bool = True
    music: bool = False
    start: Time = None
    end: Time = None
    seconds: Seconds = None
    keep_audio: Annotated[float, number(0, 1)] = 0.0
    candidates: Annotated[int | None, number(1, 16, whole=True)] = None
    picture_guidance_scale: Guidance = None
    method: Literal["segments", "blend"] = "segments"
    merge: Literal["triangle", "uniform"] = "triangle"
    lufs: Annotated[float, number(-70, -5)] = -16.0

    def _defaults(self, limits: Limits) -> dict[str, Any]:
        return {
            "num_inference_steps": limits.sound_steps,
            "guidance_scale": limits.sound_guidance_scale,
            "candidates": limits.sound_candidates,
        }

    def fit(self, limits: Limits) -> Self:
        """The request with every number filled in; RequestError for wishes that contradict each other."""
        if self.music_prompt and not self.music:
            raise RequestError(
                f"got the music_prompt '{self.music_prompt}' with music=False; ask for music, or leave the prompt out.",
                "music_prompt",
            )
        if not (self.effects or self.music):
            raise RequestError("got neither effects nor music, expected at least one; ask for one of them.", "effects")
        if self.prompt and not self.effects:
            raise RequestError(
                f"got the prompt '{self.prompt}' with effects=False; describe music by music_prompt, or allow effects.",
                "prompt",
            )
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise RequestError(
                f"got an end of {self.end:g} s, expected one after the start at {self.start:g} s; swap or move them.",
                "end",
            )
        return self.with_defaults(limits)

    def for_film(self, limits: Limits) -> Self:
        """`fit` for the sound of a film."""
        if self.seconds is not None:
            raise RequestError(
                "seconds: a video's sound lasts as long as the video; leave it out, or give start and end."
            )
        return self.fit(limits)

    def alone(self, limits: Limits, heard: int | None = None) -> Self:
        """`fit` for sound without a film: all new, or where so many samples are `heard`, after them or in a gap."""
        unused = ("keep_audio", "picture_guidance_scale", *(("start", "end") if heard is None else ()))
        if given := [name for name in unused if getattr(self, name) != type(self).model_fields[name].default]:
            raise RequestError(
                f"got {given[0]} for sound without a film, which has no use for it; leave it out.", given[0]
            )
        full = self.fit(limits)
        if heard is None and self.seconds is None:
            raise RequestError("got no seconds for sound without a film, expected a length; give one.", "seconds")
        if heard is not None:
            self._check_gap(heard / SOUND_RATE)
            if heard < SOUND_HOP:
                raise RequestError(f"got {heard} samples of sound, expected at least {SOUND_HOP}; give some sound.")
        seconds = (heard or 0) / SOUND_RATE + (self.seconds or 0.0)
        if seconds > limits.max_sound_seconds:
            raise RequestError(
                f"got {seconds:g} seconds of sound, expected at most {limits.max_sound_seconds:g}; ask for less.",
                "seconds",
            )
        return full

    def _check_gap(self, seconds: float) -> None:
        """RequestError unless there are seconds to add to a sound, or a gap that lies in its `seconds`."""
        start, end = self.start, self.end
        if (self.seconds is None) == (start is None and end is None):
            got = "neither" if self.seconds is None else "both"
            raise RequestError(f"got {got}, expected seconds to add to the sound, or start and end of a gap; give one.")
        if self.seconds is not None:
            return
        if start is None or end is None:
            given, lacking = ("end", "start") if start is None else ("start", "end")
            raise RequestError(f"got the {given} of a gap without its {lacking}, expected both; give both.", lacking)
        if not round(start * SOUND_RATE) < round(end * SOUND_RATE) <= round(seconds * SOUND_RATE):
            raise RequestError(
                f"got a gap from {start:g} to {end:g} s, but the sound lasts {seconds:g} s; move it.", "end"
            )

    def words(self) -> str:
        """What the audio model reads."""
        from mediagen.audio.conditions import sound_prompt

        effects = (self.prompt or "") if self.effects else None
        return sound_prompt(effects, (self.music_prompt or MUSIC) if self.music else "")
