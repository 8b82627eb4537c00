import json
import re
import subprocess
import sys

import pyarrow.parquet
import pytest
import torch
from clip_aesthetics import LinearProbe, PromptScorer
from clip_aesthetics._cli import main
from PIL import Image

COUNTS = {
    "0": [8, 1, 1, 0, 0, 0, 0, 0, 0, 0],
    "10": [0, 0, 0, 0, 0, 0, 0, 1, 1, 8],
    "4": [0, 0, 4, 4, 0, 0, 0, 0, 0, 0],
}


@pytest.fixture
def plugged(encoder, monkeypatch):
    """The option that chooses the encoder of the tests, through a module that can be imported."""
    made = []
    module = type(sys)("plugin")
    module.make = lambda path: made.append(path) or encoder
    monkeypatch.setitem(sys.modules, "plugin", module)
    yield "--encoder", "plugin:make=weights file"
    assert set(made) <= {"weights file"}


@pytest.fixture
def outputs(tmp_path):
    return tmp_path / "scores.parquet", tmp_path / "gallery.html"


def score(photos, outputs, *options):
    table, page = outputs
    assert main(["score", str(photos), "--out", str(table), "--html", str(page), *options]) == 0
    return pyarrow.parquet.read_table(table), page.read_text()


def test_score_writes_what_the_api_gives(photos, outputs, plugged, encoder, capsys):
    table, page = score(photos, outputs, *plugged)
    names = [f"below/{index}.jpg" if index % 2 else f"{index}.jpg" for index in range(12)]
    scores = PromptScorer(encoder).score([Image.open(photos / name) for name in names])
    expected = dict(zip(names, zip(scores.values.tolist(), scores.aesthetic.tolist(), scores.closest)))
    rows = table.to_pylist()
    assert {row["path"]: (row["score"], row["aesthetic"], row["closest"]) for row in rows} == expected
    assert [row["score"] for row in rows] == sorted(scores.values.tolist(), reverse=True)
    meaning = json.loads(table.schema.metadata[b"clip_aesthetics"])
    assert meaning == {"range": [-2, 2], "unit": "similarity", "higher_is_better": True, "encoder": "fake"}
    shown = re.findall(r"<b>(.*?)</b> (not )?aesthetic, (.*?)<br><small>(.*?)</small>", page)
    assert shown == [
        (f"{row['score']:.4f}", "" if row["aesthetic"] else "not ", row["path"], row["closest"]) for row in rows
    ]
    assert page.count("data:image/jpeg;base64,") == 12
    assert "cut &lt;b&gt;.jpg: expected an image that decodes" in page
    assert "<b>.jpg" not in page
    printed = capsys.readouterr()
    assert printed.out == "12 scored, 1 skipped\n"
    assert printed.err.startswith("skipped: ")


def test_a_changed_photograph_changes_its_score(photos, outputs, plugged):
    before = {row["path"]: row["score"] for row in score(photos, outputs, *plugged)[0].to_pylist()}
    Image.new("RGB", (8, 6), "red").save(photos / "4.jpg")
    after = {row["path"]: row["score"] for row in score(photos, outputs, *plugged)[0].to_pylist()}
    assert {name for name in before if before[name] != after[name]} == {"4.jpg"}


def test_modes_and_labels(photos, outputs, plugged, tmp_path):
    (tmp_path / "contexts.txt").write_text("dog\ncat\n")
    options = ["--mode", "context", "--contexts", str(tmp_path / "contexts.txt"), "--positive", "fine", "keen"]
    table, page = score(photos, outputs, *plugged, *options, "--negative", "vile")
    assert json.loads(table.schema.metadata[b"clip_aesthetics"])["range"] == [-6, 6]
    assert set(table["closest"].to_pylist()) <= {
        f"a {label} picture, of a #{context}" for label in ("fine", "keen", "vile") for context in ("dog", "cat")
    }
    assert "range -6 to 6" in page


def test_fit_and_score_with_the_probe(photos, outputs, plugged, tmp_path, capsys, encoder):
    votes, probe_file = tmp_path / "votes.csv", tmp_path / "probe.safetensors"
    counts = COUNTS | {
        "2": COUNTS["0"],
        "6": COUNTS["4"],
        "8": COUNTS["10"],
        "gone": COUNTS["0"],
        "cut <b>": COUNTS["0"],
    }
    votes.write_text("".join(f"{name},{','.join(map(str, row))}\n" for name, row in counts.items()))
    assert main(["fit", str(votes), str(photos), "--out", str(probe_file), *plugged]) == 0
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()[1:4]] == ["majority", "prompts", "linear"]
    assert printed.out.splitlines()[-1] == "6 training images (no --test)"
    assert len(printed.err.splitlines()) == 2
    probe = LinearProbe.load(probe_file, encoder=encoder)
    assert probe.fitted().n_samples == 6
    table, page = score(photos, outputs, *plugged, "--probe", str(probe_file))
    row = next(row for row in table.to_pylist() if row["path"] == "4.jpg")
    assert row["score"] == pytest.approx(probe.predict([Image.open(photos / "4.jpg")]).item())
    assert "closest" not in table.column_names
    assert "Score: rating" in page
    assert main(["fit", str(votes), str(photos), "--test", str(votes), "--out", str(probe_file), *plugged]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "6 test images"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"photos": "none"}, "none: expected a folder with images"),
        ({"--out": "none/scores.parquet"}, "expected a file in an existing folder, got none"),
        ({"--encoder": "plugin:other=x"}, "--encoder: expected MODULE:NAME"),
        ({"--encoder": "no_such_module:f=x"}, "No module named 'no_such_module'"),
        ({"--encoder": "none"}, "folder: expected a folder with open_clip_config.json that has a model_cfg"),
        ({"--probe": "none"}, "path: expected a file, got"),
        ({"--mode": "other"}, "invalid choice: 'other'"),
        ({"--contexts": "none", "--mode": "context"}, "No such file or directory"),
    ],
)
def test_bad_input_is_one_line(photos, outputs, plugged, tmp_path, monkeypatch, capsys, change, message):
    monkeypatch.chdir(tmp_path)
    options = {"photos": "photos", "--out": "scores.parquet", plugged[0]: plugged[1]} | change
    arguments = ["score", options.pop("photos"), *(part for pair in options.items() for part in pair)]
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("clip-aesthetics")
    assert error.count("\n") == 1


def test_no_image_that_decodes(tmp_path, plugged, capsys):
    (tmp_path / "a.jpg").write_bytes(b"no jpeg")
    with pytest.raises(SystemExit):
        main(["score", str(tmp_path), "--out", str(tmp_path / "s.parquet"), *plugged])
    assert "expected at least one image that decodes, got" in capsys.readouterr().err
    assert not (tmp_path / "s.parquet").exists()


def test_one_photograph(photos, outputs, plugged):
    table, _ = score(photos / "2.jpg", outputs, *plugged)
    assert table["path"].to_pylist() == ["2.jpg"]
    assert torch.isfinite(torch.tensor(table["score"].to_pylist())).all()


@pytest.mark.slow
def test_module_runs():
    result = subprocess.run(
        [sys.executable, "-m", "clip_aesthetics", "--help"], capture_output=True, text=True, check=True
    )
    assert "score" in result.stdout
