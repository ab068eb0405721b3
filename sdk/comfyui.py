"""A node for ComfyUI that asks a mediagen service for a clip.

This file needs Python alone, so that it can be copied into `ComfyUI/custom_nodes/` of an environment without mediagen;
docs/comfyui.md has the workflow.
"""

import io
import json
import time
import urllib.error
import urllib.request
from typing import Any

POLL = 0.5  # seconds


class MediagenVideo:
    """Prompt to VIDEO with its sound, by `mediagen serve`; an interrupt in ComfyUI cancels the job."""

    CATEGORY = "video"
    FUNCTION = "make"
    RETURN_TYPES = ("VIDEO",)
    DESCRIPTION = "A clip with its sound, made by a mediagen service."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, tuple]]:
        """What the node asks for: `required` and `optional` inputs with type and default."""
        return {
            "required": {
                "prompt": ("STRING", {"multiline": True, "default": "a red ball bounces in a green meadow"}),
                "seconds": ("FLOAT", {"default": 2.0, "min": 0.1, "max": 60.0, "step": 0.1}),
                "seed": ("INT", {"default": 0, "min": 0, "max": 2**31 - 1}),
                "server": ("STRING", {"default": "http://127.0.0.1:8000"}),
            },
            "optional": {
                "negative_prompt": ("STRING", {"multiline": True, "default": ""}),
                "model": ("STRING", {"default": ""}),
                "token": ("STRING", {"default": ""}),
            },
        }

    def make(
        self,
        prompt: str,
        seconds: float,
        seed: int,
        server: str,
        negative_prompt: str = "",
        model: str = "",
        token: str = "",
    ) -> tuple[Any]:
        """The clip as a VIDEO. Raises RuntimeError with the service's own sentence where it refuses or fails."""
        asked: dict[str, Any] = {"prompt": prompt, "seconds": f"{seconds:g}", "seed": seed}
        asked |= {"negative_prompt": negative_prompt} if negative_prompt else {}
        asked |= {"model": model} if model else {}
        videos = f"{server.rstrip('/')}/v1/videos"
        job = json.loads(_ask(videos, token, asked))
        address = f"{videos}/{job['id']}"
        try:
            while job["status"] in ("queued", "in_progress"):
                _stop_if_interrupted()
                time.sleep(POLL)
                job = json.loads(_ask(address, token))
        except BaseException:  # an interrupt is none of Exception's
            _ask(address, token, method="DELETE")
            raise
        if job["status"] != "completed":
            raise RuntimeError((job["error"] or {}).get("message") or f"the job is {job['status']}")
        return (_video(_ask(f"{address}/content", token)),)


def _ask(address: str, token: str, body: dict[str, Any] | None = None, method: str | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    request = urllib.request.Request(address, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        said = error.read()
        try:
            raise RuntimeError(json.loads(said)["error"]["message"]) from None
        except (ValueError, LookupError, TypeError):
            raise RuntimeError(f"{address} answered {error.code}; see that mediagen serves there.") from None
    except urllib.error.URLError as error:
        raise RuntimeError(f"{address}: {error.reason}; start `mediagen serve`, or mend `server`.") from None


def _stop_if_interrupted() -> None:
    from comfy.model_management import (  # pyright: ignore[reportMissingImports]
        throw_exception_if_processing_interrupted,
    )

    throw_exception_if_processing_interrupted()


def _video(content: bytes) -> Any:
    from comfy_api.latest import InputImpl  # pyright: ignore[reportMissingImports]

    return InputImpl.VideoFromFile(io.BytesIO(content))


NODE_CLASS_MAPPINGS = {"MediagenVideo": MediagenVideo}
NODE_DISPLAY_NAME_MAPPINGS = {"MediagenVideo": "mediagen: video"}
