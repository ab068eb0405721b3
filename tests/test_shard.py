"""Sharded models: two processes that each hold a share of the weights give what one gives, gradients too."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import shard_toy
import torch

SCRIPT = Path(shard_toy.__file__)


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """What two processes found, by model, way of sharding and name."""
    file = tmp_path_factory.mktemp("shard") / "found.pt"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    world = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo"}
    processes = [
        subprocess.Popen(
            [sys.executable, SCRIPT, file], env={**os.environ, **world, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE, text=True,
        ) for rank in range(2)
    ]  # fmt: skip
    told = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(told)
    assert not any("Warning" in one for one in told), "\n".join(told)
    return torch.load(file)


@pytest.mark.parametrize("way", ["blocks", "matrices"])
@pytest.mark.parametrize("name", ["video", "audio"])
def test_two_processes_give_what_one_gives(sharded: dict[str, torch.Tensor], name: str, way: str) -> None:
    alone = shard_toy.results(*shard_toy.case(name))
    prefix = f"{name} {way} "
    assert {key.removeprefix(prefix) for key in sharded if key.startswith(prefix)} == alone.keys()
    for key, value in alone.items():
        torch.testing.assert_close(
            sharded[prefix + key], value, rtol=1e-5, atol=1e-5, msg=lambda why, key=key: key + why
        )
    assert alone["out"].std() > 0.1
