"""The 21 distortions of Table 16.1: names, families, levels and physical parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from . import _composition, _style, _technical
from ._checks import WHOLE, one_of, seed_number
from ._core import value_error
from ._photo import Photo, Pixels, Seed

Family: TypeAlias = Literal["technical", "style", "composition"]
Reference: TypeAlias = Literal["original", "center_crop", "center_rotation"]
FAMILIES: tuple[Family, ...] = ("technical", "style", "composition")
REFERENCES: tuple[Reference, ...] = ("original", "center_crop", "center_rotation")
MAX_LEVEL = 5


@dataclass(frozen=True)
class Distortion:
    """One way to distort an image in signed, graded levels.

    Attributes:
        name: key in ``DISTORTIONS``.
        family: ``"technical"``, ``"style"`` or ``"composition"``.
        reference: what level 0 is: ``"original"``, ``"center_crop"`` or ``"center_rotation"``.
        unit: of the parameters.
        default: parameter at level 0.
        parameters: level -> physical parameter, for all levels but 0, in ascending order.

    Example:
        >>> DISTORTIONS["shadows"].parameters[-5], DISTORTIONS["shadows"].default
        (-100, 50)
        >>> import numpy as np
        >>> grey = np.full((2, 2), 100, np.uint8)
        >>> DISTORTIONS["exposure"].distort(grey, 1)
        array([[122, 122],
               [122, 122]], dtype=uint8)

    Reference:
        Table 16.1; severities of the technical ones: Hendrycks and Dietterich 2019 (ImageNet-C).
    """

    name: str
    family: Family
    reference: Reference
    unit: str
    default: Any
    parameters: Mapping[int, Any]
    apply: Callable[[Photo, Any, Seed], Pixels] = field(repr=False)
    index: int = 0

    @property
    def levels(self) -> tuple[int, ...]:
        """All levels but 0, ascending."""
        return tuple(self.parameters)

    def distort(self, image: Pixels, level: int, *, seed: int = 0) -> Pixels:
        """Distort an image; the same arguments give the same bytes.

        Args:
            image: ``(h, w, 3)`` RGB or ``(h, w)`` or ``(h, w, 1)`` grey, uint8, of any size.
            level: one of ``levels``, or 0 for the reference.
            seed: of noise and of the angle of motion. All levels of a distortion share the draw of a seed, so a
                ladder differs in nothing but intensity.

        Returns:
            A new uint8 array in the layout of ``image``. Technical and style distortions and the image ratio keep its
            size; crops have two thirds of its sides, rotations those of the rectangle inscribed at 10 degrees.

        Raises:
            TypeError: the image is no array.
            ValueError: its dtype or shape does not fit, or the level is not on the ladder.
        """
        return self.of_photo(Photo(image), level, seed)

    def of_photo(self, photo: Photo, level: int, seed: int) -> Pixels:
        """Distort a prepared image, as ``distort`` does."""
        self.check_level(level)
        seed_number(seed)
        if level == 0 and self.reference == "original":
            return photo.image.copy()
        parameter = self.parameters[level] if level else self.default
        return self.apply(photo, parameter, (seed, self.index))

    def check_level(self, level: int) -> None:
        """Raise the error for a level that is not on the ladder."""
        whole: object = level  # a tensor or a list would be compared element by element
        if not isinstance(whole, WHOLE) or level not in (0, *self.levels):
            raise value_error("level", f"one of {(0, *self.levels)} for {self.name}", level)

    def rank_fraction(self, level: int) -> float:
        """Return the regression target of a level: its rank among the levels of its sign over their number.

        Example:
            >>> [round(DISTORTIONS["shadows"].rank_fraction(level), 3) for level in (-5, -1, 0, 1, 3)]
            [-1.0, -0.2, 0.0, 0.333, 1.0]
        """
        return level / max(1, sum(other * level > 0 for other in self.levels))


def _ladder(first: int, parameters: list[Any]) -> dict[int, Any]:
    """Return level -> parameter from ``first`` upwards, leaving level 0 out."""
    levels = [level for level in range(first, first + len(parameters) + 1) if level != 0]
    return dict(zip(levels, parameters))


def _steps(largest: float) -> dict[int, float]:
    """Return ten parameters from ``-largest`` to ``largest`` in equal steps."""
    return {level: round(level * largest / MAX_LEVEL, 10) for level in range(-MAX_LEVEL, MAX_LEVEL + 1) if level}


def _registry() -> Mapping[str, Distortion]:
    technical: list[tuple[str, str, list[Any]]] = [
        ("jpeg_compression", "quality", [25, 18, 15, 10, 7]),
        ("defocus_blur", "radius in pixels, softness of its edge", [(3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)]),
        ("motion_blur", "radius and standard deviation in pixels", [(10, 3), (15, 5), (15, 8), (15, 12), (20, 15)]),
        ("pixelate", "scale", [0.6, 0.5, 0.4, 0.3, 0.25]),
        ("gaussian_noise", "standard deviation over the range", [0.08, 0.12, 0.18, 0.26, 0.38]),
        ("impulse_noise", "share of the values", [0.03, 0.06, 0.09, 0.17, 0.27]),
    ]
    style: list[tuple[str, str, Any, dict[int, Any]]] = [
        ("brightness", "slider", 0.0, _steps(1.0)),
        ("contrast", "slider", 0.0, _steps(1.0)),
        ("saturation", "slider", 0.0, _steps(1.0)),
        ("exposure", "EV", 0.0, _steps(3.0)),
        ("shadows", "slider", 50, _ladder(-5, [-100, -60, -20, 20, 40, 60, 80, 100])),
        ("highlights", "slider", -50, _ladder(-3, [-100, -80, -60, -40, -20, 20, 60, 100])),
        ("temperature", "K", 6500, _ladder(-4, [2000, 3000, 5000, 6000, 7000, 8000, 10000, 14000, 18000])),
        ("tint", "green over its neutral value", 1.0, {k: round(1 + v, 2) for k, v in _steps(0.25).items()}),
        ("vibrance", "slider", 25, _ladder(-2, [0, 20, 40, 60, 80, 100])),
    ]
    crop = "way from the centre to the border"
    composition: list[tuple[str, Reference, str, dict[int, Any]]] = [
        ("rotation", "center_rotation", "degrees clockwise", _steps(_composition.WIDEST_ANGLE)),
        ("horizontal_crop", "center_crop", f"{crop}, + right", _steps(1.0)),
        ("vertical_crop", "center_crop", f"{crop}, + up", _steps(1.0)),
        ("left_diagonal_crop", "center_crop", f"{crop}, + to the upper left corner", _steps(1.0)),
        ("right_diagonal_crop", "center_crop", f"{crop}, + to the upper right corner", _steps(1.0)),
        ("image_ratio", "original", "growth of the height (+) or width (-)", _steps(1.0)),
    ]
    rows: list[tuple[str, Family, Reference, str, Any, dict[int, Any]]] = [
        *((name, FAMILIES[0], REFERENCES[0], unit, None, _ladder(1, values)) for name, unit, values in technical),
        *((name, FAMILIES[1], REFERENCES[0], unit, default, ladder) for name, unit, default, ladder in style),
        *((name, FAMILIES[2], reference, unit, 0.0, ladder) for name, reference, unit, ladder in composition),
    ]
    modules = {"technical": _technical, "style": _style, "composition": _composition}
    return MappingProxyType(
        {
            name: Distortion(
                name,
                family,
                reference,
                unit,
                default,
                MappingProxyType(parameters),
                getattr(modules[family], name),
                index,
            )
            for index, (name, family, reference, unit, default, parameters) in enumerate(rows)
        }
    )


DISTORTIONS: Mapping[str, Distortion] = _registry()


def get_distortion(name: str) -> Distortion:
    """Return a distortion by its name.

    Raises:
        ValueError: there is none of that name; the message lists the known ones.

    Example:
        >>> get_distortion("tint").levels
        (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
    """
    one_of("distortion", name, tuple(DISTORTIONS))
    return DISTORTIONS[name]
