import itertools
import random
from math import comb

import numpy as np
import pytest
from lexicon_weaklabel import AverageLabeler, Lexicon, LexiconLabeler
from lexicon_weaklabel.analysis import (
    ablation,
    audit,
    confusion,
    evaluate,
    expected_scores,
    mcnemar_test,
    randomisation_test,
    relabelled,
)
from sklearn import metrics

CLASSES = ("negative", "neutral", "positive")


def drawn(n, seed, weights=(1, 2, 2)):
    return random.Random(seed).choices(CLASSES, weights, k=n)


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_scikit_learn(seed):
    truth, predicted = drawn(200, seed), drawn(200, seed + 10, (0, 1, 1))
    scores = evaluate(truth, predicted)
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert scores.macro_recall == pytest.approx(metrics.recall_score(truth, predicted, average="macro"))
    assert scores.macro_f1 == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert (confusion(truth, predicted) == metrics.confusion_matrix(truth, predicted)).all()


def test_random_baselines_are_those_of_table_15_2():
    truth = ["negative"] * 404 + ["neutral"] * 748 + ["positive"] * 770
    uniform, shares = expected_scores(truth, [1 / 3] * 3), expected_scores(truth)
    assert [round(100 * value, 1) for value in vars(uniform).values()] == [33.3, 33.3, 32.7]
    assert [round(100 * value, 1) for value in vars(shares).values()] == [35.6, 33.3, 33.3]
    majority = evaluate(truth, ["positive"] * len(truth))
    assert [round(100 * value, 1) for value in vars(majority).values()] == [40.1, 33.3, 19.1]


def test_table_15_5_gives_the_scores_of_table_15_2():
    # Texts without signal were neutral: 92 negative, 428 neutral and 149 positive ones.
    table = np.array([[195, 80 + 92, 37], [71, 104 + 428, 145], [24, 118 + 149, 479]])
    truth = [CLASSES[i] for i in range(3) for _ in range(table[i].sum())]
    predicted = [CLASSES[j] for i in range(3) for j in range(3) for _ in range(table[i, j])]
    scores = evaluate(truth, predicted)
    assert [round(100 * value, 1) for value in vars(scores).values()] == [62.7, 60.5, 61.7]  # printed: 62.8


@pytest.mark.parametrize("metric", ["accuracy", "macro_recall", "macro_f1"])
def test_randomisation_is_that_over_all_exchanges(metric):
    truth, first, second = drawn(9, 0), drawn(9, 1), drawn(9, 2)

    def difference(a, b):
        return abs(getattr(evaluate(truth, a), metric) - getattr(evaluate(truth, b), metric))

    observed, extreme = difference(first, second), 0
    for exchange in itertools.product([False, True], repeat=9):
        a, b = zip(*((y, x) if swapped else (x, y) for x, y, swapped in zip(first, second, exchange)))
        extreme += difference(a, b) >= observed - 1e-12
    p = randomisation_test(truth, first, second, metric=metric, rounds=20_000)
    assert p == pytest.approx(extreme / 2**9, abs=0.02)
    assert p == randomisation_test(truth, first, second, metric=metric, rounds=20_000)
    assert p == pytest.approx(randomisation_test(truth, second, first, metric=metric, rounds=20_000), abs=0.02)
    assert randomisation_test(truth, first, first, metric=metric, rounds=99) == 1


def test_mcnemar_is_the_binomial_test():
    truth, first = ["neutral"] * 30, ["neutral"] * 25 + ["positive"] * 5
    second = ["positive"] * 14 + ["neutral"] * 16
    expected = 2 * sum(comb(19, k) for k in range(6)) / 2**19
    assert mcnemar_test(truth, first, second) == pytest.approx(expected)
    assert mcnemar_test(truth, first, first) == 1


def test_ablation_has_a_row_per_subset(lexicon):
    lexica = {"emotes": Lexicon.twitch_emotes(), "words": lexicon}
    texts, truth = ["good", "LUL", "bad", "hm"], ["positive", "positive", "negative", "neutral"]
    rows = ablation(lexica, texts, truth)
    assert [row.lexica for row in rows] == [("emotes",), ("words",), ("emotes", "words")]
    assert [row.coverage for row in rows] == [0.25, 0.75, 0.75]
    merged = lexica["emotes"].merge(lexica["words"])
    assert rows[2].distribution == evaluate(truth, LexiconLabeler(merged).label(texts).label)
    assert rows[2].average == evaluate(truth, AverageLabeler(merged).label(texts).label)


def test_audit_counts_by_hand(lexicon):
    texts = ["good", "good good LUL", "bad", "hm", None]
    for labeler in (LexiconLabeler(lexicon), AverageLabeler(lexicon)):
        labels = labeler.label(texts)
        found = {row.entry: row for row in audit(labeler, labels)}
        assert set(found) == {"good", "LUL", "bad"}
        assert (found["good"].occurrences, found["good"].texts, found["good"].alone) == (3, 2, 1)
        assert (found["LUL"].occurrences, found["LUL"].alone) == (1, 0)
        assert found["bad"].labels == {"negative": 1}
        assert audit(labeler, labeler.label(["hm"])) == []


def test_relabelled_counts_texts_without_signal(lexicon):
    labels = LexiconLabeler(lexicon).label(["good", "hm", "so", "what"])
    assert relabelled(labels, ["negative", "neutral", "positive", "positive"]) == {"positive": 2}
    assert relabelled(labels, labels.label) == {}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evaluate(["positive"], ["great"]), r"predicted: expected names out of .*, got \['great'\]"),
        (lambda: evaluate(["positive"], ["positive"] * 2), "truth: expected one class name per text, got truth"),
        (lambda: evaluate([], []), "truth: expected one class name per text"),
        (lambda: expected_scores(["positive"], [1, 1, 1]), "probabilities: expected a distribution over 3 classes"),
        (lambda: randomisation_test(["positive"], ["positive"], ["neutral"], metric="f2"), "metric: expected one of"),
        (
            lambda: randomisation_test(["positive"], ["positive"], ["neutral"], rounds=0),
            "rounds: expected an integer of at least 1",
        ),
        (lambda: ablation({}, ["a"], ["positive"]), "lexica: expected one lexicon or more"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
