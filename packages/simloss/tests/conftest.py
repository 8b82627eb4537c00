"""Fixtures of more than one test file."""

import pytest
import torch
from simloss import OrdinalSimilarity, SparseSimilarity


@pytest.fixture(params=["ordinal", "sparse"])
def structured(request):
    """A structured similarity of nine classes."""
    if request.param == "ordinal":
        return OrdinalSimilarity(9, 0.6)
    generator = torch.Generator().manual_seed(0)
    matrix = torch.rand(9, 9, generator=generator) * (torch.rand(9, 9, generator=generator) < 0.5)
    return SparseSimilarity.from_dense(matrix.fill_diagonal_(1))
