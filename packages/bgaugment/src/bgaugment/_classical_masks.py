"""Masks without weights: saliency and GrabCut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._arguments import check_whole, length
from ._core import import_extra, shape_error
from ._images import Array, ImageSource, read_image


class ClassicalMasks:
    """Masks from spectral-residual saliency, the border of the image and GrabCut; needs OpenCV and no weights.

    The image is reduced to ``size`` pixels. Colours unlike the border, saliency and nearness to the centre mark the
    probable foreground, GrabCut finds its outline, small pieces are dropped and holes filled. It serves
    photographs with one object that does not touch the border; a network is much better on others.

    Args:
        size: longest side in pixels while segmenting.
        iterations: of GrabCut.

    Raises:
        ImportError: OpenCV is not installed.

    Example:
        >>> image = np.full((60, 60, 3), 200, np.uint8)
        >>> image[20:40, 20:40] = (180, 30, 30)
        >>> mask = ClassicalMasks()([image])[0]
        >>> float(mask[30, 30]), float(mask[2, 2])
        (1.0, 0.0)

    Reference:
        Hou and Zhang, "Saliency detection: a spectral residual approach" (2007); Rother et al., "GrabCut" (2004).
    """

    def __init__(self, *, size: int = 256, iterations: int = 5) -> None:
        check_whole("size", size, 1)
        check_whole("iterations", iterations, 0, 1000)
        self.size, self.iterations = size, iterations
        self.name = f"classical {size} {iterations}"

    def __call__(self, images: Sequence[ImageSource]) -> list[Array]:
        """Return the masks."""
        length("images", images)
        cv2 = import_extra("cv2", package="bgaugment", extra="opencv")
        return [self._mask(read_image(image), cv2) for image in images]

    def _mask(self, image: Array, cv2: Any) -> Array:
        height, width = image.shape[:2]
        if not image.size:
            raise shape_error("images", "at least one pixel", {"image": image.shape})
        scale = min(1.0, self.size / max(height, width))
        small = cv2.resize(
            image, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
        )
        if min(small.shape[:2]) < 16 or np.ptp(small) == 0:
            return np.zeros((height, width), np.float32)
        prior = _contrast(small, cv2) * (0.5 + 0.5 * _saliency(small, cv2)) * _centre(small.shape[:2])
        threshold, _ = cv2.threshold(np.rint(255 * prior / prior.max()).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
        marks = np.where(prior / prior.max() * 255 > threshold, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        rim = max(1, round(0.02 * min(marks.shape)))
        for edge in (marks[:rim], marks[-rim:], marks[:, :rim], marks[:, -rim:]):
            edge[:] = cv2.GC_BGD
        if (marks == cv2.GC_PR_FGD).any():
            # GrabCut starts its clusters at random; the same image has to get the same mask.
            cv2.setRNGSeed(0)
            models = np.zeros((1, 65)), np.zeros((1, 65))
            cv2.grabCut(small[..., ::-1].copy(), marks, None, *models, self.iterations, cv2.GC_INIT_WITH_MASK)
        foreground = _largest_pieces((marks == cv2.GC_PR_FGD).astype(np.uint8), cv2)
        mask = cv2.resize(foreground.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        clipped: Array = np.clip(mask, 0, 1)
        return clipped


def _saliency(image: Array, cv2: Any) -> Array:
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA)
    spectrum = np.fft.fft2(grey.astype(np.float32))
    amplitude = np.log(np.abs(spectrum) + 1e-6).astype(np.float32)
    residual = amplitude - cv2.blur(amplitude, (3, 3))
    saliency = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))).astype(np.float32) ** 2
    saliency = cv2.GaussianBlur(saliency, (0, 0), 2.5)
    saliency = cv2.resize(saliency, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    stretched: Array = saliency / saliency.max()
    return stretched


def _contrast(image: Array, cv2: Any) -> Array:
    colours = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), 1), cv2.COLOR_RGB2LAB).astype(np.float32)
    rim = max(1, round(0.03 * min(image.shape[:2])))
    # Each side of the border has its own colour, so that ground and sky are both background.
    sides = (colours[:rim], colours[-rim:], colours[:, :rim], colours[:, -rim:])
    distances = [np.linalg.norm(colours - np.median(side.reshape(-1, 3), axis=0), axis=-1) for side in sides]
    nearest: Array = np.minimum.reduce(distances) + 1e-3
    return nearest


def _centre(size: tuple[int, int]) -> Array:
    y, x = (np.linspace(-1, 1, length, dtype=np.float32) for length in size)
    weight: Array = np.exp(-0.5 * (y[:, None] ** 2 + x[None] ** 2))
    return weight


def _largest_pieces(foreground: Array, cv2: Any) -> Array:
    count, pieces, statistics, _ = cv2.connectedComponentsWithStats(foreground)
    if count == 1:
        return foreground
    areas = statistics[1:, cv2.CC_STAT_AREA]
    large = np.flatnonzero(areas >= 0.2 * areas.max()) + 1
    kept = np.isin(pieces, large).astype(np.uint8)
    outlines, _ = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled: Array = cv2.drawContours(np.zeros_like(kept), outlines, -1, 1, cv2.FILLED)
    return filled
