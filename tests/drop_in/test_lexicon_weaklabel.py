"""lexicon-weaklabel in ``datasets.map``."""

from datasets import Dataset, disable_progress_bars
from lexicon_weaklabel import Lexicon, LexiconLabeler


def test_in_map(tmp_path):
    disable_progress_bars()
    labeler = LexiconLabeler(Lexicon.from_dict({"good": [0.1, 0.2, 0.7], "bad": [0.7, 0.2, 0.1]}))
    texts = ["good", "bad day", None, "so so", "good good bad"] * 5
    Dataset.from_dict({"text": texts, "row": list(range(25))}).save_to_disk(tmp_path)
    dataset = Dataset.load_from_disk(tmp_path).with_format("arrow")
    # The one line.
    labelled = dataset.map(labeler.label_batch, batched=True, batch_size=4).with_format(None)
    expected = labeler.label(texts[:5])
    assert labelled.column_names == ["text", "row", "label", "probabilities", "covered", "spans"]
    assert labelled["row"][:] == list(range(25))
    for start in range(0, 25, 5):
        rows = labelled[start : start + 5]
        assert rows["label"] == list(expected.label)
        assert rows["probabilities"][2] is None
        assert rows["probabilities"][0] == expected.probabilities[0].tolist()
    assert labelled.filter(lambda row: row["covered"])["row"][:3] == [0, 1, 4]
