"""bgaugment in the chain of torchvision v2 transforms that its reference training composes for classification."""

import numpy as np
import torch
from bgaugment import BackgroundReplacement, BGAugmentDataset, TensorPool
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BACKGROUND = 0.8
POOL = TensorPool(torch.full((1, 3, 64, 64), BACKGROUND))
AROUND = (round(255 * BACKGROUND) / 255 - torch.tensor(MEAN)) / torch.tensor(STD)


def photo():
    """A picture without a pixel as bright as the background, and the mask of the disc in it."""
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    pixels = np.random.default_rng(0).integers(0, 120, (64, 64, 3), dtype=np.uint8)
    return Image.fromarray(pixels), np.hypot(x, y) < 0.6


def crop_and_flip():
    return [v2.RandomResizedCrop(32, interpolation=InterpolationMode.BILINEAR), v2.RandomHorizontalFlip()]


def to_tensor():
    return [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]


def test_in_the_default_chain():
    torch.manual_seed(0)
    image, mask = photo()
    # The one line: a transform after the flip.
    chain = v2.Compose([*crop_and_flip(), BackgroundReplacement(POOL), *to_tensor(), v2.ToPureTensor()])
    for _ in range(10):
        pixels, its, label = chain((image, tv_tensors.Mask(mask), 3))
        assert type(pixels) is type(its) is torch.Tensor
        assert (pixels.shape, pixels.dtype, label) == ((3, 32, 32), torch.float32, 3)
        replaced = torch.isclose(pixels, AROUND[:, None, None], atol=1e-5).all(0)
        assert torch.equal(replaced, ~its.bool())


def test_around_the_chain_with_augmentations_that_take_no_mask():
    torch.manual_seed(0)
    image, mask = photo()
    chain = v2.Compose(
        [*crop_and_flip(), v2.TrivialAugmentWide(), *to_tensor(), v2.RandomErasing(p=0.5), v2.ToPureTensor()]
    )
    # The one line: the data set.
    dataset = BGAugmentDataset([(image, 3)] * 12, [mask] * 12, POOL, transform=chain)
    ((pixels, labels),) = DataLoader(dataset, batch_size=12)
    assert pixels.shape == (12, 3, 32, 32)
    assert labels.tolist() == [3] * 12
    assert pixels.isfinite().all()
    # Without distorted colours the background can be recognised.
    dataset.transform = v2.Compose([*crop_and_flip(), *to_tensor()])
    shares = [torch.isclose(pixels, AROUND[:, None, None], atol=1e-5).all(0).float().mean() for pixels, _ in dataset]
    assert max(shares) > 0.1
