"""The rewriter's student: what a teacher says, what the filter keeps, and that it can be learned."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mediagen.text.prompts.meaning import Meaning
from mediagen.text.prompts.reading import language_of
from mediagen.text.prompts.student import Student, classes_of, meaning_from
from mediagen.text.prompts.teachers import Instruct, Rules, kept, pairs
from mediagen.train.tasks.rewrite import RewriteTask, RewriteTaskConfig

SAID = Meaning.of({"place": "meadow", "things": [{"kind": "ball", "colour": "red", "motion": "bounces"}]})


def test_the_rules_put_captions_in_other_words_and_languages_and_most_are_kept() -> None:
    made = pairs(Rules(), "train", 0, 300)
    assert len(made) > 240
    assert made == pairs(Rules(), "train", 0, 300), "a pair is a function of its number"
    assert {language_of(prompt) for prompt, _ in made} == {"en", "de", "fr", "es", "pt", "zh"}


def test_the_filter_keeps_what_means_the_same_and_no_unknown_word() -> None:
    assert kept("crimson sphere hopping on grass", SAID)
    assert not kept("blue sphere hopping on grass", SAID)
    assert not kept("crimson sphere hopping on grass with a wizard", SAID)


def test_classes_are_a_meaning_and_back() -> None:
    for _, truth in pairs(Rules(), "train", 0, 200):
        again = meaning_from(classes_of(truth))
        assert classes_of(again) == classes_of(truth)
        assert again.canonical.things == truth.canonical.things and again.place == truth.place


def test_an_instruct_model_answers_in_one_line_and_gibberish_is_dropped() -> None:
    heard: list[str] = []

    def complete(texts: list[str]) -> list[str]:
        heard.extend(texts)
        return [
            " a scarlet ball hops on the lawn\nCaption: more" if "ball" in text.split("\n")[-2] else ""
            for text in texts
        ]

    free = Instruct(complete).free([("-", SAID)], np.random.default_rng(0))
    assert free == ["a scarlet ball hops on the lawn"] and heard[0].endswith("a red ball bounces in a meadow\nPrompt:")
    task = RewriteTask(
        Student(Student.PRESETS["debug"]), RewriteTaskConfig(teacher="x", taught=8), Instruct(lambda t: [""] * len(t))
    )
    with pytest.raises(ValueError, match="the filter kept none"):
        task.batch(0, 0, 1)


def test_a_teacher_is_read_from_a_folder(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = {"<s>": 0, "<e>": 1, "<u>": 2, "a": 3, "red": 4, "ball": 5, "Caption": 6, "Prompt": 7, ":": 8}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<u>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<e>", unk_token="<u>").save_pretrained(tmp_path)
    shape = LlamaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        eos_token_id=1, bos_token_id=0,
    )  # fmt: skip
    LlamaForCausalLM(shape).save_pretrained(tmp_path)
    teacher = Instruct.from_pretrained(tmp_path)
    answers = teacher.free([("-", SAID), ("-", SAID)], np.random.default_rng(0))
    assert len(answers) == 2 and all("\n" not in answer for answer in answers)
    with pytest.raises(ValueError, match=r"teacher: got '.*nothing', which cannot be read"):
        Instruct.from_pretrained(tmp_path / "nothing")


def test_a_student_learns_a_batch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = RewriteTask(Student(Student.PRESETS["debug"]), RewriteTaskConfig(batch=16, check=8))
    batch, rng = task.batch(0, 0, 1), torch.Generator().manual_seed(0)
    step = torch.optim.AdamW(task.model.parameters(), 3e-3)
    losses = []
    for _ in range(40):
        loss, _ = task.loss(task.model, batch, rng)
        step.zero_grad()
        loss.backward()
        step.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    figures = task.preview(task.model, tmp_path, 40)
    assert 0 <= figures["right"] <= 1 and (tmp_path / "misread.txt").exists()
