"""Films for the tests: pictures that tell their number, at any times, with or without sound."""

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import torch

from mediagen.media.footage import Footage

TICK = Fraction(1, 24_000)
STEADY = [1001 * i for i in range(50)]  # 23.976 frames a second
VARIABLE = [0, *np.cumsum(np.random.default_rng(0).integers(300, 4_000, 49)).tolist()]
LAST = 1000  # ticks that the last picture stays: the encoder takes them from the rate that it was told


def shoot(
    path: Path,
    times: list[int],
    *,
    sound: float = 0.0,
    turned: int = 0,
    size: tuple[int, int] = (64, 48),
    late: int = 0,
    voice: str | None = None,
) -> Path:
    """A film whose picture i is grey of 5 i, `late` ticks late; `sound` seconds of clicks, by the codec `voice`."""
    webm = path.suffix == ".webm"
    with av.open(str(path), "w") as container:
        video = cast("av.VideoStream", container.add_stream("libvpx-vp9" if webm else "libx264", rate=24))
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = TICK
        video.codec_context.options = {} if webm else {"crf": "12", "preset": "veryfast"}
        if turned:
            video.set_display_rotation(turned)
        speaker = None
        if sound:
            speaker = cast("av.AudioStream", container.add_stream(voice or ("libopus" if webm else "aac"), rate=48_000))
        for index, time in enumerate(times):
            picture = np.full((size[1], size[0], 3), 5 * index % 256, np.uint8)
            picture[:, : size[0] // 4, 0] = 255  # the left quarter is red
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time + late, TICK
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if speaker is not None:
            wave = np.zeros((2, round(sound * 48_000)), np.float32)
            for begin in range(0, wave.shape[1] - 400, 24_000):
                wave[:, begin : begin + 400] = 0.5 * np.sin(0.3 * np.arange(400))
            wave[1] *= 0.5
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
            container.mux(speaker.encode(frame))
            container.mux(speaker.encode(None))
    return path


def heard(footage: Footage, *window: float, channels: int = 1) -> torch.Tensor:
    return torch.cat(list(footage.sound(*window, channels=channels)), dim=1)
