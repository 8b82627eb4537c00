"""Messages per second on one core against vaderSentiment: python bench.py [--sdist FILE] [--json FILE] [--large M ...].

The texts are the four rated corpora in the sdist of vaderSentiment 3.3.2, which pip downloads unless --sdist names it.
They are cut into messages of at most 12 words, none repeated. In the second line a fifth of the
messages consists of 1 to 12 emoji, emoticons and addresses instead. Ours is ``LexiconLabeler.label`` (labels and
spans), which keeps nothing between calls; the peer is ``polarity_scores``, on a tenth of the messages in each run.
``--large`` labels as many million rows through the command's function and prints the peak memory of its processes.
"""

from __future__ import annotations

import argparse
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
from importlib.metadata import version
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from lexicon_weaklabel import Lexicon, LexiconLabeler, label_corpus
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

WORDS, REPEATS, PEER_SHARE = 12, 5, 10
EMOTICONS = [":)", ":-(", ";D", "<3", ":/", "XD"]


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


def with_pictures(messages):
    """Replace every fifth message by one of as many emoji, emoticons and addresses as messages have words."""
    rng = random.Random(0)
    emoji = [token for token in SentimentIntensityAnalyzer().emojis if len(token) == 1]

    def token():
        kinds = [rng.choice(emoji), rng.choice(EMOTICONS), f"https://t.co/{rng.getrandbits(40):x}"]
        return rng.choice(kinds)

    return [
        " ".join(token() for _ in range(rng.randint(1, WORDS))) if number % 5 == 0 else message
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
        theirs.append(rate(peer, messages[repeat::PEER_SHARE]))
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
    labeler, analyzer = LexiconLabeler(Lexicon.from_vader()), SentimentIntensityAnalyzer()
    versions = ", ".join(f"{n} {version(n)}" for n in ("lexicon-weaklabel", "vaderSentiment", "pyarrow", "regex"))
    print(f"{versions}, Python {platform.python_version()}, one thread on {os.cpu_count()} cores")
    print(f"{len(messages)} messages, sha256 {hashlib.sha256(chr(10).join(messages).encode()).hexdigest()[:16]}\n")
    print(f"{'case':44}{'ours/s':>10}{'peer/s':>10}{'ratio':>8}  target  peer")
    rows, mixed, size = [], with_pictures(messages), f"{len(messages)} messages"

    def report(case, ours, peer, target, name):
        row = {"package": "lexicon-weaklabel", "case": case, "size": size, "peer": name}
        rows.append({**row, "ratio": ours / peer, "target": target})
        print(f"{case:44}{ours:10.0f}{peer:10.0f}{ours / peer:8.1f}  {target:6}  {name}", flush=True)

    ours, peer = compare(messages, labeler, analyzer)
    report("plain messages", ours, peer, ">= 8", "vaderSentiment")
    report("plain messages", ours, 150_000, ">= 1", "150000 /s, the target")
    ours, peer = compare(mixed, labeler, analyzer)
    report("a fifth of emoji, emoticons and addresses", ours, peer, ">= 20", "vaderSentiment")
    for millions in options.large:
        peak, per_second = peak_memory(messages, labeler, millions)
        print(f"{f'{millions} million rows through label_corpus':44}{per_second:10.0f}  peak {peak:.0f} MB", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
