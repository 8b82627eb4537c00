"""torch and safetensors, or the error that says how to install them."""

from ._core import import_extra

for _module in ("torch", "safetensors"):
    import_extra(_module, package="lexicon-weaklabel", extra="torch")

import safetensors.torch as safetensors_torch  # noqa: E402
import torch  # noqa: E402
from safetensors import SafetensorError, safe_open  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

__all__ = ["F", "SafetensorError", "Tensor", "nn", "safe_open", "safetensors_torch", "torch"]
