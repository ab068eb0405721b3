"""`mediagen sound` on whole films: exact length, untouched pictures, peak memory and seconds for a second of film.

    python benchmarks/long_sound.py [--minutes 3] [--longest 10] [--candidates N] [--model FOLDER]

Draws films of the procedural world, scores each with the command line in a process of its own, and looks at what came
out: one at 23.976 frames a second, one whose frames last anything from 10 to 160 ms, and films of 10 s, 1 min and
`longest` minutes at 16 frames a second. Ends with 1 where a length or a packet is wrong or 2.5 GB were needed.
"""

import argparse
import hashlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from torch import Tensor

from mediagen.grid import SOUND_RATE
from mediagen.world.film import draw_film, film_pictures

LIMIT = 2.5e9  # bytes
TICK = Fraction(1, 24_000)
FILM = 1001 * TICK  # seconds a picture at 23.976 frames a second


def shoot(path: Path, seconds: float, size: tuple[int, int], every: Fraction | None) -> None:
    """Writes a film of the world, without sound; every: seconds from picture to picture, None for any."""
    rng, gap = np.random.default_rng(0), Fraction(1, 16) if every is None else every
    film = draw_film(99, "test", seconds=seconds, fps=float(1 / gap), aspect=size[0] / size[1])
    with av.open(str(path), "w") as container:
        stream = cast("av.VideoStream", container.add_stream("libx264", rate=1 / gap))
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base, stream.codec_context.options = TICK, {"preset": "veryfast", "crf": "20"}
        due = Fraction(0)
        shown = Fraction(0)
        for number, picture in enumerate(_pictures(film_pictures(film, size))):
            at = number * gap  # when the world shows it
            if every is None and at < due:
                continue
            frame = av.VideoFrame.from_ndarray(picture.numpy(), format="rgb24")
            shown = at if every is not None else max(due, shown + TICK)
            frame.pts, frame.time_base = round(shown / TICK), TICK
            container.mux(stream.encode(frame))
            due = shown + Fraction(int(rng.integers(240, 3840)), 24_000)
        container.mux(stream.encode(None))


def _pictures(shots: Iterator[Tensor]) -> Iterator[Tensor]:
    for shot in shots:
        yield from shot


def packets(path: Path) -> tuple[str, int]:
    """A digest of the bytes and times of every packet of the pictures, and how many there are."""
    digest, count = hashlib.sha256(), 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        tick = stream.time_base or Fraction(0)
        for packet in container.demux(stream):
            if packet.size:
                times = [None if at is None else at * tick for at in (packet.pts, packet.dts)]
                digest.update(f"{times}".encode() + bytes(packet))
                count += 1
    return digest.hexdigest(), count


def lengths(path: Path) -> tuple[Fraction, int]:
    """Seconds that the pictures of a film last, and samples of its sound, without what its last frame is padded by."""
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert video.duration is not None and video.time_base is not None
        assert sound.duration is not None and sound.time_base is not None
        return video.duration * video.time_base, round(sound.duration * sound.time_base * SOUND_RATE)


def score(film: Path, out: Path, options: list[str]) -> tuple[float, int]:
    """Runs the command line; seconds it took, and the most bytes that its process held."""
    began = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", "mediagen.sdk.cli", "sound", str(film), "-o", str(out), *options],
                          stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"mediagen sound ended with {process.returncode} for {film.name}")
    return time.monotonic() - began, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> int:
    """Prints a line for each film; the exit code says whether all held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--longest", type=float, default=10.0)
    parser.add_argument("--candidates", type=int)
    parser.add_argument("--model")
    asked = parser.parse_args()
    options = ["--seed", "1"]
    for name in ("candidates", "model"):
        if (value := getattr(asked, name)) is not None:
            options += [f"--{name}", str(value)]
    films = [
        ("23.976 fps, 640x360", 60 * asked.minutes, (640, 360), FILM),
        ("variable rate, 320x240", 60 * asked.minutes, (320, 240), None),
        *((f"{seconds:g} s, 64x64", seconds, (64, 64), Fraction(1, 16)) for seconds in (10, 60, 60 * asked.longest)),
    ]
    bad, context = 0, multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        for name, seconds, size, every in films:
            film, out = Path(folder, "film.mp4"), Path(folder, "out.mp4")
            drawing = context.Process(target=shoot, args=(film, seconds, size, every))
            drawing.start()  # apart: what this process once held would count as its children's
            drawing.join()
            took, memory = score(film, out, options)
            pictures, samples = lengths(out)
            same, exact = packets(film) == packets(out), samples == round(pictures * SOUND_RATE)
            bad += not (same and exact and memory < LIMIT)
            print(  # noqa: T201
                f"{name}: {float(pictures):.3f} s of pictures, {samples} samples ({'exact' if exact else 'WRONG'}), "
                f"{packets(out)[1]} packets {'identical' if same else 'CHANGED'}, {memory / 2**20:.0f} MiB, "
                f"{took / float(pictures):.2f} s for a second",
                flush=True,
            )
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
