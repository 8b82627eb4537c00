"""``python -m wheretosubmit``."""

import sys

from ._cli import main

sys.exit(main())
