import io
import multiprocessing
import os
import pickle
import shutil
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from bgaugment import AlphaMasks, MaskStore, mask_report
from bgaugment._cli import main
from bgaugment._png import decode_grey, encode_grey
from PIL import Image


class Counting(AlphaMasks):
    """Alpha masks that count their calls and stop after some of them."""

    def __init__(self, stop_after=None):
        self.calls, self.stop_after = [], stop_after

    def __call__(self, images):
        if self.stop_after is not None and len(self.calls) >= self.stop_after:
            raise KeyboardInterrupt
        self.calls.append(len(images))
        return super().__call__(images)


def contents(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.png")}


def test_masks_come_back_and_are_found_by_content(photos, tmp_path):
    store, files = MaskStore(tmp_path / "store"), sorted(photos.rglob("*.png"))
    provider = Counting()
    computed = store.compute(files, provider)
    assert (computed.new, computed.found, computed.failed) == (6, 0, {})
    assert provider.calls == [1] * 6
    np.testing.assert_array_equal(store.load(files[2]), np.asarray(Image.open(files[2]))[..., 3])
    with Image.open(store.path(store.key(files[2]))) as mask:  # any other reader sees grey levels
        np.testing.assert_array_equal(np.asarray(mask.convert("L")), store.load(files[2]))
    moved = tmp_path / "other name.png"
    shutil.copy(files[2], moved)
    assert moved in store
    moved.write_bytes(files[2].read_bytes() + b" ")
    assert moved not in store
    with pytest.raises(KeyError, match=r"has no mask of .*other name\.png"):
        store.load(moved)
    again = store.compute(files, provider)
    assert (again.new, again.found) == (0, 6)
    assert provider.calls == [1] * 6


def test_sequences_read_masks_and_travel_to_workers(photos, tmp_path):
    store, files = MaskStore(tmp_path / "store"), sorted(photos.rglob("*.png"))
    store.compute(files, AlphaMasks(), batch_size=4)
    masks = pickle.loads(pickle.dumps(store.masks(files)))
    assert len(masks) == 6
    for file, mask in zip(files, masks):
        np.testing.assert_array_equal(mask, store.load(file))


def test_a_stopped_run_goes_on_and_gives_the_same_files(photos, tmp_path):
    files = sorted(photos.rglob("*.png"))
    whole, stopped = MaskStore(tmp_path / "whole"), MaskStore(tmp_path / "stopped")
    whole.compute(files, AlphaMasks())
    with pytest.raises(KeyboardInterrupt):
        stopped.compute(files, Counting(stop_after=2))
    assert len(contents(stopped.folder)) == 2
    assert stopped.compute(files, Counting()).found == 2
    assert contents(stopped.folder) == contents(whole.folder)


def test_a_failed_write_leaves_nothing(photos, tmp_path, monkeypatch):
    store, file = MaskStore(tmp_path / "store"), min(photos.rglob("*.png"))
    store.compute([], AlphaMasks())  # the provider's name is there

    def broken_write(path, _):
        path.write_text("half a fi")
        raise OSError("disk full")

    with monkeypatch.context() as context:
        context.setattr(Path, "write_bytes", broken_write)
        assert "disk full" in store.compute([file], AlphaMasks()).failed[str(file)]
    assert contents(store.folder) == {}
    assert store.compute([file], AlphaMasks()).new == 1


def compute(folder, files):
    MaskStore(folder).compute(files, AlphaMasks())


def test_processes_share_a_folder(photos, tmp_path):
    files = sorted(photos.rglob("*.png"))
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=compute, args=(tmp_path / "store", order)) for order in (files, files[::-1])]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    compute(tmp_path / "alone", files)
    assert contents(tmp_path / "store") == contents(tmp_path / "alone")
    assert not list((tmp_path / "store").rglob(".*"))


def run_command(arguments, killed_after=None):
    if killed_after is not None:
        threading.Timer(killed_after, os.kill, (os.getpid(), signal.SIGKILL)).start()
    main(arguments)


@pytest.mark.kills
def test_killed_at_ten_random_points_a_rerun_equals_an_uninterrupted_run(rng, tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(40):
        Image.fromarray(rng.integers(0, 256, (64, 48, 4), dtype=np.uint8)).save(tmp_path / "photos" / f"{i}.png")
    context = multiprocessing.get_context("fork")

    def start(folder, killed_after=None):
        arguments = ["masks", str(tmp_path / "photos"), "--out", str(folder), "--provider", "alpha"]
        process = context.Process(target=run_command, args=(arguments, killed_after))
        process.start()
        return process

    began = time.monotonic()
    start(tmp_path / "whole").join()
    duration = time.monotonic() - began
    expected = contents(tmp_path / "whole")
    assert len(expected) == 40
    counts = []
    for attempt in range(60):
        folder = tmp_path / str(attempt)
        victim = start(folder, rng.uniform(0, duration))
        others = [start(folder)] if attempt % 2 else []  # a second process works on the same store
        victim.join()
        if victim.exitcode == -signal.SIGKILL:
            counts.append(len(contents(folder)))
        others.append(start(folder))
        for process in others:
            process.join()
            assert process.exitcode == 0
        assert contents(folder) == expected
        if len(counts) == 10:
            break
    assert len(counts) == 10
    assert len(set(counts)) > 3, counts


@pytest.mark.parametrize("batch_size", [1, 4])
def test_broken_images_are_listed_and_the_others_done(photos, tmp_path, batch_size):
    broken = photos / "cat" / "broken.png"
    broken.write_bytes((photos / "cat" / "0.png").read_bytes()[:60])
    opaque = photos / "dog" / "opaque.png"
    Image.new("RGB", (4, 4)).save(opaque)
    gone = photos / "gone.png"
    computed = MaskStore(tmp_path / "store").compute(
        [*sorted(photos.rglob("*.png")), gone], AlphaMasks(), batch_size=batch_size
    )
    assert computed.new == 6
    assert set(computed.failed) == {str(broken), str(opaque), str(gone)}
    assert "cannot be read as an image" in computed.failed[str(broken)]
    assert "alpha channel" in computed.failed[str(opaque)]


class TooFew:
    name = "too few"

    def __call__(self, images):
        return []


def test_bad_masks_and_other_providers_are_refused(photos, tmp_path):
    store, image = MaskStore(tmp_path / "store"), np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match=r"mask: expected \(h, w\), got mask \(4, 4, 1\)"):
        store.save(image, np.zeros((4, 4, 1)))
    with pytest.raises(ValueError, match=r"mask: expected \(h, w\), got mask \(3, 4\), image \(4, 4\)"):
        store.save(image, np.zeros((3, 4)))
    with pytest.raises(TypeError, match="mask: expected a numpy array, got list"):
        store.save(image, [[0]])
    with pytest.raises(TypeError, match="provider: expected one mask per image, got 0 for 1"):
        MaskStore(tmp_path / "none").compute([image], TooFew())
    for value in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=r"mask: expected values in \[0, 1\]"):
            store.save(image, np.full((4, 4), value))
    store.compute(sorted(photos.rglob("*.png")), AlphaMasks())
    other = AlphaMasks()
    other.name = "another"
    with pytest.raises(ValueError, match=r"provider: expected 'alpha', whose masks .* has, got another"):
        store.compute([], other)


@pytest.mark.parametrize("size", [(1, 1), (7, 1), (40, 64)])
def test_stored_masks_are_ordinary_files_that_are_read_without_a_decoder(rng, size):
    levels = rng.integers(0, 256, size, dtype=np.uint8)
    file = encode_grey(levels)
    np.testing.assert_array_equal(decode_grey(file), levels)
    with Image.open(io.BytesIO(file)) as picture:
        assert picture.mode == "L"
        np.testing.assert_array_equal(np.asarray(picture), levels)
    for place in range(len(file)):
        assert decode_grey(file[:place]) is None
        assert decode_grey(file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :]) is None
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")  # filtered rows, or chunks of other sizes
    found = decode_grey(buffer.getvalue())
    assert found is None or (found == levels).all()


def test_no_stored_mask_looks_like_class_labels(tmp_path):
    store, image = MaskStore(tmp_path), np.zeros((2, 2, 3), np.uint8)
    store.save(image, np.full((2, 2), 1 / 255))
    assert store.load(image).max() == 0


def test_reports_find_suspicious_masks(tmp_path):
    images = [np.full((20, 30, 3), 10 * i, np.uint8) for i in range(5)]
    masks = [np.zeros((20, 30), np.uint8) for _ in images]
    for i, rows in enumerate((0, 20, 5, 10, 10)):
        masks[i][:rows] = 255
    masks[4][10:15] = 100
    report = mask_report(images, masks, examples=4, size=16)
    np.testing.assert_allclose(report.coverage, [0, 1, 0.25, 0.5, 0.5 + 0.25 * 100 / 255], rtol=1e-6)
    np.testing.assert_allclose(report.softness, [0, 0, 0, 0, 0.25])
    assert report.near_empty() == ["image 0"]
    assert report.near_full() == ["image 1"]
    assert report.histogram(4).tolist() == [1, 1, 2, 1]
    assert report.sheet.shape == (32, 64, 3)
    assert (report.sheet[16:, :16] == (0, 200, 0)).all()  # the first example is all background
    page = report.to_html()
    assert "<h1>5 masks</h1>" in page
    assert "Nearly empty (1)</h2><ul><li>image 0</li>" in page
    assert page != mask_report(images, [masks[0], *masks[:4]]).to_html()
    with pytest.raises(ValueError, match="masks: expected one mask for each of at least one image, got 4 for 5"):
        mask_report(images, masks[1:])
