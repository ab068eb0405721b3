"""Soundtracks through the service: any film gets new sound, its pictures stay bit for bit, its job tells the truth."""

import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from films import VARIABLE, shoot
from service_toy import ToyEngine, ask, error, finished, make, serving, wait

from mediagen.media.footage import Footage
from mediagen.sdk import Engine, RemoteEngine, RequestError

ROUTE = "/v1/audio/soundtracks"


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    engine = ToyEngine()
    with serving(engine, tmp_path_factory.mktemp("service")) as (url, service):
        yield url, engine, service


def send(url: str, film: bytes | None = None, **fields: Any) -> tuple[int, dict[str, str], bytes]:
    """The answer to a form with a film."""
    parts = [f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{it}\r\n' for key, it in fields.items()]
    body = "".join(parts).encode()
    if film is not None:
        body += b'--x\r\nContent-Disposition: form-data; name="video"; filename="a"\r\n\r\n' + film + b"\r\n"
    return ask(url, "POST", ROUTE, body + b"--x--\r\n", Content_Type="multipart/form-data; boundary=x")


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as film:
        return [bytes(packet) for packet in film.demux(video=0) if packet.size]


@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_a_film_of_any_rate_and_size_keeps_its_pictures_and_gets_the_sound_of_python(toy, tmp_path, ending):
    url, engine, _ = toy
    film = shoot(tmp_path / f"own{ending}", VARIABLE, size=(90, 58), sound=1.0)
    status, _, body = send(url, film.read_bytes(), seed="5", prompt="rain", keep_audio="0.25", music="false")
    assert status == 200, body
    job = wait(url, json.loads(body)["id"], "completed", "failed")
    assert (job["status"], job["kind"], job["size"], job["seed"]) == ("completed", "soundtrack", "90x58", 5), job
    assert float(job["seconds"]) == pytest.approx(Footage(film).seconds, abs=1e-4)
    _, headers, made = ask(url, "GET", f"/v1/videos/{job['id']}/content")
    assert headers["content-type"] == ("video/mp4" if ending == ".mp4" else "video/webm")
    (tmp_path / f"made{ending}").write_bytes(made)
    assert packets(tmp_path / f"made{ending}") == packets(film)
    expected = engine.add_audio(film, "rain", seed=5, keep_audio=0.25, music=False).save(tmp_path / f"python{ending}")
    assert made == expected.read_bytes()
    for variant in ("thumbnail", "spritesheet"):
        assert (
            Image.open(io.BytesIO(ask(url, "GET", f"/v1/videos/{job['id']}/content?variant={variant}")[2])).width >= 90
        )


def test_a_finished_job_gets_a_soundtrack_by_its_id(toy):
    url, _, _ = toy
    first = finished(url, seconds="0.5")
    status, _, body = ask(url, "POST", ROUTE, {"video": {"id": first["id"]}, "music": True, "start": 0.25})
    made = wait(url, json.loads(body)["id"], "completed", "failed")
    assert (status, made["status"], made["source_video_id"], made["seconds"]) == (200, "completed", first["id"], "0.5")
    assert made["prompt"] is None and made["request"]["music"] is True
    longer = ask(url, "POST", "/v1/videos/extensions", {"video": {"id": made["id"]}, "prompt": "on", "seconds": "0.5"})
    assert wait(url, json.loads(longer[2])["id"], "completed", "failed")["seconds"] == "1"


def test_a_remote_engine_gives_soundtracks_to_files_jobs_and_clips(toy, tmp_path):
    url, engine, _ = toy
    remote, wishes = RemoteEngine(url), {"seed": 5, "keep_audio": 0.25}
    for ending in (".mp4", ".webm"):
        film = shoot(tmp_path / f"own{ending}", VARIABLE, sound=1.0)
        job = remote.add_audio(film, "rain", **wishes)
        made = job.save(tmp_path / f"made{ending}").read_bytes()
        assert made == engine.add_audio(film, "rain", **wishes).save(tmp_path / f"python{ending}").read_bytes()
        with pytest.raises(RequestError, match=f"expected one with {ending}"):
            job.save(tmp_path / ("a.webm" if ending == ".mp4" else "a.mp4"))
    clip = remote.generate("a ball", seed=1)
    scored = remote.add_audio(clip, music=True)
    assert scored.frames is clip.frames and scored.sound is not None and scored.settings["source"] == clip.settings
    first = remote.submit("a ball", seed=1)
    first.wait()
    assert remote.add_audio(first).status == "completed"
    with pytest.raises(RequestError, match="keep_audio"):
        remote.add_audio(film, keep_audio=2)


def test_wrong_wishes_and_films_are_refused_before_any_work(toy, tmp_path):
    url, _, service = toy
    film = shoot(tmp_path / "own.mp4", VARIABLE).read_bytes()
    before = len(service.store.page(None, 100, True))
    for fields, word in (
        ({"start": 99}, "lasts"),
        ({"end": 99}, "lasts"),
        ({"music_prompt": "a waltz"}, "music"),
        ({"effects": "false"}, "neither"),
        ({"keep_audio": 2}, "keep_audio"),
        ({"seconds": 3}, "unknown field"),
    ):
        answer = send(url, film, **fields)
        assert answer[0] == 400 and word in error(answer)["message"], answer
    for data in (film[: len(film) // 2], film[:40], b"", b"GIF89a" + bytes(99)):
        assert send(url, data)[0] == 400
    assert send(url, None, prompt="rain")[0] == 400
    assert len(service.store.page(None, 100, True)) == before
    owned = {path.name for path in service.store.files.iterdir()}
    known = [service.store.file(job.id, role) for job in service.store.page(None, 100, True)
             for role in ("source", "video", "thumbnail", "spritesheet")]  # fmt: skip
    assert owned == {file.name for file in known if file}


def test_it_tells_its_progress_and_stops_within_a_step(tmp_path):
    with serving(ToyEngine(0.05), tmp_path) as (url, service):
        first = wait(url, make(url, num_inference_steps=1)["id"], "completed")
        asked = {"video": {"id": first["id"]}, "num_inference_steps": 1000}
        id = json.loads(ask(url, "POST", ROUTE, asked)[2])["id"]
        end = time.monotonic() + 20
        while (seen := json.loads(ask(url, "GET", f"/v1/videos/{id}")[2]))["step"] < 20:
            assert time.monotonic() < end
        assert seen["stage"] == "Making the sound" and 10 < seen["progress"] < 90 and seen["seconds_left"] > 1
        ask(url, "POST", f"/v1/videos/{id}/cancel")
        assert wait(url, id, "cancelled")["status"] == "cancelled"
        assert service.store.file(id, "video") is None


def test_the_built_in_model_gives_a_film_the_same_soundtrack_as_in_python(tmp_path):
    film = shoot(tmp_path / "own.mp4", [500 * i for i in range(24)], size=(40, 30))
    engine = Engine.from_pretrained(device="cpu")
    with serving(engine, tmp_path / "data") as (url, _):
        status, _, body = send(url, film.read_bytes(), seed=3, num_inference_steps=2, prompt="a ball bounces")
        assert status == 200, body
        job = wait(url, json.loads(body)["id"], "completed", "failed")
        assert job["status"] == "completed", job
        made = ask(url, "GET", f"/v1/videos/{job['id']}/content")[2]
    expected = engine.add_audio(film, "a ball bounces", seed=3, num_inference_steps=2)
    assert made == expected.save(tmp_path / "python.mp4").read_bytes()
