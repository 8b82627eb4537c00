"""Both commands, killed at ten random points and run again: in the end the files are those of one whole run."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lexicon_weaklabel import Lexicon, LexiconLabeler
from lexicon_weaklabel._cli import main

pytestmark = pytest.mark.kills
KILLS = 10
WORDS = ["good", "bad", "meh", "LUL", "😂", "so", "what", "PogChamp"]


@pytest.fixture(scope="module")
def server():
    """Starts processes that have torch imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lexicon_weaklabel.neural", "lexicon_weaklabel._cli"])
    whole_run(context, ["--help"])  # the first one waits for the imports
    return context


def start(server, arguments):
    process = server.Process(target=main, args=(arguments,))
    process.start()
    return process


def whole_run(server, arguments):
    """Run the command to its end and return its seconds."""
    begun = time.perf_counter()
    process = start(server, arguments)
    process.join()
    assert process.exitcode == 0
    return time.perf_counter() - begun


def kill(process):
    """Kill the command and its workers."""
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in (process.pid, *map(int, workers)):
        os.kill(pid, signal.SIGKILL)
    process.join()


def folders_after_ten_kills(server, tmp_path, arguments, seconds, observe):
    """Kill runs at random points, each killed one run again into its folder, and return the folders when all ended.

    A run that ended before its point was right to; the next one begins a new folder. ``observe`` is called with the
    folder after each kill.
    """
    rng, landed, out, finished = random.Random(0), 0, tmp_path / "out0", []
    while landed < KILLS:
        fresh, begun = not out.exists(), time.perf_counter()
        process = start(server, [*arguments, "--out", str(out)])
        process.join(rng.uniform(0.2, 0.8) * seconds)
        if process.exitcode is None:
            kill(process)
            landed += out.exists()
            observe(out)
        else:
            assert process.exitcode == 0
            seconds = min(seconds, time.perf_counter() - begun) if fresh else seconds  # the machine was busier before
            finished.append(out)
            assert len(finished) < 2 * KILLS, "the runs end before they can be killed"
            out = tmp_path / f"out{len(finished)}"
    whole_run(server, [*arguments, "--out", str(out)])
    return [*finished, out]


def test_label_killed_at_ten_points_writes_every_row_once(server, tmp_path, lexicon):
    n, seen = 150_000, []
    texts = [" ".join(WORDS[(i // 8**k) % 8] for k in range(4)) if i % 50 else None for i in range(n)]
    table = pa.table({"id": range(n), "text": texts})
    pq.write_table(table, tmp_path / "texts.parquet", row_group_size=n // 30)
    lexicon.save(tmp_path / "lexicon.parquet")
    arguments = ["label", str(tmp_path / "texts.parquet"), "--lexicon", str(tmp_path / "lexicon.parquet")]
    arguments += ["--processes", "1"]

    def observe(out):
        seen.append(len([*out.glob("part-*")]))
        for file in out.glob("part-*"):
            pq.ParquetFile(file).close()  # whole

    seconds = whole_run(server, [*arguments, "--out", str(tmp_path / "whole")])
    expected = pq.read_table(tmp_path / "whole").sort_by("id")
    assert expected.equals(LexiconLabeler(lexicon).label_batch(table))
    for out in folders_after_ten_kills(server, tmp_path, arguments, seconds, observe):
        assert pq.read_table(out).sort_by("id").equals(expected)
        assert [*out.glob(".*")] == []
    assert any(0 < shards < 30 for shards in seen)


def test_train_killed_at_ten_points_ends_in_the_same_model(server, tmp_path):
    texts = [f"{a} {b} day {c}" for a, b in (("good", "sunny"), ("bad", "rainy"), ("some", "grey")) for c in "abcdefgh"]
    pq.write_table(pa.table({"text": texts * 10}), tmp_path / "texts.parquet")
    Lexicon.from_dict({"good": [0.1, 0.2, 0.7], "bad": [0.7, 0.2, 0.1]}).save(tmp_path / "lexicon.parquet")
    arguments = ["train", str(tmp_path / "texts.parquet"), "--lexicon", str(tmp_path / "lexicon.parquet")]
    arguments += ["--min-count", "5", "--dimensions", "8", "--filters", "4", "--batch-size", "32"]
    arguments += ["--check-every", "5", "--max-checks", "40", "--patience", "40"]
    checkpoints = []
    seconds = whole_run(server, [*arguments, "--out", str(tmp_path / "whole")])
    expected = {file.name: file.read_bytes() for file in (tmp_path / "whole").iterdir()}
    assert expected.keys() == {"model.json", "model.safetensors"}

    def observe(out):
        checkpoints.append((out / "checkpoint.safetensors").exists())

    for out in folders_after_ten_kills(server, tmp_path, arguments, seconds, observe):
        assert {file.name: file.read_bytes() for file in out.iterdir()} == expected
    assert any(checkpoints)
