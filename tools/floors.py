"""Assert that the floors were really installed: ``python floors.py "torch>=2.4" "numpy>=1.26"``.

It runs in the environment that it looks at, so it imports nothing of ours.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import version

from packaging.markers import Marker  # pytest brings it


def above_floor(requirements: list[str]) -> list[str]:
    """Return one line for each requirement whose installed version is not its floor."""
    faults = []
    for requirement in requirements:
        match = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?>=([\d.]+)", requirement)
        if match is None:
            faults.append(f"{requirement}: expected a floor (>=)")
            continue
        marker = requirement.partition(";")[2]
        if marker and not Marker(marker).evaluate():
            continue
        name, floor = match.groups()
        got = version(name).partition("+")[0]
        # 2.4 and 2.4.0 are the same version.
        width = max(len(floor.split(".")), len(got.split(".")))
        if floor.split(".") + ["0"] * (width - len(floor.split("."))) != got.split("."):
            faults.append(f"{name}: expected the floor {floor} to be installed, got {got}")
    return faults


if __name__ == "__main__":
    found = above_floor(sys.argv[1:])
    print("\n".join(found) or f"floors installed: {' '.join(sys.argv[1:])}")
    sys.exit(bool(found))
