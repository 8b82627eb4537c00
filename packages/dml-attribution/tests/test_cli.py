import hashlib
import itertools
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from dml_attribution import compare_maps
from dml_attribution._cli import main

Image = pytest.importorskip("PIL.Image")

FACTORIES = """
import torch
from torch import nn

def _net(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())

def first(): return _net(0)
def second(): return _net(1)
def nothing(): return 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "factories_of_test.py").write_text(FACTORIES)
    pictures = tmp_path / "images" / "sub"
    pictures.mkdir(parents=True)
    random = np.random.default_rng(0)
    for i in range(3):
        pixels = random.integers(0, 256, (20 + i, 24, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(pictures.parent / ("sub" if i else "") / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    sys.modules.pop("factories_of_test", None)


def run(folder, name="first", out="maps", **options):
    extra = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", str(value))]
    command = ["maps", "images", "--model", f"factories_of_test:{name}", "--out", out, "--size", "16"]
    return main([*command, "--n-samples", "3", *extra])


def hashes(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.*g")} | {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.npy")
    }


def test_maps_are_written_and_resumed(folder, capsys):
    assert run(folder) == 0
    assert "3 maps in maps, 0 images could not be read" in capsys.readouterr().out
    complete = hashes(folder / "maps")
    assert sorted(complete) == [
        f"{name}.{kind}" for name in ("0.png", "sub/1.png", "sub/2.png") for kind in ("npy", "png")
    ]
    values = np.load(folder / "maps" / "sub" / "1.png.npy")
    with Image.open(folder / "maps" / "sub" / "1.png.png") as drawing:
        assert drawing.size == (16, 16)
    assert (values.shape, values.dtype, values.max()) == ((16, 16), np.float32, 1)
    # Killed after the first image, and inside the write of the second: the map is there, its drawing is not.
    kept = (folder / "maps" / "0.png.png").stat().st_mtime_ns
    (folder / "maps" / "sub" / "1.png.png").unlink()
    (folder / "maps" / "sub" / "2.png.png").unlink()
    (folder / "maps" / "sub" / "2.png.npy").unlink()
    assert run(folder) == 0
    assert hashes(folder / "maps") == complete
    assert (folder / "maps" / "0.png.png").stat().st_mtime_ns == kept


def everything(folder):
    """Return the hash of each file of a folder, hidden ones included."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def killed(delay, break_write=None):
    """Run the command in a process of its own; return whether it was killed, after ``delay`` or inside a write."""
    child = os.fork()
    if not child:
        try:
            if break_write:
                break_write()
            run(None)
        finally:
            os._exit(0)
    if not break_write:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def half_written(module, name, n_calls):
    """Return what makes the ``n_calls``-th call of a writer stop in the middle, and the process with it."""
    writer, calls = getattr(module, name), []

    def write(*arguments, **options):
        calls.append(1)
        writer(*arguments, **options)
        if len(calls) == n_calls:
            path = next(argument for argument in arguments if isinstance(argument, Path))
            os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda: setattr(module, name, write)


@pytest.mark.kills
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_ten_kills_and_reruns_end_like_an_uninterrupted_run(folder):
    random = np.random.default_rng(1)
    for i in range(20):
        Image.fromarray(random.integers(0, 256, (20, 24, 3)).astype(np.uint8)).save(folder / f"images/more{i}.png")
    for _ in range(2):  # the first one imports what is imported late
        shutil.rmtree(folder / "maps", ignore_errors=True)
        start = time.perf_counter()
        assert run(folder) == 0
        duration = time.perf_counter() - start
    complete = everything(folder / "maps")
    assert len(complete) == 2 * 23 + 1
    moments = itertools.chain(
        ((0, half_written(np, "save", n)) for n in (1, 7)),
        ((0, half_written(Image.Image, "save", n)) for n in (1, 12)),
        ((delay * duration, None) for delay in random.random(100)),
    )
    n_killed = n_leftovers = n_begun = 0
    while n_killed < 10:
        shutil.rmtree(folder / "maps")
        if not killed(*next(moments)):
            continue  # it was faster
        n_killed += 1
        begun = everything(folder / "maps") if (folder / "maps").exists() else {}
        hidden = [name for name in begun if Path(name).name.startswith(".")]
        assert {name: begun[name] for name in begun.keys() - set(hidden)}.items() <= complete.items()
        n_leftovers += bool(hidden)
        n_begun += 1 < len(begun) < len(complete)
        assert run(folder) == 0
        assert everything(folder / "maps") == complete
    assert n_leftovers >= 4  # inside a write
    assert n_begun >= 5  # those four, and some at random


def test_hidden_files_are_no_images_and_no_maps(folder, capsys):
    (folder / "images" / "._0.png").write_bytes(b"what a Mac leaves")
    (folder / "images" / ".cache").mkdir()
    (folder / "images" / ".cache" / "1.png").write_bytes(b"no image")
    for name in ("first", "second"):
        assert run(folder, name, f"out-{name}") == 0
    assert "3 maps in out-first, 0 images could not be read" in capsys.readouterr().out
    (folder / "out-first" / ".0.png-0123abcd.npy").write_bytes(b"half")
    assert main(["compare", "a=out-first", "b=out-second", "--out", "page.html"]) == 0


def test_corrupt_images_are_listed(folder, capsys):
    (folder / "images" / "broken.jpg").write_bytes(b"no image")
    whole = (folder / "images" / "0.png").read_bytes()
    (folder / "images" / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert run(folder) == 1
    captured = capsys.readouterr()
    assert "3 maps in maps, 2 images could not be read" in captured.out
    assert [line.partition(":")[0] for line in captured.err.splitlines()] == ["broken.jpg", "cut.png"]


def test_compare_reads_the_maps(folder, capsys):
    for name in ("first", "second"):
        assert run(folder, name, f"out-{name}") == 0
    command = ["compare", "a=out-first", "b=out-second", "--out", "page.html", "--json", "numbers.json"]
    assert main([*command, "--group", "all=a,b", "--metrics", "pearson", "ssim"]) == 0
    numbers = json.loads((folder / "numbers.json").read_text())
    maps = {
        name: np.stack([np.load(p) for p in sorted((folder / place).rglob("*.npy"))])
        for name, place in (("a", "out-first"), ("b", "out-second"))
    }
    expected = compare_maps([maps], names=["a", "b"], metrics=["pearson", "ssim"])
    assert numbers["n_images"] == 3
    for metric in ("pearson", "ssim"):
        np.testing.assert_allclose(numbers["mean"][metric], expected.mean[metric], atol=1e-6)
    assert f"{100 * expected.mean['pearson'][0, 1]:.2f}" in (folder / "page.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "nothing"}, "--model: expected a factory of a torch.nn.Module or an EmbeddingAttribution, got int"),
        ({"name": "missing"}, "has no attribute 'missing'"),
        ({"n_samples": 0}, "n_samples: expected a whole number of at least 1, got 0"),
        ({"seed": 1}, "--out: expected a new folder, or the settings it was begun with"),
    ],
)
def test_bad_input_is_one_line(folder, capsys, options, message):
    assert run(folder) == 0
    out = "maps" if "seed" in options else "other"
    with pytest.raises(SystemExit) as error:
        run(folder, **{"out": out, **options})
    captured = capsys.readouterr().err
    assert error.value.code == 2
    assert message in captured
    assert captured.count("\n") == 1


def test_folders_that_do_not_fit(folder, capsys):
    run(folder, "first", "a")
    run(folder, "second", "b", seed=4)
    run(folder, "second", "c")
    (folder / "c" / "0.png.npy").unlink()
    for other, message in (
        ("b", "expected the settings of a"),
        ("c", "expected maps of the images in a"),
        ("d", "no settings"),
    ):
        with pytest.raises(SystemExit):
            main(["compare", "first=a", f"second={other}", "--out", "page.html"])
        assert message in capsys.readouterr().err


def test_maps_inside_the_folder_of_images_are_no_images(folder, capsys):
    for _ in range(2):
        assert run(folder, out="images/maps") == 0
        assert "3 maps in images/maps, 0 images" in capsys.readouterr().out
