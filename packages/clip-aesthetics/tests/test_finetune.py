import copy

import pytest
import torch
from clip_aesthetics import emd_loss, finetune, mean_score
from torch import nn
from torch.utils.data import TensorDataset


@pytest.fixture
def dataset(draw):
    """Images whose brightness decides the distribution of their ratings."""
    brightness = torch.linspace(-1, 1, 240)[torch.randperm(240, generator=torch.Generator().manual_seed(0))]
    images = brightness[:, None, None, None] + 0.1 * draw(240, 1, 4, 4)
    ratings = torch.arange(1.0, 11)
    return TensorDataset(images, (-((ratings - 5.5 - 3 * brightness[:, None]) ** 2) / 2).softmax(1))


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 16), nn.ReLU())


def test_beats_the_mean_distribution(dataset, encoder):
    before = copy.deepcopy(encoder.state_dict())
    result = finetune(encoder, dataset, head_lr=0.5, encoder_lr=0.05, batch_size=16, max_epochs=12)
    images, target = dataset.tensors
    constant = emd_loss(target.mean(0).expand_as(target), target)
    assert min(result.validation_loss) < 0.5 * constant
    with torch.no_grad():
        predicted = mean_score(result.model(images))
    assert torch.corrcoef(torch.stack([predicted, mean_score(target)]))[0, 1] > 0.9
    assert not torch.equal(result.model[0][0].weight, encoder[0].weight)
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name])


def test_best_weights_come_back_and_patience_stops(dataset, encoder):
    seen = []
    result = finetune(
        encoder,
        dataset,
        head_lr=30.0,
        momentum=0.9,
        max_epochs=40,
        patience=2,
        on_epoch=lambda *numbers: seen.append(numbers),
    )
    assert result.best_epoch == result.validation_loss.index(min(result.validation_loss))
    assert len(result.validation_loss) == result.best_epoch + 3 < 40
    assert seen == list(zip(range(40), result.train_loss, result.validation_loss))
    generator = torch.Generator().manual_seed(0)
    held_out = torch.utils.data.random_split(dataset, [216, 24], generator=generator)[1]
    images, target = (torch.stack(column) for column in zip(*held_out))
    with torch.no_grad():
        loss = emd_loss(result.model(images), target).item()
    assert loss == pytest.approx(min(result.validation_loss), rel=1e-5)


def test_seed_decides_and_global_state_does_not(dataset, encoder):
    losses = []
    for seed, state in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(state)
        losses.append(finetune(encoder, dataset, max_epochs=2, seed=seed).train_loss)
    assert losses[0] == losses[1] != losses[2]


def test_published_settings(dataset, encoder, monkeypatch):
    made = []

    class Recorded(torch.optim.SGD):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr(torch.optim, "SGD", Recorded)
    finetune(encoder, dataset, max_epochs=1)
    (optimizer,) = made
    assert [group["lr"] for group in optimizer.param_groups] == [0.0001, 0.01]
    assert {group["momentum"] for group in optimizer.param_groups} == {0.5}
    assert [parameter.shape[0] for parameter in optimizer.param_groups[1]["params"]] == [10, 10]


def test_bad_arguments_are_named(dataset, encoder):
    with pytest.raises(ValueError, match="validation_fraction: expected a number between 0 and 1, got 1"):
        finetune(encoder, dataset, validation_fraction=1)
    with pytest.raises(ValueError, match="patience: expected at least 1, got 0"):
        finetune(encoder, dataset, patience=0)
    with pytest.raises(ValueError, match=r"dataset: expected at least two images, got dataset \(1,\)"):
        finetune(encoder, TensorDataset(*(part[:1] for part in dataset.tensors)))
    with pytest.raises(ValueError, match=r"encoder: expected features \(n, d\)"):
        finetune(encoder[:2], dataset)
