"""What a training run writes down: one JSON line per record, and TensorBoard where it is asked for."""

import json
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mediagen.weights import write_atomic


class Log:
    """Appends records to folder/log.jsonl. Lines beyond `start`, left by a run that died there, are dropped."""

    def __init__(self, folder: Path, start: int, tensorboard: bool = False) -> None:
        self.path = folder / "log.jsonl"
        if self.path.exists():
            kept = [line for line in self.path.read_text().splitlines() if _step_of(line) <= start]
            write_atomic(self.path, "".join(line + "\n" for line in kept).encode())
        self._file = self.path.open("a")
        self._board: Any = _board(folder / "tensorboard", start) if tensorboard else None

    def write(self, step: int, kind: str, figures: dict[str, float]) -> None:
        """One line {"step", "kind", figures...}; numbers that are not finite become null, which JSON can say."""
        plain = {name: value if abs(value) < float("inf") else None for name, value in figures.items()}
        self._file.write(json.dumps({"step": step, "kind": kind, **plain}) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(f"{kind}/{name}", value, step)

    def show(self, step: int, files: Iterable[Path]) -> None:
        """Gives TensorBoard, where there is one, the pictures (png) and sounds (wav) among the files."""
        if self._board is None:
            return
        for path in files:
            name = path.stem.replace(f"-{step:06d}", "")
            if path.suffix == ".png":
                with Image.open(path) as image:
                    self._board.add_image(name, np.array(image.convert("RGB")), step, dataformats="HWC")
            elif path.suffix == ".wav":
                with wave.open(str(path)) as sound:
                    samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
                    self._board.add_audio(name, samples[None], step, sample_rate=sound.getframerate())

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def read_log(folder: str | Path, kind: str | None = None) -> list[dict[str, Any]]:
    """The records of a run, in order; lines that a crash cut short are left out."""
    lines = (Path(folder) / "log.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines if _step_of(line) < float("inf")]
    return [record for record in records if kind in (None, record["kind"])]


def _step_of(line: str) -> float:
    try:
        return json.loads(line)["step"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return float("inf")


def _board(folder: Path, start: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter  # seconds to import, so only where it is wanted
    except ImportError:
        raise ValueError("got tensorboard=true without TensorBoard; install mediagen[train] or leave it off.") from None
    return SummaryWriter(str(folder), purge_step=start + 1)
