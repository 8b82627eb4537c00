import hashlib
import io
import json
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import torch
from aesthetic_pretext import VARIANTS, _shards, suitability, variants
from aesthetic_pretext._cli import main
from aesthetic_pretext.files import contact_sheet, load_image, load_model, make_variants
from PIL import Image


def row_hashes(files):
    hashes = []
    for file in files:
        with tarfile.open(file) as archive:
            hashes += [hashlib.sha256(archive.extractfile(m).read()).hexdigest() for m in archive.getmembers()]
    return hashes


def test_shards_hold_all_variants(folder, tmp_path):
    shards = make_variants(folder, tmp_path / "out", photos_per_shard=2, size=16, num_workers=1)
    assert (len(shards.files), shards.new, shards.failed) == (3, 3, {})
    with tarfile.open(shards.files[0]) as archive:
        names = archive.getnames()
        assert len(names) == 2 * 2 * 174
        labels = json.load(archive.extractfile("000003.json"))
        image = np.asarray(Image.open(io.BytesIO(archive.extractfile("000003.png").read())))
    assert labels == {
        "path": str(folder / "0.png"), "distortion": "jpeg_compression", "level": 1, "reference": "original",
    }  # fmt: skip
    assert (image == variants(load_image(folder / "0.png"), size=16)[3].image).all()


def test_a_stopped_job_goes_on_and_equals_a_whole_one(folder, tmp_path, monkeypatch):
    (folder / "3.png").write_bytes(b"broken")
    whole = make_variants(folder, tmp_path / "whole", photos_per_shard=1, size=16, num_workers=1)
    write, count = _shards.WRITERS["webdataset"], [0]

    def stop_inside_a_write(path, rows):
        count[0] += 1
        if count[0] == 3:
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        write(path, rows)

    with monkeypatch.context() as patch:
        patch.setitem(_shards.WRITERS, "webdataset", stop_inside_a_write)
        with pytest.raises(KeyboardInterrupt):
            make_variants(folder, tmp_path / "out", photos_per_shard=1, size=16, num_workers=1)
    assert len(list((tmp_path / "out").glob("*.tar"))) == 2
    resumed = make_variants(folder, tmp_path / "out", photos_per_shard=1, size=16, num_workers=1)
    assert resumed.new == 3
    assert row_hashes(resumed.files) == row_hashes(whole.files)
    assert list(resumed.failed) == list(whole.failed) == [str(folder / "3.png")]
    assert make_variants(folder, tmp_path / "out", photos_per_shard=1, size=16, num_workers=1).new == 0
    assert make_variants(folder, tmp_path / "out", photos_per_shard=1, size=8, num_workers=1).new == 5


def test_parquet(folder, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    shards = make_variants(folder, tmp_path, format="parquet", size=16, num_workers=1)
    table = parquet.read_table(shards.files[0])
    assert table.num_rows == 5 * 174
    assert table.column("level").to_pylist()[:174] == [key.level for key in VARIANTS]


@pytest.mark.slow
def test_workers_make_the_same(folder, tmp_path):
    one, two = (make_variants(folder, tmp_path / str(n), photos_per_shard=2, size=16, num_workers=n) for n in (1, 2))
    assert row_hashes(one.files) == row_hashes(two.files)


def test_contact_sheet_shows_every_level(folder):
    image = load_image(folder / "1.png")
    sheet = np.asarray(contact_sheet(image, size=40))
    made = {(v.distortion, v.level): v.image for v in variants(image, size=40)}
    assert (sheet[32:72, 150 + 6 * 43 :][:, :40] == made["jpeg_compression", 1]).all()
    assert (sheet[32:72, 150:190] == 255).all()


def test_suitability_counts_improvements(folder):
    (folder / "4.png").write_bytes(b"broken")
    report = suitability(folder, lambda images: images.float().mean((1, 2, 3)), size=16, limit=0.4)
    assert report.improved["exposure"] == 0.5
    assert report.improved["brightness"] == 0.5
    assert list(report.failed) == [str(folder / "4.png")]
    assert len(report.per_image) == 4
    assert set(report.flagged) == {f for f, share in zip(report.files, report.per_image) if share > 0.4}
    same = suitability(folder, lambda images: torch.zeros(len(images)), size=16)
    assert set(same.improved.values()) == {0.0}
    with pytest.raises(ValueError, match="scorer: expected a function that returns 64 finite scores"):
        suitability(folder, lambda images: images, size=16)


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "aesthetic_pretext", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_whole_story_by_command(folder, tmp_path, capsys):
    def command(*arguments):
        assert main([*map(str, arguments)]) == 0
        return capsys.readouterr().out

    sheet = tmp_path / "sheet.png"
    command("render", folder / "0.png", "--out", sheet, "--size", 24)
    with Image.open(sheet) as picture:
        assert picture.size == contact_sheet(load_image(folder / "0.png"), size=24).size
    command("make-variants", folder, "--out", tmp_path / "shards", "--size", 16, "--workers", 1)
    options = ["--size", 32, "--epochs", 1, "--images-per-batch", 2, "--variants-per-image", 8]
    tasks = ["--backbone", "torchvision:mobilenet_v3_small", "--tasks", "ranking", "classification", "regression"]
    command("pretrain", folder, "--out", tmp_path / "run", *options, *tasks)
    pretext = tmp_path / "run" / "model.safetensors"
    assert load_model(pretext)[0].tasks == ("ranking", "classification", "regression")
    numbers = tmp_path / "numbers.json"
    printed = command("evaluate", pretext, "--folder", folder, "--size", 32, "--json", numbers)
    found = json.loads(numbers.read_text())
    assert len(found) == 3 + 4 * 11
    assert f"{found['accuracy style']:10.4f}  accuracy style" in printed
    ratings = tmp_path / "ratings.csv"
    (folder / "cut.png").write_bytes((folder / "0.png").read_bytes()[:100])
    ratings.write_text("image,rating\ncut.png,7\n" + "".join(f"{i}.png,{3 + i}\n" for i in range(5)))
    rated = ["--ratings", ratings, "--images", folder, "--size", 32]
    nima = tmp_path / "nima.safetensors"
    finetuning = ["finetune", pretext, *rated, "--out", nima, "--epochs", 1, "--validation-share", 0.4]
    first = command(*finetuning, "--checkpoint", tmp_path / "tuning", "--checkpoint-every", 1)
    assert (tmp_path / "tuning" / "best.safetensors").is_file()
    weights = nima.read_bytes()
    assert command(*finetuning, "--checkpoint", tmp_path / "tuning") == first
    assert nima.read_bytes() == weights
    printed = command("evaluate", nima, *rated)
    skipped, *scores = printed.splitlines()
    assert skipped.startswith(f"skipped: {folder / 'cut.png'}: cannot be read as an image")
    assert [line.split()[1] for line in scores] == ["pearson", "spearman", "accuracy", "mae"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["render", "none.png", "--out", "sheet.png"], "none.png: cannot be read"),
        (["make-variants", "none", "--out", "shards"], "folder: expected an existing folder"),
        (["pretrain", "none", "--out", "run", "--backbone", "resnet18"], "torchvision:<name>"),
        (["evaluate", "none.safetensors"], "none.safetensors"),
        (["pretrain", "none", "--out", "run", "--device", "abacus"], "--device: expected a device of this machine"),
        pytest.param(
            ["pretrain", "none", "--out", "run", "--size", "32", "--backbone", "torchvision:vit_b_16"],
            "--size: expected one that torchvision:vit_b_16 takes, got 32",
            marks=pytest.mark.slow,
        ),
        (["render", "none.png", "--out", "no/such/folder.png"], "a file in an existing folder"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    output = capsys.readouterr()
    assert message in output.err
    assert len(output.err.splitlines()) == 1


def test_a_file_that_is_no_model(tmp_path, capsys):
    (tmp_path / "x.safetensors").write_bytes(b"nonsense")
    with pytest.raises(SystemExit):
        main(["evaluate", str(tmp_path / "x.safetensors")])
    assert "a file that aesthetic-pretext wrote" in capsys.readouterr().err


@pytest.mark.slow
def test_python_m(tmp_path):
    result = run("render", tmp_path / "none.png", "--out", tmp_path / "x.png")
    assert result.returncode == 2
    assert "cannot be read as an image" in result.stderr
