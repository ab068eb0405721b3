"""Damaged safetensors files: as weights each must be refused with ValueError or read whole, as uploads with 4xx.

python benchmarks/reliability/weights.py [--short] -o weights.json

They are read in child processes, fifty each, so that a death is seen; half of them carry no checksum, as files of other
programs, so that damage gets past it.
"""

import json
import os
import random
import sys
import tempfile
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from mutants import mutant
from served import Server, bound, main, toys

BATCH = 50


def read(mutants: list[bytes], folder: Path) -> Counter[str]:
    """What became of each file, read in one child process: refused, whole, odd, or (all of them) died."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(send, json.dumps(_read(mutants, folder)).encode())
        finally:
            os._exit(0)
    os.close(send)
    with os.fdopen(receive, "rb") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return Counter(json.loads(text)) if text else Counter({"died": len(mutants)})


def _read(mutants: list[bytes], folder: Path) -> dict[str, int]:
    import resource

    from mediagen.weights import FILE, load_weights

    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    found, module = Counter[str](), _module()
    for data in mutants:
        (folder / FILE).write_bytes(data)
        try:
            load_weights(module, folder)
            found["whole"] += 1
        except ValueError:
            found["refused"] += 1
        except BaseException as error:
            found[f"odd: {type(error).__name__}"] += 1
    return dict(found)


def weights(server: Server, count: int, seed: int = 0) -> dict[str, Any]:
    """Figures of `count` mutants, read as weights and sent as pictures."""
    from safetensors.torch import save

    from mediagen.weights import FILE, save_tensors

    rng, found, statuses, module = random.Random(seed), Counter[str](), Counter[str](), _module()
    with tempfile.TemporaryDirectory() as place:
        save_tensors(module.state_dict(), Path(place) / FILE)
        whole = [(Path(place) / FILE).read_bytes(), save(module.state_dict())]
        mutants = [mutant(whole[index % 2], rng) for index in range(count)]
        for first in range(0, count, BATCH):
            found += read(mutants[first : first + BATCH], Path(place))
    for data in mutants:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na\r\n--x\r\nContent-Disposition: form-data; '
        )
        body += b'name="input_reference"; filename="a"\r\n\r\n' + data + b"\r\n--x--\r\n"
        try:
            status, _ = server.send("POST", "/v1/videos", body, {"Content-Type": "multipart/form-data; boundary=x"})
            statuses[str(status)] += 1
        except (OSError, HTTPException):
            statuses["no answer"] += 1
    bad = count - found["refused"] - found["whole"]
    bad += sum(number for status, number in statuses.items() if status[0] not in "24")
    bad += server.ask("GET", "/healthz")[0] != 200
    return {"as weights": dict(found), "as uploads": dict(statuses), "bad": bad, "says": bound(bad, count)}


def _module() -> Any:
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.Conv1d(8, 4, 3))


def run(*, count: int) -> dict[str, Any]:
    """The campaign, with a server of its own."""
    with toys(0.0) as (server,):
        return weights(server, count)


if __name__ == "__main__":
    main(__doc__ or "", {"count": 200}, {"count": 5000}, run)
