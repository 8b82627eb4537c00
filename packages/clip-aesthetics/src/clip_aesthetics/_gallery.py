"""A page with the photographs from best to worst."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from ._images import open_image
from ._scores import AestheticScores

_STYLE = """
:root { color-scheme: light; }
body { margin: 2rem; color: #1f2328; background: #fff; font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1.2rem; }
figure { margin: 0; } img { width: 100%; height: 11rem; object-fit: contain; background: #f4f6f8; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; } b { font-variant-numeric: tabular-nums; }
.yes b { color: #1a7f37; } .no b { color: #b3261e; } small { color: #59636e; }
"""
_SIDE = 320  # pixels of a thumbnail's longer side


def gallery_html(
    paths: Sequence[Path], names: Sequence[str], scores: AestheticScores, skipped: Mapping[Path, str], *, title: str
) -> str:
    """Return one page without any other file: thumbnails, best first, and what was skipped."""
    low, high = scores.range
    figures = []
    for rank, position in enumerate(scores.ranking(), start=1):
        aesthetic = bool(scores.aesthetic[position])
        closest = f"<br><small>{escape(scores.closest[position])}</small>" if scores.closest else ""
        figures.append(
            f'<figure class="{"yes" if aesthetic else "no"}">'
            f'<img src="{_thumbnail(paths[position])}" alt="{escape(names[position])}" loading="lazy">'
            f"<figcaption>{rank}. <b>{float(scores.values[position]):.4f}</b> "
            f"{'aesthetic' if aesthetic else 'not aesthetic'}, {escape(names[position])}{closest}</figcaption></figure>"
        )
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in skipped.values())
    left_out = f"<h2>Skipped</h2>\n<ul>{reasons}</ul>\n" if skipped else ""
    body = "\n".join(figures)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        f"<p>{len(names)} photographs, best first. Score: {scores.unit}, range "
        f"{low:g} to {high:g}, higher is better. Encoder: {escape(scores.encoder or 'unknown')}.</p>\n"
        f"<main>\n{body}\n</main>\n{left_out}</body></html>\n"
    )


def _thumbnail(path: Path) -> str:
    """Return a small JPEG as a data URL."""
    image = open_image(path)
    image.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
