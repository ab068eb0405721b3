"""The decoder's process: turns uploads into plain tensors, one process each.

It is started as `python -m mediagen.sdk.service.intake.decoding`.

Damaged files may crash a media library or claim any amount of memory. So each file is decoded in a process of its
own, under limits of time, and of memory and output where the system has such: forked from this one (which has imported
everything), or where nothing forks, started anew, with the next one waiting already. One line of JSON comes in on stdin
for each file, one goes out on stdout.
"""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MAX_SOUND = 300.0  # seconds of an uploaded sound, in stereo at 48 kHz: it is held, and kept, decoded
MAX_ABOUT = 2**18  # bytes of the settings that a film carries
_ONE = "--one"  # says to a process that it is there for one file
FULL = "full"  # the answer where the disk has no room
DAMAGED = "the file is damaged or needs too much memory to be read; convert it to H.264 and AAC, or to PNG, first."


def decode(order: dict[str, Any]) -> dict[str, Any]:
    """Does what `order` says with one file; what is known about it, or {"refused": sentence}."""
    source, target = Path(order["source"]), Path(order["target"])
    try:
        return {"film": rehearse, "sound": _sound}.get(order["kind"], _tensors)(order, source, target)
    except (ValueError, OSError, MemoryError) as error:
        ours = isinstance(error, ValueError) and not isinstance(error, UnicodeError)
        text = str(error) if ours else DAMAGED
        return {"refused": nameless(text, source.parent)}


def nameless(text: str, folder: Path) -> str:
    """A sentence without the names that files have in a folder of the service."""
    return re.sub(rf"({re.escape(str(folder))}/)?\b[0-9a-f]{{32}}\.\w+", "a file", text).replace(
        str(folder), "a folder"
    )


def rehearse(order: dict[str, Any], source: Path, target: Path) -> dict[str, Any]:
    """Does with a film all that a soundtrack takes, and writes it with the sound that it has."""
    from mediagen.media.footage import Footage
    from mediagen.media.remux.targets import problem
    from mediagen.media.soundtrack import write_sound

    film = Footage(source, max_seconds=order["max_seconds"])
    if lacking := problem(film, target.suffix):  # the job writes a file of the same kind: no other ending can be chosen
        raise ValueError(
            f"got a film with {lacking}, which a {target.suffix[1:]} cannot hold; convert it to H.264 in an mp4 first."
        )
    for _ in film.pictures(order["rate"], (64, 64)):
        pass
    write_sound(target, film.sound(channels=2), film.samples, channels=2, footage=film)
    return {"size": film.size, "fps": film.fps or film.packets / film.seconds, "seconds": film.seconds}


def _sound(order: dict[str, Any], source: Path, target: Path) -> dict[str, Any]:
    """Writes the sound of a file at 48 kHz, of one or two channels and at most MAX_SOUND seconds.

    A higher rate allows for less of them, as much as there is memory for. The header may lie; the limits do not.
    """
    from safetensors.torch import save_file

    from mediagen.grid import SOUND_RATE
    from mediagen.media.checks import check_known, opened
    from mediagen.media.read import read_sound

    with opened(source) as file:
        track = next(iter(file.streams.audio), None)
        check_known(source, track)
        channels, rate = (1, 1) if track is None else (track.channels or 1, track.rate or 1)
    if channels > 2:
        return {"refused": f"got sound of {channels} channels, expected 1 or 2; mix it down first."}
    room = 2 * MAX_SOUND * SOUND_RATE / (channels * rate)
    sound = read_sound(source, max_seconds=min(MAX_SOUND, room, order["max_seconds"]))
    save_file({"sound": sound.contiguous()}, target, {"about": json.dumps({"rate": SOUND_RATE})})
    return {"samples": sound.shape[-1], "channels": len(sound)}


def _tensors(order: dict[str, Any], source: Path, target: Path) -> dict[str, Any]:
    """Writes a picture, or the frames and the sound of a clip, as safetensors."""
    from safetensors.torch import save_file

    from mediagen.media.read import read_clip, read_image

    about: dict[str, Any] = {}
    if order["kind"] == "picture":
        tensors = {"frames": read_image(source, max_pixels=order["max_pixels"])}
    else:
        clip = read_clip(source, max_pixels=order["max_pixels"])
        found = {"frames": clip.frames, "sound": clip.sound}
        tensors = {name: tensor.contiguous() for name, tensor in found.items() if tensor is not None}
        about = {"fps": clip.fps, "rate": clip.rate, "caption": clip.caption, "settings": clip.settings}
    text = json.dumps(about)
    if len(text) > MAX_ABOUT:
        return {"refused": f"the file carries {len(text)} bytes of settings, expected at most {MAX_ABOUT}."}
    save_file(tensors, target, {"about": text})
    count, height, width, _ = tensors["frames"].shape
    return {"frames": count, "size": [width, height], "fps": about.get("fps"), "caption": about.get("caption")}


def _limit(order: dict[str, Any]) -> None:
    """Limits of the process from here on."""
    try:
        import resource
    except ImportError:  # Windows: the time is limited all the same
        return
    seconds = int(order["seconds"]) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (order["max_bytes"], order["max_bytes"]))
    try:  # what is mapped now is shared with the parent; the limit counts it too
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + order["memory"]
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (OSError, ValueError, AttributeError):  # not Linux: time and output are limited all the same
        pass


def _forked(order: dict[str, Any]) -> dict[str, Any]:
    """The answer of a child process to one order."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(receive)
            _limit(order)
            answer = _answer(order).encode()
            while answer:
                answer = answer[os.write(send, answer) :]
        finally:
            os._exit(0)
    os.close(send)
    parts, end = [], time.monotonic() + order["seconds"]
    try:
        while ready := select.select([receive, sys.stdin], [], [], max(0.0, end - time.monotonic()))[0]:
            if receive not in ready:  # no order comes before this one's answer: the service died
                sys.exit()
            part = os.read(receive, 1 << 16)
            if not part:
                return json.loads(b"".join(parts)) if parts else {"refused": DAMAGED}
            parts.append(part)
        return {"refused": _too_long(order)}
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(receive)


class _Started:
    """Answers orders, each by a process that is started for it and thrown away; the next one is loading meanwhile."""

    def __init__(self) -> None:
        self._next = self._start()

    def __call__(self, order: dict[str, Any]) -> dict[str, Any]:
        child, self._next = self._next, self._start()
        assert child.stdout is not None
        child.stdout.readline()  # it has imported everything, and its time begins
        try:
            said, _ = child.communicate(json.dumps(order) + "\n", timeout=order["seconds"])
        except subprocess.TimeoutExpired:
            return {"refused": _too_long(order)}
        except OSError:
            said = ""
        finally:
            child.kill()
            child.communicate()
        return json.loads(said) if said.strip() else {"refused": DAMAGED}

    def close(self) -> None:
        self._next.kill()
        self._next.communicate()

    def _start(self) -> "subprocess.Popen[str]":
        words = [sys.executable, "-m", "mediagen.sdk.service.intake.decoding", _ONE]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _one() -> None:
    """Answers one order, in a process of its own."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if line := sys.stdin.readline():
        order = json.loads(line)
        _limit(order)
        sys.stdout.write(_answer(order) + "\n")
        sys.stdout.flush()


def _answer(order: dict[str, Any]) -> str:
    try:
        return json.dumps(decode(order))
    except BaseException as error:
        full = "No space left" in str(error) or "quota" in str(error)
        return json.dumps({FULL: True} if full else {"refused": DAMAGED})


def _too_long(order: dict[str, Any]) -> str:
    return f"the file takes longer than {order['seconds']:g} s to read; cut it or make it smaller."


def main() -> None:
    """Answers orders until stdin ends, which it does when the service dies."""
    if hasattr(os, "sched_setaffinity") and hasattr(os, "sched_getaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])  # FFmpeg starts a thread for each core: memory
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which then ends this one
    forks, one = hasattr(os, "fork"), _ONE in sys.argv
    if forks or one:
        import av  # noqa: F401
        import safetensors.torch  # noqa: F401

        import mediagen.media.read
        import mediagen.media.soundtrack  # noqa: F401
    if one:
        return _one()
    answer = _forked if forks else _Started()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()
    if isinstance(answer, _Started):
        answer.close()


if __name__ == "__main__":
    main()
