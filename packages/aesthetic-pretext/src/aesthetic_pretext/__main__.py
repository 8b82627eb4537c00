"""``python -m aesthetic_pretext`` is the command ``aesthetic-pretext``."""

import sys

from ._cli import main

if __name__ == "__main__":  # spawned workers import this module, too
    sys.exit(main())
