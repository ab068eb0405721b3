"""PersonalModel: the video model that is told a person beside the text (Movie Gen, section 5.1).

The face, all but it masked, goes through the picture tower of the aligned encoder; what the tower says of each patch,
and the face encoder's vector as four tokens, stand beside the text's tokens. Without a person it is the video model.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.nn.denoiser import Conditions, Prepared, Tensors
from mediagen.nn.transformer import Reading
from mediagen.personalize.arcface import SIZE
from mediagen.text.aligned import AlignedConfig, AlignedEncoder
from mediagen.video import VideoConfig, VideoModel

VECTOR_TOKENS = 4


@dataclass(frozen=True, kw_only=True)
class PersonalConfig(VideoConfig):
    """Sizes of a video model that takes a person. aligned: the encoder whose picture tower reads the face."""

    aligned: AlignedConfig = field(default_factory=AlignedConfig)


@dataclass(frozen=True, kw_only=True)
class PersonConditions(Conditions):
    """Conditions with a person: crop, the masked face, float (B, 3, 112, 112) in [-1, 1]; vector (B, 512), of the face
    encoder; present, bool (B,), whose sample has one. All None: nobody."""

    crop: Tensor | None = None
    vector: Tensor | None = None
    present: Tensor | None = None


class PersonTokens(nn.Module):
    """A face as tokens of text: one a patch of the picture tower, and four of the vector."""

    mean: Tensor
    std: Tensor

    def __init__(self, aligned: AlignedConfig, width: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            encoder = AlignedEncoder(aligned)
        self.size = encoder.size
        self.tower: Any = encoder.net.vision_model
        seen = int(self.tower.config.hidden_size)
        self.register_buffer("mean", encoder.mean.clone(), persistent=False)
        self.register_buffer("std", encoder.std.clone(), persistent=False)
        self.patches, self.patch_norm = nn.Linear(seen, width), nn.LayerNorm(width)
        self.vector, self.vector_norm = nn.Linear(SIZE, VECTOR_TOKENS * width), nn.LayerNorm(width)

    def forward(self, crop: Tensor, vector: Tensor) -> Tensor:
        """Tokens (B, M, D) of faces."""
        dtype = self.patches.weight.dtype
        small = F.interpolate(crop.float(), (self.size,) * 2, mode="bilinear", align_corners=False, antialias=True)
        pixels = (((small + 1) / 2 - self.mean) / self.std).to(dtype)
        states = self.tower(pixel_values=pixels).last_hidden_state[:, 1:]
        seen = self.patch_norm(self.patches(F.layer_norm(states, states.shape[-1:])))
        known = self.vector(F.normalize(vector, dim=1).to(dtype) * SIZE**0.5).unflatten(1, (VECTOR_TOKENS, -1))
        return torch.cat((seen, self.vector_norm(known)), dim=1)

    def freeze_tower(self, frozen: bool) -> None:
        """Whether training leaves the picture tower as it is: frozen in stages I and II, trained in III."""
        self.tower.requires_grad_(not frozen)
        # what makes the pooled state is never used here, and would have no gradient
        self.tower.post_layernorm.requires_grad_(False)


class PersonalModel(VideoModel):
    """A VideoModel with `PersonTokens`; given no person it computes what the VideoModel does, to the bit."""

    what = "personal video"
    Config = PersonalConfig
    PRESETS: ClassVar[dict[str, VideoConfig]] = {
        name: PersonalConfig.of(preset.to_dict()) for name, preset in VideoModel.PRESETS.items()
    }

    def __init__(self, config: PersonalConfig) -> None:
        super().__init__(config)
        self.person = PersonTokens(config.aligned, config.width)

    def read_text(self, conditions: Conditions, times: list[float] | None) -> Prepared:
        """As the VideoModel's, with the tokens of the person after those of the text."""
        told = super().read_text(conditions, times)
        if not isinstance(conditions, PersonConditions) or conditions.crop is None:
            return told
        assert conditions.vector is not None and conditions.present is not None
        first = told.readings[0]
        if not len(conditions.crop) == len(conditions.vector) == len(conditions.present) == len(first.states):
            raise ValueError(
                f"got {len(conditions.crop)} faces for {len(first.states)} prompts, expected one each; give theirs."
            )
        there = conditions.present.to(first.states.device)
        tokens = self.person(conditions.crop.to(first.states.device), conditions.vector.to(first.states.device))
        states = torch.cat((first.states, tokens * there[:, None, None]), dim=1)
        mask = torch.cat((first.mask, there[:, None, None, None].expand(-1, 1, 1, tokens.shape[1])), dim=-1)
        told.readings = [Reading(states, mask) for _ in told.readings]
        return told

    def take_tower(self, aligned: AlignedEncoder) -> None:
        """Begins with the picture tower of an aligned encoder; ValueError where it has other sizes."""
        tensors, own = aligned.net.vision_model.state_dict(), self.person.tower.state_dict()
        if {name: value.shape for name, value in tensors.items()} != {name: value.shape for name, value in own.items()}:
            raise ValueError(
                f"got an aligned encoder of {aligned.config.to_dict()}, expected this model's `aligned`; set it."
            )
        self.person.tower.load_state_dict(tensors)

    def grow(self, tensors: Tensors, old: VideoConfig) -> Tensors:
        """See `VideoModel.grow`; weights of a VideoModel leave the person's tokens as built."""
        return super().grow(tensors, old)
