"""Ways to add the losses of several tasks; all are called with a mapping of losses and return a scalar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ._checks import dense, names, positive
from ._core import shape_error, value_error
from ._loss_rows import single

CEILING = 20.0  # exp(20) = 5e8, whose products still fit single precision


class LossSum(nn.Module):
    """Add the losses: ``sum_k L_k``.

    Example:
        >>> LossSum()({"ranking": torch.tensor(3.0), "regression": torch.tensor(4.0)})
        tensor(7.)
    """

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Return the sum of scalars."""
        return torch.stack(_scalars(losses)).sum()


class BalancedSum(nn.Module):
    """Add the losses so that a larger one weighs more: ``sum_k exp(L_k / temperature)``.

    Beyond ``exp(20)`` the exponential goes on as its tangent, so that any finite loss has a finite result and gradient.

    Args:
        temperature: the published value is 50, for losses that are sums over the pairs of one image.

    Raises:
        ValueError: the temperature is not positive.

    Example:
        >>> BalancedSum()({"ranking": torch.tensor(50.0), "regression": torch.tensor(0.0)})
        tensor(3.7183)

    Reference:
        Eq. 16.4 and 16.5; Liang and Zhang 2020.
    """

    def __init__(self, temperature: float = 50.0) -> None:
        super().__init__()
        self.temperature = positive("temperature", temperature)

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Return the balanced sum of scalars."""
        scaled = single(torch.stack(_scalars(losses))) / self.temperature
        tangent = math.exp(CEILING) * (1 + scaled - CEILING)
        # Clamped above the ceiling, so that the branch not taken is finite, too.
        return torch.where(scaled > CEILING, tangent, scaled.clamp_max(CEILING + 1).exp()).sum()

    def extra_repr(self) -> str:
        """Return the options."""
        return f"temperature={self.temperature}"


class UncertaintyWeighting(nn.Module):
    """Add the losses with learned weights: ``sum_k exp(-s_k) L_k + s_k / 2``; give ``s`` to the optimizer.

    Args:
        tasks: names of the losses.

    Example:
        >>> UncertaintyWeighting(["ranking"])({"ranking": torch.tensor(3.0)}).item()
        3.0

    Reference:
        Kendall, Gal and Cipolla 2018, in the form for regression with 2 L for the squared error.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        self.log_variances = nn.ParameterDict({task: nn.Parameter(torch.zeros(())) for task in names("tasks", tasks)})

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of scalars."""
        _check_names(losses, list(self.log_variances))
        terms = [torch.exp(-s) * single(losses[task]) + s / 2 for task, s in self.log_variances.items()]
        return torch.stack(terms).sum()


class DynamicWeightAverage(nn.Module):
    """Add the losses with weights that are larger for what falls more slowly: ``K softmax(r / temperature)``.

    ``r_k`` is the mean loss of the last epoch over that of the one before; weights are 1 in the first two epochs. Call
    ``end_epoch()`` after each; with several processes it averages over them.

    Args:
        tasks: names of the losses.
        temperature: large ones make the weights equal.

    Raises:
        ValueError: the temperature is not positive.

    Example:
        >>> balance = DynamicWeightAverage(["a", "b"])
        >>> for a, b in [(4.0, 4.0), (2.0, 4.0)]:
        ...     _ = balance({"a": torch.tensor(a), "b": torch.tensor(b)})
        ...     balance.end_epoch()
        >>> balance.weights
        tensor([0.8756, 1.1244])

    Reference:
        Liu, Johns and Davison 2019.
    """

    weights: Tensor
    total: Tensor
    count: Tensor
    previous: Tensor

    def __init__(self, tasks: Sequence[str], temperature: float = 2.0) -> None:
        super().__init__()
        self.tasks, self.temperature = names("tasks", tasks), positive("temperature", temperature)
        self.register_buffer("weights", torch.ones(len(self.tasks)))
        self.register_buffer("total", torch.zeros(len(self.tasks)))
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("previous", torch.full((len(self.tasks),), torch.nan))

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of scalars."""
        _check_names(losses, list(self.tasks))
        values = torch.stack([single(losses[task]) for task in self.tasks])
        if self.training:
            self.total += values.detach()
            self.count += 1
        return (self.weights * values).sum()

    def end_epoch(self) -> None:
        """Compute the weights of the next epoch."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(self.total)
            torch.distributed.all_reduce(self.count)
        mean = self.total / self.count
        share = (mean / self.previous / self.temperature).softmax(0) * len(self.tasks)
        self.weights.copy_(torch.where(share.isnan(), 1.0, share))
        self.previous.copy_(mean)
        self.total.zero_()
        self.count.zero_()


def _scalars(losses: Mapping[str, Tensor]) -> list[Tensor]:
    if not isinstance(losses, Mapping) or not losses:
        raise value_error("losses", "a mapping of one scalar or more", losses)
    for name, loss in losses.items():
        if dense(f"losses[{name!r}]", loss).ndim:
            raise shape_error("losses", "scalars", {name: loss.shape})
    return list(losses.values())


def _check_names(losses: Mapping[str, Tensor], tasks: list[str]) -> None:
    _scalars(losses)
    if set(losses) != set(tasks):
        raise value_error("losses", f"those of {tasks}", list(losses))
