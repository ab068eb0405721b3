"""The temporal autoencoder: shapes of any length, pictures as one-frame videos, tiles, outliers, PCA."""

import numpy as np
import pytest
import torch
from einops import rearrange

from mediagen.media.clip import to_float
from mediagen.nn.conv import TimeConv
from mediagen.tae import TAE, TAEConfig, outlier_penalty
from mediagen.train.tasks.tae import crops
from mediagen.weights import load_model, save_model
from mediagen.world.draw import render
from mediagen.world.scene import draw_scene

SMALL = TAEConfig(widths=(8, 16, 16), encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1))


def build(config: TAEConfig = SMALL) -> TAE:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return TAE(config).eval()


def video(frames: int, height: int = 16, width: int = 16) -> torch.Tensor:
    return torch.rand(1, 3, frames, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("frames", [1, 7, 8, 9, 13, 33])
@torch.no_grad()
def test_any_length_comes_back_exactly(frames: int) -> None:
    tae = build()
    latent = tae.encode(video(frames, 16, 24))
    assert latent.shape == (1, 16, -(-frames // 8), 2, 3)
    assert tae.decode(latent, frames).shape == (1, 3, frames, 16, 24)
    assert tae.decode(latent).shape[2] == latent.shape[2] * 8


@torch.no_grad()
def test_a_picture_is_a_still_video_of_one_frame() -> None:
    tae = build()
    picture = video(1)
    assert torch.allclose(tae.encode(picture), tae.encode(picture.expand(-1, -1, 8, -1, -1)), atol=1e-5)


def test_presets_compress_by_eight_and_paper_has_sixteen_channels() -> None:
    with torch.device("meta"):
        for name in TAE.PRESETS:
            tae = TAE.from_preset(name)
            assert tae.stride == ({"standard": 4, "frames": 1}.get(name, 8), 8, 8) and tae.config.latent_channels == 16


@pytest.mark.parametrize("preset", ["standard", "standard-8x8x8"])
@torch.no_grad()
def test_the_linear_path_starts_as_pca_whatever_the_finest_level_is_told(preset: str) -> None:
    torch.manual_seed(0)
    tae = TAE.from_preset(preset).eval()
    videos = to_float(render([draw_scene(i, "train", "standard", seconds=0.5) for i in range(16)], (32, 32)))
    tae.fit_linear(videos)
    found = tae.decode(tae.encode(videos), videos.shape[2])
    time, height, width = tae.stride
    rows = rearrange(videos, "B C (L a) (H b) (W c) -> (B L H W) (C a b c)", a=time, b=height, c=width)
    centred = rows - rows.mean(0)
    vectors = torch.linalg.svd(centred, full_matrices=False)[2][:16]
    best = (centred - centred @ vectors.T @ vectors).square().mean()
    assert float((found - videos).square().mean()) == pytest.approx(float(best), rel=0.02)


def test_crops_are_where_things_move() -> None:
    still, moving = torch.zeros(3, 4, 16, 16), torch.zeros(3, 4, 16, 16)
    moving[:, ::2, :8, :8] = 1
    cut = crops(torch.stack((still, moving)), 8, np.random.default_rng(0))
    assert cut.shape == (2, 3, 4, 8, 8)
    found = [bool(crops(moving[None], 8, np.random.default_rng(seed)).any()) for seed in range(40)]
    assert np.mean(found) > 0.7  # one random window in two would show it


@torch.no_grad()
def test_time_conv_treats_a_picture_as_a_still_and_starts_near_the_identity() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        conv = TimeConv(64)
    x = torch.randn(1, 64, 2, 2, generator=torch.Generator().manual_seed(0))
    out, frames = conv(x.repeat(4, 1, 1, 1), 4)
    alone, _ = conv(x, 1)
    assert frames == 4 and torch.allclose(out, alone.repeat(4, 1, 1, 1), atol=1e-5)
    assert (alone - x).norm() < 0.2 * x.norm()
    conv.mix.weight.normal_()  # also when it has learnt
    assert torch.allclose(conv(x.repeat(4, 1, 1, 1), 4)[0], conv(x, 1)[0].repeat(4, 1, 1, 1), atol=1e-3)


@torch.no_grad()
def test_tiles_without_attention_match_the_whole_away_from_borders_and_keep_the_length() -> None:
    tae = build(SMALL.replace(attention=False))
    latent = torch.randn(1, 16, 12, 2, 2, generator=torch.Generator().manual_seed(1))
    whole, tiled = tae.decode(latent, 93), tae.decode_tiled(latent, 93, tile=8, overlap=4)
    assert tiled.shape == whole.shape
    assert (whole - tiled).square().mean() < 0.02 * whole.var()
    cut = torch.cat([tae.decode(latent[:, :, i : i + 4]) for i in range(0, 12, 4)], 2)[:, :, :93]
    seam = slice(28, 37)  # where the tiles without overlap meet
    assert (whole - tiled)[:, :, seam].square().mean() < (whole - cut)[:, :, seam].square().mean()


def test_tiles_must_overlap_by_less_than_themselves() -> None:
    with pytest.raises(ValueError, match="overlap"):
        build().decode_tiled(torch.zeros(1, 16, 8, 2, 2), tile=2, overlap=2)


def test_outlier_penalty_has_the_value_worked_out_by_hand() -> None:
    latent = torch.zeros(1, 1, 1, 4, 4)
    latent[..., 0, 0] = 16.0  # mean 1, standard deviation sqrt(15): the spike lies 15 from the mean
    excess = 15 - 3 * 15**0.5
    assert outlier_penalty(latent).item() == pytest.approx(excess / 16, rel=1e-5)
    assert outlier_penalty(torch.randn(1, 4, 1, 8, 8, generator=torch.Generator().manual_seed(0))) == 0


@torch.no_grad()
def test_pca_starts_the_autoencoder_as_the_best_linear_one() -> None:
    tae = build()
    clips = to_float(render([draw_scene(i, seconds=0.5) for i in range(24)], (32, 32)))
    before = (tae.decode(tae.encode(clips)) - clips).square().mean()
    tae.fit_linear(clips)
    after = (tae.decode(tae.encode(clips)) - clips).square().mean()
    assert after < 0.2 * before
    latent = tae.encode_raw(clips)
    assert torch.allclose(latent.var((0, 2, 3, 4)), torch.ones(16), atol=0.05)


@torch.no_grad()
def test_weights_come_back(tmp_path) -> None:
    tae = build()
    tae.latent_std.fill_(2.0)
    save_model(tae, tae.config, tmp_path, half=False)
    again = load_model(TAE, tmp_path)
    assert torch.equal(again.encode(video(9)), tae.encode(video(9)))


def test_a_size_off_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        build().encode(video(1, 12, 16))


def test_adversarial_and_perceptual_terms_start_when_told(tmp_path) -> None:
    from mediagen.text.aligned import PRESETS, AlignedEncoder
    from mediagen.train.loop import TrainConfig, train
    from mediagen.train.tasks.tae import TAETask, TAETaskConfig

    config = TAETaskConfig(
        size=(16, 16), frames=8, batch=2, fit_clips=0, perceptual_weight=0.1, adversarial_weight=0.1, critic_start=2
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        task = TAETask(build().train(), config, eyes=AlignedEncoder(PRESETS["debug"]))
    critic = [parameter.clone() for parameter in task.critic.parameters()]
    seen = []

    def on_step(step: int, figures: dict) -> None:
        moved = any(not torch.equal(a, b) for a, b in zip(critic, task.critic.parameters(), strict=True))
        seen.append(("perceptual" in figures, "score" in figures, moved))

    loop = TrainConfig(steps=4, batch=2, warmup=1, weight_decay=0.0, preview_every=0)
    train(task, loop, tmp_path, on_step=on_step)
    assert seen == [(False, False, False), (False, False, False), (True, True, True), (True, True, True)]
    with pytest.raises(ValueError, match="aligned encoder"):
        TAETask(build(), config)
    with pytest.raises(ValueError, match="got frames=33, expected at most 32"):
        TAETask(build(), TAETaskConfig(frames=33, fit_clips=0))
