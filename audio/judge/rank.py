"""Choosing among candidates: which sound fits the words, the pictures and the layers asked for."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mediagen.audio.conditions import LATENT_RATE
from mediagen.audio.extend import Pictures, SoundDecoder
from mediagen.audio.judge.scorer import SoundScorer
from mediagen.grid import SOUND_HOP


@dataclass(frozen=True)
class Ranker:
    """Ranks candidates by a scorer; calling it is what `extend_latents` takes as `choose`.

    words: that the sound shall fit; "" for none.  pictures: that it shall be in time with, or None.  music, effects:
    whether they were asked for; what was not and is heard counts against a candidate.
    """

    scorer: SoundScorer
    decoder: SoundDecoder
    words: str
    pictures: Pictures | None
    music: bool
    effects: bool

    @torch.no_grad()
    def __call__(self, latents: Tensor, start: int, end: int) -> int:
        """The number of the best of latents (N, C, l), which are the frames `start` to `end` of the whole."""
        sounds = self.decoder.decode(latents, (end - start) * SOUND_HOP, first=start).clamp(-1, 1)
        score = torch.zeros(len(sounds), device=sounds.device)
        if self.words:
            score = score + self.scorer.text_score(sounds, [self.words])
        if self.pictures is not None:
            score = score + self.scorer.picture_score(sounds, self.pictures.window(start, end - start), LATENT_RATE)
        if not self.music:
            score = score - self.scorer.music_probability(sounds)
        if not self.effects:
            score = score - self.scorer.effects_probability(sounds)
        return int(score.argmax())
