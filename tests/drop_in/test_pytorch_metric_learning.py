"""nrprecision and bgaugment inside the trainers and testers of pytorch-metric-learning."""

from functools import partial

import numpy as np
import pytest
import torch
from bgaugment import BGAugmentDataset, ListPool
from nrprecision import normalized_r_precision
from nrprecision.pml import NRPrecisionCalculator
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.testers import GlobalEmbeddingSpaceTester
from pytorch_metric_learning.trainers import MetricLossOnly
from torch import nn
from torch.utils.data import TensorDataset


def test_nr_precision_in_a_tester(shown):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 4
    inputs = torch.eye(4)[labels] + 0.7 * torch.randn(60, 4, generator=generator)
    names = {
        "NRPrecisionCalculator": partial(
            NRPrecisionCalculator, include=("nr_precision", "r_precision"), k="max_bin_count"
        ),
        "GlobalEmbeddingSpaceTester": partial(GlobalEmbeddingSpaceTester, dataloader_num_workers=0, batch_size=16),
    }
    tester = shown("nrprecision", "tester = ", **names)
    found = tester.test({"val": TensorDataset(inputs, labels)}, epoch=1, trunk_model=nn.Flatten())["val"]
    unit = torch.nn.functional.normalize(inputs)  # as the tester does
    expected = normalized_r_precision(unit, labels, progress=False)
    assert found["nr_precision_level0"] == pytest.approx(expected.ranking()[0][1])
    assert found["r_precision_level0"] == pytest.approx(expected.r_precision[0])


class Recorder(nn.Module):
    """An embedding that remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.layer, self.seen = nn.Linear(3 * 8 * 8, 4), []

    def forward(self, images):
        self.seen.append(images.detach().clone())
        return self.layer(images.flatten(1))


# The trainer's own: its progress bar prints the loss.
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad=True to a scalar:UserWarning")
def test_background_replacement_in_a_trainer():
    rng = np.random.default_rng(0)
    photos = rng.integers(0, 256, (16, 8, 8, 3), dtype=np.uint8)
    items = [(photo, number % 4) for number, photo in enumerate(photos)]
    mask = np.zeros((8, 8), bool)
    mask[2:6, 2:6] = True
    pool = ListPool([np.full((8, 8, 3), grey, np.uint8) for grey in (10, 100, 200)])
    embedding = Recorder()
    trainer = MetricLossOnly(
        models={"trunk": embedding},
        optimizers={"trunk_optimizer": torch.optim.SGD(embedding.parameters(), lr=0.01)},
        loss_funcs={"metric_loss": TripletMarginLoss()},
        # The one line: the data set.
        dataset=BGAugmentDataset(items, [mask] * 16, pool, transform=lambda image: torch.tensor(image) / 255),
        batch_size=16,
        dataloader_num_workers=0,
        data_device="cpu",
        dtype=torch.float32,
    )
    before = embedding.layer.weight.detach().clone()
    trainer.train(num_epochs=4)
    assert not torch.equal(before, embedding.layer.weight)
    inside, originals = torch.tensor(mask), (torch.tensor(photos) / 255)[:, mask].flatten(1)
    greys = []
    for batch in embedding.seen:
        # Shuffled: every object is there, untouched ...
        objects = batch[:, inside].flatten(1)
        assert torch.equal(objects[objects[:, 0].argsort()], originals[originals[:, 0].argsort()])
        # ... and around it is one background of the pool.
        around = batch[:, ~inside].flatten(1)
        assert torch.equal(around.amin(1), around.amax(1))
        greys.append((255 * around[:, 0]).round().int().tolist())
    assert {grey for epoch in greys for grey in epoch} == {10, 100, 200}
    assert len(greys) == 4
    assert len({tuple(epoch) for epoch in greys}) > 1
