"""What every command line does the same way: bad input is one line on standard error and exit code 2."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from .checks import value_error


class Parser(argparse.ArgumentParser):
    """A parser whose subcommands name their function by ``set_defaults(run=...)``."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, without the usage."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")

    def run(self, arguments: Sequence[str] | None) -> int:
        """Call the subcommand's function with the options; return its exit code, 0 for None."""
        options = self.parse_args(arguments)
        try:
            return options.run(options) or 0
        except (OSError, ValueError, TypeError, ImportError, ArithmeticError) as error:
            self.error(str(error))


def import_name(argument: str, name: str) -> Any:
    """Import ``MODULE:NAME``; as with ``python -m``, a module in the working directory is found."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise value_error(argument, "MODULE:NAME of something to import", f"{name!r} ({error})") from error
