"""Properties drawn independently, and a check that given ones were."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ._core import import_extra, type_error, value_error
from ._inputs import check_seed
from ._properties import Property, encode_properties

LEVEL = 0.01  # of the chi-square test, shared by all pairs
SMALL_EFFECT = 0.1  # Cohen's "small" association


def sample_properties(values: Mapping[str, Sequence[Any] | NDArray[Any]], n: int, seed: int) -> dict[str, NDArray[Any]]:
    """Draw ``n`` items whose properties are uniform over their values and independent of one another.

    Args:
        values: name -> the property's possible values, at least two different ones.
        n: number of items.
        seed: the same seed gives the same items; adding a property at the end leaves the others as they were.

    Returns:
        Mapping name -> array ``(n,)`` of values.

    Raises:
        ValueError: a property has fewer than two values or repeats one, or ``n`` is below 1.

    Example:
        >>> sample_properties({"car": ["Enzo", "Evoque"], "rotation": range(0, 360, 45)}, n=4, seed=0)["rotation"]
        array([90,  0,  0,  0])

    Reference:
        Chapter 7, Table 7.2; Kobs et al. 2021.
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise value_error("n", "at least one item", n)
    check_seed(seed)
    generator = np.random.default_rng(seed)
    return {name: choices[generator.integers(len(choices), size=n)] for name, choices in _choices(values).items()}


def _choices(values: Mapping[str, Sequence[Any] | NDArray[Any]]) -> dict[str, NDArray[Any]]:
    choices = {}
    if not isinstance(values, Mapping):
        raise type_error("values", "a mapping name -> values", values)
    for name, options in values.items():
        if isinstance(options, str) or not isinstance(options, Iterable):
            raise type_error(f"values[{name!r}]", "a sequence of values", options)
        listed = list(options)
        if not all(isinstance(option, Hashable) for option in listed):
            raise value_error(f"values[{name!r}]", "hashable values", listed)
        if len(set(listed)) < max(2, len(listed)):
            raise value_error(f"values[{name!r}]", "two or more values, each once", listed)
        if len({type(option) for option in listed}) > 1 or isinstance(listed[0], tuple):
            # numpy would turn 1 and "1" into equal strings and tuples into rows.
            choices[name] = np.empty(len(listed), dtype=object)
            choices[name][:] = listed
        else:
            choices[name] = np.asarray(listed)
    return choices


@dataclass(frozen=True, eq=False)
class Independence:
    """Association of each pair of ``k`` properties.

    Attributes:
        names: the properties.
        cramers_v: ``(k, k)`` bias-corrected Cramer's V, 0 (independent) to 1 (one determines the other).
        p_value: ``(k, k)`` of the chi-square test of independence, corrected for the number of pairs.
        confounded: pairs of names that are associated beyond chance, the strongest first.
    """

    names: tuple[str, ...]
    cramers_v: NDArray[np.float64]
    p_value: NDArray[np.float64]
    confounded: tuple[tuple[str, str], ...]

    def describe(self) -> list[str]:
        """Return one sentence for each confounded pair."""
        rows = [(self.names.index(a), self.names.index(b)) for a, b in self.confounded]
        return [
            f"{self.names[i]!r} and {self.names[j]!r} are confounded (Cramer's V = {self.cramers_v[i, j]:.2f}): "
            "a high score of one may be the other's"
            for i, j in rows
        ]

    def to_frame(self) -> Any:
        """Return Cramer's V as a pandas data frame (extra ``frame``)."""
        pandas = import_extra("pandas", package="nrprecision", extra="frame")
        return pandas.DataFrame(self.cramers_v, index=list(self.names), columns=list(self.names))


def check_independence(properties: Any) -> Independence:
    """Measure how strongly each pair of properties is associated and warn about confounded pairs.

    ``V = sqrt(phi2 / min(r - 1, c - 1))`` with ``phi2 = chi2 / n``, where ``phi2``, ``r`` and ``c`` carry Bergsma's
    bias correction, so that independent properties give about 0 for any number of values. A pair is confounded when
    V is at least 0.1 (Cohen's "small") and the chi-square test rejects independence at 1 %, corrected for the number
    of pairs (Bonferroni): neither chance in a small sample nor a trace of association in a large one is reported.

    Args:
        properties: a mapping name -> labels ``(n,)`` or a pandas or polars frame; items without a label in one of
            the two properties are left out of the pair.

    Returns:
        The table of all pairs.

    Raises:
        TypeError: ``properties`` is neither a mapping nor a frame.
        ValueError: the properties differ in length, or one has a single value.

    Example:
        >>> table = check_independence(sample_properties({"car": range(6), "sun": range(3)}, n=1000, seed=0))
        >>> table.confounded
        ()

    Reference:
        Chapter 7, section 7.1.2; Bergsma, "A bias-correction for Cramer's V and Tschuprow's T", 2013.
    """
    if isinstance(properties, Mapping):
        first = next(iter(properties.values()), ())
        n = len(first) if hasattr(first, "__len__") else 0
    elif hasattr(properties, "columns"):
        n = len(properties)
    else:
        raise type_error("properties", "a mapping name -> labels, or a frame", properties)
    encoded = encode_properties(properties, (n,))
    names = tuple(item.name for item in encoded)
    pairs = list(combinations(range(len(encoded)), 2))
    cramers_v, p_value = np.eye(len(encoded)), np.zeros((len(encoded), len(encoded)))
    for i, j in pairs:
        v, p = _association(encoded[i], encoded[j])
        cramers_v[i, j] = cramers_v[j, i] = v
        p_value[i, j] = p_value[j, i] = min(1.0, p * len(pairs))
    found = [(i, j) for i, j in pairs if cramers_v[i, j] >= SMALL_EFFECT and p_value[i, j] < LEVEL]
    found.sort(key=lambda pair: -cramers_v[pair])
    table = Independence(names, cramers_v, p_value, tuple((names[i], names[j]) for i, j in found))
    if found:
        warnings.warn("; ".join(table.describe()), UserWarning, stacklevel=2)
    return table


def _association(first: Property, second: Property) -> tuple[float, float]:
    """Return the bias-corrected Cramer's V of two properties and the p-value of the chi-square test."""
    both = (first.codes >= 0) & (second.codes >= 0)
    n = int(both.sum())
    width = len(second.counts)
    cells, observed = np.unique(first.codes[both] * width + second.codes[both], return_counts=True)
    rows = np.bincount(first.codes[both], minlength=len(first.counts))
    columns = np.bincount(second.codes[both], minlength=width)
    r, c = np.count_nonzero(rows), np.count_nonzero(columns)
    if min(r, c) < 2:
        return 0.0, 1.0
    # chi2 = n (sum o^2 / (row total * column total) - 1): empty cells need no memory.
    chi2 = n * float((observed**2 / (rows[cells // width] * columns[cells % width])).sum() - 1)
    freedom = (r - 1) * (c - 1)
    p = float(torch.special.gammaincc(*torch.tensor([freedom / 2, max(chi2, 0) / 2], dtype=torch.float64)))
    largest = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    excess = max(0.0, chi2 / n - freedom / (n - 1))
    return (float(np.sqrt(excess / largest)) if largest > 0 else 0.0), p
