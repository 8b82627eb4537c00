"""Map images with one factor changed at a time, and what a model answers."""

from importlib import import_module

from ._designs import angle_sweep, distance_sweep, entity_grid, interaction, width_sweep
from ._features import Area, Building, Road, Water
from ._land_use import features
from ._probe import Response, linearise, probe, symmetry_test
from ._render import render, render_with_labels
from ._scene import Scene
from ._style import ClassStyle, Style
from ._sweep import Sweep, grid, sweep
from ._tiles import Map, read_map
from ._write import write_sweep

__all__ = [
    "Area", "Building", "ClassStyle", "Map", "Response", "Road", "Scene", "Style", "Sweep", "Water", "angle_sweep",
    "distance_sweep", "entity_grid", "features", "grid", "interaction", "linearise", "probe", "read_map", "render",
    "render_with_labels", "sweep", "symmetry_test", "width_sweep", "write_sweep"]  # fmt: skip


def __getattr__(name: str) -> object:
    if name == "MapLUR":  # which needs torch
        return import_module(".maplur", __name__).MapLUR
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
