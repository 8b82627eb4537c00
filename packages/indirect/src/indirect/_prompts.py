"""The texts that describe a similarity notion."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ._core import type_error, value_error

_SLOT = re.compile(r"\{(\w*)\}")


class Prompts(Sequence[str]):
    """Every template with every aspect in its slot, each text once, in order.

    Args:
        templates: one or several; ``"a photo of a {car}"`` has the slot ``car``, ``"{}"`` is a slot without a name.
            Left alone (no ``aspects``), these are the finished texts.
        aspects: what to put in: a list for one slot, or a mapping ``{"colour": [...], "car": [...]}`` for several,
            of which every combination is made.

    Raises:
        TypeError: no texts.
        ValueError: no or one prompt, a template without slot, a slot without aspects, or aspects without a slot.

    Example:
        >>> from indirect import Prompts
        >>> list(Prompts(["a {colour} {thing}", "a {thing}"], {"colour": ["red", "blue"], "thing": ["car"]}))
        ['a red car', 'a blue car', 'a car']

    Reference:
        Section 13.1.1 and Table 13.1.
    """

    def __init__(
        self, templates: str | Sequence[str], aspects: Sequence[str] | Mapping[str, Sequence[str]] | None = None
    ) -> None:
        templates = _texts("templates", [templates] if isinstance(templates, str) else templates)
        if isinstance(aspects, Mapping):
            slots = {slot for template in templates for slot in _SLOT.findall(template)}
            if unused := [name for name in aspects if name not in slots]:
                raise value_error("aspects", f"aspects for the slots {sorted(slots)}", f"some for {unused}")
        texts = templates if aspects is None else [text for t in templates for text in _filled(t, aspects)]
        self.texts = list(dict.fromkeys(" ".join(text.split()) for text in texts))
        if len(self.texts) < 2:
            raise value_error("prompts", "at least two different texts", self.texts)

    @classmethod
    def read(cls, path: str | os.PathLike[str], templates: str | Sequence[str] = "{}") -> Prompts:
        """Return the templates filled from a file.

        Args:
            path: ``.txt`` with one aspect per line, or ``.csv`` whose header names the slots and whose rows are put in
                together.
            templates: as for the constructor; left alone, the file holds finished texts.

        Raises:
            ValueError: another suffix, no UTF-8, or a row with too few or too many fields.
        """
        path = Path(path)
        if path.suffix not in (".txt", ".csv"):
            raise value_error(str(path), "a .txt or .csv file", f"suffix {path.suffix!r}")
        templates = _texts("templates", [templates] if isinstance(templates, str) else templates)
        try:
            content = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise value_error(str(path), "a text file in UTF-8", str(error)) from error
        try:
            if path.suffix == ".txt":
                return cls(templates, [line.strip() for line in content.splitlines() if line.strip()])
            values = list(_records(content))
            return cls([text for template in templates for value in values for text in _filled(template, value)])
        except (ValueError, csv.Error) as error:
            raise ValueError(f"{path}: {error}") from error

    def __len__(self) -> int:
        """Return the number of different texts."""
        return len(self.texts)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # a text, or a list for a slice
        """Return the texts at these places."""
        return self.texts[index]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the texts."""
        return iter(self.texts)

    def __repr__(self) -> str:
        """Return the number of texts and the first ones."""
        return f"Prompts({len(self)}: {', '.join(map(repr, self.texts[:3]))}, ...)"


def _records(content: str) -> Iterator[dict[str, list[str]]]:
    """Yield what each record of a CSV file puts into the slots that its header names."""
    header, *rows = list(csv.reader(io.StringIO(content))) or [[]]
    if not rows:
        raise value_error("content", "a header and at least one row", repr(content))
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise value_error(f"record {number}", f"{len(header)} fields", len(row))
        slots = ["", *header] if len(header) == 1 else header
        yield {name: [value] for name, value in zip(slots, row * len(slots) if len(header) == 1 else row)}


def _filled(template: str, aspects: Sequence[str] | Mapping[str, Sequence[str]]) -> Iterator[str]:
    slots = list(dict.fromkeys(_SLOT.findall(template)))
    if not slots:
        raise value_error("templates", "a slot such as {} or {car} in each", repr(template))
    if not isinstance(aspects, Mapping):
        if len(slots) > 1:
            raise value_error("aspects", f"a mapping with the slots {slots}", "one list")
        aspects = {slots[0]: aspects}
    if missing := [slot for slot in slots if slot not in aspects]:
        raise value_error("aspects", f"aspects for the slots {slots}", f"none for {missing}")
    for values in itertools.product(*(_texts("aspects", aspects[slot]) for slot in slots)):
        chosen = dict(zip(slots, values))
        yield _SLOT.sub(lambda match: chosen[match[1]], template)  # noqa: B023 - used at once


def _texts(argument: str, given: Sequence[str]) -> list[str]:
    texts = given if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise type_error(argument, "a list of texts", given)
    if not texts or not all(text.strip() for text in texts):
        raise value_error(argument, "texts that are not empty", given)
    return texts
