"""Jobs: the same face in this process and against a service, and the same bytes."""

import contextlib
import socket
import threading
import time
from typing import Any

import pytest
from PIL import Image
from service_toy import ToyEngine, serving

from mediagen.sdk import Cancelled, Engine, MediagenError, ModelError, RemoteEngine, RequestError
from mediagen.sdk.jobs import LocalJob
from mediagen.sdk.tasks.progress import Share


@pytest.fixture(scope="module")
def both(model_folder, tmp_path_factory):
    """An engine in this process, and a service of the same models."""
    engine = Engine.from_pretrained(model_folder, device="cpu")
    with serving(engine, tmp_path_factory.mktemp("service")) as (url, _):
        yield engine, RemoteEngine(url)


def test_a_job_is_alike_here_and_there(both, tmp_path):
    films = []
    for index, engine in enumerate(both):
        job = engine.submit("a red ball", seconds=0.5, seed=3, sound=False, width=32, height=32)
        films.append(job.save(tmp_path / f"{index}.mp4", timeout=60).read_bytes())
        assert (job.status, job.progress) == ("completed", 100)
        clip = job.result()
        assert clip.seconds == 0.5 and clip.settings["seed"] == 3 and clip.caption == "a red ball"
        job.cancel()
        assert job.status == "completed", "what has ended stays as it is"
    assert films[0] == films[1]
    assert both[0].limits == both[1].limits


def test_pictures_and_clips_are_taken_in_every_form(both, tmp_path):
    engine, remote = both
    Image.new("RGB", (32, 32), "red").save(tmp_path / "red.png")
    settings: dict[str, Any] = {"seconds": 0.5, "seed": 3, "sound": False}
    path = remote.submit("a ball", image=tmp_path / "red.png", **settings).save(tmp_path / "a.mp4")
    assert (
        path.read_bytes()
        == engine.generate("a ball", image=tmp_path / "red.png", **settings).save(tmp_path / "b.mp4").read_bytes()
    )
    picture = remote.submit("a ball", image=Image.open(tmp_path / "red.png"), **settings)
    assert picture.save(tmp_path / "c.mp4").read_bytes() == path.read_bytes()
    longer = [remote.extend(clip, "it falls", seconds=0.5, sound=False, seed=1) for clip in (path, picture)]
    assert longer[0].settings == longer[1].settings and longer[0].seconds == 1
    assert engine.submit("it falls", clip=path, seconds=0.5, sound=False, seed=1).result(60).seconds == 1


@pytest.mark.parametrize("which", [0, 1])
def test_what_cannot_be_made_is_refused_at_once(both, which):
    engine = both[which]
    for wrong in ({"seconds": 99}, {"stepz": 3}, {"width": 31, "height": 32}, {"seed": -1}, {"image": "nowhere.png"}):
        with pytest.raises(RequestError, match="got"):
            engine.submit("a ball", **wrong).result(60)
    with pytest.raises(RequestError, match="empty"):
        engine.submit("")


def test_jobs_of_an_engine_wait_for_each_other_and_can_be_cancelled(both, monkeypatch):
    engine, _ = both
    entered, going = threading.Event(), threading.Event()

    def run(request: Any, *, callback_on_step_end: Any, on_progress: Any) -> Any:
        entered.set()
        assert going.wait(30)
        if callback_on_step_end(engine, 0, 0.5, {}) is False:
            raise Cancelled("cancelled.")
        raise ModelError("broken")

    monkeypatch.setattr(engine, "run", run)
    jobs = [engine.submit("a ball") for _ in range(3)]
    assert entered.wait(30)
    assert [job.status for job in jobs] == ["in_progress", "queued", "queued"]
    with pytest.raises(TimeoutError, match="wait longer"):
        jobs[0].result(0.01)
    jobs[0].cancel()
    jobs[1].cancel()
    assert jobs[1].status == "cancelled"
    going.set()
    for job, error in zip(jobs, (Cancelled, Cancelled, ModelError), strict=True):
        with pytest.raises(error):
            job.result(30)
    assert [job.status for job in jobs] == ["cancelled", "cancelled", "failed"]


def test_a_remote_job_is_found_again_cancelled_and_deleted(tmp_path):
    engine = ToyEngine(0.1)
    with serving(engine, tmp_path, token="s3cret") as (url, _):
        remote = RemoteEngine(url, token="s3cret")
        job = remote.job(remote.submit("a ball", num_inference_steps=1000).id)
        with pytest.raises(TimeoutError, match="cancel it"):
            job.result(0.2)
        job.cancel()
        with pytest.raises(Cancelled):
            job.result(30)
        assert job.status == "cancelled"
        job.delete()
        with pytest.raises(RequestError, match="does not exist"):
            remote.job(job.id)
        engine.pause, engine.fail = 0, RuntimeError("secret")
        with pytest.raises(MediagenError, match="failed to make"):
            remote.generate("a ball")
        with pytest.raises(MediagenError, match="token"):
            RemoteEngine(url, token="wrong").submit("a ball")
        with pytest.raises(RequestError, match=r"\.mp4"):
            job.save(tmp_path / "a.gif")


def test_a_timeout_of_the_work_itself_is_told_as_it_is():
    def fail(**_: Any) -> Any:
        raise TimeoutError("the disk does not answer")

    job = LocalJob(Share())
    job.run(fail)
    with pytest.raises(TimeoutError, match="disk"):
        job.result()


def test_a_clip_and_a_picture_together_are_refused(tmp_path):
    with pytest.raises(RequestError, match="leave one out"):
        RemoteEngine("http://127.0.0.1:9").submit("a ball", clip=tmp_path / "a.mp4", image=tmp_path / "a.png")


def test_a_service_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

    with socket.create_server(("127.0.0.1", 0)) as server:

        def cut() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line = server.accept()[0]
                    line.recv(9999)
                    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
                    line.close()

        threading.Thread(target=cut, daemon=True).start()
        with pytest.raises(MediagenError, match="is the service running"):
            RemoteEngine(f"http://127.0.0.1:{server.getsockname()[1]}").submit("a ball")
        server.shutdown(socket.SHUT_RDWR)
    with pytest.raises(MediagenError, match="is the service running"):
        RemoteEngine("http://127.0.0.1:9").submit("a ball")
    with pytest.raises(RequestError, match="http://"):
        RemoteEngine("localhost:8000")
