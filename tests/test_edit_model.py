"""The editing model: it starts as the video model, reads what stands beside, and edits films of any length."""

import pytest
import torch
from edit_toy import BASE, seeded, stirred, toy_edit, toy_tae, toy_text

from mediagen.edit.generate import EditWay, edit_film, edit_latent
from mediagen.edit.model import EditModel, edit_config
from mediagen.edit.windows import EditModels, Wish, count_windows, decode_windows, windows
from mediagen.nn.denoiser import Conditions
from mediagen.video import VideoModel
from mediagen.weights import save_model, start_from

SHAPE = (4, 4, 4)


@pytest.fixture(scope="module")
def models() -> EditModels:
    return EditModels(toy_text(), toy_edit(), toy_tae())


def film(frames: int) -> torch.Tensor:
    return torch.randint(0, 256, (frames, 32, 32, 3), generator=torch.Generator().manual_seed(4), dtype=torch.uint8)


def test_it_starts_as_the_video_model_whatever_stands_beside(tmp_path) -> None:
    base = seeded(lambda: VideoModel(BASE))
    torch.nn.init.normal_(base.read.weight, std=0.1)
    stirred(base)
    save_model(base, base.config, tmp_path, half=False)
    grown = seeded(lambda: EditModel(edit_config(BASE)), 5)
    left = start_from(grown, tmp_path)
    assert left and all(name.startswith("tasks.") for name in left)
    rng = torch.Generator().manual_seed(0)
    x, known, beside = (torch.randn(2, 4, *SHAPE, generator=rng) for _ in range(3))
    clean = torch.ones(2, 1, *SHAPE)
    told = Conditions(text=toy_text().encode(["make the ball blue", ""]), known=known, clean=clean)
    edits = Conditions(text=told.text, known=known, clean=clean, beside=beside, task=torch.tensor([-1, -1]))
    with torch.no_grad():
        was = base(x, 0.3, base.prepare(told, SHAPE))
        assert torch.allclose(grown(x, 0.3, grown.eval().prepare(edits, SHAPE)), was, atol=1e-6)
        grown.read.weight.add_(0.01)
        assert not torch.allclose(grown(x, 0.3, grown.prepare(edits, SHAPE)), was, atol=1e-3)


def test_a_frame_may_stand_anywhere_in_time() -> None:
    model, text = toy_edit(), toy_text().encode(["let it snow"])
    x = torch.randn(1, 4, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        made = [model(x, 0.5, model.prepare(Conditions(text=text), (2, 4, 4), first=first)) for first in (0, 2)]
        assert not torch.allclose(made[0], made[1])
        model.positions[0][2] = model.positions[0][0]
        again = model(x, 0.5, model.prepare(Conditions(text=text), (2, 4, 4), first=2))
        assert torch.allclose(made[0], again)
    with pytest.raises(ValueError, match="begin earlier"):
        model.prepare(Conditions(text=text), (4, 4, 4), first=3)


def test_guidance_has_a_scale_for_the_film_and_one_for_the_words(models: EditModels) -> None:
    rng = torch.Generator().manual_seed(2)
    beside, black = torch.randn(1, 4, *SHAPE, generator=rng), torch.zeros(1, 4, *SHAPE)

    def made(film_scale: float, text_scale: float, words: str = "make it day", task: int = 3, film=beside):
        text = models.text.encode([words, ""])
        way = EditWay(steps=3, film_scale=film_scale, text_scale=text_scale)
        return edit_latent(models.edit, text, film, black, task, rng=torch.Generator().manual_seed(0), way=way)

    assert torch.equal(made(1.0, 2.0), made(1.0, 2.0))
    plain = made(0.0, 0.0)  # neither the film nor the words
    assert torch.allclose(plain, made(0.0, 0.0, "let it rain", 5, -beside), atol=1e-5)
    assert torch.allclose(made(1.0, 0.0), made(1.0, 0.0, "let it rain", 5), atol=1e-5)
    assert not torch.allclose(made(1.0, 0.0), made(1.0, 0.0, film=-beside), atol=1e-3)
    assert not torch.allclose(made(1.0, 1.0), made(1.0, 1.0, "let it rain"), atol=1e-4)
    assert not torch.allclose(made(1.0, 1.0), made(1.0, 1.0, task=5), atol=1e-4)

    passes = list[int]()
    with pytest.MonkeyPatch.context() as patch:
        forward = models.edit.forward
        patch.setattr(models.edit, "forward", lambda x, t, prepared: passes.append(len(x)) or forward(x, t, prepared))
        for scales in ((1.0, 3.0), (1.0, 1.0), (2.0, 1.0)):
            near = made(scales[0] + 1e-6, scales[1])
            del passes[:]
            assert torch.allclose(made(*scales), near, atol=1e-3)
            assert {*passes} == {{(1.0, 3.0): 2, (1.0, 1.0): 1, (2.0, 1.0): 3}[scales]}  # what counts for nothing


@pytest.mark.parametrize("frames", [1, 7, 16, 17, 24, 30, 64])
def test_a_long_film_goes_in_windows_that_cover_it_once(models: EditModels, frames: int) -> None:
    wish = Wish(instruction="let it snow", frames=16, overlap=2)
    source = film(frames)
    whole = list(windows(source.split(5), models, wish))
    assert len(whole) == count_windows(frames, wish, 4)
    joined = torch.cat([piece[8 if index else 0 :] for index, piece in enumerate(whole)])
    assert torch.equal(joined[:frames], source) and len(joined) - frames < 8
    assert all(len(piece) <= 16 and len(piece) % 8 == 0 for piece in whole)


def test_a_film_is_edited_in_windows_of_which_each_knows_the_last(models: EditModels) -> None:
    wish = Wish(instruction="make the ball blue", frames=16, overlap=2, task=0)
    steps = []

    def edited(source: torch.Tensor, on_step=None) -> torch.Tensor:
        rng = torch.Generator().manual_seed(3)
        latents = edit_film(models, source.split(6), wish, rng=rng, way=EditWay(steps=2), on_step=on_step)
        return torch.cat(list(decode_windows(models, latents, 2)))

    source = film(30)
    made = edited(source, lambda index, t, x: steps.append(index))
    assert made.dtype == torch.uint8 and len(made) == 32 and steps == list(range(6))
    assert torch.equal(made, edited(source))
    other = source.clone()
    other[:8] = 255 - other[:8]  # what the second window knows of the first reaches what it makes
    assert not torch.equal(edited(other)[16:24], made[16:24])
    with pytest.raises(ValueError, match="without pictures"):
        list(windows([], models, wish))
