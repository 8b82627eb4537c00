"""Rendered cars whose eleven properties are drawn independently."""

from ._generate import digest, generate
from ._indices import IndexRenderer
from ._manifest import CarMesh, Manifest, Wheels
from ._mesh import Part
from ._properties import PROPERTY_VALUES, CarProperties, sample, sweep
from ._read import read_mesh
from ._render import Renderer, Rendering, render
from ._sheet import contact_sheet

# fmt: off
__all__ = [
    "CarMesh", "CarProperties", "IndexRenderer", "Manifest", "PROPERTY_VALUES", "Part", "Renderer", "Rendering",
    "Wheels", "contact_sheet", "digest", "generate", "read_mesh", "render", "sample", "sweep",
]
