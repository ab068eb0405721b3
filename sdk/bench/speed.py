"""What a clip costs: seconds per stage, against the least that arithmetic allows and another library's same step."""

import statistics
import sys
import time
from collections.abc import Callable, Sequence

import torch

from mediagen.flow import flow_loss
from mediagen.generate import VideoModels
from mediagen.generator import FlowGenerator
from mediagen.guidance import cfg
from mediagen.media.clip import Clip
from mediagen.nn.denoiser import Conditions
from mediagen.sdk.bench.figures import Figure, Part
from mediagen.sdk.bench.pictures import grid_of
from mediagen.sdk.engine import Engine
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.progress import Progress
from mediagen.video import VideoModel

REPEATS = 7
_PROMPT = "A red ball bounces in a meadow."


def transformer_flops(
    tokens: int, width: int, layers: int, hidden: int, matrices: int, text_tokens: int, text_cached: bool = True
) -> int:
    """Floating-point operations of one forward of one clip; a multiplication with its addition counts two.

    tokens N, width d, hidden ff, `matrices` of d x ff in an MLP (3 for SwiGLU), text_tokens M. Per layer
    2N(4d^2 + 2d^2 + matrices d ff) + 4N^2 d + 4NMd: attention's and cross-attention's projections, MLP, then the two
    attentions. Without `text_cached` the text's keys and values add 4Md^2. Norms and element-wise work are left out.
    """
    projections = 2 * tokens * (6 * width**2 + matrices * width * hidden)
    attention = 4 * tokens * (tokens + text_tokens) * width
    return layers * (projections + attention + (0 if text_cached else 4 * text_tokens * width**2))


def gemm_rate(device: torch.device, size: int = 1024, repeats: int = 5) -> float:
    """Operations a second of a float32 matrix product of `size`, median: what this process could reach here and now."""
    a, b = torch.rand(size, size, device=device), torch.rand(size, size, device=device)
    return 2 * size**3 / statistics.median(_times([lambda: torch.mm(a, b)], device, repeats)[0])


def measure_stages(engine: Engine, clips: int = 3) -> tuple[Part, Clip]:
    """Seconds of every stage of a warm engine, with sound where the folder has it, and the process's peak memory."""
    part = Part("Speed")
    sound = engine.models.has("audio") and engine.models.has("codec")
    runs: list[dict[str, float]] = []
    clip = engine.generate(_PROMPT, seed=0, sound=sound)  # the first loads the models and warms caches
    for index in range(clips):
        marks: list[tuple[str, float]] = []

        def hear(moment: Progress, marks: list[tuple[str, float]] = marks) -> None:
            if not marks or marks[-1][0] != moment.stage:
                marks.append((moment.stage, time.perf_counter()))

        start = time.perf_counter()
        clip = engine.generate(_PROMPT, seed=index, sound=sound, on_progress=hear)
        end = time.perf_counter()
        ends = [mark[1] for mark in marks[1:]] + [end]
        run = {"whole clip": end - start}
        for (stage, begun), done in zip(marks, ends, strict=True):
            run[stage] = run.get(stage, 0.0) + done - begun
        runs.append(run)
    for stage in runs[0]:
        seconds = [run.get(stage, 0.0) for run in runs]
        part.figures[stage] = Figure(
            statistics.median(seconds), min(seconds), max(seconds), clips, "s", "median, range"
        )
    if peak := _peak_bytes():
        part.figures["peak memory"] = Figure(peak / 2**20, unit="MiB", note="of the process")
    if torch.cuda.is_available():
        part.figures["peak memory, GPU"] = Figure(torch.cuda.max_memory_allocated() / 2**20, unit="MiB")
    return part, clip


def measure_step(models: VideoModels, limits: Limits) -> Part:
    """One guided sampling step and one training step: fraction of GEMM, and ratio to diffusers' Wan of equal shape.

    Ours and theirs alternate within one run, so that other work on the machine hits both. The ratios need diffusers
    (extra `baseline`) and are left out without it.
    """
    part, flow = Part("Speed of a step"), models.generator
    assert isinstance(flow, FlowGenerator)
    model = flow.video
    device = next(model.parameters()).device
    grid, config = grid_of(models, limits), model.config
    text = flow.text.encode([_PROMPT, ""])
    prepared = model.prepare(Conditions(text=text), grid.latent, times=[0.5])
    latent = torch.randn(1, config.latent_channels, *grid.latent, generator=torch.Generator().manual_seed(0)).to(device)
    guided = cfg(model, prepared, 3.0)
    states = model.text(text)[0]
    forward = transformer_flops(grid.tokens, config.width, config.depth, config.hidden, 3, states.shape[1])

    def step() -> None:
        with torch.no_grad():
            guided(latent, 0.5)

    def train() -> None:
        _train_step(model, lambda x, t: model(x, t, model.prepare(Conditions(text=text[0:1]), grid.latent)), latent)

    theirs = _wan(model, latent, states.shape[1])
    times = _times([step, *([theirs[0]] if theirs else [])], device)
    trained = _times([train, *([theirs[1]] if theirs else [])], device)
    model.zero_grad(set_to_none=True)
    rate = gemm_rate(device)
    part.figures["GEMM 1024"] = Figure(rate / 1e9, unit="GFLOP/s", note="float32, of this process")
    for name, series, flops in (("sampling", times[0], 2 * forward), ("training", trained[0], 3 * forward)):
        seconds = statistics.median(series)
        part.figures[f"{name} step"] = Figure(1000 * seconds, 1000 * min(series), 1000 * max(series), len(series), "ms")
        part.figures[f"{name} step, floor"] = Figure(1000 * flops / rate, unit="ms", note="operations / GEMM")
        part.figures[f"{name} step, fraction of GEMM"] = Figure(flops / rate / seconds, unit="of 1")
    if theirs is None:
        part.skipped = "no ratio to diffusers, which is not installed; install mediagen[baseline]"
        return part
    for name, pair in (("sampling", times), ("training", trained)):
        ratios = [b / a for a, b in zip(*pair, strict=True)]
        middle = statistics.median(ratios)
        note = "WanTransformer3DModel of equal shape / ours"
        part.figures[f"{name} step, diffusers / ours"] = Figure(
            middle, min(ratios), max(ratios), len(ratios), "x", note
        )
    return part


def _train_step(model: torch.nn.Module, predict: Callable, latent: torch.Tensor) -> None:
    """Forward and backward of one clip; the gradients of the last one are dropped."""
    model.zero_grad(set_to_none=True)
    t = torch.full((len(latent),), 0.5, device=latent.device)
    with torch.enable_grad():
        flow_loss(predict, latent, t, torch.zeros_like(latent)).mean().backward()


def _wan(model: VideoModel, latent: torch.Tensor, text_tokens: int) -> tuple[Callable, Callable] | None:
    """A guided and a training step of diffusers' transformer, in width, depth, tokens and MLP operations as ours."""
    try:
        from diffusers.models.transformers.transformer_wan import WanTransformer3DModel  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    config, device = model.config, latent.device
    with torch.random.fork_rng(devices=[]):
        wan = WanTransformer3DModel(
            patch_size=config.patch,
            num_attention_heads=config.heads,
            attention_head_dim=config.width // config.heads,
            in_channels=config.latent_channels,
            out_channels=config.latent_channels,
            text_dim=config.width,
            # Ours has three matrices in an MLP and theirs two: 3/2 of the width is the same work.
            ffn_dim=config.hidden * 3 // 2,
            num_layers=config.depth,
        )
        torch.nn.Module.to(wan, device)  # diffusers' own `to` hides its arguments from the type checker
        states = torch.randn(1, text_tokens, config.width).to(device)

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return wan(hidden_states=x, timestep=1000 * t, encoder_hidden_states=states, return_dict=False)[0]

    def step() -> None:
        t = torch.full((1,), 0.5, device=device)
        with torch.no_grad():
            known, null = predict(latent, t), predict(latent, t)
            torch.lerp(null, known, 3.0)

    return step, lambda: _train_step(wan, predict, latent)


def _times(works: Sequence[Callable[[], object]], device: torch.device, repeats: int = REPEATS) -> list[list[float]]:
    """Seconds of each work, `repeats` times in turns, after one round to warm up; process time on the CPU.

    Process time adds up over threads, so it is the machine's cost, and other programs don't count.
    """
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    made: list[list[float]] = [[] for _ in works]
    for repeat in range(repeats + 1):
        for series, work in zip(made, works, strict=True):
            _wait(device)
            start = clock()
            work()
            _wait(device)
            if repeat:
                series.append(max(clock() - start, 1e-9))
    return made


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _peak_bytes() -> int:
    try:
        import resource
    except ImportError:  # Windows does not tell
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
