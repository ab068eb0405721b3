"""A gap of a sound that exists, made anew."""

from mediagen.sdk.service.kinds.kind import Start
from mediagen.sdk.service.kinds.sounds import SoundAlone


class FillSound(SoundAlone):
    """A gap of a sound that exists, made anew. Made at the route of sounds."""

    name, what, method = "fill_sound", "filling gaps of sound", "fill_audio"
    made = "mended sound"
    starts = (Start("sound", "sound"),)


KIND = FillSound()
