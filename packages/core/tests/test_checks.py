from priorkit_core import shape_error, type_error, value_error


def test_every_message_names_argument_expected_and_got():
    assert str(value_error("margin", "a number above 0", -1)) == "margin: expected a number above 0, got -1"
    assert str(type_error("target", "a tensor", [1])) == "target: expected a tensor, got list"
    shapes = {"input": (4, 10), "target": (5,)}
    assert str(shape_error("target", "(4,)", shapes)) == "target: expected (4,), got input (4, 10), target (5,)"


def test_error_types():
    assert isinstance(value_error("a", "b", 1), ValueError)
    assert isinstance(type_error("a", "b", 1), TypeError)
    assert isinstance(shape_error("a", "b", {}), ValueError)


def test_long_values_are_cut():
    message = str(value_error("names", "ten names", ["name"] * 1000))
    assert len(message) < 250
    assert message.endswith("...")
