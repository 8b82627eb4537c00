"""What every priorkit package says and does the same way: checks, progress, files, commands, optional imports.

Standard library only. The build copies this folder into each wheel that needs it, as ``<import>._core``.
"""

from .checks import shape_error, type_error, value_error
from .command_line import Parser, import_name
from .extras import import_extra
from .files import atomic_path
from .progress import track

__all__ = ["Parser", "atomic_path", "import_extra", "import_name", "shape_error", "track", "type_error", "value_error"]
