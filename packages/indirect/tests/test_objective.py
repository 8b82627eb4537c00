import math

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from indirect._objective import project, reconstruction_loss


def slow_loss(texts, components):
    """Eqs. 13.1 to 13.4, one prompt and one number at a time."""
    total = 0.0
    for text in texts:
        unit = text / math.sqrt(sum(value * value for value in text))
        projected = np.array([sum(unit[j] * row[j] for j in range(len(unit))) for row in components])
        projected = projected / math.sqrt(sum(value * value for value in projected))
        back = np.array(
            [sum(projected[k] * components[k][j] for k in range(len(components))) for j in range(len(unit))]
        )
        back = back / math.sqrt(sum(value * value for value in back))
        total += math.acos(min(1.0, sum(unit[j] * back[j] for j in range(len(unit)))))
    return total / len(texts)


def loss_of(texts, components):
    texts = torch.tensor(texts)
    texts = texts / texts.norm(dim=1, keepdim=True)
    weights = torch.full((1, len(texts)), 1 / len(texts), dtype=texts.dtype)
    return reconstruction_loss(texts[None], torch.tensor(components)[None], weights).item()


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(0, 1000), st.integers(2, 6), st.integers(1, 4), st.integers(4, 7))
def test_loss_is_the_published_one(seed, n, new, old):
    generator = np.random.default_rng(seed)
    texts, components = generator.normal(size=(n, old)), generator.normal(size=(new, old))
    assert math.isclose(loss_of(texts, components), slow_loss(texts, components), abs_tol=1e-6)


def test_loss_ignores_length_and_rotation(texts):
    generator = np.random.default_rng(2)
    components = generator.normal(size=(5, 24))
    rotation = np.linalg.qr(generator.normal(size=(5, 5)))[0]
    expected = loss_of(texts.astype(float), components)
    assert math.isclose(loss_of(texts.astype(float), 7 * rotation @ components), expected, rel_tol=1e-9)


def test_gradients():
    generator = torch.Generator().manual_seed(0)
    texts = torch.nn.functional.normalize(torch.randn(2, 5, 6, generator=generator, dtype=torch.float64), dim=2)
    components = torch.randn(2, 3, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.full((2, 5), 0.2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda c: reconstruction_loss(texts, c, weights), components)


def test_gradients_are_finite_where_the_reconstruction_is_perfect():
    texts = torch.eye(3)[None]
    components = torch.eye(3)[None].requires_grad_()
    reconstruction_loss(texts, components, torch.full((1, 3), 1 / 3)).sum().backward()
    assert components.grad.isfinite().all()


def test_projection_is_the_published_one(texts, images):
    components = texts[:4]
    unit = images / np.linalg.norm(images, axis=1, keepdims=True)
    expected = unit @ components.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    projected = project(torch.tensor(images), torch.tensor(components)).numpy()
    np.testing.assert_allclose(projected, expected, atol=1e-6)
