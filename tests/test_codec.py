"""The sound codec: exact lengths, an exact front end, determinism, and that it learns."""

from pathlib import Path

import pytest
import torch

from mediagen.audio.codec.critic import SpectralCritic
from mediagen.audio.codec.frontend import Mdct, Tones
from mediagen.audio.codec.model import PRESETS, Codec, CodecConfig
from mediagen.audio.train.codec import CodecTask, CodecTaskConfig
from mediagen.nn.spectral import mel_filters, spectral_loss, spectrum
from mediagen.weights import load_model, save_model


def debug_codec() -> Codec:
    torch.manual_seed(0)
    return Codec.from_preset("debug").eval()


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_mdct_is_orthogonal_and_exact_to_the_last_sample(frames: int) -> None:
    mdct = Mdct(240)
    sound = torch.randn(2, 1, 240 * frames, generator=torch.Generator().manual_seed(0))
    coefficients = mdct.forward_transform(sound)
    assert coefficients.shape == (2, 240, frames)
    torch.testing.assert_close(mdct.inverse_transform(coefficients), sound, atol=2e-5, rtol=0)
    torch.testing.assert_close(coefficients.norm(), sound.norm())


def test_mdct_gathers_a_tone_in_few_bands_and_a_click_in_few_frames() -> None:
    mdct = Mdct(240)
    tone = torch.sin(2 * torch.pi * 1000 / 48_000 * torch.arange(9600.0))[None, None]
    bands = mdct.forward_transform(tone).square().sum((0, 2))
    assert bands.topk(4).values.sum() > 0.99 * bands.sum()  # a wrong sign in the overlap smears it over many
    click = torch.zeros(1, 1, 9600)
    click[..., 5000] = 1
    assert (mdct.forward_transform(click).abs().sum((0, 1)) > 1e-6).sum() <= 2


def test_tones_are_heard_as_loud_as_they_are_and_noise_holds_none() -> None:
    tones = Tones(168, 240)
    time = torch.arange(48_000) / 48_000
    chord = 0.1 * torch.sin(2 * torch.pi * 261.63 * time) + 0.05 * torch.sin(2 * torch.pi * 1046.5 * time)
    noise = 0.03 * torch.randn(1, 1, 48_000, generator=torch.Generator().manual_seed(0))
    held = tones.held(chord + noise)[0, :, 60:140]
    assert held.shape == (168, 80)
    assert held[48].mean() == pytest.approx(0.1, rel=0.2), "C4 is two octaves above the lowest: tone 48"
    assert held[96].mean() == pytest.approx(0.05, rel=0.25)
    rest = held[[tone for tone in range(168) if tone not in (48, 96)]]
    assert (rest > 0).float().mean() < 0.02
    assert (tones.listen(noise)[0] > 0).float().mean() > 0.9 and (tones.held(noise) > 0).float().mean() < 0.02


def test_tones_play_steadily_and_the_same_in_parts_after_hours() -> None:
    tones = Tones(168, 240)
    gains = torch.zeros(1, 168, 400)
    gains[0, 48] = 0.1
    whole = tones.play(gains)
    assert whole.shape == (1, 1, 96_000)
    assert float(whole[..., 4800:].abs().max()) == pytest.approx(0.1, rel=1e-3)
    heard = tones.listen(whole)[0, :, 100:300]
    assert heard[48].mean() == pytest.approx(0.1, rel=0.2) and heard[48].std() < 1e-3 and heard[:40].max() < 2e-3
    hour = 200 * 3600 * 3  # frames; and the part begins at its frame 100
    torch.testing.assert_close(
        tones.play(gains, hour)[..., 24_240:], tones.play(gains[..., 100:], hour + 100)[..., 240:]
    )
    torch.testing.assert_close(tones.play(gains, hour), whole, atol=1e-5, rtol=0)


def test_noise_of_a_codec_without_waves_is_no_comb() -> None:
    """Equal gains give noise: no band of 12 Hz stands out as the coefficients of a constant would make it."""
    front = Mdct(240, waves=False, tones=24)
    assert front.channels_out == 264 and front.channels_in == 504
    features = torch.zeros(1, 264, 400)
    features[:, 240:] = -3
    power = spectrum(front.synthesise(features)[:, 0], 4096, 1024)[0].abs().square().mean(-1)[50:1000]
    assert power.max() < 4 * power.mean()
    combed = Mdct(240).synthesise(torch.cat((torch.ones(1, 240, 400), -3 * torch.ones(1, 240, 400)), 1))
    power = spectrum(combed[:, 0], 4096, 1024)[0].abs().square().mean(-1)[50:1000]
    assert power.max() > 5 * power.mean()


@pytest.mark.parametrize("samples", [1, 1919, 1920, 1921, 5000])
def test_lengths(samples: int) -> None:
    codec = debug_codec()
    with torch.no_grad():
        latent = codec.encode(torch.randn(2, 1, samples) * 0.1)
        assert latent.shape == (2, 8, -(-samples // 1920))
        assert codec.decode(latent, samples).shape == (2, 1, samples)
        assert codec.decode(latent).shape == (2, 1, 1920 * latent.shape[-1])


def test_the_waveform_front_end_has_the_same_interface() -> None:
    config = CodecConfig(hop=1, strides=(2, 8, 10, 12), encoder=(4,) * 5, decoder=(4,) * 5, latent=6, dilations=(1,))
    codec = Codec(config)
    with torch.no_grad():
        latent = codec.encode(torch.randn(1, 1, 4000))
        assert latent.shape == (1, 6, 3) and codec.decode(latent, 4000).shape == (1, 1, 4000)


def test_the_paper_preset_has_25_hz_and_128_channels() -> None:
    with torch.device("meta"):
        codec = Codec.from_preset("paper")
        latent = codec.encode(torch.zeros(1, 1, 48_000))
    assert latent.shape == (1, 128, 25) and PRESETS["paper"].strides == (2, 8, 10, 12)


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ValueError, match="expected 1920"):
        CodecConfig(strides=(2, 2, 3))
    with pytest.raises(ValueError, match="got tones=24, waves=True and hop=1"):
        CodecConfig(hop=1, strides=(2, 8, 10, 12), encoder=(4,) * 5, decoder=(4,) * 5, tones=24)
    with pytest.raises(ValueError, match="one channel"):
        debug_codec().encode(torch.zeros(1, 2, 1920))
    with pytest.raises(ValueError, match="at most 1920"):
        debug_codec().decode(torch.zeros(1, 8, 1), 1921)
    with pytest.raises(ValueError, match="got frames=51, expected at most 50"):
        CodecTask(debug_codec(), CodecTaskConfig(pool=1, frames=51))


def test_saved_and_loaded_it_gives_the_same_sound(tmp_path: Path) -> None:
    codec = debug_codec()
    codec.latent_mean.fill_(0.5)
    save_model(codec, codec.config, tmp_path, half=False)
    other, sound = load_model(Codec, tmp_path), torch.randn(1, 1, 3000)
    with torch.no_grad():
        assert torch.equal(other.encode(sound), codec.encode(sound))
        assert torch.equal(other.decode(codec.encode(sound)), codec.decode(codec.encode(sound)))


def test_spectral_loss_ignores_phase_and_hears_loudness_and_place() -> None:
    rng = torch.Generator().manual_seed(0)
    sound = torch.randn(1, 1, 9600, generator=rng) * torch.linspace(0, 0.2, 9600)
    assert spectral_loss(sound, sound) == 0
    assert spectral_loss(-sound, sound) < 1e-4
    assert spectral_loss(0.5 * sound, sound) > 0.3
    assert spectral_loss(sound.flip(-1), sound) > spectral_loss(0.8 * sound, sound)


def test_no_mel_band_is_empty() -> None:
    for bands, size in ((64, 2048), (80, 1024), (40, 1024)):
        filters = mel_filters(bands, size, 48_000)
        torch.testing.assert_close(filters.sum(1), torch.ones(bands))


def test_training_lowers_the_loss_and_gives_unit_latents(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = CodecTaskConfig(batch=2, pool=4, frames=4, check=2, adversarial=0.1, adversarial_start=20)
    task = CodecTask(Codec.from_preset("debug"), config)
    optimizer = torch.optim.Adam(task.model.parameters(), 3e-3)
    rng, losses = torch.Generator().manual_seed(0), []
    task.model.train()
    for step in range(20):
        loss, _ = task.loss(task.model, task.batch(step, 0, 1), rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
    latent = torch.cat([task.model.encode(task.batch(step, 0, 1).sound) for step in range(6)])
    assert 0.3 < latent.std() < 3
    assert torch.equal(task.batch(3, 0, 1).sound, task.batch(3, 0, 1).sound)
    assert not torch.equal(task.batch(3, 0, 2).sound, task.batch(3, 1, 2).sound)
    early, late = (task.critic_loss(task.critic, task.batch(step, 0, 1), rng) for step in (0, 20))
    assert early == 0 and late > 0.5
    figures = task.preview(task.model.eval(), tmp_path, 20)
    assert (
        set(figures) == {"si_sdr", "log_mel_db", "onset_f1", "onset_f1_truth"}
        and (tmp_path / "codec-000020.png").exists()
    )


def test_the_critic_scores_any_length() -> None:
    critic = SpectralCritic(width=4)
    assert critic(torch.randn(2, 1, 7680)).shape[0] == 2 and critic(torch.randn(1, 1, 19_200)).ndim == 2
