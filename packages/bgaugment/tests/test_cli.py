import json
import os

import cv2
import numpy as np
import pytest
from bgaugment import MaskStore
from bgaugment._cli import main
from PIL import Image


@pytest.fixture
def store(photos, tmp_path):
    assert main(["masks", str(photos), "--out", str(tmp_path / "store"), "--provider", "alpha"]) == 0
    return MaskStore(tmp_path / "store")


def printed(capsys, *arguments):
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    return code, json.loads(capsys.readouterr().out)


def test_masks_are_computed_once_and_reported(photos, tmp_path, capsys):
    arguments = ["masks", photos, "--out", tmp_path / "store", "--provider", "alpha", "--json", "--shard"]
    assert printed(capsys, *arguments, "0/2") == (0, {"new": 3, "found": 0, "failed": {}})
    code, result = printed(capsys, *arguments, "0/1", "--report", tmp_path / "page.html", "--batch-size", "2")
    assert (code, result["new"], result["found"]) == (0, 3, 3)
    assert result["near_empty"] == []
    assert "<h1>6 masks</h1>" in (tmp_path / "page.html").read_text()


def test_classical_folder_and_own_providers(photos, tmp_path, capsys, monkeypatch):
    (tmp_path / "mine.py").write_text("from bgaugment import AlphaMasks\ndef make():\n    return AlphaMasks()\n")
    monkeypatch.syspath_prepend(tmp_path)
    for i, provider in enumerate(["classical", "mine:make"]):
        code, result = printed(capsys, "masks", photos, "--out", tmp_path / str(i), "--provider", provider, "--json")
        assert (code, result["new"]) == (0, 6)
    alpha = MaskStore(tmp_path / "1")
    for file in photos.rglob("*.png"):
        target = tmp_path / "folder" / file.relative_to(photos)
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(alpha.load(file)).save(target)
    assert (
        main(["masks", str(photos), "--out", str(tmp_path / "2"), "--provider", f"folder:{tmp_path / 'folder'}"]) == 0
    )
    for file in photos.rglob("*.png"):
        np.testing.assert_array_equal(MaskStore(tmp_path / "2").load(file), alpha.load(file))
        assert (MaskStore(tmp_path / "0").load(file) > 127).sum() == pytest.approx(400, rel=0.2)


def test_broken_images_are_named_and_the_exit_code_says_so(photos, store, tmp_path, capsys):
    (photos / "cat" / "broken.png").write_bytes(b"broken")
    assert main(["masks", str(photos), "--out", str(store.folder), "--provider", "alpha"]) == 1
    output = capsys.readouterr()
    assert "0 new, 6 found, 1 failed" in output.out
    assert "broken.png: cannot be read" in output.err
    preview = ["preview", photos, "--masks", store.folder, "--out", tmp_path / "sheet.png", "--json"]
    code, result = printed(capsys, *preview)
    assert code == 1
    assert list(result["failed"]) == [str(photos / "cat" / "broken.png")]


def test_broken_images_masks_of_other_sizes_and_damaged_masks_are_listed(photos, store, tmp_path, capsys):
    masks = tmp_path / "folder"
    for file in sorted(photos.rglob("*.png")):
        (masks / file.parent.name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(store.load(file)).save(masks / file.parent.name / file.name)
    broken, other = photos / "cat" / "0.png", photos / "dog" / "1.png"
    broken.write_bytes(broken.read_bytes()[:80])
    Image.new("L", (3, 4)).save(masks / "dog" / "1.png")
    arguments = ["masks", photos, "--out", tmp_path / "new", "--provider", f"folder:{masks}", "--json"]
    code, result = printed(capsys, *arguments)
    assert (code, result["new"]) == (1, 4)
    assert "cannot be read" in result["failed"][str(broken)]
    assert "mask: expected (h, w), got mask (4, 3), image (40, 48)" in result["failed"][str(other)]
    new, damaged = MaskStore(tmp_path / "new"), photos / "dog" / "3.png"
    new.path(new.key(damaged)).write_bytes(b"broken")
    code, result = printed(capsys, *arguments, "--report", tmp_path / "page.html", "--threads", 1)
    assert (code, result["found"]) == (1, 4)
    assert set(result["failed"]) == {str(broken), str(other), str(damaged)}
    assert "<h1>3 masks</h1>" in (tmp_path / "page.html").read_text()


def test_threads_reach_the_network_and_opencv(photos, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "bgaugment._cli.onnx_network", lambda path, threads: seen.append(threads) or (lambda x: x[:, :1])
    )
    (tmp_path / "network.onnx").write_bytes(b"")
    cv2.setNumThreads(3)
    for provider in ("classical", f"u2net:{tmp_path / 'network.onnx'}"):
        out = tmp_path / provider[:3]
        assert main(["masks", str(photos), "--out", str(out), "--provider", provider, "--threads", "1"]) == 0
    assert cv2.getNumThreads() == 1
    assert seen == [1]


def test_preview_shows_other_backgrounds(photos, store, tmp_path, capsys):
    arguments = ["preview", photos, "--masks", store.folder, "--n", 4, "--size", 32, "--json", "--out"]
    code, result = printed(capsys, *arguments, tmp_path / "a.png")
    assert code == 0
    assert len(result["images"]) == 4
    sheet = np.asarray(Image.open(tmp_path / "a.png"))
    assert sheet.shape == (64, 128, 3)
    assert (sheet[16, :32] == sheet[48, :32]).all(-1).sum() >= 10  # the same foreground
    assert (sheet[0, :32] != sheet[32, :32]).any()  # another background
    printed(capsys, *arguments, tmp_path / "b.png", "--seed", 1)
    assert (np.asarray(Image.open(tmp_path / "b.png")) != sheet).any()


def test_gap_prints_the_numbers_of_the_function(photos, store, tmp_path, capsys, monkeypatch):
    (tmp_path / "models.py").write_text("def mean():\n    return lambda images: images.mean((2, 3))\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pool").mkdir()
    for i in range(4):
        Image.new("RGB", (20, 20), (60 * i, 0, 255 - 60 * i)).save(tmp_path / "pool" / f"{i}.png")
    arguments = ["gap", photos, "--masks", store.folder, "--model", "models:mean", "--repeats", 2, "--json"]
    code, result = printed(capsys, *arguments, "--pool", tmp_path / "pool")
    assert code == 0
    assert result["images"] == 6
    assert result["mean"] == pytest.approx(np.mean(result["corrupted"]))
    assert printed(capsys, *arguments, "--pool", tmp_path / "pool")[1] == result
    assert printed(capsys, *arguments)[1]["corrupted"] != result["corrupted"]


def test_gap_wants_a_folder_for_each_class(photos, store, capsys):
    with pytest.raises(SystemExit):
        main(["gap", str(photos / "cat"), "--masks", str(store.folder), "--model", "x:y"])
    assert "images: expected a subfolder for each class, got 0.png outside of any" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["masks", "nowhere", "--out", "x"], "folder: expected an existing folder, got nowhere"),
        (["masks", ".", "--out", "x", "--shard", "2/2"], "--shard: expected K/N"),
        (
            ["masks", "PHOTOS", "--out", "x", "--batch-size", "0"],
            "--batch-size: expected a whole number of at least 1, got 0",
        ),
        (["masks", "PHOTOS", "--out", "x", "--threads", "-1"], "--threads: expected"),
        (["preview", "PHOTOS", "--masks", "x", "--out", "y.png", "--n", "0"], "--n: expected a whole number"),
        (["masks", "PHOTOS", "--out", "x", "--provider", "magic"], "--provider: expected MODULE:NAME"),
        (["masks", "PHOTOS", "--out", "x", "--provider", "u2net:none.onnx"], "path: expected an ONNX file"),
        (["preview", "PHOTOS", "--masks", "x", "--out", "y.png"], "images: expected images with masks"),
        (["gap", "PHOTOS", "--masks", "x"], "required: --model"),
        (["gap", "PHOTOS", "--masks", "x", "--model", "m", "--repeats", "0"], "--repeats: expected a whole number"),
        (["masks", "", "--out", "x"], "images: expected a path, got nothing"),
        (["masks", "PHOTOS", "--out", "x", "--threads", "9" * 30], "--threads: expected a whole number from 0 to 1024"),
        (["masks", "PHOTOS", "--out", "x", "--shard", "²/3"], "--shard: expected K/N"),
        (["preview", "PHOTOS", "--masks", "x", "--out", "y.png", "--size", "9" * 30], "--size: expected a whole"),
        (["preview", "PHOTOS", "--masks", "x", "--out", "y"], "--out: expected the name of an image file"),
        ([], "required: {masks,preview,gap}"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(photos, capsys, arguments, message):
    with pytest.raises(SystemExit) as stopped:
        main([str(photos) if a == "PHOTOS" else a for a in arguments])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_device_that_is_not_here_is_an_error(photos, store, monkeypatch, capsys):
    monkeypatch.setattr("bgaugment._cli.import_name", lambda *_: lambda: lambda x: x.mean((2, 3)))
    with pytest.raises(SystemExit) as stopped:
        main(["gap", str(photos), "--masks", str(store.folder), "--model", "m:f", "--device", "cuda:99"])
    assert stopped.value.code == 2
    assert "device: expected a torch device of this machine, got cuda:99\n" in capsys.readouterr().err


def test_masks_of_other_sizes_or_of_labels_are_skipped_by_name(photos, store, tmp_path, capsys):
    other, labels = photos / "cat" / "0.png", photos / "dog" / "1.png"
    Image.new("L", (3, 4)).save(store.path(store.key(other)))
    Image.fromarray(np.eye(40, 48, dtype=np.uint8)).save(store.path(store.key(labels)))
    code, result = printed(capsys, "preview", photos, "--masks", store.folder, "--out", tmp_path / "x.png", "--json")
    assert code == 1
    assert result["failed"][str(other)] == "mask: expected (h, w), got mask (4, 3), image (40, 48)"
    assert "got at most 1" in result["failed"][str(labels)]


def test_pipes_and_folders_named_like_images_are_not_read(photos, tmp_path, capsys):
    os.mkfifo(photos / "pipe.png")
    (photos / "folder.png").mkdir()
    (photos / "nowhere.png").symlink_to("nowhere")
    code, result = printed(capsys, "masks", photos, "--out", tmp_path / "store", "--provider", "alpha", "--json")
    assert (code, result["new"], list(result["failed"])) == (1, 6, [str(photos / "nowhere.png")])
