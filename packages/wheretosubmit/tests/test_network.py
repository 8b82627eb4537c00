import pytest
import torch
import torch.nn.functional as F
from wheretosubmit._network import FieldCNN
from wheretosubmit._training import Examples, Schedule, _draw_batches, predict, train, trim


@pytest.fixture
def network():
    torch.manual_seed(0)
    return FieldCNN(
        n_words=20, n_venues=4, n_fields=2, embedding_dim=5, filters=3, kernel_sizes=(1, 3), hidden=6
    ).eval()


def slow(network, *fields):
    """One paper, one filter and one window at a time."""
    features = []
    for embedding, filters, words in zip(network.embeddings, network.filters, fields):
        vectors = [embedding.weight[word] for word in words]
        for convolution in filters.convolutions:
            size = convolution.kernel_size[0]
            padded = [torch.zeros(5)] * size + vectors + [torch.zeros(5)] * size
            windows = [torch.stack(padded[i : i + size], 1) for i in range(len(padded) - size + 1)]
            answers = [
                [torch.relu((weight * window).sum() + bias) - torch.relu(bias) for window in windows]
                for weight, bias in zip(convolution.weight, convolution.bias)
            ]
            features += [max(one) for one in answers]
            features += [sum(one) / max(1, sum(word > 0 for word in words)) for one in answers]
    return network.dense(torch.stack(features)[None])[0]


def test_equals_the_slow_reference(network):
    title, abstract = torch.tensor([3, 1, 20, 0, 3]), torch.tensor([7])
    expected = slow(network, title, abstract)
    torch.testing.assert_close(network(title[None], abstract[None])[0], expected)
    torch.testing.assert_close(network.classify(*network.embed(title[None], abstract[None]))[0], expected)


def test_a_field_without_words_is_all_zeros(network):
    filters, embedding = network.filters[0], network.embeddings[0]
    nothing = torch.zeros(1, 4, dtype=torch.int32)
    assert not filters(nothing, embedding).any()
    assert not filters(embedding(nothing)).any()


def test_answers_do_not_depend_on_the_batch_or_on_what_fills_it_up(network):
    title = torch.tensor([[1, 2, 3, 4], [5, 0, 0, 0]])
    abstract = torch.tensor([[6, 7], [0, 0]])
    together = network(title, abstract)
    torch.testing.assert_close(network(title[:1], abstract[:1]), together[:1])
    torch.testing.assert_close(network(trim(title[1:]), trim(abstract[1:])), together[1:])
    torch.testing.assert_close(network(F.pad(title, (0, 9)), F.pad(abstract, (0, 9))), together)


def test_fields_and_words_are_left_out_in_training(network):
    network.word_dropout, network.field_dropout = 0.2, 0.3
    torch.manual_seed(0)
    left = network._leave_out(torch.ones(2000, 10, dtype=torch.int32)).bool()
    whole = ~left.any(1)
    assert whole.double().mean().item() == pytest.approx(0.3, abs=0.04)
    assert left[~whole].double().mean().item() == pytest.approx(0.8, abs=0.02)


def test_word_dropout_and_dropout_only_in_training(network):
    words = torch.randint(1, 20, (6, 9)), torch.randint(1, 20, (6, 9))
    assert torch.equal(network(*words), network(*words))
    network.train()
    assert not torch.equal(network(*words), network(*words))


def test_unknown_words_stay_zero_vectors_in_training(network):
    network.train()
    loss = network(torch.tensor([[0, 3], [4, 0]]), torch.tensor([[0, 0], [1, 2]])).square().sum()
    loss.backward()
    for embedding in network.embeddings:
        assert not embedding.weight[0].any()
        assert not embedding.weight.grad[0].any()


def test_trim_keeps_inner_zeros_and_one_place():
    assert trim(torch.tensor([[1, 0, 2, 0], [0, 0, 0, 0]])).tolist() == [[1, 0, 2], [0, 0, 0]]
    assert trim(torch.zeros(2, 5)).shape == (2, 1)


def test_batches_hold_every_paper_once_but_no_single_one():
    torch.manual_seed(0)
    lengths = torch.randint(1, 100, (401,))
    batches = _draw_batches(lengths, 16)
    rows = torch.cat(batches)
    assert len(rows) == 400 == len(rows.unique())
    assert torch.stack([lengths[b].float().std() for b in batches]).mean() < 0.3 * lengths.float().std()


def test_the_best_epoch_is_kept_and_patience_ends_training(network):
    torch.manual_seed(0)
    words = [torch.randint(1, 20, (64, 6)), torch.randint(1, 20, (64, 6))]
    examples = Examples(words, words[0][:, 0] % 4)
    # Validation with shuffled labels cannot become better for long.
    validation = Examples(words, examples.targets[torch.randperm(64)])
    schedule = Schedule(learning_rate=0.05, batch_size=16, epochs=60, patience=2)
    history = train(network, examples, validation, schedule, progress=False)
    best = max(range(len(history)), key=lambda epoch: (history[epoch]["mrr"], -history[epoch]["validation_loss"]))
    assert len(history) == best + 3 < 60
    scores = predict(network, words)
    kept = (scores.argmax(1) == validation.targets).double().mean().item()
    assert kept == pytest.approx(history[best]["accuracy"])
