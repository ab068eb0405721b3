"""`mediagen serve`: models in memory, a durable queue before them, HTTP before that."""

import contextlib
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from mediagen.sdk.cli.console import Bar, reporting, say
from mediagen.sdk.cli.hub import Lora, Offload, Quantize, SoundModel, Tiling, licence, wishes
from mediagen.sdk.errors import RequestError


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on; other than loopback needs a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="MEDIAGEN_TOKEN", show_envvar=True, help="What clients must send as bearer."),
    ] = None,
    data_folder: Annotated[
        Path | None, typer.Option("--data-folder", help="Where jobs and films are kept. Default: your data folder.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="Model folder, or a name on the hub; several, given again. Default: built in."),
    ] = None,
    in_memory: Annotated[
        int, typer.Option("--in-memory", min=1, help="Of several models, so many are in memory at once.")
    ] = 1,
    offload: Offload = None,
    quantize: Quantize = None,
    tiling: Tiling = False,
    lora: Lora = None,
    sound_model: SoundModel = None,
    dtype: Annotated[
        str | None, typer.Option("--dtype", help="Of the weights, bfloat16 or float32. Default: bfloat16 on a GPU.")
    ] = None,
    workers: Annotated[
        str, typer.Option("--workers", help="Clips made side by side; ray or ray:N for actors of Ray.")
    ] = "1",
    url_inputs: Annotated[bool, typer.Option("--url-inputs", help="Fetch pictures from public URLs.")] = False,
    queue: Annotated[int, typer.Option("--queue", min=1, help="Jobs that may wait.")] = 256,
    keep_days: Annotated[
        float, typer.Option("--keep-days", min=0, help="Days after which jobs and their files go; 0 keeps them.")
    ] = 0.0,
    alias: Annotated[
        list[str] | None,
        typer.Option("--alias", metavar="NAME=MODEL", help="Another name of the model, such as sora-2=mediagen."),
    ] = None,
    adapt: Annotated[
        bool, typer.Option("--adapt", help="Take sizes and lengths of other models as the nearest that there are.")
    ] = False,
    webhook_url: Annotated[
        str, typer.Option("--webhook-url", help="Told of the end of every job that names no URL itself.")
    ] = "",
    webhook_secret: Annotated[
        str, typer.Option("--webhook-secret", envvar="MEDIAGEN_WEBHOOK_SECRET", help="whsec_..., which signs them.")
    ] = "",
) -> None:
    """Serve the models over HTTP: the video API that OpenAI clients speak, and a page."""
    with reporting("Stopped; jobs that were not done go on at the next start."), contextlib.ExitStack() as stack:
        on_ray, count = _workers(workers)
        with Bar() as bar:
            bar.show("Loading")
            try:
                import fastapi  # noqa: F401
                import uvicorn  # noqa: F401
            except ImportError:
                raise RequestError(
                    "got 'serve' without its packages; install them: pip install -e \".[serve]\"."
                ) from None
            from mediagen.sdk.service import program
            from mediagen.sdk.service.settings import Settings, data_home

            program.check_address(host, token)
            program.check_webhooks(webhook_url, webhook_secret)
            named = program.names_of(model or [None])
            name = next(iter(named))
            aliases = tuple(_alias(one, name) for one in alias or ())
            if on_ray and len(named) > 1:
                raise RequestError("--workers: got ray and several models, expected one; give one --model.")
            from mediagen.sdk.engine import Engine
            from mediagen.sdk.hub.opening import is_pipeline_named

            hub = wishes(offload, quantize, tiling, lora, sound_model)
            engines: dict[str, Any] = {
                one: Engine.from_pretrained(where, dtype=dtype, **(hub if is_pipeline_named(where) else {}))
                for one, where in named.items()
            }
            engine = engines.pop(name)
            if on_ray:
                bar.show("Starting Ray")
                from mediagen.sdk.service.queue.cluster import hired

                engine = stack.enter_context(hired(engine, count, dtype))
                count = engine.count
        for one in (engine, *engines.values()):
            licence(one)
        folder = data_folder or data_home()

        def ready(port: int) -> None:
            say(f"Serving on http://{host}:{port}; documents at /docs, data in {folder}. Ctrl-C stops.")

        program.serve(
            engine,
            folder,
            host=host,
            port=port,
            token=token,
            settings=Settings(
                workers=count or 1,
                models=in_memory,
                max_queue=queue,
                url_inputs=url_inputs,
                keep_days=keep_days,
                aliases=aliases,
                adapt=adapt,
                webhook_url=webhook_url,
                webhook_secret=webhook_secret,
            ),
            model=name,
            others=engines,
            ready=ready,
        )


def _alias(text: str, model: str) -> str:
    """The other name in "name=model"; RequestError where the model is not the one that is served."""
    name, sign, meant = text.partition("=")
    if not (name and sign and meant == model):
        raise RequestError(f"--alias: got '{text}', expected NAME={model}; write for example sora-2={model}.")
    return name


def _workers(text: str) -> tuple[bool, int | None]:
    """Whether the workers are Ray's, and how many there are; None leaves that to the cluster."""
    match = re.fullmatch(r"(ray)(?::(\d+))?|(\d+)", text)
    count = int(match[2] or match[3] or 1) if match else 0
    if match is None or not 1 <= count <= 64:
        raise RequestError(f"--workers: got '{text}', expected 1 to 64, 'ray', or such as 'ray:2'; give one of them.")
    return match[1] is not None, None if match[1] and not match[2] else count
