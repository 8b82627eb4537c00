"""Structured similarities: entries, products, errors, storage."""

import pytest
import torch
from simloss import OrdinalSimilarity, SparseSimilarity


def test_ordinal_entries():
    dense = OrdinalSimilarity(7, 0.3).to_dense()
    for i in range(7):
        for j in range(7):
            assert dense[i, j].item() == pytest.approx(0.3 ** abs(i - j), rel=1e-5)
    assert torch.equal(OrdinalSimilarity(4, 0).to_dense(), torch.eye(4))


def test_rows_are_rows_of_the_matrix(structured):
    target = torch.tensor([[0, 3], [2, 2]])
    assert torch.equal(structured.rows(target), structured.to_dense()[target])


@pytest.mark.parametrize("num_classes", [1, 2, 3, 5, 16, 17, 50])
@pytest.mark.parametrize("reduction_factor", [0.0, 0.01, 0.6, 0.99])
def test_ordinal_recursions_equal_the_matrix_product(num_classes, reduction_factor):
    torch.manual_seed(0)
    similarity = OrdinalSimilarity(num_classes, reduction_factor)
    probabilities = torch.randn(3, num_classes, dtype=torch.double).softmax(-1)
    distance = (torch.arange(num_classes)[:, None] - torch.arange(num_classes)).abs()
    expected = probabilities @ torch.tensor(reduction_factor, dtype=torch.double) ** distance
    torch.testing.assert_close(similarity._product(probabilities), expected)
    torch.testing.assert_close(similarity._log_product(probabilities.log()).exp(), expected)


def test_from_dense_keeps_the_largest():
    torch.manual_seed(0)
    dense = torch.rand(6, 6)
    kept = SparseSimilarity.from_dense(dense, top_k=2).to_dense()
    for row, entries in zip(kept, dense):
        assert sorted(row[row > 0].tolist()) == sorted(entries.tolist())[-2:]
    assert torch.equal(SparseSimilarity.from_dense(dense).to_dense(), dense)
    assert SparseSimilarity.from_dense(torch.eye(5)).values.shape == (5, 1)


def test_ordinal_state():
    similarity = OrdinalSimilarity(5, 0.9)
    other = OrdinalSimilarity(5, 0.1)
    other.load_state_dict(similarity.half().state_dict())
    assert other.reduction_factor == 0.9
    with pytest.raises(ValueError, match="5 classes, got 6"):
        other.load_state_dict(OrdinalSimilarity(6, 0.9).state_dict())


@pytest.mark.parametrize(
    ("num_classes", "reduction_factor", "name"),
    [(0, 0.5, "num_classes"), (3, 1, "reduction_factor"), (3, -0.1, "reduction_factor")],
)
def test_wrong_ordinal(num_classes, reduction_factor, name):
    with pytest.raises(ValueError, match=f"{name}: expected"):
        OrdinalSimilarity(num_classes, reduction_factor)


@pytest.mark.parametrize(
    ("indices", "values", "message"),
    [
        ([[0], [2]], [[1.0], [1.0]], r"indices: expected classes 0\.\.1, got 0\.\.2"),
        ([[0], [1]], [[1.0], [0.0]], r"positive similarity in every row.*\[1\]"),
        ([[0], [1]], [[1.0], [-1.0]], r"in \[0, 1\].*-1.0"),
        ([[0], [1]], [[1.0, 1.0], [1.0, 1.0]], r"indices \(2, 1\), values \(2, 2\)"),
    ],
)
def test_wrong_sparse(indices, values, message):
    with pytest.raises(ValueError, match=message):
        SparseSimilarity(torch.tensor(indices), torch.tensor(values))
