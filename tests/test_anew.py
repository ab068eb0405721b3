"""New pictures for a film: at its size and times, without loss where asked, its sound copied packet for packet."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from mediagen.media.footage import Footage
from mediagen.media.remux.anew import check_anew, own_pictures, write_anew
from mediagen.media.tags import tag_of

TAG_TEXT = tag_of({"task": "edit"}, "a film", 0)


def film(
    path: Path, size: tuple[int, int] = (48, 36), sounds: int = 1, codec: str = "libx264", rate: int = 44_100
) -> Path:
    """Twelve pictures at times that vary, and sound tracks."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(codec, rate=30)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        name = "libopus" if path.suffix == ".webm" else "aac"
        speakers = [
            container.add_stream(name, rate=48_000 if name == "libopus" else rate, layout="mono") for _ in range(sounds)
        ]
        for index, time in enumerate([0, 30, 70, 100, 170, 200, 240, 300, 330, 390, 420, 480]):
            picture = np.full((size[1], size[0], 3), 20 * index, np.uint8)
            picture[: size[1] // 2] = rng.integers(0, 255, 3)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for number, speaker in enumerate(speakers):
            for start in range(0, 24_000, 960):
                wave = 0.3 * np.sin(np.arange(start, start + 960)[None] / (20 + 9 * number)).astype(np.float32)
                sound = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                sound.sample_rate, sound.pts, sound.time_base = speaker.rate, start, Fraction(1, speaker.rate)
                container.mux(speaker.encode(sound))
            container.mux(speaker.encode(None))
    return path


def packets(path: Path) -> list[list[bytes]]:
    with av.open(str(path)) as container:
        found: dict[int, list[bytes]] = {stream.index: [] for stream in container.streams.audio}
        for packet in container.demux(list(container.streams.audio)):
            if packet.size:
                found[packet.stream_index].append(bytes(packet))
    return list(found.values())


@pytest.mark.parametrize(
    ("source", "target"), [("a.mp4", "b.mp4"), ("a.webm", "b.webm"), ("a.mp4", "b.mkv"), ("a.webm", "b.mkv")]
)
def test_times_and_sound_are_those_of_the_film(tmp_path: Path, source: str, target: str) -> None:
    codec = "libvpx-vp9" if source.endswith("webm") else "libx264"
    path = film(tmp_path / source, sounds=2, codec=codec)
    footage = Footage(path)
    pieces = [255 - piece for piece in own_pictures(footage, batch=5)]
    made = write_anew(footage, tmp_path / target, pieces, TAG_TEXT)
    again = Footage(made)
    was, now = ((f.timeline.times - f.timeline.times[0]) * float(f.timeline.tick) for f in (footage, again))
    slack = 0.025 if target.endswith("mkv") else 2e-3  # whose clock counts milliseconds, from where the sound begins
    assert np.abs(was - now).max() < 1e-3 and abs(again.seconds - footage.seconds) < slack
    assert again.size == footage.size and packets(made) == packets(path) and len(packets(made)) == 2
    apart = torch.cat(list(own_pictures(again))).float() - torch.cat(pieces).float()
    assert apart.abs().mean() < 6
    before, after = (torch.cat(list(f.sound()), -1)[0] for f in (footage, again))
    most = 48 if target.endswith("mkv") else 0  # whose clock counts milliseconds
    length = min(len(before), len(after)) - 2 * most
    apart = [float((before[most:][:length] - after[shift:][:length]).abs().max()) for shift in range(2 * most + 1)]
    assert min(apart) < 2e-2


def test_without_loss_every_pixel_comes_back(tmp_path: Path) -> None:
    footage = Footage(film(tmp_path / "a.webm", (37, 29), codec="libvpx-vp9"))
    noise = torch.randint(0, 256, (12, 29, 37, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    made = write_anew(footage, tmp_path / "b.mkv", noise.split(4), TAG_TEXT, lossless=True)
    assert torch.equal(torch.cat(list(own_pictures(Footage(made)))), noise)
    twice = write_anew(footage, tmp_path / "c.mkv", noise.split(12), TAG_TEXT, lossless=True)
    assert made.read_bytes() == twice.read_bytes()
    silent = write_anew(footage, tmp_path / "d.mkv", noise.split(12), TAG_TEXT, sound=False)
    assert not Footage(silent).has_audio


def test_what_does_not_fit_is_refused_before_any_work(tmp_path: Path) -> None:
    odd = Footage(film(tmp_path / "a.webm", (37, 29), codec="libvpx-vp9"))
    with pytest.raises(ValueError, match="even sizes"):
        check_anew(odd, tmp_path / "b.mp4")
    with pytest.raises(ValueError, match=r"expected a \.mkv"):
        check_anew(odd, tmp_path / "b.webm", lossless=True)
    even = Footage(film(tmp_path / "a.mp4"))
    with pytest.raises(ValueError, match="sound in aac"):
        check_anew(even, tmp_path / "b.webm")
    check_anew(even, tmp_path / "b.webm", sound=False)
    pictures = torch.zeros(13, 36, 48, 3, dtype=torch.uint8)
    for count in (11, 13):
        with pytest.raises(ValueError, match="pictures, expected"):
            write_anew(even, tmp_path / "b.mp4", [pictures[:count]], TAG_TEXT)
    assert not (tmp_path / "b.mp4").exists()
