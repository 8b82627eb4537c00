"""Files that exist whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` to write to; rename it to ``path`` when the block succeeds.

    The temporary name keeps the suffix, because many writers choose their format by it. After an exception
    the temporary file is removed and ``path`` is what it was before.

    Example:
        >>> import tempfile
        >>> report = Path(tempfile.mkdtemp()) / "report.html"
        >>> with atomic_path(report) as temporary:
        ...     _ = temporary.write_text("<p>done</p>")
        >>> report.read_text()
        '<p>done</p>'
    """
    target = Path(path)
    temporary = target.with_name(f".{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
