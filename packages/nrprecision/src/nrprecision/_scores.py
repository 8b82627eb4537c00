"""What ``normalized_r_precision`` returns: one value per property, and one per property and query."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._core import import_extra
from ._plots import plot_scores


@dataclass(frozen=True, eq=False)
class PropertyScores:
    """Scores of ``k`` properties over ``q`` queries; each array follows the order of ``names``.

    Attributes:
        names: the properties, ``k`` of them; labels given without a name are called ``"label"``.
        nr_precision: ``(k,)`` normalised R-Precision, the mean over queries of (hits - mu) / sigma.
        r_precision: ``(k,)`` R-Precision, the mean over queries of hits / R.
        expected: ``(k,)`` R-Precision of an embedding that ignores the property, under the chosen null model.
        z_exact: ``(k,)`` normalised R-Precision under the hypergeometric null model, whatever the chosen one.
        p_value: ``(k,)`` share of label permutations that score at least as high; NaN without permutations.
        maximum: ``(k,)`` normalised R-Precision of a perfect clustering of the same labels.
        used: ``(k,)`` number of queries in the mean.
        excluded: ``(k,)`` number of queries left out: without a label, or the only item of their value.
        missing: ``(k,)`` number of items without a label; they are neither queries nor neighbours.
        queries: ``(q,)`` row index of each query.
        per_query: ``(k, q)`` normalised R-Precision of each query, NaN where excluded.
        per_query_r_precision: ``(k, q)`` R-Precision of each query, NaN where excluded.
    """

    names: tuple[str, ...]
    nr_precision: NDArray[np.float64]
    r_precision: NDArray[np.float64]
    expected: NDArray[np.float64]
    z_exact: NDArray[np.float64]
    p_value: NDArray[np.float64]
    maximum: NDArray[np.float64]
    used: NDArray[np.int64]
    excluded: NDArray[np.int64]
    missing: NDArray[np.int64]
    queries: NDArray[np.int64]
    per_query: NDArray[np.float64]
    per_query_r_precision: NDArray[np.float64]

    def significant(self, alpha: float = 0.01) -> NDArray[np.bool_]:
        """Tell which properties pass the published rule: mean z beyond the two-sided normal quantile.

        The quantile is 2.576 for ``alpha = 0.01``. The rule compares a mean over dependent queries with the quantile
        of a single one, so it is no calibrated test; ``p_value`` is.

        Args:
            alpha: level of the rule, in (0, 1).

        Returns:
            ``(k,)`` boolean array.

        Example:
            >>> import numpy as np
            >>> from nrprecision import normalized_r_precision
            >>> points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
            >>> scores = normalized_r_precision(points, ["a", "a", "a", "b", "b", "b"])
            >>> scores.nr_precision.round(3), scores.significant()
            (array([1.414]), array([False]))

        Reference:
            Chapter 7, section 7.1.2; Kobs et al. 2021.
        """
        return np.asarray(self.nr_precision > NormalDist().inv_cdf(1 - alpha / 2))

    def ranking(self) -> list[tuple[str, float]]:
        """Return the properties with their normalised R-Precision, the highest first."""
        order = np.argsort(-self.nr_precision, kind="stable")
        return [(self.names[i], float(self.nr_precision[i])) for i in order]

    def to_dict(self) -> dict[str, dict[str, float | None]]:
        """Return property -> field -> plain number, ready for JSON; None is a p-value that was not asked for."""
        columns = {field: values.tolist() for field, values in self._columns().items()}
        return {
            name: {field: None if values[i] != values[i] else values[i] for field, values in columns.items()}
            for i, name in enumerate(self.names)
        }

    def to_frame(self) -> Any:
        """Return a pandas data frame, one row per property in the given order (extra ``frame``)."""
        pandas = import_extra("pandas", package="nrprecision", extra="frame")
        return pandas.DataFrame(self._columns(), index=pandas.Index(self.names, name="property"))

    def plot(self, *, alpha: float = 0.01, axes: Any = None) -> tuple[Any, Any]:
        """Draw one bar per property, the highest on top (extra ``plot``).

        Args:
            alpha: level of ``significant``: its quantile is marked, bars that do not pass are grey.
            axes: matplotlib axes to draw on; a new figure by default.

        Returns:
            The matplotlib figure and axes.
        """
        return plot_scores(self, alpha=alpha, axes=axes)

    def _columns(self) -> dict[str, NDArray[Any]]:
        return {
            "nr_precision": self.nr_precision,
            "r_precision": self.r_precision,
            "expected": self.expected,
            "z_exact": self.z_exact,
            "p_value": self.p_value,
            "maximum": self.maximum,
            "used": self.used,
            "excluded": self.excluded,
            "missing": self.missing,
        }
