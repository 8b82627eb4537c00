"""``python -m cargen`` is the command ``cargen``."""

import sys

from ._cli import main

if __name__ == "__main__":  # a worker process imports this file again
    sys.exit(main())
