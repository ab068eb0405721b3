"""Times as people type them."""

import re

from mediagen.sdk.errors import RequestError

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?)")


def seconds_of(flag: str, text: str | None) -> float | None:
    """Seconds of "70", "01:10" or "0:01:10"; RequestError, which names the flag, for anything else."""
    if text is None:
        return None
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise RequestError(f"{flag}: got '{text}', expected seconds or a time; write 70, 01:10 or 0:01:10.")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds
