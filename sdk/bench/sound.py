"""Whether the sound is the right one and comes in time: the parts of the bench that listen."""

from collections.abc import Callable
from statistics import fmean

import torch
from torch import Tensor

from mediagen.audio.codec.model import Codec
from mediagen.audio.judge.measures import log_mel_distance, onset_f1, onsets, si_sdr
from mediagen.grid import SOUND_RATE
from mediagen.judge.whole_objects import lowest_points, smallest_area
from mediagen.media.clip import Clip
from mediagen.sdk.bench.figures import Part, Tell, mean
from mediagen.sdk.bench.pictures import Asked
from mediagen.world.draw import render
from mediagen.world.motion import GROUND, contacts
from mediagen.world.sounds import synthesise

TOLERANCE = 0.08  # seconds between an impact seen and heard
Soundtrack = Callable[[Clip, str, int], Tensor]  # (clip without sound, prompt, seed) -> (1, S) at 48 kHz


def measure_codec(codec: Codec, asked: list[Asked]) -> Part:
    """SI-SDR and log-mel distance of the world's sounds after the codec."""
    part, device = Part("Sound codec"), next(codec.parameters()).device
    ratios, distances = [], []
    with torch.inference_mode():
        for one in asked:
            sound = synthesise(one.scene)
            passed = codec.decode(codec.encode(sound[None].to(device)), sound.shape[-1])[0].cpu()
            ratios.append(float(si_sdr(passed, sound)))
            distances.append(float(log_mel_distance(passed, sound)))
    part.figures["SI-SDR"] = mean(ratios, "dB")
    part.figures["log-mel distance"] = mean(distances, "dB")
    return part


def measure_sync(
    soundtrack: Soundtrack, asked: list[Asked], size: tuple[int, int], seed: int = 0, tell: Tell | None = None
) -> Part:
    """Onset F1 of the sound made for TRUE renders of `asked`, against the contacts of their scenes.

    Beside it stand the world's own sound (the ceiling) and the sounds of all other clips (what chance gives).
    Only scenes with a contact count: silence in silence would score 1.
    """
    part = Part("Sound in time, true pictures")
    hits = [one for one in asked if contacts(one.scene)]
    if len(hits) < 2:
        part.skipped = f"{len(hits)} of {len(asked)} prompts have an impact, at least 2 are needed; use more prompts"
        return part
    heard, own = [], []
    for index, one in enumerate(hits):
        clip = Clip(frames=render([one.scene], size)[0], fps=one.scene.fps)
        heard.append(onsets(soundtrack(clip, one.prompt, seed * 1_000_003 + index), SOUND_RATE))
        own.append(onsets(synthesise(one.scene), SOUND_RATE))
        if tell is not None:
            tell("Sounding true renders", index + 1, len(hits))
    truth = [[contact.time for contact in contacts(one.scene)] for one in hits]
    _add(part, heard, truth)
    part.figures["onset F1, the world's own sound"] = mean(_f1(own, truth), "F1", "the ceiling of the onset detector")
    return part


def measure_seen_sync(clips: list[Clip], asked: list[Asked]) -> Part:
    """Onset F1 of generated clips with sound, against contacts seen by following the lowest point of the thing.

    The tracker's own F1 on true renders says how far it can be trusted. Only clips in which a contact is seen count.
    """
    part = Part("Sound in time, generated pictures")
    seen, heard = [], []
    followed = [one.scene.person is None and len(one.scene.things) == 1 for one in asked]  # what the tracker can follow
    clips = [clip for clip, alone in zip(clips, followed, strict=True) if alone]
    asked = [one for one, alone in zip(asked, followed, strict=True) if alone]
    for clip, one in zip(clips, asked, strict=True):
        thing = one.scene.things[0]
        assert clip.frames is not None and clip.sound is not None, "this part needs clips with sound"
        times = contacts_seen(clip.frames, thing.colour, clip.fps, smallest_area(thing.size))
        if times:
            seen.append(times)
            heard.append(onsets(clip.sound.mean(0), clip.rate))
    if len(seen) < 2:
        part.skipped = f"an impact was seen in {len(seen)} of {len(clips)} clips, at least 2 are needed"
    else:
        _add(part, heard, seen)
    hits = [one for one in asked if contacts(one.scene)]
    tracked = []
    for one, clip in zip(hits, clips, strict=False):
        assert clip.frames is not None
        frames = render([one.scene], (clip.frames.shape[2], clip.frames.shape[1]))[0]
        thing = one.scene.things[0]
        tracked.append(contacts_seen(frames, thing.colour, one.scene.fps, smallest_area(thing.size)))
    truth = [[contact.time for contact in contacts(one.scene)] for one in hits[: len(tracked)]]
    part.figures["F1 of the tracker on true renders"] = mean(_f1(tracked, truth), "F1", "seen against true contacts")
    return part


def contacts_seen(frames: Tensor, colour: str, fps: float, smallest: float) -> list[float]:
    """Seconds at which the thing of `colour` strikes the ground, by where its fall ends; frames uint8 (F, H, W, 3).

    A strike is a frame in which the lowest edge is near the ground and stops falling, having fallen fast
    just before. Where the whole thing is not found, nothing is.
    """
    low = lowest_points(frames, colour, smallest)
    least = max(1.5 / frames.shape[1], 0.6 / fps)  # heights per frame: slower turns are those of orbits and spins
    found: list[float] = []
    for i in range(1, len(low) - 1):
        before, after = float(low[i] - low[i - 1]), float(low[i + 1] - low[i])
        stops = before > least and after < 0.3 * before  # false where a frame is missing: NaN compares so
        if stops and float(low[i]) > GROUND - 0.12:
            # The strike lies between the frames: where the fall, continued, meets the ground line.
            found.append((i + min(0.5, max(-0.5, (GROUND - float(low[i])) / before))) / fps)
    return found


def _add(part: Part, heard: list[list[float]], truth: list[list[float]]) -> None:
    """Onset F1, and the same against the times of every other clip."""
    part.figures["onset F1"] = mean(_f1(heard, truth), "F1", f"within {1000 * TOLERANCE:.0f} ms")
    part.figures["onset F1, shuffled clips"] = mean(_by_chance(heard, truth), "F1", "what chance gives")
    part.figures["true impacts against those of shuffled clips"] = mean(
        _by_chance(truth, truth), "F1", "chance at its best"
    )


def _f1(found: list[list[float]], truth: list[list[float]]) -> list[float]:
    return [onset_f1(a, b, TOLERANCE) for a, b in zip(found, truth, strict=True)]


def _by_chance(found: list[list[float]], truth: list[list[float]]) -> list[float]:
    """The mean onset F1 of each clip's onsets against the times of all other clips: no one shuffle decides."""
    return [fmean(_f1([one] * (len(truth) - 1), truth[:i] + truth[i + 1 :])) for i, one in enumerate(found)]
