"""The audio model and its conditions: known sound stays, pictures come in time, routes agree, sizes are right."""

import pytest
import torch
from torch import Tensor

from mediagen.audio.conditions import at_sound_rate, draw_clean, draw_drops, mentions_music, sound_prompt
from mediagen.audio.model import AudioConfig, AudioModel, SoundConditions
from mediagen.guidance import cfg
from mediagen.text.text import Text

SMALL = AudioConfig(
    latent_channels=4, width=32, depth=2, heads=2, text_widths=(12,), picture_width=6, longest=40, mixing=True
)
L = 20


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def model() -> AudioModel:
    """A small model whose every weight matters: nothing is zero any more."""
    torch.manual_seed(0)
    model = AudioModel(SMALL).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=rng(5)))
    return model


def fake_text(batch: int, words: int = 5, seed: int = 1) -> Text:
    mask = torch.arange(words)[None] < torch.arange(2, 2 + batch)[:, None].clamp(max=words)
    return Text((torch.randn(batch, words, 12, generator=rng(seed)) * mask[..., None],), (mask,))


def tell(text: Text, pictures: Tensor | None = None, known: Tensor | None = None, clean: Tensor | None = None):
    return SoundConditions(text=text, pictures=pictures, known=known, clean=clean)


def noise(batch: int, seed: int = 2) -> Tensor:
    return torch.randn(batch, 4, L, generator=rng(seed))


def given(batch: int) -> tuple[Tensor, Tensor]:
    return noise(batch, 3), torch.arange(L)[None].expand(batch, -1) < 6


@torch.no_grad()
def test_known_frames_stay_and_matter_and_their_noise_does_not(model: AudioModel) -> None:
    known, clean = given(2)
    prepared = model.prepare(tell(fake_text(2), None, known, clean), L)
    x = noise(2)
    velocity = model(x, 0.3, prepared)
    assert torch.equal(velocity[..., :6], torch.zeros(2, 4, 6))
    other = x.clone()
    other[..., :6] = 100.0
    assert torch.equal(model(other, 0.3, prepared), velocity)
    louder = model(x, 0.3, model.prepare(tell(fake_text(2), None, known * 2, clean), L))
    assert (louder[..., 6:] - velocity[..., 6:]).abs().max() > 1e-3
    unseen = model(x, 0.3, model.prepare(tell(fake_text(2), None, torch.where(clean[:, None], known, 50.0), clean), L))
    assert torch.equal(unseen, velocity), "what is not clean must not be read"


@torch.no_grad()
def test_a_sample_does_not_depend_on_its_batch_nor_on_padding(model: AudioModel) -> None:
    text, pictures = fake_text(3), torch.randn(3, L, 6, generator=rng(7))
    known, clean = given(3)
    x, t = noise(3), torch.tensor([0.1, 0.5, 0.9])
    together = model(x, t, model.prepare(tell(text, pictures, known, clean), L))
    for i in range(3):
        words = int(text.masks[0][i].sum())  # alone there is no padding
        alone = Text((text.parts[0][i : i + 1, :words],), (text.masks[0][i : i + 1, :words],))
        one = slice(i, i + 1)
        single = model(x[one], t[one], model.prepare(tell(alone, pictures[one], known[one], clean[one]), L))
        torch.testing.assert_close(single, together[one], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_rows_computed_beforehand_change_nothing(model: AudioModel) -> None:
    text, x = fake_text(2), noise(2)
    plain, rows = model.prepare(tell(text), L), model.prepare(tell(text), L, [0.25, 0.5])
    torch.testing.assert_close(model(x, 0.25, rows), model(x, torch.tensor([0.25, 0.25]), plain), rtol=1e-5, atol=1e-6)
    assert (model(x, 0.25, rows) - model(x, 0.5, rows)).abs().max() > 1e-3


@torch.no_grad()
def test_guidance_in_one_batch_is_two_plain_forwards(model: AudioModel) -> None:
    text, null, pictures = fake_text(2), fake_text(2, seed=9), torch.randn(2, L, 6, generator=rng(7))
    both = model.prepare(tell(Text.cat([text, null]), torch.cat((pictures, torch.zeros_like(pictures)))), L)
    x = noise(2)
    prompt = model(x, 0.4, model.prepare(tell(text, pictures), L))
    nothing = model(x, 0.4, model.prepare(tell(null), L))  # zeros are no pictures
    torch.testing.assert_close(cfg(model, both, 3.0)(x, 0.4), nothing + 3 * (prompt - nothing), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_pictures_are_added_at_their_own_frame(model: AudioModel) -> None:
    pictures = torch.ones(1, L, 6)
    later = pictures.clone()
    later[:, 12] = -1.0
    text = fake_text(1)
    change = (model.prepare(tell(text, later), L).added - model.prepare(tell(text, pictures), L).added).abs().sum(-1)[0]
    assert change[12] > 0 and change.count_nonzero() == 1


@pytest.mark.parametrize("fps", [8.0, 16.0, 24.0, 25.0, 50.0])
def test_an_event_in_the_pictures_keeps_its_time(fps: float) -> None:
    frames, length = round(4 * fps), 100
    seconds = (torch.arange(frames) + 0.5) / fps
    ramp = at_sound_rate(seconds[None, :, None], fps, length)[0, :, 0]  # each picture tells its own time
    truth = (torch.arange(length) + 0.5) / 25
    inside = (truth >= seconds[0]) & (truth <= seconds[-1])
    torch.testing.assert_close(ramp[inside], truth[inside])
    assert ramp[0] >= seconds[0] and ramp[-1] <= seconds[-1]
    window = at_sound_rate(seconds[None, :, None], fps, 30, start=1.2)[0, :, 0]
    torch.testing.assert_close(window, ramp[30:60])


def test_pictures_need_a_rate() -> None:
    with pytest.raises(ValueError, match="fps"):
        at_sound_rate(torch.zeros(1, 4, 6), 0, 10)
    with pytest.raises(ValueError, match="at least one picture"):
        at_sound_rate(torch.zeros(1, 0, 6), 16, 10)


def test_masks_follow_the_report() -> None:
    clean = draw_clean(4000, 1000, rng())  # long, so that rounding to whole frames does not count
    whole = ~clean.any(1)
    assert abs(whole.float().mean() - 0.5) < 0.05
    hidden = (~clean[~whole]).float().mean(1)
    assert hidden.min() >= 0.75 and hidden.max() <= 1.0 and abs(hidden.mean() - 0.88) < 0.02
    changes = (clean[~whole][:, 1:] != clean[~whole][:, :-1]).sum(1)
    assert changes.max() == 2, "one span is made"
    prefix = (clean[~whole][:, 0] & ~clean[~whole][:, -1]).float().mean()
    assert 0.45 < prefix < 0.65, "half of them go on from a beginning"
    assert not draw_clean(64, 1, rng()).any()


def test_drops_follow_the_report() -> None:
    text, pictures = draw_drops(20_000, rng())
    assert abs((text & pictures).float().mean() - (0.2 + 0.8 * 0.01)) < 0.01
    assert abs(text.float().mean() - (0.2 + 0.8 * 0.1)) < 0.01
    assert abs(pictures.float().mean() - (0.2 + 0.8 * 0.1)) < 0.01


def test_prompts_have_one_form() -> None:
    assert sound_prompt("A ball bounces.", "happy tune.") == "quality 8.0. music: happy tune. A ball bounces."
    assert sound_prompt("thuds", "") == "quality 8.0. music: no music. thuds"
    assert sound_prompt("thuds") == "quality 8.0. thuds"
    assert sound_prompt(None, "calm", quality=3) == "quality 3.0. music: calm. no effects"
    assert sound_prompt("", "") == "quality 8.0. music: no music."


def test_music_is_asked_for_by_its_names() -> None:
    assert all(mentions_music(words) for words in ("a ball, happy MUSIC", "soft piano", "a musical box", "two chords"))
    assert not any(mentions_music(words) for words in ("", "a ball bounces", "a fortune", "a tuned engine"))


def test_the_13b_preset_has_the_reports_size() -> None:
    with torch.device("meta"):
        model = AudioModel.from_preset("13b")
    count = sum(parameter.numel() for parameter in model.blocks.parameters())
    assert count == pytest.approx(12.23e9, rel=0.01)
    assert len(model.timestep.rows.weight) == 6 * 4608, "one timestep MLP for all layers"
    assert sum(parameter.numel() for parameter in model.parameters()) < 1.02 * count


def test_wrong_shapes_are_errors_at_the_door(model: AudioModel) -> None:
    text = fake_text(1)
    with pytest.raises(ValueError, match="expected 1 to 40; make longer sound in windows"):
        model.prepare(tell(text), 41)
    with pytest.raises(ValueError, match="pictures"):
        model.prepare(tell(text, torch.zeros(1, L + 1, 6)), L)
    with pytest.raises(ValueError, match="known"):
        model.prepare(tell(text, None, torch.zeros(1, 3, L), torch.zeros(1, L, dtype=torch.bool)), L)
    with pytest.raises(ValueError, match="expected one of debug, tiny, 13b"):
        AudioModel.from_preset("huge")
