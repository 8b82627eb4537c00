"""A comparison as a page that needs no other file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._comparison import ModelComparison

METRIC_NAMES = {
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "jensen_shannon": "Jensen-Shannon divergence",
    "ssim": "Structural similarity",
}
_READING = {"jensen_shannon": "0: the same maps; 100: no pixel in common."}
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1f2328; background: #fff; max-width: 80rem; margin: 2rem auto;
  padding: 0 1rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #d8dee4; text-align: right; white-space: nowrap }
th[scope=row] { text-align: left }
small { color: #57606a }
"""


def comparison_page(comparison: ModelComparison, title: str) -> str:
    """Return the page; means and standard deviations in hundredths, as in Tables 9.1 and A.1."""
    body = "\n".join(_section(comparison, metric) for metric in comparison.mean)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"<p>{comparison.n_images} images; mean and standard deviation over the images, in hundredths.</p>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _section(comparison: ModelComparison, metric: str) -> str:
    group_of = {name: group for group, members in comparison.groups.items() for name in members}
    names = [f"{group_of[name]}: {name}" if name in group_of else name for name in comparison.names]
    # The group on a line of its own keeps the columns narrow.
    head = "".join(f'<th scope="col">{escape(name).replace(": ", ":<br>", 1)}</th>' for name in ["", *names])
    rows = (_row(name, _cells(comparison, metric, row)) for row, name in enumerate(names))
    table = (
        f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>{"".join(rows)}</tbody>\n</table></div>'
    )
    means = "".join(
        _row(f"within {first}" if first == second else f"between {first} and {second}", [f"{100 * mean:.2f}"])
        for (first, second), mean in comparison.group_means(metric).items()
    )
    groups = f"<h3>Means of the groups</h3>\n<table>\n<tbody>{means}</tbody>\n</table>" if means else ""
    reading = _READING.get(metric, "100: the same maps.")
    return f"<h2>{escape(METRIC_NAMES.get(metric, metric))}</h2>\n<p>{reading}</p>\n{table}\n{groups}"


def _cells(comparison: ModelComparison, metric: str, row: int) -> Iterator[str]:
    for column in range(len(comparison.names)):
        mean, std = comparison.mean[metric][row, column], comparison.std[metric][row, column]
        yield "" if row == column else f"{100 * mean:.2f} <small>&plusmn; {100 * std:.2f}</small>"


def _row(name: str, cells: Iterable[str]) -> str:
    return f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>\n'
