import csv
import shutil
import stat
import sys

import numpy as np
import pytest
from aesthetic_pretext import DISTORTIONS, darktable
from aesthetic_pretext._cli import main
from aesthetic_pretext._darktable_table import structural_similarity
from skimage.metrics import structural_similarity as reference_similarity

# A program that does what darktable-cli does with a folder: here it halves all values, whatever the sidecar says.
PROGRAM = """#!{python}
import sys
from pathlib import Path
from PIL import Image
source, target = map(Path, sys.argv[1:3])
assert len(list(source.glob("*.png.xmp"))) == len(list(source.glob("*.png")))
for file in source.glob("*.png"):
    {act}
"""
HALVE = 'Image.open(file).point(lambda value: value // 2 if "+0" not in file.name else value).save(target / file.name)'


@pytest.fixture
def install(tmp_path, monkeypatch):
    def write(act):
        program = tmp_path / "bin" / "darktable-cli"
        program.parent.mkdir(exist_ok=True)
        program.write_text(PROGRAM.format(python=sys.executable, act=act))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(program.parent))
        assert shutil.which("darktable-cli") == str(program)

    return write


def test_without_the_program_it_says_what_to_install(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="darktable-cli is not installed: apt-get install darktable"):
        darktable.distort(small, "tint", 1)
    with pytest.raises(ValueError, match="distortion: expected one of brightness, contrast"):
        darktable.distort(small, "rotation", 1)
    with pytest.raises(ValueError, match=r"level: expected one of \(0, -2"):
        darktable.distort(small, "vibrance", 5)


def test_every_image_and_step_in_one_run(small, install):
    install(HALVE)
    grey = small[..., 0]
    first, second = darktable.develop([small, grey], [("tint", 0), ("vibrance", -2)])
    assert (first[0] == small).all()
    assert (first[1] == small // 2).all()
    assert second[1].shape == grey.shape
    assert darktable.develop([small], []) == [[]]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        ("sys.exit('no display')", "darktable-cli failed with exit code 1: no display"),
        ("print('module `colisa` version mismatch')", "failed with exit code 0: module `colisa` version mismatch"),
        ("pass", r"made nothing of image 0 contrast \+1"),
        ("Image.open(file).resize((2, 2)).save(target / file.name)", r"made \(2, 2\) of image 0"),
    ],
)
def test_what_the_program_says_is_in_the_error(act, message, small, install):
    install(act)
    with pytest.raises(OSError, match=message):
        darktable.distort(small, "contrast", 1)


def test_the_table_has_the_numbers(folder, install, tmp_path, capsys):
    install(HALVE)
    (folder / "2.png").write_bytes(b"broken")
    files = [str(folder / f"{number}.png") for number in (0, 1, 2)]
    assert main(["compare-darktable", *files, "--out", str(tmp_path / "table.csv"), "--size", "24"]) == 0
    printed = capsys.readouterr().out
    assert "81 levels on 2 photographs" in printed
    assert "2.png: cannot be read as an image" in printed
    found = darktable.compare(files, size=24)
    assert list(found.failed) == files[2:]
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["psnr"]) for row in rows] == pytest.approx([row.psnr for row in found.rows], abs=1e-4)
    levels = {name: [row for row in found.rows if row.distortion == name] for name in darktable.STYLES}
    assert {name: tuple(row.level for row in part) for name, part in levels.items()} == {
        name: DISTORTIONS[name].levels for name in darktable.STYLES
    }
    darker, lighter = ([row.same_direction for row in levels["exposure"] if row.level * s > 0] for s in (-1, 1))
    assert (set(darker), set(lighter)) == ({1.0}, {0.0})
    assert found.summary()["exposure"].psnr == np.median([row.psnr for row in levels["exposure"]])


def test_a_failure_names_the_photograph(folder, install, tmp_path, capsys):
    install("sys.exit('out of memory')")
    with pytest.raises(SystemExit) as error:
        main(["compare-darktable", str(folder), "--out", str(tmp_path / "table.csv")])
    assert error.value.code == 2
    assert "0.png: darktable-cli failed with exit code 1: out of memory" in capsys.readouterr().err
    assert not (tmp_path / "table.csv").exists()
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(ValueError, match="source: expected a photograph that can be read"):
        darktable.compare([tmp_path / "x.png"])


def test_structural_similarity_is_that_of_scikit_image(photographs):
    first, second = photographs[0], DISTORTIONS["gaussian_noise"].distort(photographs[0], 1)
    lumas = [np.rint(image @ [0.299, 0.587, 0.114]) for image in (first, second)]
    expected = reference_similarity(
        *lumas, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    assert structural_similarity(first, second) == pytest.approx(expected, abs=0.02)
    assert structural_similarity(first, first) == pytest.approx(1)
