"""The report as a page: a ranked table with bars, and what to know before one believes it."""

from __future__ import annotations

import numpy as np

from ._html import note_list, page, table
from ._scores import PropertyScores

_HEAD = ["Property", "NR-Precision", "", "R-Precision", "chance", "perfect NR", "exact z", "significant", "queries"]
_LEGEND = (
    "<p><b>NR-Precision</b> is the mean over queries of the number of neighbours that share the query's value, in "
    "standard deviations above chance: 0 is an embedding that ignores the property, <b>perfect NR</b> one that "
    "clusters it perfectly. <b>Exact z</b> is the same for neighbours drawn without replacement. Grey bars are not "
    "significant. Values grow with the square root of the number of items: compare them within one data set only.</p>"
)


def report_html(scores: PropertyScores, *, title: str, summary: str, alpha: float, notes: list[str]) -> str:
    """Return a self-contained page; names, summary and notes are escaped.

    Args:
        scores: what to show, the highest first.
        title: heading of the page.
        summary: one line on data and options, the first of the notes.
        alpha: level of ``PropertyScores.significant``.
        notes: one sentence each.
    """
    permuted = not np.isnan(scores.p_value).any()
    significant = scores.significant(alpha)
    longest = max(float(scores.nr_precision.max()), 1e-9)
    rows = []
    for i in np.argsort(-scores.nr_precision, kind="stable"):
        width = 100 * max(0.0, float(scores.nr_precision[i])) / longest
        mark = "" if significant[i] else ' class="chance"'
        rows.append(
            [
                scores.names[i],
                f"{scores.nr_precision[i]:z.3f}",
                f'<div class="track"><div{mark} style="width:{width:.1f}%"></div></div>',
                f"{scores.r_precision[i]:z.4f}",
                f"{scores.expected[i]:z.4f}",
                f"{scores.maximum[i]:z.3f}",
                f"{scores.z_exact[i]:z.3f}",
                "yes" if significant[i] else "no",
                str(scores.used[i]),
                *([f"{scores.p_value[i]:z.4f}"] if permuted else []),
            ]
        )
    head = [*_HEAD, *(["p-value"] if permuted else [])]
    rule = f"Significant: the mean lies beyond the two-sided normal quantile at the {alpha:g} level, a rule of thumb."
    if permuted:
        rule += " The p-value, the share of label permutations that score at least as high, is a test."
    return page(title, f"{_LEGEND}\n{table(head, rows)}\n{note_list([summary, rule, *notes])}")


def excluded_notes(scores: PropertyScores) -> list[str]:
    """Return one sentence for each property that lost items or queries."""
    return [
        f"{name!r}: {missing} items have no value; {excluded} of {len(scores.queries)} queries were left out "
        "(no value, or no other item shares it)."
        for name, missing, excluded in zip(scores.names, scores.missing, scores.excluded)
        if missing or excluded
    ]
