"""Curves through a response, compared by the corrected Akaike criterion."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import check_numbers
from ._core import value_error

_Array = NDArray[np.float64]
FORMS = ("linear", "quadratic", "logarithmic", "exponential")
_RATES = np.r_[-np.geomspace(20, 0.05, 60), np.geomspace(0.05, 20, 60)]  # of the exponential, per range of x


@dataclass(frozen=True)
class Fit:
    """A curve fitted by least squares.

    Args:
        form: ``"linear"`` a + b x, ``"quadratic"`` a + b x + c x^2, ``"logarithmic"`` a + b log(x + shift) or
            ``"exponential"`` a + b exp(c (x - shift)).
        coefficients: a, b and, where there is one, c.
        shift: 0 or, for a logarithm of values that reach down to 0, 1; the smallest x of an exponential.
        r2: explained share of the variance.
        aicc: n log(RSS / n) + 2 k + 2 k (k + 1) / (n - k - 1), where k counts the coefficients and the variance; lower
            is better.
    """

    form: str
    coefficients: tuple[float, ...]
    shift: float
    r2: float
    aicc: float

    def predict(self, x: ArrayLike) -> _Array:
        """Return the curve at ``x``."""
        values = check_numbers("x", x)
        a, b, *rest = self.coefficients
        if self.form == "logarithmic":
            if (values + self.shift <= 0).any():
                raise value_error("x", f"values above {0 - self.shift:g}, for a logarithm", float(values.min()))
            return a + b * np.log(values + self.shift)
        if self.form == "exponential":
            return a + b * np.exp(rest[0] * (values - self.shift))
        return a + b * values + (rest[0] * values**2 if rest else 0.0)


def fit_curves(x: _Array, y: _Array) -> dict[str, Fit]:
    """Fit every form that the data allow: a logarithm needs x >= 0, all need enough values.

    Args:
        x: factor, ``(n,)``.
        y: response, ``(n,)``.
    """
    enough = [form for form in FORMS if len(np.unique(x)) > (3 if form in ("quadratic", "exponential") else 2)]
    fits = [_FITTERS[form](x, y) for form in enough if form != "logarithmic" or x.min() >= 0]
    return {fit.form: fit for fit in fits if math.isfinite(fit.aicc)}


def _linear(x: _Array, y: _Array) -> Fit:
    return _least_squares("linear", [x], y, 0.0)


def _quadratic(x: _Array, y: _Array) -> Fit:
    return _least_squares("quadratic", [x, x**2], y, 0.0)


def _logarithmic(x: _Array, y: _Array) -> Fit:
    shift = 0.0 if x.min() > 0 else 1.0
    return _least_squares("logarithmic", [np.log(x + shift)], y, shift)


def _exponential(x: _Array, y: _Array) -> Fit:
    """Search the rate on a grid, then between the best one's neighbours; all else is linear."""
    start, scale = float(x.min()), float(np.ptp(x))

    def fit(rate: float) -> Fit:
        return _least_squares("exponential", [np.exp(rate / scale * (x - start))], y, start, rate / scale)

    best = int(np.argmax([fit(rate).r2 for rate in _RATES]))
    low, high = _RATES[max(best - 1, 0)], _RATES[min(best + 1, len(_RATES) - 1)]
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if fit(left).r2 > fit(right).r2 else (left, high)
    return fit((low + high) / 2)


_FITTERS: dict[str, Callable[[_Array, _Array], Fit]] = {
    "linear": _linear,
    "quadratic": _quadratic,
    "logarithmic": _logarithmic,
    "exponential": _exponential,
}


def _least_squares(form: str, columns: list[_Array], y: _Array, shift: float, *fixed: float) -> Fit:
    # Columns of one size keep the solution exact where x**2 is ten thousand times x.
    sizes = np.array([max(float(np.abs(column).max()), 1e-300) for column in columns])
    design = np.column_stack([np.ones_like(y), *(column / size for column, size in zip(columns, sizes))])
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    residual, total = float(np.square(y - design @ solution).sum()), float(np.square(y - y.mean()).sum())
    coefficients = (float(solution[0]), *(solution[1:] / sizes).tolist(), *fixed)
    n, k = len(y), len(coefficients) + 1
    # A curve through every point has no residual left but rounding: all such curves count as equally close.
    floor = n * max(1e-12 * total / n, (1e-12 * float(np.abs(y).max())) ** 2, 1e-300)
    correction = 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else math.inf
    aicc = n * math.log(max(residual, floor) / n) + 2 * k + correction
    return Fit(form, coefficients, shift, 1 - residual / total if total > 0 else 0.0, aicc)
