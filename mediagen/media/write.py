"""Writing of one clip as a stream (mp4, webm, wav), gif or png."""

import errno
import math
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from PIL import Image, PngImagePlugin

from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip
from mediagen.media.names import check_name
from mediagen.media.provenance import mark, source_of
from mediagen.media.resample import resample
from mediagen.media.sheets import contact_sheet
from mediagen.media.tags import TAG, tag_of

if TYPE_CHECKING:
    from av import AudioStream, VideoStream
    from av.container import OutputContainer

VIDEO: dict[str, tuple[str, dict[str, str], str]] = {  # ending: picture codec, its options, sound codec
    # One thread: with more, the bytes of the file would depend on the number of cores of the machine.
    # Without x264's mbtree: with it and B-frames, 4 in 1,000 encodings of the same frames of 32x32 differed where other
    # threads used memory beside them, as if it read what nobody wrote; none of 12,000 without it.
    ".mp4": ("libx264", {"crf": "17", "preset": "medium", "threads": "1", "mbtree": "0"}, "aac"),
    ".webm": ("libvpx-vp9", {"crf": "24", "b": "0", "cpu-used": "4", "threads": "1", "row-mt": "0"}, "libopus"),
}
ENDINGS = (*VIDEO, ".wav", ".png", ".gif")


def write_clip(clip: Clip, path: str | Path) -> Path:
    """Writes a clip by the ending of `path`; the file appears whole or not at all, with equal bytes for equal clips.

    mp4: H.264 and AAC at 48 kHz, of even sizes.  webm: VP9 and Opus.  wav: the sound, 16 bits at its own rate.
    gif: the pictures.  png: one frame, or a contact sheet of up to 16.  Settings and caption travel inside the file.
    Raises ValueError where the folder is missing, the ending is unknown, or the clip lacks what the format holds.
    """
    path = Path(path)
    check(clip, path)
    ending = path.suffix.lower()
    if ending in VIDEO and clip.sound is not None:
        clip = replace(clip, sound=resample(clip.sound, clip.rate, SOUND_RATE), rate=SOUND_RATE)
    samples = 0 if clip.sound is None else clip.sound.shape[-1]
    source = source_of(clip.settings, clip.frames is not None)
    tag = tag_of(clip.settings, clip.caption, samples, clip.fps if ending == ".gif" else None, source)
    with appearing(path) as temporary:
        write = {".gif": write_gif, ".png": write_png}.get(ending, write_stream)
        write(clip, temporary, tag)
        mark(temporary, source)
    return path


def check(clip: Clip, path: Path) -> None:
    """Raises ValueError where the name, the folder or the clip do not fit."""
    ending = check_place(path, ENDINGS)
    if ending == ".wav":
        if clip.sound is None or not clip.sound.shape[-1]:
            raise ValueError("got a clip without sound, expected some for a .wav; save it as .mp4 instead.")
    elif clip.frames is None or not len(clip.frames):
        raise ValueError(f"got a clip without frames, expected some for a {ending}; save it as .wav instead.")
    elif ending == ".mp4" and (clip.frames.shape[1] % 2 or clip.frames.shape[2] % 2):
        height, width = clip.frames.shape[1:3]
        raise ValueError(
            f"got frames of {width}x{height}, expected even sizes for H.264; resize them or write a .webm."
        )
    if not (math.isfinite(clip.fps) and clip.fps > 0):
        raise ValueError(f"got {clip.fps} frames per second, expected a number above 0; set fps.")
    if clip.sound is not None and (len(clip.sound) not in (1, 2) or not bool(torch.isfinite(clip.sound).all())):
        raise ValueError(
            f"got sound of {len(clip.sound)} channels, expected 1 or 2 of finite numbers; mix or repair it."
        )


def check_place(path: Path, endings: Iterable[str]) -> str:
    """The ending of `path`; raises ValueError for one not in `endings`, a folder that is missing, or a folder."""
    ending = path.suffix.lower()
    if ending not in endings:
        raise ValueError(
            f"got the name '{path.name}', expected an ending of {', '.join(endings)}; try '{path.stem}.mp4'."
        )
    if not path.parent.is_dir():
        raise ValueError(
            f"got the folder '{path.parent}', expected one that exists; create it first or write elsewhere."
        )
    check_name(path)
    if path.is_dir():
        raise ValueError(f"got '{path}', which is a folder, expected a file name; choose another name.")
    return ending


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A temporary name to write to: it becomes `path` when all went well, and vanishes when it did not."""
    # Beside the target, for a rename is only atomic within one file system.
    temporary = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What FFmpeg says against a file that it writes becomes an OSError of the disk, or a ValueError about the file."""
    from av.error import FFmpegError

    try:
        yield
    except FFmpegError as error:
        if error.errno in errno.errorcode and error.errno not in (errno.EINVAL, errno.EPIPE):
            raise OSError(error.errno, f"cannot write a {path.suffix}: {error.strerror}") from None
        raise ValueError(
            f"got what a {path.suffix} cannot hold ({error.strerror}), expected pictures and sound that it can; "
            "write to another ending."
        ) from None


def write_gif(clip: Clip, path: Path, tag: str) -> None:
    """The pictures, with a palette for each; equal neighbours are stored once and shown longer."""
    assert clip.frames is not None
    pictures = [Image.fromarray(picture) for picture in clip.frames.cpu().numpy()]
    # A gif counts hundredths of a second: rounding each frame's END keeps the whole in time.
    ends = [round(100 * (index + 1) / clip.fps) * 10 for index in range(len(pictures))]
    lengths = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=lengths, loop=0, comment=tag.encode())


def write_png(clip: Clip, path: Path, tag: str) -> None:
    """One frame as it is, or a contact sheet of up to 16 evenly spaced ones."""
    assert clip.frames is not None
    chosen = np.unique(np.linspace(0, len(clip.frames) - 1, min(len(clip.frames), 16)).round().astype(int))
    sheet = contact_sheet([clip.frames[int(index)] for index in chosen], columns=math.ceil(math.sqrt(len(chosen))))
    info = PngImagePlugin.PngInfo()
    info.add_text(TAG, tag)
    Image.fromarray(sheet.numpy()).save(path, pnginfo=info)


def write_stream(clip: Clip, path: Path, tag: str) -> None:
    """mp4, webm or wav. Sound follows each frame closely in the file, so that it can play while it loads."""
    import av
    from av.video.reformatter import Colorspace

    ending, sound = path.suffix.lower(), clip.sound
    # bitexact: no random identities and no version strings, so that equal clips make equal bytes.
    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart+use_metadata_tags"} if ending == ".mp4" else {})
    with writing(path), av.open(str(path.absolute()), "w", options=options) as container:
        container.metadata["comment" if ending == ".wav" else TAG] = tag  # wav knows a fixed list of names
        picture_codec, settings, sound_codec = VIDEO.get(ending, ("", {}, "pcm_s16le"))
        video = _video_stream(container, picture_codec, settings, clip) if picture_codec else None
        speaker = None
        if sound is not None and sound.shape[-1]:
            speaker = Speaker(container, sound_codec, [sound], len(sound), clip.rate)
        if video is not None and clip.frames is not None:
            for index, picture in enumerate(clip.frames.cpu().numpy()):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                # Named on both sides: players take untagged pictures for BT.709, the converter for BT.601.
                frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
                frame.pts, frame.time_base = index, 1 / video.codec_context.framerate
                container.mux(video.encode(frame))
                if speaker is not None:
                    speaker.until((index + 1) / clip.fps)
            container.mux(video.encode(None))
        if speaker is not None:
            speaker.until(math.inf)
            speaker.close()


def _video_stream(container: "OutputContainer", codec: str, settings: dict[str, str], clip: Clip) -> "VideoStream":
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    assert clip.frames is not None
    rate = Fraction(clip.fps).limit_denominator(1001)  # so that 29.97 is found again as 30000/1001
    stream = cast("VideoStream", container.add_stream(codec, rate=rate, options=settings))
    stream.height, stream.width, stream.pix_fmt = clip.frames.shape[1], clip.frames.shape[2], "yuv420p"
    context = stream.codec_context
    context.thread_count = 1
    context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return stream


class Tape:
    """Chunks of sound (channels, S) of any lengths, taken in pieces of other lengths."""

    def __init__(self, chunks: Iterable[torch.Tensor]) -> None:
        self._chunks = iter(chunks)
        self._rest = torch.zeros(1, 0)

    def take(self, most: int) -> torch.Tensor:
        """The next samples (channels, S), at least one and at most `most`; S = 0 only where the tape has ended."""
        while not self._rest.shape[-1]:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._rest = chunk
        piece, self._rest = self._rest[:, :most], self._rest[:, most:]
        return piece


class Speaker:
    """Feeds chunks of sound (channels, S) to an encoder, piece by piece; `done` counts the samples."""

    def __init__(
        self, container: "OutputContainer", codec: str, chunks: Iterable[torch.Tensor], channels: int, rate: int
    ) -> None:
        self.layout = "mono" if channels == 1 else "stereo"
        self.container, self.rate, self.done = container, rate, 0
        self.tape = Tape(chunks)
        self.stream = cast("AudioStream", container.add_stream(codec, rate=rate, layout=self.layout))
        if codec in ("aac", "libopus"):
            self.stream.bit_rate = min(192_000 * channels, 320_000)  # sharp onsets smear below 128 kbit/s a channel

    def until(self, seconds: float) -> None:
        """Encodes up to `seconds` from the start or to the end of the sound, in pieces of at most a second."""
        import av

        while seconds == math.inf or self.done < int(seconds * self.rate):
            left = self.rate if seconds == math.inf else int(seconds * self.rate) - self.done
            sound = self.tape.take(min(left, self.rate))
            if not sound.shape[-1]:
                break
            piece = np.ascontiguousarray(sound.detach().cpu().float().clamp(-1, 1).numpy())
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=self.layout)
            frame.sample_rate, frame.pts, frame.time_base = self.rate, self.done, Fraction(1, self.rate)
            self.container.mux(self.stream.encode(frame))
            self.done += piece.shape[1]

    def close(self) -> None:
        self.container.mux(self.stream.encode(None))
