"""Shared fixtures: a whole model folder at debug size, with random weights; a browser, and the page in it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Debug-size models are slower on two threads than on one."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real models of a few thousand numbers each: clips of 32x32, 16 fps, up to 2 s, in three steps."""
    import torch

    from mediagen.audio.codec.model import PRESETS as CODEC
    from mediagen.audio.codec.model import Codec
    from mediagen.audio.model import AudioModel
    from mediagen.tae import TAE, TAEConfig
    from mediagen.text.aligned import PRESETS as ALIGNED
    from mediagen.text.aligned import AlignedEncoder
    from mediagen.text.text import PRESETS, TextEncoder
    from mediagen.video import VideoConfig, VideoModel
    from mediagen.weights import save_model

    folder = tmp_path_factory.mktemp("models")
    sizes: dict[str, Any] = {
        "encoder_blocks": (0, 0, 0),
        "decoder_blocks": (0, 0, 0),
        "widths": (8, 8, 8),
        "attention": False,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models: dict[str, Any] = {
            "tae": TAE(TAEConfig(latent_channels=4, **sizes)),
            "prompt": TextEncoder(PRESETS["debug"]),
            "video": VideoModel(
                VideoConfig(
                    latent_channels=4, width=32, depth=1, heads=2, hidden=32, text_widths=(32,), longest=(4, 4, 4)
                )
            ),
            "aligned": AlignedEncoder(ALIGNED["debug"]),
            "codec": Codec(CODEC["debug"]),
            "audio": AudioModel(AudioModel.PRESETS["debug"]),
        }
        torch.nn.init.normal_(models["video"].read.weight, std=0.1)  # what is known has no influence at the start
        for name, model in models.items():
            for parameter in model.parameters():
                if not parameter.any():  # last layers start at zero, which would make every clip grey
                    torch.nn.init.normal_(parameter, std=0.3)
            save_model(model, model.config, folder / name)
    limits = {"width": 32, "height": 32, "fps": 16, "seconds": 1, "max_seconds": 2, "steps": 3, "guidance_scale": 2.0}
    (folder / "engine.json").write_text(json.dumps(limits | {"sound_steps": 2}))
    return folder


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as tool:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        if found is None and not Path(tool.chromium.executable_path).exists():
            pytest.skip("there is no Chromium: install the system's package, or run 'playwright install chromium'")
        chromium = tool.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """Opens the page at an address; whatever goes wrong in its scripts fails the test."""
    wrong: list[str] = []
    contexts = []

    def opening(url: str, ready: str = "[role=tab]", **settings: Any) -> Any:
        contexts.append(browser.new_context(viewport={"width": 1200, "height": 800}, **settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda asked: asked.url.startswith((url.partition("#")[0], "blob:", "data:")) or wrong.append(asked.url),
        )
        page.goto(url)
        page.wait_for_selector(ready)
        return page

    yield opening
    for context in contexts:
        context.close()
    assert not wrong
