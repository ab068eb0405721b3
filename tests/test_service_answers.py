"""What the service answers: typed, of one status where asked, in true words, under the names that it goes by."""

import json

import pytest
from service_toy import ToyEngine, ask, error, finished, make, serving, wait


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    engine = ToyEngine()
    with serving(engine, tmp_path_factory.mktemp("service")) as (url, service):
        yield url, engine, service


def test_jobs_of_one_status_are_listed_and_what_is_not_known_in_a_query_is_said(toy):
    url, engine, _ = toy
    done = finished(url)["id"]
    engine.fail = RuntimeError("x")
    failed = finished(url)["id"]
    engine.fail = None
    for status, has, lacks in (("failed", failed, done), ("completed", done, failed)):
        page = json.loads(ask(url, "GET", f"/v1/videos?status={status}&limit=100")[2])
        ids = [job["id"] for job in page["data"]]
        assert has in ids and lacks not in ids and {job["status"] for job in page["data"]} == {status}
    assert json.loads(ask(url, "GET", "/v1/videos?status=cancelled&limit=1")[2])["has_more"] is False
    for path, name in (
        ("/v1/videos?status=done", "status"),
        ("/v1/videos?statu=failed", "statu"),
        (f"/v1/videos/{done}?after=x", "after"),
        (f"/v1/videos/{done}/content?varriant=thumbnail", "varriant"),
        ("/v1/models?x", "x"),
    ):
        answer = ask(url, "GET", path)
        assert answer[0] == 400 and error(answer)["param"] == name, path
    assert "did you mean 'status'" in error(ask(url, "GET", "/v1/videos?statu=failed"))["message"]
    assert error(ask(url, "POST", "/v1/videos?seed=3", {"prompt": "x"}))["param"] == "seed"


def test_other_names_and_sizes_are_taken_where_the_server_says_so(tmp_path):
    hosted = {"model": "sora-2", "size": "1280x720", "seconds": "8"}
    with serving(ToyEngine(), tmp_path / "a", aliases=["sora-2"]) as (url, _):
        assert error(ask(url, "POST", "/v1/videos", {"prompt": "x", **hosted}))["message"].startswith("got a size")
        job = make(url, model="sora-2")
        assert (job["model"], job["notes"]) == ("mediagen", ["The model 'sora-2' is 'mediagen' here."])
        assert wait(url, job["id"], "completed")["notes"] == job["notes"], "said to the end"
        assert error(ask(url, "POST", "/v1/videos", {"prompt": "x", "model": "sora-3"}))["code"] == "model_not_found"
    with serving(ToyEngine(), tmp_path / "b", aliases=["sora-2"], adapt=True, keep_days=1.0) as (url, _):
        job = make(url, **hosted)
        assert (job["size"], job["seconds"], job["expires_at"]) == ("32x32", "2", None)
        told = " ".join(job["notes"])
        assert "1280x720 became 32x32" in told and "8 seconds became 2" in told
        done = wait(url, job["id"], "completed")
        assert done["expires_at"] == pytest.approx(done["completed_at"] + 86_400, abs=1)
        assert make(url, size="32x32", seconds="0.5")["notes"] == [], "what fits is not touched"
        assert error(ask(url, "POST", "/v1/videos", {"prompt": "x", "seconds": "nan"}))["param"] == "seconds"


def test_answers_are_typed_and_are_what_the_types_say(toy):
    url, _, _ = toy
    api = json.loads(ask(url, "GET", "/openapi.json")[2])
    schemas = api["components"]["schemas"]
    for method, path in (("post", "/v1/videos"), ("get", "/v1/videos/{id}"), ("post", "/v1/videos/{id}/cancel")):
        answer = api["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer == {"$ref": "#/components/schemas/Video"}
    fields = schemas["Video"]["properties"]
    assert {*finished(url)} == {*fields} and fields["status"]["enum"][2] == "completed"
    assert schemas["Videos"]["properties"]["data"]["items"] == {"$ref": "#/components/schemas/Video"}


def test_a_job_that_ended_otherwise_is_not_to_be_waited_for(tmp_path):
    with serving(ToyEngine(0.05), tmp_path) as (url, _):
        id = make(url, num_inference_steps=1000)["id"]
        assert "wait until" in error(ask(url, "GET", f"/v1/videos/{id}/content"))["message"]
        ask(url, "POST", f"/v1/videos/{id}/cancel")
        wait(url, id, "cancelled")
        said = error(ask(url, "GET", f"/v1/videos/{id}/content"))["message"]
        assert "make it again" in said and "wait" not in said
