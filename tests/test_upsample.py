"""The upsampler: frames alone in the autoencoder, windows and tiles that agree, known pasts, degradations, training."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from edit_toy import stirred, toy_tae, toy_text
from torch import Tensor
from upsample_toy import CONFIG, toy_frames, toy_upsample

from mediagen.data.degrade import blurred, encoded, second_order
from mediagen.nn.denoiser import Conditions
from mediagen.sdk.bench import upscale as measures
from mediagen.tae import TAE, TAEConfig
from mediagen.train.tasks import upsample as training
from mediagen.train.tasks.upsample import Damage, UpsampleTask, UpsampleTaskConfig, bicubic
from mediagen.upsample import (
    SPREAD,
    UpsampleModel,
    UpsampleModels,
    UpsampleWay,
    count_sections,
    decode_large,
    difference,
    enlarged,
    kept,
    sections,
    starts_of,
    upsample_latent,
    upscale_latents,
)
from mediagen.video import VideoModel
from mediagen.weights import save_model, start_from

SMALL = UpsampleWay(steps=3, window=6, overlap=2, side=4, margin=2, section=2)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("stem", "blend"), [((1, 2, 2), False), ((2, 2, 2), False), ((2, 2, 2), True)])
def test_an_autoencoder_of_frames_makes_of_a_frame_what_that_of_films_makes(stem, blend, tmp_path: Path) -> None:
    config = TAEConfig(latent_channels=4, stem=stem, widths=(8, 16, 16), blend=blend, encoder_blocks=(1, 1, 1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        films, frames = TAE(config), TAE(config.replace(time=False, stem=(1, 2, 2)))
    stirred(films)
    if blend:  # by which what the linear path says of later pictures is bent: here it says the same of all
        for part in films.linear_out.parameters():
            still = part.data.unflatten(0, (3, config.stride[0], -1))
            part.data = still.mean(1, keepdim=True).expand_as(still).flatten(0, 2)
    save_model(films, config, tmp_path, half=False)
    assert start_from(frames, tmp_path) == []
    frames.eval()
    picture = torch.rand(2, 3, 1, 32, 24, generator=rng()) * 2 - 1
    with torch.no_grad():
        known = films.encode(picture)
        assert torch.allclose(frames.encode(picture), known, atol=1e-4)
        assert torch.allclose(frames.decode(known), films.decode(known).mean(2, keepdim=True), atol=1e-4)
        several = picture.expand(-1, -1, 5, -1, -1)
        assert frames.encode(several).shape == (2, 4, 5, 4, 3) and frames.stride == (1, 8, 8)
        assert torch.allclose(frames.decode(frames.encode(several))[:, :, 3:4], frames.decode(known), atol=1e-4)


def test_an_autoencoder_of_frames_has_a_stem_of_one_frame() -> None:
    with pytest.raises(ValueError, match="expected a stem of 1 in time"):
        TAEConfig(time=False)


def test_what_stands_beside_starts_without_influence_and_gets_some() -> None:
    x, beside = torch.randn(2, 1, 4, 3, 8, 8, generator=rng())
    new = UpsampleModel(CONFIG)
    read = new.read.weight.unflatten(1, (4, -1))
    assert not read[:, :, CONFIG.latent_channels :].any() and read[:, :, : CONFIG.latent_channels].any()
    model = toy_upsample()
    made = [model(x, 0.5, model.ready(Conditions(beside=one), (3, 8, 8))) for one in (beside, -beside)]
    assert made[0].shape == x.shape and not torch.allclose(*made)


class Pointwise(UpsampleModel):
    """Leads every cell straight to twice the latent beside it, whatever stands around it."""

    seen: list[Conditions]

    def __init__(self) -> None:
        super().__init__(CONFIG)
        self.seen = []

    def ready(self, conditions: Conditions, shape: Any, times: Any = None) -> Any:
        self.seen.append(conditions)
        return conditions

    def forward(self, x: Tensor, t: Any, prepared: Any) -> Tensor:
        goal = 2 * prepared.beside
        goal = torch.where(prepared.clean > 0, prepared.known, goal)
        return (goal - x) / (1 - t)


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("shape", [(1, 4, 4), (5, 4, 7), (6, 9, 4), (13, 10, 11)])
def test_windows_and_tiles_cover_every_cell_and_agree(shape: tuple[int, int, int], average: bool) -> None:
    beside = torch.randn(1, 4, *shape, generator=rng())
    way = replace(SMALL, average=average)
    made = upsample_latent(Pointwise(), beside, rng=rng(), way=way)
    assert torch.allclose(made, beside + SPREAD * 2 * beside, atol=1e-4)
    known = torch.randn(1, 4, 2, *shape[1:], generator=rng(1)) if shape[0] > 2 else None
    if known is not None:
        made = upsample_latent(Pointwise(), beside, rng=rng(), way=way, known=known)
        assert torch.allclose(made[:, :, :2], known, atol=1e-4)
        assert torch.allclose(made[:, :, 2:], (beside * (1 + 2 * SPREAD))[:, :, 2:], atol=1e-4)


def test_velocities_are_averaged_where_windows_overlap_and_only_there() -> None:
    class Numbered(Pointwise):
        def forward(self, x: Tensor, t: Any, prepared: Any) -> Tensor:
            return torch.ones_like(x) * prepared.beside.mean((1, 2, 3, 4), keepdim=True)

    beside = torch.zeros(1, 4, 10, 4, 4)
    beside[:, :, 6:] = 1.0  # windows 0-5 and 4-9: means 0 and 2/3
    way = replace(SMALL, steps=1)
    noise = torch.randn(beside.shape, generator=rng())
    made = difference(upsample_latent(Numbered(), beside, rng=rng(), way=way), beside) - noise
    frames = made.mean((0, 1, 3, 4))
    assert torch.allclose(frames[:4], torch.zeros(4), atol=1e-5)
    assert torch.allclose(frames[6:], torch.full((4,), 2 / 3), atol=1e-5)
    assert torch.allclose(frames[4:6], torch.tensor([2 / 9, 4 / 9]), atol=1e-5)  # weights 2 : 1, then 1 : 2
    cut = difference(upsample_latent(Numbered(), beside, rng=rng(), way=replace(way, average=False)), beside) - noise
    assert torch.allclose(cut.mean((0, 1, 3, 4))[4:6], torch.tensor([0.0, 2 / 3]), atol=0.01)


@pytest.mark.parametrize("count", [1, 6, 10, 11, 18, 19, 40])
@pytest.mark.parametrize("piece", [1, 7, 100])
def test_sections_hold_every_frame_once_and_begin_with_what_is_known(count: int, piece: int) -> None:
    film = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 4, 4, 3)
    made = list(sections(film.split(piece), SMALL))
    assert torch.cat([frames[len(frames) - fresh :] for frames, fresh in made]).equal(film)
    assert len(made) == count_sections(count, SMALL)
    assert all(len(frames) <= SMALL.frames for frames, _ in made)
    assert all(len(frames) - fresh == SMALL.overlap for frames, fresh in made[1:])
    with pytest.raises(ValueError, match="without pictures"):
        list(sections([], SMALL))


def test_a_film_comes_out_twice_as_large_whatever_its_size_and_the_same_twice() -> None:
    models = UpsampleModels(toy_upsample(), toy_frames())
    film = torch.randint(0, 256, (15, 9, 21, 3), generator=rng(), dtype=torch.uint8)
    heard: list[int] = []

    def run(pieces: Any, seed: int = 0) -> Tensor:
        latents = upscale_latents(models, pieces, rng=rng(seed), way=SMALL, on_step=lambda i, t, x: heard.append(i))
        return torch.cat(list(decode_large(models.tae, latents, (42, 18))))

    made = run(film.split(4))
    assert made.shape == (15, 18, 42, 3) and made.dtype == torch.uint8
    assert heard == list(range(3 * count_sections(15, SMALL)))
    assert run([film]).equal(made) and not run([film], 1).equal(made)


def test_a_section_knows_the_end_of_the_one_before_it() -> None:
    model = Pointwise()
    film = torch.randint(0, 256, (15, 16, 16, 3), generator=rng(), dtype=torch.uint8)
    first, *rest = upscale_latents(UpsampleModels(model, toy_frames()), [film], rng=rng(), way=SMALL)
    assert [part.shape[2] for part in (first, *rest)] == [10, 5]
    told = model.seen[-1]
    assert told.clean is not None and told.known is not None and told.beside is not None
    assert told.clean[0, 0, :, 0, 0].tolist() == [1, 1, 0, 0, 0, 0]
    assert torch.allclose(told.beside[0, :, :2] + SPREAD * told.known[0, :, :2], first[0, :, -2:], atol=1e-4)


def test_pictures_are_led_back_to_the_small_ones_as_far_as_is_asked() -> None:
    true = torch.rand(3, 3, 3, 3, generator=rng()).repeat_interleave(6, 1).repeat_interleave(6, 2)
    true = (true * 200 + 20).to(torch.uint8)
    small = true[:, ::2, ::2]
    other = (true.float() + 12).to(torch.uint8)
    assert kept(other, small, 1.0).equal(true) and (kept(other, small, 0.5).int() - true.int()).eq(6).all()
    models = UpsampleModels(toy_upsample(), toy_frames())
    latents = list(upscale_latents(models, [small], rng=rng(), way=SMALL))
    made = torch.cat(list(decode_large(models.tae, latents, (18, 18))))
    led = torch.cat(list(decode_large(models.tae, latents, (18, 18), small.split(2), 1.0)))
    assert led.equal(kept(made, small, 1.0)) and not led.equal(made)


def test_frames_are_made_larger_by_interpolation() -> None:
    frames = torch.randint(0, 256, (2, 6, 8, 3), generator=rng(), dtype=torch.uint8)
    wide = enlarged(frames)
    assert wide.shape == (1, 3, 2, 12, 16) and bicubic(frames).shape == (2, 12, 16, 3)
    flat = torch.full((1, 4, 4, 3), 51, dtype=torch.uint8)
    assert torch.allclose(enlarged(flat), torch.tensor(51 / 127.5 - 1)) and bicubic(flat).eq(51).all()


def test_degradations_are_drawn_for_the_whole_clip_and_make_it_worse() -> None:
    picture = torch.rand(1, 3, 4, 4, generator=rng()).repeat_interleave(8, 2).repeat_interleave(8, 3)
    still = picture.expand(6, -1, -1, -1)
    made = [second_order(still, (16, 12), rng(seed)) for seed in range(12)]
    assert all(one.shape == (6, 3, 16, 12) and one.min() >= 0 and one.max() <= 1 for one in made)
    assert second_order(still, (16, 12), rng(3)).equal(made[3]) and not made[3].equal(made[4])
    plain = torch.nn.functional.interpolate(picture, (16, 12), mode="area")
    assert all((one - plain).abs().mean() > 1e-3 for one in made)
    spread = [float(one.std(0).mean()) for one in made]  # noise is each picture's own, all else the clip's
    assert min(spread) < 1e-6 < 1e-3 < max(spread)


def test_blurs_keep_what_is_flat_and_encoders_what_has_no_step() -> None:
    x = torch.rand(2, 3, 16, 24, generator=rng())
    assert torch.allclose(blurred(x, torch.zeros(2, 2)), x, atol=1e-6)
    wide = blurred(x, torch.tensor([[2.0, 0.0], [0.0, 2.0]]))
    assert wide[0].std(1).mean() < 0.6 * x[0].std(1).mean() and wide[1].std(2).mean() < 0.6 * x[1].std(2).mean()
    assert torch.allclose(encoded(x, torch.zeros(2)), x, atol=1e-5)
    assert not torch.allclose(encoded(x, torch.full((2,), 0.3)), x, atol=1e-2)


def toy_config(**wishes: Any) -> UpsampleTaskConfig:
    asked: dict[str, Any] = {
        "sizes": ((32, 32), (48, 64)),
        "side": 32,
        "clips": 6,
        "batch": 2,
        "frames": 5,
        "overlap": 2,
    }
    return UpsampleTaskConfig(**asked | wishes)


def toy_task(folder: Path, damage: Damage | None = None, **wishes: Any) -> UpsampleTask:
    return UpsampleTask(toy_upsample(), toy_frames(), damage or Damage(toy_tae()), toy_config(**wishes), folder)


def test_the_training_is_of_pairs_and_learns(tmp_path: Path) -> None:
    task = toy_task(tmp_path, single=0.5)
    shapes = {tuple(task.batch(step, 0, 1).latent.shape) for step in range(12)}
    assert shapes == {(2, 4, 5, 4, 4), (10, 4, 1, 4, 4)}
    again = toy_task(tmp_path, single=0.5)
    assert all(torch.equal(task.batch(s, 0, 1).latent, again.batch(s, 0, 1).latent) for s in range(3))
    assert not torch.equal(task.batch(0, 0, 2).latent, task.batch(0, 1, 2).latent)
    batch = next(b for b in (task.batch(step, 0, 1) for step in range(40)) if b.clean.any())
    assert batch.clean[:, :, :2].any() and not batch.clean[:, :, 2:].any()
    assert torch.allclose(batch.known, batch.latent * batch.clean)
    optimiser = torch.optim.Adam(task.model.parameters(), 3e-3)
    losses = []
    for step in range(60):
        loss, _ = task.loss(task.model, task.batch(step, 0, 1), rng(step))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_pairs_show_the_same_place_and_time(tmp_path: Path) -> None:
    task = toy_task(tmp_path, degraded=0.0, rebuilt=1.0, made=0.0)
    task.damage = type("Plain", (), {"rebuilt": staticmethod(lambda small: small)})()  # type: ignore[assignment]
    for number in range(8):
        seen, true = task.pair(number)
        assert seen.shape == (5, 16, 16, 3) and true.shape == (5, 32, 32, 3)
        small = torch.nn.functional.avg_pool2d(true.permute(0, 3, 1, 2).float(), 2).permute(0, 2, 3, 1)
        assert (small - seen.float()).abs().max() <= 1.0
    assert not torch.equal(task.pair(0)[1], task.pair(0, "validation")[1])


def test_the_generator_makes_a_film_again_where_it_knows_its_size() -> None:
    video = VideoModel(CONFIG.replace(beside_channels=0, text_widths=(32,), patch=(2, 2, 2))).eval()
    damage = Damage(toy_tae(), toy_text(), video, (16, 16))
    film = torch.randint(0, 256, (32, 16, 16, 3), generator=rng(), dtype=torch.uint8)
    made = [damage.made(film, "a red ball", 16, 0.5, rng(seed)) for seed in (0, 0, 1)]
    assert made[0].shape == film.shape and made[0].equal(made[1]) and not made[0].equal(made[2])
    other = film[:, :8]
    assert damage.made(other, "a red ball", 16, 0.5, rng()).equal(damage.rebuilt(other))
    near = damage.made(film, "a red ball", 16, 0.999, rng()).float() - damage.rebuilt(film).float()
    assert near.abs().mean() < 2


def test_the_preview_holds_what_is_made_against_bicubic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = toy_task(tmp_path / "cache")
    monkeypatch.setattr(training, "UpsampleWay", lambda **given: replace(SMALL, window=5))
    figures = task.preview(task.model, tmp_path, 7)
    assert set(figures) == {"psnr", "bicubic_psnr"} and (tmp_path / "upsample-000007.png").is_file()


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one of frames"):
        UpsampleTask(toy_upsample(), toy_tae(), Damage(toy_tae()), toy_config(), tmp_path)
    for wishes, said in (
        ({"degraded": -1.0}, "none below 0"),
        ({"overlap": 5}, "0 < overlap < frames"),
        ({"side": 40}, "lower the side"),
    ):
        with pytest.raises(ValueError, match=said):
            toy_config(**wishes)


def test_the_bench_tells_sharp_from_blurred_still_from_flickering_and_seams_from_none() -> None:
    true = (torch.rand(1, 6, 6, 3, generator=rng()) * 255).repeat_interleave(4, 1).repeat_interleave(4, 2)
    true = true.to(torch.uint8).expand(24, -1, -1, -1).clone()
    blurry = bicubic(true[:, 1::2, 1::2])
    assert measures.sharpness(true, true) == pytest.approx(1.0) and measures.sharpness(blurry, true) < 0.9
    noisy = (true.float() + 8 * torch.randn(true.shape, generator=rng())).clamp(0, 255).to(torch.uint8)
    assert measures.flicker(true, true) == 0.0 and measures.flicker(noisy, true) > 4
    way = UpsampleWay()
    moving = torch.stack([true[0].roll(i, 1) for i in range(24)])
    assert measures.seams(moving, moving, way) == pytest.approx(1.0)
    jumps = moving.clone()
    jumps[10:] = jumps[10:] // 2  # where the second window begins
    assert measures.seams(jumps, moving, way) > 1.3
    assert math.isnan(measures.seams(moving[:14], moving[:14], way))


@pytest.mark.parametrize(
    ("length", "starts"), [(1, [0]), (14, [0]), (15, [0, 1]), (32, [0, 10, 18]), (34, [0, 10, 20])]
)
def test_windows_begin_every_ten_frames_and_the_last_ends_with_the_film(length: int, starts: list[int]) -> None:
    assert starts_of(length, 14, 4) == starts
