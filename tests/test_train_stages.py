"""Stages run and resumed as one, settings that stay, seeds that decide: what `mediagen train` promises of a folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from train_toy import Duel, Net, Toy, exported, settings

from mediagen.parallel.ranks import Ranks
from mediagen.sdk.cli.app import main
from mediagen.sdk.models.costs import parameters, stage_seconds
from mediagen.sdk.models.plan import course, plan, planned, settings_of
from mediagen.sdk.models.trainings import TRAININGS, Place
from mediagen.train.loop import train
from mediagen.train.stages import Planned, Stage, run_stages
from mediagen.weights import load_model, load_tensors, start_from

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mediagen train`; returns exit code and what was written to stderr."""

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["mediagen", "train", *map(str, arguments)])
        monkeypatch.delenv("MEDIAGEN_DEBUG", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return run


def sets(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


RECOGNISER = ["recogniser", "--preset", "debug", *sets("batch=2", "check=2", "steps=1")]
SIZES = "latent_channels=4 width=32 depth=1 heads=2 hidden=32 text_widths=[32] size=[32,32] seconds=1"
VIDEO = sets(*SIZES.split(), "clips=4", "batch=2", "steps=2", "longest=[4,4,4]")


def test_the_seed_decides_every_byte_and_touches_no_other_randomness(run: Run, tmp_path: Path) -> None:
    for before, (name, seed) in enumerate((("a", 5), ("b", 5), ("c", 6))):
        torch.manual_seed(before)  # as processes differ that begin anew
        expected = torch.rand(2)[1]
        torch.manual_seed(before)
        torch.rand(1)
        assert run(*RECOGNISER, "--set", f"seed={seed}", "--set", "lr=0", "-o", tmp_path / name)[0] == 0
        assert torch.equal(torch.rand(1)[0], expected), "a training moved the global random state"
    assert exported(tmp_path / "a") == exported(tmp_path / "b") != exported(tmp_path / "c")


def test_a_folder_s_run_keeps_its_settings_unless_a_change_is_allowed(run: Run, tmp_path: Path) -> None:
    out = ["-o", tmp_path / "run"]
    assert run(*RECOGNISER, *out)[0] == 0
    before = exported(tmp_path / "run")
    code, said = run(*RECOGNISER, "--set", "lr=0.5", "--set", "noise=0.3", *out)
    assert code == 1 and "lr=0.5 (there 0.003)" in said and "--allow lr,noise" in said
    code, said = run(*RECOGNISER, "--preset", "tiny", *out)  # another model, of which the weights would tell as well
    assert code == 1 and "--allow" in said and "Training" not in said
    assert exported(tmp_path / "run") == before
    assert run(*RECOGNISER, "--set", "log_every=7", *out)[0] == 0 and exported(tmp_path / "run") == before
    assert run(*RECOGNISER, *sets("steps=2", "lr=0.5", "noise=0.3"), "--allow", "lr,noise", *out)[0] == 0
    assert exported(tmp_path / "run") != before
    code, said = run(*RECOGNISER, "--set", "steps=3", *out)
    assert code == 1 and "lr=0.003 (there 0.5)" in said


def test_in_python_too_a_change_is_refused_or_named(tmp_path: Path) -> None:
    train(Toy(), settings(), tmp_path)
    with pytest.raises(ValueError, match=r"lr=0\.5 \(there 0\.02\).*--allow lr"):
        train(Toy(), settings(lr=0.5, steps=20), tmp_path)
    train(Toy(), settings(lr=0.5, steps=20), tmp_path, allow=["lr"])
    assert json.loads((tmp_path / "settings.json").read_text())["loop"]["lr"] == 0.5


def toy(name: str, folder: Path, trained: list[str], fail: bool = False, **changes: Any) -> Planned:
    """A stage of the toy training; trained: gets the name of each stage that really trains."""
    own = {key: changes.pop(key) for key in ("start", "average") if key in changes}
    config = settings(steps=6, preview_every=0, **changes)

    def make(where: Path, start: Path | None) -> Toy:
        assert where == folder / name
        if fail:
            raise KeyboardInterrupt
        trained.append(name)
        task = Toy()
        if start is not None:
            start_from(task.model, start)
        return task

    return Planned(Stage(name=name, **own), config, {"loop": config.to_dict()}, Net, make)


def test_stages_go_on_from_each_other_and_resume_as_one(tmp_path: Path) -> None:
    ranks, trained = Ranks(torch.device("cpu")), list[str]()

    def stages(folder: Path, fail: str = "", **changes: Any) -> list[Planned]:
        names = {"base": {}, "one": {"lr": 0.01}, "two": {"lr": 0.03, "start": "base", **changes}}
        made = [toy(name, folder, trained, fail == name, **told) for name, told in names.items()]
        return [*made, toy("mean", folder, trained, average=("one", "two"))]

    with pytest.raises(KeyboardInterrupt):
        run_stages(stages(tmp_path / "cut", fail="two"), tmp_path / "cut", ranks)
    assert trained == ["base", "one"]
    run_stages(stages(tmp_path / "cut"), tmp_path / "cut", ranks)
    assert trained == ["base", "one", "two"]
    run_stages(stages(tmp_path / "cut"), tmp_path / "cut", ranks)
    assert trained == ["base", "one", "two"], "nothing was left to train"
    whole = run_stages(stages(tmp_path / "whole"), tmp_path / "whole", ranks)
    assert whole == tmp_path / "whole" / "export" and exported(tmp_path / "whole") == exported(tmp_path / "cut")

    one, two, mean = (load_tensors(tmp_path / "cut" / name / "export" / "model.safetensors")
                      for name in ("one", "two", "mean"))  # fmt: skip
    for name, value in mean.items():
        assert torch.allclose(value.float(), (one[name].float() + two[name].float()) / 2, atol=1e-3)
    alone = toy("two", tmp_path / "alone", trained, lr=0.03)
    run_stages([alone], tmp_path / "alone", ranks, start=tmp_path / "cut" / "base" / "export")
    assert exported(tmp_path / "alone") == (tmp_path / "cut" / "two" / "export" / "model.safetensors").read_bytes()

    with pytest.raises(ValueError, match=r"lr=0\.04 \(there 0\.03\)"):
        run_stages(stages(tmp_path / "cut", lr=0.04), tmp_path / "cut", ranks)
    with pytest.raises(ValueError, match="earlier run in"):
        run_stages(stages(tmp_path / "cut"), tmp_path / "cut", ranks, resume=False)
    train(Toy(), settings(), tmp_path / "flat")
    with pytest.raises(ValueError, match="no stages"):
        run_stages(stages(tmp_path / "flat"), tmp_path / "flat", ranks)
    with pytest.raises(ValueError, match="stage 'base'"):
        run_stages(stages(tmp_path / "new")[2:], tmp_path / "new", ranks)


def test_a_stage_whose_start_was_trained_on_is_not_mixed(tmp_path: Path) -> None:
    ranks, trained = Ranks(torch.device("cpu")), list[str]()
    run_stages([toy("a", tmp_path, trained), toy("b", tmp_path, trained)], tmp_path, ranks)
    longer = toy("a", tmp_path, trained)
    longer = Planned(longer.stage, longer.config.replace(steps=9), longer.settings, longer.model, longer.make)
    longer.settings["loop"]["steps"] = 9
    with pytest.raises(ValueError, match=r"other weights to begin with than the run in .*b began with"):
        run_stages([longer, toy("b", tmp_path, trained)], tmp_path, ranks)
    assert trained == ["a", "b", "a"]


def test_the_video_model_goes_through_the_report_s_stages_by_one_command(
    run: Run, tmp_path: Path, model_folder: Path
) -> None:
    small = ["large.size=[64,64]", "tuned.size=[64,64]", "tuned-2.size=[64,64]", "large.longest=[4,8,8]"]
    grown = ["tuned.longest=[4,8,8]", "tuned-2.longest=[4,8,8]", "average.longest=[4,8,8]"]
    names = "pictures,clips,large,tuned,tuned-2,average"
    command = ["video", *VIDEO, *sets(*small, *grown), "--stages", names, "--model", model_folder, "-o", tmp_path]
    code, said = run(*command)
    assert code == 0, said
    assert [name for name in names.split(",") if f"Training video, stage {name}\n" in said] == names.split(",")[:-1]
    assert said.count("step 2 of 2, loss ") == 5, "without a terminal a line now and then says how it goes"
    config = json.loads((tmp_path / "export" / "config.json").read_text())
    assert config["longest"] == [4, 8, 8]
    tuned = [exported(tmp_path / name) for name in ("tuned", "tuned-2", "average")]
    assert len({*tuned}) == 3 and tuned[2] == exported(tmp_path)
    assert json.loads((tmp_path / "pictures" / "settings.json").read_text())["task"]["images"] == 1.0
    code, said = run(*command)
    assert code == 0 and "Training" not in said and said.count("is finished: nothing was trained") == 6
    assert exported(tmp_path) == tuned[2]
    alone = ["video", *VIDEO, *sets("lr=0"), "--stages", "again", "--model", model_folder, "-o", tmp_path]
    assert run(*alone)[0] == 0  # it was left out above; what it goes on from is there
    first, second = (load_tensors(tmp_path / name / "export" / "model.safetensors") for name in ("clips", "again"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert run("video", *VIDEO, "--stages", "larg", "--model", model_folder, "-o", tmp_path)[0] == 2


def test_every_stage_of_the_table_can_be_planned_and_stands_on_one_before_it() -> None:
    place = Place("cpu", Path("runs"), None)
    for training in TRAININGS.values():
        stages = list(training.stages())
        names = [stage.name for stage in stages]
        assert {*training.course} <= {*names} and len({*names}) == len(names)
        for index, stage in enumerate(stages):
            assert {*stage.average, *filter(None, [stage.start])} <= {*names[:index]}
        assert len(planned(training, None, stages, {}, place)) == len(stages)
    video = TRAININGS["video"]
    both = course(video, [])
    assert [stage.name for stage in both] == ["clips", "again"] and course(TRAININGS["prompt"], []) == [Stage()]
    told = [settings_of(stage, both, {"lr": 1.0, "again.lr": 2.0}) for stage in both]
    assert [one["lr"] for one in told] == [1.0, 2.0] and told[1]["past"] == 0.2


def test_a_plan_leaves_the_global_random_state_and_builds_equal_models(tmp_path: Path) -> None:
    place, (state, models) = Place("cpu", tmp_path, None), (torch.get_rng_state(), [])
    for seed in (3, 3, 4):
        models.append(plan(TRAININGS["codec"], "debug", {"seed": seed, "pool": 1}).make(place).model.state_dict())
    assert torch.equal(state, torch.get_rng_state())
    same = [all(torch.equal(models[0][name], other[name]) for name in other) for other in models]
    assert same == [True, True, False]


@pytest.mark.parametrize(("precision", "kind"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_the_precision_that_is_asked_for_is_the_one_of_the_products(
    tmp_path: Path, precision: str, kind: torch.dtype
) -> None:
    seen: set[torch.dtype] = set()
    task = Duel()
    for module in (task.model.first, task.critic):
        module.register_forward_hook(lambda module, given, made: seen.add(made.dtype))
    train(task, settings(precision=precision), tmp_path)
    assert seen == {kind}
    assert {value.dtype for value in task.model.parameters()} == {torch.float32}


def test_what_the_critic_learns_does_not_move_the_model(tmp_path: Path) -> None:
    class Careless(Duel):
        """Its critic's loss lets gradients into the model, where they must not stay."""

        def critic_loss(self, critic: Any, batch: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
            return (critic(self.model(batch)[:, None]) - critic(batch.sum(1, keepdim=True))).mean()

    train(Duel(), settings(), tmp_path / "careful")
    train(Careless(), settings(), tmp_path / "careless")
    assert exported(tmp_path / "careful") == exported(tmp_path / "careless")
    start, made = Duel().model, load_model(Net, tmp_path / "careful" / "export")
    assert (start.first.weight - made.first.weight).abs().max() > 0.01


def test_the_list_names_presets_with_parameters_memory_and_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mediagen.sdk.models.costs.products_per_second", lambda: 1e11)
    for name, training in TRAININGS.items():
        monkeypatch.setattr("sys.argv", ["mediagen", "train", name, "--list"])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().out
        assert not ended.value.code and training.work > 0
        assert all(f"\n{preset} " in said for preset in training.load().presets), said
        assert all(f"\n  {stage.name} " in said for stage in training.stages())
    model = plan(TRAININGS["recogniser"], "debug", {}).ingredients.model
    count = sum(p.numel() for p in model(plan(TRAININGS["recogniser"], "debug", {}).model).parameters())
    assert parameters(plan(TRAININGS["recogniser"], "debug", {})) == count
    clips, large = (stage for stage in TRAININGS["video"].stages() if stage.name in ("clips", "large"))
    once, twice = (stage_seconds(TRAININGS["video"], "tiny", clips, rate) for rate in (2e11, 1e11))
    assert twice == 2 * once == pytest.approx(5200 * TRAININGS["video"].work * 1e9 / 1e11)
    steps = ((clips, 5200), (large, 4000))
    a_step = [stage_seconds(TRAININGS["video"], "tiny", one, 1e11) / count for one, count in steps]
    assert a_step[1] == pytest.approx(2 * a_step[0])  # four times the picture, half of the batch
    bigger = stage_seconds(TRAININGS["video"], "small", clips, 1e11)
    assert bigger > 1.5 * twice
