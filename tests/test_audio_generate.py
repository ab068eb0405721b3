"""Making sound: exact lengths, known sound kept, seeds, time."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mediagen.audio.codec.model import Codec
from mediagen.audio.extend import Extension, Pictures
from mediagen.audio.generate import (
    SoundModels,
    SoundWay,
    SoundWords,
    extend_sound,
    fill_sound,
    generate_sound,
    see_pictures,
)
from mediagen.audio.model import AudioModel
from mediagen.audio.sampler import generate_latents
from mediagen.text.aligned import PRESETS as ALIGNED
from mediagen.text.aligned import AlignedEncoder
from mediagen.text.text import Text, TextEncoder
from mediagen.weights import load_model, save_model
from mediagen.world.draw import render
from mediagen.world.scene import draw_scene


@pytest.fixture(scope="module")
def models() -> SoundModels:
    torch.manual_seed(0)
    text, aligned = TextEncoder.from_preset("debug"), AlignedEncoder(ALIGNED["debug"])
    codec, audio = Codec.from_preset("debug"), AudioModel.from_preset("debug")
    torch.nn.init.normal_(audio.write.weight, std=0.2)
    return SoundModels(text.eval(), aligned.eval(), codec.eval(), audio.eval())


BALL = SoundWords(effects="a ball")


def way(steps: int) -> SoundWay:
    return SoundWay(plan=Extension(window=8.0), steps=steps)


@pytest.fixture(scope="module")
def pictures(models: SoundModels) -> Pictures:
    return see_pictures(models.aligned, render([draw_scene(3)])[0], 16)


@pytest.mark.parametrize("samples", [96_000, 95_999, 1, 1920, 1921])
def test_lengths_are_exact(models: SoundModels, pictures: Pictures, samples: int) -> None:
    sound = generate_sound(models, pictures, BALL, samples=samples, seed=0, way=way(1))
    assert sound.shape == (1, samples) and sound.dtype == torch.float32
    assert sound.abs().max() <= 1


def test_a_seed_is_a_sound(models: SoundModels, pictures: Pictures) -> None:
    def make(seed: int, prompt: str = "a ball", seen: Pictures | None = pictures) -> Tensor:
        return generate_sound(models, seen, SoundWords(effects=prompt), samples=30_000, seed=seed, way=way(2))

    state = torch.get_rng_state()
    first = make(4)
    assert torch.equal(first, make(4))
    assert torch.equal(state, torch.get_rng_state()), "the global random state is nobody's"
    assert not torch.equal(first, make(5))
    assert not torch.equal(first, make(4, prompt="a rocket roars"))
    assert not torch.equal(first, make(4, seen=None))


def test_known_sound_is_kept_and_gone_on_from(models: SoundModels, pictures: Pictures) -> None:
    known = torch.sin(torch.arange(20_000) * 0.05)[None] * 0.5
    sound = extend_sound(models, pictures, BALL, known, samples=48_000, seed=0, way=way(2))
    assert sound.shape == (1, 48_000) and torch.equal(sound[:, :20_000], known)
    loud = extend_sound(models, pictures, BALL, known * 1.9, samples=48_000, seed=0, way=way(2))
    assert not torch.equal(loud[:, 30_000:], sound[:, 30_000:]), "what follows depends on what was"


@pytest.mark.parametrize("gap", [(20_000, 45_000), (0, 9_000), (1_000_000, 1_048_000)])
def test_a_gap_is_filled_and_all_else_is_kept(models: SoundModels, gap: tuple[int, int]) -> None:
    samples = max(gap) + 96_000
    known = torch.sin(torch.arange(samples) * 0.05)[None] * 0.5
    hole = known.clone()
    hole[:, slice(*gap)] = 0.9
    sound, same = (fill_sound(models, None, BALL, given, gap, seed=0, way=way(1)) for given in (known, hole))
    first, last = gap
    assert torch.equal(sound[:, :first], known[:, :first]) and torch.equal(sound[:, last:], known[:, last:])
    assert torch.equal(sound, same), "what was there is not looked at"
    assert sound[:, first:last].abs().max() < 0.9 and sound[:, first:last].std() > 0
    for joint in (j for j in gap if 0 < j < samples):  # no step larger than those of the sound beside it
        assert sound[0, joint - 4 : joint + 4].diff().abs().max() < 0.05


@pytest.mark.parametrize(
    ("known", "gap"),
    [
        (torch.zeros(9600), (9600, 19_200)),
        (torch.zeros(1, 100), (100, 9600)),
        (torch.zeros(1, 48_000), (9_000, 8_000)),
        (torch.zeros(1, 48_000), (9_000, 49_000)),
        (torch.zeros(1, 30_000), (31_000, 40_000)),
        (torch.zeros(1, 30_000), (-5, 20_000)),
    ],
)
def test_known_sound_must_fit(models: SoundModels, known: Tensor, gap: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="known sound"):
        fill_sound(models, None, BALL, known, gap, seed=0, way=way(1))


def test_each_channel_is_filled_from_its_own_sound_and_goes_on_alike(models: SoundModels) -> None:
    left, right = (torch.sin(torch.arange(60_000) * pace)[None] * 0.5 for pace in (0.05, 0.3))
    both, gap, told = torch.cat((left, right)), (20_000, 40_000), list[int]()
    note = lambda index, t, x: told.append(index)  # noqa: E731
    filled = fill_sound(models, None, BALL, both, gap, seed=0, way=way(2), on_step=note)
    alone = [fill_sound(models, None, BALL, one, gap, seed=0, way=way(2)) for one in (left, right)]
    assert torch.equal(filled, torch.cat(alone)) and told == [0, 1, 2, 3]
    longer = extend_sound(models, None, BALL, both, samples=90_000, seed=0, way=way(1))
    assert torch.equal(longer[:, :60_000], both) and torch.equal(longer[0, 60_000:], longer[1, 60_000:])
    assert torch.equal(extend_sound(models, None, BALL, both, samples=50_000, seed=0), both[:, :50_000])


def test_candidates_are_held_against_the_pictures_of_their_own_time(models: SoundModels) -> None:
    shown: list[Tensor] = []

    class Scorer(torch.nn.Module):
        """Notes what it is shown; every sound is as good."""

        def text_score(self, sounds: Tensor, words: list[str]) -> Tensor:
            return torch.zeros(len(sounds))

        def picture_score(self, sounds: Tensor, pictures: Tensor, rate: float) -> Tensor:
            shown.append(pictures)
            return torch.zeros(len(sounds))

    judged, features = (
        replace(models, scorer=Scorer()),
        torch.arange(30.0)[None, :, None].expand(1, 30, models.audio.config.picture_width),
    )
    films, plan = Pictures(features, 1.0), Extension(window=4.0, context=1.0, hop=3.0)
    how = SoundWay(plan=plan, steps=1, candidates=2)
    known = 0.1 * torch.randn(1, 20 * 48_000, generator=torch.Generator().manual_seed(0))
    extend_sound(judged, films, BALL, known, samples=22 * 48_000, seed=0, way=how)
    last = shown[-1][0, :, 0]
    torch.testing.assert_close(last[[0, -1]], films.window(18 * 25, 100)[0, [0, -1], 0])


def test_guidance_leads_away_from_the_null(models: SoundModels) -> None:
    text, null = models.text.encode(["a red ball"]), models.text.encode([""])

    def make(prompt: Text, guidance: float) -> Tensor:
        rng = torch.Generator().manual_seed(0)
        return generate_latents(models.audio, prompt, null, 10, rng=rng, steps=1, guidance=guidance)

    torch.testing.assert_close(make(null, 5.0), make(null, 1.0), rtol=1e-5, atol=1e-5)
    plain, none = make(text, 1.0), make(null, 1.0)
    assert (make(text, 4.0) - none).norm() > 2 * (plain - none).norm()


def test_a_callback_can_cancel(models: SoundModels) -> None:
    seen: list[int] = []

    def stop(index: int, t: float, x: Tensor) -> None:
        seen.append(index)
        if index == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        generate_sound(models, None, BALL, samples=9600, seed=0, way=way(5), on_step=stop)
    assert seen == [0, 1]


def test_the_model_survives_the_disk(models: SoundModels, tmp_path: Path) -> None:
    save_model(models.audio, models.audio.config, tmp_path, half=False)
    again = load_model(AudioModel, tmp_path)
    for mine, theirs in zip(models.audio.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs)


def test_weights_of_bfloat16_make_the_same_sound_and_the_solver_adds_up_in_float32(models: SoundModels) -> None:
    def make(audio: AudioModel) -> Tensor:
        text, kept = models.text.encode(["a ball", ""]), torch.arange(40) < 10
        rng, known = torch.Generator().manual_seed(1), torch.ones(1, 8, 40)
        seen: list[torch.dtype] = []
        made = generate_latents(
            audio, text[:1], text[1:], 40, rng=rng, known=known, clean=kept[None], pictures=torch.ones(1, 40, 272),
            steps=2, on_step=lambda i, t, x: seen.append(x.dtype),
        )  # fmt: skip
        assert set(seen) == {torch.float32} and (made[..., :10] == 1).all()
        return made

    exact, half = make(models.audio), make(copy.deepcopy(models.audio).bfloat16())
    assert (half - exact).square().mean() < 0.02 * exact.square().mean()
