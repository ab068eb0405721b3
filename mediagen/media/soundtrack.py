"""A new sound track for a video that exists: mixed, brought to one loudness, written beside the untouched pictures."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mediagen.grid import SOUND_RATE
from mediagen.media import loudness
from mediagen.media.checks import opened, picture_stream
from mediagen.media.footage import Footage
from mediagen.media.tags import TAG, tag_of
from mediagen.media.write import Speaker, Tape, appearing, check_place

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

# By ending. mkv takes FLAC, for Matroska says nowhere how much of the last AAC packet is padding.
CODECS = {".mp4": "aac", ".mov": "aac", ".webm": "libopus", ".mkv": "flac", ".wav": "pcm_s16le"}
FADE = SOUND_RATE // 50  # samples, 20 ms: from the old sound to the new one, inside the window
_CONTAINERS = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration", TAG)  # each file's own


def replace_sound(
    footage: Footage,
    target: str | Path,
    sound: Callable[[], Iterable[Tensor]],
    *,
    start: float = 0.0,
    end: float | None = None,
    keep_audio: float = 0.0,
    lufs: float = loudness.TARGET,
    caption: str = "",
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Writes the film with new sound from `start` to `end` (seconds); its pictures are copied bit for bit.

    sound: gives the new sound of the window as chunks float32 (1, S) at 48 kHz, each time it is called (for sound that
    can be made only once, `loudness.spooled`); what is beyond the window is cut.  keep_audio: 0 to 1, how much of the
    original stays under it.  lufs: loudness of the two together in the window (`loudness.level`).  Outside the window
    the original stays as it is, or silence, with a fade of 20 ms inside the window.
    The track has exactly `footage.samples` samples, in stereo where the original is heard and has it. The file appears
    whole or not at all. Raises ValueError for a window, a name or an ending that does not fit, too little sound, and a
    codec of the pictures that the new container cannot hold.
    """
    target = Path(target)
    check_place(target, CODECS)
    if not 0 <= keep_audio <= 1:
        raise ValueError(f"got keep_audio {keep_audio:g}, expected 0 to 1; 0 leaves the original out.")
    first, last = footage.span(start, end)
    whole = (first, last) == (0, footage.samples)
    channels = 2 if footage.channels > 1 and (keep_audio or not whole) else 1

    def window() -> Iterator[Tensor]:
        made = _exactly(sound(), last - first)
        return _over(made, footage.sound(start, end, channels=channels), keep_audio) if keep_audio else made

    level = loudness.level(window, lufs)
    track = level.apply(window())
    if not whole:
        track = _into(footage.sound(channels=channels), track, first, last, footage.samples)
    return write_sound(
        target, track, footage.samples, channels=channels, footage=footage, caption=caption, settings=settings
    )


def write_sound(
    target: str | Path,
    chunks: Iterable[Tensor],
    samples: int,
    *,
    channels: int = 1,
    footage: Footage | None = None,
    caption: str = "",
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Streams `samples` of sound, chunks (1 or `channels`, S) at 48 kHz, to a .wav or beside the pictures of `footage`.

    mp4 and mov: AAC; webm: Opus; mkv: FLAC; read back by `read_sound` to the sample, and by others through the
    edit list or the discarded padding. Other sound tracks go; covers, subtitles, chapters and titles stay where the
    container can hold them. Errors as in `replace_sound`.
    """
    target = Path(target)
    ending = check_place(target, CODECS)
    if footage is None and ending != ".wav":
        raise ValueError(
            f"got the name '{target.name}' for sound alone, expected a .wav; or give the film to go with it."
        )
    tag = tag_of(dict(settings or {}), caption, samples)
    wide = (chunk.expand(channels, -1) for chunk in _exactly(chunks, samples))
    with appearing(target) as temporary:
        if footage is None or ending == ".wav":
            _write_alone(temporary, wide, channels, tag)
        else:
            _write_beside(footage, temporary, wide, channels, tag)
    return target


def _exactly(chunks: Iterable[Tensor], samples: int) -> Iterator[Tensor]:
    """The first `samples` of sound; ValueError where there are fewer, for a gap at the end would go unheard of."""
    tape, left = Tape(chunks), samples
    while left:
        piece = tape.take(min(left, SOUND_RATE))
        if not piece.shape[-1]:
            raise ValueError(
                f"got {samples - left} samples of sound, expected {samples}; make it as long as the window."
            )
        left -= piece.shape[-1]
        yield piece


def _over(new: Iterable[Tensor], old: Iterable[Tensor], share: float) -> Iterator[Tensor]:
    """The new sound with a share of the old one under it; both of one length."""
    tape = Tape(new)
    for below in old:
        done = 0
        while done < below.shape[-1]:
            piece = tape.take(below.shape[-1] - done)
            yield piece + share * below[:, done : done + piece.shape[-1]]
            done += piece.shape[-1]


def _into(old: Iterable[Tensor], new: Iterable[Tensor], first: int, last: int, samples: int) -> Iterator[Tensor]:
    """The old sound with the new one from `first` to `last`, faded inside; not where the film itself begins or ends."""
    tape, place = Tape(new), 0
    for chunk in old:
        begin, place = place, place + chunk.shape[-1]
        made, at = chunk.clone(), max(begin, first)
        while at < min(place, last):
            piece = tape.take(min(place, last) - at)
            where = torch.arange(at, at + piece.shape[-1])
            rise = (where - first + 0.5) / FADE if first else torch.ones(len(where))
            fall = (last - where - 0.5) / FADE if last < samples else torch.ones(len(where))
            part = slice(at - begin, at - begin + len(where))
            made[:, part] = torch.lerp(
                chunk[:, part], piece.expand(len(chunk), -1), torch.minimum(rise, fall).clamp(0, 1)
            )
            at += len(where)
        yield made


def _write_alone(path: Path, chunks: Iterable[Tensor], channels: int, tag: str) -> None:
    import av

    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        container.metadata["comment"] = tag  # wav knows a fixed list of names
        speaker = Speaker(container, CODECS[path.suffix.lower()], chunks, channels, SOUND_RATE)
        speaker.until(inf)
        speaker.close()


def _write_beside(footage: Footage, path: Path, chunks: Iterable[Tensor], channels: int, tag: str) -> None:
    """Copies packets as they are. All times move so that the pictures begin at 0, where the new sound begins too."""
    import av

    ending = path.suffix.lower()
    options = {"fflags": "+bitexact"}
    if ending in (".mp4", ".mov"):  # an edit list in samples: in its usual milliseconds no length would be exact
        options |= {"movflags": "+faststart+use_metadata_tags", "movie_timescale": str(SOUND_RATE)}
    with opened(footage.path) as source, av.open(str(path), "w", options=options) as container:
        video = picture_stream(footage.path, source)
        pictures = _copy(video, source, container)
        if pictures is None:
            raise ValueError(
                f"got pictures in {video.codec_context.name}, expected a codec that {ending} can hold; "
                f"write a .mkv, or a {footage.path.suffix} as the film is."
            )
        speaker = Speaker(container, CODECS[ending], chunks, channels, SOUND_RATE)
        others = [s for s in source.streams if s.index != video.index and s.type in ("video", "subtitle", "attachment")]
        copies = {video.index: pictures}
        for stream in others:
            if (copy := _copy(stream, source, container)) is not None:
                copies[stream.index] = copy
        container.metadata.update({k: v for k, v in source.metadata.items() if k.lower() not in _CONTAINERS})
        container.metadata[TAG] = tag
        container.set_chapters(source.chapters())
        wanted = [s for s in source.streams if s.index in copies and s.type != "attachment"]
        copied = 0
        for packet in source.demux(wanted):
            copied += packet.stream_index == video.index
            if not packet.size or (packet.stream_index == video.index and copied > footage.packets):
                continue  # the end of a stream, or what an edit list cuts off the film's end
            if packet.stream_index == video.index and packet.pts is not None:
                # mp4 makes the length of the track from these, and its reader filled in times of decoding.
                left = sum(footage.last) - packet.pts
                packet.duration = left if packet.pts == footage.last[0] else max(0, min(packet.duration or 0, left))
            shift = round(footage.origin / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            if packet.stream_index == video.index and packet.dts is not None:
                speaker.until(
                    float(packet.dts * packet.time_base) + 0.5
                )  # side by side, so that it plays while it loads
            packet.stream = copies[packet.stream_index]
            container.mux(packet)
        speaker.until(inf)
        speaker.close()


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
