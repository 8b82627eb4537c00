"""What a model answers while one thing in its input changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import check_flag, check_number, check_numbers, check_type, check_whole
from ._core import import_extra, shape_error, track, type_error, value_error
from ._fits import Fit, fit_curves
from ._model import as_function, check_answers
from ._statistics import Correlation, Symmetry, correlation, monotonicity, symmetry
from ._style import Style
from ._sweep import Sweep, draw_all


@dataclass(frozen=True)
class Response:
    """The answers of a model to a sweep.

    Statistics that need one factor with numbers (``pearson``, ``best_fit``, ...) are an error for other sweeps;
    ``at`` cuts a sweep of several factors down to one.

    Args:
        sweep: scenes and factors.
        output: one answer per scene, ``(n,)``.
    """

    sweep: Sweep
    output: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check that there is one finite answer per scene."""
        check_type("sweep", self.sweep, Sweep, "a Sweep")
        object.__setattr__(self, "output", check_numbers("output", self.output))
        if self.output.shape != (len(self.sweep),):
            shapes = {"output": self.output.shape, "scenes": (len(self.sweep),)}
            raise shape_error("output", "one number per scene", shapes)

    @property
    def table(self) -> dict[str, list[Any]]:
        """Columns: each factor, and ``output``."""
        return {**{name: list(values) for name, values in self.sweep.factors.items()}, "output": self.output.tolist()}

    def to_frame(self) -> Any:
        """Return the table as a pandas frame (extra ``frame``)."""
        return import_extra("pandas", package="mapgen", extra="frame").DataFrame(self.table)

    def at(self, **values: Any) -> Response:
        """Return the part of the response where the named factors have these values, without those factors."""
        rows = np.ones(len(self.sweep), dtype=bool)
        for name, value in values.items():
            if name not in self.sweep.factors:
                raise value_error("at", f"factors out of {', '.join(self.sweep.factors)}", name)
            rows &= [bool(np.array_equal(other, value)) for other in self.sweep.factors[name]]
        kept = np.flatnonzero(rows).tolist()
        if not kept:
            known = {name: list(dict.fromkeys(self.sweep.factors[name])) for name in values}
            raise value_error("at", f"values out of {known}", " ".join(repr(values).split()))
        if len(values) == len(self.sweep.factors):
            raise value_error("at", "at least one factor that is left", ", ".join(values))
        factors = {name: column for name, column in self.sweep.factors.items() if name not in values}
        part = Sweep(
            tuple(self.sweep.scenes[i] for i in kept),
            {name: tuple(column[i] for i in kept) for name, column in factors.items()},
        )
        return Response(part, self.output[kept])

    @property
    def factor(self) -> str:
        """Name of the only factor."""
        if len(self.sweep.factors) != 1:
            raise value_error("response", "one factor (cut it with .at)", ", ".join(self.sweep.factors))
        return next(iter(self.sweep.factors))

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """Values of the only factor as numbers, ``(n,)``."""
        try:
            return np.array(self.sweep.factors[self.factor], dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise type_error(self.factor, "numbers", self.sweep.factors[self.factor][0]) from error

    @cached_property
    def pearson(self) -> Correlation:
        """Pearson's correlation of factor and answer, with a 95 % bootstrap interval over the images."""
        return correlation(self.values, self.output, ranks=False)

    @cached_property
    def spearman(self) -> Correlation:
        """Spearman's rank correlation, with a 95 % bootstrap interval over the images."""
        return correlation(self.values, self.output, ranks=True)

    @property
    def monotonicity(self) -> float:
        """The sum of all steps over the sum of their sizes: 1 rises everywhere, -1 falls everywhere."""
        return monotonicity(self.values, self.output)

    @cached_property
    def fits(self) -> Mapping[str, Fit]:
        """Linear, quadratic, logarithmic and exponential curves, the best (lowest AICc) first."""
        fits = fit_curves(self.values, self.output)
        if not fits:
            raise value_error("response", "at least five values of the factor", len(self.output))
        return dict(sorted(fits.items(), key=lambda item: item[1].aicc))

    @property
    def best_fit(self) -> Fit:
        """The curve with the lowest AICc."""
        return next(iter(self.fits.values()))

    def saturation_point(self, tolerance: float = 0.05) -> float | None:
        """Return the value of the factor from which on the answer hardly changes.

        Args:
            tolerance: share of the answer's range within which it stays of its last value.

        Returns:
            The smallest such value; ``None`` when less of the factor's range follows it than twice what would follow it
            on a straight line.
        """
        check_number("tolerance", tolerance, above=0, maximum=1)
        order = np.argsort(self.values, kind="stable")
        away = np.abs(self.output[order] - self.output[order[-1]]) > tolerance * np.ptp(self.output)
        first = int(np.flatnonzero(away)[-1]) + 1 if away.any() else 0
        point, end = float(self.values[order[first]]), float(self.values[order[-1]])
        return point if end - point > 2 * tolerance * np.ptp(self.values) else None

    def plot(self, *, axes: Any = None, style: Style | None = None) -> tuple[Any, Any]:
        """Draw the answers, the best curve and sample images, like Figures 6.2 and 6.3 (extra ``plot``)."""
        from ._plots import plot_response

        return plot_response(self, axes=axes, style=style)

    def to_html(self, *, title: str = "What does the model answer?") -> str:
        """Return a self-contained page with table, statistics and figure (extra ``plot``)."""
        from ._report import report_html

        return report_html(self, title=title)


def probe(
    model: Any,
    sweep: Sweep,
    *,
    style: Style | None = None,
    antialias: bool = False,
    batch_size: int = 64,
    output: int | None = None,
    preprocess: Callable[[NDArray[np.uint8]], Any] | None = None,
    progress: bool | None = None,
) -> Response:
    """Ask a model about every scene of a sweep.

    Args:
        model: a callable, a torch module, an ONNX session or an estimator with ``predict``. Torch and ONNX get float32
            ``(n, 3, h, w)`` in [0, 1], an estimator flat rows, any other callable uint8 ``(n, h, w, 3)``.
        sweep: what to draw, from ``sweep``, ``grid`` or a design.
        style: colours and widths; openstreetmap-carto by default.
        antialias: whether borders are smooth.
        batch_size: images per call.
        output: column of the answer, for a model with several outputs such as classes.
        preprocess: applied to the uint8 images ``(n, h, w, 3)``; the model is then called with its result as it is.
        progress: whether to show a bar; ``None`` in a terminal only.

    Raises:
        ValueError: the model answers with the wrong shape, or with NaN.

    Example:
        >>> from mapgen import width_sweep
        >>> def redness(images):
        ...     return images[..., 0].mean((1, 2)) - images[..., 2].mean((1, 2))
        >>> response = probe(redness, width_sweep(widths_px=range(3, 93, 10)))
        >>> response.best_fit.form, round(response.pearson, 4)
        ('linear', 1.0)

    Reference: Section 6.1.2.
    """
    check_type("sweep", sweep, Sweep, "a Sweep")
    batch_size = check_whole("batch_size", batch_size, minimum=1)
    check_flag("progress", progress, optional=True)
    if output is not None:
        check_whole("output", output)
    for argument, function in (("preprocess", preprocess), ("model", model)):
        if preprocess is not None and not callable(function):
            raise type_error(argument, "a callable", function)
    ask = as_function(model) if preprocess is None else model
    answers = []
    for start in track(range(0, len(sweep), batch_size), "probing", progress=progress):
        scenes = sweep.scenes[start : start + batch_size]
        images = draw_all(scenes, style=style, antialias=antialias)
        answer = ask(images if preprocess is None else preprocess(images))
        answers.append(check_answers(answer, len(scenes), output))
    return Response(sweep, np.concatenate(answers))


def symmetry_test(responses: Mapping[str, Response], *, permutations: int = 999, seed: int = 0) -> Symmetry:
    """Test whether a model treats left, right, top and bottom alike.

    Args:
        responses: one per direction, to the same values of one factor.
        permutations: of the directions, for the p-value.
        seed: of the permutations.

    Example:
        >>> from mapgen import distance_sweep
        >>> def left_half(images):
        ...     return images[:, :, :112].mean((1, 2, 3))
        >>> directions = {name: probe(left_half, distance_sweep(name)) for name in ("left", "right")}
        >>> symmetry_test(directions).p_value
        0.001
    """
    check_type("responses", responses, Mapping, "a mapping of directions to responses")  # type: ignore[type-abstract]
    permutations, seed = check_whole("permutations", permutations, minimum=1), check_whole("seed", seed)
    for name, response in responses.items():
        check_type(f"responses[{name!r}]", response, Response, "a Response")
    values = [response.values for response in responses.values()]
    if any(not np.array_equal(values[0], other) for other in values[1:]):
        raise value_error("responses", "the same values of the factor in each direction", list(responses))
    return symmetry({name: r.output for name, r in responses.items()}, permutations=permutations, seed=seed)


@dataclass(frozen=True)
class Transformation:
    """A function of a factor in which a model's response is linear.

    Args:
        factor: name of the factor.
        fit: the curve that it follows.
    """

    factor: str
    fit: Fit

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the transformed values, in units of the response."""
        return self.fit.predict(check_numbers("values", values))


def linearise(response: Response) -> Transformation:
    """Return the transformation that makes a factor linear for a linear model: the response's best curve.

    Features that a large model, trained on much data, was found to use non-linearly can so be given to a linear model
    that is trained on little.

    Example:
        >>> from mapgen import width_sweep
        >>> widths = width_sweep(widths_px=range(5, 90, 5))
        >>> response = Response(widths, 3 + 2 * np.log(widths.factors["width_px"]))
        >>> linearise(response)([1, np.e]).round(6)
        array([3., 5.])

    Reference: Section 6.4.
    """
    check_type("response", response, Response, "a Response")
    return Transformation(response.factor, response.best_fit)
