import pytest
from priorkit_core import Parser, import_name, value_error


def run(arguments, function):
    parser = Parser(prog="tool")
    command = parser.add_subparsers(required=True).add_parser("score")
    command.add_argument("--n", type=int)
    command.set_defaults(run=function)
    return parser.run(arguments)


def test_the_exit_code_is_the_functions():
    assert run(["score", "--n", "3"], lambda options: options.n) == 3
    assert run(["score"], lambda options: None) == 0


@pytest.mark.parametrize("error", [value_error("--n", "two\nlines", 1), OSError("no disk"), ImportError("no torch")])
def test_bad_input_is_one_line_and_exit_code_2(error, capsys):
    def fail(options):
        raise error

    with pytest.raises(SystemExit) as stopped:
        run(["score"], fail)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == f"tool: error: {' '.join(str(error).split())}\n"


def test_wrong_options_are_one_line_too(capsys):
    with pytest.raises(SystemExit):
        run(["score", "--n", "many"], print)
    assert capsys.readouterr().err.count("\n") == 1


def test_a_bug_keeps_its_traceback():
    def fail(options):
        raise AssertionError

    with pytest.raises(AssertionError):
        run(["score"], fail)


def test_a_module_in_the_working_directory_is_found(tmp_path, monkeypatch):
    (tmp_path / "models_beside.py").write_text("answer = 42\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["/usr/lib"])
    assert import_name("--model", "models_beside:answer") == 42


@pytest.mark.parametrize("name", ["", ":", "json", "json:", "json:none", "no_such_module:x", ".relative:x"])
def test_a_name_that_does_not_import_is_named(name):
    with pytest.raises(ValueError, match="--model: expected MODULE:NAME"):
        import_name("--model", name)
