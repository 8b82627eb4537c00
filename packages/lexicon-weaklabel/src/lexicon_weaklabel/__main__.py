"""``python -m nrprecision`` is the command ``nrprecision``."""

import sys

from ._cli import main

sys.exit(main())
