"""The bench's one page of HTML: tables of figures and contact sheets, pictures inside the file."""

import base64
import html
import io
from collections.abc import Sequence

from PIL import Image
from torch import Tensor

from mediagen.media.clip import Clip
from mediagen.media.sheets import contact_sheet
from mediagen.sdk.bench.figures import Part

SHOWN = 6  # frames of a clip that a sheet shows
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; } td, th { padding: .2rem .9rem .2rem 0; text-align: left; }
tr { border-bottom: 1px solid #ddd; } td.value { white-space: nowrap; font-variant-numeric: tabular-nums; }
img { max-width: 100%; image-rendering: pixelated; } small, .note { color: #666; }
"""


def page(parts: Sequence[Part], sheets: Sequence[tuple[str, Tensor]], about: dict[str, object]) -> str:
    """A whole HTML document. sheets: titles and pictures uint8 (H, W, 3).  about: what made the figures."""
    body = [
        "<h1>mediagen bench</h1>",
        "<p class=note>" + _escaped(", ".join(f"{k}: {v}" for k, v in about.items())) + "</p>",
    ]
    for part in parts:
        body.append(f"<h2>{_escaped(part.title)}</h2>")
        if part.skipped:
            body.append(f"<p class=note>Not measured: {_escaped(part.skipped)}.</p>")
        if part.figures:
            body.append(_table(part))
    for title, picture in sheets:
        body.append(
            f"<h2>{_escaped(title)}</h2><img alt='{_escaped(title)}' src='data:image/png;base64,{_png(picture)}'>"
        )
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>mediagen bench</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def sheet(clips: Sequence[Clip], columns: int = 2) -> Tensor:
    """A contact sheet of clips: a strip of frames each, evenly spread, with the caption beneath; uint8 (H, W, 3)."""
    strips = []
    for clip in clips:
        assert clip.frames is not None, "a sheet needs pictures"
        count = min(SHOWN, len(clip.frames))
        strips.append(clip.frames[[round(i * (len(clip.frames) - 1) / max(1, count - 1)) for i in range(count)]])
    return contact_sheet(strips, columns, [clip.caption for clip in clips])


def _table(part: Part) -> str:
    rows = ["<tr><th></th><th>value (95 % interval)</th><th>trials</th><th></th></tr>"]
    for name, figure in part.figures.items():
        count = str(figure.count) if figure.count else ""
        rows.append(
            f"<tr><td>{_escaped(name)}</td><td class=value>{_escaped(str(figure))}</td><td>{count}</td>"
            f"<td><small>{_escaped(figure.note)}</small></td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _png(picture: Tensor) -> str:
    memory = io.BytesIO()
    Image.fromarray(picture.cpu().numpy()).save(memory, "PNG", optimize=True)
    return base64.b64encode(memory.getvalue()).decode()


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)
