"""EnCodec's continuous latent in place of our own codec's: the 48 kHz model of `transformers`, never a default.

The weights are those of whoever trained them. The card of facebook/encodec_48khz names MIT; its authors state MIT for
their code alone, the question whether the weights are meant too stands unanswered there, and AudioCraft's are
CC-BY-NC 4.0. So mediagen neither ships nor fetches them unasked: who uses them judges their licence.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from einops import rearrange
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, EncodecConfig, EncodecModel

from mediagen.audio.codec.model import check_latent, check_sound, cut
from mediagen.config import Config
from mediagen.grid import SOUND_HOP, SOUND_RATE
from mediagen.text.encoders import quiet

CHUNK = SOUND_RATE // SOUND_HOP  # latent frames that the network hears at once: 1 s, as it was trained
STEP = CHUNK - 1  # from one chunk to the next: they share a latent frame, in the middle of which they meet
FADE = SOUND_RATE // 100  # samples over which one chunk's sound becomes the next one's: EnCodec's own overlap
QUIETEST = 1e-4  # least loudness, -80 dBFS, that a chunk is normalised by
# What of EnCodec's configuration shapes its networks and their use; its quantiser is not ours.
SIZES = [
    "sampling_rate",
    "audio_channels",
    "normalize",
    "chunk_length_s",
    "overlap",
    "hidden_size",
    "num_filters",
    "num_residual_layers",
    "upsampling_ratios",
    "norm_type",
    "kernel_size",
    "last_kernel_size",
    "residual_kernel_size",
    "dilation_growth_rate",
    "use_causal_conv",
    "pad_mode",
    "compress",
    "num_lstm_layers",
    "trim_right_ratio",
    "use_conv_shortcut",
]


@dataclass(frozen=True, kw_only=True)
class EncodecCodecConfig(Config):
    """An EnCodec. kind: tells it from our own codec in a model folder.  source: where the weights came from.

    net: sizes of the networks, by transformers' names (`SIZES`); what is left out is as in facebook/encodec_48khz.
    """

    kind: str = "encodec"
    source: str = ""
    net: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.net) - set(SIZES)):
            raise ValueError(f"got the EnCodec size '{unknown[0]}', expected some of {', '.join(SIZES)}.")
        net = self.network()
        if self.kind != "encodec" or net.sampling_rate != SOUND_RATE or SOUND_HOP % net.hop_length:
            raise ValueError(
                f"got a codec of kind '{self.kind}' at {net.sampling_rate} Hz, {net.hop_length} samples per frame; "
                f"expected 'encodec' at {SOUND_RATE} Hz and a part of {SOUND_HOP}; take facebook/encodec_48khz."
            )
        if net.chunk_length_s != 1 or not net.normalize:
            raise ValueError(
                f"got an EnCodec of chunk_length_s={net.chunk_length_s} and normalize={net.normalize}, expected 1.0 "
                "and True; take facebook/encodec_48khz."
            )

    def network(self) -> EncodecConfig:
        """transformers' configuration of the networks."""
        usual = {
            "sampling_rate": SOUND_RATE,
            "audio_channels": 2,
            "normalize": True,
            "chunk_length_s": 1.0,
            "overlap": 0.01,
            "norm_type": "time_group_norm",
            "use_causal_conv": False,
        }
        try:
            return EncodecConfig(**{**usual, **self.net})
        except (StrictDataclassError, TypeError) as error:
            raise ValueError(f"got EnCodec sizes that do not fit ({_line(error)}); restore the config.") from None

    @property
    def latent(self) -> int:
        """Channels of a latent frame: those of the 6 frames of EnCodec in it, and the loudness."""
        net = self.network()
        return SOUND_HOP // net.hop_length * net.hidden_size + 1


class EncodecCodec(nn.Module):
    """EnCodec (arXiv 2210.13438) before its quantiser, behind the face of `Codec`: frozen, deterministic.

    encode (B, 1, S) -> (B, C, L), L = ceil(S / 1920); decode (B, C, L) -> (B, 1, samples). One sound goes into both of
    its channels, and out comes their mean. Its 150 frames a second are grouped by six to our 25: C = 6 * 128 + 1.

    It hears one second at a time: its norms run over all of that second, so that how loud the second was is lost in
    its latent. Its own format stores the loudness beside each second, and so does the last channel here, as a
    logarithm; without, every second would come out equally loud. Seconds begin every 24 latent frames of the whole
    sound (`decode` counts from `first`) and meet in the middle of the frame that two of them share.
    """

    Config = EncodecCodecConfig
    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, config: EncodecCodecConfig) -> None:
        super().__init__()
        self.config = config
        sizes = config.network()
        net = EncodecModel(sizes)
        self.channels, self.frames = sizes.audio_channels, SOUND_HOP // sizes.hop_length
        self.encoder, self.decoder = net.encoder, net.decoder
        self.register_buffer("latent_mean", torch.zeros(config.latent))
        self.register_buffer("latent_std", torch.ones(config.latent))

    @classmethod
    def from_source(cls, source: str, download: bool = False) -> Self:
        """The public weights of that name or folder, read from safetensors alone; `fit` makes it ready for training.

        download: fetch them where they are missing. Raises ValueError where they can't be had or are of another kind.
        """
        here: dict[str, Any] = {"local_files_only": not download}
        with quiet(), torch.random.fork_rng(devices=[]):
            try:
                family = AutoConfig.from_pretrained(source, **here)
                if not isinstance(family, EncodecConfig):
                    raise ValueError(f"it is of the family '{family.model_type}', not encodec")
                config = EncodecCodecConfig(source=source, net={name: getattr(family, name) for name in SIZES})
                loaded: Any = EncodecModel.from_pretrained(
                    source, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **here
                )
                net, about = loaded
                if about["missing_keys"]:
                    raise ValueError(f"its weights lack {min(about['missing_keys'])}")
            except (OSError, ValueError, RuntimeError, StrictDataclassError, SafetensorError) as error:
                raise ValueError(
                    f"got the codec '{source}', which cannot be loaded ({_line(error)}); give a folder with its "
                    "config.json and model.safetensors, or allow the download."
                ) from None
            codec = cls(config)
        codec.encoder, codec.decoder = net.encoder, net.decoder
        return codec.eval()

    @torch.no_grad()
    def fit(self, sounds: Iterable[Tensor]) -> None:
        """Sets mean and spread of each channel to those over `sounds`, (1, S) each; ValueError where there are none."""
        count, total = 0, torch.zeros_like(self.latent_mean, dtype=torch.float64)
        square = total.clone()
        for sound in sounds:
            raw = self._raw(sound[None].to(self.latent_mean)).double()
            count, total, square = count + raw.shape[-1], total + raw.sum((0, 2)), square + raw.square().sum((0, 2))
        if not count:
            raise ValueError("got no sounds to take the latent's spread from, expected one or more; give some.")
        mean = total / count
        self.latent_mean.copy_(mean)
        self.latent_std.copy_((square / count - mean.square()).clamp_min(1e-6).sqrt())

    def encode(self, sound: Tensor) -> Tensor:
        """(B, 1, S) at 48 kHz -> (B, C, L), normalised; the end is padded with silence."""
        return (self._raw(sound) - self.latent_mean[:, None]) / self.latent_std[:, None]

    def decode(self, latent: Tensor, samples: int | None = None, *, first: int = 0) -> Tensor:
        """(B, C, L) -> (B, 1, samples); without `samples`, all L * 1920 of them.

        first: frame of the whole sound at which this part of its latent begins. A part sounds as in the whole from 24
        frames after its beginning to 24 before its end: as long as a second that was cut through lasts.
        """
        check_latent(latent, self.config.latent)
        raw = latent.float() * self.latent_std[:, None] + self.latent_mean[:, None]
        codes = rearrange(raw[:, :-1], "b (n h) l -> b h (l n)", n=self.frames)
        sound = raw.new_zeros(len(raw), 1, 0)
        for start, joint, end in chunks(raw.shape[-1], first):
            loudness = raw[:, -1:, start:joint].mean(-1, keepdim=True).exp().clamp(QUIETEST, 1)
            with torch.autocast(raw.device.type, enabled=False):
                heard = self.decoder(codes[..., start * self.frames : end * self.frames])
            sound = _meet(sound, heard.mean(1, keepdim=True) * loudness)
        return cut(sound, samples, latent.shape[-1])

    def _raw(self, sound: Tensor) -> Tensor:
        """The latent (B, C, L) as it is before normalising."""
        check_sound(sound)
        sound = nn.functional.pad(sound.float(), (0, -sound.shape[-1] % SOUND_HOP))
        length = sound.shape[-1] // SOUND_HOP
        codes, loud = list[Tensor](), list[Tensor]()
        for start, joint, end in chunks(length):
            heard = sound[..., start * SOUND_HOP : end * SOUND_HOP]
            loudness = heard.square().mean(-1, keepdim=True).sqrt().clamp(QUIETEST, 1)
            with torch.autocast(sound.device.type, enabled=False):
                code = self.encoder((heard / loudness).expand(-1, self.channels, -1))
            half = self.frames // 2  # of a shared latent frame the first half is the earlier chunk's
            begin = half if start else 0
            stop = code.shape[-1] if end == length else (joint - start) * self.frames + half
            codes.append(code[..., begin:stop])
            loud.append(loudness.log().expand(-1, -1, joint - start))
        grouped = rearrange(torch.cat(codes, -1), "b h (l n) -> b (n h) l", n=self.frames)
        return torch.cat((grouped, torch.cat(loud, -1)), 1)


def chunks(length: int, first: int = 0) -> Iterator[tuple[int, int, int]]:
    """(start, joint, end) of each chunk, in latent frames of a part that begins at frame `first` of the whole.

    The chunk hears start to end, and the next one, if any, starts at `joint`.
    """
    start = 0
    while True:
        begin = (first + start) // STEP * STEP - first  # the first one may have begun before the part
        joint, end = begin + STEP, min(begin + CHUNK, length)
        if end == length:
            yield start, length, end
            return
        yield start, joint, end
        start = joint


def _meet(before: Tensor, after: Tensor) -> Tensor:
    """`before`, then `after`, which fades in in the middle of the latent frame that they share."""
    if not before.shape[-1]:
        return after
    begin, end = (SOUND_HOP - FADE) // 2, (SOUND_HOP + FADE) // 2
    before, shared = before[..., :-SOUND_HOP], before[..., -SOUND_HOP:]
    rise = torch.linspace(0, 1, FADE + 2, device=after.device)[1:-1]
    faded = torch.lerp(shared[..., begin:end], after[..., begin:end], rise)
    return torch.cat((before, shared[..., :begin], faded, after[..., end:]), -1)


def _line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
