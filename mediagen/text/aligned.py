"""Aligned encoder: pictures and words in one space (the CLIP family), for conditions and for measures."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoTokenizer, CLIPConfig, CLIPModel, PreTrainedTokenizerBase

from mediagen.config import Config
from mediagen.media.clip import to_float
from mediagen.text.encoders import EncoderConfig, clip_text_config, quiet
from mediagen.text.tokenizer import own_tokenizer, tokenize

_CHUNK = 256  # pictures at once, which bounds the memory
_PUBLIC_MEAN, _PUBLIC_STD = (0.4815, 0.4578, 0.4082), (0.2686, 0.2613, 0.2758)  # of CLIP's pictures in [0, 1]


@dataclass(frozen=True, kw_only=True)
class AlignedConfig(Config):
    """An aligned encoder.

    source: name or folder of a public CLIP in transformers' layout (download: fetch it where it is missing); "" builds
    one of the sizes below.  size, patch: of pictures, pixels.  width, heads, ff: of both towers.  layers: of the
    picture tower.  text_layers, tokens: of the text tower.  space: width of the common space.
    """

    source: str = ""
    download: bool = False
    size: int = 64
    patch: int = 8
    width: int = 128
    heads: int = 4
    ff: int = 384
    layers: int = 3
    text_layers: int = 2
    tokens: int = 48
    space: int = 64
    tokenizer: str = ""


PRESETS: dict[str, AlignedConfig] = {
    "tiny": AlignedConfig(),
    "debug": AlignedConfig(patch=16, width=32, heads=2, ff=64, layers=2, text_layers=1, space=16),
    "paper": AlignedConfig(source="facebook/metaclip-h14-fullcc2.5b", tokens=77),
}


class AlignedEncoder(nn.Module):
    """A CLIP: `embed_text` and `embed_frames` give unit vectors of one space, near where words fit the picture."""

    Config: ClassVar = AlignedConfig
    mean: Tensor
    std: Tensor

    def __init__(self, config: AlignedConfig) -> None:
        super().__init__()
        self.config = config
        self.tokenizer, self.net = _public(config) if config.source else _own(config)
        sizes: Any = self.net.config
        self.size = int(sizes.vision_config.image_size)
        self.grid = self.size // int(sizes.vision_config.patch_size)
        self.space = int(sizes.projection_dim)
        self.features = self.space + 2 * self.grid * int(sizes.vision_config.hidden_size)
        mean, std = (_PUBLIC_MEAN, _PUBLIC_STD) if config.source else ((0.5,) * 3, (0.5,) * 3)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    @torch.no_grad()
    def embed_text(self, prompts: list[str]) -> Tensor:
        """Unit vectors (B, D) of `prompts`; one that is too long is cut."""
        ids, mask, _ = tokenize(self.tokenizer, prompts, self.config.tokens)
        return self.read(ids.to(self.mean.device), mask.to(self.mean.device))

    @torch.no_grad()
    def embed_frames(self, frames: Tensor) -> Tensor:
        """Unit vectors (B, F, D) of uint8 frames (B, F, H, W, 3), or video (B, 3, F, H, W) in [-1, 1]; any size."""
        pictures, shape = self._pictures(frames)
        return torch.cat([self.see(chunk) for chunk in pictures.split(_CHUNK)]).unflatten(0, shape)

    @torch.no_grad()
    def picture_features(self, video: Tensor) -> Tensor:
        """Features (B, F, `features`) of each frame that tell what is there AND where.

        The unit vector, then the mean of each row and of each column of the last patch grid that the vector is made
        from: the input of the last layer, normalised (its output has no gradient in training). video: as above.
        """
        pictures, shape = self._pictures(video)
        rows = []
        for chunk in pictures.split(_CHUNK):
            vector, patches = self.look(chunk)
            grid = patches.unflatten(1, (self.grid, self.grid))
            rows.append(torch.cat([vector, grid.mean(2).flatten(1), grid.mean(1).flatten(1)], dim=1))
        return torch.cat(rows).unflatten(0, shape)

    def look(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors (N, D) and normalised patch states (N, patches, width) of pictures made by `standardise`."""
        seen = self.net.vision_model(pixel_values=pictures, output_hidden_states=True)
        vectors = functional.normalize(self.net.visual_projection(seen.pooler_output), dim=-1)
        return vectors, functional.layer_norm(seen.hidden_states[-2][:, 1:], seen.hidden_states[-2].shape[-1:])

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Unit vectors (B, D) of token ids (B, M) with mask (B, M)."""
        read = self.net.text_model(input_ids=ids, attention_mask=mask.long())
        return functional.normalize(self.net.text_projection(read.pooler_output), dim=-1)

    def see(self, pictures: Tensor) -> Tensor:
        """Unit vectors (N, D) of pictures (N, 3, size, size) as `standardise` makes them."""
        seen = self.net.vision_model(pixel_values=pictures)
        return functional.normalize(self.net.visual_projection(seen.pooler_output), dim=-1)

    def scale(self) -> Tensor:
        """Inverse temperature of the contrast, at most 100 (CLIP, section 2.5)."""
        return self.net.logit_scale.clamp(max=4.6052).exp()

    def standardise(self, pictures: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [-1, 1] to (N, 3, size, size), with the spread that the picture tower expects."""
        pictures = pictures.to(self.mean.device, self.net.visual_projection.weight.dtype)
        if pictures.shape[-2:] != (self.size, self.size):
            smaller = min(pictures.shape[-2:]) > self.size
            size = (self.size, self.size)
            pictures = functional.interpolate(pictures, size, mode="bilinear", align_corners=False, antialias=smaller)
        return ((pictures + 1) / 2 - self.mean) / self.std

    def _pictures(self, frames: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Standardised pictures (B * F, 3, size, size), and (B, F)."""
        if frames.ndim == 5 and frames.dtype == torch.uint8 and frames.shape[-1] == 3:
            frames = to_float(frames)
        if frames.ndim != 5 or not frames.is_floating_point() or frames.shape[1] != 3:
            raise ValueError(
                f"got frames {frames.dtype} {tuple(frames.shape)}; "
                "expected uint8 (B, F, H, W, 3) or float (B, 3, F, H, W)."
            )
        shape = (frames.shape[0], frames.shape[2])
        return self.standardise(frames.transpose(1, 2).flatten(0, 1)), shape


def _own(config: AlignedConfig) -> tuple[PreTrainedTokenizerBase, Any]:
    tokenizer = own_tokenizer(config.tokenizer)
    part = EncoderConfig(
        kind="aligned",
        tokens=config.tokens,
        width=config.width,
        layers=config.text_layers,
        heads=config.heads,
        ff=config.ff,
    )
    pictures = {
        "image_size": config.size,
        "patch_size": config.patch,
        "hidden_size": config.width,
        "intermediate_size": config.ff,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "projection_dim": config.space,
    }
    words = clip_text_config(len(tokenizer), part, config.space).to_dict()
    return tokenizer, CLIPModel(CLIPConfig(text_config=words, vision_config=pictures, projection_dim=config.space))


def _public(config: AlignedConfig) -> tuple[PreTrainedTokenizerBase, Any]:
    with quiet():
        try:
            net = CLIPModel.from_pretrained(config.source, local_files_only=not config.download)
            tokenizer = AutoTokenizer.from_pretrained(config.source, local_files_only=not config.download)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"got the aligned encoder '{config.source}', which cannot be loaded ({str(error).splitlines()[0]}); "
                "give a folder with its weights, or set download to true."
            ) from None
    return tokenizer, net.eval()
