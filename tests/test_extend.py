"""Long sound: every frame is made once, what is known stays, windows agree, and chunks decode as the whole."""

from typing import Any

import pytest
import torch
from torch import Tensor

from mediagen.audio.codec.model import Codec
from mediagen.audio.extend import Extension, Pictures, count_steps, decode_chunks, extend_latents, segments
from mediagen.audio.model import AudioModel, SoundConditions
from mediagen.audio.sampler import Given, Guidance, guided
from mediagen.guidance import cfg, cfg_two
from mediagen.text.text import Text

CHANNELS, LENGTH = 8, 120


def words(batch: int = 1) -> Text:
    tokens = torch.randn(1, 5, 32, generator=torch.Generator().manual_seed(5)).expand(batch, -1, -1)
    return Text((tokens,), (torch.ones(batch, 5, dtype=torch.bool),))


@pytest.fixture(scope="module")
def audio() -> AudioModel:
    torch.manual_seed(0)
    model = AudioModel.from_preset("debug").eval()
    torch.nn.init.normal_(model.write.weight, std=0.3)
    return model


def tell(text: Text, pictures: Tensor | None = None, known: Tensor | None = None, clean: Tensor | None = None):
    return SoundConditions(text=text, pictures=pictures, known=known, clean=clean)


def plan(method: str, merge: str = "triangle") -> Extension:
    return Extension(method=method, window=1.6, context=0.4, hop=0.8, merge=merge)  # 40, 10 and 20 frames


def make(audio: AudioModel, how: Extension, known: range = range(0), **more) -> Tensor:  # type: ignore[no-untyped-def]
    latent = torch.zeros(1, CHANNELS, LENGTH)
    clean = torch.zeros(1, LENGTH, dtype=torch.bool)
    latent[..., list(known)], clean[:, list(known)] = 0.5, True
    rng = torch.Generator().manual_seed(3)
    with torch.no_grad():
        return extend_latents(audio, words(), words(), latent, clean, rng=rng, plan=how, **{"steps": 2, **more})


@pytest.mark.parametrize("known", [range(0), range(30), range(90, 120), range(0, 120, 7)])
def test_segments_cover_what_is_missing_once_and_know_what_came_before(known: range) -> None:
    clean = torch.zeros(1, LENGTH, dtype=torch.bool)
    clean[:, list(known)] = True
    made = clean.clone()
    for start, first, end in segments(clean, plan("segments")):
        assert 0 <= start <= first < end <= LENGTH and end - start <= 40
        assert not made[0, first] and made[0, start:first].all()
        assert first - start >= min(first, 10)
        made[:, start:end] = True
    assert made.all()


@pytest.mark.parametrize("method", ["segments", "blend"])
def test_known_frames_stay_and_the_rest_is_made(audio: AudioModel, method: str) -> None:
    known = range(40, 60)
    latent = make(audio, plan(method), known)
    assert (latent[..., list(known)] == 0.5).all()
    rest = [i for i in range(LENGTH) if i not in known]
    assert (latent[..., rest].std(-1) > 0.1).all() and latent.isfinite().all()


@torch.no_grad()
@pytest.mark.parametrize("guidance", [3.0, (3.0, 5.0)])
def test_guidance_leads_from_knowing_nothing_to_what_is_known(audio: AudioModel, guidance: Guidance) -> None:
    rng = torch.Generator().manual_seed(7)
    latent, noise = (torch.randn(2, CHANNELS, 40, generator=rng) for _ in range(2))
    pictures, clean = torch.randn(2, 40, 272, generator=rng), (torch.arange(40) < 15).expand(2, -1)
    text, null = words(2), Text((torch.zeros(1, 1, 32),), (torch.ones(1, 1, dtype=torch.bool),))
    given, t = Given(latent, clean, noise), 0.3
    x = given.start() + 0.1
    found = guided(audio, text, null, 40, pictures, given, [t], guidance)(x, t)
    whole = audio(x, t, audio.prepare(tell(text, pictures, latent, clean), 40))
    blind = audio(x, t, audio.prepare(tell(text, torch.zeros_like(pictures), latent, clean), 40))
    as_if_made = torch.where(clean[:, None], t * latent + (1 - t) * noise, x)
    nothing = audio(as_if_made, t, audio.prepare(tell(Text.cat([null, null]), torch.zeros_like(pictures)), 40))
    first, second = guidance if isinstance(guidance, tuple) else (guidance, guidance)
    expected = nothing + first * (blind - nothing) + second * (whole - blind)
    torch.testing.assert_close(found, expected * ~clean[:, None], rtol=1e-4, atol=1e-5)
    assert (found[..., :15] == 0).all() and (whole - nothing)[..., 15:].abs().max() > 0.1


@pytest.mark.parametrize("method", ["segments", "blend"])
def test_a_sound_of_one_window_is_the_same_by_every_method(audio: AudioModel, method: str) -> None:
    short = Extension(method=method, window=1.6, context=0.4, hop=0.8)
    latent, clean = torch.zeros(1, CHANNELS, 40), torch.zeros(1, 40, dtype=torch.bool)
    with torch.no_grad():
        rng = torch.Generator().manual_seed(3)
        one = extend_latents(audio, words(), words(), latent, clean, rng=rng, plan=short, steps=2)
    segmented = make(audio, plan("segments"))[..., :40]
    torch.testing.assert_close(one, segmented)


def test_merges_weigh_the_windows(audio: AudioModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """With windows that each say their own number, a frame's velocity is the weighted mean of those over it."""
    starts = iter([1.0, 2.0, 3.0, 4.0, 5.0] * 4)

    def guided(*_: object):  # type: ignore[no-untyped-def]
        number = next(starts)
        return lambda x, t: torch.full_like(x, number)

    monkeypatch.setattr("mediagen.audio.extend.guided", guided)
    rng = torch.Generator().manual_seed(3)
    noise = torch.randn(1, CHANNELS, LENGTH, generator=rng)
    moved = make(audio, plan("blend", "uniform"), steps=1) - noise
    expected = torch.tensor([1.0, 1.5, 2.5, 3.5, 4.5, 5.0]).repeat_interleave(20).expand_as(moved)
    torch.testing.assert_close(moved, expected)
    moved = (make(audio, plan("blend"), steps=1) - noise)[0, 0]
    rise = torch.arange(1, 21) / 21  # of the later window's share
    torch.testing.assert_close(moved[20:40], 1 + rise)
    torch.testing.assert_close(moved[:20], torch.ones(20))


def test_every_window_has_noise_of_its_own() -> None:
    """A fresh model moves nothing, so that what it makes is the noise it began with."""
    latent = make(AudioModel.from_preset("debug").eval(), plan("segments"))
    assert 0.8 < latent.std() < 1.2
    windows = [latent[..., start : start + 30] for start in (0, 40, 70)]  # new frames of the three windows
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (windows[one] - windows[other]).abs().mean() > 0.8, "two windows began with the same noise"


def test_memory_holds_one_window_of_conditions(audio: AudioModel, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []
    prepare = AudioModel.prepare
    monkeypatch.setattr(
        AudioModel, "prepare", lambda self, told, n, *a: lengths.append(n) or prepare(self, told, n, *a)
    )
    for method in ("segments", "blend"):
        make(audio, plan(method))
    assert max(lengths) == 40


def test_pictures_keep_their_time_in_every_window(audio: AudioModel, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = (torch.arange(77) + 0.5) / 16  # each picture tells its own time
    pictures = Pictures(seconds[None, :, None].expand(1, -1, 272), 16.0)
    seen = []
    prepare = AudioModel.prepare

    def spy(self, told, *rest):  # type: ignore[no-untyped-def]
        seen.append(told.pictures[0, :, 0])
        return prepare(self, told, *rest)

    monkeypatch.setattr(AudioModel, "prepare", spy)
    make(audio, plan("segments"), pictures=pictures, guidance=1.0)
    told = [float(part[0]) * 25 - 0.5 for part in seen]
    assert told == pytest.approx(
        [start for start, _, _ in segments(torch.zeros(1, LENGTH).bool(), plan("segments"))], abs=0.4
    )
    assert float(pictures.since(25).window(5, 1)[0, 0, 0]) == pytest.approx(30.5 / 25)


def test_the_best_candidate_is_kept(audio: AudioModel) -> None:
    offered = []

    def choose(latents: Tensor, start: int, end: int) -> int:
        offered.append(latents.clone())
        return 2

    made = make(audio, plan("segments"), candidates=3, choose=choose)
    assert all(len(latents) == 3 and not torch.equal(latents[0], latents[2]) for latents in offered)
    assert torch.equal(made[..., :40], offered[0][2:])
    with pytest.raises(ValueError, match="a way to choose"):
        make(audio, plan("segments"), candidates=2)


@pytest.mark.parametrize("method", ["segments", "blend"])
def test_steps_are_counted(audio: AudioModel, method: str) -> None:
    told = []
    make(audio, plan(method), range(30), on_step=lambda index, t, x: told.append(index))
    clean = (torch.arange(LENGTH) < 30)[None]
    assert told == list(range(count_steps(clean, plan(method), 2)))


@pytest.mark.parametrize("method", ["segments", "blend"])
def test_the_models_own_power_spaces_the_steps(audio: AudioModel, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "config", audio.config.replace(early=2.0))
    times = list[float]()
    make(audio, plan(method), on_step=lambda index, t, x: times.append(t))
    assert times[:2] == [0.25, 1]


def test_chunks_decode_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    codec = Codec.from_preset("tiny").eval()
    latent = torch.randn(1, codec.config.latent, 130, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr("mediagen.audio.extend.DECODED", 45)
    with torch.no_grad():
        whole = codec.decode(latent, 130 * 1920 - 700)[0]
        chunks = list(decode_chunks(codec, latent, 130 * 1920 - 700))
    assert [chunk.shape[-1] for chunk in chunks] == [86_400, 86_400, 40 * 1920 - 700]
    torch.testing.assert_close(torch.cat(chunks, -1), whole, atol=1e-4, rtol=1e-4)


def test_two_scales_are_one_where_they_are_equal() -> None:
    def model(x: Tensor, t: float, prepared: Tensor) -> Tensor:
        return x * t + prepared

    both, one, none = torch.tensor([5.0]), torch.tensor([3.0]), torch.tensor([1.0])
    x = torch.zeros(1)
    single = cfg(model, torch.cat((both, none)), 3.0)(x, 0.5)
    assert torch.equal(cfg_two(model, torch.cat((both, one, none)), 3.0, 3.0)(x, 0.5), single)
    assert cfg_two(model, torch.cat((both, one, none)), 2.0, 4.0)(x, 0.5) == 1 + 2 * 2 + 4 * 2


def test_plans_that_cannot_be_met_are_refused(audio: AudioModel) -> None:
    wrongs: list[dict[str, Any]] = [{"method": "magic"}, {"merge": "square"}, {"hop": 11.0}, {"context": 10.0}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="expected"):
            Extension(**wrong)
    with pytest.raises(ValueError, match=r"window of 10 s, expected at most 1.6 s|longest"):
        make(audio, Extension(window=100.0))
