"""Encoders: one text encoder of the T5, ByT5 or CLIP family, from public weights or built small, behind one face."""

import logging
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoTokenizer,
    ByT5Tokenizer,
    CLIPTextConfig,
    CLIPTextModel,
    PreTrainedTokenizerBase,
    T5Config,
    T5EncoderModel,
    UMT5EncoderModel,
)
from transformers.utils import logging as library_logging

from mediagen.config import Config
from mediagen.text.tokenizer import END, PAD, own_tokenizer, tokenize

logger = logging.getLogger(__name__)
ENCODERS = ("prompt", "character", "aligned")
_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|(?<!\w)\'([^\']+)\'(?!\w)')


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(Config):
    """One text encoder.

    kind: "prompt" (T5 family, reads the whole prompt), "character" (ByT5, spells what stands in quotation marks) or
    "aligned" (text tower of a CLIP).  source: name or folder of public weights in transformers' layout; "" builds an
    encoder of the sizes below.  tokens: the longest text, what is longer is cut.  tokenizer: a tokenizer.json for an
    own encoder; "" is the packaged one.
    """

    kind: str = "prompt"
    source: str = ""
    tokens: int = 48
    width: int = 128
    layers: int = 3
    heads: int = 4
    ff: int = 384
    tokenizer: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ENCODERS:
            raise ValueError(f"got an encoder of kind '{self.kind}', expected one of {', '.join(ENCODERS)}.")
        if self.tokens < 2 or self.width % self.heads:
            raise ValueError(
                f"got {self.tokens} tokens, width {self.width} and {self.heads} heads; expected 2 tokens or more and a "
                "width that the heads divide."
            )


class Encoder(nn.Module):
    """One text encoder: `net` is the transformers model; public weights and own ones look the same from outside."""

    def __init__(self, config: EncoderConfig, tokenizer: PreTrainedTokenizerBase, net: nn.Module) -> None:
        super().__init__()
        self.config, self.tokenizer, self.net = config, tokenizer, net
        sizes: Any = net.config
        self.width = int(getattr(sizes, "d_model", 0) or sizes.hidden_size)
        self._told = False

    @classmethod
    def of(cls, config: EncoderConfig, download: bool = False) -> Self:
        """The encoder that `config` describes; raises ValueError where its public weights can't be had."""
        return cls(config, *(_public(config, download) if config.source else _own(config)))

    def tokenize(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor, list[bool]]:
        """Ids (B, M), mask (B, M), and which prompts were cut."""
        if self.config.kind == "character":
            prompts = [quoted(prompt) for prompt in prompts]
        return tokenize(self.tokenizer, list(prompts), self.config.tokens)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """States (B, M, D) of the tokens `ids` (B, M), zero where `mask` is False."""
        states = self.net(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return states * mask[..., None].to(states.dtype)

    def encode(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """States (B, M, D) and mask (B, M)."""
        ids, mask, cut = self.tokenize(prompts)
        if any(cut) and not self._told:
            self._told = True
            logger.warning("a prompt is longer than %d tokens; the rest of it is not read.", self.config.tokens)
        device = next(self.parameters()).device
        mask = mask.to(device)
        return self(ids.to(device), mask), mask


def quoted(prompt: str) -> str:
    """What stands in quotation marks in `prompt`, "" for nothing: the words that should be readable in the picture."""
    found = _QUOTED.findall(unicodedata.normalize("NFC", prompt))
    return " ".join(next(part for part in groups if part) for groups in found)


def t5_config(vocabulary: int, config: EncoderConfig) -> T5Config:
    """transformers' configuration of an own T5-like encoder; no dropout, so that training and use are one function."""
    return T5Config(
        vocab_size=vocabulary,
        d_model=config.width,
        d_kv=config.width // config.heads,
        d_ff=config.ff,
        num_layers=config.layers,
        num_heads=config.heads,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=False,
        use_cache=False,
    )


def clip_text_config(vocabulary: int, config: EncoderConfig, projection: int = 64) -> CLIPTextConfig:
    """transformers' configuration of an own CLIP text tower over the own tokenizer."""
    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=config.width,
        intermediate_size=config.ff,
        projection_dim=projection,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        max_position_embeddings=config.tokens,
        pad_token_id=PAD,
        bos_token_id=END,
        eos_token_id=END,
    )


def _own(config: EncoderConfig) -> tuple[PreTrainedTokenizerBase, nn.Module]:
    if config.kind == "character":
        spelling = ByT5Tokenizer()
        return spelling, T5EncoderModel(t5_config(len(spelling), config))
    tokenizer = own_tokenizer(config.tokenizer)
    if config.kind == "aligned":
        return tokenizer, CLIPTextModel(clip_text_config(len(tokenizer), config))
    return tokenizer, T5EncoderModel(t5_config(len(tokenizer), config))


def _public(config: EncoderConfig, download: bool) -> tuple[PreTrainedTokenizerBase, nn.Module]:
    offline: dict[str, Any] = {"local_files_only": not download}
    with quiet():
        try:
            family = AutoConfig.from_pretrained(config.source, **offline).model_type
            if config.kind == "aligned":
                net: nn.Module = CLIPTextModel.from_pretrained(config.source, **offline)
            else:
                model = UMT5EncoderModel if family == "umt5" else T5EncoderModel
                net = model.from_pretrained(config.source, dropout_rate=0.0, **offline)
            byte_level = config.kind == "character"
            tokenizer = ByT5Tokenizer() if byte_level else AutoTokenizer.from_pretrained(config.source, **offline)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"got the text encoder '{config.source}', which cannot be loaded ({str(error).splitlines()[0]}); "
                "give a folder with its weights, or set download to true."
            ) from None
    return tokenizer, net.eval()


@contextmanager
def quiet() -> Iterator[None]:
    """transformers reports on loading to the terminal; here it doesn't."""
    level = library_logging.get_verbosity()
    bars = library_logging.is_progress_bar_enabled()
    library_logging.set_verbosity_error()
    library_logging.disable_progress_bar()
    try:
        yield
    finally:
        library_logging.set_verbosity(level)
        if bars:
            library_logging.enable_progress_bar()
