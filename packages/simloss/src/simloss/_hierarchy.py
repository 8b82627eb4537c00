"""Similarities of classes from their places in a hierarchy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ._arguments import check_distinct
from ._core import type_error, value_error

if TYPE_CHECKING:
    from torch.types import Device


def hierarchy_similarity(
    paths: Iterable[str | tuple[str, ...]],
    *,
    parents: Mapping[str, str | None] | None = None,
    separator: str = "/",
    dtype: torch.dtype = torch.float32,
    device: Device = None,
) -> Tensor:
    """Return how much of their way from the root two classes share (Wu-Palmer similarity).

    ``S[i, j] = 2 * depth(common) / (depth(i) + depth(j))``, where ``depth`` counts the steps of a path and ``common``
    is their shared beginning: siblings two steps deep have 1/2, classes without a common ancestor 0. A class may
    lie on the way to another one.

    Args:
        paths: one place per class, in the order of the classes: ``"animal/mammal/dog"`` or ``("animal", "mammal",
            "dog")``; with ``parents`` its name, such as ``"dog"``.
        parents: parent of each node, ``{"dog": "mammal", "mammal": "animal"}``. A node without an entry,
            or with ``None``, is a root.
        separator: what separates the steps of a path that is a string.
        dtype: dtype of the result.
        device: device of the result.

    Returns:
        Symmetric similarities ``(c, c)`` with ones on the diagonal.

    Raises:
        ValueError: a path is empty, has an empty step or is repeated; a name is not in ``parents``; a cycle.

    Example:
        >>> hierarchy_similarity(["animal/dog", "animal/cat", "animal", "car"])
        tensor([[1.0000, 0.5000, 0.6667, 0.0000],
                [0.5000, 1.0000, 0.6667, 0.0000],
                [0.6667, 0.6667, 1.0000, 0.0000],
                [0.0000, 0.0000, 0.0000, 1.0000]])

    Reference:
        Wu and Palmer, "Verb semantics and lexical selection", ACL 1994, as measure in Chapter 14, Eq. 14.11.
    """
    if isinstance(paths, str) or not isinstance(paths, Iterable):
        raise type_error("paths", "one path per class", paths)
    if not isinstance(separator, str) or not separator:
        raise value_error("separator", "a string of at least one character", separator)
    if parents is None:
        steps = [_steps(path, separator) for path in paths]
    elif not isinstance(parents, Mapping):
        raise type_error("parents", "a mapping from nodes to their parents", parents)
    else:
        # A root may appear only as a parent.
        nodes = {*parents, *parents.values()}
        steps = [_ancestry(name, parents, nodes) for name in paths]
    check_distinct("paths", steps)

    depth = torch.tensor([len(path) for path in steps], dtype=torch.float32)
    common = torch.zeros(len(steps), len(steps))
    numbers: dict[tuple[str, ...], int] = {}
    for level in range(1, int(depth.max()) + 1):
        # Equal beginnings get equal numbers; a path that has ended equals no other.
        node = torch.tensor(
            [
                numbers.setdefault(path[:level], len(numbers)) if level <= len(path) else -1 - index
                for index, path in enumerate(steps)
            ]
        )
        common += node[:, None] == node
    similarity = 2 * common / (depth[:, None] + depth)
    return similarity.fill_diagonal_(1).to(dtype=dtype, device=device)


def _steps(path: str | tuple[str, ...], separator: str) -> tuple[str, ...]:
    """Return the steps of a path, from the root."""
    if not isinstance(path, str | tuple | list):
        raise type_error("paths", "paths as strings or tuples of strings", path)
    steps = tuple(path.split(separator)) if isinstance(path, str) else tuple(path)
    if not steps or not all(isinstance(step, str) and step for step in steps):
        raise value_error("paths", "paths of non-empty steps", repr(path))
    return steps


def _ancestry(name: object, parents: Mapping[str, str | None], nodes: set[str | None]) -> tuple[str, ...]:
    """Return the path from the root to ``name``."""
    if not isinstance(name, str):
        raise type_error("paths", "class names as strings, because parents is given", name)
    if name not in nodes:
        raise value_error("paths", "names that occur in parents", repr(name))
    path = [name]
    while (parent := parents.get(path[-1])) is not None:
        if parent in path:
            raise value_error("parents", "no cycles", f"one through {parent!r}")
        path.append(parent)
    return tuple(reversed(path))
