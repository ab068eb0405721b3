import pytest
import torch

from mediagen.data.folder import FolderStream
from mediagen.data.world import WorldStream
from mediagen.media.clip import Clip
from mediagen.media.write import write_clip
from mediagen.world.scene import is_held_out


def test_scenes_are_a_function_of_the_step_and_ranks_share_one_step_out():
    stream = WorldStream("train", "standard", seconds=1.0)
    whole = stream.scenes(5, 6)
    assert whole == WorldStream("train", "standard", seconds=1.0).scenes(5, 6)
    assert whole == [scene for rank in range(3) for scene in stream.scenes(5, 2, rank, 3)]
    seeds = [scene.seed for step in range(20) for scene in stream.scenes(step, 16 + step)]
    assert len(set(seeds)) == len(seeds)
    assert stream.scenes(5, 6) != WorldStream("train", "standard", seconds=1.0, seed=1).scenes(5, 6)
    assert stream.scenes(5, 6) != WorldStream("test", "standard", seconds=1.0).scenes(5, 6)


def test_the_held_out_split_has_what_training_lacks():
    for split, expected in (("train", False), ("held-out", True)):
        scenes = WorldStream(split).scenes(0, 40)
        assert {is_held_out(s.things[0].kind, s.things[0].colour, s.place) for s in scenes} == {expected}


def test_clips_have_pictures_sound_and_words():
    stream = WorldStream("validation", size=(48, 32), seconds=0.5, fps=8)
    one, two = stream.clips(3, 2, sound=True)
    assert one.frames is not None and one.frames.shape == (4, 32, 48, 3) and one.fps == 8
    assert one.sound is not None and one.sound.shape == (1, 24_000) and one.rate == 48_000
    assert one.caption and one.caption != two.caption
    assert one.caption == stream.clips(3, 2)[0].caption and stream.clips(3, 1)[0].sound is None


def test_a_wrong_split_or_rank_is_an_error():
    with pytest.raises(ValueError, match="got split 'trian'"):
        WorldStream("trian")
    with pytest.raises(ValueError, match="rank 2 of 2"):
        WorldStream().scenes(0, 4, 2, 2)


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Three one-second films of 20 fps, 48x32: frame k is all grey level 10 k; the outer columns are white."""
    folder = tmp_path_factory.mktemp("videos")
    for index in range(3):
        frames = (torch.arange(20)[:, None, None, None] * 10).expand(20, 32, 48, 3).to(torch.uint8).clone()
        frames[:, :, :8] = frames[:, :, -8:] = 255
        tone = torch.linspace(-0.5, 0.5, 44_100)[None] if index else None
        write_clip(Clip(frames=frames, fps=20, sound=tone, rate=44_100), folder / f"{index}.mp4")
        (folder / f"{index}.txt").write_text(f"film number {index}\n")
    return folder


def test_a_folder_gives_every_film_once_an_epoch_with_its_caption(videos):
    stream = FolderStream(videos, size=(16, 16), seconds=0.5, fps=10)
    for epoch in (0, 1):
        clips = [clip for rank in range(3) for clip in stream.clips(epoch, 1, rank, 3)]
        assert {clip.caption for clip in clips} == {"film number 0", "film number 1", "film number 2"}
    again = FolderStream(videos, size=(16, 16), seconds=0.5, fps=10).clips(1, 1, 2, 3)[0]
    assert again.frames is not None and clips[2].frames is not None and torch.equal(again.frames, clips[2].frames)


def test_windows_are_cut_scaled_and_resampled_in_time(videos):
    stream = FolderStream(videos, size=(16, 16), seconds=0.5, fps=10)
    starts = set()
    for step in range(6):
        (clip,) = stream.clips(step, 1, sound=True)
        assert clip.frames is not None and clip.frames.shape == (5, 16, 16, 3) and clip.fps == 10
        assert clip.frames[:, :, 2:-2].float().std(dim=(1, 2, 3)).max() < 6  # the white columns are cut off
        levels = clip.frames[:, 8, 8, 0].float()
        assert torch.allclose(levels.diff(), torch.full((4,), 20.0), atol=6)  # every second frame of 20 fps
        starts.add(round(levels[0].item() / 10))
        if clip.caption == "film number 0":
            assert clip.sound is None
        else:
            assert clip.sound is not None and clip.sound.shape == (1, 24_000) and clip.rate == 48_000
            middle = clip.sound[0, 6_000:18_000]  # the ramp tells the time: sound and pictures show one window
            seconds = (middle.mean().item() + 0.5) - 0.25
            assert seconds == pytest.approx(levels[0].item() / 200, abs=0.06)
    assert len(starts) > 2


def test_folders_that_cannot_be_used_are_errors_at_the_door(videos, tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        FolderStream(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="no videos"):
        FolderStream(tmp_path)
    (tmp_path / "a.mp4").write_bytes((videos / "0.mp4").read_bytes())
    with pytest.raises(ValueError, match=r"without a caption.*a\.txt"):
        FolderStream(tmp_path)
    (tmp_path / "a.txt").write_text("short")
    with pytest.raises(ValueError, match=r"a\.mp4 of 1.00 s, expected at least 3 s"):
        FolderStream(tmp_path, seconds=3).clips(0, 1)
