"""Pages that need no other file: one skeleton and one style for every HTML output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1f2328; background: #fff; max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .25rem }
p, li { max-width: 50rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .35rem .5rem; border-bottom: 1px solid #d8dee4; text-align: right; white-space: nowrap }
thead th { border-bottom: 2px solid #8c959f; vertical-align: bottom; white-space: normal }
th:first-child { text-align: left; font-weight: 600 }
.track { width: 9rem }
.track div { height: .9rem; background: #2f6fb0 }
.track .chance { background: #b3bcc6 }
tfoot tr:first-child > * { border-top: 2px solid #8c959f }
u { text-underline-offset: .2em }
"""  # noqa: E501


def page(title: str, body: str) -> str:
    """Return a self-contained page; ``title`` is escaped, ``body`` is HTML already."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def note_list(notes: Iterable[str]) -> str:
    """Return the notes as an escaped list, or nothing when there are none."""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<h2>Notes</h2>\n<ul>{items}</ul>" if items else ""


def table(head: Sequence[str], body: Iterable[Sequence[str]], foot: Iterable[Sequence[str]] = ()) -> str:
    """Return a table; the head and the first cell of each row are escaped, the other cells are HTML already."""
    return (
        f'<div class="scroll"><table>\n<thead><tr>{"".join(f"<th>{escape(cell)}</th>" for cell in head)}</tr></thead>\n'
        f"<tbody>{_rows(body)}</tbody>\n<tfoot>{_rows(foot)}</tfoot>\n</table></div>"
    )


def _rows(rows: Iterable[Sequence[str]]) -> str:
    return "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>\n'
        for name, *cells in rows
    )
