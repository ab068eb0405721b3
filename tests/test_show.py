"""What a person sees of clips and jobs: one line, a film in a notebook, figures of the judges, errors of one family."""

import base64
import io
import re
import sys
import threading
import types
from pathlib import Path
from typing import Any

import av
import pytest
import torch
from strange import bars

from mediagen.media import write
from mediagen.media.clip import Clip, Film
from mediagen.sdk import Engine, MediagenError, NotYet, OutputError, RequestError
from mediagen.sdk.jobs import LocalJob
from mediagen.sdk.tasks.progress import Share


def film(width: int = 16, frames: int = 8) -> Film:
    pictures = torch.stack([torch.from_numpy(bars(index, (width, 16))) for index in range(frames)])
    return Film(pictures, 8.0, torch.zeros(1, 48_000), 48_000, "a red ball")


def test_a_clip_is_one_line() -> None:
    assert repr(film()) == "<Film of 1 s: 8 frames of 16x16 at 8 fps, 1 x 48000 samples at 48000 Hz, 'a red ball'>"
    assert repr(Clip(None, sound=torch.zeros(2, 100), rate=100)) == "<Clip of 1 s: 2 x 100 samples at 100 Hz>"
    long = repr(Film(film().frames, 8.0, caption="x" * 500))
    assert "\n" not in long and len(long) < 200 and "no sound" in long


@pytest.mark.parametrize(
    ("clip", "kind"),
    [(film(), "video/mp4"), (film(17), "video/webm"), (Clip(None, sound=torch.zeros(1, 4_800)), "audio/wav")],
)
def test_a_notebook_plays_a_clip(clip: Clip, kind: str) -> None:
    shown = clip._repr_mimebundle_()
    assert shown["text/plain"] == repr(clip)
    found = re.search(r'src="data:([\w/]+);base64,([^"]+)"', shown["text/html"])
    assert found is not None and found[1] == kind
    with av.open(io.BytesIO(base64.b64decode(found[2])), "r") as container:
        assert sum(1 for _ in container.decode(0)) >= 1
    assert "<code>&lt;Clip of 0 s" in Clip(None)._repr_mimebundle_()["text/html"]


def test_a_notebook_shows_a_jobs_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    class Display:
        def update(self, job: Any) -> None:
            shown.append(job._repr_mimebundle_()["text/html"])

    core, display = types.ModuleType("IPython.core.getipython"), types.ModuleType("IPython.display")
    core.get_ipython = lambda: object()  # type: ignore[attr-defined]
    display.display = lambda job, display_id: Display()  # type: ignore[attr-defined]
    for name, module in {
        "IPython": types.ModuleType("IPython"),
        "IPython.core": types.ModuleType("IPython.core"),
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, core.__name__, core)
    monkeypatch.setitem(sys.modules, display.__name__, display)
    job: LocalJob[Film] = LocalJob(Share())
    assert repr(job) == f"<LocalJob {job.id}: queued, 0 %>"
    threading.Timer(0.5, job.run, [lambda **_: film()]).start()
    assert isinstance(job.watch(), Film)
    assert "queued, 0 %" in shown[0] and "completed, 100 %" in shown[-1] and 'value="100"' in shown[-1]


def test_every_error_is_mediagens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.xyz", "none/a.mp4", "x" * 300 + ".mp4"):
        with pytest.raises(RequestError, match=r"^got "):
            film().save(tmp_path / name)
    with pytest.raises(RequestError, match="expected even sizes"):
        film(17).save(tmp_path / "a.mp4")
    with pytest.raises(RequestError, match="expected uint8"):
        Clip(torch.zeros(3, 3))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "write_stream", full)
    with pytest.raises(OutputError, match="No space left") as caught:
        film().save(tmp_path / "a.mp4")
    assert isinstance(caught.value, MediagenError) and isinstance(caught.value, OSError) and caught.value.errno == 28
    with pytest.raises(NotYet) as late:
        LocalJob(Share()).result(0.01)
    assert isinstance(late.value, MediagenError) and isinstance(late.value, TimeoutError)


def test_the_judges_tell_a_clip_from_another() -> None:
    from mediagen.data.world import WorldStream
    from mediagen.judge.recogniser import ATTRIBUTES

    engine = Engine.from_pretrained(device="cpu")
    clip = WorldStream("validation").clips(0, 1, sound=True)[0]
    figures = engine.score(clip)
    assert {"colour", "kind", "sound and words", "sound and pictures", "music"} <= figures.keys()
    assert all(-1 <= value <= 1 for value in figures.values())
    colour = next(word for word in ATTRIBUTES["colour"] if re.search(rf"\b{word}\b", clip.caption))
    other = next(word for word in ATTRIBUTES["colour"] if word != colour)
    wrong = engine.score(clip, clip.caption.replace(colour, other))
    assert figures["colour"] > 0.5 > wrong["colour"], (clip.caption, figures, wrong)
    with pytest.raises(RequestError, match="got no prompt to judge by"):
        engine.score(Clip(clip.frames))
