"""A page with queries and what was found for them, with small copies of the images inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

from ._images import open_image

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1f2328; background: #fff; max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem }
section { border-top: 1px solid #d8dee4; padding: 1rem 0; display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0; width: 9rem }
figure img { width: 9rem; height: 9rem; object-fit: contain; background: #f6f8fa }
figure.query img { outline: 3px solid #2f6fb0 }
figcaption { font-size: .8rem; overflow-wrap: anywhere }
"""  # noqa: E501


def result_page(
    title: str, prompts: Sequence[str], queries: Sequence[str], found: Sequence[Sequence[tuple[str, float]]]
) -> str:
    """Return a self-contained page: per query its image, then the images found with their cosines."""
    shown = ", ".join(prompts[:5]) + (f", ... ({len(prompts)} prompts)" if len(prompts) > 5 else "")
    sections = [
        f"<section>{_figure(query, 'query', 'query')}"
        + "".join(_figure(name, f"{cosine:.4f}", "found") for name, cosine in results)
        + "</section>"
        for query, results in zip(queries, found)
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n<p>{escape(shown)}</p>\n" + "\n".join(sections) + "\n</body>\n</html>\n"
    )


def _figure(path: str, label: str, kind: str) -> str:
    try:
        image = open_image(path)
        image.thumbnail((288, 288))
        buffer = io.BytesIO()
        image.save(buffer, format="JPEG", quality=85)
        source = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    except (OSError, ValueError):
        source = ""  # moved since it was embedded: the name remains
    return (
        f'<figure class="{kind}"><img src="{source}" alt="{escape(path)}">'
        f"<figcaption><b>{escape(label)}</b> {escape(path)}</figcaption></figure>"
    )
