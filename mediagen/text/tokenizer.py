"""Tokenizer of the small text encoders: byte-level word pieces learnt from the world's captions, for any Unicode."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

OWN_FILE = Path(__file__).parents[1] / "pretrained" / "tokenizer.json"
PAD, END, MASK = 0, 1, 2  # ids of the own tokenizer
_SPECIAL = ["<pad>", "</s>", "<mask>"]


def train_tokenizer(captions: Iterable[str], vocabulary: int = 1024) -> Tokenizer:
    """Learns byte pairs from `captions` (lower case, NFC); equal captions give an equal tokenizer.

    The 256 bytes are in the vocabulary, so that there are no unknown words; every text ends by "</s>".
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=_SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", END)])
    return tokenizer


@lru_cache(maxsize=4)
def own_tokenizer(file: str = "") -> PreTrainedTokenizerFast:
    """The packaged tokenizer of the default models, or the one in `file`, a tokenizer.json."""
    path = Path(file) if file else OWN_FILE
    if not path.is_file():
        raise ValueError(f"got no tokenizer at {path}; expected a tokenizer.json, make one with recipes/tokenizer.py.")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(path), pad_token="<pad>", eos_token="</s>", mask_token="<mask>"
    )
    tokenizer.padding_side = "right"
    return tokenizer


def clean(prompt: str) -> str:
    """NFC, with single spaces: so that two spellings of the same characters are one prompt."""
    return " ".join(unicodedata.normalize("NFC", prompt).split())


def tokenize(tokenizer: PreTrainedTokenizerBase, prompts: list[str], tokens: int) -> tuple[Tensor, Tensor, list[bool]]:
    """Ids (B, M) and mask (B, M), True on tokens, M <= tokens; and for each prompt whether it was cut to fit."""
    whole = tokenizer([clean(prompt) for prompt in prompts], truncation=False, verbose=False)["input_ids"]
    rows = [row if len(row) <= tokens else [*row[: tokens - 1], row[-1]] for row in whole]
    length = max(len(row) for row in rows)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else PAD
    ids = torch.tensor([[*row, *[pad] * (length - len(row))] for row in rows])
    mask = torch.tensor([[i < len(row) for i in range(length)] for row in rows])
    return ids, mask, [len(row) > tokens for row in whole]
