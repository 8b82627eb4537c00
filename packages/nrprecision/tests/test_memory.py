"""Memory is a block of distances, not a matrix of them."""

import subprocess
import sys

import pytest

PROGRAM = """
import pathlib, sys
import numpy as np
from nrprecision import normalized_r_precision
def peak():  # not getrusage: its maximum includes the parent's from before exec
    return int(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
n = int(sys.argv[1])
rng = np.random.default_rng(0)
embeddings = rng.normal(size=(n, 32)).astype(np.float32)
labels = {str(i): rng.integers(0, 4, n) for i in range(4)}
normalized_r_precision(embeddings[:500], rng.integers(0, 4, 500))
before = peak()
normalized_r_precision(embeddings, labels, queries=600, seed=0)
print(peak() - before)
"""


@pytest.mark.slow
def test_memory_of_a_large_gallery():
    run = subprocess.run([sys.executable, "-c", PROGRAM, "100000"], capture_output=True, text=True, check=True)
    # The float32 distances of all rows would be 40 GB.
    assert float(run.stdout) < 600
