"""A response as a page that needs no other file."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from ._checks import check_text
from ._core import import_extra

if TYPE_CHECKING:
    from ._probe import Response

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1f2328; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0 }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #d8dee4; text-align: right }
th:first-child, td:first-child { text-align: left }
img { max-width: 100% }
"""


def report_html(response: Response, *, title: str) -> str:
    """Return a self-contained page; all names are escaped."""
    pyplot = import_extra("matplotlib.pyplot", package="mapgen", extra="plot")
    check_text("title", title)
    figure, _ = response.plot()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    pyplot.close(figure)
    picture = base64.b64encode(buffer.getvalue()).decode()
    columns = response.table
    table = _table(list(columns), zip(*columns.values()))
    statistics = _statistics(response) if len(response.sweep.factors) == 1 else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f'<img alt="response" src="data:image/png;base64,{picture}">\n{statistics}\n{table}\n</body>\n</html>\n'
    )


def _statistics(response: Response) -> str:
    if not all(isinstance(value, (int, float)) for value in response.sweep.factors[response.factor]):
        return ""
    rows: list[list[object]] = []
    for name, found in (("Pearson", response.pearson), ("Spearman", response.spearman)):
        rows.append([name, f"{found:.4f}", f"{found.low:.4f} to {found.high:.4f} ({found.level:.0%})"])
    rows.append(["Monotonicity", f"{response.monotonicity:.4f}", "1 rises everywhere, -1 falls everywhere"])
    rows.append(["Saturation", response.saturation_point(), "stays within 5 % of the answers' range from here on"])
    if len(set(response.values.tolist())) > 4:
        rows += [[f"{fit.form} fit", f"AICc {fit.aicc:.2f}", f"R² {fit.r2:.4f}"] for fit in response.fits.values()]
    return _table(["Statistic", "value", ""], rows)


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(_text(cell))}</{tag}>" for cell in cells) + "</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    return f"<table>\n<thead>{line(head, 'th')}</thead>\n<tbody>{body}</tbody>\n</table>"


def _text(cell: object) -> str:
    return f"{cell:.6g}" if isinstance(cell, float) else "none" if cell is None else str(cell)
