"""Two processes that train together: one cache, one checkpoint, one voice; and what each of them is given to learn."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from train_ranks import ITEMS, SHARD
from train_toy import exported

from mediagen.audio.codec.model import Codec
from mediagen.audio.model import AudioModel
from mediagen.audio.train.audio import AudioTask, AudioTaskConfig, SoundEncoders
from mediagen.parallel.ranks import Ranks, local_device
from mediagen.tae import TAE
from mediagen.text.aligned import AlignedEncoder
from mediagen.text.text import TextEncoder
from mediagen.train.tasks.video import VideoTask, VideoTaskConfig
from mediagen.video import VideoModel
from mediagen.weights import load_model

SCRIPT = Path(__file__).parent / "train_ranks.py"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> tuple[Path, list[Any], list[str]]:
    """The folder of the two processes, what each of them saw, and what each wrote to stderr."""
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    world = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, SCRIPT, folder, model_folder]
    started = [
        subprocess.Popen(
            command, env={**os.environ, **world, "RANK": str(rank), "LOCAL_RANK": str(rank)}, stderr=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    try:
        errors = [process.communicate(timeout=300)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0], errors
    return folder, [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)], errors


def test_a_cache_is_encoded_in_shares_and_once(both: tuple[Path, list[Any], list[str]]) -> None:
    one, two = (seen["cache"] for seen in both[1])
    assert sorted(one["asked"] + two["asked"]) == list(range(ITEMS)) and len(two["asked"]) >= ITEMS // 2 - SHARD
    assert one["latent"] == two["latent"]
    assert one["latent"] == [item + (item in two["asked"]) / 16 for item in range(ITEMS)]
    assert one["captions"] == two["captions"] == [str(item) for item in range(ITEMS)]


def test_an_item_that_one_rank_cannot_encode_ends_both_and_the_rest_is_kept(
    both: tuple[Path, list[Any], list[str]],
) -> None:
    seen = [seen["cache"] for seen in both[1]]
    assert all("item 13 is damaged" in one["error"] for one in seen)
    again = {item for one in seen for item in one["asked_again"]}
    assert 13 in again and 0 not in again and all(one["mended"] == one["captions"] for one in seen)


def test_folders_that_are_not_shared_are_refused_by_every_rank(both: tuple[Path, list[Any], list[str]]) -> None:
    for seen in both[1]:
        assert "rank 1 does not see what rank 0 wrote" in seen["cache"]["apart"]
        assert "step 12" in seen["resume"]["apart"] and "no checkpoint on rank 1" in seen["resume"]["apart"]


def test_a_run_of_two_ranks_resumes_exactly_where_statistics_matter(both: tuple[Path, list[Any], list[str]]) -> None:
    assert exported(both[0] / "cut") == exported(both[0] / "centred")


def test_the_command_speaks_with_one_voice_and_leaves_one_model(both: tuple[Path, list[Any], list[str]]) -> None:
    folder, seen, errors = both
    assert [one["command"]["code"] for one in seen] == [0, 0], errors
    assert "The trained model is in" in errors[0] and errors[1] == ""
    assert [one["refused"] for one in seen] == [1, 1] and errors[0].count("lr=0.5 (there 0.0012)") == 1
    manifests = [json.loads((folder / "video" / name / "cache" / "manifest.json").read_text()) for name in
                 ("clips", "again")]  # fmt: skip
    assert [manifest["about"].get("first", 0) for manifest in manifests] == [0, 500]
    assert exported(folder / "video") == (folder / "into" / "video" / "model.safetensors").read_bytes()


def test_under_torchrun_each_process_has_the_gpu_of_its_own_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert local_device() == torch.device("cuda:3")
    monkeypatch.delenv("LOCAL_RANK")
    assert local_device() == torch.device("cuda:0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert local_device() == torch.device("cpu")


def test_one_process_is_a_group_of_itself(tmp_path: Path) -> None:
    ranks = Ranks(torch.device("cpu"))
    ranks.see_one(tmp_path)
    assert ranks.gather("alone") == ["alone"] and list(tmp_path.iterdir()) == []
    with pytest.raises(KeyError), ranks.as_one():
        raise KeyError("as it was")


def test_ranks_learn_from_different_clips_and_sounds(model_folder: Path, tmp_path: Path) -> None:
    def frozen(cls: Any, name: str) -> Any:
        return load_model(cls, model_folder / name)

    text, tae = frozen(TextEncoder, "prompt"), frozen(TAE, "tae")
    pictures = VideoTaskConfig(size=(32, 32), seconds=0.5, clips=64, batch=8, images=0.0)
    video = VideoTask(frozen(VideoModel, "video"), tae, text, pictures, tmp_path / "video")
    encoders = SoundEncoders(text, frozen(AlignedEncoder, "aligned"), frozen(Codec, "codec"))
    sounds = AudioTaskConfig(size=(16, 16), seconds=1.0, windows=(0.4,), singles=0.0, clips=8, batch=4)
    audio = AudioTask(frozen(AudioModel, "audio"), encoders, sounds, tmp_path / "audio")
    for task in (video, audio):
        one, two = (task.batch(3, rank, 2).latent for rank in (0, 1))
        same = (one[:, None] == two[None]).flatten(2).all(2)
        assert same.float().mean() < 0.5, "a rank that draws what the other draws adds nothing"
        assert not torch.equal(one, two) and torch.equal(one, task.batch(3, 0, 2).latent)
