"""Spark and Ray for real, on this machine: ``nox -s optional``.

Without them these tests fail; they are not skipped.
"""

import sys

import pyarrow as pa
import pytest
from lexicon_weaklabel import LexiconLabeler
from lexicon_weaklabel.adapters import label_ray, label_spark

pytestmark = pytest.mark.filterwarnings("ignore")  # the engines' own
TEXTS = ["good :)", "bad", None, "", "PogChamp 👍🏽 LUL"] * 20


@pytest.fixture
def expected(lexicon):
    return LexiconLabeler(lexicon).label_batch(pa.table({"id": range(100), "text": TEXTS})).to_pylist()


def test_spark(lexicon, expected, monkeypatch):
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "7").getOrCreate()
    try:
        frame = session.createDataFrame([*enumerate(TEXTS)], "id long, text string").repartition(3)
        rows = [row.asDict(recursive=True) for row in label_spark(frame, LexiconLabeler(lexicon)).collect()]
    finally:
        session.stop()
    assert sorted(rows, key=lambda row: row["id"]) == expected


def test_ray(lexicon, expected):
    import ray

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        dataset = ray.data.from_items([{"id": number, "text": text} for number, text in enumerate(TEXTS)])
        rows = label_ray(dataset, LexiconLabeler(lexicon), batch_size=7).take_all()
    finally:
        ray.shutdown()
    assert sorted(rows, key=lambda row: row["id"]) == expected
