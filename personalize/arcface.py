"""ArcFace: the encoder that knows a face again, 112 x 112 pixels to 512 numbers of length one, and its ONNX file."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.personalize.align import SIDE
from mediagen.weights import write_atomic

SIZE = 512  # numbers of a face
PARITY = 1e-4
_CHUNK = 64


class FaceEncoder(Protocol):
    """What knows faces again: ours, or an adapter of another's."""

    def embed(self, faces: Tensor) -> Tensor:
        """Unit vectors (N, 512) of aligned faces, uint8 (N, 112, 112, 3)."""
        ...


@dataclass(frozen=True, kw_only=True)
class ArcFaceConfig(Config):
    """A face encoder. widths: of its stages at 28, 14 and 7 cells a side.  blocks: residual ones of each.  last:
    channels of the 7 x 7 cells that the numbers are made from.  identities: that training tells apart, 0 afterwards."""

    widths: tuple[int, ...] = (40, 80, 160)
    blocks: tuple[int, ...] = (1, 2, 1)
    last: int = 64
    identities: int = 0


class ArcFace(nn.Module):
    """A small residual network with the answer of ArcFace (arXiv 1801.07698): the angle between two faces tells whether
    they are one person's.

    Trained with `identities` it also has a centre for each, which the exported encoder drops.
    """

    Config: ClassVar = ArcFaceConfig
    PRESETS: ClassVar[dict[str, ArcFaceConfig]] = {
        "tiny": ArcFaceConfig(),
        "debug": ArcFaceConfig(widths=(8, 8, 8), blocks=(1, 1, 1), last=8),
    }

    def __init__(self, config: ArcFaceConfig) -> None:
        super().__init__()
        self.config = config
        before = config.widths[0]
        layers: list[nn.Module] = [nn.Conv2d(3, before, 7, 4, 3, bias=False), nn.BatchNorm2d(before)]
        for index, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
            layers += [_Block(before, width, 1 if index == 0 else 2)]
            layers += [_Block(width, width) for _ in range(count - 1)]
            before = width
        self.body = nn.Sequential(*layers)
        self.last = nn.Sequential(nn.Conv2d(before, config.last, 1, bias=False), nn.BatchNorm2d(config.last))
        self.out = nn.Linear(config.last * 49, SIZE, bias=False)
        self.norm = nn.BatchNorm1d(SIZE)
        self.centres = nn.Parameter(torch.randn(config.identities, SIZE) * 0.05) if config.identities else None

    def forward(self, faces: Tensor) -> Tensor:
        """Aligned faces (N, 3, 112, 112) in [-1, 1] to (N, 512), not of length one yet, as insightface's files give."""
        x = self.last(self.body(faces.contiguous(memory_format=torch.channels_last)))
        return self.norm(self.out(x.flatten(1)))

    @torch.no_grad()
    @torch.autocast("cpu", enabled=False)  # previews are asked inside of one
    def embed(self, faces: Tensor) -> Tensor:
        """See `FaceEncoder`."""
        if faces.dtype != torch.uint8 or tuple(faces.shape[1:]) != (SIDE, SIDE, 3):
            raise ValueError(f"got faces {faces.dtype} {tuple(faces.shape)}, expected uint8 (N, {SIDE}, {SIDE}, 3).")
        weight = self.out.weight
        made = [F.normalize(self(standard(chunk).to(weight)).float(), dim=1).cpu() for chunk in faces.split(_CHUNK)]
        return torch.cat(made) if made else torch.zeros(0, SIZE)

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """A new, untrained encoder."""
        return cls(cls.PRESETS[name])


def standard(faces: Tensor) -> Tensor:
    """uint8 (N, 112, 112, 3) as the network sees it: (N, 3, 112, 112), (x - 127.5) / 127.5 as insightface reads."""
    return (faces.permute(0, 3, 1, 2).float() - 127.5) / 127.5


def margin_loss(vectors: Tensor, centres: Tensor, who: Tensor, margin: float, scale: float) -> tuple[Tensor, Tensor]:
    """Cross entropy of scale * cos(angle + margin at the right identity), and the shares of right answers (N,).

    Additive angular margin (ArcFace, equation 3); where angle + margin would pass pi, the cosine goes on as a line.
    """
    cosine = F.linear(F.normalize(vectors.float()), F.normalize(centres.float())).clamp(-1 + 1e-6, 1 - 1e-6)
    right = cosine.gather(1, who[:, None])
    angle = torch.acos(right) + margin
    limit = torch.cos(torch.tensor(torch.pi - margin))
    told = torch.where(right > limit, torch.cos(angle), right - margin * torch.sin(torch.tensor(margin)))
    return F.cross_entropy(scale * cosine.scatter(1, who[:, None], told), who), (cosine.argmax(1) == who).float()


def keep_encoder(exported: Path, folder: Path) -> None:
    """Writes an exported encoder without the centres of the identities that it was trained on."""
    from mediagen.weights import load_model, save_model

    trained = load_model(ArcFace, exported)
    made = ArcFace(trained.config.replace(identities=0))
    made.load_state_dict({name: value for name, value in trained.state_dict().items() if name != "centres"})
    save_model(made, made.config, folder)


def export_arcface(model: ArcFace, path: Path) -> float:
    """Writes the encoder as insightface's `model_zoo.get_model` loads it, and returns its largest distance from torch.

    One input of N x 3 x 112 x 112 in RGB, (x - 127.5) / 127.5; one output, N x 512.  Raises ValueError, and writes
    nothing, where the file would differ by more than 1e-4 from torch, relative to the largest number.
    """
    import onnx
    import onnxruntime

    plain = _Plain(model).cpu().float().eval()
    example = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    dynamic = {"faces": {0: torch.export.Dim("N", min=1, max=4096)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter warns of its own parts
        program = torch.onnx.export(
            plain,
            (example,),
            dynamo=True,
            verbose=False,
            input_names=["faces"],
            output_names=["vectors"],
            dynamic_shapes=dynamic,
        )
    assert program is not None
    graph = program.model_proto
    onnx.checker.check_model(graph)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    worst = 0.0
    with torch.no_grad():
        for count in (1, 2, 5):
            faces = torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(count)) * 2 - 1
            here, there = plain(faces), torch.from_numpy(session.run(None, {"faces": faces.numpy()})[0])
            worst = max(worst, float((here - there).abs().max() / here.abs().max()))
    if worst > PARITY:
        raise ValueError(f"got an ONNX file that differs from torch by {worst:.1e}, expected at most {PARITY:.0e}.")
    write_atomic(path, graph.SerializeToString())
    return worst


class _Plain(nn.Module):
    def __init__(self, model: ArcFace) -> None:
        super().__init__()
        self.body, self.last, self.out, self.norm = model.body, model.last, model.out, model.norm

    def forward(self, faces: Tensor) -> Tensor:
        return self.norm(self.out(self.last(self.body(faces)).flatten(1)))


class _Block(nn.Module):
    def __init__(self, width: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.PReLU(out))
        self.second = nn.Sequential(nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out))
        same = stride == 1 and width == out
        self.past = nn.Identity() if same else nn.Sequential(nn.Conv2d(width, out, 1, stride), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        return self.past(x) + self.second(self.first(x))
