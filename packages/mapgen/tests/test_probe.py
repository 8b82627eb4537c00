import numpy as np
import pytest
import scipy.stats
from mapgen import (
    Response,
    Scene,
    distance_sweep,
    entity_grid,
    interaction,
    linearise,
    probe,
    sweep,
    symmetry_test,
    width_sweep,
)
from matplotlib import pyplot
from sklearn.linear_model import LinearRegression

WIDTHS = width_sweep(widths_px=range(3, 93, 3))


def respond(function, values=range(3, 93, 3), noise=0.0):
    design = width_sweep(widths_px=values)
    x = np.array(design.factors["width_px"], dtype=float)
    return Response(design, function(x) + np.random.default_rng(0).normal(0, noise, len(x)))


def brightness(images):
    return images.mean((1, 2, 3))


@pytest.mark.parametrize(
    ("form", "function"),
    [
        ("linear", lambda x: 3 - 0.2 * x),
        ("quadratic", lambda x: 50 - 0.01 * (x - 20) ** 2),
        ("logarithmic", lambda x: 5 + 8 * np.log(x)),
        ("exponential", lambda x: 5 + 30 * np.exp(-0.07 * x)),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_planted_form_is_the_best_fit(form, function, noise):
    response = respond(function, noise=noise)
    assert response.best_fit.form == form
    x = response.values
    assert np.abs(response.best_fit.predict(x) - function(x)).max() < 1e-6 + 3 * noise
    assert response.best_fit.r2 > 0.99


def test_fits_equal_scipy():
    response = respond(lambda x: 5 + 30 * np.exp(-0.03 * x), noise=1.0)
    x, y = response.values, response.output
    line = scipy.stats.linregress(x, y)
    assert response.fits["linear"].coefficients == pytest.approx((line.intercept, line.slope))
    assert response.fits["quadratic"].coefficients == pytest.approx(np.polyfit(x, y, 2)[::-1])
    wanted, _ = scipy.optimize.curve_fit(lambda x, a, b, c: a + b * np.exp(c * (x - 3)), x, y, p0=(5, 30, -0.05))
    assert response.fits["exponential"].coefficients == pytest.approx(wanted, rel=1e-3)
    n, k = len(x), 3
    residual = np.square(y - line.intercept - line.slope * x).sum()
    aicc = n * np.log(residual / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    assert response.fits["linear"].aicc == pytest.approx(aicc)
    assert list(response.fits) == sorted(response.fits, key=lambda form: response.fits[form].aicc)


def test_correlations_equal_scipy():
    response = respond(lambda x: np.round(np.log(x), 1), noise=0.3)
    x, y = response.values, response.output
    assert float(response.pearson) == pytest.approx(scipy.stats.pearsonr(x, y).statistic)
    assert float(response.spearman) == pytest.approx(scipy.stats.spearmanr(x, y).statistic)
    tied = Response(response.sweep, np.round(y))
    assert float(tied.spearman) == pytest.approx(scipy.stats.spearmanr(x, np.round(y)).statistic)
    low, high = response.pearson.low, response.pearson.high
    assert low < response.pearson < high
    generator = np.random.default_rng(1)
    picks = [generator.integers(len(x), size=len(x)) for _ in range(1000)]
    wanted = np.quantile([scipy.stats.pearsonr(x[pick], y[pick]).statistic for pick in picks], [0.025, 0.975])
    assert (low, high) == pytest.approx(tuple(wanted), abs=0.03)


def test_constant_response_is_said_to_be_constant():
    response = respond(lambda x: 0 * x + 4)
    assert np.isnan(response.pearson)
    assert response.monotonicity == 0
    assert response.saturation_point() == 3
    assert response.best_fit.form == "linear"


def test_monotonicity_and_saturation():
    assert respond(np.sqrt).monotonicity == pytest.approx(1)
    assert respond(lambda x: -x).monotonicity == pytest.approx(-1)
    assert abs(respond(lambda x: (x - 46.5) ** 2).monotonicity) < 0.1
    assert respond(lambda x: np.minimum(x, 30)).saturation_point() == 30
    assert respond(lambda x: x).saturation_point() is None
    with pytest.raises(ValueError, match="tolerance: expected a number above 0"):
        respond(lambda x: x).saturation_point(2)


def test_symmetry_of_symmetric_and_other_models():
    def top_heavy(images):
        return images[:, :100].mean((1, 2, 3)) + 0.1 * images.mean((1, 2, 3))

    directions = {
        d: distance_sweep(d, width_px=20, distances_px=range(0, 90, 6)) for d in ("left", "right", "top", "bottom")
    }
    even = symmetry_test({name: probe(brightness, design) for name, design in directions.items()})
    assert even.relative_difference < 1e-9
    assert even.p_value == 1
    odd = symmetry_test({name: probe(top_heavy, design) for name, design in directions.items()})
    assert odd.p_value < 0.02
    assert odd.means["top"] < odd.means["bottom"]
    with pytest.raises(ValueError, match="at least two directions"):
        symmetry_test({"left": probe(brightness, directions["left"])})
    with pytest.raises(ValueError, match="the same values of the factor"):
        symmetry_test({"left": probe(brightness, directions["left"]), "right": probe(brightness, distance_sweep())})


def test_linearise_makes_a_factor_linear():
    response = respond(lambda x: 5 + 8 * np.log(x))
    transformed = linearise(response)(response.values)
    assert np.corrcoef(transformed, response.output)[0, 1] == pytest.approx(1)
    assert float(response.pearson) < 0.97
    with pytest.raises(ValueError, match="x: expected values above 0"):
        linearise(response)([0.0])


def test_models_of_every_kind():
    small = sweep(Scene(size_px=8), "land", ["park", "water", "forest"])
    flat = small.images().reshape(3, -1) / 255
    estimator = LinearRegression().fit(flat, flat.mean(1))
    assert probe(estimator, small).output == pytest.approx(flat.mean(1), abs=1e-5)

    class Session:
        def get_inputs(self):
            return [type("Input", (), {"name": "images"})]

        def run(self, outputs, feed):
            assert feed["images"].dtype == np.float32
            return [feed["images"].mean((2, 3))]

    wanted = WIDTHS.images().mean((1, 2)) / 255
    assert probe(Session(), WIDTHS, output=2).output == pytest.approx(wanted[:, 2], abs=1e-6)
    assert probe(lambda x: x, WIDTHS, preprocess=brightness).output == pytest.approx(brightness(WIDTHS.images()))
    sizes = []
    probe(lambda images: sizes.append(len(images)) or brightness(images)[:, None], WIDTHS, batch_size=7)
    assert sizes == [7, 7, 7, 7, 2]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (lambda images: images.mean((1, 2)), {}, r"model: expected one number per image.*answer \(30, 3\)"),
        (lambda images: images.mean(), {}, r"model: expected one number per image.*answer \(\)"),
        (lambda images: images.mean((1, 2, 3))[:3], {}, r"answer \(3,\)"),
        (lambda images: images, {}, "answer"),
        (lambda images: np.full(len(images), np.nan), {}, "model: expected finite answers, got nan for image 0"),
        (lambda images: ["a"] * len(images), {}, "model: expected numbers"),
        (lambda images: None, {}, "expected"),
        (lambda images: images.mean((1, 2)), {"output": 3}, "output: expected a column from 0 to 2, got 3"),
        (brightness, {"batch_size": 0}, "batch_size: expected a whole number of at least 1"),
        ("model.onnx", {}, "model: expected a callable"),
    ],
)
def test_bad_models(model, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        probe(model, WIDTHS, **options)


def test_tables_and_cuts():
    response = probe(brightness, interaction("right", [9, 21], [0, 30, 60]))
    assert list(response.table) == ["width_px", "distance_px", "output"]
    part = response.at(width_px=21)
    assert part.factor == "distance_px"
    assert part.output.tolist() == response.output[3:].tolist()
    assert response.to_frame()["output"].tolist() == response.output.tolist()
    with pytest.raises(ValueError, match="response: expected one factor"):
        _ = response.pearson
    with pytest.raises(ValueError, match="at: expected factors out of width_px, distance_px"):
        response.at(angle=3)
    with pytest.raises(ValueError, match="at: expected values out of"):
        response.at(width_px=5)
    with pytest.raises(TypeError, match="land: expected numbers, got str"):
        _ = probe(brightness, sweep(Scene(), "land", ["park", "water"])).pearson


def test_figure_shows_the_numbers():
    response = respond(lambda x: 5 + 8 * np.log(x))
    _, axes = response.plot()
    assert axes.get_lines()[0].get_ydata() == pytest.approx(response.output)
    assert axes.get_xlabel() == "width_px"
    assert "logarithmic" in axes.get_legend().get_texts()[1].get_text()
    assert len(axes.child_axes) == 5
    assert np.ptp(axes.child_axes[-1].get_images()[0].get_array()) > 50
    _, table = probe(brightness, entity_grid()).plot()
    assert [label.get_text() for label in table.get_yticklabels()] == ["no road", "trunk", "motorway"]
    assert len(table.texts) == 23
    pyplot.close("all")


def test_page_holds_the_numbers():
    response = respond(lambda x: 5 + 8 * np.log(x))
    page = response.to_html(title="a <b>")
    assert "<h1>a &lt;b&gt;</h1>" in page
    assert all(f"<td>{value:.6g}</td>" in page for value in response.output)
    assert f"<td>{response.pearson:.4f}</td>" in page
    assert "data:image/png;base64,iVBOR" in page
    assert respond(lambda x: 6 + 8 * np.log(x)).to_html() != page
    assert "none" not in probe(brightness, entity_grid()).to_html()


def test_missing_partners_name_their_extra(without):
    response = respond(lambda x: x)
    without("matplotlib.pyplot", "matplotlib", "pandas")
    for call, extra in ((response.plot, "plot"), (response.to_html, "plot"), (response.to_frame, "frame")):
        with pytest.raises(ImportError, match=rf'pip install "mapgen\[{extra}\]"'):
            call()
