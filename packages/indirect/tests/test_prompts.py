import pytest
from indirect import Prompts


def test_aspects_without_a_slot():
    with pytest.raises(ValueError, match=r"aspects for the slots \['car'\], got some for \['colour'\]"):
        Prompts("a {car}", {"car": ["van", "bus"], "colour": ["red"]})


def test_every_combination_once_in_order():
    prompts = Prompts(["a {colour} {car}", "one {colour}  {car}"], {"colour": ["red", "blue"], "car": ["van", "van"]})
    assert list(prompts) == ["a red van", "a blue van", "one red van", "one blue van"]
    assert len(prompts) == 4
    assert prompts[1:3] == ["a blue van", "one red van"]
    assert list(Prompts("a photo of a {car}", ["BMW", "Audi"])) == ["a photo of a BMW", "a photo of a Audi"]
    assert list(Prompts(["one", "two", "one"])) == ["one", "two"]


def test_aspects_with_braces_are_not_templates():
    assert list(Prompts("{a} {b}", {"a": ["{b}", "x"], "b": ["y"]})) == ["{b} y", "x y"]


def test_files(tmp_path):
    lines = tmp_path / "colours.txt"
    lines.write_text("red\n\n blue \n", encoding="utf-8-sig")
    assert list(Prompts.read(lines, "a {} car")) == ["a red car", "a blue car"]
    assert list(Prompts.read(lines)) == ["red", "blue"]
    table = tmp_path / "cars.csv"
    table.write_text('colour,car\nred,"van, big"\nblue,bus\n', encoding="utf-8")
    assert list(Prompts.read(table, ["a {colour} {car}"])) == ["a red van, big", "a blue bus"]
    column = tmp_path / "one.csv"
    column.write_text("car\nvan\nbus\n", encoding="utf-8")
    assert list(Prompts.read(column, ["{}", "a {car}"])) == ["van", "bus", "a van", "a bus"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["only one"],), "at least two different texts"),
        (([],), "templates: expected texts that are not empty"),
        (("a car", ["red", "blue"]), r"a slot such as \{\} or \{car\} in each, got 'a car'"),
        (("a {} car", ["red"]), "at least two different texts"),
        (("a {} car", ["red", " "]), "aspects: expected texts that are not empty"),
        (("a {colour} {car}", ["red", "blue"]), r"a mapping with the slots \['colour', 'car'\]"),
        (("a {colour} {car}", {"colour": ["red"]}), r"got 'none for \['car'\]'|got none for \['car'\]"),
    ],
)
def test_bad_prompts(arguments, message):
    with pytest.raises(ValueError, match=message):
        Prompts(*arguments)


def test_not_texts():
    with pytest.raises(TypeError, match="templates: expected a list of texts, got list"):
        Prompts([1, 2])
    with pytest.raises(TypeError, match="aspects: expected a list of texts, got str"):
        Prompts("a {}", "red")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"[]", "a .txt or .csv file"),
        ("a.txt", b"\xff\xfe\xfa", "a text file in UTF-8"),
        ("a.csv", b"car\n", "a header and at least one row"),
        ("a.csv", b"", "a header and at least one row"),
        ("a.csv", b"a,b\nx\n", "record 2: expected 2 fields, got 1"),
        ("a.txt", b"\n\n", "not empty"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Prompts.read(path, "{a}")
