"""New sound beside pictures that are copied as they are: their packets, bit for bit, and what their container says."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from mediagen.grid import SOUND_RATE
from mediagen.media.checks import blamed, opened, picture_stream
from mediagen.media.footage import Footage
from mediagen.media.remux.boxes import Edits, common_scale, described, edits_of, rewrite
from mediagen.media.remux.matroska import set_pixel_shape
from mediagen.media.remux.targets import MP4
from mediagen.media.tags import TAG
from mediagen.media.write import Speaker, writing

if TYPE_CHECKING:
    from av import Packet, VideoStream
    from av.container import InputContainer, OutputContainer
    from av.container.core import Chapter
    from av.stream import Stream

# What FFmpeg leaves out: Dolby Vision, the second eye of spatial video, field of view, clean aperture, light around.
_LEFT_OUT = (b"dvcC", b"dvvC", b"dvwC", b"hvcE", b"lhvC", b"hfov", b"clap", b"amve", b"cclv")
_CONTAINERS = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration", TAG)  # each file's own


def write_beside(footage: Footage, path: Path, codec: str, chunks: Iterable[Tensor], channels: int, tag: str) -> None:
    """Writes the film's pictures with new sound; all times move so that they begin at 0, where the sound begins too.

    codec: of the sound, chunks float32 (channels, S) at 48 kHz.  The film has passed `check_target`. Where an edit list
    hides pictures that others need, all are copied and the list with them; and what mp4 says of the pictures beyond
    what FFmpeg carries (Dolby Vision in mov, a second eye) is copied too.
    """
    with opened(footage.path) as source:
        both = "mov" in source.format.name and path.suffix.lower() in MP4
        track = picture_stream(footage.path, source).id
    edits = edits_of(footage.path, track) if both and not footage.timeline.whole else None
    zero = _write(footage, path, codec, chunks, channels, tag, edits)
    if not both:
        return
    there, moved = described(path), None
    more = b"".join(
        box for kind, box in described(footage.path, track).items() if kind in _LEFT_OUT and kind not in there
    )
    if edits is not None:
        shown = edits.from_first(footage.origin)
        moved = [replace(edit, start=None if edit.start is None else edit.start + zero) for edit in shown]
    if moved is not None or more:
        made = path.with_name(f"{path.stem}-made{path.suffix}")
        try:
            rewrite(path, made, moved, more)
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)


def _write(
    footage: Footage, path: Path, codec: str, chunks: Iterable[Tensor], channels: int, tag: str, edits: Edits | None
) -> Fraction:
    """Writes the file; gives the seconds by which the pictures moved in their track, where the film has `edits`."""
    import av

    ending = path.suffix.lower()
    options = {"fflags": "+bitexact", "strict": "unofficial"}  # projection, stereo and Dolby Vision count as unofficial
    if ending in MP4:  # an edit list in samples: in its usual milliseconds no length would be exact
        scale = common_scale(SOUND_RATE, edits.scale) if edits else SOUND_RATE
        options |= {"movflags": "+faststart+use_metadata_tags", "movie_timescale": str(scale)}
    else:
        options["write_crc32"] = "0"  # see matroska.py
    with (
        opened(footage.path) as source,
        writing(path),
        av.open(str(path.absolute()), "w", options=options, metadata_errors="surrogateescape") as container,
    ):
        video = picture_stream(footage.path, source)
        shape, size = video.sample_aspect_ratio, (video.codec_context.width, video.codec_context.height)
        pictures = _copy(video, source, container)
        assert isinstance(pictures, av.VideoStream), "check_target has looked"
        if shape:
            pictures.codec_context.sample_aspect_ratio = shape
        speaker = Speaker(container, codec, chunks, channels, SOUND_RATE)
        _take_place_of(next(iter(source.streams.audio), None), speaker.stream)
        copies: dict[int, Stream] = {video.index: pictures}
        for stream in source.streams:
            wanted = stream.index != video.index and stream.type in ("video", "subtitle", "attachment")
            if wanted and (copy := _copy(stream, source, container)) is not None:
                copies[stream.index] = copy
        container.metadata.update({k: v for k, v in source.metadata.items() if k.lower() not in _CONTAINERS})
        container.metadata[TAG] = tag
        container.set_chapters(_chapters(source, footage))
        first = None
        for packet in _packets(footage, source, copies, video, edits):
            if packet.stream_index == video.index and packet.dts is not None:
                time = float(packet.dts * packet.time_base)
                first = packet.dts * packet.time_base if first is None else first
                speaker.until(time + 0.5)  # side by side, so that it plays while it loads
            packet.stream = copies[packet.stream_index]
            container.mux(packet)
        speaker.until(inf)
        speaker.close()
    if ending not in MP4 and shape and shape != 1:
        set_pixel_shape(path, size, shape)
    return Fraction(0) if first is None else -first


def _packets(
    footage: Footage,
    source: "InputContainer",
    copies: dict[int, "Stream"],
    video: "VideoStream",
    edits: Edits | None,
) -> Iterator["Packet[Stream]"]:
    """What is copied, at its new times; with `edits` all pictures at their own times in the track."""
    timeline = footage.timeline
    others = [stream for stream in source.streams if stream.index in copies and stream.type != "attachment"]
    if edits is not None:
        others = [stream for stream in others if stream.index != video.index]
        yield from _raw(footage, video.index)
    count, hidden, before = 0, set(timeline.between), None
    with blamed(footage.path):
        for packet in source.demux(others) if others else ():
            ours = packet.stream_index == video.index
            count += ours
            if not packet.size or (ours and (not timeline.head < count <= timeline.packets or count in hidden)):
                continue  # the end of a stream, or what an edit list cuts off the film
            if ours and packet.pts is not None:
                # mp4 makes the length of the track from these, and its reader filled in times of decoding.
                left = sum(timeline.last) - packet.pts
                packet.duration = left if packet.pts == timeline.last[0] else max(0, min(packet.duration or 0, left))
            shift = round(footage.origin / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift - (timeline.late if ours else 0)
            if ours and packet.dts is not None:
                if before is not None and packet.dts <= before:  # as FFmpeg's own tool: some clocks are too coarse
                    packet.dts = before + 1
                    packet.pts = None if packet.pts is None else max(packet.pts, packet.dts)
                before = packet.dts
            yield packet


def _raw(footage: Footage, index: int) -> Iterator["Packet[Stream]"]:
    """All packets of the pictures as the track has them, decoded no later than they are shown."""
    with opened(footage.path, ignore_editlist="1") as whole:
        late = max(p.dts - p.pts for p in whole.demux(whole.streams[index]) if p.dts is not None and p.pts is not None)
    with opened(footage.path, ignore_editlist="1") as whole:
        for packet in whole.demux(whole.streams[index]):
            if packet.size:
                packet.dts = None if packet.dts is None else packet.dts - max(late, 0)
                yield packet


def _chapters(source: "InputContainer", footage: Footage) -> list["Chapter"]:
    """The chapters, moved with the pictures; those that end before the first one go."""
    made: list[Chapter] = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, 1_000_000)
        shift = round(footage.origin / base)
        if chapter["end"] > shift:
            start = max(0, chapter["start"] - shift)
            made.append({**chapter, "start": start, "end": chapter["end"] - shift})
    return made


def _take_place_of(old: "Stream | None", new: "Stream") -> None:
    """The new sound is what players choose, and is listed under the language of the one that it replaces."""
    from av.stream import Disposition

    new.disposition = Disposition.default
    if old is not None and (language := old.metadata.get("language")):
        new.metadata["language"] = language


def _copy(stream: "Stream", source: "InputContainer", container: "OutputContainer") -> "Stream | None":
    """A stream of the new file for the packets of `stream`; None where the container cannot hold them."""
    from av import VideoStream

    try:
        copy = container.add_stream_from_template(stream, opaque=True)
    except ValueError:
        return None
    copy.metadata.update({k: v for k, v in stream.metadata.items() if k.lower() not in _CONTAINERS})
    copy.disposition = stream.disposition
    if isinstance(stream, VideoStream) and isinstance(copy, VideoStream):
        copy.codec_context.framerate = stream.average_rate or Fraction(0)  # mkv keeps the length of its frames there
        if "mov" in source.format.name and container.format.name in ("mp4", "mov"):
            copy.codec_context.codec_tag = stream.codec_context.codec_tag  # hvc1 and hev1 are not the same to players
    return copy
