"""Style distortions: darktable's colour modules, approximated.

The slider positions are darktable's; an undistorted photograph counts as developed at the defaults (shadows 50,
highlights -50, vibrance 25, temperature 6500 K, tint 1.0, all others 0), so a distortion is the way from there.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._colour import LINEAR, encode, lab_to_rgb
from ._photo import Photo, Pixels, Planes, Seed

LIGHTNESS = np.linspace(0, 1, 65536)  # a tone curve is a table over lightness
XYZ_TO_LINEAR = np.array(  # white D65
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)


def brightness(photo: Photo, amount: float, _: Seed) -> Pixels:
    """Bend the lightness curve, black and white staying."""
    return _with_curve(photo, _brightness_curve(amount))


def contrast(photo: Photo, amount: float, _: Seed) -> Pixels:
    """Flatten the lightness curve towards the middle, or bend it into an S."""
    return _with_curve(photo, _contrast_curve(amount))


def saturation(photo: Photo, amount: float, _: Seed) -> Pixels:
    """Multiply the chroma."""
    lightness, a, b = photo.lab
    factor = np.float32(1 + amount)
    return photo.from_rgb(lab_to_rgb((lightness, a * factor, b * factor)))


def vibrance(photo: Photo, slider: float, _: Seed) -> Pixels:
    """Multiply the chroma the more, the larger it is, and darken what is colourful."""
    lightness, a, b = photo.lab
    weight = np.float32(vibrance_amount(slider)) * np.sqrt(a * a + b * b)
    factor = 1 + weight
    return photo.from_rgb(lab_to_rgb((lightness * (1 - weight / 4), a * factor, b * factor)))


def shadows(photo: Photo, slider: float, _: Seed) -> Pixels:
    """Lighten (or darken) what has dark surroundings."""
    amount = overlay_amount(slider, 50)
    darkness = np.clip(1 - 2 * photo.surroundings, 0, 1)
    return _overlaid(photo, amount, darkness, colour_follows=1.0 if amount > 0 else 0.0)


def highlights(photo: Photo, slider: float, _: Seed) -> Pixels:
    """Lighten (or darken) what has light surroundings."""
    amount = overlay_amount(slider, -50)
    return _overlaid(photo, amount, np.clip(2 * photo.surroundings - 1, 0, 1), colour_follows=0.5)


def exposure(photo: Photo, stops: float, _: Seed) -> Pixels:
    """Multiply the light by a power of two."""
    return photo.from_rgb(light_table(2.0**stops).take(photo.rgb))


def temperature(photo: Photo, kelvin: float, _: Seed) -> Pixels:
    """Take the light of the scene for that of a black body or daylight: too low a temperature looks blue."""
    return _balanced(photo, white_balance(kelvin, 1.0))


def tint(photo: Photo, value: float, _: Seed) -> Pixels:
    """Shift between green and magenta."""
    return _balanced(photo, white_balance(6500, value))


def brightness_power(amount: float) -> float:
    """Return the power of lightness that bends its curve."""
    return 1 / (1 + 2 * amount) if amount > 0 else 1 - 2 * amount


def contrasted(lightness: Any, amount: float) -> Any:
    """Return lightness, an array or a tensor, flattened towards the middle or bent into an S."""
    centred = lightness - 0.5
    if amount <= 0:
        return centred * (1 + amount) + 0.5
    flat = 1 / (1 + 20 * amount**2)
    return centred / (centred**2 * (4 - 4 * flat) + flat) ** 0.5 + 0.5


@cache
def _brightness_curve(amount: float) -> Planes:
    return np.asarray(LIGHTNESS ** brightness_power(amount), np.float32)


@cache
def _contrast_curve(amount: float) -> Planes:
    return np.asarray(contrasted(LIGHTNESS, amount), np.float32)


def vibrance_amount(slider: float) -> float:
    """Return the change of chroma per unit of chroma (over 256 in darktable, over 100 here)."""
    return (slider - 25) / 256


def overlay_amount(slider: float, default: float) -> float:
    """Return how often the surroundings are laid over the photograph, negative where they darken."""
    squared, neutral = (float(np.copysign((value / 50) ** 2, value)) for value in (slider, default))
    return squared - neutral


def white_balance(kelvin: float, tint_value: float) -> NDArray[np.float64]:
    """Return the factors of red, green and blue light that make the light of a temperature white; of green 1."""
    factors = _factors(kelvin, tint_value) / _factors(6500, 1.0)
    return np.asarray(factors / factors[1])


def _factors(kelvin: float, tint_value: float) -> NDArray[np.float64]:
    inverse = 1000 / kelvin
    if kelvin < 4000:  # Planck's locus (Kim et al. 2002)
        x = np.polyval([-0.2661239, -0.2343589, 0.8776956, 0.179910], inverse)
        y = np.polyval([-1.1063814, -1.34811020, 2.18555832, -0.20219683], x)
        if kelvin > 2222:
            y = np.polyval([-0.9549476, -1.37418593, 2.09137015, -0.16748867], x)
    else:  # daylight (CIE D)
        warm, cold = [-4.6070, 2.9678, 0.09911, 0.244063], [-2.0064, 1.9018, 0.24748, 0.237040]
        x = np.polyval(warm if kelvin <= 7000 else cold, inverse)
        y = np.polyval([-3.0, 2.870, -0.275], x)
    return np.asarray(1 / (XYZ_TO_LINEAR @ [x / y, 1 / tint_value, (1 - x - y) / y]))


@cache
def light_table(factor: float) -> Pixels:
    """Return the 8-bit values of 256 values whose light is multiplied."""
    return np.asarray(np.rint(255 * encode(np.clip(LINEAR * factor, 0, 1))), np.uint8)


@cache
def value_table(factor: float) -> Pixels:
    """Return 256 values multiplied; darktable balances the values of an 8-bit file before it makes light of them."""
    return np.asarray(np.rint(np.clip(np.arange(256) * factor, 0, 255)), np.uint8)


def _balanced(photo: Photo, factors: NDArray[np.float64]) -> Pixels:
    planes = [value_table(float(factor)).take(plane) for factor, plane in zip(factors, photo.rgb)]
    return photo.from_rgb(np.stack(planes))


def _with_curve(photo: Photo, curve: Planes) -> Pixels:
    lightness, a, b = photo.lab
    index = (lightness * np.float32(65535) + np.float32(0.5)).astype(np.uint16)
    return photo.from_rgb(lab_to_rgb((curve.take(index), a, b)))


def _overlaid(photo: Photo, amount: float, mask: Planes, *, colour_follows: float) -> Pixels:
    """Lay a blurred layer over the lightness, once per unit of the amount.

    The chroma grows with the lightness where ``colour_follows`` is 1, and with the darkness where it is 0.
    """
    lightness, a, b = photo.lab
    layer = np.float32(0.5) + np.abs(photo.surroundings - np.float32(0.5)) * np.float32(np.sign(amount))
    chroma: Any = 1
    left = abs(amount)
    while left > 0:
        opacity = mask * np.float32(min(left, 1.0))
        # Multiplied below the middle, screened above it.
        overlaid = 2 * lightness * layer + np.maximum(2 * lightness - 1, 0) * (1 - 2 * layer)
        changed = lightness + (overlaid - lightness) * opacity
        factor = changed / np.maximum(lightness, np.float32(1e-3)) * np.float32(colour_follows)
        factor += (1 - changed) / np.maximum(1 - lightness, np.float32(1e-3)) * np.float32(1 - colour_follows)
        lightness, chroma = changed, chroma * (1 + (factor - 1) * opacity)
        left -= 1
    return photo.from_rgb(lab_to_rgb((lightness, a * chroma, b * chroma)))
