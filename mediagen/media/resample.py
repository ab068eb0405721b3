"""Resampling: sound at another rate."""

import numpy as np
import torch


def resample(sound: torch.Tensor, rate_in: int, rate_out: int) -> torch.Tensor:
    """Changes the rate of float32 (channels, S) without delay; gives round(S * rate_out / rate_in) samples."""
    if rate_in == rate_out or sound.shape[-1] == 0:
        return sound
    import av

    channels, samples = sound.shape
    wanted = round(samples * rate_out / rate_in)
    made = []
    for channel in sound.cpu().float().numpy():  # one by one: any number of channels, no layout to guess
        tool = av.AudioResampler(format="fltp", layout="mono", rate=rate_out)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channel[None]), format="fltp", layout="mono")
        frame.sample_rate = rate_in
        parts = [part.to_ndarray() for part in (*tool.resample(frame), *tool.resample(None))]
        whole = np.concatenate(parts, axis=1)[:, :wanted]
        made.append(np.pad(whole, ((0, 0), (0, wanted - whole.shape[1]))))
    return torch.from_numpy(np.concatenate(made)).reshape(channels, wanted).to(sound.device)
