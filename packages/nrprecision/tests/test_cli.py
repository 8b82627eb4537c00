import csv
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.metadata import entry_points

import numpy as np
import pandas
import pytest
from nrprecision import check_independence, normalized_r_precision
from nrprecision._cli import main


class Report(HTMLParser):
    """Cells of the table, widths of the bars and the notes of a page."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.widths, self.notes, self.inside = [], [], [], None
        self.feed(page)
        self.table = {row[0]: dict(zip(self.rows[0], row)) for row in self.rows[1:]}

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = self.rows[-1]
        elif tag == "li":
            self.notes.append("")
            self.inside = self.notes
        elif "style" in dict(attrs):
            self.widths.append(float(re.search(r"width:([\d.]+)%", dict(attrs)["style"])[1]))

    def handle_endtag(self, tag):
        if tag in ("td", "th", "li"):
            self.inside = None

    def handle_data(self, data):
        if self.inside is not None:
            self.inside[-1] += data


@pytest.fixture
def write(tmp_path):
    """Write embeddings and properties to files and return their paths."""

    def files(embeddings, columns, suffix=".csv"):
        array, table = tmp_path / "embeddings.npy", tmp_path / f"properties{suffix}"
        np.save(array, embeddings)
        if suffix == ".parquet":
            pandas.DataFrame(columns).to_parquet(table)
        else:
            with table.open("w", newline="") as file:
                csv.writer(file).writerows([list(columns), *zip(*columns.values())])
        return str(array), str(table)

    return files


@pytest.fixture
def data(write, embed, properties):
    return write(embed(), properties)


@pytest.fixture
def run(write, tmp_path, capsys):
    """Run the command on data and return the parsed page, the parsed JSON and what it printed."""

    def report(embeddings, columns, *options, suffix=".csv"):
        page, numbers = tmp_path / "report.html", tmp_path / "scores.json"
        arguments = [*write(embeddings, columns, suffix), "--out", str(page), "--json", str(numbers), *options]
        assert main(["report", *arguments]) == 0
        return Report(page.read_text()), json.loads(numbers.read_text()), capsys.readouterr()

    return report


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_page_and_json_hold_the_numbers_of_the_function(run, embed, properties, suffix):
    page, document, printed = run(embed(), properties, suffix=suffix)
    scores = normalized_r_precision(embed(), properties)
    assert document["properties"] == scores.to_dict()
    assert (document["n"], document["d"], document["null"]) == (120, 14, "binomial")
    assert [row[0] for row in page.rows[1:]] == [name for name, _ in scores.ranking()]
    for i, name in enumerate(scores.names):
        row = page.table[name]
        assert row["NR-Precision"] == f"{scores.nr_precision[i]:z.3f}"
        assert row["R-Precision"] == f"{scores.r_precision[i]:z.4f}"
        assert row["chance"] == f"{scores.expected[i]:z.4f}"
        assert row["perfect NR"] == f"{scores.maximum[i]:z.3f}"
        assert row["exact z"] == f"{scores.z_exact[i]:z.3f}"
        assert row["significant"] == ("yes" if scores.significant()[i] else "no")
        assert row["queries"] == "120"
    expected = [100 * max(0, value) / scores.nr_precision.max() for _, value in scores.ranking()]
    np.testing.assert_allclose(page.widths, expected, atol=0.051)
    assert printed.out.split("\n")[0].split() == [f"{scores.ranking()[0][1]:z.3f}", "car", "<b>"]


def test_page_is_self_contained_and_escaped(run, tmp_path, embed, properties):
    run(embed(), properties)
    page = (tmp_path / "report.html").read_text()
    assert "car &lt;b&gt;" in page
    assert "sun &amp; sky" in page
    assert not re.search(r"(src|href)=|@import|url\(|<script", page)


def test_one_changed_property_changes_its_numbers_only(run, embed, properties):
    before, _, _ = run(embed(), properties)
    flipped = {**properties, "rotation": properties["rotation"][::-1]}
    after, _, _ = run(embed(), flipped)
    changed = {name for name in before.table if before.table[name] != after.table[name]}
    assert changed == {"rotation"}


def test_one_changed_embedding_changes_the_report(run, embed, properties):
    _, before, _ = run(embed(), properties)
    moved = embed()
    moved[0] = moved[-1] + 5
    _, after, _ = run(moved, properties)
    assert before["properties"]["car <b>"]["nr_precision"] != after["properties"]["car <b>"]["nr_precision"]


def test_options_reach_the_function(run, embed, properties):
    options = ["--distance", "cosine", "--null", "hypergeometric", "--queries", "50", "--seed", "7"]
    page, document, _ = run(embed(), properties, *options, "--permutations", "19")
    scores = normalized_r_precision(
        embed(), properties, distance="cosine", null="hypergeometric", queries=50, seed=7, permutations=19
    )
    assert document["properties"] == scores.to_dict()
    assert page.table["rotation"]["p-value"] == f"{scores.p_value[1]:z.4f}"
    assert page.table["rotation"]["queries"] == str(scores.used[1])
    assert any("distance cosine" in note and "seed 7" in note for note in page.notes)


def test_notes_name_what_was_left_out_and_what_is_confounded(run, embed, properties):
    gaps = ["" if i < 10 else str(value) for i, value in enumerate(properties["rotation"])]
    paint = [car if i % 4 else "none" for i, car in enumerate(properties["car <b>"])]
    columns = {"car <b>": properties["car <b>"], "rotation": gaps, "paint": paint}
    page, document, printed = run(embed(), columns)
    missing = [value or None for value in gaps]
    assert document["properties"] == normalized_r_precision(embed(), {**columns, "rotation": missing}).to_dict()
    assert "'rotation': 10 items have no value; 10 of 120 queries were left out" in page.notes[2]
    with pytest.warns(UserWarning, match="confounded"):
        table = check_independence(columns)
    assert page.notes[3:] == table.describe()
    assert page.notes[2:] == document["notes"]
    assert printed.err == ""


def test_columns_choose_properties(run, embed, properties):
    identified = {"id": [f"image {i}" for i in range(120)], **properties}
    _, document, _ = run(embed(), identified, "--columns", "sun & sky", "car <b>")
    assert list(document["properties"]) == ["sun & sky", "car <b>"]


def test_embeddings_are_memory_mapped(run, embed, properties, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "nrprecision._cli.normalized_r_precision",
        lambda embeddings, *args, **kwargs: (
            seen.append(embeddings) or normalized_r_precision(embeddings, *args, **kwargs)
        ),
    )
    run(embed(), properties)
    assert isinstance(seen[0], np.memmap)


def test_console_script_and_module_are_the_command(data, tmp_path):
    (script,) = entry_points(group="console_scripts", name="nrprecision")
    assert script.load() is main
    arguments = [*data, "--out", str(tmp_path / "new.html")]
    command = [sys.executable, "-m", "nrprecision", "report", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(Report((tmp_path / "new.html").read_text()).rows) == 4


def test_bad_input_is_one_line_and_exit_code_two(data, tmp_path, capsys, without):
    array, table = data
    out = str(tmp_path / "report.html")
    vector, objects, broken = (tmp_path / name for name in ("vector.npy", "objects.npy", "broken.npy"))
    np.save(vector, np.zeros(3))
    np.save(objects, np.array([{}]), allow_pickle=True)
    broken.write_bytes(b"")
    files = {
        "empty.csv": "",
        "ragged.csv": "a,b\n1,2\n1\n",
        "twice.csv": "a,a\n1,2\n",
        "quote.csv": 'a\n"1',
        "constant.csv": "a\n" + "1\n" * 120,
        "short.csv": "a\n1\n1\n2\n",
        "unique.csv": "identifier\n" + "\n".join(map(str, range(120))),
        "table.xlsx": "",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    path = {name: str(tmp_path / name) for name in files}
    cases = [
        (["report", array, table], "the following arguments are required: --out"),
        (["report", array, table, "--out", out, "--distance", "manhattan"], "--distance: invalid choice: 'manhattan'"),
        ([], "the following arguments are required: {report}"),
        (["report", str(tmp_path / "none.npy"), table, "--out", out], "No such file"),
        (["report", str(vector), table, "--out", out], "expected one array (n, d), got (3,)"),
        (["report", str(objects), table, "--out", out], "a .npy file with numbers"),
        (["report", str(broken), table, "--out", out], "a .npy file with numbers"),
        (["report", table, table, "--out", out], "a .npy file with numbers"),
        (["report", array, path["empty.csv"], "--out", out], "a CSV file in UTF-8 with a header"),
        (["report", array, array, "--out", out], "expected a .csv or .parquet file, got suffix '.npy'"),
        (["report", array, path["table.xlsx"], "--out", out], "expected a .csv or .parquet file"),
        (["report", array, path["ragged.csv"], "--out", out], "record 3: expected 2 fields, got 1"),
        (["report", array, path["twice.csv"], "--out", out], "columns with different names"),
        (["report", array, path["quote.csv"], "--out", out], "a CSV file in UTF-8 with a header"),
        (
            ["report", array, path["constant.csv"], "--out", out],
            "properties['a']: expected at least two different values",
        ),
        (["report", array, path["short.csv"], "--out", out], "properties['a']: expected one label per embedding"),
        (
            ["report", array, path["unique.csv"], "--out", out],
            "properties['identifier']: expected values that two items",
        ),
        (["report", array, table, "--out", out, "--columns", "wheel"], "--columns: expected names out of"),
        (["report", array, table, "--out", str(tmp_path)], "a file in an existing folder"),
        (
            ["report", array, table, "--out", out, "--json", str(tmp_path / "no" / "x.json")],
            "a file in an existing folder",
        ),
    ]
    for arguments, message in cases:
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        printed = capsys.readouterr()
        assert stopped.value.code == 2, arguments
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        assert message in printed.err
        assert not (tmp_path / "report.html").exists()
    without("pyarrow", "pyarrow.parquet")
    with pytest.raises(SystemExit):
        main(["report", array, str(tmp_path / "properties.parquet"), "--out", out])
    assert 'pip install "nrprecision[cli]"' in capsys.readouterr().err


def test_a_failed_run_leaves_the_old_report(write, tmp_path, embed, properties):
    (tmp_path / "report.html").write_text("old")
    array, table = write(embed()[:50], properties)
    with pytest.raises(SystemExit):
        main(["report", array, table, "--out", str(tmp_path / "report.html")])
    assert (tmp_path / "report.html").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "embeddings.npy", "properties.csv"}


def test_a_terminal_shows_a_progress_bar_and_a_file_does_not(run, embed, properties, monkeypatch):
    assert run(embed(), properties)[2].err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert "nrprecision: " in run(embed(), properties)[2].err
