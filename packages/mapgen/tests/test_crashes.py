"""A sweep survives being killed and a full disk: what counts as done is whole, and a rerun equals a run in one go."""

import os
import random
import resource
import signal
import subprocess
import sys
import time

import pytest
from mapgen import Road, Scene, grid, write_sweep
from pyarrow import parquet

KILLS, WIDTHS, OFFSETS = 10, range(3, 43), range(-40, 40, 8)
SWEEP = grid(Scene(land="park", features=[Road("trunk")]), {"roads[0].width_px": WIDTHS, "roads[0].offset": OFFSETS})


def command(folder, *options):
    vary = ["--vary", "roads[0].width_px=3:43", "--vary", "roads[0].offset=-40:40:8"]
    return [sys.executable, "-m", "mapgen", "sweep", "--scene", folder / "scene.json", *vary, "--shard-size", "8",
            "--out", folder / "killed", *options]  # fmt: skip


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scene.json").write_text(Scene(land="park", features=[Road("trunk")]).to_json())
    write_sweep(SWEEP, tmp_path / "whole", shard_size=8, progress=False)
    return tmp_path


def check_done(folder):
    """Whatever has a shard file has all its images, byte by byte."""
    whole = contents(folder / "whole")
    for shard in (folder / "killed" / "shards").glob("[!.]*.parquet"):
        for row in parquet.read_table(shard).to_pylist():
            for file in (row["image"], row["labels"]):
                assert (folder / "killed" / file).read_bytes() == whole[file]


@pytest.mark.kills
def test_killed_ten_times_a_sweep_equals_one_in_one_go(folder):
    """Killed at random places; its workers end by themselves, as the end of their output shows."""
    places = sorted(random.Random(0).sample(range(len(SWEEP) - 20), KILLS))
    landed = 0
    for place in places:
        process = subprocess.Popen(command(folder, "--workers", "2"), stdout=subprocess.PIPE)
        while process.poll() is None:
            if sum(1 for _ in (folder / "killed").glob("images/*")) > place:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.0005)
        assert process.communicate(timeout=60) == (b"", None)  # returns when no worker holds the pipe any longer
        landed += process.returncode == -signal.SIGKILL
        assert not (folder / "killed" / "manifest.parquet").exists()
        check_done(folder)
    assert landed == KILLS
    subprocess.run(command(folder, "--workers", "2"), check=True, stdout=subprocess.DEVNULL)
    assert contents(folder / "killed") == contents(folder / "whole")


@pytest.mark.parametrize("left", [[".sweep-0a1b2c3d.sha256"], ["sweep.sha256", ".style-0a1b2c3d.json"]])
def test_a_run_killed_before_its_first_image_continues(folder, left):
    (folder / "killed").mkdir()
    for name in left:
        whole = folder / "whole" / name
        (folder / "killed" / name).write_bytes(whole.read_bytes() if whole.exists() else b"half")
    write_sweep(SWEEP, folder / "killed", shard_size=8, progress=False)
    assert contents(folder / "killed") == contents(folder / "whole")


@pytest.mark.slow
@pytest.mark.parametrize(("of", "workers"), [("images", "2"), ("shards", "1")])
def test_a_disk_too_small_for_the_files_leaves_nothing_done(folder, of, workers):
    sizes = {
        kind: [path.stat().st_size for path in (folder / "whole" / kind).iterdir()] for kind in ("images", "shards")
    }
    limit = max(sizes["images"]) - 1 if of == "images" else max(sizes["images"]) + 1
    assert of == "images" or limit < min(sizes["shards"])

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # no byte code larger than the limit
    done = subprocess.run(
        command(folder, "--workers", workers),
        preexec_fn=full,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("mapgen: error: [Errno 27] File too large")
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "killed" / "manifest.parquet").exists()
    check_done(folder)
    subprocess.run(command(folder, "--workers", workers), check=True, stdout=subprocess.DEVNULL)
    assert contents(folder / "killed") == contents(folder / "whole")
