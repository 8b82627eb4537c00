"""darktable and Ray for real, on this machine: ``nox -s optional``.

Without them these tests fail; they are not skipped.
"""

import io

import numpy as np
import pytest
from aesthetic_pretext import DISTORTIONS, darktable
from aesthetic_pretext.files import VariantRows, load_image
from PIL import Image


def test_style_distortions_are_close_to_darktable(photographs, tmp_path):
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for file, photograph in zip(files, photographs):
        Image.fromarray(photograph).save(file)
    found = darktable.compare(files)
    assert len(found.rows) == 81
    assert {name: row.psnr for name, row in found.summary().items() if row.psnr < 35} == {}
    # A change of half a grey level, by rounding, may point anywhere.
    assert [row for row in found.rows if row.same_direction < 0.5] == []


def test_darktable_keeps_shapes_and_level_zero(small):
    for image in (small, small[..., 0], small[..., :1], small[:1, :1]):
        assert darktable.distort(image, "exposure", 2).shape == image.shape
    (results,) = darktable.develop([small], [("exposure", 0), ("exposure", 2), ("saturation", -5)])
    assert np.abs(results[0].astype(int) - small).max() <= 1
    assert np.abs(results[1].astype(int) - DISTORTIONS["exposure"].distort(small, 2)).max() <= 1
    assert np.ptp(results[2].astype(int), axis=2).max() <= 1


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_makes_the_same_variants(folder):
    import ray

    paths = [str(path) for path in sorted(folder.glob("*.png"))]
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        dataset = ray.data.from_items([{"path": path} for path in paths])
        rows = dataset.flat_map(VariantRows(size=16)).take_all()
    finally:
        ray.shutdown()
    expected = [row for path in paths for row in VariantRows(size=16)({"path": path})]

    def keys(row):
        return row["path"], row["distortion"] or "", row["level"], row["reference"]

    assert sorted(rows, key=keys) == sorted(expected, key=keys)
    with Image.open(io.BytesIO(rows[0]["image"])) as image:
        assert image.size == (16, 16)
    assert load_image(paths[0]).ndim == 3
