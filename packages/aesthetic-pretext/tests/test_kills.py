"""Jobs that are killed at random points go on to what an uninterrupted run has."""

import contextlib
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLS = 10


class Server:
    """The program ``killed_jobs.py``."""

    def __init__(self, photos):
        command = [sys.executable, str(Path(__file__).with_name("killed_jobs.py")), str(photos)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, job, out, *, kill_after=None):
        """Run a job; tell whether it was killed."""
        out.mkdir(exist_ok=True)
        self.process.stdin.write(f"{job} {out}\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline())
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):  # it was over
                os.kill(child, signal.SIGKILL)
        status = int(self.process.stdout.readline())
        assert status in (0, signal.SIGKILL)
        return status == signal.SIGKILL


@pytest.fixture
def server(folder):
    server = Server(folder)
    yield server
    server.process.stdin.close()
    server.process.wait()
    server.process.stdout.close()


def contents(out):
    """Return what a job wrote, without speeds."""
    files = {str(file.relative_to(out)): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}
    if "log.csv" in files:
        rows = csv.DictReader(files["log.csv"].decode().splitlines())
        files["log.csv"] = [{name: row[name] for name in row if name != "images_per_second"} for row in rows]
    files.pop("run/last.safetensors", None)  # it keeps speeds, too
    return files


@pytest.mark.kills
@pytest.mark.parametrize("job", ["make-variants", "pretrain", "finetune"])
def test_killed_at_ten_random_points(job, server, tmp_path):
    start = time.perf_counter()
    assert not server.run(job, tmp_path / "whole")
    seconds = time.perf_counter() - start
    whole, out, places = contents(tmp_path / "whole"), tmp_path / "out", random.Random(job)
    landed = 0
    while landed < KILLS:
        if server.run(job, out, kill_after=places.uniform(0, 0.6) * seconds):
            landed += 1
        else:  # it was over: compare, and begin again
            assert contents(out) == whole
            shutil.rmtree(out)
    server.run(job, out)
    assert contents(out) == whole


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(folder, tmp_path):
    command = [sys.executable, "-m", "aesthetic_pretext", "make-variants", folder, "--out", tmp_path / "shards"]
    with subprocess.Popen([*map(str, command), "--photos-per-shard", "1", "--workers", "2"]) as process:
        while not list((tmp_path / "shards").glob("*.tar")):
            assert process.poll() is None
            time.sleep(0.005)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    deadline = time.monotonic() + 30
    while any(alive(int(child)) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(children) >= 2


def alive(pid):
    """Tell whether a process runs; one that ended and that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
