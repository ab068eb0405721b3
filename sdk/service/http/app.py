"""App: the service as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.requests import Request

from mediagen import __version__
from mediagen.sdk.service.http.guard import Guard
from mediagen.sdk.service.http.metrics import Metrics
from mediagen.sdk.service.http.routes import routes
from mediagen.sdk.service.refusals import Refused, wrong
from mediagen.sdk.service.service import Service

PAGE = Path(__file__).resolve().parents[2] / "studio"
DOCS = Path(__file__).with_name("docs.html")
_SENTENCES = {404: "got a path that does not exist; see /docs.", 405: "got a method that this path does not take."}


def build(service: Service, token: str | None = None) -> FastAPI:
    """The application of a service, which works from the application's start to its end."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            service.stop()

    app = FastAPI(title="mediagen", version=__version__, lifespan=life, docs_url=None, redoc_url=None)
    metrics = Metrics()
    app.include_router(routes(service, metrics))
    app.add_middleware(
        Guard, token=token, max_body=service.settings.upload_bytes + service.settings.text_bytes, count=metrics.count
    )

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return HTMLResponse(DOCS.read_text())

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Any) -> Response:
        return error.response()

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: Any) -> Response:
        message = _SENTENCES.get(error.status_code, f"got a request that cannot be read: {error.detail}.")
        return Refused(error.status_code, message, None, headers=error.headers).response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: Any) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        return wrong(f"{name}: {first['msg'][0].lower()}{first['msg'][1:]}.", "invalid_value", name).response()

    if PAGE.is_dir():
        app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app
