"""Masking of the tokens that gave a text its label."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import check_number, check_seed, check_type
from ._core import shape_error, type_error, value_error

Span = tuple[int, int]
_MODES = ("zero", "mask_token", "drop")


class SignalMasker:
    """Hide each occurrence of a signal token with probability ``p``, so that a model cannot live on them alone.

    Each call draws anew. In a worker of torch's DataLoader the draw also depends on the worker's own seed, so that
    workers and epochs differ.

    Args:
        p: probability of each occurrence to be masked.
        mode: ``"zero"`` puts 0 in its place (the zero vector, or the id of the zero vector), ``"mask_token"`` puts
            ``mask_token``, ``"drop"`` takes it out.
        mask_token: a string for texts and tokens, an id for ids, a vector ``(d,)`` for embeddings.
        seed: of the draws; ``None`` for others each time.

    Raises:
        ValueError: a probability outside [0, 1], an unknown mode, ``mask_token`` missing or without use.

    Example:
        >>> masker = SignalMasker(p=1.0, mode="mask_token", mask_token="[MASK]")
        >>> masker.mask_texts(["so bad, so good"], [[(3, 6), (11, 15)]])
        ['so [MASK], so [MASK]']
        >>> SignalMasker(p=0.5, seed=1).mask_tokens([7, 8, 9], [(0, 2), (3, 6), (6, 7)], [(3, 6)])
        [7, 8, 9]
        >>> SignalMasker(p=0.5, seed=0).mask_ids([[5, 6, 7, 8]], [[True, False, True, True]]).tolist()
        [[5, 6, 0, 0]]

    Reference:
        Chapter 15.1.2: half of the signal tokens become the zero vector (Go et al. 2009 removed all of them).
    """

    def __init__(
        self,
        p: float = 0.5,
        mode: Literal["zero", "mask_token", "drop"] = "zero",
        *,
        mask_token: Any = None,
        seed: int | None = None,
    ) -> None:
        check_number("p", p, "a probability in [0, 1]")
        if seed is not None:
            check_seed(seed)
        if not 0 <= p <= 1:
            raise value_error("p", "a probability in [0, 1]", p)
        if mode not in _MODES:
            raise value_error("mode", f"one of {_MODES}", mode)
        if (mask_token is None) == (mode == "mask_token"):
            raise value_error("mask_token", "a token with mode='mask_token', None otherwise", mask_token)
        self.p, self.mode, self.mask_token, self.seed = p, mode, mask_token, seed
        self._generator: np.random.Generator | None = None
        self._worker: int | None = None

    def mask_texts(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[str]:
        """Return the texts with the chosen spans dropped or replaced by ``mask_token``."""
        if self.mode == "zero":
            raise value_error("mode", "'mask_token' or 'drop' for texts", self.mode)
        _check_lengths("spans", texts, spans)
        return [self._mask_text(text, found) for text, found in zip(texts, spans)]

    def mask_tokens(self, values: Any, token_spans: Sequence[Span], spans: Sequence[Span]) -> Any:
        """Mask the tokens of one text that overlap a chosen span.

        Args:
            values: ``t`` tokens or ids in a list, or an array or tensor of ids ``(t,)`` or embeddings ``(t, d)``.
            token_spans: start and end of each token in the text.
            spans: start and end of each signal token, such as ``labels.spans[0]``.

        Returns:
            The values in the type they came in; a copy.
        """
        _check_lengths("token_spans", values, token_spans)
        masked = self._overlapping(token_spans, spans)
        if isinstance(values, list):
            return self._mask_list(values, masked)
        if self.mode == "drop":
            return values[~masked]
        copied = values.clone() if hasattr(values, "clone") else values.copy()
        replacement = 0 if self.mode == "zero" else self.mask_token
        if masked.any():
            copied[masked] = replacement
        return copied

    def mask_ids(self, ids: ArrayLike, signal: ArrayLike) -> NDArray[Any]:
        """Mask word ids of many texts at once.

        Args:
            ids: ``(n, t)`` ids; 0 is padding.
            signal: ``(n, t)`` whether each token is a signal; every one is an occurrence.

        Returns:
            A copy ``(n, t)``; after ``"drop"`` the others move up and zeros follow.
        """
        values, signals = np.array(ids), np.asarray(signal, dtype=bool)
        if values.shape != signals.shape or values.ndim != 2:
            raise shape_error("signal", "one flag per id, (n, t)", {"ids": values.shape, "signal": signals.shape})
        masked = signals & (self._random(signals.shape) < self.p)
        values[masked] = self.mask_token if self.mode == "mask_token" else 0
        if self.mode == "drop":
            values = np.take_along_axis(values, np.argsort(masked, axis=1, kind="stable"), axis=1)
        return values

    def mask_encoding(
        self, encoding: Mapping[str, Any], spans: Sequence[Sequence[Span]], *, pad_token_id: int = 0
    ) -> dict[str, Any]:
        """Mask what a HuggingFace fast tokenizer returned for a list of texts.

        All pieces of a chosen word are masked. With ``"zero"`` they get the padding id and no attention, with
        ``"drop"`` they are taken out of every list.

        Args:
            encoding: with ``input_ids`` and ``offset_mapping`` (``return_offsets_mapping=True``), as lists.
            spans: signal spans of each text.
            pad_token_id: id put in with ``"zero"``.

        Returns:
            A copy without ``offset_mapping``.
        """
        check_type("encoding", encoding, Mapping, "a mapping with input_ids and offset_mapping")
        if missing := [name for name in ("input_ids", "offset_mapping") if name not in encoding]:
            raise value_error("encoding", "input_ids and offset_mapping", f"none of {missing}")
        _check_lengths("spans", encoding["input_ids"], spans)
        masks = [self._overlapping(offsets, found) for offsets, found in zip(encoding["offset_mapping"], spans)]
        fields = {name: [list(row) for row in rows] for name, rows in encoding.items() if name != "offset_mapping"}
        if self.mode == "drop":
            return {name: [_kept(row, mask) for row, mask in zip(rows, masks)] for name, rows in fields.items()}
        fill = self.mask_token if self.mode == "mask_token" else pad_token_id
        fields["input_ids"] = [_filled(row, mask, fill) for row, mask in zip(fields["input_ids"], masks)]
        if self.mode == "zero" and "attention_mask" in fields:
            fields["attention_mask"] = [_filled(row, mask, 0) for row, mask in zip(fields["attention_mask"], masks)]
        return fields

    def _mask_text(self, text: str, spans: Sequence[Span]) -> str:
        parts, position = [], 0
        for start, end in sorted(self._chosen(spans)):
            parts += [text[position:start], self.mask_token if self.mode == "mask_token" else ""]
            position = end
        return "".join([*parts, text[position:]])

    def _mask_list(self, values: list[Any], masked: NDArray[np.bool_]) -> list[Any]:
        if self.mode == "drop":
            return _kept(values, masked)
        if self.mode == "zero" and any(isinstance(value, str) for value in values):
            raise value_error("mode", "'mask_token' or 'drop' for tokens that are strings", self.mode)
        return _filled(values, masked, self.mask_token if self.mode == "mask_token" else 0)

    def _overlapping(self, token_spans: Sequence[Span], spans: Sequence[Span]) -> NDArray[np.bool_]:
        check_type("spans", spans, Sequence, "a sequence of (start, end)")
        try:
            tokens, chosen = (np.array(pairs, dtype=int).reshape(-1, 2) for pairs in (token_spans, self._chosen(spans)))
        except (TypeError, ValueError) as error:
            raise TypeError(str(value_error("spans", "pairs (start, end)", str(error)))) from error
        # Special tokens have the span (0, 0), which overlaps nothing.
        overlap = np.minimum(tokens[:, None, 1], chosen[:, 1]) > np.maximum(tokens[:, None, 0], chosen[:, 0])
        return np.asarray(overlap.any(1))

    def _chosen(self, spans: Sequence[Span]) -> list[Span]:
        return [span for span, number in zip(spans, self._random((len(spans),))) if number < self.p]

    def _random(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        worker = _worker_seed()
        if self._generator is None or worker != self._worker:
            entropy = None if self.seed is None else [self.seed, *([] if worker is None else [worker])]
            self._generator, self._worker = np.random.default_rng(entropy), worker
        return self._generator.random(shape)


def _worker_seed() -> int | None:
    """Return the seed of the DataLoader worker this runs in; torch draws another one each epoch."""
    data = sys.modules.get("torch.utils.data")
    information = data.get_worker_info() if data else None
    return None if information is None else int(information.seed)


def _kept(values: Iterable[Any], masked: NDArray[np.bool_]) -> list[Any]:
    return [value for value, gone in zip(values, masked) if not gone]


def _filled(values: Iterable[Any], masked: NDArray[np.bool_], fill: Any) -> list[Any]:
    return [fill if gone else value for value, gone in zip(values, masked)]


def _check_lengths(argument: str, values: Sequence[Any], spans: Sequence[Any]) -> None:
    for name, sequence in {"items": values, argument: spans}.items():
        if not hasattr(sequence, "__len__"):
            raise type_error(name, "a sequence", sequence)
    if len(values) != len(spans):
        raise shape_error(argument, "one per item", {"items": (len(values),), argument: (len(spans),)})
