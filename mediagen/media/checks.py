"""What stands between a foreign file and the program: opening, limits, and one clear sentence for each thing wrong."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import AudioFrame, Packet, VideoFrame
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

MAX_SECONDS = 600.0  # longest file that is decoded unless the caller says otherwise
MAX_PIXELS = 2**29  # most decoded pixels, over all frames: 1.6 GB, or 256 frames of 1920x1080

_OPEN = {  # a playlist that calls itself .mp4 must not make FFmpeg open further files or addresses
    "protocol_whitelist": "file",
    "format_whitelist": "mov,matroska,avi,mpegts,mpeg,asf,ogg,wav,mp3,flac,aac,gif,png_pipe,jpeg_pipe,webp_pipe",
}


@contextmanager
def opened(path: Path, **options: str) -> Iterator["InputContainer"]:
    """Opens a file for decoding; whatever FFmpeg says against it becomes one ValueError.  options: of its reader.

    Titles whose bytes are no UTF-8 keep them, as surrogates: see `encodings.printable`.
    """
    import av

    if not path.is_file():
        raise ValueError(f"got no file at '{path}', expected a video or sound; check the path.")
    with (
        blamed(path),
        av.open(str(path.resolve()), options=_OPEN | options, metadata_errors="surrogateescape") as container,
    ):
        yield container


@contextmanager
def blamed(path: Path) -> Iterator[None]:
    """Whatever FFmpeg says becomes one ValueError about the file that is read."""
    from av.error import FFmpegError

    try:
        yield
    except FFmpegError as error:
        if error.errno == errno.ENOSPC:  # of what is being written meanwhile, no fault of this file
            raise
        raise ValueError(
            f"got {path.name}, which is damaged or no video or sound ({error.strerror}); give a whole file."
        ) from None
    except UnicodeError:  # a ValueError too, and must not pass for a sentence
        raise ValueError(f"got {path.name} with text that cannot be read; convert it first.") from None


def check_open(path: Path, packet: "Packet[Stream]") -> None:
    """Raises ValueError for a packet of a protected film: without its key it decodes to noise, and so would a copy."""
    if packet.has_sidedata("encryption_info"):
        raise ValueError(f"got {path.name}, which is protected (encrypted); give a film without protection.")


def frames_of(
    path: Path, container: "InputContainer", *streams: "Stream | None"
) -> Iterator["VideoFrame | AudioFrame"]:
    """The decoded frames of some streams; ValueError where the film is protected."""
    from av import AudioFrame, VideoFrame

    for packet in container.demux(*[stream for stream in streams if stream is not None]):
        check_open(path, packet)
        for frame in packet.decode():
            if isinstance(frame, VideoFrame | AudioFrame):
                yield frame


def picture_stream(path: Path, container: "InputContainer") -> "VideoStream":
    """The first stream of moving pictures (a cover is none); ValueError where there is none."""
    from av.stream import Disposition

    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not videos:
        raise ValueError(f"got {path.name} without pictures, expected a video; give a file with pictures.")
    check_known(path, videos[0])
    return videos[0]


def check_rate(path: Path, rate: int) -> None:
    """Raises ValueError for a sample rate (Hz) that no recording has: a forged header."""
    if not 1_000 <= rate <= 768_000:
        raise ValueError(f"got {path.name} with sound at {rate:,} Hz, expected 1,000 to 768,000 Hz; convert it first.")


def check_known(path: Path, *streams: "Stream | None") -> None:
    if any(stream is not None and stream.codec_context is None for stream in streams):
        raise ValueError(
            f"got {path.name}, which is damaged or of an unknown codec; convert it to H.264 and AAC first."
        )


def check_seconds(path: Path, seconds: float, most: float) -> None:
    if seconds > most:
        raise ValueError(f"got {path.name} of {seconds:.1f} s or more, expected at most {most:g} s; cut it first.")


def check_pixels(path: Path, pixels: int, most: int) -> None:
    if pixels > most:
        raise ValueError(
            f"got {path.name} of {pixels:,} pixels or more, expected at most {most:,}; make it smaller or cut it."
        )


def claimed(container: "InputContainer") -> float:
    """Seconds by the header; 0 where it does not say so for certain (other formats guess from the bit rate)."""
    known = {"mov", "matroska", "wav"} & set(container.format.name.split(","))
    return (container.duration or 0) / 1e6 if known else 0.0


def check_complete(path: Path, said: float, seconds: float) -> None:
    """Raises ValueError where a file holds fewer `seconds` than its header `said`."""
    if seconds + 0.1 < said:  # less than this is the padding of the sound codecs
        raise ValueError(
            f"got {seconds:.2f} s of {path.name}, expected {said:.2f} s; the file is cut short, copy it again."
        )
