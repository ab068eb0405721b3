"""More of a sound that exists."""

from mediagen.sdk.service.kinds.kind import Start
from mediagen.sdk.service.kinds.sounds import SoundAlone


class ExtendSound(SoundAlone):
    """More of a sound that exists. Made at the route of sounds."""

    name, what, method = "extend_sound", "continuing sound", "extend_audio"
    made = "longer sound"
    starts = (Start("sound", "sound"),)


KIND = ExtendSound()
