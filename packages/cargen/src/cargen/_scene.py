"""A Blender scene with all cars in it, of which each image changes as little as possible."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ._colours import linear
from ._core import value_error
from ._materials import GROUND, MATERIALS, SHADERS
from ._mesh import Part, joined
from ._properties import CarProperties


@dataclass(frozen=True)
class Quality:
    """How an image is computed.

    Attributes:
        samples: light paths per pixel.
        bounces: reflections that a path follows.
        denoise: whether Open Image Denoise removes the rest of the noise.
    """

    samples: int
    bounces: int
    denoise: bool


QUALITIES = {"preview": Quality(16, 2, denoise=False), "photo": Quality(64, 6, denoise=True)}

_TARGET = (0.0, 0.0, 0.62)  # what the camera looks at, metres
_DISTANCE = 8.2  # of a camera with a lens of 50 mm, metres
_SHARP = math.radians(35)  # an edge sharper than this one is not smoothed


class Stage:
    """The scene: cars, ground, sky, sun and camera."""

    def __init__(
        self, bpy: ModuleType, cars: Mapping[str, Sequence[Part]], *, size_px: int, quality: Quality, threads: int
    ) -> None:
        """Build the scene."""
        self._bpy = bpy
        self.scene = bpy.data.scenes.new("cargen")
        self._settings(size_px, quality, threads)
        self._materials = {name: self._material(name, sockets) for name, sockets in SHADERS.items()}
        self._materials |= {"glass": self._glass(), "ground": self._material("ground", GROUND)}
        self._paint = self._materials["paint"].node_tree.nodes["Principled BSDF"].inputs["Base Color"]
        self._cars = {name: self._car(name, parts) for name, parts in cars.items()}
        self._ground()
        self._sky = self._world()
        self._sun = self._add("sun", bpy.data.lights.new("sun", "SUN"))
        self._sun.data.angle = math.radians(1)
        self._camera = self._add("camera", bpy.data.cameras.new("camera"))
        self._camera.data.sensor_width = 36
        self.scene.camera = self._camera

    def arrange(self, properties: CarProperties) -> None:
        """Set the scene to these properties; the background is no part of it, so it can never tint the car."""
        if properties.model not in self._cars:
            raise value_error("model", f"one of {', '.join(self._cars)}", properties.model)
        for name, car in self._cars.items():
            if car.hide_render != (name != properties.model):
                car.hide_render = name != properties.model
        self._cars[properties.model].rotation_euler = (0, 0, math.radians(properties.rotation))
        self._paint.default_value = (*linear(np.array(properties.car_rgb)), 1)

        height = math.sin(math.radians(properties.sun_elevation))
        self._sun.rotation_euler = (
            0,
            math.radians(90 - properties.sun_elevation),
            math.radians(properties.sun_rotation),
        )
        # A low sun is weaker and warmer, and the sky, which lights what the sun does not reach, darker.
        self._sun.data.energy = 2.2 + 1.6 * height
        self._sun.data.color = (1, 0.5 + 0.47 * math.sqrt(height), 0.22 + 0.7 * math.sqrt(height))
        self._sky.default_value = 0.55 + 0.35 * height

        lens = self._camera.data
        lens.lens = properties.focal_length
        away = _DISTANCE * properties.focal_length / 50
        self._camera.location = (away, 0, properties.camera_height)
        self._camera.rotation_euler = (math.atan2(away, properties.camera_height - _TARGET[2]), 0, math.pi / 2)

    def remove(self) -> None:
        """Take the scene and all that was made for it out of Blender."""
        objects = [*self.scene.collection.objects]
        owned = [*objects, *(item.data for item in objects), *self._materials.values(), self.scene.world, self.scene]
        self._bpy.data.batch_remove(owned)

    def _settings(self, size_px: int, quality: Quality, threads: int) -> None:
        render, cycles = self.scene.render, self.scene.cycles
        render.engine = "CYCLES"
        render.resolution_x = render.resolution_y = size_px
        render.resolution_percentage = 100
        render.threads_mode, render.threads = "FIXED", threads
        render.film_transparent = True
        render.use_persistent_data = True
        render.use_compositing = render.use_sequencer = False
        output = render.image_settings
        if hasattr(output, "media_type"):  # since Blender 5
            output.media_type, output.use_exr_interleave = "MULTI_LAYER_IMAGE", True
        output.file_format, output.exr_codec, output.color_depth = "OPEN_EXR_MULTILAYER", "NONE", "32"
        cycles.device = "CPU"
        cycles.seed = 0
        cycles.samples = quality.samples
        cycles.use_adaptive_sampling = False
        cycles.use_light_tree = False  # there is one lamp
        cycles.use_denoising = quality.denoise
        cycles.max_bounces = quality.bounces
        layer = self.scene.view_layers[0]
        layer.use_pass_z = True
        layer.cycles.use_pass_shadow_catcher = True

    def _add(self, name: str, data: Any) -> Any:
        item = self._bpy.data.objects.new(name, data)
        self.scene.collection.objects.link(item)
        return item

    def _material(self, name: str, sockets: Mapping[str, Any]) -> Any:
        material = self._bpy.data.materials.new(name)
        shader = _node_tree(material).nodes["Principled BSDF"]
        for socket, value in sockets.items():
            shader.inputs[socket].default_value = value
        return material

    def _glass(self) -> Any:
        """Return panes that reflect the sky and let a part of the light straight through."""
        material = self._bpy.data.materials.new("glass")
        nodes, links = _node_tree(material).nodes, material.node_tree.links
        through, mirror = nodes.new("ShaderNodeBsdfTransparent"), nodes.new("ShaderNodeBsdfGlossy")
        through.inputs["Color"].default_value = (0.3, 0.33, 0.34, 1)
        mirror.inputs["Roughness"].default_value = 0.02
        fresnel, mix = nodes.new("ShaderNodeFresnel"), nodes.new("ShaderNodeMixShader")
        links.new(fresnel.outputs[0], mix.inputs[0])
        links.new(through.outputs[0], mix.inputs[1])
        links.new(mirror.outputs[0], mix.inputs[2])
        links.new(mix.outputs[0], nodes["Material Output"].inputs["Surface"])
        return material

    def _car(self, name: str, parts: Sequence[Part]) -> Any:
        mesh = self._bpy.data.meshes.new(name)
        whole = joined(name, [*parts])
        mesh.vertices.add(len(whole.vertices))
        mesh.vertices.foreach_set("co", whole.vertices.astype(np.float32).ravel())
        mesh.loops.add(whole.triangles.size)
        mesh.loops.foreach_set("vertex_index", whole.triangles.astype(np.int32).ravel())
        mesh.polygons.add(len(whole.triangles))
        mesh.polygons.foreach_set("loop_start", np.arange(0, whole.triangles.size, 3, dtype=np.int32))
        slots = [np.full(len(part.triangles), MATERIALS.index(part.name), dtype=np.int32) for part in parts]
        for material in MATERIALS:
            mesh.materials.append(self._materials[material])
        mesh.polygons.foreach_set("material_index", np.concatenate(slots))
        mesh.update(calc_edges=True)
        mesh.validate()
        mesh.shade_smooth()
        mesh.set_sharp_from_angle(angle=_SHARP)
        car = self._add(name, mesh)
        car.hide_render = True
        return car

    def _ground(self) -> None:
        mesh = self._bpy.data.meshes.new("ground")
        mesh.from_pydata([(x, y, 0) for x, y in ((-60, -60), (60, -60), (60, 60), (-60, 60))], [], [(0, 1, 2, 3)])
        mesh.materials.append(self._materials["ground"])
        self._add("ground", mesh).is_shadow_catcher = True

    def _world(self) -> Any:
        """Make a neutral sky, bright above the horizon; return the socket of its strength."""
        world = self._bpy.data.worlds.new("sky")
        world.cycles.sampling_method = "NONE"  # the map of where a sky is bright would cost more than the whole image
        self.scene.world = world
        nodes, links = _node_tree(world).nodes, world.node_tree.links
        position, split = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeSeparateXYZ")
        ramp = nodes.new("ShaderNodeValToRGB")
        stops = ramp.color_ramp.elements
        stops[0].position, stops[0].color = 0.0, (1.0, 1.0, 1.0, 1)
        stops[1].position, stops[1].color = 1.0, (0.55, 0.62, 0.75, 1)
        links.new(position.outputs["Generated"], split.inputs[0])
        links.new(split.outputs["Z"], ramp.inputs[0])
        links.new(ramp.outputs["Color"], nodes["Background"].inputs["Color"])
        return nodes["Background"].inputs["Strength"]


def _node_tree(owner: Any) -> Any:
    """Return the nodes of a material or a world."""
    if owner.node_tree is None:  # before Blender 5
        owner.use_nodes = True
    return owner.node_tree
