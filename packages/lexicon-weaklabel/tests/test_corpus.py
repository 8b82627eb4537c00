import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lexicon_weaklabel import LexiconLabeler, label_corpus
from lexicon_weaklabel._cli import main

WORDS = ["good", "bad", "meh", "LUL", "😂", "so", "what", "PogChamp"]


def messages(n):
    return [" ".join(WORDS[(i // 8**k) % 8] for k in range(4)) if i % 50 else None for i in range(n)]


@pytest.fixture
def corpus(tmp_path):
    """Two Parquet files with three and two row groups."""
    for name, first, last in (("a", 0, 600), ("b", 600, 900)):
        table = pa.table({"id": range(first, last), "text": messages(900)[first:last]})
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=200)
    return tmp_path


@pytest.fixture
def saved(lexicon, tmp_path):
    path = tmp_path / "lexica" / "lexicon.parquet"
    path.parent.mkdir()
    lexicon.save(path)
    return str(path)


def test_the_corpus_gets_the_labels_of_the_api(corpus, lexicon, saved, capsys):
    out = corpus / "labels"
    assert main(["label", str(corpus), "--out", str(out), "--lexicon", saved, "--processes", "1"]) == 0
    table = pq.read_table(out).sort_by("id")
    assert table.equals(LexiconLabeler(lexicon).label_batch(pa.table({"id": range(900), "text": messages(900)})))
    printed = capsys.readouterr().out
    assert "900 messages in 5 shards (0 found finished)" in printed
    assert f"{sum(table['covered'].drop_null().to_pylist()):,} with signal" in printed
    for name, count in Counter(table["label"].drop_null().to_pylist()).items():
        assert f"{name} {count}" in printed


def test_a_second_run_finds_everything_and_changes_nothing(corpus, lexicon):
    label_corpus(LexiconLabeler(lexicon), [corpus / "a.parquet"], corpus / "out", processes=1)
    before = {file: file.stat().st_mtime_ns for file in (corpus / "out").iterdir()}
    summary = label_corpus(LexiconLabeler(lexicon), [corpus / "a.parquet"], corpus / "out", processes=1)
    assert (summary.shards, summary.found, summary.messages) == (3, 3, 600)
    assert {file: file.stat().st_mtime_ns for file in (corpus / "out").iterdir()} == before


def test_other_settings_or_sources_are_refused(corpus, lexicon):
    label_corpus(LexiconLabeler(lexicon), [corpus / "a.parquet"], corpus / "out", processes=1)
    for labeler, source in ((LexiconLabeler(lexicon, floor=0.1), "a"), (LexiconLabeler(lexicon), "b")):
        with pytest.raises(ValueError, match="out: expected a folder of the same sources, lexicon and settings"):
            label_corpus(labeler, [corpus / f"{source}.parquet"], corpus / "out")
    with pytest.raises(ValueError, match="out: expected an empty folder"):
        label_corpus(LexiconLabeler(lexicon), [corpus / "a.parquet"], corpus)


@pytest.mark.slow
def test_killed_while_writing_and_run_again_every_row_is_there_once(tmp_path, lexicon, saved):
    n = 400_000
    pq.write_table(pa.table({"id": range(n), "text": messages(n)}), tmp_path / "c.parquet", row_group_size=n // 10)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "lexicon_weaklabel", "label", str(tmp_path / "c.parquet"), "--out", str(out)]
    command += ["--lexicon", saved, "--processes", "2"]
    with subprocess.Popen(command, start_new_session=True) as process:
        # After the first finished shard and inside the write of another.
        while not (list(out.glob("part-*")) and list(out.glob(".part-*"))):
            assert process.poll() is None, "it was over before it could be killed"
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
    finished = {file.name: file.read_bytes() for file in out.glob("part-*")}
    assert 0 < len(finished) < 10
    pq.read_table(out)  # no half-written file is among them
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.startswith("400,000 messages")
    assert all((out / name).read_bytes() == content for name, content in finished.items())
    assert not list(out.glob(".part-*"))
    whole = LexiconLabeler(lexicon).label_batch(pa.table({"id": range(n), "text": messages(n)}))
    assert pq.read_table(out).sort_by("id").equals(whole)


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(tmp_path, saved):
    n = 400_000
    pq.write_table(pa.table({"text": messages(n)}), tmp_path / "c.parquet", row_group_size=n // 4)
    command = [sys.executable, "-m", "lexicon_weaklabel", "label", str(tmp_path / "c.parquet"), "--lexicon", saved]
    with subprocess.Popen([*command, "--out", str(tmp_path / "o"), "--processes", "2"]) as process:
        while not list((tmp_path / "o").glob(".part-*")):
            assert process.poll() is None
            time.sleep(0.001)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    deadline = time.monotonic() + 20
    while any(_alive(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_progress_counts_messages(corpus, lexicon, capfd):
    label_corpus(LexiconLabeler(lexicon), [corpus], corpus / "out", processes=2, progress=True)
    assert "900 of 900 messages" in capfd.readouterr().err
    assert json.loads((corpus / "out" / "_manifest.json").read_text())["column"] == "text"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{c}/a.parquet", "--column", "message"], "column: expected one of ['id', 'text'], got message"),
        (["{c}/a.parquet", "--column", "id"], "texts: expected a column of strings"),
        (["{c}/none.parquet"], "none.parquet"),
        (["{c}/empty"], "sources: expected Parquet files"),
        (["{c}/text.parquet"], "text.parquet: expected a Parquet file"),
        (["{c}/a.parquet", "--lexicon", "afinn"], "--lexicon: expected vader, twitch"),
        (["{c}/a.parquet", "--lexicon", "{c}/no.csv"], "no.csv"),
        (["{c}/a.parquet", "--processes", "0"], "--processes: expected at least 1, got 0"),
        (["{c}/a.parquet", "--default", "1"], "default: expected probabilities of the 3 classes"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(corpus, saved, capfd, arguments, message):
    (corpus / "empty").mkdir()
    (corpus / "text.parquet").write_text("no Parquet")
    filled = [argument.format(c=corpus) for argument in arguments]
    lexicon = [] if "--lexicon" in filled else ["--lexicon", saved]
    with pytest.raises(SystemExit) as error:
        main(
            [
                "label",
                *filled,
                *lexicon,
                "--out",
                str(corpus / "out"),
                *([] if "--processes" in filled else ["--processes", "1"]),
            ]
        )
    assert error.value.code == 2
    printed = capfd.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1
