"""Soundtrack: the pictures stay as they were, bit for bit; the sound is new, and as long as they are to the sample."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch
from films import STEADY, VARIABLE, heard, shoot

from mediagen.media.footage import Footage
from mediagen.media.loudness import TARGET, measure
from mediagen.media.read import read_clip, read_settings, read_sound
from mediagen.media.soundtrack import FADE, replace_sound, write_sound


def tone(samples: int, step: float = 0.11, loud: float = 0.1) -> torch.Tensor:
    return loud * torch.sin(step * torch.arange(samples, dtype=torch.float64)).float()[None]


def chunks(sound: torch.Tensor) -> Callable[[], Iterator[torch.Tensor]]:
    return lambda: iter(sound.split(9_600, dim=1))


def packets(path: Path) -> list[tuple[bytes, Fraction, bool]]:
    """The bytes of each packet of the pictures, and when it is shown."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        return [(bytes(p), (p.pts or 0) * p.time_base, p.is_keyframe) for p in container.demux(video) if p.size]


def lag(a: torch.Tensor, b: torch.Tensor) -> int:
    size = 2 * max(len(a), len(b))
    peak = int(torch.fft.irfft(torch.fft.rfft(a, size).conj() * torch.fft.rfft(b, size)).argmax())
    return peak if peak < size // 2 else peak - size


@pytest.mark.parametrize(
    ("name", "to", "times", "more"),
    [
        ("a.mp4", "b.mp4", STEADY, {"turned": 90}),
        ("a.mp4", "b.mov", VARIABLE, {"sound": 2.0}),
        ("a.mp4", "b.mp4", VARIABLE, {"sound": 2.0, "late": 9_600}),
        ("a.webm", "b.webm", VARIABLE, {}),
        ("a.mkv", "b.mkv", STEADY, {"sound": 1.0}),
        ("a.mov", "b.mkv", STEADY, {}),
        ("a.webm", "b.mp4", STEADY, {}),
    ],
)
def test_pictures_are_copied_and_the_sound_is_exactly_as_long(
    tmp_path: Path, name: str, to: str, times: list[int], more: dict
) -> None:
    footage = Footage(shoot(tmp_path / name, times, **more))
    new = torch.randn(1, footage.samples + 555, generator=torch.Generator().manual_seed(0)) * 0.05
    made = replace_sound(footage, tmp_path / to, chunks(new), settings={"seed": 3}, caption="a street")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, to])
    before, after = packets(footage.path), packets(made)
    assert [p[0] for p in before] == [p[0] for p in after] and [p[2] for p in before] == [p[2] for p in after]
    coarse = (
        Fraction(1, 1000) if name[2:] != to[2:] and {name[2:], to[2:]} & {"mkv", "webm"} else 0
    )  # Matroska counts milliseconds
    assert all(abs(a[1] - footage.origin - b[1]) <= coarse for a, b in zip(before, after, strict=True))
    again = Footage(made)
    assert abs(again.samples - footage.samples) <= 48 * bool(coarse) and again.size == footage.size
    assert again.origin == 0 and again.channels == 1
    sound = read_sound(made)
    assert sound.shape == (1, footage.samples) and lag(new[0], sound[0]) == 0
    assert read_settings(made) == {"seed": 3} and read_clip(made).caption == "a street"
    with av.open(str(made)) as container:  # as other programs see it
        speaker = container.streams.audio[0]
        frames = list(container.decode(speaker))
        assert frames[0].time == 0 and len(container.streams.audio) == 1
        total = sum(frame.samples for frame in frames)
        if speaker.codec_context.name == "aac":  # the edit list says where the last packet's padding begins
            assert speaker.duration == footage.samples and 0 <= total - footage.samples < 1024
        else:
            assert total == footage.samples
        if to.endswith("mp4"):
            assert made.read_bytes().index(b"moov") < made.read_bytes().index(b"mdat")


def test_a_window_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    footage = Footage(shoot(tmp_path / "a.mkv", STEADY, sound=2.5))
    old, new = heard(footage, channels=2), tone(36_000, loud=0.2)
    made = replace_sound(footage, tmp_path / "b.mkv", chunks(new), start=0.6, end=1.35)
    sound = read_sound(made)
    assert sound.shape == (2, footage.samples) == old.shape
    outside = torch.ones(footage.samples, dtype=torch.bool)
    outside[28_800:64_800] = False
    assert (sound - old)[:, outside].abs().max() <= 1 / 32_768, "FLAC keeps 16 bits"
    inside = sound[:, 28_800 + FADE : 64_800 - FADE]
    gain = (inside[0] / new[0, FADE:-FADE]).median()
    assert (inside - gain * new[:, FADE:-FADE]).abs().max() < 1e-3
    assert measure([gain * new]).lufs == pytest.approx(TARGET, abs=0.5)
    joints = sound[0, 1:] - sound[0, :-1]
    assert joints[28_790:28_810].abs().max() < 0.01 and joints[64_790:64_810].abs().max() < 0.01


def test_the_original_stays_under_the_new_one(tmp_path: Path) -> None:
    footage = Footage(shoot(tmp_path / "a.mkv", STEADY, sound=2.5))
    old, new = heard(footage, channels=2), tone(footage.samples)
    sound = read_sound(replace_sound(footage, tmp_path / "b.wav", chunks(new), keep_audio=0.3))
    assert sound.shape == (2, footage.samples)
    mix = new + 0.3 * old
    gain = (sound * mix).sum() / mix.square().sum()
    assert (sound - gain * mix).abs().max() < 2e-3
    assert measure([sound]).lufs == pytest.approx(TARGET, abs=0.5)


def test_titles_chapters_and_subtitles_stay(tmp_path: Path) -> None:
    plain = shoot(tmp_path / "plain.mkv", STEADY)
    with av.open(str(plain)) as source, av.open(str(tmp_path / "a.mkv"), "w") as container:
        copy = container.add_stream_from_template(source.streams.video[0], opaque=True)
        words = container.add_stream("ass")
        words.codec_context.extradata = b"[Script Info]\nScriptType: v4.00+\n"
        container.metadata["title"] = "farver på 紙"
        chapter = {"id": 1, "start": 0, "end": 1000, "time_base": Fraction(1, 1000), "metadata": {"title": "one"}}
        container.set_chapters([chapter])  # pyright: ignore[reportArgumentType]
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = copy
                container.mux(packet)
        line = av.Packet(b"0,0,Default,,0,0,0,,hello")
        line.stream, line.pts, line.dts, line.duration, line.time_base = words, 500, 500, 400, Fraction(1, 1000)
        container.mux(line)
    footage = Footage(tmp_path / "a.mkv")
    for name, kept in (("b.mkv", 1), ("b.mp4", 0)):
        made = replace_sound(footage, tmp_path / name, chunks(tone(footage.samples)))
        with av.open(str(made)) as container:
            assert len(container.streams.subtitles) == kept
            assert container.metadata["title"] == "farver på 紙" and len(container.chapters()) == 1
            lines = [bytes(p) for p in container.demux(container.streams.subtitles) if p.size] if kept else []
        assert not kept or b"hello" in lines[0]


def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    footage = Footage(shoot(tmp_path / "a.mp4", STEADY))
    enough = chunks(tone(footage.samples))
    older = tmp_path / "b.mp4"
    older.write_bytes(b"an older file")
    short = chunks(tone(footage.samples - 1))
    asked: list[tuple[str, Callable, dict, str]] = [
        ("b.mp4", short, {}, "of sound, expected"),
        ("b.webm", enough, {}, "with pictures in h264, which a .webm cannot hold; write a .mp4 or .mov or .mkv"),
        ("b.avi", enough, {}, "expected an ending of"),
        ("none/b.mp4", enough, {}, "expected one that exists"),
        ("b.mp4", enough, {"keep_audio": 1.5}, "got keep_audio 1.5"),
        ("b.mp4", enough, {"start": 1.0, "end": 0.5}, "got an end of 0.5 s"),
        ("b.mp4", enough, {"start": 4.0}, "got a start of 4 s"),
        ("b.mp4", enough, {"settings": {"x": object()}}, "JSON cannot hold"),
    ]
    for name, sound, more, words in asked:
        with pytest.raises(ValueError, match=words):
            replace_sound(footage, tmp_path / name, sound, **more)
    with pytest.raises(ValueError, match="for sound alone, expected a .wav".replace(".", r"\.")):
        write_sound(tmp_path / "c.mp4", enough(), 100)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "b.mp4"] and older.read_bytes() == b"an older file"


def test_sound_alone_is_written_in_a_stream_and_a_film_may_replace_itself(tmp_path: Path) -> None:
    made = write_sound(tmp_path / "sea.wav", chunks(tone(100_000))(), 99_999, settings={"seed": 1})
    assert (read_sound(made) - tone(99_999)).abs().max() <= 1 / 32_768 and read_settings(made) == {"seed": 1}
    path = shoot(tmp_path / "a.mp4", STEADY)
    before = packets(path)
    replace_sound(Footage(path), path, chunks(tone(Footage(path).samples)))
    assert [p[0] for p in packets(path)] == [p[0] for p in before] and Footage(path).has_audio
