import numpy as np
import pytest
import tokenizers
import torch
import transformers
from lexicon_weaklabel import LexiconLabeler, SignalMasker

SPANS = [(3, 6), (11, 15)]
TEXT = "so bad, so good"
TOKENS, TOKEN_SPANS = ["so", "bad", ",", "so", "good"], [(0, 2), (3, 6), (6, 7), (8, 10), (11, 15)]


def test_all_or_nothing():
    assert SignalMasker(0.0, "drop").mask_texts([TEXT], [SPANS]) == [TEXT]
    assert SignalMasker(1.0, "drop").mask_texts([TEXT, "x"], [SPANS, []]) == ["so , so ", "x"]
    masker = SignalMasker(1.0, "mask_token", mask_token="<m>")
    assert masker.mask_tokens(TOKENS, TOKEN_SPANS, SPANS) == ["so", "<m>", ",", "so", "<m>"]
    assert SignalMasker(1.0).mask_tokens([1, 2, 3, 1, 4], TOKEN_SPANS, SPANS) == [1, 0, 3, 1, 0]
    assert SignalMasker(1.0, "drop").mask_tokens(TOKENS, TOKEN_SPANS, SPANS) == ["so", ",", "so"]


@pytest.mark.parametrize("make", [np.ones, torch.ones])
def test_embeddings_keep_their_type_and_the_original(make):
    matrix = make((5, 3))
    zeroed = SignalMasker(1.0).mask_tokens(matrix, TOKEN_SPANS, SPANS)
    assert type(zeroed) is type(matrix)
    assert zeroed.dtype == matrix.dtype
    assert zeroed.sum(1).tolist() == [3, 0, 3, 3, 0]
    assert matrix.sum() == 15
    assert len(SignalMasker(1.0, "drop").mask_tokens(matrix, TOKEN_SPANS, SPANS)) == 3
    vector = make((3,)) * 7
    assert SignalMasker(1.0, "mask_token", mask_token=vector).mask_tokens(matrix, TOKEN_SPANS, SPANS)[1].tolist() == [
        7,
        7,
        7,
    ]


def test_the_labels_spans_fit_the_tokenizer(lexicon):
    labeler = LexiconLabeler(lexicon)
    text = "Soooo GOOD 👍🏽 PogChamp:)"
    tokens, spans = labeler.tokenizer(text)
    masked = SignalMasker(1.0, "mask_token", mask_token="_").mask_tokens(tokens, spans, labeler.label([text]).spans[0])
    assert masked == ["soo", "_", "_", "_", "_"]


def test_each_occurrence_is_masked_on_its_own_with_probability_p():
    ids = SignalMasker(0.3, seed=1).mask_ids(np.ones((2000, 10), int), np.ones((2000, 10), bool))
    masked = ids == 0
    assert abs(masked.mean() - 0.3) < 0.01
    # Independent of one another: the variance per row is binomial.
    assert masked.sum(1).var() == pytest.approx(10 * 0.3 * 0.7, rel=0.1)
    assert (SignalMasker(0.9, seed=1).mask_ids(np.ones((9, 9), int), np.zeros((9, 9), bool)) == 1).all()


def test_seeds_repeat_and_calls_differ():
    def draws(seed):
        masker = SignalMasker(0.5, "drop", seed=seed)
        return [masker.mask_texts([TEXT] * 20, [SPANS] * 20) for _ in range(2)]

    assert draws(3) == draws(3)
    assert draws(3)[0] != draws(3)[1]
    assert draws(3) != draws(4)


def test_dropped_ids_make_room():
    ids, signal = [[5, 6, 7, 0], [8, 9, 0, 0]], [[True, False, True, False], [False, False, False, False]]
    assert SignalMasker(1.0, "drop").mask_ids(ids, signal).tolist() == [[6, 0, 0, 0], [8, 9, 0, 0]]
    assert SignalMasker(1.0, "mask_token", mask_token=3).mask_ids(ids, signal).tolist()[0] == [3, 6, 3, 0]


ENCODING = {
    "input_ids": [[101, 7, 8, 9, 102]],
    "attention_mask": [[1, 1, 1, 1, 1]],
    "offset_mapping": [[(0, 0), (0, 2), (3, 5), (5, 6), (0, 0)]],
}


def test_all_pieces_of_a_word_are_masked_and_no_special_token():
    assert SignalMasker(1.0, "mask_token", mask_token=103).mask_encoding(ENCODING, [[(3, 6)]]) == {
        "input_ids": [[101, 7, 103, 103, 102]],
        "attention_mask": [[1, 1, 1, 1, 1]],
    }
    zeroed = SignalMasker(1.0).mask_encoding(ENCODING, [[(3, 6)]], pad_token_id=4)
    assert zeroed == {"input_ids": [[101, 7, 4, 4, 102]], "attention_mask": [[1, 1, 0, 0, 1]]}
    dropped = SignalMasker(1.0, "drop").mask_encoding(ENCODING, [[(3, 6)]])
    assert dropped == {"input_ids": [[101, 7, 102]], "attention_mask": [[1, 1, 1]]}


def test_a_real_fast_tokenizer(lexicon):
    words = ["[UNK]", "[CLS]", "[SEP]", "[MASK]", "so", "go", "##od", "!"]
    model = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    )
    model.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=model, unk_token="[UNK]", mask_token="[MASK]", clean_up_tokenization_spaces=False
    )
    texts = ["so good!", "so so"]
    encoding = fast(texts, return_offsets_mapping=True)
    spans = LexiconLabeler(lexicon).label(texts).spans
    masker = SignalMasker(1.0, "mask_token", mask_token=fast.mask_token_id)
    assert masker.mask_encoding(encoding, spans)["input_ids"] == [[4, 3, 3, 7], [4, 4]]


class Masked(torch.utils.data.Dataset):
    def __init__(self):
        self.masker = SignalMasker(0.5, seed=0)

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.tensor(self.masker.mask_ids(np.ones((1, 20), int), np.ones((1, 20), bool))[0])


@pytest.mark.slow
def test_workers_and_epochs_differ_and_repeat_under_one_seed():
    def two_epochs():
        torch.manual_seed(0)
        loader = torch.utils.data.DataLoader(Masked(), batch_size=4, num_workers=2, multiprocessing_context="fork")
        return [torch.cat([*loader]).tolist() for _ in range(2)]

    first, second = two_epochs()
    assert first != second
    assert first[:4] != first[4:]  # of two workers
    assert two_epochs() == [first, second]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SignalMasker(1.5), r"p: expected a probability in \[0, 1\], got 1.5"),
        (lambda: SignalMasker(mode="blank"), "mode: expected one of"),
        (lambda: SignalMasker(mode="mask_token"), "mask_token: expected a token with mode='mask_token'"),
        (lambda: SignalMasker(mask_token=3), "mask_token: expected"),
        (lambda: SignalMasker().mask_texts([TEXT], [SPANS]), "mode: expected 'mask_token' or 'drop' for texts"),
        (
            lambda: SignalMasker().mask_tokens(TOKENS, TOKEN_SPANS, SPANS),
            "mode: expected 'mask_token' or 'drop' for tokens",
        ),
        (
            lambda: SignalMasker(1.0, "drop").mask_texts([TEXT], []),
            r"spans: expected one per item, got items \(1,\), spans \(0,\)",
        ),
        (lambda: SignalMasker().mask_ids([[1]], [[True, False]]), "signal: expected one flag per id"),
        (
            lambda: SignalMasker().mask_encoding({"input_ids": []}, []),
            r"encoding: expected input_ids and offset_mapping, got none of \['offset_mapping'\]",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
