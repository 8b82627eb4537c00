"""One format for every error message: ``argument: expected ..., got ...``."""

from collections.abc import Mapping


def _message(argument: str, expected: str, got: object) -> str:
    text = got if isinstance(got, str) else repr(got)
    if len(text) > 200:
        text = text[:197] + "..."
    return f"{argument}: expected {expected}, got {text}"


def value_error(argument: str, expected: str, got: object) -> ValueError:
    """Return the error for an argument of the right type whose value does not fit."""
    return ValueError(_message(argument, expected, got))


def type_error(argument: str, expected: str, got: object) -> TypeError:
    """Return the error for an argument of the wrong type; ``got`` is the object itself."""
    return TypeError(_message(argument, expected, type(got).__name__))


def shape_error(argument: str, expected: str, shapes: Mapping[str, object]) -> ValueError:
    """Return the error for shapes that do not fit together; ``shapes`` maps each argument to its shape."""
    # A torch.Size prints as (4, 10) only after it has become a tuple.
    parts = (f"{name} {tuple(s) if hasattr(s, '__iter__') else s}" for name, s in shapes.items())
    return ValueError(_message(argument, expected, ", ".join(parts)))
