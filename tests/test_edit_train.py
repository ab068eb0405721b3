"""The training of editing: stages through the one loop, each on its own data, the last with true clips as targets."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from edit_toy import toy_edit, toy_tae, toy_text

from mediagen.data.cache import LatentCache
from mediagen.edit.tasks import TaskReader, TaskReaderConfig, TaskReading, TaskReadingConfig
from mediagen.edit.train import EditTask, EditTaskConfig
from mediagen.flow import noise_like, velocity
from mediagen.media.clip import to_float
from mediagen.train.loop import train
from mediagen.train.task import TrainConfig
from mediagen.weights import load_model
from mediagen.world.edit_names import TASKS

SMALL: dict[str, Any] = {"size": (32, 32), "seconds": 1.0, "fps": 8.0, "pairs": 6, "batch": 3, "back_steps": 2}
ONLY: dict[str, Any] = {"frames": 0.0, "animated": 0.0, "marks": 0.0, "clips": 0.0, "back": 0.0}


def task(folder: Path, **changes: Any) -> EditTask:
    return EditTask(toy_edit(), toy_tae(), toy_text(), EditTaskConfig(**{**SMALL, **changes}), folder)


def test_each_kind_of_batch(tmp_path: Path) -> None:
    for name in ("frames", "animated", "marks", "clips"):
        made = task(tmp_path, **{**ONLY, name: 1.0, "drop": 0.0, "past": 0.0})
        batch = made.batch(3, 0, 1)
        assert batch.latent.shape == batch.beside.shape and not batch.clean.any()
        assert torch.equal(batch.latent, made.batch(3, 0, 1).latent)
        assert not torch.equal(batch.latent, made.batch(4, 0, 1).latent)
        firsts = {made.batch(step, 0, 1).first for step in range(30)}
        if name == "frames":  # one token that lasts two latent frames, anywhere in time
            assert batch.latent.shape[2] == 2 and torch.equal(batch.latent[:, :, 0], batch.latent[:, :, 1])
            assert firsts == {0, 1, 2, 3}
        else:
            assert batch.latent.shape[2] == 2 and firsts == {0}
        if name == "clips":
            black = made.tae.encode(to_float(torch.zeros(1, 8, 32, 32, 3, dtype=torch.uint8)))
            assert torch.allclose(batch.beside, black.expand_as(batch.beside), atol=2e-2) and (batch.task == -1).all()
        elif name == "marks":
            assert (batch.task == TASKS.index("mark")).all()
        loss, _ = made.loss(made.model, batch, torch.Generator().manual_seed(0))
        assert loss.isfinite() and loss > 0


def test_other_processes_draw_the_same_pairs(tmp_path: Path) -> None:
    for name in ("frames", "clips"):
        made = [task(tmp_path / str(n), **{**ONLY, name: 1.0, "processes": n, "first": 4}).pools[name] for n in (0, 2)]
        assert made[0].captions == made[1].captions
        assert all(torch.equal(value, made[1].tensors[key]) for key, value in made[0].tensors.items())


def test_frames_are_drawn_five_times_as_often_as_clips_and_dropped_texts_lose_their_task(tmp_path: Path) -> None:
    made = task(tmp_path, drop=0.5)
    kinds = [
        (batch.beside - made.black[:, :, :2]).abs().sum() < 1e-3 for batch in (made.batch(s, 0, 1) for s in range(120))
    ]
    assert 0.08 < sum(map(float, kinds)) / len(kinds) < 0.27
    drops = torch.cat([made.batch(step, 0, 1).task for step in range(60)])
    assert 0.4 < (drops == -1).float().mean() < 0.75


def test_half_of_the_dropped_texts_lose_their_film(tmp_path: Path) -> None:
    made = task(tmp_path, **{**ONLY, "frames": 1.0, "drop": 0.6})
    black = dropped = 0
    for step in range(60):
        batch = made.batch(step, 0, 1)
        lost = (batch.beside - made.black).abs().flatten(1).amax(1) < 1e-3
        assert not (lost & (batch.task != -1)).any()
        black, dropped = black + int(lost.sum()), dropped + int((batch.task == -1).sum())
    assert 0.35 < black / dropped < 0.65


def test_the_latents_before_and_after_are_those_of_the_pair(tmp_path: Path) -> None:
    made = task(tmp_path, **{**ONLY, "marks": 1.0})
    pool = LatentCache(tmp_path / "marks")
    pair = made._stream("marks").pair(2)
    assert pair.before is not None
    for name, film in (("before", pair.before), ("after", pair.after)):
        assert torch.allclose(pool.tensors[name][2].float(), made.tae.encode(to_float(film[None]))[0], atol=2e-2)
    assert pool.captions[2].split("\n") == list(pair.texts)


def test_backtranslation_has_true_clips_as_targets_and_noise_on_what_stands_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="none worked"):
        monkeypatch.setattr("mediagen.edit.back.worked", lambda *_: False)
        task(tmp_path / "none", **{**ONLY, "back": 1.0})
    monkeypatch.setattr("mediagen.edit.back.worked", lambda source, made, judge: source.back_task != 0)
    made = task(tmp_path / "some", **{**ONLY, "back": 1.0, "past": 0.0})
    pool = LatentCache(tmp_path / "some" / "back")
    from mediagen.edit.back import world_source

    for number in range(6):
        source = world_source(number, "train", (32, 32), 1.0, 8.0)
        true = made.tae.encode(to_float(source.clip[None]))[0]
        assert torch.allclose(pool.tensors["after"][number].float(), true, atol=2e-2)
        assert not torch.allclose(pool.tensors["before"][number].float(), true, atol=0.3)
        assert pool.captions[number].split("\n") == list(source.backward)
        assert bool(pool.tensors["kept"][number]) == (source.back_task != 0)
    batch = made.batch(0, 0, 1)
    quiet = task(tmp_path / "some", **{**ONLY, "back": 1.0, "past": 0.0, "noise": 0.0}).batch(0, 0, 1)
    assert torch.equal(batch.latent, quiet.latent)
    assert 0.2 < float((batch.beside - quiet.beside).std()) < 0.4


def test_stages_go_through_the_loop_and_learn(tmp_path: Path) -> None:
    torch.manual_seed(0)
    made = task(tmp_path / "cache", **{**ONLY, "frames": 5.0, "clips": 1.0})
    train(made, TrainConfig(steps=3, batch=3, log_every=1, preview_every=3), tmp_path / "run")
    assert list((tmp_path / "run" / "previews").glob("*.png"))
    fixed, losses = made.batch(0, 0, 1), []
    tuned = torch.optim.Adam(made.model.parameters(), 3e-3)
    for _ in range(40):
        loss, _ = made.loss(made.model, fixed, torch.Generator().manual_seed(1))
        tuned.zero_grad()
        loss.backward()
        tuned.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]


def test_a_model_that_cannot_read_a_film_is_refused(tmp_path: Path) -> None:
    from edit_toy import BASE, seeded

    from mediagen.edit.model import EditModel

    with pytest.raises(ValueError, match="beside_channels and tasks"):
        model = seeded(lambda: EditModel(BASE))
        EditTask(model, toy_tae(), toy_text(), EditTaskConfig(**SMALL), tmp_path)
    with pytest.raises(ValueError, match="expected none below 0"):
        EditTaskConfig(**ONLY)


def test_the_reader_of_tasks_learns_what_instructions_ask(tmp_path: Path) -> None:
    text = toy_text()
    torch.manual_seed(0)
    reading = TaskReading(
        TaskReader(TaskReaderConfig(text_widths=text.widths, width=32)), text, TaskReadingConfig(batch=48, check=48)
    )
    before = reading.preview(reading.model.eval(), tmp_path, 0)["right"]
    out = train(reading, TrainConfig(steps=60, batch=48, lr=5e-3, warmup=5, ema=0.9, preview_every=0), tmp_path / "run")
    reader = load_model(TaskReader, out)
    words, tasks = reading.batch(0, 0, 1)
    assert (reader(words).argmax(1) == tasks).float().mean() > 0.5
    assert reading.preview(reader, tmp_path, 1)["right"] > max(0.3, before)
    names = reader.task_of(words)
    assert names == [TASKS[index] for index in reader(words).argmax(1).tolist()]
    assert (tmp_path / "misread.txt").exists()


def test_the_loss_counts_more_where_a_film_and_its_edit_differ(tmp_path: Path) -> None:
    plain, focused = (
        task(tmp_path / name, **{**ONLY, "marks": 1.0, "drop": 0.0, "past": 0.0, "focus": focus})
        for name, focus in (("plain", 0.0), ("focused", 9.0))
    )
    batch = plain.batch(1, 0, 1)
    same = dataclasses.replace(batch, beside=batch.latent.clone())
    differs = dataclasses.replace(batch, beside=batch.latent.clone())
    differs.beside[:, :, :, :1] += 1.0  # one row of cells
    for changed, alike in ((same, True), (differs, False)):
        a, b = (made.loss(plain.model, changed, torch.Generator().manual_seed(0))[0] for made in (plain, focused))
        assert torch.allclose(a, b) is alike

    def exact(x: torch.Tensor, t: torch.Tensor, prepared: Any) -> torch.Tensor:  # wrong in that row alone, by 1
        wrong = torch.zeros_like(x)
        wrong[:, :, :, :1] = 1.0
        return velocity(batch.latent, noise_like(batch.latent, torch.Generator().manual_seed(0))) + wrong

    for made, most in ((plain, 1.0), (focused, 10.0)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(made.model, "forward", exact)
            patch.setattr("mediagen.edit.train.draw_t", lambda count, *_: torch.full((count,), 0.5))
            rows = differs.latent.shape[3]
            loss, _ = made.loss(made.model, differs, torch.Generator().manual_seed(0))
            assert float(loss) == pytest.approx(most / (rows - 1 + most), rel=1e-4)
