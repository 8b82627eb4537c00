"""Splitting papers so that each part has every venue's share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ._checks import as_list, as_numbers, check_seed
from ._core import value_error


def stratified_split(
    labels: Sequence[str], fractions: Sequence[float] = (0.8, 0.1, 0.1), *, seed: int = 0
) -> list[NDArray[np.int64]]:
    """Draw disjoint parts in which each label has the same share as in the whole, up to rounding.

    A label too rare for all parts is in the first one.

    Args:
        labels: the label of each row ``(n,)``.
        fractions: the size of each part; they sum to 1.
        seed: of the draw.

    Returns:
        The rows of each part, in ascending order.

    Raises:
        ValueError: the fractions are not positive or do not sum to 1.

    Example:
        >>> training, test = stratified_split(["ICML"] * 4 + ["ACL"] * 2, (0.5, 0.5), seed=1)
        >>> training.tolist(), test.tolist()
        ([0, 1, 4], [2, 3, 5])
    """
    check_seed(seed)
    labels, fractions = as_list("labels", labels, "a sequence of labels"), as_numbers("fractions", fractions)
    if not fractions or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise value_error("fractions", "positive numbers with the sum 1", fractions)
    parts: list[list[NDArray[np.int64]]] = [[] for _ in fractions]
    generator = np.random.default_rng(seed)
    codes = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)[1]
    for code in range(codes.max(initial=-1) + 1):
        rows = generator.permutation(np.flatnonzero(codes == code))
        ends = np.ceil(np.cumsum(fractions) * len(rows) - 1e-9).astype(int)
        for part, (start, end) in zip(parts, pairwise([0, *ends])):
            part.append(rows[start:end])
    return [np.sort(np.concatenate(part)) if part else np.array([], dtype=np.int64) for part in parts]
