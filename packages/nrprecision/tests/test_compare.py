import re
from html.parser import HTMLParser
from itertools import combinations

import numpy as np
import pytest
from nrprecision import compare_models, normalized_r_precision

GROUPS = {"ranking": ["triplet", "margin"], "classification": ["arc|face"]}


@pytest.fixture
def models(embed):
    return {
        "triplet": [embed(0.2, seed) for seed in range(4)],
        "margin": [embed(0.3, seed) for seed in range(4)],
        "arc|face": [embed(1.5, seed) for seed in range(4)],
        "<none>": embed(0.0),
    }


@pytest.fixture
def comparison(models, properties):
    return compare_models(models, properties, groups=GROUPS)


def slow_p_value(first, second):
    """The exact two-sided test by going through every way to split the folds."""

    def statistic(chosen):
        rest = [i for i in range(len(both)) if i not in chosen]
        return sum((both[i] > both[j]) + 0.5 * (both[i] == both[j]) for i in chosen for j in rest)

    both = np.concatenate([first, second])
    middle = len(first) * len(second) / 2
    observed = abs(statistic(range(len(first))) - middle)
    splits = list(combinations(range(len(both)), len(first)))
    return np.mean([abs(statistic(split) - middle) >= observed for split in splits])


class Table(HTMLParser):
    """The rows of a page's table as text, and the marked cells as (row, column, tag)."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.marks, self.open = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.open = True
        elif tag in ("u", "b") and self.open:
            self.marks.append((len(self.rows) - 1, len(self.rows[-1]) - 1, tag))

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.open = False

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


def test_cells_are_the_means_over_folds(comparison, models, properties):
    for row, (model, folds) in enumerate(models.items()):
        listed = folds if isinstance(folds, list) else [folds]
        single = [normalized_r_precision(fold, properties).nr_precision for fold in listed]
        np.testing.assert_array_equal(comparison.scores[model], single)
        np.testing.assert_allclose(comparison.means[row], np.mean(single, axis=0), rtol=1e-12)
    np.testing.assert_allclose(comparison.group_means["ranking"], comparison.means[:2].mean(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(comparison.significant, comparison.means > 2.5758293035489004)
    np.testing.assert_array_equal(comparison.to_frame().to_numpy(), comparison.means)


def test_groups_are_compared_over_all_folds(comparison):
    first = np.concatenate([comparison.scores["triplet"], comparison.scores["margin"]])
    for k in (1, 2):  # the car is tied between folds, and scipy's exact test knows no ties
        expected = slow_p_value(first[:, k], comparison.scores["arc|face"][:, k])
        assert comparison.p_value[k] == pytest.approx(expected, rel=1e-9)
    # Complete separation of 8 and 4 folds: two of comb(12, 4) = 495 orders are as extreme.
    assert comparison.p_value[comparison.names.index("rotation")] == pytest.approx(2 / 495)
    assert comparison.higher_group[comparison.names.index("rotation")] == "classification"
    assert comparison.higher_group[comparison.names.index("sun & sky")] is None
    assert comparison.notes == ()


def test_too_small_a_sample_says_so(models, properties):
    few = {model: folds[:2] for model, folds in models.items() if isinstance(folds, list)}
    with pytest.warns(UserWarning, match=r"4 folds of ranking and 2 of classification.*below 0\.133"):
        comparison = compare_models(few, properties, groups=GROUPS)
    assert comparison.higher_group == [None] * 3
    assert comparison.p_value.min() >= 2 / 15
    assert "too small for the 0.01 level" in comparison.to_html()
    assert "too small for the 0.01 level" in comparison.to_markdown()
    # The same sample is large enough for a level that it can reach.
    assert compare_models(few, properties, groups=GROUPS, level=0.2).notes == ()


def test_without_groups_scipy_is_not_needed(models, properties, without, comparison):
    without("scipy", "scipy.stats")
    plain = compare_models(models, properties)
    assert plain.p_value is None
    assert plain.higher_group == [None] * 3
    np.testing.assert_array_equal(plain.means, comparison.means)
    with pytest.raises(ImportError, match=r'scipy is not installed: pip install "nrprecision\[stats\]"'):
        compare_models(models, properties, groups=GROUPS)


def test_each_model_has_its_own_distance(models, properties):
    one = {"triplet": models["triplet"][0], "margin": models["triplet"][0]}
    comparison = compare_models(one, properties, distance={"triplet": "euclidean", "margin": "cosine"})
    for model, distance in (("triplet", "euclidean"), ("margin", "cosine")):
        expected = normalized_r_precision(models["triplet"][0], properties, distance=distance)
        np.testing.assert_array_equal(comparison.scores[model][0], expected.nr_precision)
    assert (comparison.means[0] != comparison.means[1]).any()


def test_options_reach_the_score(models, properties):
    comparison = compare_models({"margin": models["margin"]}, properties, null="hypergeometric")
    expected = normalized_r_precision(models["margin"][1], properties).z_exact
    np.testing.assert_allclose(comparison.scores["margin"][1], expected, rtol=1e-12)


def test_page_holds_the_numbers_marks_and_nothing_foreign(comparison):
    page = comparison.to_html("A <title> & more")
    assert "<title>A &lt;title&gt; &amp; more</title>" in page
    assert not re.search(r"(src|href)=|@import|url\(|<script", page)
    table = Table(page)
    assert table.rows[0] == ["Model", *comparison.names]
    body = table.rows[1:5]
    assert [row[0] for row in body] == list(comparison.scores)
    assert [row[1:] for row in body] == [[f"{value:z.2f}" for value in row] for row in comparison.means]
    underlined = {(row, column) for row, column, tag in table.marks if tag == "u"}
    assert underlined == {(row + 1, column + 1) for row, column in np.argwhere(comparison.significant).tolist()}
    assert table.rows[6] == ["classification mean", *(f"{v:z.2f}" for v in comparison.group_means["classification"])]
    bold = [mark for mark in table.marks if mark[2] == "b"]
    winners = [group for group in comparison.higher_group if group]
    assert len(bold) == len(winners) > 0
    assert table.rows[7][1:] == [f"{p:.3g}" for p in comparison.p_value]


def test_markdown_holds_the_same_numbers(comparison):
    lines = comparison.to_markdown().splitlines()
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert {len(row) for row in cells} == {1 + len(comparison.names)}
    assert cells[0][1] == "car &lt;b&gt;"
    assert [row[0] for row in cells[2:6]] == ["triplet", "margin", r"arc\|face", "&lt;none&gt;"]
    numbers = [[float(re.sub(r"[*]|</?u>", "", cell)) for cell in row[1:]] for row in cells[2:6]]
    np.testing.assert_allclose(numbers, comparison.means, atol=0.005001)
    assert any(cell.startswith("**") for cell in cells[7])


def test_one_changed_embedding_changes_its_row_only(models, properties, comparison, embed):
    changed = compare_models({**models, "margin": [embed(0.3, 9), *models["margin"][1:]]}, properties, groups=GROUPS)
    before, after = (Table(result.to_html()).rows[1:5] for result in (comparison, changed))
    assert [a == b for a, b in zip(before, after)] == [True, False, True, True]


def test_heat_map_shows_the_numbers(comparison, axes):
    figure, drawn = comparison.plot(axes=axes)
    assert drawn is axes
    np.testing.assert_array_equal(axes.images[0].get_array(), comparison.means)
    assert [text.get_text() for text in axes.texts] == [f"{value:z.2f}" for value in comparison.means.ravel()]
    assert [label.get_text() for label in axes.get_xticklabels()] == list(comparison.names)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(comparison.scores)
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    figure.canvas.draw()
    assert np.asarray(figure.canvas.buffer_rgba())[..., :3].std() > 0
