"""Reading of video, sound and pictures. PyAV is imported inside functions: GPU machines may lack it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mediagen.grid import SOUND_RATE
from mediagen.media.checks import (
    MAX_PIXELS,
    MAX_SECONDS,
    check_complete,
    check_known,
    check_pixels,
    check_rate,
    check_seconds,
    claimed,
    frames_of,
    opened,
    picture_stream,
)
from mediagen.media.clip import Film
from mediagen.media.pictures import opened_picture, to_tensor
from mediagen.media.resample import resample
from mediagen.media.tags import noted

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler


def read_clip(path: str | Path, *, max_seconds: float = MAX_SECONDS, max_pixels: int = MAX_PIXELS) -> Film:
    """Reads a video: every frame (uint8), its fps, its sound at its own rate (float32), its caption and settings.

    Where the frames are not evenly spaced, those that are shown at even times of the same mean rate.
    Sound starts with the pictures; of a file of ours it has exactly the samples that were written (AAC pads to 1,024).
    Raises ValueError for a file that is missing, damaged, without pictures, longer than `max_seconds`, or of more than
    `max_pixels` decoded pixels (frames x height x width).
    """
    import av

    path = Path(path)
    with opened(path) as container:
        about = _gif_told(path) if path.suffix.lower() == ".gif" else noted(container.metadata)
        video, audio = picture_stream(path, container), next(iter(container.streams.audio), None)
        check_known(path, audio)
        check_seconds(path, claimed(container), max_seconds)
        video.thread_type = "AUTO"
        check_pixels(path, video.width * video.height * max(video.frames, 1), max_pixels)
        # The header may lie: this stops a huge frame before there is memory for it.
        video.codec_context.options = {"max_pixels": str(max(max_pixels, 1))}
        pictures: list[np.ndarray] = []
        times: list[float] = []
        sounds = _Sounds(path, max_seconds)
        start, end, pixels = None, 0.0, 0
        fps = float(video.average_rate or video.guessed_rate or 25)
        for frame in frames_of(path, container, video, audio):
            if isinstance(frame, av.AudioFrame):
                sounds.add(frame)
                continue
            assert isinstance(frame, av.VideoFrame)
            start = frame.time if start is None else start
            end = (
                (frame.time or 0.0)
                - (start or 0.0)
                + max(float((frame.duration or 0) * (frame.time_base or 0)), 1 / fps)
            )
            pixels += frame.width * frame.height
            check_pixels(path, pixels, max_pixels)
            check_seconds(path, end, max_seconds)
            picture = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4)
            if pictures and picture.shape != pictures[0].shape:
                raise ValueError(f"got {path.name} whose size changes on the way, expected one size; convert it first.")
            pictures.append(np.ascontiguousarray(picture))
            times.append((frame.time or 0.0) - (start or 0.0))
        if not pictures:
            raise ValueError(f"got {path.name} with no readable frame, expected a whole video; the file is damaged.")
        sound = sounds.joined(start or 0.0, about.get("samples"))
        check_complete(path, claimed(container), max(end, sounds.seconds))
    fps = _rate_of(about, fps, times, end)
    return Film(
        frames=torch.from_numpy(np.stack([pictures[index] for index in _shown(times, end, fps)])),
        fps=fps,
        sound=sound,
        rate=sounds.rate or SOUND_RATE,
        caption=str(about.get("caption", "")),
        settings=about.get("settings", {}),
    )


def _gif_told(path: Path) -> dict[str, Any]:
    try:
        with opened_picture(path) as image:
            return noted(image.info)
    except ValueError:  # FFmpeg says what is wrong with it
        return {}


def _rate_of(about: dict[str, Any], said: float, times: list[float], end: float) -> float:
    """Frames per second: what is noted, or what the file says where that is near the mean, or the mean."""
    noted_rate = about.get("fps")
    if isinstance(noted_rate, int | float) and 0.1 <= noted_rate <= 1_000:
        return float(noted_rate)
    mean = len(times) / end if end > 0 else said
    return said if abs(said / mean - 1) < 0.02 or len(times) < 3 else mean


def _shown(times: list[float], end: float, fps: float) -> list[int]:
    """The numbers of the frames at even times; all of them where they come at these."""
    even = np.arange(len(times)) / fps
    if np.abs(np.array(times) - even).max() < 0.5 / fps and abs(end * fps - len(times)) < 0.75:
        return list(range(len(times)))
    wanted = np.arange(max(1, round(end * fps))) / fps
    return (np.searchsorted(np.array(times), wanted + 0.05 / fps, side="right") - 1).clip(0).tolist()


def read_settings(path: str | Path) -> dict[str, Any]:
    """The settings that made a file of ours, of any format; empty for a foreign file, ValueError for a damaged one."""
    path = Path(path)
    if path.suffix.lower() in (".png", ".gif"):
        with opened_picture(path) as image:
            return noted(image.info).get("settings", {})
    with opened(path) as container:
        return noted(container.metadata).get("settings", {})


def read_image(path: str | Path, size: tuple[int, int] | None = None, *, max_pixels: int = 2**26) -> torch.Tensor:
    """Reads a picture as uint8 (1, H, W, 3), upright, in 8 bits, transparency over white (`pictures.plain`).

    `size` = (width, height) scales it to cover that size and cuts the middle.
    Raises ValueError for a file that is missing, damaged, or larger than `max_pixels`.
    """
    with opened_picture(Path(path)) as image:
        check_pixels(Path(path), image.width * image.height, max_pixels)
        return to_tensor(image, size)


def read_sound(path: str | Path, rate: int = SOUND_RATE, *, max_seconds: float = MAX_SECONDS) -> torch.Tensor:
    """Reads the sound of a sound or video file as float32 (channels, S) at `rate` Hz; errors as in `read_clip`."""
    import av

    path = Path(path)
    with opened(path) as container:
        if not container.streams.audio:
            raise ValueError(
                f"got {path.name} without sound, expected a sound or a video with sound; give another file."
            )
        check_known(path, container.streams.audio[0])
        check_seconds(path, claimed(container), max_seconds)
        sounds = _Sounds(path, max_seconds)
        for frame in frames_of(path, container, container.streams.audio[0]):
            assert not isinstance(frame, av.VideoFrame)
            sounds.add(frame)
        sound = sounds.joined(0.0, noted(container.metadata).get("samples"))
        if sound is None:
            raise ValueError(f"got {path.name} with no readable sound, expected a whole file; the file is damaged.")
        if not container.streams.video:  # beside pictures the sound may be the shorter of the two
            check_complete(path, claimed(container), sounds.seconds)
    return resample(sound, sounds.rate, rate)


def has_sound(path: str | Path) -> bool:
    """Whether a file has a sound track, by its header; ValueError for a file that is missing or damaged."""
    with opened(Path(path)) as container:
        return bool(container.streams.audio)


class _Sounds:
    """Gathers decoded sound of a file as float32 and knows when it starts; ValueError above `max_seconds`."""

    def __init__(self, path: Path, max_seconds: float) -> None:
        self.path, self.max_seconds = path, max_seconds
        self.parts: list[np.ndarray] = []
        self.rate, self.samples = 0, 0
        self.start: float | None = None
        self.tool: AudioResampler | None = None

    @property
    def seconds(self) -> float:
        return self.samples / self.rate if self.rate else 0.0

    def add(self, frame: "AudioFrame | None") -> None:
        """Takes the next decoded frame, or None at the end."""
        import av

        if frame is not None and self.tool is None:
            check_rate(self.path, frame.sample_rate)
            self.rate, self.start = frame.sample_rate, frame.time
            self.tool = av.AudioResampler(format="fltp", layout=frame.layout, rate=frame.sample_rate)
        if self.tool is not None:
            for part in self.tool.resample(frame):
                self.parts.append(part.to_ndarray())
                self.samples += part.samples
            check_seconds(self.path, self.seconds, self.max_seconds)

    def joined(self, start: float, samples: Any) -> torch.Tensor | None:
        """float32 (channels, S) from the time `start` on; of a file of ours, the `samples` that were written."""
        self.add(None)
        if not self.parts:
            return None
        sound = np.concatenate(self.parts, axis=1)
        late = round(((self.start or 0.0) - start) * self.rate)
        if late > self.rate // 500:  # below 2 ms it is the rounding of time stamps
            sound = np.pad(sound, ((0, 0), (late, 0)))
        elif late < -self.rate // 500:
            sound = sound[:, -late:]
        return torch.from_numpy(
            np.ascontiguousarray(sound[:, : samples if isinstance(samples, int) and samples > 0 else None])
        )
