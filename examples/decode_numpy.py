"""Decodes latents with onnxruntime and numpy alone, from a folder that `mediagen export -o FOLDER` wrote.

    python examples/decode_numpy.py FOLDER [LATENT.npy]

writes frames.npy, uint8 (F, H, W, 3), and sound.wav. Without a latent (B, C, L, h, w), noise of one clip is decoded.
"""

import json
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime


def decode(folder: Path, latent: Any, *lengths: int) -> tuple[np.ndarray, dict]:
    """The first clip that the decoder in `folder` makes of a latent, and the card that describes it."""
    card = json.loads((folder / "decoder.json").read_text())
    session = onnxruntime.InferenceSession(folder / card["file"], providers=["CPUExecutionProvider"])
    shape = (1, card["input"]["shape"][1], *lengths)
    latent = np.random.default_rng(0).standard_normal(shape) if latent is None else latent
    given = {card["input"]["name"]: latent.astype(np.float32)}
    if "position" in card:  # a whole latent begins at frame 0
        given[card["position"]["name"]] = np.zeros(1, np.int64)
    made = np.asarray(session.run([card["output"]["name"]], given)[0])[0]
    low, high = card["output_range"]
    return np.clip(made, low, high), card


exported, given = Path(sys.argv[1]), np.load(sys.argv[2]) if len(sys.argv) > 2 else None
frames, _ = decode(exported / "tae", given, 4, 8, 8)
np.save("frames.npy", np.round((frames.transpose(0, 2, 3, 1) + 1) * 127.5).astype(np.uint8))
sound, card = decode(exported / "codec", None, 50)
with wave.open("sound.wav", "wb") as file:
    file.setnchannels(len(sound))
    file.setsampwidth(2)
    file.setframerate(card["rate"])
    file.writeframes(np.round(sound.T * 32767).astype("<i2").tobytes())
