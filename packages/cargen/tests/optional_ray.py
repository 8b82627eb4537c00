"""Ray Data over indices, with real pictures, run by ``nox -s optional``."""

import pytest
from cargen import IndexRenderer


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_draws_the_same_rows():
    import ray

    drawing = IndexRenderer(seed=3, size_px=32, threads=1)
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        rows = ray.data.range(4).map_batches(drawing, batch_size=2).take_all()
    finally:
        ray.shutdown()
    assert sorted(rows, key=lambda row: row["id"]) == [*drawing.rows(range(4))]
