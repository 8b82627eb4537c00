import json
import math

import numpy as np
import pytest
from nrprecision import normalized_r_precision


@pytest.fixture
def scores(embed, properties):
    return normalized_r_precision(embed(), properties)


def test_ranking_is_the_scores_from_high_to_low(scores):
    ranking = scores.ranking()
    assert sorted(ranking, key=lambda pair: -pair[1]) == ranking
    assert dict(ranking) == dict(zip(scores.names, scores.nr_precision))
    assert ranking[0][0] == "car <b>"


def test_dictionary_survives_json(scores):
    loaded = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert list(loaded) == list(scores.names)
    for i, row in enumerate(loaded.values()):
        assert row.pop("p_value") is None
        for field, value in row.items():
            assert value == getattr(scores, field)[i]


def test_frame_holds_every_array_in_the_given_order(scores):
    frame = scores.to_frame()
    assert tuple(frame.index) == scores.names
    assert frame.index.name == "property"
    assert set(frame.columns) == {field for row in scores.to_dict().values() for field in row}
    for field in frame.columns:
        np.testing.assert_array_equal(frame[field], getattr(scores, field))


@pytest.mark.parametrize(("method", "module"), [("to_frame", "pandas"), ("plot", "matplotlib.pyplot")])
def test_missing_partner_names_the_extra(scores, without, method, module):
    without(module, module.partition(".")[0])
    with pytest.raises(ImportError, match=r'pip install "nrprecision\[(frame|plot)\]"'):
        getattr(scores, method)()


def test_plot_shows_the_numbers(scores, axes):
    figure, drawn = scores.plot(axes=axes)
    assert drawn is axes
    assert figure is axes.figure
    widths = [bar.get_width() for bar in axes.patches]
    np.testing.assert_allclose(widths, np.sort(scores.nr_precision))
    assert [label.get_text() for label in axes.get_yticklabels()] == [name for name, _ in scores.ranking()][::-1]
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    colours = {bar.get_facecolor() for bar in axes.patches}
    assert len(colours) == len(set(scores.significant().tolist()))
    figure.canvas.draw()
    assert np.asarray(figure.canvas.buffer_rgba())[..., :3].std() > 0


def test_plot_makes_its_own_figure(scores, axes):
    figure, drawn = scores.plot(alpha=0.05)
    assert drawn is not axes
    assert math.isclose(drawn.lines[0].get_xdata()[0], 1.959963984540054)
    assert len(figure.axes) == 1


def test_significant_is_the_normal_quantile(scores):
    np.testing.assert_array_equal(scores.significant(), scores.nr_precision > 2.5758293035489004)
    assert scores.significant(0.9999).sum() >= scores.significant(1e-9).sum()
