"""Real pictures: with the extra on Python 3.13, and with Blender's long-term release through ``nox -s optional``."""

import gc
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from cargen import PROPERTY_VALUES, CarMesh, CarProperties, Manifest, Renderer, generate, render, sample, sweep
from cargen._bodies import BODIES
from PIL import Image

SIDE = 48
BASE = CarProperties(model="sedan", rotation=30, car_hue=0.1, background_hue=0.4, sun_elevation=30, sun_rotation=60)


@pytest.fixture(scope="module")
def renderer():
    return Renderer(size_px=SIDE, threads=1)


def test_a_rendering_has_image_mask_and_depth(renderer):
    found = renderer(BASE)
    assert (found.image.shape, found.image.dtype) == ((SIDE, SIDE, 3), np.uint8)
    assert (found.mask.shape, found.mask.dtype) == ((SIDE, SIDE), np.uint8)
    assert 0.05 < (found.mask == 255).mean() < 0.5
    assert np.isinf(found.depth[found.mask == 0]).all()
    assert found.depth[found.mask == 255].min() > 5
    assert found.depth[found.mask == 255].max() < 12
    above = np.array(BASE.background_rgb) * 255
    assert np.abs(found.image[0].astype(float) - above).max() < 1


@pytest.mark.parametrize("name", [*PROPERTY_VALUES, "focal_length"])
def test_each_value_of_a_property_changes_that_property_alone(name, renderer, check_sweep):
    values = {"model": BODIES, "focal_length": [35, 50, 85]}.get(name)
    check_sweep(renderer, name, sweep(name, values, base=BASE))


@pytest.mark.parametrize(
    ("fixed", "name", "value"),
    [
        ({"car_saturation": 0}, "car_hue", 0.7),
        ({"car_value": 0}, "car_saturation", 2),
        ({"background_value": 0}, "background_hue", 0.7),
        ({"sun_elevation": 90}, "sun_rotation", 180),
    ],
)
def test_undefined_properties_change_nothing(fixed, name, value, renderer):
    base = replace(BASE, **fixed)
    difference = renderer(base).image.astype(int) - renderer(replace(base, **{name: value})).image
    assert np.abs(difference).mean() < 1


def test_a_backdrop_is_behind_the_car(renderer, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, 2 * SIDE, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "backdrop.png")
    plain, found = renderer(BASE), renderer(replace(BASE, backdrop=str(tmp_path / "backdrop.png")))
    assert (found.image[plain.mask == 255] == plain.image[plain.mask == 255]).all()
    assert (found.image[0] == pixels[0, SIDE // 2 : -SIDE // 2]).all()
    for name in ("none.png", __file__):
        with pytest.raises(ValueError, match="backdrop: expected a picture that can be read"):
            renderer(replace(BASE, backdrop=name))


def test_a_sun_at_the_horizon_lights_the_car_from_all_sides(renderer):
    for rotation in (0, 90, 180, 270):
        car = replace(BASE, car_saturation=0, car_value=2, sun_elevation=0, sun_rotation=rotation)
        found = renderer(car)
        assert found.image[found.mask == 255].mean() > 60


@pytest.mark.parametrize("model", BODIES)
def test_whole_bodies_are_painted(model, renderer):
    car = CarProperties(model=model, car_hue=0.5, car_saturation=2, car_value=2)  # red
    for rotation in (20, 200):
        found = renderer(replace(car, rotation=rotation))
        red, green, blue = (found.image[found.mask == 255][:, channel].astype(int) for channel in range(3))
        assert (red > np.maximum(green, blue) + 40).mean() > 0.4


def test_pictures_do_not_depend_on_threads_or_on_the_pictures_before(renderer):
    cars = sample(3, seed=1)
    expected = [renderer(car) for car in cars]
    other = Renderer(size_px=SIDE, threads=2)
    for car, picture in reversed([*zip(cars, expected)]):
        again = other(car)
        assert (again.image == picture.image).all()
        assert (again.mask == picture.mask).all()


def test_files_do_not_depend_on_workers(tmp_path):
    for workers in (1, 2):
        generate(tmp_path / str(workers), n=4, size_px=16, shard_size=1, workers=workers)
    files = [{p.name: p.read_bytes() for p in sorted((tmp_path / w / "images").iterdir())} for w in "12"]
    assert files[0] == files[1]
    assert len(files[0]) == 4


def test_meshes_of_a_manifest_are_rendered(obj_file):
    materials = {"paint": ["body/*"], "glass": ["*/window"]}
    manifest = Manifest([CarMesh("box", obj_file.name, "CC0", 0.01, "z", "-y", materials)], obj_file.parent)
    assert render(CarProperties(model="box"), meshes=manifest, size_px=SIDE).mask.max() == 255
    with pytest.raises(ValueError, match="model: expected one of box, got sedan"):
        render(BASE, meshes=manifest, size_px=SIDE)


def test_a_renderer_leaves_nothing_behind(renderer):
    import bpy

    def contents():
        return [len(kind) for kind in (bpy.data.scenes, bpy.data.objects, bpy.data.meshes, bpy.data.materials)]

    before = contents()
    other = Renderer(size_px=SIDE)
    folder = other._file.parent
    assert contents() > before
    assert folder.is_dir()
    del other
    gc.collect()
    assert contents() == before
    assert not folder.exists()


def test_photographs_have_less_noise(renderer):
    car = replace(BASE, car_saturation=0)
    clean, noisy = Renderer(size_px=SIDE, quality="photo")(car), renderer(car)
    below = (clean.mask == 0) & (noisy.mask == 0)
    below[: SIDE // 2] = False

    def roughness(picture):
        return np.abs(np.diff(picture.image.astype(float), axis=1))[below[:, 1:]].mean()

    assert roughness(clean) < roughness(noisy)


def test_blender_is_silent():
    code = "from cargen import *; render(CarProperties(), size_px=16); print('done')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("done\n", "")


@pytest.mark.parametrize(("option", "value"), [("threads", 0), ("threads", True), ("size_px", 7), ("quality", "best")])
def test_bad_settings(option, value):
    with pytest.raises(ValueError, match=f"{option}: expected"):
        Renderer(**{option: value})
    with pytest.raises(TypeError, match="properties: expected CarProperties"):
        render({"model": "sedan"}, size_px=SIDE)
