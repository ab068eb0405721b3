"""When the pictures of a film are shown: read off all of its packets, without decoding any."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mediagen.media.checks import check_complete, check_open, check_seconds, claimed, picture_stream

if TYPE_CHECKING:
    from av.container import InputContainer


@dataclass(frozen=True)
class Timeline:
    """times: when each frame is shown, in ticks, sorted.  tick: seconds.  seconds: from the first to the last's end.

    last: when the last picture comes and how long it stays, in ticks.  packets: how many hold the pictures, up to the
    last one shown.  head: how many of them are hidden before the first that is shown.  steady: whether a copy from
    there on can be decoded; else an edit list hides what is needed first, or shows pictures in another order.
    between: numbers (from 1) of packets among the shown ones that are hidden, and key that of the one where decoding
    can begin before them.  late: ticks by which pictures are decoded after they are shown.  descriptions: of their
    codec, on the way.  heard: whether the first sound track holds anything.
    """

    times: np.ndarray
    tick: Fraction
    seconds: Fraction
    last: tuple[int, int]
    packets: int
    head: int
    steady: bool
    between: list[int]
    key: int
    late: int
    descriptions: int
    heard: bool

    @property
    def whole(self) -> bool:
        """Whether all packets from the first picture shown to the last are of pictures that are shown."""
        return self.steady and not self.between


def timeline(path: Path, container: "InputContainer", most: float) -> Timeline:
    """The times of a film's pictures; ValueError where it is empty, cut short, protected or above `most` seconds."""
    video = picture_stream(path, container)
    tick = video.time_base or Fraction(1, 90_000)
    shown: list[int] = []
    lengths: dict[int, int] = {}
    ends: dict[int, float] = {}  # of each stream, in the file's own clock
    earliest: dict[int, int] = {}  # time of decoding, where it is before 0
    packets = head = late = upto = 0
    descriptions, corrupt, steady = 1, False, True
    hidden, keys, before = [], [], None  # numbers of packets that are not shown; the last time of decoding
    for packet in container.demux():
        time = packet.dts if packet.pts is None else packet.pts
        if not packet.size or time is None:
            continue
        ours = packet.stream_index == video.index
        packets += ours
        corrupt = packet.is_corrupt  # of the last one: FFmpeg marks so what the file ends in the middle of
        # A track lasts as long as its decoding, which may end after the last picture's time: count both.
        early = earliest.setdefault(packet.stream_index, min(packet.dts or 0, 0))
        later = max(time, time if packet.dts is None else packet.dts - early)
        until = float((later + (packet.duration or 0)) * packet.time_base)
        ends[packet.stream_index] = max(until, ends.get(packet.stream_index, until))
        if not ours:
            continue
        check_open(path, packet)
        descriptions += packet.has_sidedata("new_extradata")
        if packet.dts is not None:
            late = max(late, packet.dts - time)
            steady = steady and (before is None or before <= packet.dts)
            before = packet.dts
        if packet.is_keyframe:
            keys.append(packets)
        if packet.is_discard:  # what an edit list cuts is not shown
            hidden.append(packets)
            continue
        if not shown:
            head = len(hidden)
            steady = steady and (packet.is_keyframe or not head)
        shown.append(time)
        upto = packets
        lengths[time] = packet.duration or 0
        check_seconds(path, (time - shown[0]) * float(tick), most)
    if not shown:
        raise ValueError(f"got {path.name} with no frame, expected a whole video; the file is damaged.")
    between = [number for number in hidden if head < number <= upto]
    key = max((number for number in keys if between and number < between[0]), default=1)
    times = np.unique(np.array(shown, np.int64))
    usual = int(np.median(np.diff(times))) if len(times) > 1 else round(1 / (video.average_rate or 25) / tick)
    final = int(times[-1])
    # mp4 keeps the length of the pictures beside them; its packets only say when the next one is decoded.
    end = -1 if video.duration is None else (video.start_time or 0) + video.duration
    own = lengths[final] or usual
    if "mov" in container.format.name and 0 < (video.duration or 0) - final <= own:
        end = video.duration or 0  # where an edit list begins with nothing, FFmpeg counts that in
    rounded = abs(end - final - own) * tick < Fraction(1, 1000)  # it is often written in milliseconds
    last = (final, own if end <= final or rounded else end - final)
    seconds = (sum(last) - int(times[0])) * tick
    check_seconds(path, float(seconds), most)
    check_complete(path, claimed(container), max(ends.values()))
    for stream in (video, *container.streams.audio[:1]):
        if stream.duration is not None and stream.time_base is not None:
            said = float(((stream.start_time or 0) + stream.duration) * stream.time_base)
            check_complete(path, said, ends.get(stream.index, 0.0))
    if corrupt:
        raise ValueError(f"got {path.name} that ends in the middle of a packet, expected a whole file; copy it again.")
    heard = any(stream.index in ends for stream in container.streams.audio[:1])
    return Timeline(times, tick, seconds, last, upto, head, steady, between, key, late, descriptions, heard)
