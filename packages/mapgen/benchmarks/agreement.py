"""How far mapgen's tiles agree with genuine ones: python agreement.py EXTRACT.osm.pbf [--json FILE].

The extract goes into a PostGIS database of its own in a temporary folder, and Mapnik draws it in the unchanged style of
openstreetmap-carto at zoom 18, but without texts, icons and patterns. mapgen draws the same tiles. For each class of
mapgen's label mask the table says how many of its pixels have, in the genuine tile, the colour of the style: of all of
them, and of those ("inside") whose eight neighbours are of the same class, since genuine tiles are smooth at borders.
"difference" is the median over its pixels between the genuine tile and mapgen's antialiased one: largest channel, of
255.

Needs Debian's packages postgresql, postgis, osm2pgsql, python3-mapnik and openstreetmap-carto-common. PostgreSQL
refuses to run as root; started by root it runs as the user postgres.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from mapgen import Scene, Style, read_map, render
from PIL import Image

CARTO = Path("/usr/share/openstreetmap-carto-common")
DEBIAN_PYTHON = "/usr/bin/python3"
DRAW = Path(__file__).with_name("draw_with_mapnik.py")
SIZE_PX = 269  # 80 m in Helsinki at zoom 18
EARTH_M = 6378137
PX_M = 2 * math.pi * EARTH_M / 256 / 2**18  # pixel of zoom 18 in the metres of EPSG:3857
BORDER_M = 100  # near the extract's border osm2pgsql closes polygons that are cut
TOLERANCE = 3  # of 255, in each channel
FEWEST = 2000  # pixels of a class that is reported


def programs() -> dict[str, str]:
    """Return the paths of what is needed, or say what is missing."""
    folders = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    path = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    found = {name: shutil.which(name, path=path) for name in ("initdb", "pg_ctl", "createdb", "psql", "osm2pgsql")}
    missing = [name for name, place in found.items() if place is None]
    missing += [] if (CARTO / "style.xml").exists() else ["openstreetmap-carto-common"]
    if subprocess.run([DEBIAN_PYTHON, "-c", "import mapnik"], capture_output=True, check=False).returncode:
        missing.append("python3-mapnik")
    if missing:
        sys.exit(f"agreement.py: not installed: {', '.join(missing)}; see the first lines of this file")
    return {name: place for name, place in found.items() if place}


@contextmanager
def database(extract: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which an extract is the database ``gis``."""
    tools = programs()
    owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="carto-") as folder:
        if owner:
            shutil.chown(folder, "postgres")
        data, environment = f"{folder}/data", {**os.environ, "PGHOST": folder, "PGUSER": "postgres"}

        def run(*command: str) -> None:
            done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"agreement.py: {Path(command[len(owner)]).name} failed: {done.stderr.strip()}")

        run(*owner, tools["initdb"], "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        server = [*owner, tools["pg_ctl"], "-D", data, "-w"]
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run(*server, "-l", f"{folder}/log", "-o", settings, "start")
        try:
            run(tools["createdb"], "gis")
            run(tools["psql"], "-q", "gis", "-c", "CREATE EXTENSION postgis; CREATE EXTENSION hstore")
            rules = ["--style", str(CARTO / "openstreetmap-carto.style")]
            rules += ["--tag-transform-script", str(CARTO / "openstreetmap-carto.lua")]
            run(tools["osm2pgsql"], "-d", "gis", "--multi-geometry", "--hstore", *rules, str(extract))
            yield environment
        finally:
            run(*server, "-m", "immediate", "stop")


def pairs(extract: Path, pictures: Path) -> list[tuple[Scene, Path]]:
    """Return tiles as scenes of ours, and the files into which Mapnik drew them."""
    town = read_map(extract)
    metres_per_degree = math.radians(1) * EARTH_M
    shrink = math.cos(math.radians(town.latitude))
    size_m = SIZE_PX * PX_M * shrink
    left, top, right, bottom = town.bounds_m
    scenes, boxes = [], {}
    for y in np.arange(top + BORDER_M + size_m / 2, bottom - BORDER_M - size_m / 2, size_m):
        for x in np.arange(left + BORDER_M + size_m / 2, right - BORDER_M - size_m / 2, size_m):
            longitude = math.radians(town.longitude + x / metres_per_degree / shrink)
            latitude = math.radians(town.latitude - y / metres_per_degree)
            centre = EARTH_M * longitude, EARTH_M * math.log(math.tan(math.pi / 4 + latitude / 2))
            box = [value + sign * SIZE_PX * PX_M / 2 for sign in (-1, 1) for value in centre]
            boxes[str(pictures / f"{len(scenes):03d}.png")] = box
            scenes.append(town.scene(float(x), float(y), size_m=size_m, size_px=SIZE_PX))
    task = json.dumps({"style": str(CARTO / "style.xml"), "size_px": SIZE_PX, "tiles": boxes})
    with database(extract) as environment:
        subprocess.run([DEBIAN_PYTHON, str(DRAW)], input=task, text=True, env=environment, check=True)
    return list(zip(scenes, map(Path, boxes)))


def compare(tiles: list[tuple[Scene, Path]]) -> dict[str, list[float]]:
    """Return for each class its pixels, the shares that agree (all, inside) and the median difference."""
    style = Style.osm_carto()
    labels = np.stack([render(scene, out="labels") for scene, _ in tiles])
    genuine = np.stack([np.asarray(Image.open(path).convert("RGB")) for _, path in tiles])
    smooth = np.stack([render(scene, antialias=True) for scene, _ in tiles])
    difference, from_smooth = (
        np.abs(genuine.astype(np.int16) - ours).max(-1) for ours in (style.palette[labels], smooth)
    )
    inside = np.ones(labels.shape, dtype=bool)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            inside &= np.roll(labels, (down, across), (1, 2)) == labels
    inside[:, [0, -1]] = inside[:, :, [0, -1]] = False

    def row(chosen: np.ndarray) -> list[float]:
        inner = difference[chosen & inside]
        agree = [float((part <= TOLERANCE).mean()) if part.size else math.nan for part in (difference[chosen], inner)]
        return [int(chosen.sum()), *agree, float(np.median(from_smooth[chosen]))]

    kinds = {name: look.kind for name, look in style.classes.items()}
    names = np.array([kinds.get(name, "casing") for name in style.labels])
    groups = {"everything": labels >= 0}
    groups |= {f"all of kind {kind}": (names == kind)[labels] for kind in dict.fromkeys(names.tolist())}
    counts = np.bincount(labels.ravel(), minlength=len(style.labels))
    often = [label for label in np.argsort(-counts) if counts[label] >= FEWEST]
    rows = {name: row(chosen) for name, chosen in groups.items() if chosen.any()}
    return rows | {style.labels[label]: row(labels == label) for label in often}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extract", type=Path)
    parser.add_argument("--json", type=Path, help="write the table to this file")
    parser.add_argument("--pictures", type=Path, help="keep genuine tiles, ours below them, in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tiles = pairs(options.extract.resolve(), Path(folder))
        table = compare(tiles)
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            for scene, path in tiles:
                both = [np.asarray(Image.open(path).convert("RGB")), render(scene, antialias=True)]
                Image.fromarray(np.concatenate(both)).save(options.pictures / path.name)
    print(f"{len(tiles)} tiles of {SIZE_PX} pixels, tolerance {TOLERANCE} of 255")
    print(f"{'class':28}{'pixels':>10}{'agree':>9}{'inside':>9}{'difference':>12}")
    for name, (pixels, agree, inner, median) in table.items():
        print(f"{name:28}{pixels:>10}{agree:>9.1%}{inner:>9.1%}{median:>12.0f}")
    if options.json:
        options.json.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
