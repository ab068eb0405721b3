"""Sound from a prompt alone; at its route, what is sent says whether a sound is made, continued or mended."""

from mediagen.sdk.service.intake.forms import Form
from mediagen.sdk.service.kinds import tabs
from mediagen.sdk.service.kinds.kind import Start
from mediagen.sdk.service.kinds.sounds import SoundAlone


class Sound(SoundAlone):
    """A sound of so many seconds."""

    name, what, method = "sound", "making sound", "generate_audio"
    made = "sound"
    starts = (Start("sound", "sound", needed=False),)
    routes, summary, rank = ("/v1/audio/sounds",), ("Make, continue or mend a sound",), 3
    tab = tabs.Tab(
        "Sound alone",
        "Make the sound",
        "What is heard?",
        "For example: waves and gulls. It may stay empty where there is music.",
        (
            tabs.EFFECTS,
            tabs.MUSIC,
            tabs.MUSIC_PROMPT,
            tabs.Field("seconds", "Seconds", value="10", low=0),
            tabs.SOUND_STEPS,
            tabs.SOUND_GUIDANCE,
            tabs.SEED,
            tabs.TRIES,
            tabs.NEGATIVE,
        ),
        optional=True,
    )

    def chosen(self, form: Form) -> str:
        """See Kind."""
        if not form.has("sound"):
            return "sound"
        return "fill_sound" if {"start", "end"} & {*form.values} else "extend_sound"


KIND = Sound()
