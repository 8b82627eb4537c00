import pytest
import torch
from torch import nn

# The tensors of the tests are tiny: threads would only wait for each other.
torch.set_num_threads(1)


class Net(nn.Module):
    """A small convolutional encoder with batch norm and dropout, whose modes matter."""

    def __init__(self, dimensions=8):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(64, dimensions),
        )

    def forward(self, x):
        return self.body(x)


@pytest.fixture
def make_net():
    def make(seed=0, **options):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return Net(**options)

    return make


@pytest.fixture
def images():
    return torch.randn(4, 3, 16, 20, generator=torch.Generator().manual_seed(1))
