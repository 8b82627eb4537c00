"""Mean output distributions, as numbers and as Fig. 14.2."""

import pytest
import simloss
import torch


@pytest.fixture
def outputs():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(40, 5, generator=generator).softmax(1), torch.randint(4, (40,), generator=generator)


def test_distribution_equals_a_double_loop(outputs):
    probabilities, target = outputs
    found = simloss.mean_distribution(probabilities, target)
    rows, classes = probabilities.tolist(), target.tolist()
    for c in range(5):
        assert found.overall[c].item() == pytest.approx(sum(row[c] for row in rows) / 40)
        assert found.observed[c].item() == pytest.approx(classes.count(c) / 40)
        for y in range(4):
            own = [row[c] for row, true in zip(rows, classes) if true == y]
            assert found.per_class[y, c].item() == pytest.approx(sum(own) / len(own), rel=1e-5)
    assert found.per_class[4].isnan().all()  # no example of the last class


def test_each_distribution_sums_to_one(outputs):
    found = simloss.mean_distribution(*outputs)
    torch.testing.assert_close(found.overall.sum(), torch.tensor(1.0))
    torch.testing.assert_close(found.per_class[:4].sum(1), torch.ones(4))


def test_images_and_ignored_pixels_equal_the_flat_examples(outputs):
    probabilities, target = outputs
    ignored = torch.where(torch.arange(40) < 8, -100, target)
    image = probabilities.view(2, 4, 5, 5).movedim(-1, 1)
    found = simloss.mean_distribution(image, ignored.view(2, 4, 5))
    expected = simloss.mean_distribution(probabilities[8:], target[8:])
    torch.testing.assert_close(found.overall, expected.overall)
    torch.testing.assert_close(found.per_class, expected.per_class, equal_nan=True)


def test_half_precision_is_averaged_in_single_precision(outputs):
    probabilities, target = outputs
    found = simloss.mean_distribution(probabilities.half(), target)
    assert found.overall.dtype == torch.float32
    torch.testing.assert_close(found.overall, probabilities.mean(0), atol=1e-3, rtol=0)


def test_the_plot_of_all_examples_shows_every_model_beside_the_observed_shares(outputs):
    probabilities, target = outputs
    found = {
        "cross entropy": simloss.mean_distribution(probabilities, target),
        "r = 0.9": simloss.mean_distribution(probabilities.flip(1), target),
    }
    figure, axes = simloss.plot_mean_distribution(found, class_names=list("abcde"))
    assert [line.get_label() for line in axes.lines] == list(found)
    for line, distribution in zip(axes.lines, found.values()):
        assert line.get_ydata() == pytest.approx(distribution.overall.tolist())
    assert axes.collections[0].get_label() == "observed"
    assert [text.get_text() for text in axes.get_xticklabels()] == list("abcde")
    assert axes.get_xlabel() == "class"
    figure.canvas.draw()


def test_the_plot_of_one_class_marks_it(outputs):
    found = simloss.mean_distribution(*outputs)
    figure, axes = simloss.plot_mean_distribution(found, class_index=2)
    assert list(axes.lines[0].get_xdata()) == [2, 2]
    assert axes.lines[1].get_ydata() == pytest.approx(found.per_class[2].tolist())
    same_figure, same_axes = simloss.plot_mean_distribution(found, axes=axes)
    assert (same_figure, same_axes) == (figure, axes)
