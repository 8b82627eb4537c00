"""``python -m indirect`` is the command ``indirect``."""

import sys

from ._cli import main

sys.exit(main())
