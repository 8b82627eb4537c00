"""What cargen writes, in a loader of torch's and in the score of nrprecision."""

import cargen
import nrprecision
import numpy as np
import polars
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.transforms.v2.functional import to_image


def make_renderer():
    """Return a renderer that needs no Blender: the car's colour above, the background's below."""

    def draw(car):
        image = np.empty((8, 8, 3), dtype=np.uint8)
        image[:4], image[4:] = (np.multiply(rgb, 255) for rgb in (car.car_rgb, car.background_rgb))
        return cargen.Rendering(image, np.full((8, 8), 255, np.uint8), np.ones((8, 8), np.float32))

    return draw


def test_data_set_and_score(shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cargen.generate("cars", n=120, make_renderer=make_renderer, progress=False)
    cars = shown("cargen", "cars = ", polars=polars)
    dataset = shown("cargen", "dataset = ", cars=cars, to_image=to_image, Image=Image)
    drawn = cargen.sample(120)
    assert [model for _, model in dataset] == [car.model for car in drawn]
    (images, _), *_ = DataLoader(dataset, batch_size=120)
    backgrounds = images[:, :, 4:].float().mean((2, 3))
    names = {"cars": cars, "embeddings": backgrounds, "nrprecision": nrprecision, "cargen": cargen}
    first, *_ = shown("cargen", "scores = ", **names).ranking()
    assert first[0].startswith("background")
