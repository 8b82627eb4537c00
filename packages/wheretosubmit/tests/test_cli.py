import csv
import json
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from wheretosubmit import VenueRecommender
from wheretosubmit._cli import main


@pytest.fixture
def csv_file(papers, tmp_path):
    path = tmp_path / "papers.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([list(papers), *zip(*papers.values())])
    return str(path)


def test_train_then_evaluate(csv_file, tmp_path, capsys):
    folder = str(tmp_path / "model")
    command = ["train", csv_file, "--out", folder, "--fields", "title", "abstract", "--epochs", "2", "--test", "0.2"]
    assert main(command) == 0
    first, header, row = capsys.readouterr().out.splitlines()
    assert first == "18 test papers, 3 venues"
    assert header.split() == ["Accuracy", "Acc@5", "MRR"]
    assert row.split()[0] == "model"
    assert main(["evaluate", csv_file, "--model", folder, "--json"]) == 0
    expected = VenueRecommender.load(folder).evaluate(csv_file).to_dict()
    assert json.loads(capsys.readouterr().out) == expected


def test_recommend_prints_what_the_recommender_says(model_folder, recommender, capsys):
    command = ["recommend", "--model", str(model_folder), "--title", "robot gripper", "-k", "2"]
    expected = recommender.recommend(title="robot gripper", k=2)
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{score:7.1%}  {venue}" for venue, score in expected]
    assert main([*command, "--explain"]) == 0
    (explanation,) = recommender.explain(title="robot gripper")
    assert capsys.readouterr().out.splitlines()[5] == f"title: {explanation.highlights['title'].to_ansi()}"
    assert main([*command, "--explain", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(one["venue"], one["score"]) for one in document["venues"]] == expected
    assert [(one["word"], pytest.approx(one["score"])) for one in document["words"]] == explanation.words()


def test_any_field_by_name(model_folder, capsys):
    assert main(["recommend", "--model", str(model_folder), "--field", "abstract", "robot gripper", "-k", "1"]) == 0
    assert "ICRA" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["recommend", "--model", "{none}", "--title", "x"], "No such file"),
        (["recommend", "--model", "{model}"], "text: expected at least one of"),
        (["recommend", "--model", "{model}", "--keywords", "x"], "text: expected fields out of ['title', 'abstract']"),
        (["recommend", "--model", "{model}", "--title", "robot", "-k", "0"], "k: expected a positive integer, got 0"),
        (
            ["train", "{csv}", "--out", "{none}"],
            "expected a column 'keywords', got the columns ['title', 'abstract', 'v",
        ),
        (["train", "{csv}", "--out", "{none}", "--test", "2"], "--test: expected a share from 0 to below 1, got 2.0"),
        (["train", "{none}", "--out", "{none}"], "expected a .parquet, .csv or .jsonl file"),
        (["evaluate", "{csv}"], "the following arguments are required: --model"),
        (["serve", "--model", "{none}"], "No such file"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(command, message, csv_file, model_folder, tmp_path, capsys):
    places = {"none": tmp_path / "none", "model": model_folder, "csv": csv_file}
    with pytest.raises(SystemExit) as caught:
        main([part.format(**places) for part in command])
    error = capsys.readouterr().err
    assert caught.value.code == 2
    assert error.startswith("wheretosubmit")
    assert error.count("\n") == 1
    assert message in error


def test_serve_starts_from_the_command_line(model_folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "wheretosubmit", "serve", "--model", str(model_folder), "--port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().split()[0]
            for _ in range(300):
                try:
                    with urllib.request.urlopen(f"{url}/api/model") as answer:
                        assert json.load(answer)["fields"] == ["title", "abstract"]
                    break
                except OSError:
                    time.sleep(0.1)
            else:
                pytest.fail("no answer")
        finally:
            server.terminate()
