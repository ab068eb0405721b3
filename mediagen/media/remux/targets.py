"""What a new file can say of a film's pictures: asked before any work, by the ending of its name."""

import hashlib
import io
from pathlib import Path

from mediagen.media.checks import opened, picture_stream
from mediagen.media.footage import Footage
from mediagen.media.remux.boxes import edits_of

FORMATS = {".mp4": "mp4", ".mov": "mov", ".webm": "webm", ".mkv": "matroska"}
MP4 = (".mp4", ".mov")  # what has edit lists
_CHANGING = ("h264", "hevc", "vvc", "av1")  # codecs of which FFmpeg writes several descriptions


def check_target(footage: Footage, target: Path) -> None:
    """Raises ValueError where a file of that ending cannot show what the film shows; names the endings that can."""
    ending = target.suffix.lower()
    if ending not in FORMATS or (wrong := problem(footage, ending)) is None:
        return
    able = [other for other in FORMATS if other != ending and problem(footage, other) is None]
    advice = f"write a {' or '.join(able)}" if able else "convert it to H.264 first, or write the sound alone to a .wav"
    raise ValueError(f"got {footage.path.name} with {wrong}, which a {ending} cannot hold; {advice}.")


def problem(footage: Footage, ending: str) -> str | None:
    """What a file of that ending cannot hold of the film's pictures; None where it can hold all."""
    import av

    times = footage.timeline
    with opened(footage.path) as source, av.open(io.BytesIO(), "w", format=FORMATS[ending]) as trial:
        video = picture_stream(footage.path, source)
        kind = source.format.name
        codec, mp4 = video.codec_context.name, "mov" in kind and ending in MP4
        listed = mp4 and not times.whole and edits_of(footage.path, video.id) is not None
        try:
            trial.add_stream_from_template(video, opaque=True)
        except ValueError:
            return f"pictures in {codec}"
    if times.descriptions > 1 and not (mp4 and codec in _CHANGING):
        return f"pictures in {times.descriptions} descriptions of their codec, one after the other"
    if not listed and not (times.steady and _spare(footage)):
        if "mov" not in kind:
            return "times of decoding that go backwards"
        return "an edit list that hides pictures which others need, or shows them in another order"
    return None


def _spare(footage: Footage) -> bool:
    """Whether the pictures that are shown decode to the same without those among them that are hidden."""
    hidden = set(footage.timeline.between)
    return not hidden or _shown(footage, set()) == _shown(footage, hidden)


def _shown(footage: Footage, without: set[int]) -> list[tuple[int | None, bytes]]:
    """Time and content of the pictures that are shown, from where decoding can begin before the hidden ones."""
    times, number, found = footage.timeline, 0, []
    wanted = set(times.times.tolist())
    with opened(footage.path) as source:
        video = picture_stream(footage.path, source)
        for packet in source.demux(video):
            number += bool(packet.size)
            last = number >= times.packets
            if times.key <= number and number not in without:
                frames = video.codec_context.decode(packet) + (video.codec_context.decode(None) if last else [])
                found += [(f.pts, hashlib.sha256(f.to_ndarray().tobytes()).digest()) for f in frames if f.pts in wanted]
            if last:
                break
    return found
