"""New pictures for a film that exists: encoded at its size and times, beside its sound, whose packets are copied."""

import io
from collections.abc import Iterable, Iterator
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, cast

from torch import Tensor

from mediagen.media.checks import opened
from mediagen.media.footage import Footage
from mediagen.media.remux.targets import FORMATS, MP4
from mediagen.media.tags import TAG
from mediagen.media.write import VIDEO, appearing, check_place, writing

if TYPE_CHECKING:
    from av import Packet, VideoStream
    from av.container import OutputContainer

LOSSLESS = ".mkv"  # what holds FFV1
_OF_FILE = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration", TAG)  # of each file's own


def check_anew(
    footage: Footage,
    target: Path,
    *,
    sound: bool = True,
    lossless: bool = False,
    size: tuple[int, int] | None = None,
) -> None:
    """ValueError where a file of that name cannot hold pictures of the film's size or, with `sound`, its sound.

    size: (width, height) of the pictures, where they have another.
    """
    import av

    ending = check_place(target, FORMATS)
    width, height = size or footage.size
    if lossless and ending != LOSSLESS:
        raise ValueError(f"got the name '{target.name}' for pictures without loss, expected a {LOSSLESS}; name it so.")
    if not lossless and ending in MP4 and (width % 2 or height % 2):
        raise ValueError(
            f"got pictures of {width}x{height}, expected even sizes for H.264; write a .webm or a .mkv instead."
        )
    with opened(footage.path) as source:
        for stream in source.streams.audio if sound else ():
            with av.open(io.BytesIO(), "w", format=FORMATS[ending]) as trial:
                try:
                    trial.add_stream_from_template(stream)
                except ValueError:
                    name = stream.codec_context.name if stream.codec_context else "an unknown codec"
                    raise ValueError(
                        f"got sound in {name}, which a {ending} cannot hold; write a .mkv, or make the sound anew."
                    ) from None


def write_anew(
    footage: Footage,
    target: str | Path,
    pictures: Iterable[Tensor],
    tag: str,
    *,
    sound: bool = True,
    lossless: bool = False,
    pictures_for: str | None = None,
    size: tuple[int, int] | None = None,
) -> Path:
    """Writes pictures, uint8 (N, H, W, 3) in pieces, one for each of the film's and at its times; streamed.

    sound: copies the packets of all of its sound tracks; else there is none.  lossless: FFV1, from which the pictures
    come back bit for bit.  tag: of `tag_of`.  pictures_for: the ending of files that the pictures are to go to later.
    size: (width, height) of the pictures, where it is not the film's.
    The file appears whole or not at all.
    Raises ValueError for what `check_anew` refuses, and for more or fewer pictures than the film has.
    """
    target = Path(target)
    check_anew(footage, target, sound=sound, lossless=lossless, size=size)
    with appearing(target) as temporary:
        ending = pictures_for or target.suffix.lower()
        _write(footage, temporary, pictures, tag, sound, lossless, ending, size or footage.size)
    return target


def _write(
    footage: Footage,
    path: Path,
    pictures: Iterable[Tensor],
    tag: str,
    sound: bool,
    lossless: bool,
    ending: str,
    size: tuple[int, int],
) -> None:
    import av
    from av.video.reformatter import Colorspace

    times = footage.timeline
    ticks = times.times - times.times[0]
    lengths = [*(ticks[1:] - ticks[:-1]).tolist(), times.last[1]]
    options = {"fflags": "+bitexact"} | (
        {"movflags": "+faststart+use_metadata_tags"} if path.suffix.lower() in MP4 else {}
    )
    with (
        opened(footage.path) as source,
        writing(path),
        av.open(str(path.absolute()), "w", options=options, metadata_errors="surrogateescape") as container,
    ):
        video = _stream(container, footage, ending, lossless, size)
        copies = {s.index: container.add_stream_from_template(s) for s in source.streams.audio if sound}
        container.metadata.update({k: v for k, v in source.metadata.items() if k.lower() not in _OF_FILE})
        container.metadata[TAG] = tag
        stays = dict(zip(ticks.tolist(), lengths, strict=True))
        heard, waiting = _sound_packets(footage, set(copies)), None
        count = 0

        def mux(packets: "list[Packet]") -> None:
            for packet in packets:  # the encoder counts with one rate, and so forgets how long the last one stays
                packet.duration = stays.get(packet.pts or 0, packet.duration)
                container.mux(packet)

        def sound_until(seconds: float) -> None:
            nonlocal waiting
            waiting = next(heard, None) if waiting is None else waiting
            while waiting is not None and float((waiting.dts or 0) * waiting.time_base) <= seconds:
                waiting.stream = copies[waiting.stream_index]
                container.mux(waiting)
                waiting = next(heard, None)

        for piece in pictures:
            for picture in piece.cpu().numpy():
                if count == len(ticks):
                    raise ValueError(f"got more than {count} pictures, expected one for each of the film's.")
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                if lossless:
                    frame = frame.reformat(format="bgr0")
                else:
                    frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
                frame.pts, frame.time_base, frame.duration = int(ticks[count]), times.tick, int(lengths[count])
                mux(video.encode(frame))
                count += 1
                sound_until(float(ticks[count - 1] * times.tick) + 0.5)
        if count < len(ticks):
            raise ValueError(f"got {count} pictures, expected {len(ticks)}, one for each of the film's.")
        mux(video.encode(None))
        sound_until(inf)


def _stream(
    container: "OutputContainer", footage: Footage, ending: str, lossless: bool, size: tuple[int, int]
) -> "VideoStream":
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    width, height = size
    odd = width % 2 or height % 2
    name, settings, _ = VIDEO[".webm" if ending == ".webm" or (ending == ".mkv" and odd) else ".mp4"]
    if name == "libx264":  # mp4 knows the film's end by the last packet, which must be the last picture then
        settings = settings | {"bf": "0"}
    if lossless:
        name, settings = "ffv1", {"level": "3", "slicecrc": "1"}
    stream = cast("VideoStream", container.add_stream(name, rate=30, options=settings))
    context = stream.codec_context
    stream.width, stream.height = width, height
    context.time_base = stream.time_base = footage.timeline.tick
    context.thread_count = 1
    if lossless:
        context.pix_fmt = "bgr0"
        return stream
    context.pix_fmt = "yuv420p"
    context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return stream


def _sound_packets(footage: Footage, wanted: set[int]) -> "Iterator[Packet]":
    """Packets of some streams as they come, at times that count from the film's first picture."""
    if not wanted:
        return
    with opened(footage.path) as source:
        streams = [stream for stream in source.streams if stream.index in wanted]
        for packet in source.demux(streams):
            if packet.size and packet.time_base is not None:
                zero = round(footage.origin / packet.time_base)
                packet.pts = None if packet.pts is None else packet.pts - zero
                packet.dts = None if packet.dts is None else packet.dts - zero
                yield packet


def own_pictures(footage: Footage, *, batch: int = 16) -> Iterator[Tensor]:
    """The film's pictures as they are, each once, uint8 (N, H, W, 3)."""
    times = footage.timeline
    seconds = (times.times - times.times[0]) * float(times.tick)
    yield from footage.pictures_at(seconds.tolist(), batch=batch)
