"""SoundScorer: a small network that says how well a sound fits words and pictures, and whether music is in it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.audio.codec.model import Residual
from mediagen.audio.conditions import LATENT_RATE, at_sound_rate
from mediagen.config import Config
from mediagen.grid import SOUND_HOP, SOUND_RATE
from mediagen.nn.spectral import log_mel
from mediagen.text.encoders import Encoder, EncoderConfig

LAYERS = ("music", "effects")  # what is heard or not; effects are all that is no music, ambience too
MEL_HOP = 480  # samples between columns of the spectra: four to a state at 25 Hz
_SCALE, _STEEPEST = math.log(14.0), math.log(100.0)  # of the contrasts: at first, and at most (CLIP, section 2.5)
_STEADY = 0.1  # squared length, per frame, of movements that count half


@dataclass(frozen=True, kw_only=True)
class SoundScorerConfig(Config):
    """Shape of a scorer.

    bands: of the mel spectra.  widths: of the stages that read them, each halves the bands, the first two the columns.
    width: of the states at 25 Hz.  dilations: one residual unit each.  space: width of the two common spaces.
    picture_width: `features` of the aligned encoder.  text_*, tokens: of the text tower.  window: longest piece of a
    sound that is judged at once, seconds; longer sounds are judged in pieces.
    """

    bands: int = 64
    widths: tuple[int, ...] = (8, 24, 48, 96)
    width: int = 96
    dilations: tuple[int, ...] = (1, 2, 4)
    space: int = 64
    picture_width: int = 2112
    text_width: int = 96
    text_layers: int = 2
    text_heads: int = 4
    text_ff: int = 192
    tokens: int = 64
    window: float = 4.0

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or self.bands % 2 ** len(self.widths) or self.window < 2 / LATENT_RATE:
            raise ValueError(
                f"got widths={self.widths}, bands={self.bands} and window={self.window:g}; expected 2 widths or more, "
                "bands that each can halve, and a window of 0.08 s or more."
            )


PRESETS: dict[str, SoundScorerConfig] = {
    "tiny": SoundScorerConfig(),
    "debug": SoundScorerConfig(
        bands=16, widths=(8, 8), width=16, dilations=(1,), space=8, picture_width=272, text_width=16, text_layers=1,
        text_heads=2, text_ff=16,
    ),
}  # fmt: skip


class SoundScorer(nn.Module):
    """A CLIP of sounds and words (CLAP, arXiv 2206.04769), and of sounds and pictures frame by frame.

    All sounds are (B, 1, S) at 48 kHz, of any length. The scores are cosines, in [-1, 1]: they rank sounds for the same
    words or pictures, and say nothing across those.
    """

    Config = SoundScorerConfig

    def __init__(self, config: SoundScorerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SoundScorerConfig()
        layers: list[nn.Module] = []
        before = 1
        for index, after in enumerate(config.widths):
            stride = (2, 2 if index < 2 else 1)
            layers += [nn.Conv2d(before, after, 3, stride, 1), nn.GroupNorm(4, after), nn.SiLU()]
            before = after
        self.ear = nn.Sequential(*layers)
        self.heard = InTime(before * (config.bands >> len(config.widths)), config.width, config.dilations)
        self.seen = InTime(config.picture_width, config.width, config.dilations)
        part = EncoderConfig(tokens=config.tokens, width=config.text_width, layers=config.text_layers,
                             heads=config.text_heads, ff=config.text_ff)  # fmt: skip
        self.text = Encoder.of(part)
        self.meaning = nn.Linear(2 * config.width, config.space)
        self.layers = nn.Linear(2 * config.width, len(LAYERS))
        self.words = nn.Linear(config.text_width, config.space)
        self.heard_when = nn.Conv1d(config.width, config.space, 1)
        self.seen_when = nn.Conv1d(config.width, config.space, 1)
        self.reach = sum(2 * dilation for dilation in config.dilations)  # frames around one that `look_at` reads
        self.scales = nn.Parameter(torch.full((3,), _SCALE))

    @torch.no_grad()
    def embed_sound(self, sound: Tensor) -> Tensor:
        """Unit vectors (B, D), near those of the words that fit; the mean over the pieces of a long sound."""
        return F.normalize(self._average(sound, lambda piece, first: self.means(self.listen(piece))), dim=-1)

    @torch.no_grad()
    def embed_text(self, prompts: Sequence[str]) -> Tensor:
        """Unit vectors (B, D) of `prompts`, wordings of effects, of music or of both; one that is too long is cut."""
        if isinstance(prompts, str) or not prompts:
            raise ValueError(f"got {prompts!r} as prompts, expected a list of one or more; write [prompt].")
        ids, mask, _ = self.text.tokenize(list(prompts))
        device = self.scales.device
        return self.read(ids.to(device), mask.to(device))

    def text_score(self, sound: Tensor, prompts: Sequence[str]) -> Tensor:
        """How well each sound fits its prompt, or all of them one prompt: (B,)."""
        words, vectors = self.embed_text(prompts), self.embed_sound(sound)
        _check_pairs(len(vectors), len(words), "prompts")
        return (vectors * words).sum(-1)

    @torch.no_grad()
    def picture_score(self, sound: Tensor, features: Tensor, fps: float) -> Tensor:
        """How well each sound fits what is seen, and when: (B,), the mean over the pieces of a long sound.

        features: (B, F, P), or (1, F, P) for all sounds, of pictures at `fps` as AlignedEncoder.picture_features makes
        them; the sound and the pictures begin together.
        """
        if features.ndim != 3 or features.shape[-1] != self.config.picture_width:
            raise ValueError(
                f"got features {tuple(features.shape)}, expected (B, F, {self.config.picture_width}); "
                "take them from the aligned encoder of the same model folder."
            )
        _check_pairs(len(sound), len(features), "rows of features")

        def score(piece: Tensor, first: int) -> Tensor:
            heard = self.heard_when(self.listen(piece))
            length, before = heard.shape[-1] + 2 * self.reach, (first - self.reach) / LATENT_RATE
            seen = self.look_at(at_sound_rate(features.to(heard), fps, length, start=before))
            return (signature(heard) * signature(seen[..., self.reach : -self.reach])).sum(-1)

        return self._average(sound, score)

    def music_probability(self, sound: Tensor) -> Tensor:
        """How likely music is heard in each sound: (B,), of the piece of a long sound in which it is likeliest."""
        return self._likeliest(sound)[:, 0]

    def effects_probability(self, sound: Tensor) -> Tensor:
        """How likely anything but music is heard, ambience too: (B,), as `music_probability`."""
        return self._likeliest(sound)[:, 1]

    def listen(self, sound: Tensor) -> Tensor:
        """States (B, W, L) at 25 Hz of sounds (B, 1, S), L = S // 1920 but at least 1."""
        return self.listen_to(log_mel(sound.float(), bands=self.config.bands, hop=MEL_HOP))[
            ..., : max(1, sound.shape[-1] // SOUND_HOP)
        ]

    def listen_to(self, spectra: Tensor) -> Tensor:
        """States (B, W, N) of log-mel spectra (B, 1, bands, 4 N - 3 to 4 N)."""
        return self.heard(self.ear((spectra + 6.0) / 3.0).flatten(1, 2).transpose(1, 2))

    def look_at(self, pictures: Tensor) -> Tensor:
        """What is seen and when, (B, D, L), of features (B, L, P) at 25 Hz; to compare with `heard_when` of states.

        `reach` frames at both ends see what is not there; give as many more, or the first and the last again.
        """
        return self.seen_when(self.seen(pictures))

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Unit vectors (B, D) of token ids (B, M) with mask (B, M)."""
        states = self.text(ids, mask)
        return F.normalize(self.words(states.sum(1) / mask.sum(1, keepdim=True)).float(), dim=-1)

    def means(self, states: Tensor) -> Tensor:
        """Unit vectors (B, D), the same space as `read`, of the states (B, W, L)."""
        return F.normalize(self.meaning(_whenever(states)).float(), dim=-1)

    def layer_logits(self, states: Tensor) -> Tensor:
        """Logits (B, 2) of which of `LAYERS` are heard, of the states (B, W, L)."""
        return self.layers(_whenever(states)).float()

    def scale(self) -> Tensor:
        """Inverse temperatures of the contrasts with words, with pictures, and with other times, (3,)."""
        return self.scales.clamp(max=_STEEPEST).exp()

    @torch.no_grad()
    def _likeliest(self, sound: Tensor) -> Tensor:
        found = [self.layer_logits(self.listen(piece)) for _, piece in self._pieces(sound)]
        return torch.stack(found).amax(0).sigmoid()

    def _average(self, sound: Tensor, judge: Callable[[Tensor, int], Tensor]) -> Tensor:
        """The mean of judge(piece, its first frame at 25 Hz) over the pieces, by their lengths."""
        total = [judge(piece, first) * (piece.shape[-1] / sound.shape[-1]) for first, piece in self._pieces(sound)]
        return torch.stack(total).sum(0)

    def _pieces(self, sound: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Equal pieces of at most `window` seconds, each with its first frame at 25 Hz; the memory stays bounded."""
        if sound.ndim != 3 or sound.shape[1] != 1 or sound.shape[2] < 1:
            raise ValueError(
                f"got sound of shape {tuple(sound.shape)}, expected (B, 1, S); mix it down to one channel."
            )
        frames = max(1, sound.shape[-1] // SOUND_HOP)
        count = math.ceil(frames / (self.config.window * SOUND_RATE / SOUND_HOP))
        edges = [round(index * frames / count) for index in range(count + 1)]
        for index, (first, last) in enumerate(pairwise(edges)):
            end = sound.shape[-1] if index == count - 1 else last * SOUND_HOP
            yield first, sound[..., first * SOUND_HOP : end].to(self.scales.device)


class InTime(nn.Module):
    """(B, L, P) -> states (B, W, L): of each frame, then of its neighbours too; one residual unit per dilation."""

    def __init__(self, width: int, out: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.each = nn.Linear(width, out)
        self.around = nn.Sequential(*[Residual(out, 5, dilation, lambda _: nn.SiLU()) for dilation in dilations])

    def forward(self, x: Tensor) -> Tensor:
        return self.around(self.each(x).transpose(1, 2))


def signature(events: Tensor) -> Tensor:
    """Vectors (..., D + D L) of (..., D, L), whose products are scores: half of what there is, half of when.

    The first part is the mean over time as a unit vector, the second what differs from it, much shorter than a unit
    vector where little does, so that nothing is compared with nothing.
    """
    events = events.float()
    mean = events.mean(-1, keepdim=True)
    moves = (events - mean).flatten(-2)
    spread = (moves.square().sum(-1, keepdim=True) + _STEADY * events.shape[-1]).sqrt()
    return torch.cat([F.normalize(mean.squeeze(-1), dim=-1), moves / spread], -1) * 2**-0.5


def _whenever(states: Tensor) -> Tensor:
    """What the states (B, W, L) hold, whenever it was: (B, 2 W)."""
    return torch.cat([states.mean(-1), states.amax(-1)], 1)


def _check_pairs(sounds: int, others: int, what: str) -> None:
    if others not in (1, sounds):
        raise ValueError(f"got {others} {what} for {sounds} sounds, expected {sounds} or 1.")
