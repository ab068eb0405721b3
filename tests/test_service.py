"""The service as the OpenAI client sees it: the client of the current release against a server on a free port."""

import io
import shutil
import time
from pathlib import Path
from typing import Any

import openai
import pytest
from PIL import Image
from service_toy import ToyEngine, serving

from mediagen.sdk import Engine
from mediagen.sdk.models import catalog

# The client marks its video methods: the hosted models behind them are to be shut down.
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    engine = ToyEngine()
    with serving(engine, tmp_path_factory.mktemp("service")) as (url, service):
        yield client(url), engine, service


def client(url: str, token: str = "none", **settings: Any) -> Any:
    return openai.OpenAI(api_key=token, base_url=url + "/v1", **settings)


def done(api: Any, **asked: Any) -> Any:
    """A finished video; whatever the client does not know goes into its extra fields."""
    known = {key: asked.pop(key) for key in ("prompt", "seconds", "size", "model", "input_reference") if key in asked}
    return api.videos.create_and_poll(**{"prompt": "a ball", **known}, extra_body=asked, poll_interval_ms=20)


def saved(clip: Any, folder: Path) -> bytes:
    return clip.save(folder / "expected.mp4").read_bytes()


def png(size: tuple[int, int] = (40, 40), colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def test_the_client_does_all_of_it_with_the_built_in_models(tmp_path):
    asked: dict[str, Any] = {"seed": 3, "num_inference_steps": 2}
    engine = Engine.from_pretrained(device="cpu")
    with serving(engine, tmp_path / "data") as (url, _):
        api = client(url)
        video = done(api, prompt="a red ball bounces", seconds="0.5", size="64x64", **asked)
        assert (video.status, video.progress, video.seconds, video.size) == ("completed", 100, "0.5", "64x64")
        film = api.videos.download_content(video.id).content
        drawn = done(api, input_reference=("red.png", png()), seconds="0.5", **asked)
        extended = api.videos.extend(
            prompt="it falls", seconds="0.5", video=openai.omit, extra_body={"video": {"id": video.id}, **asked}
        )
        assert api.videos.poll(extended.id, poll_interval_ms=20).status == "completed"
        longer = api.videos.download_content(extended.id).content
        assert [one.id for one in api.videos.list(limit=1)] == [extended.id, drawn.id, video.id]
        edited = [api.videos.edit(prompt="let it snow", video=film), api.videos.remix(video.id, prompt="make it night")]
        assert [api.videos.poll(one.id, poll_interval_ms=20).status for one in edited] == ["completed"] * 2
        assert edited[1].remixed_from_video_id == video.id
        with pytest.raises(openai.InternalServerError, match="has no model") as caught:
            api.videos.create_character(name="Ada", video=film)
        assert caught.value.status_code == 501 and caught.value.code == "model_not_available"
        for one in (video, drawn, extended, *edited):
            assert api.videos.delete(one.id).deleted
        assert list(api.videos.list()) == []
    assert film == saved(engine.generate("a red ball bounces", seconds=0.5, width=64, height=64, **asked), tmp_path)
    (tmp_path / "first.mp4").write_bytes(film)
    assert longer == saved(engine.extend(tmp_path / "first.mp4", "it falls", 0.5, **asked), tmp_path)


def test_a_video_has_what_the_client_knows(toy):
    api, _, service = toy
    before = time.time()
    video = api.videos.create(prompt="a ball", seconds="1", model=service.model)
    assert type(video).__name__ == "Video" and video.object == "video" and video.status in ("queued", "in_progress")
    assert (video.prompt, video.seconds, video.size, video.model) == ("a ball", "1", "32x32", "mediagen")
    assert before - 1 <= video.created_at <= time.time() + 1 and video.error is None
    video = api.videos.poll(video.id, poll_interval_ms=20)
    assert video.status == "completed" and video.completed_at >= video.created_at
    assert [model.id for model in api.models.list()] == ["mediagen"]
    assert api.models.retrieve("mediagen").owned_by == "mediagen"


def test_a_seed_is_drawn_at_creation_and_told(toy, tmp_path):
    api, engine, _ = toy
    video = done(api)
    expected = saved(engine.generate("a ball", seed=video.seed), tmp_path)
    assert api.videos.download_content(video.id).content == expected


def test_jobs_side_by_side_make_what_they_make_alone(tmp_path):
    with serving(ToyEngine(0.01), tmp_path / "data", workers=4) as (url, _):
        api = client(url)
        ids = [api.videos.create(prompt="a ball", extra_body={"seed": seed}).id for seed in range(8)]
        for seed, id in enumerate(ids):
            assert api.videos.poll(id, poll_interval_ms=20).status == "completed"
            assert api.videos.download_content(id).content == saved(ToyEngine().generate("a ball", seed=seed), tmp_path)


def test_the_pictures_of_a_video(toy):
    api, _, _ = toy
    video = done(api)
    for variant, kind, size in (("thumbnail", "WEBP", (32, 32)), ("spritesheet", "JPEG", (134, 66))):
        answer = api.videos.download_content(video.id, variant=variant)
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert (picture.format, picture.size) == (kind, size)
    with pytest.raises(openai.BadRequestError, match="variant"):
        api.videos.download_content(video.id, variant="secret")


def test_a_picture_begins_the_clip_as_it_does_in_python(model_folder, tmp_path):
    engine = Engine.from_pretrained(model_folder, device="cpu")
    (tmp_path / "red.png").write_bytes(png())
    with serving(engine, tmp_path / "data") as (url, _):
        api = client(url)
        video = done(api, seed=1, sound=False, seconds="0.5", input_reference=tmp_path / "red.png")
        film = api.videos.download_content(video.id).content
        expected = engine.generate("a ball", seed=1, sound=False, seconds=0.5, image=tmp_path / "red.png")
        assert film == saved(expected, tmp_path)

        longer = api.videos.extend(
            prompt="it falls", seconds="0.5", video=("a.mp4", film), extra_body={"seed": 2, "sound": False}
        )
        assert longer.seconds == "1"
        assert api.videos.poll(longer.id, poll_interval_ms=20).status == "completed"
        (tmp_path / "first.mp4").write_bytes(film)
        expected = engine.extend(tmp_path / "first.mp4", "it falls", 0.5, seed=2, sound=False)
        assert api.videos.download_content(longer.id).content == saved(expected, tmp_path)


def test_a_video_of_the_service_is_extended_by_its_id_even_when_it_is_deleted(tmp_path):
    with serving(ToyEngine(0.02), tmp_path) as (url, _):
        api = client(url)
        first = done(api, seconds="1")
        holder = api.videos.create(prompt="before it in the queue")
        longer = api.videos.extend(
            prompt="on", seconds="0.5", video=openai.omit, extra_body={"video": {"id": first.id}}
        )
        assert api.videos.delete(first.id).deleted
        assert (longer.seconds, longer.source_video_id) == ("1.5", first.id)
        assert api.videos.poll(longer.id, poll_interval_ms=20).status == "completed"
        assert api.videos.poll(holder.id, poll_interval_ms=20).status == "completed"


def test_pages(tmp_path):
    with serving(ToyEngine(), tmp_path) as (url, _):
        api = client(url)
        assert list(api.videos.list()) == []
        ids = [api.videos.create(prompt=f"ball {index}").id for index in range(5)]
        assert [video.id for video in api.videos.list(limit=2)] == ids[::-1], "the client goes on by itself"
        first = api.videos.list(limit=2, order="asc")
        assert [video.id for video in first.data] == ids[:2] and first.has_more and first.last_id == ids[1]
        last = api.videos.list(limit=2, order="asc", after=ids[2])
        assert [video.id for video in last.data] == ids[3:] and not last.has_more
        with pytest.raises(openai.NotFoundError):
            api.videos.list(after="video_nothing")
        with pytest.raises(openai.BadRequestError, match="limit"):
            api.videos.list(limit=0)


def test_delete_removes_the_job_and_its_files(tmp_path):
    with serving(ToyEngine(), tmp_path) as (url, service):
        api = client(url)
        video = done(api, input_reference=("a.png", png()))
        assert len(list(service.store.files.iterdir())) == 4
        gone = api.videos.delete(video.id)
        assert (gone.id, gone.object, gone.deleted) == (video.id, "video.deleted", True)
        assert not list(service.store.files.iterdir())
        for call in (api.videos.retrieve, api.videos.delete, api.videos.download_content):
            with pytest.raises(openai.NotFoundError, match="does not exist"):
                call(video.id)


def test_what_failed_says_why_without_insides(tmp_path):
    engine = ToyEngine()
    with serving(engine, tmp_path) as (url, _):
        api = client(url)
        engine.fail = RuntimeError(f"secret {tmp_path}")
        video = done(api)
        assert video.status == "failed" and video.error.code == "server_error"
        assert "secret" not in video.error.message and str(tmp_path) not in video.error.message
        with pytest.raises(openai.BadRequestError, match="failed"):
            api.videos.download_content(video.id)
        for error, code in ((MemoryError(), "out_of_memory"), (OSError(28, "full"), "storage_full")):
            engine.fail = error
            assert done(api).error.code == code
        engine.fail = None
        assert done(api).status == "completed", "the next one works"


def test_models_that_are_not_installed_are_501_until_they_are(model_folder, tmp_path, monkeypatch):
    class Editor(Engine):
        def edit(self, clip: Any, prompt: str, **settings: Any) -> Any:  # type: ignore[override]
            return self.extend(clip, prompt, 0.5, sound=False, **settings)

    folder = shutil.copytree(model_folder, tmp_path / "models")
    with serving(Editor.from_pretrained(folder, device="cpu"), tmp_path / "data") as (url, _):
        api = client(url)
        film = done(api, sound=False, seconds="0.5")
        (folder / "audio").rename(folder / "gone")
        with pytest.raises(openai.BadRequestError, match="lacks audio"):
            done(api, sound=True)
        assert done(api, seconds="0.5").status == "completed", "where nothing is said, clips are silent then"
        (folder / "gone").rename(folder / "audio")
        calls = {
            "edit": lambda: api.videos.edit(prompt="make it blue", video=b"x"),
            "remix": lambda: api.videos.remix(film.id, prompt="make it blue"),
            "create_character": lambda: api.videos.create_character(name="Ada", video=b"x"),
            "get_character": lambda: api.videos.get_character("char_1"),
        }
        for call in calls.values():
            with pytest.raises(openai.InternalServerError, match="has no model") as caught:
                call()
            assert caught.value.status_code == 501 and caught.value.code == "model_not_available"

        family = catalog.Family("edit", "edits", catalog.FAMILIES["video"].load)
        monkeypatch.setitem(catalog.FAMILIES, "edit", family)
        with pytest.raises(openai.InternalServerError):
            calls["remix"]()
        shutil.copytree(folder / "video", folder / "edit")  # from here on it is installed
        video = calls["remix"]()
        assert video.remixed_from_video_id == film.id
        assert api.videos.poll(video.id, poll_interval_ms=20).status == "completed"
        assert "edit" in next(iter(api.models.list())).kinds
