"""2,624 photographs of solar cells with a defect probability of 0, 1/3, 2/3 or 1 (CC BY-NC-SA 4.0: evaluate only)."""

from __future__ import annotations

import numpy as np
from elpv_dataset.utils import load_dataset
from numpy.typing import NDArray
from PIL import Image


def load_solar_cells() -> tuple[list[Image.Image], NDArray[np.int64]]:
    """Return the photographs and their classes, 0 (intact) to 3 (defective)."""
    photographs, probabilities, _ = load_dataset()
    return [Image.fromarray(photograph) for photograph in photographs], np.rint(3 * probabilities).astype(np.int64)
