"""A clip on the page of a notebook: played from within it, so that it needs no file and no server."""

import base64
import html
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediagen.media.clip import Clip

_WIDEST = 512  # pixels; small films are shown larger


def page(clip: "Clip") -> str:
    """HTML that plays a clip: mp4 (webm where its sizes are odd) or wav, as a data URL; text where it is empty."""
    if clip.frames is None or not len(clip.frames):
        if clip.sound is None or not clip.sound.shape[-1]:
            return f"<code>{html.escape(repr(clip))}</code>"
        return f'<audio controls src="{_url(clip, ".wav", "audio/wav")}"></audio>'
    height, width = clip.frames.shape[1:3]
    ending = ".webm" if height % 2 or width % 2 else ".mp4"
    url = _url(clip, ending, f"video/{ending[1:]}")
    return f'<video controls loop width="{max(width, min(4 * width, _WIDEST))}" src="{url}"></video>'


def _url(clip: "Clip", ending: str, kind: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        data = clip.save(Path(folder) / f"clip{ending}").read_bytes()
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
