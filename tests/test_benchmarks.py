import json

import pytest

from tools.benchmarks import machine, main, update

ROW = {"package": "simloss", "case": "dense", "size": "(2, 3)", "ratio": 0.987654, "target": "<= 1.5", "peer": "torch"}


def written(folder, name, *rows):
    file = folder / f"{name}.json"
    file.write_text(json.dumps(rows))
    return str(file)


def table(page, columns):
    lines = [line[1:-1].split("|") for line in page.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in lines if len(line) == columns][1:]


def test_rows_become_one_table_and_a_partial_run_keeps_the_others(tmp_path, capsys):
    other = {**ROW, "package": "mapgen", "ratio": 3, "target": ">= 4"}
    files = [written(tmp_path, "simloss", ROW, {**ROW, "case": "sparse"}), written(tmp_path, "mapgen", other)]
    assert main(files, tmp_path) == 0
    page = tmp_path / "BENCHMARKS.md"
    assert table(page, 6) == [
        ["mapgen", "dense", "(2, 3)", "3", ">= 4, missed", "torch"],
        ["simloss", "dense", "(2, 3)", "0.988", "<= 1.5", "torch"],
        ["simloss", "sparse", "(2, 3)", "0.988", "<= 1.5", "torch"],
    ]
    page.write_text(page.read_text().replace(machine(), "another machine"))
    assert main([written(tmp_path, "again", {**ROW, "ratio": 2, "target": ""})], tmp_path) == 0
    assert table(page, 6) == [
        ["mapgen", "dense", "(2, 3)", "3", ">= 4, missed", "torch"],
        ["simloss", "dense", "(2, 3)", "2", "", "torch"],
    ]
    assert [(row[0], row[2]) for row in table(page, 3)] == [("mapgen", "another machine"), ("simloss", machine())]
    assert capsys.readouterr().out.strip().endswith(page.read_text().strip())


def test_without_files_the_page_stays_and_is_printed(tmp_path, capsys):
    page = tmp_path / "BENCHMARKS.md"
    page.write_text(update("", [["simloss", "dense", "3", "1", "", "torch"]], "2026-01-01", "a machine"))
    before = page.read_text()
    assert main([], tmp_path) == 0
    assert page.read_text() == before == capsys.readouterr().out[:-1]


@pytest.mark.parametrize(
    "row",
    [
        {name: value for name, value in ROW.items() if name != "peer"},
        {**ROW, "seconds": 1},
        {**ROW, "ratio": None},
        {**ROW, "ratio": float("nan")},
        {**ROW, "target": "fast"},
        {**ROW, "case": "a | b"},
        "text",
    ],
)
def test_a_bad_row_is_refused_and_nothing_is_written(tmp_path, capsys, row):
    assert main([written(tmp_path, "bad", row)], tmp_path) == 2
    assert "bad.json: expected" in capsys.readouterr().err
    assert not (tmp_path / "BENCHMARKS.md").exists()


def test_a_benchmark_that_wrote_nothing_is_named(tmp_path, capsys):
    assert main([str(tmp_path / "silent.json")], tmp_path) == 2
    assert "silent.json: expected rows, got no such file; does the benchmark take --json?" in capsys.readouterr().err
    assert main([written(tmp_path, "empty")], tmp_path) == 2


def test_the_machine_is_told():
    assert "cores" in machine()
    assert "Python 3." in machine()
