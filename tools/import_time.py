"""CPU seconds that importing each package adds to its base: ``python -m tools.import_time [PACKAGE ...]``.

The base is torch, or numpy where a package does not depend on torch. The packages must be installed where this runs.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

from tools.workspace import CORE, Package, discover, requirement_name

BUDGET = 0.3
PROBE = """
import importlib, sys, time
importlib.import_module(sys.argv[1])
start = time.process_time()
importlib.import_module(sys.argv[2])
print(time.process_time() - start)
"""


def base(package: Package) -> str:
    """Return the dependency whose own import is not counted."""
    return "torch" if "torch" in map(requirement_name, package.project["dependencies"]) else "numpy"


def seconds(package: Package, runs: int = 5) -> float:
    """Return the median over new processes."""
    command = [sys.executable, "-I", "-c", PROBE, base(package), package.import_name]
    times = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(runs)]
    return statistics.median(map(float, times))


def main(names: list[str]) -> int:
    """Print the table and return how many packages are beyond the budget."""
    beyond = 0
    for package in discover():
        if package.name in (names or [package.name]) and package.name != CORE:
            taken = seconds(package)
            beyond += taken > BUDGET
            print(f"{package.name:20} {taken:.3f} s beyond {base(package)} {'' if taken <= BUDGET else '(too much)'}")
    return beyond


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
