"""What the parts of a car can be made of."""

from __future__ import annotations

from typing import Any

SHADERS: dict[str, dict[str, Any]] = {  # sockets of Blender's Principled shader; the paint's colour is a property
    "paint": {"Roughness": 0.4, "Coat Weight": 1.0, "Coat Roughness": 0.04, "Specular IOR Level": 0.4},
    "tyre": {"Base Color": (0.012, 0.012, 0.013, 1), "Roughness": 0.85},
    "rim": {"Base Color": (0.55, 0.56, 0.58, 1), "Metallic": 0.9, "Roughness": 0.3},
    "trim": {"Base Color": (0.02, 0.02, 0.022, 1), "Roughness": 0.5},
    "plate": {"Base Color": (0.75, 0.75, 0.72, 1), "Roughness": 0.5},
    "headlight": {"Base Color": (0.85, 0.88, 0.92, 1), "Roughness": 0.08, "Coat Weight": 1.0},
    "taillight": {"Base Color": (0.45, 0.008, 0.008, 1), "Roughness": 0.12, "Coat Weight": 1.0},
}
GROUND: dict[str, Any] = {"Base Color": (0.22, 0.22, 0.22, 1), "Roughness": 1.0}
MATERIALS = (*SHADERS, "glass")
