import dask.dataframe
import datasets
import pandas
import polars
import pyarrow as pa
import pytest
from lexicon_weaklabel import AverageLabeler, LexiconLabeler
from lexicon_weaklabel.adapters import label_dask, label_dataset, label_pandas, label_polars

TEXTS = ["good :)", "bad", None, "", "PogChamp 👍🏽 LUL"] * 4


@pytest.fixture
def columns():
    return {"id": range(20), "text": TEXTS}


@pytest.fixture
def expected(lexicon, columns):
    return LexiconLabeler(lexicon).label_batch(pa.table(columns)).to_pylist()


def test_polars(lexicon, columns, expected):
    assert label_polars(polars.DataFrame(columns), LexiconLabeler(lexicon)).to_dicts() == expected


def test_pandas_keeps_index_and_columns(lexicon, columns, expected):
    frame = pandas.DataFrame(columns, index=range(20, 0, -1))
    labelled = label_pandas(frame, LexiconLabeler(lexicon), prefix="w_")
    assert labelled.columns.tolist() == ["id", "text", "w_label", "w_probabilities", "w_covered", "w_spans"]
    assert labelled.index.tolist() == frame.index.tolist()
    assert [None if pandas.isna(name) else name for name in labelled["w_label"]] == [row["label"] for row in expected]
    assert labelled["w_spans"].iloc[0].tolist() == expected[0]["spans"]
    assert "w_label" not in frame


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_huggingface_datasets(lexicon, columns, expected):
    dataset = label_dataset(datasets.Dataset.from_dict(columns), LexiconLabeler(lexicon), batch_size=7)
    assert [dict(row) for row in dataset] == expected


def test_dask(lexicon, columns):
    labeler = AverageLabeler(lexicon)
    whole = label_pandas(pandas.DataFrame(columns), labeler)
    frame = dask.dataframe.from_pandas(pandas.DataFrame(columns), npartitions=3)
    with dask.config.set(scheduler="synchronous"):
        parts = label_dask(frame, labeler).compute()
    assert parts.columns.tolist() == whole.columns.tolist()
    assert parts["score"].tolist()[:2] == whole["score"].tolist()[:2]
    assert parts["label"].fillna("none").tolist() == whole["label"].fillna("none").tolist()


def test_a_missing_column_is_named(lexicon, columns):
    frame = pandas.DataFrame(columns)
    for label, table in ((label_pandas, frame), (label_polars, polars.DataFrame(columns))):
        with pytest.raises(ValueError, match=r"column: expected one of \['id', 'text'\], got message"):
            label(table, LexiconLabeler(lexicon), column="message")
