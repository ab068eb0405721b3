"""The command line: quick help, one sentence per error, exit codes, and no file where there is no clip."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mediagen.media import write
from mediagen.media.read import read_clip
from mediagen.sdk.cli.app import main
from mediagen.sdk.cli.output import ENDINGS
from mediagen.sdk.models.trainings import TRAININGS
from mediagen.train.loop import TrainConfig
from mediagen.weights import load_tensors

PYTHON = [sys.executable, "-m", "mediagen.sdk.cli"]


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command in this process; returns exit code and what was written to stderr."""

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["mediagen", *map(str, arguments)])
        monkeypatch.delenv("MEDIAGEN_DEBUG", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return run


def test_help_is_quick_and_brings_no_torch():
    code = (
        "import sys, time; start = time.perf_counter(); sys.argv = ['mediagen', '--help']\n"
        "from mediagen.sdk.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'av', 'numpy'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy), time.process_time())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "generate" in out and "extend" in out and "train" in out
    _, heavy, seconds = out.splitlines()[-1].split(" ", 2)
    assert heavy == "[]"
    assert float(seconds) < 1.5  # of processor time, whatever else the machine does


@pytest.mark.parametrize(("asked", "found"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_wait_without_spinning_unless_that_is_asked_for(asked, found):
    """OpenMP itself says so, as it is loaded with torch."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    command = [sys.executable, "-m", "mediagen.sdk.cli", "generate", "a ball", "--model", "nowhere"]
    done = subprocess.run(
        command, env={**environment, "OMP_DISPLAY_ENV": "true", **asked}, capture_output=True, text=True, timeout=120
    )
    assert f"OMP_WAIT_POLICY = '{found}'" in done.stderr and "'nowhere'" in done.stderr


def test_importing_the_sdk_brings_nothing_heavy():
    code = (
        "import sys, mediagen.sdk as sdk\n"
        "heavy = {'torch', 'numpy', 'transformers', 'pydantic', 'typer', 'av', 'fastapi', 'onnxruntime', 'ray'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert 'Engine' in dir(sdk) and sdk.RequestError.__name__ == 'RequestError'\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_generate_writes_the_clip_and_says_where(run, model_folder, tmp_path):
    out = tmp_path / "ball.mp4"
    code, said = run("generate", "a red ball", "--no-sound", "--seed", 3, "--model", model_folder, "-o", out)
    assert code == 0, said
    clip = read_clip(out)
    assert clip.frames is not None and len(clip.frames) == 16
    assert f"Wrote {out}: 1 s, seed 3, made in" in said


def test_from_makes_the_same_bytes_and_a_flag_changes_them(run, model_folder, tmp_path):
    first, again, other = (tmp_path / f"{name}.mp4" for name in ("first", "again", "other"))
    run("generate", "a red ball", "--no-sound", "--seconds", 1.03, "--model", model_folder, "-o", first)
    code, said = run("generate", "--from", first, "--model", model_folder, "-o", again)
    assert code == 0 and "note: 1.03 seconds became 1" in said
    assert first.read_bytes() == again.read_bytes()
    run("generate", "--from", first, "--seed", 8, "--model", model_folder, "-o", other)
    assert first.read_bytes() != other.read_bytes()


def test_extend_writes_a_longer_clip(run, model_folder, tmp_path):
    first, longer = tmp_path / "first.mp4", tmp_path / "longer.mp4"
    run("generate", "a red ball", "--no-sound", "--model", model_folder, "-o", first)
    code, said = run("extend", first, "--no-sound", "--seconds", 0.5, "--model", model_folder, "-o", longer)
    assert code == 0, said
    clip = read_clip(longer)
    assert clip.frames is not None and len(clip.frames) == 24 and clip.caption == "a red ball"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate"], "got no prompt"),
        (["generate", ""], "PROMPT: got an empty text"),
        (["generate", "a" * 10_000], "got 10000 characters"),
        (["generate", "a", "--steps", "0"], "--steps: got 0, expected a whole number from 1 to 1000"),
        (["generate", "a", "--guidance-scale", "nan"], "--guidance-scale: got nan"),
        (["generate", "a", "--guidance-scale", "-3"], "--guidance-scale: got -3"),
        (["generate", "a", "--size", "big"], "--size: got 'big', expected WIDTHxHEIGHT"),
        (["generate", "a", "--size", "33x32"], "got a size of 33x32, expected 32x32"),
        (["generate", "a", "--seconds", "60"], "got 60 seconds, expected 0.5 to 2"),
        (["generate", "a", "--fps", "30"], "got 30 fps, expected 16"),
        (["generate", "a ball", "--image", "no.png"], "no.png"),
        (["generate", "--from", "no.mp4"], "no.mp4"),
        (["extend", "no.mp4", "a ball"], "no.mp4"),
        (["train", "vidoe"], "did you mean 'video'?"),
        (["train", "tae", "--preset", "tinny"], "did you mean 'tiny'?"),
        (["train", "tae", "--set", "stepz=3"], "did you mean 'steps'?"),
        (["train", "tae", "--set", "lr=fast"], "lr: got 'fast'"),
        (["train", "tae", "--data", "no-folder"], "got the data folder 'no-folder'"),
        (["train", "tae", "--device", "toaster"], "got the device 'toaster'"),
        (["train", "tae", "--into", __file__], "which is a file, expected a model folder"),
        (["train", "tae", "--set", "fit_clips=4", "--set", "batch=8"], "got fit_clips=4 and batch=8"),
    ],
)
def test_wrong_input_is_one_sentence_and_code_2(run, model_folder, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    extra = [] if arguments[0] == "train" else ["--model", model_folder, "--out", "clip.mp4"]
    code, error = run(*arguments, *extra)
    assert code == 2
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and said in lines[0]
    assert "Traceback" not in error and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("nowhere/a.mp4", "got the output folder"),
        ("a.avi", "expected an ending of .mp4"),
        (".", "got the output"),
        ("a.wav", "without sound"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_any_work(run, tmp_path, monkeypatch, out, said):
    monkeypatch.chdir(tmp_path)
    code, error = run("generate", "a", "--no-sound", "--model", "never-opened", "-o", out)
    assert code == 2 and said in error and "Loading" not in error


def test_a_damaged_model_is_one_sentence_and_code_1(run, tmp_path):
    (tmp_path / "engine.json").write_text("{")
    code, error = run("generate", "a", "--model", tmp_path, "-o", tmp_path / "a.mp4")
    assert code == 1 and "is not valid JSON" in error and "Traceback" not in error
    code, error = run("info", "--model", tmp_path)
    assert code == 1 and "is not valid JSON" in error


def test_debugging_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("MEDIAGEN_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["mediagen", "generate", ""])
    with pytest.raises(ValueError, match="empty"):
        main()


def test_ctrl_c_ends_with_130_one_sentence_and_no_file(model_folder, tmp_path):
    command = [*PYTHON, "generate", "a ball", "--no-sound", "--steps", "1000", "--model", model_folder, "-o", "a.mp4"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a child inherits a signal that is ignored
    try:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment)
    finally:
        signal.signal(signal.SIGINT, handler)
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Making the pictures" in line:
                break
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        code = process.wait(timeout=30)
    assert code == 130
    assert "Cancelled; nothing was written." in rest and "Traceback" not in rest
    assert time.monotonic() - asked < 10
    assert list(Path(tmp_path).iterdir()) == []


def test_info_tells_sizes_limits_and_figures(monkeypatch, capsys, model_folder, tmp_path):
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    shutil.copytree(copy / "tae", copy / "sound_recogniser")  # the longest name
    monkeypatch.setattr(sys, "argv", ["mediagen", "info", "--model", str(copy)])
    (copy / "video" / "figures.json").write_text(json.dumps({"colour": 0.5}))
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr().out
    assert "32x32 pixels at 16 fps, 0.5 to 2 s" in told and "colour 0.5" in told
    from safetensors import safe_open

    with safe_open(model_folder / "tae" / "model.safetensors", "pt") as file:
        numbers = sum(file.get_tensor(name).numel() for name in file.keys())  # noqa: SIM118 (not a dict)
    lines = dict(line.split(maxsplit=1) for line in told.splitlines())
    assert all(lines[name].startswith(f"{numbers / 1e6:.2f} M parameters") for name in ("tae", "sound_recogniser"))


def test_info_knows_names_of_the_hub_without_torch(model_folder):
    code = (
        "import sys, huggingface_hub\n"
        f"huggingface_hub.snapshot_download = lambda name, **_: {{'some/one': {str(model_folder)!r}}}[name]\n"
        "sys.argv = ['mediagen', 'info', '--model', 'some/one']\n"
        "from mediagen.sdk.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "32x32 pixels at 16 fps" in told and str(model_folder) in told


def test_the_endings_checked_at_the_door_are_those_that_are_written():
    assert ENDINGS == write.ENDINGS


def test_a_training_whose_models_are_missing_says_so_and_leaves_nothing(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, error = run("train", "video", "--model", "nowhere")
    assert code == 1 and "'nowhere' without engine.json" in error and list(tmp_path.iterdir()) == []


def test_a_setting_of_the_loop_is_no_tasks_setting_too():
    loop = {field.name for field in dataclasses.fields(TrainConfig)}
    for name, training in TRAININGS.items():
        task = {field.name for field in dataclasses.fields(training.load().task_config)}
        assert loop & task <= {"batch"}, f"--set would change two things at once in {name}"


def test_train_makes_a_model_and_goes_on_where_it_was(run, tmp_path):
    common = ["--preset", "debug", "--set", "batch=2", "--set", "check=2", "--set", "save_every=1", "-o", tmp_path]
    code, said = run("train", "recogniser", "--set", "steps=1", *common)
    assert code == 0 and "The trained model is in" in said, said
    assert (tmp_path / "export" / "model.safetensors").is_file()
    code, said = run("train", "recogniser", "--set", "steps=2", "--fresh", *common)
    assert code != 0 and "Traceback" not in said
    assert run("train", "recogniser", "--set", "steps=2", *common)[0] == 0
    elsewhere = [*common[:-1], tmp_path / "second", "--set", "steps=1", "--set", "lr=0"]
    assert run("train", "recogniser", *elsewhere, "--start", tmp_path / "export")[0] == 0
    first, second = (
        load_tensors(folder / "export" / "model.safetensors") for folder in (tmp_path, tmp_path / "second")
    )
    assert all(torch.equal(first[name], second[name]) for name in first if name.endswith("weight"))
    code, said = run("train", "recogniser", *elsewhere, "-o", tmp_path / "third", "--start", tmp_path / "nowhere")
    assert code == 2 and "nowhere" in said and "Traceback" not in said
