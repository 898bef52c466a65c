"""What signatures tell of classes, from what one runtime and another have."""

from __future__ import annotations

from typing import Any

from lab.signatures import names_of, verdicts

from loadgate.diagnosis.words import ACTIVATIONS, FUNCTIONS, OWN


def signatures(**given: Any) -> dict[str, Any]:
    return {"calls": {}, "activations": [], "functions": [], "operations": {}, **given}


def told(**runtimes: dict[str, Any]) -> dict[str, dict[str, dict[str, bool]]]:
    found = verdicts({name: names_of(given) for name, given in runtimes.items()})
    return {name: {of: dict(names) for of, names in classes.items()} for name, classes in found.items()}


def test_an_argument_of_a_call_is_refused_where_the_class_does_not_have_it_yet() -> None:
    found = told(
        old=signatures(calls={"Attention": ["mask"]}), new=signatures(calls={"Attention": ["mask", "use_causal_mask"]})
    )
    assert found["old"]["Attention"] == {"called with mask": True, "called with use_causal_mask": False}


def test_a_class_that_takes_all_takes_what_another_version_names() -> None:
    found = told(old=signatures(calls={"Model": ["training"]}), new=signatures(calls={"Model": ["**"]}))
    assert found["new"]["Model"]["called with training"]


def test_the_options_of_an_operation_are_not_those_of_the_layer_of_its_name() -> None:
    operations = {"Concatenate": ["keras.src.ops.numpy", "axis"], "Mean": ["keras.src.ops.numpy", "keepdims", "name"]}
    found = names_of(signatures(calls={"Concatenate": []}, operations=operations))
    assert found["Concatenate"] == ["module keras.src.ops.numpy"]
    assert found["Mean"] == [OWN, "keepdims", "name", "named", "module keras.src.ops.numpy"]


def test_functions_that_take_no_tensors_are_left_out() -> None:
    functions = ["math.subtract", "squeeze", "compat.v1.squeeze", "summary.scalar", "compat.v1.train.import_meta_graph"]
    assert names_of(signatures(functions=functions))[FUNCTIONS] == ["math.subtract", "squeeze", "compat.v1.squeeze"]


def test_of_a_keras_without_layers_of_functions_nothing_is_told_about_them() -> None:
    found = told(old=signatures(), new=signatures(functions=["math.subtract"], activations=["mish"]))
    assert FUNCTIONS not in found["old"]
    assert found["old"][ACTIVATIONS] == {"mish": False}
