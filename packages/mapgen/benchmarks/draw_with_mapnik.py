"""Draw tiles with Mapnik: /usr/bin/python3 draw_with_mapnik.py < tiles.json (Debian's python3-mapnik).

Standard input is {"style": path, "size_px": number, "tiles": {png file: [left, bottom, right, top] in EPSG:3857}}. The
database is that of the environment (PGHOST, PGUSER). Texts, icons and shields are left out, and so are layers of other
data than the extract's, such as the sea, and symbols whose files Debian does not ship, such as patterns of areas.
"""

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import mapnik

LEFT_OUT = ("TextSymbolizer", "ShieldSymbolizer", "MarkersSymbolizer")


def without_texts(path):
    root = ET.parse(path).getroot()
    for layer in [*root.iter("Layer")]:
        if not any("planet_osm" in (parameter.text or "") for parameter in layer.iter("Parameter")):
            root.remove(layer)
    for rule in root.iter("Rule"):
        for symbol in list(rule):
            if symbol.tag in LEFT_OUT or not (path.parent / symbol.get("file", "")).exists():
                rule.remove(symbol)
    for fonts in root.findall("FontSet"):
        root.remove(fonts)
    return ET.tostring(root, encoding="unicode")


def main():
    task = json.load(sys.stdin)
    style, size = Path(task["style"]), task["size_px"]
    world = mapnik.Map(size, size)
    mapnik.load_map_from_string(world, without_texts(style), False, str(style.parent))
    world.buffer_size = 128
    for path, box in task["tiles"].items():
        world.zoom_to_box(mapnik.Box2d(*box))
        picture = mapnik.Image(size, size)
        mapnik.render(world, picture)
        picture.save(path, "png32")


if __name__ == "__main__":
    main()
