import base64
import io
import re
import subprocess
import sys

import pytest
from indirect import InDiReCT, _cli
from PIL import Image


@pytest.fixture
def run(encoder, monkeypatch, capsys):
    """Run the command with the tiny encoder; return exit code, output and errors."""
    monkeypatch.setattr(_cli, "OfflineEncoder", lambda _: encoder)

    def call(*arguments):
        try:
            code = _cli.main([str(argument) for argument in arguments])
        except SystemExit as error:
            code = error.code
        return code, *capsys.readouterr()

    return call


def test_fit_embed_and_search(run, tmp_path, photographs, encoder):
    (tmp_path / "colours.txt").write_text("red\ngreen\nblue\nyellow\npink\n")
    notion, store, page = tmp_path / "colour <b>.safetensors", tmp_path / "store", tmp_path / "found.html"
    code, out, _ = run("fit", tmp_path / "colours.txt", "--template", "a {} car", "--encoder", "e", "-o", notion)
    assert code == 0
    loaded = InDiReCT.load(notion)
    assert loaded.prompts_[0] == "a red car"
    assert f"5 prompts, {loaded.n_components_} components, loss {loaded.loss_:.4f}" in out
    code, out, err = run("embed", photographs, "--encoder", "e", "-o", store)
    assert (code, "4 images, 1 skipped" in out) == (0, True)
    assert err.startswith("skipped ")
    query = photographs / "a <1>.png"
    search = ("search", query, "--notion", notion, "--store", store, "--encoder", "e", "-k", 2, "-o", page)
    code, out, _ = run(*search)
    assert code == 0
    lines = [line.split("\t") for line in out.splitlines()]
    assert [line[2].rpartition("/")[2] for line in lines] == ["a <1>.png", "d <1>.png"]  # both are red
    content = page.read_text()
    assert "<1>" not in content
    assert "colour <b>" not in content
    assert re.findall(r"<b>([\d.]+)</b>", content) == [line[1] for line in lines]
    embedded = re.findall(r"base64,([^\"]+)", content)
    assert len(embedded) == 3
    assert Image.open(io.BytesIO(base64.b64decode(embedded[0]))).size == (12, 8)
    code, out, _ = run(*search[:-3], 3, "-o", page)
    assert len(out.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required"),
        (["fit", "none.txt", "--encoder", "e", "-o", "out.safetensors"], "No such file"),
        (["fit", "a.txt", "--encoder", "e", "-o", "none/out.safetensors"], "a path in an existing folder"),
        (["fit", "a.txt", "--encoder", "e", "--components", "x", "-o", "o.safetensors"], "a number or 'auto'"),
        (["fit", "a.txt", "--encoder", "e", "--template", "car", "-o", "o.safetensors"], "a slot such as"),
        (
            ["fit", "a.txt", "--encoder", "open_clip:ViT-B-32:none.pt", "-o", "o"],
            "expected a local file, got 'none.pt'",
        ),
        (["fit", "a.txt", "--encoder", "sentence-transformers:none", "-o", "o"], "expected a local folder, got 'none'"),
        (["fit", "a.txt", "--encoder", "transformers:none", "-o", "o"], "expected a local folder, got 'none'"),
        (["embed", "none.png", "--encoder", "e", "-o", "store"], "at least one that decodes"),
        (["search", "q.png", "--notion", "a.txt", "--store", "s", "--encoder", "e", "-o", "o"], "a safetensors file"),
    ],
)
def test_bad_input_is_one_line(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("red\nblue\n")
    code, _, err = run(*arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_module():
    done = subprocess.run([sys.executable, "-m", "indirect", "--help"], capture_output=True, text=True, check=True)
    assert "build-encoder" in done.stdout


def test_encoders_by_name(monkeypatch):
    monkeypatch.setattr(_cli, "OfflineEncoder", lambda path, **options: (path, options))
    monkeypatch.setattr(_cli, "TransformersEncoder", lambda folder: folder)
    assert _cli._encoder("a.safetensors") == ("a.safetensors", {})
    assert _cli._encoder("classes:a.safetensors") == ("a.safetensors", {"image_side": "classes"})
    assert _cli._encoder("transformers:clip") == "clip"
