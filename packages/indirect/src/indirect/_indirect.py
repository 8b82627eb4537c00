"""InDiReCT: a similarity notion, written as text prompts, becomes a linear map of image embeddings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, get_args

import torch
from torch import Tensor

from ._arrays import known_device, positive_integer, positive_number, to_tensor
from ._core import shape_error, type_error, value_error
from ._encoder import Encoder
from ._exports import LinearEstimator
from ._files import read_tensors, write_tensors
from ._training import automatic_components, draw_normal, train_adam, train_lbfgs, warn_about

Init = Literal["normal", "svd"]
Solver = Literal["lbfgs", "adam"]
_FORMAT = "indirect notion 1"
_SAVED = ("prompts_", "encoder_identity_", "n_components_", "loss_", "loss_curve_", "n_iter_")


class InDiReCT(LinearEstimator):
    r"""Learn, from texts alone, the directions of an image-text space in which a similarity notion varies.

    .. math::
        L(U) = \frac1n \sum_i \arccos\left(t_i \hat t_i^\top\right), \quad
        \hat t_i = \frac{t_i U U^\top}{\|t_i U U^\top\|}, \qquad
        v' = \frac{v U}{\|v U\|}

    for the unit embeddings :math:`t_i` of n prompts and :math:`U \in R^{r \times r'}`. Images are projected by the same
    U as texts.

    Args:
        n_components: dimensions r' of the new space, at most r; ``"auto"`` takes as many as hold 90 % of the variance
            between the prompts, and one more.
        lr: learning rate of Adam.
        patience: iterations without a lower loss after which Adam stops.
        max_iter: most iterations.
        init_std: standard deviation of the normal start.
        random_state: seed or CPU generator of the start.
        device: where to learn, such as ``"cuda"``; by default where the embeddings are.
        init: ``"normal"`` as published; ``"svd"`` starts from the singular vectors of the prompts, which is a good
            start for the loss but leads to another embedding.
        solver: ``"lbfgs"``, or ``"adam"`` as published.
        encoder: embeds texts in ``fit`` and images in ``transform``; embeddings need none.

    Attributes:
        components_: the transpose of U, ``(r', r)``, an array.
        loss_: the mean angle in radians between prompts and reconstructions.
        loss_curve_: the loss of each iteration.
        n_iter_: number of iterations.
        n_components_: the resolved r'.
        prompts_: the texts, or None if embeddings were given.
        encoder_identity_: the encoder's identity, or None.

    Raises:
        ValueError: fewer than two prompts, NaN, rows of zeros, or an argument out of range.

    Warns:
        UserWarning: the prompts cannot determine all components, or some are nearly the same.

    Example:
        >>> import numpy as np
        >>> from indirect import InDiReCT
        >>> texts = np.eye(4)[[0, 0, 0]] + 0.5 * np.eye(4)[[1, 2, 3]] * [0, 1, 1, 0]
        >>> notion = InDiReCT("auto", random_state=0).fit(texts)
        >>> notion.n_components_
        3
        >>> notion.transform(np.array([[2.0, 1.0, 0.0, 5.0]])).shape
        (1, 3)

    Reference:
        Chapter 13, Eqs. 13.1 to 13.6; Kobs, Steininger, Hotho: InDiReCT: Language-Guided Zero-Shot Deep Metric Learning
        for Images, WACV 2023.
    """

    components_: Any
    loss_: float
    loss_curve_: list[float]
    n_iter_: int
    n_components_: int

    def __init__(
        self,
        n_components: int | Literal["auto"] = 128,
        *,
        lr: float = 0.01,
        patience: int = 100,
        max_iter: int = 10_000,
        init_std: float = 0.1,
        random_state: int | torch.Generator | None = None,
        device: str | torch.device | None = None,
        init: Init = "normal",
        solver: Solver = "lbfgs",
        encoder: Encoder | None = None,
    ) -> None:
        self.n_components = n_components
        self.lr = lr
        self.patience = patience
        self.max_iter = max_iter
        self.init_std = init_std
        self.random_state = random_state
        self.device = device
        self.init = init
        self.solver = solver
        self.encoder = encoder

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, encoder: Encoder | None = None) -> Self:
        """Return the notion of a file that ``save`` wrote.

        Args:
            path: the file.
            encoder: embeds images in ``transform``; it must be the one that embedded the prompts.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is another kind of file, damaged, or made with another encoder.
        """
        tensors, metadata = read_tensors(path, _FORMAT)
        try:
            notion = cls(**metadata["parameters"], encoder=encoder)
            for name in _SAVED:
                setattr(notion, name, metadata["fitted"][name])
            components = to_tensor("components", tensors["components"])
        except (KeyError, TypeError, ValueError) as error:
            raise value_error(str(path), "what InDiReCT.save wrote", f"{type(error).__name__}: {error}") from error
        notion.components_ = components.numpy()
        notion.n_features_in_ = components.shape[1]
        if encoder is not None:
            notion._check_identity("encoder", encoder.identity)
        return notion

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write components (safetensors) with parameters, prompts, encoder identity and losses (JSON in its header)."""
        self._check_fitted()
        parameters = {name: value for name, value in self.get_params().items() if name not in ("encoder", "device")}
        if isinstance(self.random_state, torch.Generator):
            parameters["random_state"] = None
        fitted = {name: getattr(self, name) for name in _SAVED}
        tensors = {"components": torch.from_numpy(self.components_)}
        write_tensors(path, _FORMAT, tensors, {"parameters": parameters, "fitted": fitted})

    def _fit(self, rows: Tensor) -> None:
        fit_batch([self], [rows])

    def _count(self, rows: Tensor) -> int:
        """Return r' for these prompts, after checking all arguments."""
        for name, options in (("init", get_args(Init)), ("solver", get_args(Solver))):
            if getattr(self, name) not in options:
                raise value_error(name, f"one of {options}", repr(getattr(self, name)))
        positive_number("lr", self.lr)
        positive_number("init_std", self.init_std)
        positive_integer("patience", self.patience)
        positive_integer("max_iter", self.max_iter)
        if len(rows) < 2:
            raise value_error("prompts_or_embeddings", "at least two prompts", f"{len(rows)} row")
        given: Any = self.n_components
        if isinstance(given, str) and given != "auto":
            raise value_error("n_components", "a whole number or 'auto'", repr(given))
        if given == "auto":
            return automatic_components(rows)
        count = positive_integer("n_components", given)
        if count > rows.shape[1]:
            raise value_error("n_components", f"at most the {rows.shape[1]} dimensions of the embeddings", count)
        return count


def fit_batch(notions: Sequence[InDiReCT], prompts: Sequence[Tensor], names: Sequence[str] = ("prompts",)) -> None:
    """Learn several notions of equal parameters at once, each from its unit rows."""
    first, starts, counts = notions[0], [], []
    device = known_device("device", first.device)
    for notion, rows, name in zip(notions, prompts, names):
        notion.n_components_ = notion._count(rows)
        warn_about(rows, notion.n_components_, notion.prompts_, name)
        counts.append(notion.n_components_)
        drawn = (
            draw_normal(rows, counts[-1], float(notion.init_std), notion._generator())
            if notion.init == "normal"
            else None
        )
        starts.append(drawn if drawn is None else drawn.to(device))
    prompts = [rows.to(device) for rows in prompts]
    if first.solver == "adam":
        solution = train_adam(prompts, starts, counts, lr=first.lr, patience=first.patience, max_iter=first.max_iter)
    else:
        solution = train_lbfgs(prompts, starts, counts, max_iter=first.max_iter)
    for notion, components, curve in zip(notions, solution.components, solution.curves):
        notion.components_ = components[: notion.n_components_].cpu().numpy()
        notion.loss_curve_, notion.loss_, notion.n_iter_ = curve, min(curve), len(curve)


def fit_many(notions: Mapping[str, Any], **options: Any) -> dict[str, InDiReCT]:
    """Learn many notions over one embedding space in one batch.

    Args:
        notions: prompts or text embeddings of each notion, as ``InDiReCT.fit`` takes them.
        **options: arguments of ``InDiReCT``, the same for all notions.

    Returns:
        A fitted ``InDiReCT`` for each notion; each equals the one fitted alone, up to rounding.

    Raises:
        ValueError: no notions, notions of different dimensions, or what ``InDiReCT`` raises.

    Example:
        >>> import numpy as np
        >>> from indirect import fit_many
        >>> texts = np.random.default_rng(0).normal(size=(2, 6, 8))
        >>> fitted = fit_many({"colour": texts[0], "kind": texts[1]}, n_components=4, random_state=0)
        >>> {name: notion.components_.shape for name, notion in fitted.items()}
        {'colour': (4, 8), 'kind': (4, 8)}
    """
    if not isinstance(notions, Mapping):
        raise type_error("notions", "a mapping from names to prompts or text embeddings", notions)
    if not notions:
        raise value_error("notions", "at least one", dict(notions))
    fitted = {name: InDiReCT(**options) for name in notions}
    prompts = [fitted[name]._read(given).cpu() for name, given in notions.items()]
    if len({(rows.shape[1], rows.dtype) for rows in prompts}) > 1:
        shapes = {str(name): tuple(rows.shape) for name, rows in zip(notions, prompts)}
        raise shape_error("notions", "embeddings of one dimension and dtype", shapes)
    fit_batch([*fitted.values()], prompts, [f"notion {name!r}" for name in notions])
    return fitted
