"""Add up pytest's reports: ``python -m tools.summary FOLDER`` prints the plain last line ``N passed, N failed``."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree


def totals(folder: Path) -> tuple[int, int, int]:
    """Return how many tests passed, failed (errors included) and were skipped in the JUnit files of ``folder``."""
    tests = failed = skipped = 0
    for file in sorted(folder.glob("*.xml")):
        for suite in ElementTree.parse(file).getroot().iter("testsuite"):
            tests += int(suite.get("tests", 0))
            failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0))
    return tests - failed - skipped, failed, skipped


if __name__ == "__main__":
    passed, failed, skipped = totals(Path(sys.argv[1]))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
