"""A video that exists: its exact length, its pictures at a steady rate, its sound at 48 kHz; streamed."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from math import ceil, inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mediagen.grid import SOUND_RATE
from mediagen.media.checks import check_known, check_pixels, check_rate, frames_of, opened, picture_stream
from mediagen.media.timeline import timeline

if TYPE_CHECKING:
    from av import AudioFrame, VideoFrame
    from av.container import InputContainer

MAX_FILM_SECONDS = 3_600.0  # longest film unless the caller says otherwise; nothing here grows with it but the time
MAX_PICTURE_PIXELS = 2**26  # of one picture: twice 8K
_EARLY = 1.0  # seconds by which a seek goes before its aim: pictures and sound need some of their past to be right
_SLACK = SOUND_RATE // 50  # samples; times of sound packets that are off by less are rounding, not gaps


class Footage:
    """What a video file holds, found by reading all of its time stamps and one picture; no file stays open.

    seconds: from the first picture to the end of the last one, exact.  samples: the same at 48 kHz.  origin: the time
    of the first picture in the file's own clock.  size: (width, height), upright.  fps: None where it varies.
    channels: of the first sound track, 0 without one.  timeline: when which picture is shown.
    packets: how many hold the pictures, up to the last one shown.
    Raises ValueError for a file that is missing, damaged, protected, cut short, without pictures, longer than
    `max_seconds`, with pictures above `max_pixels`, or with a sample rate that no recording has.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        max_seconds: float = MAX_FILM_SECONDS,
        max_pixels: int = MAX_PICTURE_PIXELS,
    ) -> None:
        self.path, self.max_pixels = Path(path), max_pixels
        with opened(self.path) as container:
            video = picture_stream(self.path, container)
            sound = next(iter(container.streams.audio), None)
            self.channels = 0 if sound is None or sound.codec_context is None else sound.codec_context.channels
            self.has_audio = sound is not None
            if sound is not None and sound.codec_context is not None:
                check_rate(self.path, sound.codec_context.sample_rate)
            check_pixels(self.path, video.width * video.height, self.max_pixels)
            self.timeline = timeline(self.path, container, max_seconds)
            self.packets = self.timeline.packets
            self.seconds_exact, tick = self.timeline.seconds, self.timeline.tick
            self.origin: Fraction = int(self.timeline.times[0]) * tick
            self.fps = _steady(self.timeline.times, tick)
        with opened(self.path) as container:  # again, from its beginning
            first = next(self._decoded(container), None)
            if first is None:
                raise ValueError(f"got {self.path.name} with no readable frame, expected a whole video; copy it again.")
            turned = round(first.rotation / 90) % 2
            self.size = (first.height, first.width) if turned else (first.width, first.height)

    @property
    def seconds(self) -> float:
        return float(self.seconds_exact)

    @property
    def samples(self) -> int:
        """Samples at 48 kHz that last exactly as long as the pictures."""
        return round(self.seconds_exact * SOUND_RATE)

    def span(self, start: float = 0.0, end: float | None = None) -> tuple[int, int]:
        """First sample and the one after the last (48 kHz) of a window in seconds; None is the end of the film.

        Raises ValueError for a window that is empty, runs backwards or leaves the film.
        """
        length = f"{self.path.name} lasts {self.seconds:.3f} s"
        if not (isfinite(start) and 0 <= start < self.seconds):
            raise ValueError(f"got a start of {start:g} s, expected 0 s or more, and {length}; start earlier.")
        if end is None or self.seconds < end <= self.seconds + 0.05:  # written by hand, rounded up
            end = self.seconds
        if not end > start:
            raise ValueError(
                f"got an end of {end:g} s, expected one after the start at {start:g} s; swap or move them."
            )
        if end > self.seconds:
            raise ValueError(f"got an end of {end:g} s, but {length}; end there or earlier.")
        first, last = round(start * SOUND_RATE), round(end * SOUND_RATE) if end < self.seconds else self.samples
        if first >= last:
            raise ValueError(f"got {start:g} s to {end:g} s, expected at least one sample of sound; widen it.")
        return first, last

    def pictures(
        self, rate: float, size: tuple[int, int], start: float = 0.0, end: float | None = None, *, batch: int = 64
    ) -> Iterator[Tensor]:
        """Pictures at a steady `rate` (Hz) as uint8 (N, H, W, 3), N <= batch; `size` = (width, height).

        Picture i is the one shown at start + (i + 0.5) / rate: the middle of the time it stands for, as
        `audio.conditions.at_sound_rate` takes it, and where a rate equal to the film's own gives each frame once.
        There are ceil((end - start) * rate) of them. The whole picture is squeezed to `size`, without bars and without
        a cut: what sounds at the left and right edge stays in view, and every place keeps its share of the width.
        """
        if not (isfinite(rate) and rate > 0) or min(size) < 1 or batch < 1:
            raise ValueError(f"got rate {rate:g}, size {size}, batch {batch}, expected all above 0; correct them.")
        first, last = (sample / SOUND_RATE for sample in self.span(start, end))
        count = max(1, ceil((last - first) * rate - 1e-6))
        return self._pictures(first + (np.arange(count) + 0.5) / rate, size, batch)

    def pictures_at(
        self, times: Sequence[float], size: tuple[int, int] | None = None, *, batch: int = 64
    ) -> Iterator[Tensor]:
        """The pictures shown at rising `times` (seconds from the first one on) as uint8 (N, H, W, 3), N <= batch.

        A time beyond the end shows the last picture.  size: (width, height) to squeeze to; None for the film's own.
        """
        moments = np.asarray(times, float) + 1e-6  # a time that was rounded down is still that picture's
        if not len(moments) or moments[0] < 0 or (np.diff(moments) < 0).any():
            raise ValueError(f"got the times {list(times)}, expected some from 0 s on that rise; sort them.")
        return self._pictures(moments, self.size if size is None else size, batch)

    def sound(self, start: float = 0.0, end: float | None = None, *, channels: int = 1) -> Iterator[Tensor]:
        """The first sound track from the first picture on, as chunks float32 (channels, S) at 48 kHz; S of any length.

        Exactly the samples of `span(start, end)`; silence where the file has no sound. channels: 1 or 2, mixed down.
        """
        if channels not in (1, 2):
            raise ValueError(f"got {channels} channels, expected 1 or 2; mix them afterwards.")
        return self._sound(*self.span(start, end), channels)

    def _decoded(self, container: "InputContainer", start: float = 0.0) -> Iterator["VideoFrame"]:
        """Frames in the order they are shown, from somewhat before `start` on."""
        import av

        video = picture_stream(self.path, container)
        video.thread_type = "AUTO"
        # The header may lie: this stops a huge frame before there is memory for it.
        video.codec_context.options = {"max_pixels": str(self.max_pixels)}
        if start > _EARLY:
            container.seek(int((self.origin + Fraction(start - _EARLY)) / (video.time_base or 1)), stream=video)
        for frame in frames_of(self.path, container, video):
            if not isinstance(frame, av.AudioFrame):
                yield frame

    def _pictures(self, moments: np.ndarray, size: tuple[int, int], most: int) -> Iterator[Tensor]:
        made: list[np.ndarray] = []
        done, shown, picture = 0, None, None
        with opened(self.path) as container:
            for frame in chain(self._decoded(container, float(moments[0])), [None]):
                until = inf if frame is None else float((frame.pts or 0) * (frame.time_base or 0) - self.origin)
                while shown is not None and done < len(moments) and moments[done] < until:
                    picture = _small(shown, size) if picture is None else picture
                    made.append(picture)
                    done += 1
                    if len(made) == most or done == len(moments):
                        yield torch.from_numpy(np.stack(made))
                        made = []
                if done == len(moments):
                    return
                shown, picture = frame, None
        raise ValueError(f"got {self.path.name} with no readable frame from {moments[0]:g} s on; the file is damaged.")

    def _sound(self, first: int, last: int, channels: int) -> Iterator[Tensor]:
        place = due = first  # the next sample to give; where the next piece belongs if nothing is missing
        with opened(self.path) as container:
            for begin, piece in self._heard(container, first / SOUND_RATE, channels):
                if begin is None or (due != first and abs(begin - due) < _SLACK):
                    begin = due
                due = begin + piece.shape[1]
                yield from _silence(channels, min(begin, last) - place)
                place = max(place, min(begin, last))
                wanted = piece[:, max(place - begin, 0) : max(last - begin, 0)]
                if wanted.shape[1]:
                    place += wanted.shape[1]
                    yield torch.from_numpy(np.ascontiguousarray(wanted))
                if begin >= last or place >= last:
                    break
        yield from _silence(channels, last - place)

    def _heard(
        self, container: "InputContainer", start: float, channels: int
    ) -> Iterator[tuple[int | None, np.ndarray]]:
        """Decoded sound at 48 kHz, each piece with the sample at which it begins, counted from the first picture."""
        import av

        if not container.streams.audio:
            return
        stream = container.streams.audio[0]
        check_known(self.path, stream)
        if start > _EARLY:
            container.seek(int((self.origin + Fraction(start - _EARLY)) / (stream.time_base or 1)), stream=stream)
        layout = "mono" if channels == 1 else "stereo"
        tool, form = None, None
        for frame in chain(frames_of(self.path, container, stream), [None]):
            assert frame is None or isinstance(frame, av.AudioFrame)
            pieces: list[AudioFrame] = []
            if frame is None or (frame.sample_rate, frame.layout.name, frame.format.name) != form:
                pieces += [] if tool is None else tool.resample(None)
                if frame is not None:
                    check_rate(self.path, frame.sample_rate)
                    form = (frame.sample_rate, frame.layout.name, frame.format.name)
                    tool = av.AudioResampler(format="fltp", layout=layout, rate=SOUND_RATE)
            if frame is not None and tool is not None:
                pieces += tool.resample(frame)
            for part in pieces:
                at = None if part.pts is None or part.time_base is None else part.pts * part.time_base - self.origin
                yield None if at is None else round(at * SOUND_RATE), part.to_ndarray()


def _small(frame: "VideoFrame", size: tuple[int, int]) -> np.ndarray:
    """One picture as uint8 (H, W, 3), upright; made small before it is turned, for little data is moved then."""
    from av.video.reformatter import Interpolation

    turns = round(frame.rotation / 90) % 4
    width, height = size if turns % 2 == 0 else size[::-1]
    picture = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation=Interpolation.AREA)
    return np.rot90(picture, turns)


def _steady(times: np.ndarray, tick: Fraction) -> float | None:
    """Frames per second where all frames are as far apart as their clock can say; else None."""
    if len(times) < 2:
        return None
    step = (int(times[-1]) - int(times[0])) / (len(times) - 1)
    if np.abs(times - times[0] - step * np.arange(len(times))).max() > 1:
        return None
    exact = 1 / (step * tick)
    for usual in (Fraction(round(exact)), Fraction(round(exact * 1.001)) * 1000 / 1001):  # a coarse clock hides it
        if usual and abs((len(times) - 1) / (usual * tick) - int(times[-1] - times[0])) <= 1:
            return float(usual)
    near = Fraction(exact).limit_denominator(1001)  # so that 29.97 is found again as 30000/1001
    return float(near) if abs(float(near) / exact - 1) < 1e-4 else float(exact)


def _silence(channels: int, samples: int) -> Iterator[Tensor]:
    for begin in range(0, samples, SOUND_RATE):
        yield torch.zeros(channels, min(SOUND_RATE, samples - begin))
