"""Optional partners: imported where they are used, with an error that names the extra."""

import importlib
from types import ModuleType


def import_extra(module: str, *, package: str, extra: str) -> ModuleType:
    """Import ``module``, or raise an ``ImportError`` that says how to install ``package[extra]``.

    A partner that is installed but broken raises its own error.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != missing:
            raise
        raise ImportError(f'{missing} is not installed: pip install "{package}[{extra}]"') from error
