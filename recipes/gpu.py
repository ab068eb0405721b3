"""The stages of recipes/gpu.sh: draw, train by the clock, pack, judge."""

import argparse
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from gpu_stages import GPU, STAGES, TOY, Scale, Settings

from mediagen.config import parse_settings
from mediagen.data.batch import pictures_of
from mediagen.data.world import WorldStream
from mediagen.media.clip import to_float
from mediagen.parcel import pack, unpack_all
from mediagen.sdk.models.folder import ModelFolder, device_of
from mediagen.sdk.models.plan import plan
from mediagen.sdk.models.trainings import TRAININGS, Place
from mediagen.train.log import read_log
from mediagen.train.loop import TrainConfig, train
from mediagen.train.task import multiplies_bf16_fast
from mediagen.weights import write_atomic

LARGEST, FILES = 16 * 2**20 - 1, 8  # bytes of a file that comes back, and how many do
_log = logging.getLogger("mediagen.gpu")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("stage", nargs="?", choices=[*STAGES, "all"], default="all")
    arguments.add_argument("source", nargs="?", type=Path, help="folder of the earlier stages' parcels; default: OUT")
    arguments.add_argument("--toy", action="store_true", help="debug-size models: a rehearsal")
    arguments.add_argument("--set", action="append", default=[], metavar="TRAINING.KEY=VALUE")
    given = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    scale, device = TOY if given.toy else GPU, device_of(None)
    for key, value in parse_settings(given.set).items():
        training, _, name = key.partition(".")
        if training not in scale.sets or not name:
            raise SystemExit(f"got --set {key}, expected TRAINING.KEY=VALUE with one of {', '.join(scale.sets)}.")
        scale.sets[training][name] = value
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
        _log.info("on %s", torch.cuda.get_device_name(device))
    given.out.mkdir(parents=True, exist_ok=True)
    for number in STAGES if given.stage == "all" else [given.stage]:
        source = given.source or given.out
        with tempfile.TemporaryDirectory(prefix="mediagen-") as scratch:
            Work(number, scale, device, given.out, source, Path(scratch)).run()


class Work:
    """One stage: what earlier ones left, the trainings by the clock, and what the next ones need."""

    def __init__(self, number: str, scale: Scale, device: torch.device, out: Path, source: Path, scratch: Path) -> None:
        self.began = time.monotonic()
        self.stage, self.scale, self.device, self.scratch = STAGES[number], scale, device, scratch
        self.out, self.models = out / f"{number}-{self.stage.name}", scratch / "models"
        self.models.mkdir()
        write_atomic(self.models / "engine.json", json.dumps(scale.limits).encode())
        had = unpack_all(source, self.models)
        if self.stage.limits:
            limits = json.loads((self.models / "engine.json").read_bytes()) | self.stage.limits
            write_atomic(self.models / "engine.json", json.dumps(limits).encode())
        earlier = source / self.out.name / "stage.json"
        self.calls = json.loads(earlier.read_bytes())["calls"] + 1 if earlier.is_file() else 1
        _log.info("stage %s, %s, call %d; from earlier ones: %s", number, self.stage.name, self.calls, ", ".join(had))
        self.about: Settings = {"stage": self.stage.name, "calls": self.calls, "trainings": {}, "figures": {}}

    @property
    def spent(self) -> float:
        return time.monotonic() - self.began

    def run(self) -> None:
        """Trains, packs at once, so that nothing that follows can lose the weights, then judges."""
        last = self.scale.seconds - self.stage.judge * self.scale.judge
        shares, begun = self.stage.share, self.spent
        for index, name in enumerate(shares):
            until = begun + (last - begun) * sum(list(shares.values())[: index + 1])
            self._train(name, until)
        self._pack()
        try:
            self._judge()
        except Exception as error:  # the weights are worth more than their figures
            _log.exception("the judging failed")
            self.about["figures"]["failed"] = repr(error)
        self.about["seconds"] = round(self.spent, 1)
        self._write()
        _log.info("stage %s done in %.0f s", self.stage.name, self.spent)

    def _train(self, label: str, until: float) -> None:
        name, _, part = label.partition(":")
        training = TRAININGS[name]
        own = next((dict(stage.settings) for stage in training.stages() if stage.name == part), {})
        own.pop("steps", None)  # the clock decides
        settings = own | self.scale.sets[name] | self.scale.sets.get(label, {})
        preset = settings.pop("preset", None)
        if name == "prompt" and (self.models / training.folder).is_dir():
            return  # its readers have learnt its states: another would speak another language
        folder = training.folder if (self.models / training.folder).is_dir() else self.stage.begins.get(label)
        start = self.models / self.stage.starts.get(label, folder or training.folder)
        if name in ("video", "distil"):
            settings |= {"latent_channels": ModelFolder(self.models).get("tae").config.latent_channels}
        if name in self.scale.clips:
            key, most = self.scale.clips[name]
            rate = self._clips_per_second(name in ("video", "distil"), settings.get("processes", 0))
            count = min(most, int(rate * self.scale.filling * (until - self.spent)))
            settings[key] = max(count, 2 * settings["batch"])
            _log.info("%s: %d clips are drawn", label, settings[key])
            if name == "video":
                settings["first"] = (self.calls - 1) * most
        done, folder = None, self.scratch / label.replace(":", "-")
        try:
            done = self._attempt(label, preset, settings, folder, start, until)
        except Exception as error:  # of a compiler, or a full memory: it must not cost the stage
            _log.exception("%s failed; again without compilation and with half the batch", label)
            self.about["trainings"][f"{label}, first attempt"] = repr(error)[:500]
        if done is None:  # only here is what the failed attempt held in memory given back
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            settings |= {"compile": False, "batch": max(2, settings["batch"] // 2)}
            done = self._attempt(label, preset, settings, folder.with_name(f"{folder.name}-again"), start, until)
        training.place(done, self.models)

    def _attempt(
        self, label: str, preset: str | None, settings: Settings, folder: Path, start: Path, until: float
    ) -> Path:
        never = 10**9  # a run by the clock saves and draws at its end
        chosen = plan(TRAININGS[label.partition(":")[0]], preset, self.scale.extra | settings)
        there = (start / "model.safetensors").is_file()
        task = chosen.make(Place(str(self.device), folder, str(self.models)), start if there else None)
        loop = chosen.loop
        if there and label not in self.stage.starts:
            loop["lr"] = loop.get("lr", 1e-3) / 2
            _log.info("%s goes on from the weights of an earlier call, with a new optimiser", label)
        loop |= {"precision": "bf16"} if multiplies_bf16_fast(self.device) else {}
        loop |= {"max_seconds": max(0.5, until - self.spent), "save_every": never, "preview_every": never}
        if "steps" not in (self.scale.extra | settings):
            loop["steps"] = never
        config, began = TrainConfig.of(loop), time.monotonic()
        steps = [0]
        done = train(task, config, folder, on_step=lambda step, _: steps.append(step))
        took = time.monotonic() - began
        self.about["trainings"][label] = {
            "parameters": sum(parameter.numel() for parameter in task.model.parameters()),
            "steps": steps[-1],
            "samples": steps[-1] * config.batch,
            "seconds": round(took, 1),
            "samples_per_second": round(steps[-1] * config.batch / took, 1),
            "settings": settings,
        }
        self.about["figures"] |= {
            f"{label}, {key}": value
            for record in read_log(folder, "preview")[-1:]
            for key, value in record.items()
            if key not in ("step", "kind")
        }
        return done

    def _clips_per_second(self, encoded: bool, processes: int) -> float:
        """How fast clips are drawn on this machine, and encoded where they are for the video model.

        By `processes` processes, as far as one tells, where there are two or more; else by this one, on its device.
        """
        limits, many = self.scale.limits, processes > 1
        count = 64 if self.device.type == "cuda" and not many else 2
        size = (limits["width"], limits["height"])
        seconds = limits["seconds"] if encoded else 2.0
        stream = WorldStream("train", "standard", size, seconds, device="cpu" if many else str(self.device))
        tae = ModelFolder(self.models, self.device).get("tae") if encoded else None
        began = time.monotonic()
        for turn in range(3):
            if turn == 1:
                began = time.monotonic()
            pictures = pictures_of(stream.clips_at(range(turn * count, (turn + 1) * count))).to(self.device)
            if tae is not None:
                with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16, self.device.type == "cuda"):
                    pictures = tae.encode(to_float(pictures))
            float(pictures.sum())  # waits for the GPU
        rate = 2 * count * max(1, processes) / (time.monotonic() - began)
        _log.info("%.0f clips/s are drawn%s", rate, " and encoded" if encoded else "")
        return rate

    def _pack(self) -> None:
        folders = (TRAININGS[label.partition(":")[0]].folder for label in self.stage.share)
        pack(self.models, ["engine.json", *dict.fromkeys(folders)], self.out)
        for name, path in (("preview.png", "*/previews/*.png"), ("log.jsonl", "")):
            found = sorted(self.scratch.glob(path)) if path else []
            if found:
                shutil.copy(found[-1], self.out / name)
        (self.out / "log.jsonl").write_text("".join(self._records()))
        self._write()

    def _records(self) -> Iterator[str]:
        for path in sorted(self.scratch.glob("*/log.jsonl")):
            for record in read_log(path.parent):
                yield json.dumps({"training": path.parent.name, **record}) + "\n"

    def _judge(self) -> None:
        if not self.stage.bench:
            return
        from mediagen.sdk.bench.measure import measure  # asks for pydantic, which the trainings do without
        from mediagen.sdk.engine import Engine

        engine = Engine(ModelFolder(self.models, self.device))
        report = measure(engine, self.scale.prompts, self.scratch / "bench", parts=self.stage.bench)
        self.about["figures"]["bench"] = report.to_dict()
        for part in report.parts:
            for name, figure in part.figures.items():
                _log.info("%s, %s: %s", part.title, name, figure)
        shutil.copy(self.scratch / "bench" / "bench.html", self.out / "bench.html")

    def _write(self) -> None:
        spare = [self.out / name for name in ("log.jsonl", "preview.png", "bench.html")]  # the first to go
        for path in spare:
            crowded = len(list(self.out.iterdir())) + (not (self.out / "stage.json").exists()) > FILES
            if path.exists() and (crowded or path.stat().st_size > LARGEST):
                self.about.setdefault("left out", []).append(path.name)
                path.unlink()
        write_atomic(self.out / "stage.json", (json.dumps(self.about, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
