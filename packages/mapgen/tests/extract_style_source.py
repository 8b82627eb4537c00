"""Write style_source.csv: every fill and line that openstreetmap-carto draws at zoom 18 for areas and roads.

python extract_style_source.py /usr/share/openstreetmap-carto-common/style.xml > style_source.csv

The style (CC0) is in Debian's package openstreetmap-carto-common; the table was made from version 5.7.0-1.
"""

import csv
import re
import sys
import xml.etree.ElementTree as ET

ZOOM_18 = 2132.73  # scale denominator
LAYERS = [
    "landcover-high-zoom", "landcover-line", "landuse-overlay", "icesheet-poly", "ocean", "water-areas",
    "water-areas-natural", "water-barriers-poly", "highway-area-fill", "bridge", "piers-poly", "buildings",
    "roads-casing-casing", "roads-fill-fill", "aeroways-fill", "piers-line", "water-lines", "trees-canopy",
]  # fmt: skip
COLUMNS = ["layer", "feature", "colour", "opacity", "width"]


def visible(rule):
    return (
        float(rule.findtext("MinScaleDenominator") or 0)
        <= ZOOM_18
        < float(rule.findtext("MaxScaleDenominator") or 1e12)
    )


def feature_of(rule):
    """What a rule is about: the value of ``feature``, or of the first other key that names a thing."""
    tags = dict(re.findall(r"\[(\w+)\] = '([\w-]+)'", rule.findtext("Filter") or ""))
    keys = ("feature", "waterway", "landuse", "natural", "man_made", "amenity", "building", "aeroway", "aerialway",
            "public_transport", "military")  # fmt: skip
    return next((tags[key] if key == "feature" else f"{key}_{tags[key]}" for key in keys if key in tags), "")


def main(path):
    rows = {}
    for layer in ET.parse(path).getroot().iter("Style"):
        for rule in filter(visible, layer.iter("Rule")) if layer.get("name") in LAYERS else ():
            for symbol in rule:
                colour = symbol.get("fill") or symbol.get("stroke")
                if symbol.tag in ("PolygonSymbolizer", "LineSymbolizer") and colour:
                    opacities = [symbol.get("fill-opacity"), symbol.get("stroke-opacity"), layer.get("opacity"), "1"]
                    opacity = next(filter(None, opacities))
                    row = (layer.get("name"), feature_of(rule), colour, opacity, symbol.get("stroke-width") or "")
                    rows.setdefault(row)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(rows))


if __name__ == "__main__":
    main(sys.argv[1])
