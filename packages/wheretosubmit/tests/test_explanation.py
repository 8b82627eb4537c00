import numpy as np
import pytest
import torch
from wheretosubmit._text import find_words

TEXTS = {"title": "Robot parsing of images", "abstract": "We segment <b>images</b> with a zzzzz robot gripper"}


def slow_integrated_gradients(recommender, texts, venue, n_steps, output):
    """Eq. 8.1, one step after the other, and the output's rise from the empty text."""
    network = recommender._model.network
    words = [recommender._model.vocabulary.encode([text], 12, typos=True) for text in texts.values()]
    vectors = network.embed(*words)
    column = recommender.venues_.index(venue)

    def answer(*inputs):
        logits = network.classify(*inputs)[0]
        return (logits.softmax(0) if output == "probability" else logits)[column]

    sums = [torch.zeros_like(field) for field in vectors]
    for k in range(1, n_steps + 1):
        at = [(field * k / n_steps).requires_grad_() for field in vectors]
        sums = [total + gradient / n_steps for total, gradient in zip(sums, torch.autograd.grad(answer(*at), at))]
    attributions = [field * total for field, total in zip(vectors, sums)]
    rise = answer(*vectors) - answer(*(0 * field for field in vectors))
    return [one[0].mean(1).tolist() for one in attributions], (rise - sum(one.sum() for one in attributions)).item()


@pytest.mark.parametrize("output", ["probability", "logit"])
@pytest.mark.parametrize("n_steps", [7, 50])
def test_equals_the_sum_of_eq_8_1_over_all_fields_at_once(recommender, output, n_steps):
    (explanation,) = recommender.explain(venues=["CVPR"], output=output, n_steps=n_steps, **TEXTS)
    expected, gap = slow_integrated_gradients(recommender, TEXTS, "CVPR", n_steps, output)
    for (field, highlight), scores in zip(explanation.highlights.items(), expected):
        assert highlight.scores == pytest.approx(scores[: len(find_words(TEXTS[field]))], abs=1e-6)
    assert explanation.gap == pytest.approx(gap, abs=1e-5)


def test_more_steps_close_the_gap(recommender):
    few, many = (abs(recommender.explain(venues=["ACL"], n_steps=n, **TEXTS)[0].gap) for n in (2, 500))
    assert many < min(few, 0.01)


def test_any_number_of_the_best_venues_or_named_ones(recommender):
    best = recommender.recommend(k=2, **TEXTS)
    explanations = recommender.explain(k=2, **TEXTS)
    assert [(one.venue, pytest.approx(one.score, abs=1e-5)) for one in explanations] == best
    named = recommender.explain(venues=[best[1][0]], **TEXTS)
    assert named[0].to_html() == explanations[1].to_html()


def test_the_venues_words_speak_for_it(recommender):
    words = dict(recommender.explain(venues=["ICRA"], title="robot gripper grammar")[0].words())
    assert words["robot"] > max(0, words["grammar"])


def test_unknown_words_and_missing_fields_have_no_part_in_it(recommender):
    (explanation,) = recommender.explain(**TEXTS)
    scores = dict(zip(explanation.highlights["abstract"].tokens, explanation.highlights["abstract"].scores))
    assert scores["zzzzz"] == 0
    (short,) = recommender.explain(title=TEXTS["title"])
    assert short.highlights["abstract"].tokens == []
    assert "abstract" not in short.to_html()


def test_fields_share_one_scale_and_the_page_is_escaped(recommender):
    (explanation,) = recommender.explain(**TEXTS)
    scales = {highlight.scale for highlight in explanation.highlights.values()}
    assert scales == {max(abs(s) for highlight in explanation.highlights.values() for s in highlight.scores)}
    assert "<b>" not in explanation.to_html()
    assert "&lt;b&gt;" in explanation.to_html()
    assert explanation._repr_html_() == explanation.to_html()
    assert sum(score for _, score in explanation.words()) == pytest.approx(
        sum(np.sum(highlight.scores) for highlight in explanation.highlights.values())
    )


def test_phrases_of_all_fields_come_strongest_first(recommender):
    phrases = recommender.explain(venues=["ICRA"], title="robot gripper", abstract="we parse the robot arm")[
        0
    ].phrases()
    assert "robot gripper" in dict(phrases)
    assert [abs(score) for _, score in phrases] == sorted((abs(score) for _, score in phrases), reverse=True)


def test_long_texts_are_cut_and_memory_stays(recommender):
    text = "robot gripper " * 70_000  # 1 MB
    (explanation,) = recommender.explain(title=text)
    assert len(explanation.highlights["title"].tokens) == recommender.max_tokens
    assert explanation.highlights["title"].text == text


def test_the_network_is_left_as_it_was(recommender):
    before = recommender.recommend(**TEXTS)
    recommender.explain(**TEXTS)
    assert all(parameter.grad is None for parameter in recommender._model.network.parameters())
    assert recommender.recommend(**TEXTS) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"venues": ["NeurIPS"]}, r"venues: expected some of \['ACL', 'CVPR', 'ICRA'\], got \['NeurIPS'\]"),
        ({"output": "loss"}, "output: expected 'probability' or 'logit', got loss"),
        ({"n_steps": 0}, "n_steps: expected a positive integer, got 0"),
        ({"palette": "rainbow"}, "palette: expected 'green-red' or 'blue-orange', got rainbow"),
    ],
)
def test_bad_arguments(recommender, arguments, message):
    with pytest.raises(ValueError, match=message):
        recommender.explain(title="robot", **arguments)
