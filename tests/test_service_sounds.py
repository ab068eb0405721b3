"""Sound without a film through the service: from a prompt, after a sound, into a gap; as in Python, byte for byte."""

import json
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import openai
import pytest
import torch
from service_toy import ToyEngine, ask, error, finished, serving, wait

from mediagen.media.clip import Clip
from mediagen.media.read import read_sound
from mediagen.sdk import Engine
from mediagen.sdk.service.intake.uploads import SOUNDS, ending

ROUTE = "/v1/audio/sounds"
CODECS = {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "libmp3lame", ".m4a": "aac"}


@pytest.fixture(scope="module")
def real(model_folder, tmp_path_factory):
    """A service of debug models."""
    engine = Engine.from_pretrained(model_folder, device="cpu")
    with serving(engine, tmp_path_factory.mktemp("sounds"), decode_mib=256) as (url, service):
        yield url, engine, service


def record(path: Path, sound: np.ndarray, rate: int) -> Path:
    """Writes int16 sound (channels, S) by the name's ending."""
    with av.open(str(path), "w", format="mp4" if path.suffix == ".m4a" else None) as file:
        layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(sound)]
        stream: Any = file.add_stream(CODECS[path.suffix], rate=rate, layout=layout)
        for at in range(0, sound.shape[1], rate):
            piece = np.ascontiguousarray(sound[:, at : at + rate].T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def tone(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    """int16 (channels, S), each channel another note."""
    times = np.arange(round(seconds * rate)) / rate
    return np.stack([np.sin(2 * np.pi * 440 * (i + 1) * times) * 9000 for i in range(channels)]).astype(np.int16)


def send(url: str, file: bytes | None = None, field: str = "sound", **fields: Any) -> tuple[int, dict[str, str], bytes]:
    """The answer to JSON, or to a form with a sound."""
    if file is None:
        return ask(url, "POST", ROUTE, fields)
    parts = [f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{it}\r\n' for key, it in fields.items()]
    parts.append(f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="a"\r\n\r\n')
    body = "".join(parts).encode() + file + b"\r\n--x--\r\n"
    return ask(url, "POST", ROUTE, body, Content_Type="multipart/form-data; boundary=x")


def made(url: str, answer: tuple[int, dict[str, str], bytes]) -> tuple[dict[str, Any], bytes]:
    """The finished job of an answer, and its file."""
    assert answer[0] == 200, answer[2]
    job = wait(url, json.loads(answer[2])["id"], "completed", "failed")
    assert job["status"] == "completed", job
    return job, ask(url, "GET", f"/v1/videos/{job['id']}/content")[2]


def test_sound_is_made_continued_and_mended_as_in_python(real, tmp_path):
    url, engine, service = real
    first, data = made(url, send(url, prompt="rain", seconds=0.5, seed=3, guidance_scale=2, lufs=-20))
    assert (first["kind"], first["seconds"], first["size"], first["object"]) == ("sound", "0.5", "0x0", "video")
    expected = engine.generate_audio("rain", 0.5, seed=3, guidance_scale=2, lufs=-20).save(tmp_path / "first.wav")
    assert data == expected.read_bytes()
    headers = ask(url, "GET", f"/v1/videos/{first['id']}/content", Range="bytes=0-3")
    assert (headers[0], headers[1]["content-type"], headers[2]) == (206, "audio/wav", b"RIFF")

    own = record(tmp_path / "own.wav", tone(0.4, 44_100, 2), 44_100)
    job, data = made(url, send(url, own.read_bytes(), prompt="waves", seconds="0.25", seed="4"))
    assert (job["kind"], job["seconds"], job["source_video_id"]) == ("extend_sound", "0.65", None)
    assert data == engine.extend_audio(own, 0.25, "waves", seed=4).save(tmp_path / "more.wav").read_bytes()

    job, data = made(url, send(url, sound={"id": first["id"]}, start=0.1, end=0.3, seed=5))
    assert (job["kind"], job["seconds"], job["source_video_id"]) == ("fill_sound", "0.5", first["id"])
    assert data == engine.fill_audio(tmp_path / "first.wav", 0.1, 0.3, seed=5).save(tmp_path / "gap.wav").read_bytes()
    assert ask(url, "DELETE", f"/v1/videos/{first['id']}")[0] == 200
    assert service.store.get(job["id"]).status == "completed"


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".m4a"])
def test_each_type_of_sound_is_known_by_its_bytes_and_goes_on(real, tmp_path, suffix):
    url, engine, _ = real
    own = record(tmp_path / f"own{suffix}", tone(0.5, 48_000), 48_000)
    assert ending(own.read_bytes()[:16]) in SOUNDS
    _, data = made(url, send(url, own.read_bytes(), seconds="0.25", seed="4", num_inference_steps="1"))
    expected = engine.extend_audio(own, 0.25, seed=4, num_inference_steps=1).save(tmp_path / "a.wav")
    assert data == expected.read_bytes() and read_sound(expected).shape[-1] > 0.7 * 48_000


def test_heads_that_are_no_mp3_are_not_taken_for_one():
    for head in (b"\xff\xd8\xff\xe0", b"\xff\xf1\x50\x80", b"\xff\xff\xff\xff", b"\xff", b""):
        assert ending(head) != ".mp3"
    assert ending(b"\xff\xfb\x90\x64") == ending(b"\xff\xf3\x90\x64") == ".mp3"


def test_the_sound_of_a_film_may_go_on_but_a_sound_is_no_film(real, tmp_path):
    url, engine, _ = real
    film = finished(url, seconds="0.5", seed=1)
    path = tmp_path / "film.mp4"
    path.write_bytes(ask(url, "GET", f"/v1/videos/{film['id']}/content")[2])
    job, data = made(url, send(url, sound={"id": film["id"]}, seconds=0.25, seed=2))
    assert data == engine.extend_audio(path, 0.25, seed=2).save(tmp_path / "a.wav").read_bytes()
    assert made(url, send(url, path.read_bytes(), seconds="0.25", seed="2"))[1] == data

    silent = finished(url, seconds="0.5", sound=False)
    answer = send(url, sound={"id": silent["id"]}, seconds=1)
    assert answer[0] == 400 and "film without sound" in error(answer)["message"]
    for route in ("/v1/videos/extensions", "/v1/audio/soundtracks"):
        answer = ask(url, "POST", route, {"prompt": "x", "video": {"id": job["id"]}})
        assert answer[0] == 400 and "expected a film" in error(answer)["message"]
    for variant in ("thumbnail", "spritesheet"):
        answer = ask(url, "GET", f"/v1/videos/{job['id']}/content?variant={variant}")
        assert answer[0] == 400 and "no pictures" in error(answer)["message"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"prompt": "rain"}, "no seconds"),
    ({"prompt": "rain", "seconds": 4000}, "at most 3600"),
    ({"prompt": "rain", "seconds": "nan"}, "seconds"),
    ({"prompt": "rain", "seconds": 1, "start": 0.1}, "start"),
    ({"prompt": "rain", "seconds": 1, "keep_audio": 0.5}, "keep_audio"),
    ({"prompt": "rain", "seconds": 1, "picture_guidance_scale": 2}, "picture_guidance_scale"),
    ({"prompt": "rain", "seconds": 1, "musik": True}, "did you mean 'music'"),
    ({"prompt": "rain", "seconds": 1, "size": "64x64"}, "unknown field 'size'"),
    ({"prompt": "rain", "seconds": 1, "video": {"id": "x"}}, "unknown field 'video'"),
    ({"seconds": 1, "effects": False}, "neither"),
    ({"sound": {"id": "video_no"}, "seconds": 1}, "does not exist"),
    ({"sound": {"id": 3}, "seconds": 1}, "got no id"),
    ({"sound": {}, "seconds": 1}, "got no id"),
    ({"sound": "", "start": 1, "end": 2}, "start"),
    ({"sound": "HELD"}, "got neither"),
    ({"sound": "HELD", "seconds": 1, "start": 0.1, "end": 0.2}, "got both"),
    ({"sound": "HELD", "start": 0.1}, "without its end"),
    ({"sound": "HELD", "end": 0.1}, "without its start"),
    ({"sound": "HELD", "start": 0.4, "end": 9}, "lasts 0.5 s"),
    ({"sound": "HELD", "start": 0.4, "end": 0.3}, "end of 0.3 s"),
    ({"sound": "HELD", "seconds": 3599.9}, "at most 3600"),
]


def test_wrong_wishes_are_refused_before_any_work(real):
    url, _, service = real
    held, _ = made(url, send(url, prompt="rain", seconds=0.5, num_inference_steps=1))
    before, files = len(service.store.page(None, 100, True)), sorted(service.store.files.iterdir())
    for fields, said in WRONG:
        asked = fields | {"sound": held["id"]} if fields.get("sound") == "HELD" else fields
        answer = send(url, **asked)
        assert answer[0] in (400, 404) and said in error(answer)["message"], (fields, answer)
    assert len(service.store.page(None, 100, True)) == before
    assert sorted(service.store.files.iterdir()) == files


def test_files_that_are_no_sound_or_unfold_into_too_much_are_refused(real, tmp_path):
    url, _, service = real
    whole = record(tmp_path / "a.wav", tone(0.5, 48_000), 48_000).read_bytes()

    def forged(at: int, kind: str, *values: int) -> bytes:
        data = bytearray(whole)
        struct.pack_into(kind, data, at, *values)
        return bytes(data)

    silence = record(tmp_path / "hours.flac", np.zeros((1, 2000 * 700), np.int16), 2000).read_bytes()
    fast = record(tmp_path / "fast.flac", np.zeros((2, 655_350 * 23), np.int16), 655_350).read_bytes()
    assert len(silence) < 120_000 and len(fast) < 2**20
    cut = tmp_path / "cut.m4a"
    cut.write_bytes(record(tmp_path / "own.m4a", tone(1, 48_000), 48_000).read_bytes()[:-4000])
    cases = {
        "12 minutes of silence in 0.1 MB": (silence, "expected at most 300 s"),
        "a rate of 800 MHz": (forged(24, "<II", 800_000_000, 1_600_000_000), "768,000 Hz"),
        "a rate of 1 Hz": (forged(24, "<II", 1, 2), "expected at most 300 s"),
        "half a minute at 655,350 Hz in stereo": (fast, "expected at most 21.9"),
        "six channels": (record(tmp_path / "b.wav", tone(0.5, 48_000, 6), 48_000).read_bytes(), "6 channels"),
        "65535 channels": (forged(22, "<H", 65_535), ""),
        "cut short": (cut.read_bytes(), ""),
        "no sound at all": (whole[:60], ""),
        "nothing": (b"", "another type"),
        "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(99), "another type"),
        "a film without sound": (
            Clip(torch.zeros(4, 32, 32, 3).byte()).save(tmp_path / "a.mp4").read_bytes(),
            "without sound",
        ),
    }
    before = sorted(service.store.files.iterdir())
    for name, (data, said) in cases.items():
        answer = send(url, data, seconds="1")
        assert answer[0] == 400 and said in error(answer)["message"], (name, answer)
        assert str(service.store.folder) not in error(answer)["message"]
    answer = send(url, whole, field="video", seconds="1")
    assert answer[0] == 400 and "in 'sound'" in error(answer)["message"]
    assert sorted(service.store.files.iterdir()) == before

    promising = forged(whole.index(b"data") + 4, "<I", 48_000 * 2 * 3600)  # an hour, in half a second of file
    assert made(url, send(url, promising, seconds="0.25"))[0]["seconds"] == "0.75", "what is there counts"


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_it_is_a_job_like_the_others(tmp_path):
    with serving(ToyEngine(0.05), tmp_path, max_job_seconds=1000) as (url, service):
        api: Any = openai.OpenAI(api_key="none", base_url=url + "/v1")
        asked = {"prompt": "sea", "seconds": "0.5", "seed": 1, "num_inference_steps": 20}
        answers = [ask(url, "POST", ROUTE, asked, Idempotency_Key="k") for _ in "ab"]
        ids = {json.loads(answer[2])["id"] for answer in answers}
        assert len(ids) == 1
        id = ids.pop()
        assert ask(url, "POST", ROUTE, {"prompt": "sea", "seconds": 1}, Idempotency_Key="k")[0] == 422
        text = ask(url, "GET", f"/v1/videos/{id}/events")[2].decode()
        assert "Making the sound" in text and "event: completed" in text and "preview" not in text
        (video,) = api.videos.list()
        assert (video.id, video.prompt, video.seconds, video.status) == (id, "sea", "0.5", "completed")
        (tmp_path / "a.wav").write_bytes(api.videos.download_content(id).content)
        assert read_sound(tmp_path / "a.wav").shape == (1, 24_000)

        running = json.loads(send(url, prompt="sea", seconds=1, num_inference_steps=1000)[2])["id"]
        seen = wait(url, running, "in_progress")
        while seen["step"] < 5:
            seen = json.loads(ask(url, "GET", f"/v1/videos/{running}")[2])
        assert seen["stage"] == "Making the sound" and seen["steps"] == 1000
        ask(url, "POST", f"/v1/videos/{running}/cancel")
        assert wait(url, running, "cancelled")["status"] == "cancelled"
        assert api.videos.delete(id).deleted and not list(service.store.files.iterdir())
        answer = send(url, prompt="sea", seconds=3600, num_inference_steps=1000, candidates=16)
        assert answer[0] == 400 and "expected at most" in error(answer)["message"]
        kinds = json.loads(ask(url, "GET", "/v1/models")[2])["data"][0]["kinds"]
        assert {"sound", "extend_sound"} <= {*kinds} and "fill_sound" not in kinds, "a toy fills no gaps"
        answer = send(url, sound={"id": id}, start=0.1, end=0.2)
        assert answer[0] == 501


def test_the_documents_tell_what_the_route_takes(real):
    api = json.loads(ask(real[0], "GET", "/openapi.json")[2])
    content = api["paths"][ROUTE]["post"]["requestBody"]["content"]
    for kind in ("multipart/form-data", "application/json"):
        schema = content[kind]["schema"]
        assert {"prompt", "seconds", "sound", "start", "end", "music", "seed"} <= set(schema["properties"])
        assert schema["required"] == []
    served = api["paths"]["/v1/videos/{id}/content"]["get"]["responses"]["200"]["content"]
    assert "audio/wav" in served
