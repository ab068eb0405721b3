"""How loud sound is (EBU R128), and the gain and limiter that bring it to a target. Sound here is at 48 kHz."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from math import inf, log10
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mediagen.grid import SOUND_RATE

if TYPE_CHECKING:
    from av import AudioFrame

TARGET = (
    -16.0
)  # LUFS: what AES TD1008 and podcast services ask of sound for phones and laptops; TV's -23 is too soft there
CEILING = -1.0  # dBTP: leaves lossy codecs room to overshoot (EBU R128 s2, AES TD1008)
MOST_GAIN = 24.0  # dB; what needs more is nearly silent, and would come up as noise
MOST_LIMITING = 12.0  # dB taken off the peaks; single clicks stay softer than the target rather than being crushed
_LOOKAHEAD = SOUND_RATE // 10  # samples; more than the limiter holds back
_SHORTEST = SOUND_RATE // 2  # samples; R128 measures blocks of 0.4 s
_ATTEMPTS = 6
_SILENT = -69.9  # LUFS; R128's absolute gate is at -70

Chunks = Iterable[Tensor]  # float32 (channels, S) at 48 kHz, 1 or 2 channels, S of any length


@dataclass(frozen=True)
class Loudness:
    """lufs: integrated loudness, of the channels as they are stored.  peak: true peak in dBTP.  -inf for silence."""

    lufs: float
    peak: float


@dataclass(frozen=True)
class Level:
    """What is done to sound: `gain` dB, then a limiter at `limit` dB where one is needed, then `trim` dB."""

    gain: float
    limit: float | None = None
    trim: float = 0.0

    def apply(self, chunks: Chunks) -> Iterator[Tensor]:
        """The same samples, as many, at the new level; streamed, without delay."""
        louder = (chunk * 10 ** (self.gain / 20) for chunk in chunks)
        if self.limit is None:
            return louder
        return (chunk * 10 ** (self.trim / 20) for chunk in _limited(louder, self.limit))


def measure(chunks: Chunks) -> Loudness:
    """Integrated loudness and true peak of sound by FFmpeg's `ebur128`, streamed; silence is -inf for both."""
    found: dict[str, str] = {}

    def padded() -> Iterator[Tensor]:
        count = channels = 0
        for chunk in chunks:
            channels, samples = chunk.shape
            count += samples
            yield chunk
        if count:  # the filter reports each 0.1 s: without this the last part of one would not be heard
            yield torch.zeros(channels, max(_LOOKAHEAD, _SHORTEST - count))

    for frame in _filtered(padded(), ("ebur128", "metadata=1:peak=true:framelog=quiet")):
        found = frame.metadata or found
    lufs, peak = float(found.get("lavfi.r128.I", -inf)), float(found.get("lavfi.r128.true_peak", 0))
    return Loudness(lufs if lufs > _SILENT else -inf, 20 * log10(peak) if peak > 0 else -inf)


def levelled(sound: Tensor, lufs: float = TARGET) -> Tensor:
    """Sound (channels, S) brought to a loudness, without clipping; see `level`."""
    pieces = sound.split(SOUND_RATE, dim=-1)  # FFmpeg holds what it is given at once four times over, in double
    return torch.cat(list(level(lambda: pieces, lufs).apply(pieces)), dim=-1)


def level(sound: Callable[[], Chunks], lufs: float = TARGET, *, ceiling: float = CEILING) -> Level:
    """The level that brings what `sound()` gives, up to 8 times, to `lufs` with no true peak above `ceiling` (dBTP).

    Within 0.3 LU where the limiter has to take off less than 12 dB and the sound has to be raised by less than 24 dB;
    beyond that it stays softer, and silence stays as it is. The ceiling always holds.
    Raises ValueError for a target outside -70 to -5 LUFS.
    """
    if not -70 <= lufs <= -5:
        raise ValueError(f"got a loudness of {lufs:g} LUFS, expected -70 to -5; take {TARGET:g}.")
    heard = measure(sound())
    if heard.lufs == -inf:
        return Level(min(0.0, ceiling - heard.peak) if heard.peak > -inf else 0.0)
    most = min(MOST_GAIN, ceiling + MOST_LIMITING - heard.peak)
    gain = min(lufs - heard.lufs, most)
    if heard.peak + gain <= ceiling:
        return Level(gain)
    plan, wanted = Level(gain, ceiling - 0.1), heard.lufs + gain
    before = (0.0, heard.lufs)
    for attempt in range(_ATTEMPTS):  # the limiter makes it softer, and sees samples, not the true peaks between them
        made = measure(plan.apply(sound()))
        over, short = max(0.0, made.peak - ceiling), wanted - made.lufs
        if not over and (abs(short) < 0.15 or (plan.gain >= most and short > 0)):
            break
        if attempt == _ATTEMPTS - 1:
            return replace(plan, trim=-over)
        slope = (made.lufs - before[1]) / (plan.gain - before[0]) if plan.gain != before[0] else 1.0
        before = (plan.gain, made.lufs)
        gain = min(plan.gain + short / min(max(slope, 0.25), 1.0), most)
        plan = Level(gain, ceiling - 0.1 if plan.limit is None else plan.limit - over * 1.1)
    return plan


@contextmanager
def spooled(chunks: Chunks) -> Iterator[Callable[[], Iterator[Tensor]]]:
    """Keeps sound that can be made only once in a temporary file, so that it can be had again; the memory stays small.

    11 MB a minute and channel on disk. What is handed out can be called, and read, any number of times while it lasts.
    """
    with tempfile.TemporaryFile() as file:
        channels = 1
        for chunk in chunks:
            channels = len(chunk)
            file.write(np.ascontiguousarray(chunk.detach().cpu().float().numpy().T).tobytes())

        def again() -> Iterator[Tensor]:
            place = 0
            while True:
                file.seek(place)
                data = file.read(SOUND_RATE * channels * 4)
                if not data:
                    return
                place += len(data)
                yield torch.from_numpy(np.frombuffer(data, np.float32).reshape(-1, channels).T.copy())

        yield again


def _limited(chunks: Chunks, limit: float) -> Iterator[Tensor]:
    """The same samples held below `limit` dB by FFmpeg's look-ahead limiter, its delay taken out."""
    fed = given = 0

    def counted() -> Iterator[Tensor]:
        nonlocal fed
        channels = 0
        for chunk in chunks:
            channels = len(chunk)
            fed += chunk.shape[1]
            yield chunk
        if channels:  # the filter keeps its last 5 ms to itself
            yield torch.zeros(channels, _LOOKAHEAD)

    limiter = ("alimiter", f"limit={10 ** (limit / 20):.6f}:level=0:attack=5:release=50:latency=1")
    for frame in _filtered(counted(), limiter, ("aformat", "sample_fmts=fltp")):
        piece = frame.to_ndarray()[:, : fed - given]
        given += piece.shape[1]
        if piece.shape[1]:
            yield torch.from_numpy(np.ascontiguousarray(piece))


def _filtered(chunks: Chunks, *filters: tuple[str, str]) -> Iterator["AudioFrame"]:
    """Frames that a chain of FFmpeg's filters, each a name and its arguments, makes of sound; none of no sound."""
    import av
    from av.error import BlockingIOError as NotYet
    from av.error import EOFError as Ended
    from av.filter import Graph

    sound = chain((chunk for chunk in chunks if chunk.shape[-1]), [None])
    first = next(sound)
    if first is None:
        return
    layout = "mono" if len(first) == 1 else "stereo"
    graph = Graph()
    last = graph.add_abuffer(sample_rate=SOUND_RATE, format="fltp", layout=layout, time_base=Fraction(1, SOUND_RATE))
    for name, arguments in (*filters, ("abuffersink", "")):
        last.link_to(after := graph.add(name, arguments))
        last = after
    graph.configure()
    done = 0
    for chunk in chain([first], sound):
        frame = None
        if chunk is not None:
            piece = np.ascontiguousarray(chunk.detach().cpu().float().numpy())
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, done, Fraction(1, SOUND_RATE)
            done += piece.shape[1]
        graph.push(frame)
        with suppress(NotYet, Ended):
            while True:
                made = graph.pull()
                assert isinstance(made, av.AudioFrame)
                yield made
