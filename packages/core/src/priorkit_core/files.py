"""Files that exist whole or not at all."""

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
    """
    target = Path(path)
    if target.exists() and not target.is_file():  # a device such as /dev/null is written to, never replaced
        yield target
        return
    temporary = target.with_name(f".{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
