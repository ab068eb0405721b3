"""The text encoders: any prompt goes in, others in the batch do not matter, and what is saved comes back."""

import logging
from pathlib import Path

import pytest
import torch
from transformers import T5EncoderModel

from mediagen.nn.conditions import TextProjection
from mediagen.text.aligned import PRESETS as ALIGNED
from mediagen.text.aligned import AlignedEncoder
from mediagen.text.encoders import EncoderConfig, quoted
from mediagen.text.text import Text, TextConfig, TextEncoder, with_fps
from mediagen.text.tokenizer import own_tokenizer, tokenize
from mediagen.train.tasks.aligned import AlignedTask, AlignedTaskConfig
from mediagen.train.tasks.prompt import HEADS, PromptReader, PromptTask, PromptTaskConfig, keep_encoder
from mediagen.weights import load_model, save_model


def small(kind: str) -> EncoderConfig:
    return EncoderConfig(kind=kind, width=32, layers=1, heads=2, ff=64)


THREE = TextConfig(encoders=(small("prompt"), small("character"), small("aligned")))
PROMPTS = ["", "a red ball", 'A sign says "Hi" in a very long and winding street at night.', "猫 🚀 Ünïcode"]


@pytest.fixture(scope="module")
def three() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(THREE).eval()


def test_padding_does_not_change_the_result(three: TextEncoder) -> None:
    together = three.encode(PROMPTS)
    for row, prompt in enumerate(PROMPTS):
        alone = three.encode([prompt])
        for part, mask, own in zip(together.parts, together.masks, alone.parts, strict=True):
            assert int(mask[row].sum()) == own.shape[1]
            torch.testing.assert_close(part[row, : own.shape[1]], own[0], atol=1e-5, rtol=1e-4)
            assert not part[row, own.shape[1] :].any()


def test_any_unicode_comes_back_from_the_tokenizer() -> None:
    tokenizer = own_tokenizer()
    for prompt in ("a red ball", "猫 🚀 ünïcode", "\u0661 ze\u200dro", "\x00\x07"):
        assert str(tokenizer.decode(tokenizer(prompt)["input_ids"], skip_special_tokens=True)).strip() == prompt
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert tokenize(tokenizer, [composed], 48)[0].tolist() == tokenize(tokenizer, [decomposed.upper()], 48)[0].tolist()


def test_only_quoted_text_reaches_the_character_encoder(three: TextEncoder) -> None:
    def spelt(prompt: str) -> torch.Tensor:
        return three.encode([prompt]).parts[1]

    assert torch.equal(spelt('a sign "Open"'), spelt("“Open” on a wall, don't worry"))
    assert not torch.equal(spelt('a sign "Open"'), spelt('a sign "open"'))
    assert torch.equal(spelt("a red ball"), spelt(""))
    assert quoted("it's 'one' and \"two words\"") == "one two words"


def test_words_and_frame_rates_reach_the_prompt_encoder(three: TextEncoder) -> None:
    assert with_fps("a red ball", 16.0) == "FPS-16 a red ball"
    first, second = three.encode([with_fps("a red ball", 16), with_fps("a red ball", 24)]).parts[0]
    assert not torch.allclose(first, second)
    first, second = three.encode(["A Red  ball", "a red ball "]).parts[0]
    assert torch.equal(first, second)


def test_a_long_prompt_is_cut_and_said_so(three: TextEncoder, caplog: pytest.LogCaptureFixture) -> None:
    long = "a red ball " * 40
    assert three.too_long([long, "a red ball"]) == [True, False]
    with caplog.at_level(logging.WARNING):
        text = three.encode([long])
    assert text.parts[0].shape[1] == 48 and "longer than 48 tokens" in caplog.text


def test_texts_are_cut_and_joined_by_rows(three: TextEncoder) -> None:
    text = three.encode(PROMPTS)
    joined = Text.cat([three.encode(PROMPTS[:2]), three.encode(PROMPTS[2:])])
    assert len(joined) == len(PROMPTS)
    for part, own, mask in zip(joined.parts, text.parts, text.masks, strict=True):
        torch.testing.assert_close(part, own, atol=1e-5, rtol=1e-4)
        assert mask.shape == part.shape[:2]
    assert torch.equal(text[1:3].parts[0], text.parts[0][1:3])
    with pytest.raises(ValueError, match="different encoders"):
        Text.cat([text, TextEncoder.from_preset("debug").encode(["a"])][::-1])


def test_projection_lays_the_encoders_end_to_end(three: TextEncoder) -> None:
    project = TextProjection(three.widths, 16)
    text = three.encode(PROMPTS)
    tokens, mask = project(text)
    assert tokens.shape == (len(PROMPTS), sum(part.shape[1] for part in text.parts), 16)
    assert torch.equal(mask, torch.cat(text.masks, 1)) and not tokens[~mask].any() and tokens[mask].any()
    with pytest.raises(ValueError, match="widths"):
        project(Text(text.parts[:1], text.masks[:1]))


def test_a_saved_encoder_reads_the_same(three: TextEncoder, tmp_path: Path) -> None:
    save_model(three, three.config, tmp_path, half=False)
    again = load_model(TextEncoder, tmp_path)
    assert again.config == three.config
    for part, own in zip(again.encode(PROMPTS).parts, three.encode(PROMPTS).parts, strict=True):
        assert torch.equal(part, own)


def test_public_weights_in_a_folder_read_as_in_transformers(three: TextEncoder, tmp_path: Path) -> None:
    net = three.parts[0].net
    assert isinstance(net, T5EncoderModel)
    net.save_pretrained(tmp_path)
    own_tokenizer().save_pretrained(tmp_path)
    public = TextEncoder(TextConfig(encoders=(EncoderConfig(source=str(tmp_path)),)))
    torch.testing.assert_close(public.encode(PROMPTS).parts[0], three.encode(PROMPTS).parts[0])
    with pytest.raises(ValueError, match="cannot be loaded"):
        TextEncoder(TextConfig(encoders=(EncoderConfig(source=str(tmp_path / "nothing")),)))


def test_wrong_settings_are_refused_at_the_door(three: TextEncoder) -> None:
    with pytest.raises(ValueError, match="kind"):
        EncoderConfig(kind="speech")
    with pytest.raises(ValueError, match="list"):
        three.encode("a red ball")
    with pytest.raises(ValueError, match="debug"):
        TextEncoder.from_preset("huge")


@pytest.fixture(scope="module")
def aligned() -> AlignedEncoder:
    torch.manual_seed(0)
    return AlignedEncoder(ALIGNED["debug"]).eval()


def test_aligned_vectors_have_length_one_and_do_not_depend_on_size(aligned: AlignedEncoder) -> None:
    frames = torch.randint(0, 256, (2, 3, 64, 64, 3), dtype=torch.uint8)
    seen = aligned.embed_frames(frames)
    assert seen.shape == (2, 3, aligned.space)
    torch.testing.assert_close(seen.norm(dim=-1), torch.ones(2, 3))
    torch.testing.assert_close(aligned.embed_frames(frames.movedim(-1, 1).float() / 127.5 - 1), seen)
    doubled = frames.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert (aligned.embed_frames(doubled) * seen).sum(-1).min() > 0.98
    alone, among = aligned.embed_text(["a red ball"])[0], aligned.embed_text(PROMPTS)[1]
    torch.testing.assert_close(alone, among, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="expected uint8"):
        aligned.embed_frames(frames[0])


def test_picture_features_know_where_things_are(aligned: AlignedEncoder) -> None:
    video = -torch.ones(1, 3, 2, 64, 64)
    video[:, :, 0, 48:] = 1  # below, then above
    video[:, :, 1, :16] = 1
    features = aligned.picture_features(video)
    assert features.shape == (1, 2, aligned.features)
    rows = features[..., aligned.space :][..., : aligned.grid * 32].unflatten(-1, (aligned.grid, 32))
    columns = features[..., aligned.space + aligned.grid * 32 :].unflatten(-1, (aligned.grid, 32))
    spread = rows.std(dim=2).mean()
    assert spread > 3 * columns.std(dim=2).mean()


def test_prompt_task_learns_and_leaves_an_encoder(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = PromptReader(TextConfig(encoders=(small("prompt"),)))
    task = PromptTask(model, PromptTaskConfig(batch=16, check=16))
    assert task.batch(3, 1, 2).captions == task.batch(7, 0, 1).captions
    rng, batch = torch.Generator().manual_seed(0), task.batch(0, 0, 1)
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(25):
        loss, _ = task.loss(model, batch, rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert set(task.preview(model, tmp_path / "preview", 0)) == set(HEADS)
    save_model(model, model.config, tmp_path / "export", half=False)
    kept = load_model(TextEncoder, keep_encoder(tmp_path / "export", tmp_path / "kept"))
    torch.testing.assert_close(kept.encode(PROMPTS).parts[0], model.text.encode(PROMPTS).parts[0], atol=2e-2, rtol=1e-2)


def test_aligned_task_finds_the_captions_of_a_batch_it_has_seen(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = AlignedEncoder(ALIGNED["debug"])
    task = AlignedTask(model, AlignedTaskConfig(batch=8, check=8, noise=0.0))
    assert torch.equal(task.batch(1, 1, 2).frames, task.batch(3, 0, 1).frames)
    rng, batch = torch.Generator().manual_seed(0), task.batch(0, 0, 1)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    figures = {}
    for _ in range(160):
        loss, figures = task.loss(model, batch, rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert figures["found"] > 0.9
    assert set(task.preview(model, tmp_path, 0)) == {"caption_found", "frame_found"}
