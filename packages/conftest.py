"""What all packages' tests share: README examples run by Sybil, missing modules, hostile arguments, damaged files."""

import math
import random
import sys

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=["README.md"]).pytest()

_WRONG = [None, object(), "wrong", b"", [], {}, True, 0, -1, 2.5, math.nan, math.inf, 10**30, 1j]


def _variants(value):
    """Return wrong tensors in the place of a tensor, and nothing for other values."""
    if type(value).__name__ != "Tensor":
        return []
    whole = value.float()
    return [
        *(whole * math.nan, whole + math.inf, -whole, whole * 10**6, whole.clone().requires_grad_()),
        *(value[:0], value[1:], value[None], value[..., None], value.flatten()[0], value.flip(0)),
        *(value.bool(), value.long(), value.half(), value.cfloat(), value.tolist()),
        *(value.to("meta"), value.to_sparse(), value.expand(2, *value.shape)[0]),
    ]


@pytest.fixture
def without(monkeypatch):
    """Make modules look as if they were not installed."""

    def block(*modules):
        for module in modules:
            monkeypatch.setitem(sys.modules, module, None)

    return block


@pytest.fixture
def check_arguments():
    """Check that a call takes an argument or refuses it in one line that says what was expected and what came."""

    def check(function, **valid):
        function(**valid)
        cases = [(name, wrong) for name, value in valid.items() for wrong in [*_WRONG, *_variants(value)]]
        unclear = []
        for name, wrong in cases:
            try:
                function(**{**valid, name: wrong})
            except (TypeError, ValueError) as error:
                if "expected" not in str(error) or ", got " not in str(error):
                    unclear.append((name, wrong, error))
        assert not unclear
        return len(cases)

    return check


@pytest.fixture
def check_damaged():
    """Check that a loader reads a file that is cut, changed in one bit or of another format, or names it."""

    def check(load, file, *, cuts=8, flips=12):
        whole, places = file.read_bytes(), random.Random(0)  # noqa: S311 - no secret
        contents = [
            b"",
            bytes(300),
            b"PK\3\4" + bytes(30),
            b"null",
            b"[[1], 2]",
            b"[" * 100_000,
            "a,b".encode("utf-16"),
        ]
        contents += [whole[: places.randrange(len(whole))] for _ in range(cuts)]
        for bit in (places.randrange(8 * len(whole)) for _ in range(flips)):
            contents.append(
                bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(whole))
            )
        unnamed = []
        for content in contents:
            file.write_bytes(content)
            try:
                load()
            except (OSError, TypeError, ValueError) as error:
                if file.name not in str(error) and str(file.parent) not in str(error):
                    unnamed.append((content[:80], error))
        assert not unnamed
        file.write_bytes(whole)
        load()

    return check
