"""The command ``aesthetic-pretext``."""

from __future__ import annotations

from collections.abc import Sequence

from ._cli_evaluate import evaluate_options
from ._cli_images import compare_darktable_options, make_variants_options, render_options
from ._cli_training import finetune_options, pretrain_options
from ._core import Parser

COMMANDS = (
    render_options, make_variants_options, compare_darktable_options,
    pretrain_options, finetune_options, evaluate_options,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    parser = Parser(prog="aesthetic-pretext", description="Graded distortions and the pretext tasks trained on them.")
    commands = parser.add_subparsers(required=True)
    for add in COMMANDS:
        add(commands)
    return parser.run(arguments)
