"""The losses as pure functions."""

from __future__ import annotations

from ._linear import linear_sim_loss
from ._loss import sim_loss

__all__ = ["linear_sim_loss", "sim_loss"]
