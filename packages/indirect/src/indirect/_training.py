"""From unit prompt rows to components: the number of them, the start, and the batch that the solvers work on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from ._solvers import Solution, adam, lbfgs

_SHARE = 0.9
_DUPLICATE = 0.9995
_NEGLIGIBLE = 1e-5  # singular values, relative to the first


def automatic_components(rows: Tensor) -> int:
    """Return how many directions hold 90 % of what differs between prompts, and one for what they share."""
    variances = torch.linalg.svdvals(rows - rows.mean(0)).square()
    shares = variances.cumsum(0) / variances.sum()
    count: int = (shares < _SHARE).sum().item() + 2
    return min(count, len(rows), rows.shape[1])


def draw_normal(rows: Tensor, count: int, std: float, generator: torch.Generator) -> Tensor:
    """Return ``(count, r)`` normal numbers, in the dtype and on the device of the rows."""
    return std * torch.randn(count, rows.shape[1], generator=generator, device=generator.device).to(rows)


def train_adam(
    rows: Sequence[Tensor],
    starts: Sequence[Tensor | None],
    counts: Sequence[int],
    *,
    lr: float,
    patience: int,
    max_iter: int,
) -> Solution:
    """Learn several notions as published, from normal starts, or singular vectors where the start is None."""
    chosen = [
        _rectangle(torch.linalg.svd(notion, full_matrices=False).Vh, count) if start is None else start
        for notion, start, count in zip(rows, starts, counts)
    ]
    return adam(_filled_up(rows), _filled_up(chosen), _weights(rows), lr=lr, patience=patience, max_iter=max_iter)


def train_lbfgs(
    rows: Sequence[Tensor], starts: Sequence[Tensor | None], counts: Sequence[int], *, max_iter: int
) -> Solution:
    """Learn several notions in the coordinates of their leading singular vectors: 3 r', or 256 if that is more.

    A normal start is pulled onto the first r' vectors, where power iterations would end, but keeps its rotation.
    """
    texts, begun, scales, bases = [], [], [], []
    for notion, start, count in zip(rows, starts, counts):
        _, values, vectors = torch.linalg.svd(notion, full_matrices=False)
        kept = min(max(3 * count, 256), int((values > _NEGLIGIBLE * values[0]).sum()))
        values, basis = values[:kept], vectors[:kept]
        texts.append(notion @ basis.T)
        bases.append(basis)
        # The first value is what all prompts share, so it is the second that the others are measured by.
        scales.append((values / values[:2].min()).clamp(0.25, 1)[None])
        first = torch.eye(count, kept).to(notion)
        if start is not None:
            rotation = torch.linalg.svd(start @ vectors[:count].T, full_matrices=False)
            first = (rotation.U @ rotation.Vh) @ first[: len(vectors)]
        begun.append(first)
    scale = _filled_up(scales)
    scale[scale == 0] = 1
    found = lbfgs(_filled_up(texts), _filled_up(begun), _weights(rows), scale, max_iter=max_iter)
    return Solution(found.components @ _filled_up(bases), found.curves)


def _filled_up(matrices: Sequence[Tensor]) -> Tensor:
    """Return a batch; a prompt of zeros will have weight zero, and components and columns of zeros stay zero."""
    shape = [max(matrix.shape[axis] for matrix in matrices) for axis in (0, 1)]
    batch = matrices[0].new_zeros(len(matrices), *shape)
    for filled, matrix in zip(batch, matrices):
        filled[: matrix.shape[0], : matrix.shape[1]] = matrix
    return batch


def _weights(rows: Sequence[Tensor]) -> Tensor:
    return _filled_up([notion.new_full((len(notion), 1), 1 / len(notion)) for notion in rows]).squeeze(2)


def _rectangle(vectors: Tensor, count: int) -> Tensor:
    """Return the first vectors, and zeros where there are fewer."""
    start = vectors.new_zeros(count, vectors.shape[1])
    start[: len(vectors)] = vectors[:count]
    return start


def warn_about(rows: Tensor, n_components: int, texts: Sequence[str] | None, name: str = "prompts") -> None:
    """Warn when the prompts cannot determine all components, and of those that say the same."""
    rank = int(torch.linalg.matrix_rank(rows))
    if rank < n_components:
        cause = f"{len(rows)} of them" + (f", of rank {rank}," if rank < len(rows) else "")
        warnings.warn(
            f"{name}: {cause} cannot determine {n_components} components; the others follow the start. "
            "Write more prompts, or use n_components='auto'",
            UserWarning,
            stacklevel=4,
        )
    alike = (rows @ rows.T).triu(1) > _DUPLICATE
    if alike.any():
        first, second = alike.nonzero()[0].tolist()
        pair = f"{texts[first]!r} and {texts[second]!r}" if texts else f"rows {first} and {second}"
        warnings.warn(
            f"{name}: {int(alike.sum())} pairs are nearly the same to the encoder, the first {pair}",
            UserWarning,
            stacklevel=4,
        )
