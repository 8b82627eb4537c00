"""R-Precision per property, normalised by chance, and its relatives."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ._core import value_error
from ._distances import Distance
from ._inputs import check_seed
from ._null import MOMENTS, Null
from ._permutation import permutation_p_values
from ._scores import PropertyScores
from ._search import Search, SearchOptions, mean_over_used


def normalized_r_precision(
    embeddings: Any,
    properties: Any,
    *,
    distance: Distance = "euclidean",
    null: Null = "binomial",
    queries: Any = None,
    max_k: int | None = None,
    block_size: int | None = None,
    seed: int | None = None,
    progress: bool | None = None,
    normalize_embeddings: bool = False,
    permutations: int = 0,
    process_group: Any = None,
) -> PropertyScores:
    """Measure per property how far its items gather in embedding space, in standard deviations beyond chance.

    The mean over all queries of ``(hits - mu) / sigma``. ``hits`` counts the items with the query's value among its R
    nearest, R being the number of other items with that value; ``mu`` and ``sigma`` are what an embedding that ignores
    the property gives. By default ``mu = R p`` and ``sigma = sqrt(R p (1 - p))``, with p the share of items with the
    query's value. The value grows with the square root of n: compare it within one data set only.

    Neighbours are exact. A query is no neighbour of itself, by its index, so duplicates count. Items that tie at the
    R-th distance count by expectation, so the order of rows does not matter. All properties share one pass over the
    distances, in memory for ``block_size`` rows of them.

    Args:
        embeddings: ``(n, d)`` numbers, an array (also memory-mapped), a tensor or nested lists.
        properties: labels ``(n,)``, a mapping name -> labels, or a pandas or polars frame. Items whose label is
            missing (None, NaN, NaT, ``pandas.NA``) are neither queries nor neighbours for that property.
        distance: ``"euclidean"``, ``"sqeuclidean"``, ``"cosine"``, ``"dot"`` (nearest means the largest product),
            ``"snr"`` (variance of the difference over that of the query), or a function of ``(b, d)`` queries and
            ``(n, d)`` items that returns ``(b, n)`` distances.
        null: ``"binomial"`` draws with replacement, as published; ``"hypergeometric"`` without, which is exact.
        queries: row indices of the queries, or how many to draw by ``seed``; all by default.
        max_k: upper limit of R.
        block_size: rows of the distance matrix in memory; by default about 130 MB of it.
        seed: of the drawn queries and of the permutations.
        progress: show a progress bar (needs tqdm); by default in a terminal only.
        normalize_embeddings: divide each embedding by its norm first.
        permutations: number of label permutations behind ``p_value``. Each costs one more count of every property, so
            a sample of ``queries`` helps.
        process_group: ``torch.distributed`` group whose processes share the queries; each needs all arguments.

    Returns:
        Arrays of length ``k``, in the order of the properties.

    Raises:
        TypeError: embeddings are no real numbers.
        ValueError: embeddings are not finite, shapes do not fit, or a property has one value only, no value that two
            items share, or too many values.

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
        >>> labels = {"side": ["left"] * 3 + ["right"] * 3, "parity": [0, 1, 0, 1, 0, 1]}
        >>> scores = normalized_r_precision(points, labels)
        >>> scores.nr_precision.round(3)
        array([ 1.414, -0.471])
        >>> scores.r_precision.round(3)
        array([1.   , 0.333])

    Reference:
        Chapter 7, Eq. 7.1 to 7.3; Kobs et al. 2021.
        Erratum: Eq. 7.3 prints the variance ``R p (1 - p)`` as sigma; its square root is meant.
    """
    if not isinstance(null, str) or null not in MOMENTS:
        raise value_error("null", "'binomial' or 'hypergeometric'", null)
    if isinstance(permutations, bool) or not isinstance(permutations, (int, np.integer)) or permutations < 0:
        raise value_error("permutations", "a whole number that is not negative", permutations)
    check_seed(seed)
    search = Search(
        embeddings,
        properties,
        distance=distance,
        queries=queries,
        max_k=max_k,
        block_size=block_size,
        seed=seed,
        progress=progress,
        normalize_embeddings=normalize_embeddings,
        process_group=process_group,
    )
    hits, depth = search.hits(search.properties, search.depth), search.depth
    count = np.stack([prop.count_of(search.queries) for prop in search.properties])
    labelled = np.array([[prop.labelled] for prop in search.properties])
    used = depth > 0
    # Placeholders of a query that is left out keep the arithmetic defined; no mean and no result contains them.
    draws, count = np.where(used, depth, 1), np.where(used, count, 2)
    mean, deviation = MOMENTS[null](draws, count, labelled)
    exact_mean, exact_deviation = MOMENTS["hypergeometric"](draws, count, labelled)
    z_score = (hits - mean) / deviation
    nr_precision = mean_over_used(z_score, depth)
    return PropertyScores(
        names=tuple(prop.name for prop in search.properties),
        nr_precision=nr_precision,
        r_precision=mean_over_used(hits / draws, depth),
        expected=mean_over_used(mean / draws, depth),
        z_exact=mean_over_used((hits - exact_mean) / exact_deviation, depth),
        p_value=permutation_p_values(search, nr_precision, MOMENTS[null], permutations, seed),
        maximum=mean_over_used((draws - mean) / deviation, depth),
        used=used.sum(axis=1),
        excluded=(~used).sum(axis=1),
        missing=len(search.embeddings) - labelled[:, 0],
        queries=search.queries,
        per_query=np.where(used, z_score, np.nan),
        per_query_r_precision=np.where(used, hits / draws, np.nan),
    )


def r_precision(embeddings: Any, properties: Any, **options: Unpack[SearchOptions]) -> NDArray[np.float64]:
    """Return the share of a query's R nearest items that have its value, as a mean over queries.

    Args:
        embeddings: ``(n, d)``, as in ``normalized_r_precision``.
        properties: labels of the items, as in ``normalized_r_precision``.
        **options: ``distance``, ``queries``, ``max_k``, ``block_size``, ``seed``, ``progress``,
            ``normalize_embeddings`` and ``process_group``, as in ``normalized_r_precision``.

    Returns:
        ``(k,)`` values in [0, 1], in the order of the properties.

    Example:
        >>> import numpy as np
        >>> r_precision(np.array([[0.0], [1.0], [3.0], [4.5]]), ["a", "a", "b", "a"])
        array([0.5])

    Reference:
        Section 2.5.3, Eq. 2.33 and 2.34.
    """
    search = Search(embeddings, properties, **options)
    return mean_over_used(search.hits(search.properties, search.depth) / np.maximum(search.depth, 1), search.depth)


def precision_at_1(embeddings: Any, properties: Any, **options: Unpack[SearchOptions]) -> NDArray[np.float64]:
    """Return the share of queries whose nearest item has their value.

    A query that is the only item of its value is left out. Items that tie for the nearest count by expectation.

    Args:
        embeddings: ``(n, d)``, as in ``normalized_r_precision``.
        properties: labels of the items, as in ``normalized_r_precision``.
        **options: as in ``r_precision``.

    Returns:
        ``(k,)`` values in [0, 1], in the order of the properties.

    Example:
        >>> import numpy as np
        >>> precision_at_1(np.array([[0.0], [1.0], [3.0], [4.5]]), ["a", "a", "b", "a"]).round(3)
        array([0.667])

    Reference:
        Section 2.5.3, Eq. 2.33 with i = 1.
    """
    search = Search(embeddings, properties, **options)
    first = np.minimum(search.depth, 1)
    return mean_over_used(search.hits(search.properties, first), first)


def map_at_r(embeddings: Any, properties: Any, **options: Unpack[SearchOptions]) -> NDArray[np.float64]:
    """Return the mean average precision at R: R-Precision that asks for the right items first.

    ``1/R sum_i p(i)`` over the R nearest items, p(i) being the precision among the first i if item i has the query's
    value and 0 otherwise. Tied items count by expectation over their orders. Ranks need whole sorted rows of exact
    distances, which is many times slower than counting hits.

    Args:
        embeddings: ``(n, d)``, as in ``normalized_r_precision``.
        properties: labels of the items, as in ``normalized_r_precision``.
        **options: as in ``r_precision``.

    Returns:
        ``(k,)`` values in [0, 1], in the order of the properties.

    Example:
        >>> import numpy as np
        >>> map_at_r(np.array([[0.0], [1.0], [3.0], [4.5]]), ["a", "a", "b", "a"]).round(3)
        array([0.417])

    Reference:
        Section 2.5.3, Eq. 2.35 and 2.36.
    """
    search = Search(embeddings, properties, **options)
    return mean_over_used(search.average_precision(), search.depth)
