"""A new sound track for a video that exists: mixed, brought to one loudness, written beside the untouched pictures."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mediagen.grid import SOUND_RATE
from mediagen.media import loudness
from mediagen.media.footage import Footage
from mediagen.media.provenance import MADE, MIXED, mark
from mediagen.media.remux.beside import write_beside
from mediagen.media.remux.targets import check_target
from mediagen.media.tags import tag_of
from mediagen.media.write import Speaker, Tape, appearing, check_place, writing

# By ending. mkv takes FLAC, for Matroska says nowhere how much of the last AAC packet is padding.
CODECS = {".mp4": "aac", ".mov": "aac", ".webm": "libopus", ".mkv": "flac", ".wav": "pcm_s16le"}
FADE = SOUND_RATE // 50  # samples, 20 ms: from the old sound to the new one, inside the window


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
    whole or not at all. Raises ValueError for a window, a name or an ending that does not fit, too little sound, and
    pictures that the new container cannot hold (`check_target`).
    """
    target = Path(target)
    check_place(target, CODECS)
    check_target(footage, target)
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
    if footage is not None:
        check_target(footage, target)
    source = "" if not settings else MADE if footage is None or ending == ".wav" else MIXED
    tag = tag_of(dict(settings or {}), caption, samples, source=source)
    wide = (chunk.expand(channels, -1) for chunk in _exactly(chunks, samples))
    with appearing(target) as temporary:
        if footage is None or ending == ".wav":
            _write_alone(temporary, wide, channels, tag)
        else:
            write_beside(footage, temporary, CODECS[ending], wide, channels, tag)
        mark(temporary, source)
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

    with writing(path), av.open(str(path.absolute()), "w", options={"fflags": "+bitexact"}) as container:
        container.metadata["comment"] = tag  # wav knows a fixed list of names
        speaker = Speaker(container, CODECS[path.suffix.lower()], chunks, channels, SOUND_RATE)
        speaker.until(inf)
        speaker.close()
