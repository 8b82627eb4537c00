import pyarrow as pa
import pytest
from lexicon_weaklabel import AverageLabeler, LexiconLabeler

TEXTS = ["good LUL", None, "hm", "bad 👍🏽"]


@pytest.fixture
def batch():
    return pa.record_batch({"id": [1, 2, 3, 4], "text": TEXTS})


def test_columns_are_those_of_label(lexicon, batch):
    labeler = LexiconLabeler(lexicon)
    labelled, labels = labeler.label_batch(batch), labeler.label(TEXTS)
    assert isinstance(labelled, pa.RecordBatch)
    labelled.validate(full=True)
    rows = labelled.to_pylist()
    assert list(rows[0]) == ["id", "text", "label", "probabilities", "covered", "spans"]
    assert rows[1] == {"id": 2, "text": None, "label": None, "probabilities": None, "covered": None, "spans": None}
    for number in (0, 2, 3):
        assert rows[number]["label"] == labels.label[number]
        assert rows[number]["probabilities"] == labels.probabilities[number].tolist()
        assert rows[number]["covered"] == labels.covered[number]
        assert [(span["start"], span["end"]) for span in rows[number]["spans"]] == labels.spans[number]


def test_the_schema_is_known_before(lexicon, batch):
    for labeler in (LexiconLabeler(lexicon), AverageLabeler(lexicon)):
        for part in (batch, batch.slice(1, 2), batch.slice(0, 0), pa.table(batch), pa.table(batch).slice(0, 0)):
            labelled = labeler.label_batch(part, prefix="weak_")
            assert labelled.schema == labeler.output_schema(batch.schema, prefix="weak_")
            assert labelled.num_rows == part.num_rows
            assert type(labelled) is type(part)


def test_average_labels_have_a_score(lexicon, batch):
    column = AverageLabeler(lexicon).label_batch(batch).column("score").to_pylist()
    assert column[1] is None
    assert column[0] == AverageLabeler(lexicon).label(["good LUL"]).score[0]


def test_wrong_batches_are_named(lexicon, batch):
    labeler = LexiconLabeler(lexicon)
    with pytest.raises(ValueError, match=r"column: expected one of \['id', 'text'\], got message"):
        labeler.label_batch(batch, column="message")
    with pytest.raises(TypeError, match="texts: expected a column of strings, got one of int64"):
        labeler.label_batch(batch, column="id")
    with pytest.raises(ValueError, match="prefix: expected one with which 'label' is a new column"):
        labeler.label_batch(pa.record_batch({"text": TEXTS, "label": [0, 1, 0, 1]}))
    with pytest.raises(TypeError, match=r"batch: expected a pyarrow.RecordBatch or Table, got dict"):
        labeler.label_batch({"text": TEXTS})
