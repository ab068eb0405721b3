"""The story of a film of several scenes: where each lies, how one goes over into the next, which sounds go together.

Phenaki (arXiv 2210.02399, section 2.3) makes a story by going on from the last frames with the next prompt; a cut
begins anew, a dissolve lays the end of one scene over the beginning of the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

Transition = Literal["continue", "cut", "dissolve"]
TRANSITIONS: tuple[str, ...] = get_args(Transition)


@dataclass(frozen=True)
class Timeline:
    """Scenes in time, in frames. lengths: of the scenes.  transitions: into each of them; that of the first counts for
    nothing.  overlap: of a dissolve, at most half of the shorter of its two scenes."""

    lengths: tuple[int, ...]
    transitions: tuple[Transition, ...]
    overlap: int = 0

    def overlap_at(self, index: int) -> int:
        """How many frames scene `index` shares with the one before."""
        if index == 0 or self.transitions[index] != "dissolve":
            return 0
        return min(self.overlap, self.lengths[index - 1] // 2, self.lengths[index] // 2)

    @property
    def starts(self) -> list[int]:
        """The frame at which each scene begins to be seen."""
        starts = [0]
        for index in range(1, len(self.lengths)):
            starts.append(starts[-1] + self.lengths[index - 1] - self.overlap_at(index))
        return starts

    @property
    def turns(self) -> list[int]:
        """The frame at which each scene's words begin to be heard: its first, or the middle of its dissolve."""
        return [start + self.overlap_at(index) // 2 for index, start in enumerate(self.starts)]

    @property
    def frames(self) -> int:
        """Of the film: what the scenes have together, less what dissolves share."""
        return self.starts[-1] + self.lengths[-1]

    def runs(self, music: bool) -> list[list[int]]:
        """Scenes whose sound goes on from one to the next: with music all of them, else those between two cuts."""
        runs: list[list[int]] = []
        for index, transition in enumerate(self.transitions):
            if runs and (music or transition == "continue"):
                runs[-1].append(index)
            else:
                runs.append([index])
        return runs

    def join(self, scenes: Sequence[Tensor]) -> Tensor:
        """The film, uint8 (F, H, W, 3), of the scenes' frames."""
        film = torch.empty(self.frames, *scenes[0].shape[1:], dtype=torch.uint8)
        for index, (start, frames) in enumerate(zip(self.starts, scenes, strict=True)):
            shared = self.overlap_at(index)
            if shared:
                share = (torch.arange(1, shared + 1) / (shared + 1)).view(-1, 1, 1, 1)
                under = film[start : start + shared].float()
                film[start : start + shared] = under.lerp(frames[:shared].float(), share).round().to(torch.uint8)
            film[start + shared : start + len(frames)] = frames[shared:]
        return film
