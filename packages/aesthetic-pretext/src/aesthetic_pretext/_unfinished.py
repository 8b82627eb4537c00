"""What a job leaves behind that is killed: files half written, worker processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from pathlib import Path


def remove_unfinished(*targets: Path) -> None:
    """Remove what a killed job had begun to write beside its files (see ``atomic_path`` of the core)."""
    for target in targets:
        for file in target.parent.glob(f".{target.stem}-????????{target.suffix}"):
            file.unlink(missing_ok=True)


def end_with_parent() -> None:
    """Let this worker process end when the process that started it does; the initializer of a pool."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
