"""Progress that appears where a person looks and nowhere else."""

import sys
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def track(
    items: Iterable[Item], description: str = "", *, total: int | None = None, progress: bool | None = None
) -> Iterable[Item]:
    """Iterate over ``items`` behind a tqdm bar; ``total`` is their number where ``len(items)`` does not tell.

    ``progress=True`` shows a bar (plain ``items`` when tqdm is not installed), False none, None one only when standard
    error is a terminal.
    """
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    if not progress:
        return items
    try:
        from tqdm.auto import tqdm
    except ModuleNotFoundError:
        return items
    bar: Iterable[Item] = tqdm(items, desc=description, total=total, leave=False)
    return bar
