"""Latency of the service and time of the highlights: python bench.py [--json FILE].

The recommender has the default sizes and 22 venues and is trained for one epoch on made-up papers. "peer" is captum's
``visualize_text``, which needs IPython, on the same scores. Requests go through the loopback device, 200 at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import io
import json
import os
import platform
import socket
import statistics
import threading
import time
from importlib.metadata import version
from pathlib import Path

import httpx
import numpy as np
import torch
import uvicorn
from captum.attr import visualization
from wheretosubmit import Highlight, VenueRecommender
from wheretosubmit.web import create_app

WORDS, VENUES, IN_FLIGHT = 20_000, 22, 200


def make_papers(n):
    generator = np.random.default_rng(0)
    numbers = generator.zipf(1.3, (n, 170)) % WORDS
    texts = [[f"word{number}" for number in row] for row in numbers]
    return {
        "title": [" ".join(text[:9]) for text in texts],
        "abstract": [" ".join(text[9:]) for text in texts],
        "venue": [f"venue {row % VENUES}" for row in range(n)],
    }


def median_seconds(*functions, repeats=7):
    """Return the median time of each function, the runs interleaved."""
    times = [[] for _ in functions]
    for _ in range(repeats):
        for function, durations in zip(functions, times):
            start = time.perf_counter()
            function()
            durations.append(time.perf_counter() - start)
    return [statistics.median(durations) for durations in times]


@contextlib.contextmanager
def serving(recommender):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(recommender), access_log=False, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def latencies(url, path, bodies):
    """Return the sorted seconds of requests that are all sent at once."""

    async def ask(client, body):
        start = time.perf_counter()
        (await client.post(path, json=body)).raise_for_status()
        return time.perf_counter() - start

    async def run():
        limits = httpx.Limits(max_connections=len(bodies))
        async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120) as client:
            return await asyncio.gather(*(ask(client, body) for body in bodies))

    return sorted(asyncio.run(run()))


def row(case, size, ours, peer, name):
    print(f"{case:28}{size:>12}  {1e3 * ours:6.1f} ms  {1e3 * peer:6.1f} ms  {ours / peer:6.2f}  {name}")
    return {"package": "wheretosubmit", "case": case, "size": size, "peer": name, "ratio": ours / peer, "target": ""}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    papers = make_papers(1100)
    digest = hashlib.sha256(json.dumps(papers).encode()).hexdigest()[:16]
    names = ("wheretosubmit", "torch", "captum", "fastapi", "uvicorn")
    print(", ".join(f"{name} {version(name)}" for name in names) + f", Python {platform.python_version()}")
    print(f"1 torch thread on {os.cpu_count()} cores; sha256 of the papers: {digest}\n")

    recommender = VenueRecommender(fields=("title", "abstract"), min_count=1, epochs=1).fit(papers, progress=False)
    texts = [{field: papers[field][row] for field in ("title", "abstract")} for row in range(IN_FLIGHT)]
    recommend, explain = median_seconds(
        lambda: recommender.recommend(**texts[0]), lambda: recommender.explain(**texts[0])
    )
    with serving(recommender) as url:
        latencies(url, "/api/recommend", texts[:8])
        burst = latencies(url, "/api/recommend", texts)
        questions = [{**text, "venue": "venue 3"} for text in texts[:20]]
        explained = latencies(url, "/api/explain", questions)

    tokens = papers["abstract"][0].split()
    scores = np.random.default_rng(1).normal(size=len(tokens)).tolist()
    record = visualization.VisualizationDataRecord(scores, 0.5, 1, 1, 1, 1.0, tokens, 0.0)
    hide = contextlib.redirect_stdout(io.StringIO())
    with hide:
        ours, peer = median_seconds(
            lambda: Highlight(tokens, scores).to_html(), lambda: visualization.visualize_text([record])
        )
    many, few = f"{IN_FLIGHT} papers", f"{len(explained)} papers"
    print(f"{'case':28}{'size':>12}  {'ours':>9}  {'peer':>9}  {'ratio':>6}  peer")
    rows = [
        row("explain, 50 steps: time", "1 paper", explain, recommend, "recommend"),
        row("recommend in flight: median", many, burst[IN_FLIGHT // 2], IN_FLIGHT * recommend, "calls in turn"),
        row("recommend in flight: p95", many, burst[int(0.95 * IN_FLIGHT) - 1], IN_FLIGHT * recommend, "calls in turn"),
        row("explain in flight: p95", few, explained[18], len(explained) * explain, "calls in turn"),
        row("HTML of a highlight: time", f"{len(tokens)} tokens", ours, peer, "captum"),
    ]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
