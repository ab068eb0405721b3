"""What the measures say of things whose answer is known."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from mediagen.judge.measures import frechet, psnr, ssim, wilson
from mediagen.judge.outlines import SHAPES, outline_of, squares
from mediagen.judge.recogniser import ATTRIBUTES, UNKNOWN, Recogniser, labels, truth
from mediagen.judge.whole_objects import colour_mask, largest_regions, lowest_points, shows_whole_object
from mediagen.media.clip import to_float
from mediagen.sdk.models.plan import plan
from mediagen.sdk.models.trainings import TRAININGS, Place
from mediagen.train.tasks.recogniser import RecogniserTask, RecogniserTaskConfig
from mediagen.world.draw import render
from mediagen.world.scene import COLOURS, Scene, draw_scene

LOOKS = list(range(1, 32, 6))


def _scramble(frames: torch.Tensor, size: int, rng: torch.Generator) -> torch.Tensor:
    """The blocks of `size` pixels of each frame in one random order."""
    count, height, width, _ = frames.shape
    blocks = frames.view(count, height // size, size, width // size, size, 3).transpose(2, 3).flatten(1, 2)
    blocks = blocks[:, torch.randperm(blocks.shape[1], generator=rng)]
    return blocks.unflatten(1, (height // size, width // size)).transpose(2, 3).reshape(frames.shape)


def _fragment(frames: torch.Tensor, colour: str) -> torch.Tensor:
    """The thing of `colour` broken into quarters that lie eight pixels apart."""
    broken = frames.clone()
    for picture, source, mask in zip(broken, frames, torch.from_numpy(colour_mask(frames, colour)), strict=True):
        if not mask.any():
            continue
        picture[mask] = source[~mask].float().mean(0).to(torch.uint8)
        at = mask.nonzero()
        to = at + torch.where(at >= at.float().mean(0), 4, -4)
        inside = ((to >= 0) & (to < torch.tensor(mask.shape))).all(1)
        picture[to[inside, 0], to[inside, 1]] = source[at[inside, 0], at[inside, 1]]
    return broken


@pytest.fixture(scope="module")
def seen() -> tuple[list[Scene], torch.Tensor]:
    scenes = [draw_scene(seed, "test") for seed in range(40)]
    return scenes, render(scenes, frames=LOOKS)


def test_true_renders_show_whole_objects(seen: tuple[list[Scene], torch.Tensor]) -> None:
    scenes, frames = seen
    passed = [shows_whole_object(clip, scene.things[0].colour) for scene, clip in zip(scenes, frames, strict=True)]
    assert np.mean(passed) >= 0.9


def test_broken_scattered_and_wrong_things_are_not(seen: tuple[list[Scene], torch.Tensor]) -> None:
    scenes, frames = seen
    rng = torch.Generator().manual_seed(0)
    scrambled, fragmented, wrong = [], [], []
    for scene, clip in zip(scenes, frames, strict=True):
        colour = scene.things[0].colour
        scrambled.append(shows_whole_object(_scramble(clip, 8, rng), colour))
        fragmented.append(shows_whole_object(_fragment(clip, colour), colour))
        wrong += [shows_whole_object(clip, COLOURS[(COLOURS.index(colour) + step) % 10]) for step in (1, 5)]
    assert np.mean(scrambled) <= 0.02 and np.mean(fragmented) <= 0.02
    assert np.mean(wrong) <= 0.05


def test_regions_against_pictures_whose_regions_are_plain() -> None:
    masks = np.zeros((4, 12, 12), bool)
    masks[1, 2:6, 3:8] = True  # a box of 20 pixels, and two that touch it by corners only
    masks[1, 6, 8] = masks[1, 1, 2] = True
    masks[2, 1:10, 1] = masks[2, 9, 1:10] = masks[2, 1:10, 9] = True  # a U: two arms that meet in the last row
    rng = np.random.default_rng(0)
    masks[3] = rng.random((12, 12)) < 0.55
    empty, box, arms, noise = largest_regions(masks)
    assert empty is None
    assert box is not None and (box.area, box.total, box.hull, box.box) == (20, 22, 20.0, (3, 2, 8, 6))
    assert arms is not None and (arms.area, arms.total, arms.hull) == (25, 25, 81.0)
    assert noise is not None and noise.area == _largest_by_flooding(masks[3])


def _largest_by_flooding(mask: np.ndarray) -> int:
    left, best = {tuple(at) for at in np.argwhere(mask)}, 0
    while left:
        todo, size = [left.pop()], 0
        while todo:
            y, x = todo.pop()
            size += 1
            near = {(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)} & left
            left -= near
            todo += near
        best = max(best, size)
    return best


def test_lowest_point_follows_a_box_and_knows_where_it_is_gone() -> None:
    frames = torch.full((3, 64, 64, 3), 120, dtype=torch.uint8)
    for index, bottom in enumerate((30, 48)):
        frames[index, bottom - 14 : bottom, 20:34] = torch.tensor([219, 36, 38], dtype=torch.uint8)
    low = lowest_points(frames, "red")
    assert low[:2].tolist() == [30 / 64, 48 / 64] and math.isnan(low[2])


def test_frechet_of_gaussians_is_the_closed_form() -> None:
    rng = torch.Generator().manual_seed(0)
    a = torch.randn(4000, 3, generator=rng, dtype=torch.float64)
    a = (a - a.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(a.T)).T)  # mean 0, covariance exactly I
    scale, shift = torch.tensor([2.0, 1.0, 0.5]), torch.tensor([1.0, 0.0, -2.0])
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet(a, a * scale + shift) == pytest.approx(1 + 0.25 + 5, rel=1e-6)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=rng, dtype=torch.float64))[0]
    assert frechet(a @ turn, (a * scale + shift) @ turn) == pytest.approx(6.25, rel=1e-6)


def test_psnr_and_ssim_of_known_differences() -> None:
    rng = torch.Generator().manual_seed(0)
    a = torch.randint(0, 200, (2, 2, 16, 20, 3), generator=rng, dtype=torch.uint8)
    brighter = a + 10
    assert torch.isinf(psnr(a, a)).all() and torch.allclose(ssim(a, a), torch.ones(2))
    assert torch.allclose(psnr(a, brighter), torch.full((2,), 20 * math.log10(25.5), dtype=torch.float64))
    flat = torch.full((1, 1, 11, 11, 3), 100, dtype=torch.uint8)
    c1 = (0.01 * 255) ** 2  # between flat pictures only the luminance term is left
    expected = (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)
    assert ssim(flat, flat + 50).item() == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ValueError, match="expected two uint8"):
        psnr(a, a.float())


def test_wilson_interval() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def test_recogniser_reads_any_size_and_batch_alike() -> None:
    torch.manual_seed(0)
    model = Recogniser.from_preset("debug").eval()
    frames = render([draw_scene(seed, "test") for seed in range(3)], frames=list(range(20)))
    names, features = model.judge(frames, chunk=2)
    alone = model.judge(frames[2:])[1]
    assert features.shape == (3, 16) and torch.allclose(features[2:], alone, atol=1e-5)
    assert all(names[0][key] in classes for key, classes in ATTRIBUTES.items())
    assert model(torch.zeros(1, 3, 5, 48, 96))["place"].shape == (1, 8)
    with pytest.raises(ValueError, match="expected"):
        model(torch.zeros(1, 5, 3, 64, 64))


def test_labels_say_the_truth() -> None:
    scenes = [draw_scene(seed, "test", "standard") for seed in range(60)]
    classes = labels(scenes)
    assert [ATTRIBUTES["camera"][i] for i in classes["camera"].tolist()] == [truth(scene)["camera"] for scene in scenes]
    for row, scene in enumerate(scenes):
        assert (classes["glasses"][row] == UNKNOWN) == (scene.person is None or scene.person.shot == "figure")
        assert (classes["size"][row] == UNKNOWN) == (scene.person is not None)
        assert ATTRIBUTES["motion"][int(classes["motion"][row])] == scene.subject.motion


def test_outlines_are_read_off_true_renders_and_not_off_lumps() -> None:
    right, asked = 0, 0
    for seed in range(200):
        scene = draw_scene(seed, "test")
        thing = scene.things[0]
        if thing.kind in SHAPES:
            asked += 1
            right += outline_of(render([scene], (128, 128), frames=[4, 14, 24])[0], thing.colour) == thing.kind
    assert asked > 100 and right > 0.9 * asked
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    frame = torch.full((1, 64, 64, 3), 128, dtype=torch.uint8)
    frame[0, (x - 30).abs() + (y - 30).abs() < 18] = torch.tensor([220, 36, 38], dtype=torch.uint8)
    assert outline_of(frame, "red") == "cube"  # a turned square
    assert outline_of(torch.full((1, 64, 64, 3), 128, dtype=torch.uint8), "red") is None


def test_squares_are_steps_at_the_borders_of_cells() -> None:
    rng = torch.Generator().manual_seed(0)
    fine = torch.randint(0, 256, (2, 64, 64, 3), generator=rng, dtype=torch.uint8)
    cells = torch.randint(0, 256, (2, 8, 8, 3), generator=rng, dtype=torch.uint8)
    cells = cells.repeat_interleave(8, 1).repeat_interleave(8, 2)
    assert squares(fine) == pytest.approx(1, abs=0.1) and squares(cells // 2 + fine // 8) > 5


@pytest.mark.parametrize("processes", [0, 2])
def test_a_pool_of_the_recogniser_holds_the_clips_that_would_be_drawn(processes: int) -> None:
    config = RecogniserTaskConfig(batch=3, size=(32, 32))
    drawn = RecogniserTask(Recogniser.from_preset("debug"), config)
    pooled = RecogniserTask(Recogniser.from_preset("debug"), config.replace(pool=9, processes=processes))
    for step in range(3):
        frames, classes = drawn.batch(step, 0, 1)
        assert pooled.pool is not None and torch.equal(pooled.pool[3 * step : 3 * step + 3], frames)
        assert all(torch.equal(pooled.classes[name][3 * step : 3 * step + 3], value) for name, value in classes.items())
    batch, classes = pooled.batch(5, 0, 1)
    assert torch.equal(batch, pooled.batch(5, 0, 1)[0]) and not torch.equal(batch, pooled.batch(6, 0, 1)[0])
    row = (pooled.pool == batch[0]).flatten(1).all(1).nonzero()[0]
    assert all(classes[name][0] == value[row] for name, value in pooled.classes.items())


def test_a_recogniser_is_trained_on_the_device_that_was_asked_for(tmp_path: Path) -> None:
    made = plan(TRAININGS["recogniser"], "debug", {"steps": 1}).make(Place("meta", tmp_path, ""))
    assert {parameter.device.type for parameter in made.model.parameters()} == {"meta"}


def test_recogniser_task_learns_places_and_its_batches_depend_on_the_step_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = RecogniserTask(Recogniser.from_preset("debug"), RecogniserTaskConfig(batch=6, check=4, size=(32, 32)))
    batch, rng = task.batch(3, 1, 2), torch.Generator().manual_seed(0)
    assert torch.equal(batch[0], task.batch(3, 1, 2)[0]) and not torch.equal(batch[0], task.batch(3, 0, 2)[0])
    optimiser = torch.optim.Adam(task.model.parameters(), lr=1e-2)
    losses, figures = [], {}
    for _ in range(10):
        loss, figures = task.loss(task.model, batch, rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0] and 0 <= float(figures["place"]) <= 1
    found = task.preview(task.model, tmp_path, 12)
    assert set(ATTRIBUTES) <= set(found) and task.model.training and list(tmp_path.glob("*.png"))
    video = to_float(batch[0])
    assert task.degrade(video, rng).shape == video.shape
