"""What weak labels are worth: scores, baselines, ablations, tests of significance, audits."""

from ._ablation import AblationRow, ablation
from ._audit import EntryAudit, audit, relabelled
from ._scores import Scores, confusion, evaluate, expected_scores
from ._significance import mcnemar_test, randomisation_test

__all__ = [
    "AblationRow",
    "EntryAudit",
    "Scores",
    "ablation",
    "audit",
    "confusion",
    "evaluate",
    "expected_scores",
    "mcnemar_test",
    "randomisation_test",
    "relabelled",
]
