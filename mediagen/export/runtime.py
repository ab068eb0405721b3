"""OnnxDecoder: a decoder in a file, run by ONNX Runtime, with the same `decode` as torch's."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mediagen.export.card import FILE, read_card
from mediagen.tae import decode_in_tiles

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
log = logging.getLogger(__name__)


class OnnxDecoder:
    """Decodes latents by the ONNX file in `folder`, which `write_decoder` wrote.

    device: "cpu" or "cuda"; where CUDA was asked for and does not run, the CPU does, `note` says so in a sentence and a
    warning is logged.  threads: as many as torch has (None); the same number gives the same bits.  provider: what runs.
    Any number of threads may decode at once. Raises ValueError for a damaged file.
    """

    def __init__(self, folder: str | Path, device: str = "cpu", threads: int | None = None) -> None:
        import onnxruntime  # costs time, and whoever decodes by torch does without

        self.card = read_card(Path(folder))
        wanted = _PROVIDERS.get(torch.device(device).type, _PROVIDERS["cpu"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # a provider that does not run is told by `note`
        # Threads that wait by spinning take the cores from other programs, and from torch's own threads.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        has = onnxruntime.get_available_providers()
        chosen = [name for name in dict.fromkeys((wanted, _PROVIDERS["cpu"])) if name in has]
        path = Path(folder) / FILE
        try:
            self._session: Any = onnxruntime.InferenceSession(path, options, providers=chosen)
        except Exception as error:  # onnxruntime's errors have no common base
            why = " ".join(str(error).split())[:200]
            raise ValueError(f"{path}: got a damaged ONNX file ({why}); export the decoder again.") from None
        self.provider: str = self._session.get_providers()[0]
        self.note = ""
        if self.provider != wanted:
            self.note = (
                f"asked for {wanted}, but the {self.card['what']} runs on {self.provider}; CUDA needs onnxruntime-gpu "
                "in place of onnxruntime."
            )
            log.warning("%s", self.note)

    def decode(self, latent: Tensor, frames: int | None = None, *, first: int = 0) -> Tensor:
        """A latent (B, C, L, ...) to what torch's decoder makes of it, channels second; all, or its first `frames`.

        frames: samples where it decodes sound.  first: frame of the whole at which this part of its latent begins.
        The result is on the latent's device.
        """
        made = torch.from_numpy(self.run(latent.detach().float().cpu().numpy(), first)).to(latent.device)
        made = made.movedim(self.card["output"]["axes"].index("channels"), 1)
        if frames is not None and frames > made.shape[2]:
            raise ValueError(
                f"got frames={frames}, expected at most {made.shape[2]} from {latent.shape[2]} latent ones."
            )
        return made[:, :, :frames]

    def decode_tiled(self, latent: Tensor, frames: int | None = None, *, tile: int = 4, overlap: int = 2) -> Tensor:
        """As `decode`, in tiles over time blended as in `TAE.decode_tiled`, in memory that does not grow."""
        return decode_in_tiles(self.decode, latent, frames, self.card["strides"]["time"], tile, overlap)

    def run(self, latent: np.ndarray, first: int = 0) -> np.ndarray:
        """What the file makes of a float32 latent, in the layout that the card tells."""
        shape = self.card["input"]["shape"]
        if latent.ndim != len(shape) or latent.shape[1] != shape[1] or 0 in latent.shape:
            raise ValueError(f"got a latent of shape {latent.shape}, expected ({', '.join(map(str, shape))}).")
        given = {self.card["input"]["name"]: np.ascontiguousarray(latent)}
        if "position" in self.card:
            given[self.card["position"]["name"]] = np.array([first], np.int64)
        return self._session.run(None, given)[0]
