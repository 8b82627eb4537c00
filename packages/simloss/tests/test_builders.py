"""Similarity builders against slow references and their invariants."""

import math

import numpy as np
import pytest
import simloss
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine as cosine_distance


def is_similarity(matrix):
    """Whether entries lie in [0, 1], the diagonal is one and the matrix symmetric."""
    inside = bool(((matrix >= 0) & (matrix <= 1)).all())
    return inside and bool((matrix.diagonal() == 1).all()) and torch.allclose(matrix, matrix.T)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.floats(0, 1, exclude_max=True))
def test_ordinal_equals_a_double_loop(num_classes, factor):
    expected = [[factor ** abs(i - j) for j in range(num_classes)] for i in range(num_classes)]
    result = simloss.ordinal_similarity(num_classes, factor, dtype=torch.float64)
    assert result.tolist() == expected
    assert result.is_contiguous()


def test_ordinal_with_factor_zero_is_the_identity():
    assert torch.equal(simloss.ordinal_similarity(4, 0.0), torch.eye(4))


def test_ordinal_dense_equals_structured():
    structured = simloss.OrdinalSimilarity(7, 0.6).to_dense()
    torch.testing.assert_close(simloss.ordinal_similarity(7, 0.6), structured)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_is_an_argument_of_every_builder(dtype):
    vectors = {"a": [1.0, 0.5], "b": [0.5, 1.0]}
    for result in (
        simloss.ordinal_similarity(2, 0.5, dtype=dtype),
        simloss.embedding_similarity([[1.0, 0.5], [0.5, 1.0]], dtype=dtype),
        simloss.word_similarity(["a", "b"], vectors, dtype=dtype),
        simloss.hierarchy_similarity(["x/a", "x/b"], dtype=dtype),
        simloss.confusion_similarity([[3, 1], [1, 3]], dtype=dtype),
    ):
        assert result.dtype == dtype
        assert is_similarity(result)


def test_lower_bound_equals_a_double_loop():
    given_similarity = torch.tensor([[1.0, -0.4, 0.7], [0.3, 1.0, 0.5], [0.0, 0.9, 1.0]], dtype=torch.float64)
    expected = [[max(0.0, s - 0.3) / 0.7 for s in row] for row in given_similarity.tolist()]
    result = simloss.lower_bounded_similarity(given_similarity, 0.3)
    torch.testing.assert_close(result, torch.tensor(expected, dtype=torch.float64))


def test_lower_bound_at_the_largest_similarity_gives_the_identity():
    similarity = simloss.ordinal_similarity(5, 0.75)
    assert torch.equal(simloss.lower_bounded_similarity(similarity, 0.75), torch.eye(5))
    assert torch.equal(simloss.lower_bounded_similarity(similarity, 0.0), similarity)


def test_lower_bound_leaves_its_input_alone():
    similarity = torch.tensor([[1.0, -0.5], [0.5, 1.0]])
    before = similarity.clone()
    simloss.lower_bounded_similarity(similarity, 0.4)
    assert torch.equal(similarity, before)


def test_embeddings_equal_scipy():
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    expected = [[max(0.0, 1 - cosine_distance(a, b) - 0.1) / 0.9 for b in vectors] for a in vectors]
    result = simloss.embedding_similarity(vectors, 0.1, dtype=torch.float64)
    torch.testing.assert_close(result, torch.tensor(expected, dtype=torch.float64))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(-30, 30))
def test_embeddings_do_not_depend_on_length(seed, exponent):
    vectors = torch.randn(5, 3, generator=torch.Generator().manual_seed(seed))
    scaled = vectors * 10.0**exponent
    torch.testing.assert_close(
        simloss.embedding_similarity(scaled), simloss.embedding_similarity(vectors), rtol=1e-4, atol=1e-5
    )
    assert is_similarity(simloss.embedding_similarity(scaled))


def test_embeddings_take_integers_half_precision_and_read_only_arrays():
    array = np.array([[1, 0], [1, 1]])
    array.setflags(write=False)
    expected = torch.tensor([[1.0, math.sqrt(0.5)], [math.sqrt(0.5), 1.0]])
    torch.testing.assert_close(simloss.embedding_similarity(array), expected)
    torch.testing.assert_close(simloss.embedding_similarity(torch.tensor(array).half()), expected)


def test_permuted_classes_permute_the_similarity():
    vectors = torch.randn(6, 4, generator=torch.Generator().manual_seed(3))
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    expected = simloss.embedding_similarity(vectors)[order][:, order]
    torch.testing.assert_close(simloss.embedding_similarity(vectors[order]), expected)


VECTORS = {"dog": [1.0, 0.0], "cat": [0.8, 0.6], "tennis_ball": [0.0, 3.0], "ball": [0.6, 0.8], "fish": [0.0, 1.0]}


@pytest.mark.parametrize(
    ("name", "vector"),
    [
        ("dog", [1.0, 0.0]),
        ("Dog", [1.0, 0.0]),
        ("tennis ball", [0.0, 1.0]),  # the phrase comes before its words
        ("Tennis-Ball", [0.0, 1.0]),
        ("cat ball", [0.7, 0.7]),
        ("Cat_fish", [0.4, 0.8]),  # the mean of unit vectors
    ],
)
def test_a_name_finds_its_vector(name, vector):
    result = simloss.word_similarity([name, "fish "], VECTORS)
    assert result[0, 1].item() == pytest.approx(vector[1] / math.hypot(*vector), abs=1e-6)


def test_missing_names_are_all_reported():
    with pytest.raises(ValueError, match=r"none for 'emu', 'sea emu' \(2 of 3\)"):
        simloss.word_similarity(["dog", "emu", "sea emu"], VECTORS)


def test_missing_names_can_be_dropped():
    with pytest.warns(UserWarning, match="1 of 3 names have no vector: 'emu'; left out"):
        similarity, names = simloss.word_similarity(["dog", "emu", "cat"], VECTORS, missing="drop")
    assert names == ["dog", "cat"]
    torch.testing.assert_close(similarity, simloss.word_similarity(names, VECTORS))


def test_drop_returns_the_names_also_when_none_is_missing():
    _, names = simloss.word_similarity(["dog", "cat"], VECTORS, missing="drop")
    assert names == ["dog", "cat"]


def test_missing_names_can_get_the_mean():
    with pytest.warns(UserWarning, match="given the mean similarity"):
        similarity = simloss.word_similarity(["emu", "dog", "cat", "fish"], VECTORS, missing="mean")
    known = simloss.word_similarity(["dog", "cat", "fish"], VECTORS)
    assert torch.equal(similarity[1:, 1:], known)
    mean = sum(known[i, j].item() for i in range(3) for j in range(3) if i != j) / 6
    assert similarity[0, 1:].tolist() == pytest.approx([mean] * 3)
    assert is_similarity(similarity)


def test_words_from_gensim():
    from gensim.models import KeyedVectors

    keyed_vectors = KeyedVectors(2)
    keyed_vectors.add_vectors(list(VECTORS), np.array(list(VECTORS.values()), dtype=np.float32))
    names = ["dog", "cat", "tennis ball", "cat ball"]
    result = simloss.word_similarity(names, keyed_vectors, 0.2)
    torch.testing.assert_close(result, simloss.word_similarity(names, VECTORS, 0.2))
    dog_cat = keyed_vectors.similarity("dog", "cat")
    assert result[0, 1].item() == pytest.approx((dog_cat - 0.2) / 0.8, abs=1e-6)


def wu_palmer(a, b):
    """Walk both paths from the root, one step at a time."""
    common = 0
    while common < min(len(a), len(b)) and a[common] == b[common]:
        common += 1
    return 2 * common / (len(a) + len(b))


paths = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple), min_size=1, max_size=8, unique=True
)


@settings(deadline=None, max_examples=60)
@given(paths)
def test_hierarchy_equals_a_walk_from_the_root(tree):
    expected = torch.tensor([[wu_palmer(a, b) for b in tree] for a in tree])
    torch.testing.assert_close(simloss.hierarchy_similarity(tree), expected)
    assert torch.equal(
        simloss.hierarchy_similarity(["/".join(path) for path in tree]), simloss.hierarchy_similarity(tree)
    )
    assert is_similarity(simloss.hierarchy_similarity(tree))


def test_hierarchy_from_parents_equals_paths():
    parents = {"dog": "mammal", "cat": "mammal", "mammal": "animal", "carp": "fish", "fish": "animal", "car": None}
    names = ["dog", "carp", "mammal", "car", "cat", "animal"]
    written = ["animal/mammal/dog", "animal/fish/carp", "animal/mammal", "car", "animal/mammal/cat", "animal"]
    assert torch.equal(simloss.hierarchy_similarity(names, parents=parents), simloss.hierarchy_similarity(written))


def test_hierarchy_with_another_separator():
    result = simloss.hierarchy_similarity(["a.b/c", "a.d"], separator=".")
    assert torch.equal(result, torch.tensor([[1.0, 0.5], [0.5, 1.0]]))


def test_confusion_equals_a_double_loop():
    counts = np.random.default_rng(1).integers(0, 9, size=(5, 5)) + np.eye(5, dtype=int)
    expected = [
        [sum(a * b) / (math.sqrt(sum(a**2)) * math.sqrt(sum(b**2))) for b in counts.astype(float)]
        for a in counts.astype(float)
    ]
    torch.testing.assert_close(simloss.confusion_similarity(counts), torch.tensor(expected, dtype=torch.float32))


def test_confusion_does_not_depend_on_class_frequency():
    counts = torch.tensor([[8.0, 2.0, 1.0], [3.0, 6.0, 1.0], [0.0, 2.0, 9.0]])
    rebalanced = counts * torch.tensor([[100.0], [1.0], [0.01]])
    torch.testing.assert_close(simloss.confusion_similarity(rebalanced), simloss.confusion_similarity(counts))


def test_confusion_of_a_guesser_and_of_a_perfect_classifier():
    assert simloss.confusion_similarity([[5, 5, 0], [3, 3, 0], [0, 0, 1]])[0, 1].item() == pytest.approx(1)
    assert torch.equal(simloss.confusion_similarity(torch.diag(torch.tensor([4, 1, 9]))), torch.eye(3))


def test_blend_moves_the_loss_to_cross_entropy():
    similarity = simloss.ordinal_similarity(4, 0.8)
    torch.testing.assert_close(simloss.blend_identity(similarity, 0.0), similarity)
    torch.testing.assert_close(simloss.blend_identity(similarity, 1.0), torch.eye(4))
    half = simloss.blend_identity(similarity, 0.5)
    assert half[0, 1].item() == pytest.approx(0.4)
    assert is_similarity(half)


def test_every_builder_fits_the_loss():
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    target = torch.tensor([0, 1, 2, 2, 1, 0])
    for similarity in (
        simloss.ordinal_similarity(3, 0.5),
        simloss.embedding_similarity([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]),
        simloss.word_similarity(["dog", "cat", "fish"], VECTORS),
        simloss.hierarchy_similarity(["a/b", "a/c", "d"]),
        simloss.confusion_similarity([[4, 1, 0], [1, 4, 0], [0, 0, 5]]),
    ):
        loss = simloss.SimLoss(similarity)(logits, target)
        rows = similarity[target] * logits.softmax(1)
        torch.testing.assert_close(loss, -rows.sum(1).log().mean())
