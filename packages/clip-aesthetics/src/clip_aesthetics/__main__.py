"""``python -m clip_aesthetics`` is the command ``clip-aesthetics``."""

import sys

from ._cli import main

sys.exit(main())
