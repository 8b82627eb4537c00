"""Prompts from labels, templates and contexts."""

from __future__ import annotations

from collections.abc import Iterable
from string import Formatter
from typing import Literal, TypeAlias, get_args

from ._core import type_error, value_error

Mode: TypeAlias = Literal["fixed", "context", "ensemble"]
TEMPLATE = "a {label} picture"
CONTEXT_TEMPLATE = "a {label} picture, of a #{context}"


def prompt_texts(
    labels: Iterable[str],
    template: str = TEMPLATE,
    context_template: str = CONTEXT_TEMPLATE,
    mode: Mode = "fixed",
    contexts: Iterable[str] | None = None,
) -> list[str]:
    """Return the prompts of :class:`clip_aesthetics.PromptScorer`, in the order of its text embeddings.

    Args:
        labels: the positive labels, then the negative ones.
        template: prompt of mode ``"fixed"``, with the slot ``{label}``.
        context_template: prompt of the other modes, with the slots ``{label}`` and ``{context}``.
        mode: ``"fixed"`` makes one prompt per label, ``"context"`` and ``"ensemble"`` one per label and context.
        contexts: what may be in the picture; ``None`` takes the 1000 ImageNet classes (extra ``words``).

    Returns:
        The prompts of the first label, then those of the second, ...

    Raises:
        ValueError: no label or context, an empty or repeated one, or a template without its slots.

    Example:
        >>> from clip_aesthetics import prompt_texts
        >>> prompt_texts(["outstanding", "horrible"])
        ['a outstanding picture', 'a horrible picture']
        >>> prompt_texts(["outstanding"], mode="context", contexts=["dog", "cat"])
        ['a outstanding picture, of a #dog', 'a outstanding picture, of a #cat']

    Reference:
        Chapter 12, Section 12.1.1.
    """
    labels = words("labels", labels)
    if len(set(labels)) < len(labels):
        raise value_error("labels", "each label once", list(labels))
    contexts = context_words(mode, contexts)
    if mode == "fixed":
        _check_template("template", template, {"label"})
        return [template.format(label=label) for label in labels]
    _check_template("context_template", context_template, {"label", "context"})
    return [context_template.format(label=label, context=context) for label in labels for context in contexts]


def context_words(mode: Mode, contexts: Iterable[str] | None) -> tuple[str, ...]:
    """Return the contexts of a mode: none for ``"fixed"``, else the given ones or the ImageNet classes."""
    if mode not in get_args(Mode):
        raise value_error("mode", "'fixed', 'context' or 'ensemble'", mode)
    if mode == "fixed":
        return ()
    if contexts is None:
        from ._words import imagenet_class_names

        contexts = imagenet_class_names()
    return words("contexts", contexts)


def words(argument: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return non-empty strings as a tuple; one string alone is an error, since its letters are no words."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise type_error(argument, "a list of strings", values)
    try:
        found = tuple(values)
    except TypeError as error:  # a tensor without axes
        raise type_error(argument, "a list of strings", values) from error
    for word in found:
        if not isinstance(word, str):
            raise type_error(argument, "strings", word)
        if not word.strip():
            raise value_error(argument, "strings that are not empty", repr(word))
    if not found:
        raise value_error(argument, "at least one string", "none")
    return found


def _check_template(argument: str, template: str, slots: set[str]) -> None:
    """Raise unless the template has exactly these slots."""
    if not isinstance(template, str):
        raise type_error(argument, "a string", template)
    try:
        found = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise value_error(argument, "a template", f"{template!r} ({error})") from error
    if found != slots:
        expected = " and ".join(f"{{{slot}}}" for slot in sorted(slots, reverse=True))
        raise value_error(argument, f"the slots {expected}", repr(template))
