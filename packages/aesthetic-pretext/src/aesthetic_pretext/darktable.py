"""The style distortions by darktable itself (``darktable-cli``), and how close the numpy forms are to it."""

from ._darktable import STYLES, develop, distort
from ._darktable_table import Closeness, Comparison, compare

__all__ = ["STYLES", "Closeness", "Comparison", "compare", "develop", "distort"]
