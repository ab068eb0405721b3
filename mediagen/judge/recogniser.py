"""Recogniser: a small network that says what decoded pixels show, and gives the features of the Fréchet distance."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.media.clip import to_float
from mediagen.world import people
from mediagen.world.scene import ACTIONS, CAMERAS, COLOURS, PLACES, SIZES, STYLES, SUBJECTS, TIMES, WEATHERS, Scene

# What is recognised, and its classes. Kind, colour, size and motion are those of what the clip is about: a person,
# whose colour is the clothes', or the first thing. kind2, colour2: of what else there is. The rest: of a portrait.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "place": PLACES,
    "kind": SUBJECTS,
    "colour": COLOURS,
    "motion": ACTIONS,
    "weather": WEATHERS,
    "camera": CAMERAS,
    "time": TIMES,
    "size": SIZES,
    "style": STYLES,
    "kind2": (*SUBJECTS[:-1], "none"),
    "colour2": COLOURS,
    "woman": ("no", "yes"),
    "age": people.AGES,
    "hair_style": people.HAIR_STYLES,
    "hair_colour": people.HAIR_COLOURS,
    "glasses": ("none", "clear", "dark"),
    "beard": people.BEARDS,
    "hat": people.HATS,
}
HAIR_LENGTHS = {"bald": "none", "short": "short", "spiky": "short", "curly": "curly"}  # the other styles are long
UNKNOWN = -100  # the class of what a clip does not have; cross entropy ignores it


def _class_counts() -> dict[str, int]:
    return {name: len(classes) for name, classes in ATTRIBUTES.items()}


@dataclass(frozen=True, kw_only=True)
class RecogniserConfig(Config):
    """Shape of a Recogniser: pixels it looks at, frames it looks at, channels of its four stages, points, width.

    classes: how many classes of each attribute it tells apart, the first ones of `ATTRIBUTES`.
    """

    size: int = 64
    frames: int = 16
    channels: tuple[int, ...] = (16, 32, 64, 96)
    points: int = 32  # feature maps whose centre of mass is followed over time
    width: int = 128  # D of the features
    classes: dict[str, int] = field(default_factory=_class_counts)


class Recogniser(nn.Module):
    """Classifies clips by 2D convolutions within frames and 1D convolutions between them."""

    Config = RecogniserConfig
    PRESETS: ClassVar[dict[str, RecogniserConfig]] = {
        "tiny": RecogniserConfig(),
        "small": RecogniserConfig(frames=32, channels=(24, 48, 96, 128), points=48, width=160),
        "standard": RecogniserConfig(size=80, channels=(24, 48, 80, 112), points=48, width=192),
        "debug": RecogniserConfig(channels=(8, 8, 8, 16), points=4, width=16),
    }

    def __init__(self, config: RecogniserConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or RecogniserConfig()
        c1, c2, c3, c4 = config.channels
        self.stem = nn.Conv2d(5, c1, 5, stride=2, padding=2)
        self.stages = nn.ModuleList((_Stage(c1, c2, 2), _Stage(c2, c3, 2), _Stage(c3, c4, 2)))
        # Motion is where a thing is, over time: `points` maps are turned into coordinates (spatial softmax), which a
        # mean over the picture would lose.
        # They are taken from the stage before the last, whose grid is finer.
        self.points = nn.Conv2d(c3, config.points, 1)
        per_frame = 2 * c4 + 2 * config.points
        self.norm = nn.BatchNorm1d(per_frame)
        self.mix = nn.Conv1d(per_frame, config.width, 1)
        self.time = nn.ModuleList(_TimeBlock(config.width, dilation) for dilation in (1, 2, 4))
        self.out = nn.Sequential(nn.Linear(2 * config.width, config.width), nn.LayerNorm(config.width))
        self.heads = nn.ModuleDict({name: nn.Linear(config.width, count) for name, count in config.classes.items()})

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """A new, untrained model of a preset: tiny, small or debug."""
        if name not in cls.PRESETS:
            raise ValueError(f"got the recogniser preset '{name}', expected one of {', '.join(cls.PRESETS)}.")
        return cls(cls.PRESETS[name])

    def features(self, video: Tensor) -> Tensor:
        """Features (B, D) of clips (B, 3, F, H, W) in [-1, 1], any F, H and W; they are resized and sampled evenly."""
        if video.ndim != 5 or video.shape[1] != 3:
            raise ValueError(f"got video {tuple(video.shape)}, expected (B, 3, F, H, W); use to_float.")
        x = self._frames(video)
        batch = video.shape[0]
        x = F.gelu(self.stem(_marked(x, batch)))
        for stage in self.stages[:-1]:
            x = stage(x, batch)
        maps = self.points(x)
        x = self.stages[-1](x, batch)
        # The factor makes the softmax peaked from the start: a flat one always answers "the middle" and learns slowly.
        weight = (8 * maps.flatten(2)).softmax(-1).unflatten(2, maps.shape[2:])
        rows = torch.linspace(-1, 1, maps.shape[2], device=x.device, dtype=x.dtype)
        columns = torch.linspace(-1, 1, maps.shape[3], device=x.device, dtype=x.dtype)
        where = torch.cat(((weight.sum(3) * rows).sum(2), (weight.sum(2) * columns).sum(2)), dim=1)
        x = torch.cat((x.mean(dim=(2, 3)), x.amax(dim=(2, 3)), where), dim=1)
        x = self.mix(self.norm(x).unflatten(0, (batch, -1)).transpose(1, 2))
        for block in self.time:
            x = block(x)
        return self.out(torch.cat((x.mean(2), x.amax(2)), dim=1))

    def forward(self, video: Tensor) -> dict[str, Tensor]:
        """Logits (B, classes) by attribute, for clips (B, 3, F, H, W) in [-1, 1]."""
        return self.read(self.features(video))

    def read(self, features: Tensor) -> dict[str, Tensor]:
        """Logits (B, classes) by attribute, from `features`."""
        return {name: head(F.gelu(features)) for name, head in self.heads.items()}

    @torch.inference_mode()
    def judge(self, frames: Tensor, chunk: int = 16) -> tuple[list[dict[str, str]], Tensor]:
        """What uint8 clips (B, F, H, W, 3) show, as names by attribute, and their features (B, D), on the CPU."""
        device = next(self.parameters()).device
        names, features = [], []
        for part in frames.split(chunk):
            found = self.features(to_float(part.to(device)))
            best = {name: logits.argmax(1).tolist() for name, logits in self.read(found).items()}
            names += [{name: ATTRIBUTES[name][best[name][row]] for name in best} for row in range(len(part))]
            features.append(found.cpu())
        return names, torch.cat(features) if features else torch.zeros(0, self.config.width)

    def _frames(self, video: Tensor) -> Tensor:
        """The frames that are looked at, (B * frames, 3, size, size); a shorter clip repeats some of its own."""
        count, size = self.config.frames, self.config.size
        index = torch.linspace(0, video.shape[2] - 1, count, device=video.device).round().long()
        x = video.index_select(2, index).transpose(1, 2).flatten(0, 1)
        if x.shape[-2:] != (size, size):
            x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
        return x


def truth(scene: Scene) -> dict[str, str]:
    """What a perfect recogniser says of `scene`, by attribute; what the clip does not have is left out."""
    subject = scene.subject
    found = {
        "place": scene.place,
        "kind": subject.kind,
        "colour": subject.colour,
        "motion": subject.motion,
        "weather": scene.weather,
        "camera": scene.camera,
        "time": scene.time,
        "style": scene.style,
    }
    others = scene.things if scene.person else scene.things[1:]
    found |= {"kind2": others[0].kind, "colour2": others[0].colour} if others else {"kind2": "none"}
    if not scene.person:
        return {**found, "size": scene.things[0].size}
    who = scene.person.identity
    if scene.person.shot == "portrait":
        found |= {
            "woman": "yes" if who.woman else "no",
            "age": who.age,
            "hair_style": who.hair_style,
            "glasses": {"round": "clear", "square": "clear"}.get(who.glasses, who.glasses),
            "beard": who.beard,
            "hat": scene.person.hat,
        }
        found |= {"hair_colour": who.hair_colour} if who.hair_style != "bald" else {}
    return found


def labels(scenes: list[Scene], device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """The classes of `scenes` as int64 (B,) by attribute, for a cross entropy; UNKNOWN where a clip has none."""
    names = [truth(scene) for scene in scenes]
    return {
        name: torch.tensor([classes.index(row[name]) if name in row else UNKNOWN for row in names], device=device)
        for name, classes in ATTRIBUTES.items()
    }


def _marked(frames: Tensor, batch: int) -> Tensor:
    """Adds to RGB how colourful a pixel is, and how far from its clip's mean: both show at once where things are."""
    colourful = frames.amax(1, keepdim=True) - frames.amin(1, keepdim=True)
    clips = frames.unflatten(0, (batch, -1))
    moved = (clips - clips.mean(1, keepdim=True)).abs().mean(2, keepdim=True).flatten(0, 1)
    return torch.cat((frames, colourful, 3 * moved), dim=1)


class _Stage(nn.Module):
    """A strided 3x3 convolution within frames, then a residual: 3 taps in time and 3x3 in space.

    Batch normalisation learnt faster than group normalisation at equal settings (one run each: place .90 against .28
    after 70 steps), likely because the latter takes a clip's mean colours out, by which places are known.
    """

    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(width, out, 3, stride=stride, padding=1)
        self.norm = nn.BatchNorm2d(out)
        self.taps = nn.Parameter(torch.zeros(3, out))  # depthwise in time, starts as "this frame only"
        self.space = nn.Conv2d(out, out, 3, padding=1)
        self.after = nn.BatchNorm2d(out)
        with torch.no_grad():
            self.taps[1] = 1

    def forward(self, x: Tensor, batch: int) -> Tensor:
        x = F.gelu(self.norm(self.down(x)))
        time = F.pad(x.unflatten(0, (batch, -1)), (0, 0, 0, 0, 0, 0, 1, 1))
        length = time.shape[1] - 2
        mixed = sum(time[:, tap : tap + length] * self.taps[tap, :, None, None] for tap in range(3))
        assert isinstance(mixed, Tensor)
        return x + F.gelu(self.after(self.space(mixed.flatten(0, 1))))


class _TimeBlock(nn.Module):
    """A residual dilated convolution over time, (B, D, F) to the same."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.conv = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.gelu(self.conv(self.norm(x)))
