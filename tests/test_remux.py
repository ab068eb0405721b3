"""A film's copy shows what the film shows, says of its pictures what the film says, or is refused before any work."""

import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch
from av.stream import Disposition
from PIL import Image
from strange import PLAIN, bars, describe, edit, film, find, grown, shown

from mediagen.media.footage import Footage
from mediagen.media.read import read_clip, read_settings, read_sound
from mediagen.media.remux.targets import check_target
from mediagen.media.soundtrack import write_sound

REORDERED = {"g": "48", "bf": "2", "sc_threshold": "0"}


def copied(source: Path, name: str) -> Path:
    footage = Footage(source)
    quiet = torch.full((1, footage.samples), 0.01)
    return write_sound(source.parent / name, [quiet], footage.samples, footage=footage)


def same_pictures(source: Path, made: Path, through: str = "") -> None:
    """Both show the same pictures, as far apart; the copy begins at 0 and its sound ends with them."""
    before, after = shown(source), shown(made)
    assert [n for _, n in before] == [n for _, n in after]
    coarse = 0.0011 if ".mkv" in (made.suffix, through) else 0.0002
    apart = [abs((a - before[0][0]) - b) for (a, _), (b, _) in zip(before, after, strict=True)]
    assert max(apart) <= coarse, apart
    assert abs(read_sound(made).shape[1] - Footage(made).samples) <= 48 * (1 + (coarse > 0.001))


@pytest.mark.parametrize(
    ("options", "edits", "scale"),
    [
        (PLAIN, [(1.0, 0.0), (1.0, 2.0)], None),  # a part in the middle was cut out
        (PLAIN, [(1.0, 0.5), (0.5, 0.0)], 90_000),  # two parts changed places
        (PLAIN, [(0.5, 1.0), (0.5, 1.0), (0.5, 1.0)], 600),  # one part three times
        (REORDERED, [(0.5, 2 / 16), (1.0, 1.5 + 2 / 16)], None),
        (PLAIN, [(0.25, -1.0), (1.0, 1.0), (0.5, 2.5)], 600),  # begins late, and has a cut
        (PLAIN, [(2.0, 1.0)], None),  # trimmed at the start
        (REORDERED, [(1.5, 2 / 16)], None),  # trimmed at the end
        (REORDERED, [(1.0, 0.5 + 2 / 16)], 600),  # trimmed at both ends
        ({**REORDERED, "bf": "3", "b-pyramid": "normal"}, [(1.3, 0.2 + 2 / 16)], 90_000),
    ],
)
@pytest.mark.parametrize("ending", ["mov", "mp4"])
def test_edit_lists_are_kept(tmp_path: Path, options: dict, edits: list, scale: int | None, ending: str) -> None:
    source = edit(film(tmp_path / "a.mov", 48, options=options, sound=3.0), *edits, scale=scale)
    made = copied(source, f"b.{ending}")
    same_pictures(source, made)
    assert made.read_bytes().index(b"moov") < made.read_bytes().index(b"mdat"), "it plays while it loads"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mov", made.name]


def test_matroska_has_no_edit_lists(tmp_path: Path) -> None:
    """What must be hidden is refused where it is needed, and left out where it is not."""
    needed = edit(film(tmp_path / "start.mov", 48), (2.0, 1.0))
    cut = edit(film(tmp_path / "middle.mp4", 48), (1.0, 0.0), (1.0, 2.0))
    for source in (needed, cut):
        with pytest.raises(ValueError, match=r"with an edit list .* a \.mkv cannot hold; write a \.mp4 or \.mov\."):
            copied(source, "b.mkv")
    keys = film(tmp_path / "keys.mov", 48, options={**PLAIN, "g": "16"})
    for source in (
        edit(keys, (2.0, 1.0)),  # begins where a new group does
        edit(film(tmp_path / "end.mp4", 48), (1.5, 0.0)),
        edit(film(tmp_path / "order.mp4", 48, options=REORDERED), (1.5, 2 / 16)),
    ):
        same_pictures(source, copied(source, f"{source.stem}.mkv"))


def test_pictures_shown_before_they_are_decoded(tmp_path: Path) -> None:
    """QuickTime shifts times so that the last pictures of a film would be decoded after they are shown."""
    for count in (5, 8):
        options = {"g": "48", "bf": "2", "sc_threshold": "0", "x264-params": "b-adapt=0:bframes=2"}
        source = film(tmp_path / f"a{count}.mov", count, options=options, tick=Fraction(1, 16))
        data = bytearray(source.read_bytes())
        offsets = find(bytes(data), "moov/trak/mdia/minf/stbl/ctts")[-1][0]
        data[offsets + 8] = 1  # of the version with numbers below 0
        entries = struct.unpack_from(">I", data, offsets + 12)[0]
        first = struct.unpack_from(">i", data, offsets + 20)[0]
        for index in range(entries):
            at = offsets + 20 + 8 * index
            struct.pack_into(">i", data, at, struct.unpack_from(">i", data, at)[0] - first)
        struct.pack_into(">i", data, find(bytes(data), "moov/trak/edts/elst")[-1][0] + 20, 0)
        source.write_bytes(data)
        assert [n for _, n in shown(source)] == list(range(count))
        for name in ("b.mov", "b.mp4", "b.mkv"):
            same_pictures(source, copied(source, name))


@pytest.mark.parametrize("shape", [(4, 3), (64, 45), (10, 11)])
@pytest.mark.parametrize("names", [("a.mp4", "b.mkv", "c.mp4"), ("a.mov", "b.mov", "c.mkv")])
def test_the_shape_of_pixels_is_the_containers(tmp_path: Path, shape: tuple[int, int], names: tuple) -> None:
    """There and back: also from Matroska."""
    first = describe(film(tmp_path / names[0]), (b"pasp", struct.pack(">II", *shape)))
    second = copied(first, names[1])
    for made in (second, copied(second, names[2])):
        with av.open(str(made)) as container:
            assert container.streams.video[0].sample_aspect_ratio == Fraction(*shape)
        same_pictures(first, made, second.suffix)
    webm = copied(film(tmp_path / "d.webm", codec="libvpx-vp9", options={}), "e.webm")
    assert len(shown(webm)) == 32


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def test_projection_eyes_light_and_dolby_vision_stay(tmp_path: Path) -> None:
    sphere = box(b"proj", box(b"prhd", bytes(16)) + box(b"equi", bytes(20)))
    source = describe(
        film(tmp_path / "a.mp4"),
        (b"st3d", b"\0\0\0\0\2"),  # side by side
        (b"sv3d", box(b"svhd", b"\0\0\0\0x\0") + sphere),
        (b"mdcv", struct.pack(">8H2I", 13250, 34500, 7500, 3000, 34000, 16000, 15635, 16450, 10_000_000, 50)),
        (b"clli", struct.pack(">HH", 1000, 400)),
        (b"colr", b"nclx" + struct.pack(">HHHB", 9, 16, 9, 0)),
        (b"dvvC", bytes([1, 0, 8 << 1, (1 << 3) | 0b101, 1 << 4]) + bytes(19)),
        (b"pasp", struct.pack(">II", 64, 45)),
    )

    def told(path: Path) -> tuple:
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            frame = next(container.decode(video))
            sides = {
                str(getattr(data, "type", data))
                for data in frame.side_data
                if "SEI" not in str(getattr(data, "type", data))
            }
            return sides, video.sample_aspect_ratio, frame.color_trc, frame.color_primaries, frame.colorspace

    assert len(told(source)[0]) >= 4
    for name in ("b.mp4", "b.mov", "b.mkv"):
        made = copied(source, name)
        assert told(made) == told(source), name
        assert b"dvvC" in made.read_bytes(), f"{name} lacks the configuration of Dolby Vision"


def test_languages_titles_and_the_choice_of_players_stay(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mkv", sound=2.0, languages=("dan", "fra"))
    for name in ("b.mkv", "b.mp4", "b.mov"):
        with av.open(str(copied(source, name))) as container:
            assert [stream.language for stream in container.streams] == ["dan", "fra"]
            assert container.streams.audio[0].disposition & Disposition.default


def test_chapters_move_with_the_pictures(tmp_path: Path) -> None:
    base = Fraction(1, 1000)
    chapters = [
        {"id": n, "start": a, "end": b, "time_base": base, "metadata": {"title": str(n)}}
        for n, (a, b) in enumerate(((0, 400), (400, 1500), (1500, 3000)))
    ]
    source = film(tmp_path / "a.mkv", [0.5 + i / 16 for i in range(40)], chapters=chapters)
    for name in ("b.mkv", "b.mp4"):
        with av.open(str(copied(source, name))) as container:
            found = [(float(c["start"] * (c["time_base"] or 0)), c["metadata"]["title"]) for c in container.chapters()]
        assert found == [(0.0, "1"), (1.0, "2")]


def two_descriptions(folder: Path) -> Path:
    """A film whose second half has another description of its codec, as cameras write and joiners leave them."""
    first, second = film(folder / "one.mp4", 8), film(folder / "two.mp4", 8, options={**PLAIN, "profile": "baseline"})
    a, b = first.read_bytes(), second.read_bytes()
    table, moov, more = "moov/trak/mdia/minf/stbl/", find(a, "moov")[0], find(b, "mdat")[0]

    def body(data: bytes, name: str) -> bytes:
        start, head, size = find(data, table + name)[-1]
        return data[start + head : start + size]

    payload = b[more[0] + more[1] : more[0] + more[2]]
    at = moov[0] + 8
    places = (
        struct.unpack(">I", body(a, "stco")[8:12])[0],
        at + struct.unpack(">I", body(b, "stco")[8:12])[0] - more[0] - more[1],
    )
    made = a[: moov[0]] + box(b"mdat", payload) + a[moov[0] :]
    for name, new in {
        "stsd": struct.pack(">II", 0, 2) + body(a, "stsd")[8:] + body(b, "stsd")[8:],
        "stts": struct.pack(">III", 0, 1, 16) + body(a, "stts")[12:16],
        "stsz": struct.pack(">III", 0, 0, 16) + body(a, "stsz")[12:] + body(b, "stsz")[12:],
        "stss": struct.pack(">IIII", 0, 2, 1, 9),
        "stsc": struct.pack(">II6I", 0, 2, 1, 8, 1, 2, 8, 2),
        "stco": struct.pack(">IIII", 0, 2, *places),
    }.items():
        around = find(made, table + name)
        start, head, size = around[-1]
        made = grown(made, start + head, size - head, new, around)
    path = folder / "joined.mp4"
    path.write_bytes(made)
    return edit(path, (1.0, 0.0))


def test_several_descriptions_of_the_pictures_are_kept_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = two_descriptions(tmp_path)
    assert [n for _, n in shown(source)] == [*range(8), *range(8)]
    for name in ("b.mp4", "b.mov"):
        same_pictures(source, copied(source, name))
    with pytest.raises(ValueError, match=r"2 descriptions of their codec.* cannot hold; write a \.mp4 or \.mov\."):
        check_target(Footage(source), Path("b.mkv"))
    vp9 = Footage(film(tmp_path / "c.mp4", 8, codec="libvpx-vp9", options={}))  # of which FFmpeg writes one description
    monkeypatch.setattr(vp9, "timeline", replace(vp9.timeline, descriptions=2))
    with pytest.raises(ValueError, match="2 descriptions of their codec"):
        check_target(vp9, Path("b.mp4"))


def test_advice_names_endings_that_work(tmp_path: Path) -> None:
    prores = film(tmp_path / "a.mov", 8, codec="prores_ks", options={}, pixels="yuv422p10le")
    with pytest.raises(ValueError, match=r"pictures in prores, which a \.mp4 cannot hold; write a \.mov or \.mkv\."):
        copied(prores, "b.mp4")
    assert len(shown(copied(prores, "b.mkv"))) == len(shown(copied(prores, "b.mov"))) == 8
    frames = [Image.fromarray(bars(i)) for i in range(8)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(ValueError, match=r"pictures in gif, which a \.mkv cannot hold; write a \.mov\."):
        copied(tmp_path / "a.gif", "b.mkv")
    assert len(shown(copied(tmp_path / "a.gif", "b.mov"))) == 8


@pytest.mark.parametrize("title", [b"Caf\xe9 XXXX", b"\x82\xb1\x82\xf1 XXXX", b"XXXX\xff\xfe XX"])
def test_titles_in_other_encodings_are_read_and_kept(tmp_path: Path, title: bytes) -> None:
    source = film(tmp_path / "a.mp4", sound=2.0, title="T" * len(title))
    source.write_bytes(source.read_bytes().replace(b"T" * len(title), title))
    assert read_clip(source).frames is not None and read_sound(source).shape[1] and read_settings(source) == {}
    for name in ("b.mp4", "b.mkv"):
        assert title in copied(source, name).read_bytes(), "its bytes are those of the film"


def test_protected_films_are_refused_as_protected(tmp_path: Path) -> None:
    key = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb"}
    key["encryption_kid"] = "a7e61c373e219033c21091fa607bf3b8"
    for name, sound in (("a.mp4", 0.0), ("b.mp4", 2.0)):
        path = film(tmp_path / name, writing=key, sound=sound)
        for read in (Footage, read_clip, *([read_sound] if sound else [])):
            with pytest.raises(ValueError, match=f"got {name}, which is protected"):
                read(path)


@pytest.mark.parametrize("name", ["12:30.mp4", "file:x.mkv", "a b%03d.mp4", "concat:x.mov", "ä" * 125 + ".mp4"])
def test_names_are_names(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    film(Path("a.mp4"), 8)
    made = write_sound(name, [torch.zeros(1, 24_000)], 24_000, footage=Footage("a.mp4"))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["a.mp4", name]) and len(shown(made.absolute())) == 8
    with pytest.raises(ValueError, match="got a name of 258 bytes, expected at most 255"):
        read_clip("a.mp4").save("ä" * 127 + ".mp4")


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
def test_other_texts_in_other_encodings_are_kept(tmp_path: Path, name: str) -> None:
    """Of chapters and of streams."""
    chapter = {"id": 1, "start": 0, "end": 900, "time_base": Fraction(1, 1000), "metadata": {"title": "CHAPTER"}}
    source = film(tmp_path / "a.mkv", sound=2.0, chapters=[chapter])
    source.write_bytes(source.read_bytes().replace(b"CHAPTER", b"Chapt\xe9r"))
    made = copied(source, name)
    assert b"Chapt\xe9r" in made.read_bytes() and read_clip(source).frames is not None


def test_times_of_a_coarse_clock(tmp_path: Path) -> None:
    """Matroska counts milliseconds: at 1,000 and more pictures a second two have one time of decoding."""
    source = film(tmp_path / "a.mkv", [i / 3000 for i in range(30)], options={"g": "30", "bf": "0"})
    with av.open(str(source)) as container:
        decoded = [p.dts for p in container.demux(video=0) if p.size]
    assert len(set(decoded)) < len(decoded)
    for name in ("b.mkv", "b.mp4"):
        with av.open(str(copied(source, name))) as container:
            assert sum(1 for p in container.demux(video=0) if p.size) == 30
