"""What a training says of a folder before it begins."""

from pathlib import Path

import torch

from mediagen.media.clip import Clip
from mediagen.sdk.models.plan import check_data
from mediagen.sdk.models.trainings import TRAININGS


def test_a_training_that_reads_no_captions_says_which_others_would_refuse(tmp_path: Path) -> None:
    for name, caption in (("a", b"the ball\x92s shadow"), ("b", b"a red ball"), ("c", None)):
        Clip(torch.zeros(24, 32, 32, 3, dtype=torch.uint8), 16).save(tmp_path / f"{name}.mp4")
        if caption is not None:
            (tmp_path / f"{name}.txt").write_bytes(caption)
    training = TRAININGS["tae"]
    notes = check_data(training, "tiny", training.stages()[:1], {"data": str(tmp_path), "frames": 8})
    assert len(notes) == 1 and "a.txt in another encoding" in notes[0]
    assert "b.txt" not in notes[0] and "c.mp4" not in notes[0]
