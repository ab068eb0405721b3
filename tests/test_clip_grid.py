"""The record and the arithmetic that everybody else relies on."""

import pytest
import torch

from mediagen.grid import Grid, sound_latents
from mediagen.media.clip import Clip, Film, to_float, to_uint8


def test_movie_gen_has_73728_tokens() -> None:
    grid = Grid.of(16, (768, 768), 16)  # arXiv 2410.13720, section 3.1: 256 frames at 768x768
    assert (grid.frames, grid.latent, grid.tokens) == (256, (32, 96, 96), 73_728)
    assert (grid.samples, grid.sound_latents) == (768_000, 400)  # 25 Hz


def test_sizes_are_width_by_height() -> None:
    grid = Grid.of(1, (64, 32), 16)
    assert (grid.width, grid.height, grid.latent) == (64, 32, (2, 4, 8))


@pytest.mark.parametrize(
    ("seconds", "fps", "frames", "samples"),
    [(2, 16, 32, 96_000), (2.03, 16, 32, 96_000), (1, 30000 / 1001, 30, 48_048), (0.5, 12.5, 6, 23_040)],
)  # fmt: skip
def test_sound_covers_exactly_the_frames(seconds: float, fps: float, frames: int, samples: int) -> None:
    grid = Grid.of(seconds, (64, 64), fps)
    assert (grid.frames, grid.samples) == (frames, samples)
    assert grid.seconds == pytest.approx(frames / fps)
    assert Grid.of(0, (64, 64), fps).frames == 1  # never nothing


def test_part_of_a_latent_frame_counts_as_one() -> None:
    assert [Grid.of(n, (16, 16), 1).latent[0] for n in (1, 8, 9, 16, 17)] == [1, 1, 2, 2, 3]
    assert [sound_latents(n) for n in (0, 1, 1_920, 1_921)] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("size", "near"),
    [((65, 64), "64x64"), ((64, 90), "64x96"), ((0, 64), "16x64"), ((64, -16), "64x16"), ((3, 3), "16x16")],
)  # fmt: skip
def test_a_size_that_does_not_fit_is_refused_with_one_that_does(size: tuple[int, int], near: str) -> None:
    with pytest.raises(
        ValueError, match=rf"got a size of {size[0]}x{size[1]}, expected multiples of 16x16; use {near}\."
    ):
        Grid.of(2, size, 16)
    width, height = map(int, near.split("x"))
    assert Grid.of(2, (width, height), 16).tokens > 0


def test_other_strides_and_patches_count_their_own_cells() -> None:
    grid = Grid.of(2, (48, 32), 16, stride=(4, 4, 4), patch=(2, 1, 1))
    assert (grid.latent, grid.tokens) == ((8, 8, 12), 4 * 8 * 12)


def test_pixels_survive_the_way_to_floats_and_back() -> None:
    every = torch.arange(256, dtype=torch.uint8)[:, None, None, None].expand(256, 1, 2, 3)
    video = to_float(every)
    assert video.shape == (3, 256, 1, 2) and video.min() == -1 and video.max() == 1
    assert torch.equal(to_uint8(video), every)
    assert to_float(every[None]).shape == (1, 3, 256, 1, 2)
    assert to_uint8(torch.tensor([-9.0, 9.0, 0.0]).view(3, 1, 1, 1)).flatten().tolist() == [0, 255, 128]


def test_a_clip_knows_its_length_and_refuses_other_shapes() -> None:
    frames, sound = torch.zeros(24, 4, 6, 3, dtype=torch.uint8), torch.zeros(1, 24_000)
    assert Clip(frames, 16).seconds == 1.5
    assert Clip(None, sound=sound).seconds == 0.5
    assert Clip(None).seconds == 0
    for wrong in (frames.float(), frames[0], frames.movedim(-1, 1)):
        with pytest.raises(ValueError, match=r"got frames .* expected uint8 \(F, H, W, 3\)"):
            Clip(wrong)
    with pytest.raises(ValueError, match=r"got sound of shape \(24000,\)"):
        Clip(frames, sound=sound[0])


def test_pictures_of_a_clip_are_those_of_their_times() -> None:
    frames = torch.arange(24, dtype=torch.uint8)[:, None, None, None].expand(24, 2, 2, 3)
    film = Film(frames, fps=8.0)
    assert [int(f[0, 0, 0]) for batch in film.pictures(4.0, 1.0, 2.0, batch=3) for f in batch] == [9, 11, 13, 15]
    assert torch.equal(torch.cat(list(film.pictures(8.0, 0.0, 3.0))), frames)
    assert [int(f[0, 0, 0]) for batch in film.pictures(16.0, 2.75, 3.25) for f in batch] == [22, 22, 23, 23] + [23] * 4
