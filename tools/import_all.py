"""Import every module of an installed package: ``python import_all.py simloss metrics plot``.

The words after the package are its extras. A module may refuse to be imported only with an ``ImportError``
that tells which of these extras to install. It runs in the package's own environment, so it imports nothing of ours.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path


def main(import_name: str, extras: list[str]) -> int:
    """Print what cannot be imported and return the number of such modules."""
    package = importlib.import_module(import_name)
    location = Path(str(package.__file__))
    if "site-packages" not in location.parts:
        print(f"{import_name}: expected the installed wheel, got {location}")
        return 1
    failures = 0
    names = [m.name for m in pkgutil.walk_packages(package.__path__, f"{import_name}.", onerror=lambda _: None)]
    for name in [n for n in names if not n.endswith(".__main__")]:
        try:
            importlib.import_module(name)
        except ImportError as error:
            advice = re.search(r'pip install "[\w.-]+\[([\w-]+)\]"', str(error))
            if advice is None or advice[1] not in extras:
                print(f"{name}: {type(error).__name__}: {error}")
                failures += 1
    print(f"{import_name}: {len(names) + 1} modules imported with the declared dependencies alone, {failures} failed")
    return failures


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1], sys.argv[2:])))
