"""``python -m dml_attribution`` is the command ``dml-attribution``."""

import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
