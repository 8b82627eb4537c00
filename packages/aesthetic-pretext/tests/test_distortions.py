import hashlib

import numpy as np
import pytest
from aesthetic_pretext import DISTORTIONS, VARIANTS, get_distortion, variants
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

# First 12 digits of the SHA-256 over all levels of a distortion of the image `small`.
GOLDEN = {
    "jpeg_compression": "731e5b813d5a",
    "defocus_blur": "4c93d31a616c",
    "motion_blur": "06dcc615222c",
    "pixelate": "34ece001c7ad",
    "gaussian_noise": "19131bc8ea61",
    "impulse_noise": "215b36bdbf20",
    "brightness": "f7f898c15b1c",
    "contrast": "dbc5b2158d8a",
    "saturation": "ab104540cd1b",
    "exposure": "482dc0b71094",
    "shadows": "270a1ad94840",
    "highlights": "496f911cf156",
    "temperature": "72176aca75ba",
    "tint": "4df937587e76",
    "vibrance": "090ccfaf4829",
    "rotation": "fce2730d535f",
    "horizontal_crop": "1f01f80ff896",
    "vertical_crop": "f277e29c0744",
    "left_diagonal_crop": "7840e455937a",
    "right_diagonal_crop": "1019cf0c6229",
    "image_ratio": "1b680e8e7d0d",
}
SPATIAL = {"rotation", "image_ratio"} | {name for name in DISTORTIONS if name.endswith("crop")}


def distances(distortion, image, sign):
    base = distortion.distort(image, 0).astype(float)
    levels = sorted((level for level in distortion.levels if level * sign > 0), key=abs)
    return [np.sqrt(((distortion.distort(image, level) - base) ** 2).mean()) for level in levels]


def test_the_registry_has_the_levels_of_the_table():
    families = {f: [d for d in DISTORTIONS.values() if d.family == f] for f in ("technical", "style", "composition")}
    assert {f: len(ds) for f, ds in families.items()} == {"technical": 6, "style": 9, "composition": 6}
    assert {f: sum(len(d.levels) for d in ds) for f, ds in families.items()} == {
        "technical": 30, "style": 81, "composition": 60,
    }  # fmt: skip
    assert len(VARIANTS) == 174
    parameters = {name: list(d.parameters.values()) for name, d in DISTORTIONS.items()}
    assert parameters["shadows"] == [-100, -60, -20, 20, 40, 60, 80, 100]
    assert parameters["highlights"] == [-100, -80, -60, -40, -20, 20, 60, 100]
    assert parameters["temperature"] == [2000, 3000, 5000, 6000, 7000, 8000, 10000, 14000, 18000]
    assert parameters["tint"] == [0.75, 0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.15, 1.2, 1.25]
    assert parameters["exposure"] == [-3.0, -2.4, -1.8, -1.2, -0.6, 0.6, 1.2, 1.8, 2.4, 3.0]
    assert parameters["brightness"] == [-1.0, -0.8, -0.6, -0.4, -0.2, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert parameters["vibrance"] == [0, 20, 40, 60, 80, 100]
    assert parameters["rotation"] == [-10, -8, -6, -4, -2, 2, 4, 6, 8, 10]
    assert parameters["jpeg_compression"] == [25, 18, 15, 10, 7]
    assert parameters["motion_blur"] == [(10, 3), (15, 5), (15, 8), (15, 12), (20, 15)]
    assert (DISTORTIONS["shadows"].levels[0], DISTORTIONS["shadows"].levels[-1]) == (-5, 3)
    assert (DISTORTIONS["temperature"].levels[0], DISTORTIONS["temperature"].levels[-1]) == (-4, 5)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_stronger_levels_are_farther_from_the_reference(name, photographs):
    distortion = DISTORTIONS[name]
    for sign in (-1, 1):
        rows = [distances(distortion, image, sign) for image in photographs]
        if not rows[0]:
            continue
        mean = np.mean(rows, 0)
        assert mean[0] > 0
        assert (np.diff(mean) > 0).all()
        if name not in SPATIAL:  # what a window shows need not differ more the farther it moves
            assert all((np.diff(row) > -1e-9).all() for row in rows)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_golden_hashes(name, small):
    distortion = DISTORTIONS[name]
    digest = hashlib.sha256()
    for level in (0, *distortion.levels):
        digest.update(distortion.distort(small, level, seed=3).tobytes())
    assert digest.hexdigest()[:12] == GOLDEN[name]


@pytest.mark.parametrize("name", DISTORTIONS)
def test_level_zero_is_the_reference_and_inputs_stay(name, small):
    before = small.copy()
    made = {(v.distortion, v.level, v.reference): v.image for v in variants(small, size=32)}
    distortion = DISTORTIONS[name]
    reference = distortion.distort(small, 0)
    if distortion.reference == "original":
        assert (reference == small).all()
        assert reference is not small
    assert (None, 0, distortion.reference) in made
    distortion.distort(small, distortion.levels[-1])
    assert (small == before).all()


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(list(DISTORTIONS)), st.integers(1, 9), st.integers(1, 9), st.sampled_from(["rgb", "grey", "grey1"]),
    st.integers(0, 99),
)  # fmt: skip
def test_any_size_and_layout(name, height, width, layout, seed):
    shape = {"rgb": (height, width, 3), "grey": (height, width), "grey1": (height, width, 1)}[layout]
    image = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    distortion = DISTORTIONS[name]
    for level in (0, *distortion.levels):
        result = distortion.distort(image, level, seed=seed)
        assert result.dtype == np.uint8
        assert result.shape[2:] == image.shape[2:]
        if distortion.reference == "original":
            assert result.shape == image.shape
        assert (result == distortion.distort(image, level, seed=seed)).all()


def test_seeds_draw_noise_and_angle(small):
    for name in ("gaussian_noise", "impulse_noise", "motion_blur"):
        first, second = (DISTORTIONS[name].distort(small, 3, seed=seed) for seed in (0, 1))
        assert (first != second).any()


def test_windows_touch_the_border_and_point_where_they_say():
    y, x = np.mgrid[0:30, 0:30].astype(np.uint8)
    image = np.stack([y, x, y * 0], -1)

    def corner(name, level):
        crop = DISTORTIONS[name].distort(image, level)
        assert crop.shape == (20, 20, 3)
        return crop[0, 0, :2].tolist()

    assert corner("horizontal_crop", 0) == [5, 5]
    assert corner("horizontal_crop", 5) == [5, 10]
    assert corner("horizontal_crop", -5) == [5, 0]
    assert corner("vertical_crop", 5) == [0, 5]
    assert corner("vertical_crop", -5) == [10, 5]
    assert corner("left_diagonal_crop", 5) == [0, 0]
    assert corner("left_diagonal_crop", -5) == [10, 0]
    assert corner("right_diagonal_crop", 5) == [0, 10]
    assert corner("right_diagonal_crop", -5) == [10, 10]


def test_rotation_is_clockwise_and_never_shows_outside():
    image = np.full((120, 160, 3), 200, np.uint8)
    image[:, 79:81] = 0  # an upright line
    turned = DISTORTIONS["rotation"].distort(image, 5)
    assert turned.min(axis=2).max(axis=0).min() > 0
    top, bottom = (turned[row, :, 0].argmin() for row in (5, -5))
    assert top > bottom  # the upper end went to the right
    full = np.full((120, 160, 3), 200, np.uint8)
    assert (DISTORTIONS["rotation"].distort(full, -5) == 200).all()


def test_ratio_stretches_height_upwards():
    image = np.zeros((60, 60, 3), np.uint8)
    image[25:35, 25:35] = 255
    taller, wider = (DISTORTIONS["image_ratio"].distort(image, level)[..., 0] > 127 for level in (5, -5))
    assert taller.any(1).sum() == pytest.approx(20, abs=1)
    assert taller.any(0).sum() == pytest.approx(10, abs=1)
    assert wider.any(0).sum() == pytest.approx(20, abs=1)


def test_style_points_in_the_right_direction(photographs):
    image = photographs[0]

    def mean(name, level):
        return DISTORTIONS[name].distort(image, level).reshape(-1, 3).mean(0)

    for name in ("brightness", "exposure", "shadows", "highlights"):
        assert mean(name, 3).sum() > mean(name, 0).sum() > mean(name, -3).sum()
    for name in ("saturation", "vibrance"):
        chroma = [np.ptp(DISTORTIONS[name].distort(image, level).astype(int), axis=2).mean() for level in (-2, 0, 2)]
        assert chroma == sorted(chroma)
    assert mean("temperature", 5)[0] - mean("temperature", 5)[2] > mean("temperature", 0)[0] - mean("temperature", 0)[2]
    grey = DISTORTIONS["saturation"].distort(image, -5)
    assert np.ptp(grey.astype(int), axis=2).max() <= 1
    flat = DISTORTIONS["contrast"].distort(image, -5)
    assert flat.mean(2).std() < 0.3 * image.mean(2).std()


def test_blurs_equal_a_slow_reference(small):
    image = small[:, :, :1]
    radius = 3
    padded = np.pad(image[..., 0].astype(float), radius, mode="reflect")
    steps = range(-radius, radius + 1)
    disk = [(dy, dx) for dy in steps for dx in steps if dy * dy + dx * dx <= radius * radius]
    expected = np.array(
        [[np.mean([padded[y + radius + dy, x + radius + dx] for dy, dx in disk]) for x in range(36)] for y in range(24)]
    )
    result = DISTORTIONS["defocus_blur"].distort(image, 1)[..., 0]
    assert np.abs(result - expected).max() <= 0.5 + 1e-3

    angle = np.radians(np.random.default_rng([7, DISTORTIONS["motion_blur"].index]).uniform(-45, 45))
    weights = np.exp(-(np.arange(21) ** 2) / 18)
    expected = np.zeros((24, 36))
    for i, weight in enumerate(weights / weights.sum()):
        rows = np.clip(np.arange(24) + round(i * np.sin(angle)), 0, 23)
        columns = np.clip(np.arange(36) + round(i * np.cos(angle)), 0, 35)
        expected += weight * image[..., 0].astype(float)[rows][:, columns]
    result = DISTORTIONS["motion_blur"].distort(image, 1, seed=7)[..., 0]
    assert np.abs(result - expected).max() <= 0.5 + 1e-3


def test_pixels_grow_as_by_the_box_filter(photographs):
    for size in ((64, 96), (224, 224), (336, 128)):  # no pixel is as near as another one
        image = Image.fromarray(photographs[0]).resize(size)
        for level, scale in DISTORTIONS["pixelate"].parameters.items():
            small = image.resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.BOX)
            expected = np.asarray(small.resize(image.size, Image.Resampling.BOX))
            assert (DISTORTIONS["pixelate"].distort(np.asarray(image), level) == expected).all()


def test_variants_are_square_and_padded_black(small):
    made = variants(small, size=48)
    assert [(v.distortion, v.level, v.reference) for v in made] == [tuple(key) for key in VARIANTS]
    assert {v.image.shape for v in made} == {(48, 48, 3)}
    assert (made[0].image[:8] == 0).all()
    assert (made[0].image[-8:] == 0).all()
    assert len({v.image.tobytes() for v in made}) > 165
    assert {v.image.shape for v in variants(small[..., 0], size=16)} == {(16, 16)}


def test_crops_of_variants_come_from_the_larger_version():
    image = np.random.default_rng(0).integers(0, 256, (336, 336, 3), dtype=np.uint8)
    made = {(v.distortion, v.level): v.image for v in variants(image)}
    assert (made["left_diagonal_crop", 5] == image[:224, :224]).all()
    assert (made["right_diagonal_crop", -5] == image[112:, 112:]).all()


def test_errors_say_what_was_expected(small):
    distortion = DISTORTIONS["shadows"]
    with pytest.raises(ValueError, match=r"level: expected one of \(0, -5, .* for shadows, got 4"):
        distortion.distort(small, 4)
    with pytest.raises(ValueError, match=r"distortion: expected one of jpeg_compression, .*image_ratio"):
        get_distortion("blur")
    with pytest.raises(TypeError, match="image: expected a numpy array"):
        distortion.distort([[1]], 1)
    with pytest.raises(ValueError, match="image: expected dtype uint8"):
        distortion.distort(small / 255, 1)
    with pytest.raises(ValueError, match=r"got image \(24, 36, 4\)"):
        distortion.distort(np.zeros((24, 36, 4), np.uint8), 1)
    with pytest.raises(ValueError, match=r"got image \(0, 5\)"):
        distortion.distort(np.zeros((0, 5), np.uint8), 1)
    with pytest.raises(ValueError, match="size: expected a positive number"):
        variants(small, size=0)
