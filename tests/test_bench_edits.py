"""The bench of edits: what it says of the film as it is, of what is kept, and of other ways."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from edit_toy import edit_folder, found_in
from torch import Tensor

from mediagen.edit.measure import FilmPair
from mediagen.judge.recogniser import Recogniser
from mediagen.sdk import Engine, RequestError
from mediagen.sdk.bench import edits
from mediagen.sdk.bench.figures import Part
from mediagen.sdk.bench.measure import measure
from mediagen.weights import save_model
from mediagen.world.edit_names import LOCAL, TASKS, WHOLE


@pytest.fixture(scope="module")
def engine(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = edit_folder(model_folder, tmp_path_factory.mktemp("bench") / "models")
    with torch.random.fork_rng(devices=[]):
        judge = Recogniser.from_preset("debug")
    shutil.rmtree(folder / "recogniser", ignore_errors=True)
    save_model(judge, judge.config, folder / "recogniser")
    told = json.loads((folder / "engine.json").read_text())
    (folder / "engine.json").write_text(json.dumps(told | {"edit_steps": 2}))
    return Engine.from_pretrained(folder)


@pytest.fixture(scope="module")
def measured(engine: Engine) -> Iterator[tuple[Part, Tensor, list[Any]]]:
    """The part and the sheet of one round of the tasks, and what was judged, where the model marks some columns."""
    judged = list[Any]()

    def success(pair: FilmPair, film: Tensor, recogniser: Recogniser) -> bool:
        judged.append((pair, film))
        return torch.equal(film, pair.after)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edits, "ALONE", 2)
        patch.setattr(edits, "success", success)
        found_in(patch, 2, 5)
        part, sheet = edits.measure_edits(engine, 5, editors={"again": engine.models.path / "edit"})
    yield part, sheet, judged


def test_every_task_is_measured_and_the_film_as_it_is_is_no_edit(measured: tuple[Part, Tensor, list[Any]]) -> None:
    part, sheet, _ = measured
    figures = part.figures
    for name in (edits.SOURCE, edits.OWN, "again", *(f"SDEdit {one}" for one in edits.STRENGTHS)):
        assert figures[f"{name} / success"].count == len(TASKS) and figures[f"{name} / success"].value == 0.0
        assert all(figures[f"{name} / {task}"].count == 1 for task in TASKS)
    assert figures[f"{edits.FRAMES} / success"].count == 2
    assert figures[f"{edits.TRUE} / success"].value == 1.0 == figures[f"{edits.TRUE} / nearer the truth"].value
    assert figures[f"{edits.SOURCE} / nearer the truth"].value == 0.0
    assert figures["task read"].count == len(TASKS) and figures["seconds"].value > 0
    assert sheet.ndim == 3 and sheet.dtype == torch.uint8


def test_what_is_kept_is_measured_outside_of_the_true_mask(measured: tuple[Part, Tensor, list[Any]]) -> None:
    figures = measured[0].figures
    assert figures[f"{edits.SOURCE} / preserved"].value == 99.0
    alone, kept = (figures[f"{edits.OWN}{name} / preserved"].value for name in ("", ", rest kept"))
    assert alone < figures[f"{edits.TRIP} / preserved"].value < 99 and kept > alone
    assert figures[f"{edits.OWN}, rest kept / found"].count == len(LOCAL)


def test_a_model_given_by_name_edits_as_the_folder_s_own(measured: tuple[Part, Tensor, list[Any]]) -> None:
    films = [film for _, film in measured[2]]
    names, count = [pair.edit.task for pair, _ in measured[2]], len(TASKS)
    first, again = 3 * count, 4 * count + len(LOCAL)  # after the film, the autoencoder, the truth; edits that are laid
    for place in range(count):
        assert names[first + place] == names[again + place] == TASKS[place]
        if TASKS[place] in WHOLE:
            own, other, film = (films[start + place].float() for start in (first, again, 0))
            assert (
                (own - other).abs().mean() < 0.5 < (own - film).abs().mean()
            )  # the former's latents were held in half


def test_sdedit_goes_the_further_the_stronger(engine: Engine, measured: tuple[Part, Tensor, list[Any]]) -> None:
    pair: FilmPair = measured[2][0][0]
    models = engine.models
    own = edits.EditModels(models.get("prompt"), models.get("edit"), models.get("tae"))
    trip = edits.through_tae(own.tae, pair.before[None])[0].float()
    way = edits.EditWay(steps=3)
    apart = [
        float((edits._sdedit(own, models.get("video"), [pair], strength, way)(0)[0].float() - trip).abs().mean())
        for strength in (0.01, 0.4, 0.9)
    ]
    assert apart[0] < 3 < apart[1] < apart[2]


def test_what_a_bench_cannot_measure_is_said(model_folder: Path, tmp_path: Path) -> None:
    folder = edit_folder(model_folder, tmp_path / "models")
    shutil.rmtree(folder / "recogniser", ignore_errors=True)
    report = measure(Engine.from_pretrained(folder), prompts=1, parts=("edits",))
    assert "recogniser" in report.parts[0].skipped
    for wrong in ("nothing", f"={folder}", "a=/nowhere"):
        with pytest.raises(RequestError, match="NAME=FOLDER"):
            edits.editors_of([wrong])
    assert edits.editors_of([f"I={folder / 'edit'}"]) == {"I": folder / "edit"}
