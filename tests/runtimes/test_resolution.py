"""From what was asked for to exact pins, with the real resolver on an index of a few tiny packages."""

from __future__ import annotations

import os

import pytest
from packaging.specifiers import SpecifierSet

from loadgate.domain import Device, Requirement, Runtime
from loadgate.errors import UsageError
from loadgate.runtimes.failure import NotMadeError
from loadgate.runtimes.interpreters import Interpreter
from loadgate.runtimes.processes import Processes
from loadgate.runtimes.resolution import (
    Resolution,
    pythons_for,
    question_of,
    request_digest,
    resolve,
    tensorflow_asked_for,
    with_hashes,
)
from loadgate.runtimes.uv import Uv, find_uv

from .tiny_index import TinyIndex


def runtime(*lines: str, tensorflow: str | None = None, keras: str | None = None, gpu: bool = False) -> Runtime:
    return Runtime(
        name="serving",
        tensorflow=tensorflow,
        keras=keras,
        requirements=tuple(Requirement(text=line) for line in lines),
        devices=(Device.CPU, Device.GPU) if gpu else (Device.CPU,),
    )


def test_a_version_is_pinned_and_a_range_is_passed_on() -> None:
    assert question_of(runtime(tensorflow="2.15.1", keras=">=2,<3")).lines == ("tensorflow==2.15.1", "keras>=2,<3")


def test_the_version_goes_to_the_build_that_the_requirements_name() -> None:
    asked = question_of(runtime("tensorflow-cpu", "numpy", tensorflow="2.15.1"))
    assert asked.lines == ("tensorflow-cpu", "numpy", "tensorflow-cpu==2.15.1")


def test_a_build_for_another_system_does_not_count() -> None:
    asked = question_of(runtime('tensorflow-intel ; sys_platform == "win32"', tensorflow="2.15.1"))
    assert asked.lines[-1] == "tensorflow==2.15.1"


def test_what_is_no_version_is_a_mistake_in_the_spec() -> None:
    with pytest.raises(UsageError, match="`latest` is no version"):
        question_of(runtime(tensorflow="latest"))


def test_what_the_lines_and_constraints_say_of_tensorflow_is_taken_together() -> None:
    asked = runtime(
        "tensorflow[and-cuda]>=2.10", "tensorflow<2.16 --hash=sha256:aa", "acme @ https://acme.example/a.whl"
    )
    assert tensorflow_asked_for(question_of(asked)) == SpecifierSet(">=2.10,<2.16")


def test_where_no_python_is_asked_for_one_is_chosen_in_which_the_line_for_tensorflow_holds() -> None:
    asked = runtime('tensorflow==2.10.1 ; python_version >= "3.8" and python_version < "3.11"')
    assert pythons_for(asked) == ("3.10", "3.9", "3.8")


def test_each_python_is_chosen_for_the_tensorflow_that_is_meant_for_it() -> None:
    asked = runtime(
        'tensorflow==2.10.1 ; python_version < "3.10"', 'tensorflow==2.15.1 ; python_full_version >= "3.10.2"'
    )
    assert pythons_for(asked) == ("3.11", "3.10", "3.9", "3.8", "3.7")


@pytest.mark.parametrize(
    ("python", "tensorflow"), [("3.9", "==2.10.1"), ("3.11.4", "==2.15.1"), ("3.11", "==2.15.1"), ("3.12", "==2.16.1")]
)
def test_a_line_counts_in_the_python_that_it_is_meant_for(python: str, tensorflow: str) -> None:
    asked = runtime(
        'tensorflow==2.10.1 ; python_version < "3.10"',
        'tensorflow==2.15.1 ; python_version >= "3.10" and python_full_version < "3.12"',
        'tensorflow==2.16.1 ; python_version >= "3.12"',
    )
    assert tensorflow_asked_for(question_of(asked), python) == SpecifierSet(tensorflow)


def test_two_runtimes_that_ask_the_same_share_a_resolution_and_another_index_does_not() -> None:
    one, other = runtime("six", tensorflow="2.15.1"), runtime("six", tensorflow="2.15.1")
    assert request_digest(one, "x86_64", {}) == request_digest(other, "x86_64", {})
    assert request_digest(one, "x86_64", {}) != request_digest(other, "x86_64", {"UV_DEFAULT_INDEX": "elsewhere"})
    assert request_digest(one, "x86_64", {}) != request_digest(runtime("six"), "x86_64", {})


PINS = ("tensorflow==9.1", "numpy==1.0")


@pytest.mark.parametrize("options", [(), ("--pre", "--prefer-binary", "--require-hashes")])
def test_a_runtime_from_the_usual_index_is_found_again_by_later_releases(options: tuple[str, ...]) -> None:
    made = Resolution(python="3.11.7", pins=PINS, options=options)
    digest = "2482bd8fd0b64959e24c28736e43dac8c1aea6136a302a6fca79c6fd57c288c5"
    assert made.digest("x86_64 glibc 2.36") == digest


def test_the_same_pins_from_different_places_are_different_runtimes() -> None:
    places = [
        (),
        ("--index-url https://a.test/simple",),
        ("--index-url https://b.test/simple",),
        ("-i https://a.test/simple", "--extra-index-url https://b.test/simple"),
        ("-f https://a.test/wheels",),
        ("--find-links https://a.test/wheels", "--no-index"),
        ("--no-binary numpy",),
        ("--only-binary :all:",),
    ]
    digests = {Resolution(python="3.11.7", pins=PINS, options=options).digest("x86_64") for options in places}
    assert len(digests) == len(places)


def test_the_newest_that_is_allowed_is_taken_and_nothing_more_is_constrained(
    index: TinyIndex, uv: Uv, here: Interpreter
) -> None:
    index.add_tensorflow("9.1")
    index.add_tensorflow("9.2")
    index.add_tensorflow("9.3")
    pins = resolve(runtime(tensorflow="<9.3"), here, uv).pins
    assert pins == ("keras==3.0", "numpy==1.0", "tensorflow==9.2")


def test_constraints_bind_and_require_nothing(index: TinyIndex, uv: Uv, here: Interpreter) -> None:
    index.add_tensorflow("9.1")
    index.add_tensorflow("9.2")
    index.add("six", "1.0")
    asked = Runtime(
        name="serving",
        requirements=(Requirement(text="tensorflow"),),
        constraints=(Requirement(text="tensorflow<9.2"), Requirement(text="six==1.0")),
    )
    assert resolve(asked, here, uv).pins == ("keras==3.0", "numpy==1.0", "tensorflow==9.1")


def test_the_cpu_build_stands_in_where_no_gpu_is_asked_for(index: TinyIndex, uv: Uv, here: Interpreter) -> None:
    index.add_tensorflow("9.1")
    index.add_tensorflow("9.1", name="tensorflow-cpu")
    resolution = resolve(runtime(tensorflow="9.1"), here, uv)
    assert resolution.pins == ("keras==3.0", "numpy==1.0", "tensorflow-cpu==9.1")
    assert resolution.notes == ("tensorflow-cpu 9.1 stands in for tensorflow 9.1, as no GPU is asked for.",)


def test_the_cpu_build_keeps_out_the_full_one_that_another_package_asks_for(
    index: TinyIndex, uv: Uv, here: Interpreter
) -> None:
    index.add_tensorflow("9.1")
    index.add_tensorflow("9.1", name="tensorflow-cpu")
    index.add("tf-keras", "9.1", requires=["tensorflow<9.2,>=9.1"])
    pins = resolve(runtime("tf-keras", tensorflow="9.1"), here, uv).pins
    assert pins == ("keras==3.0", "numpy==1.0", "tensorflow-cpu==9.1", "tf-keras==9.1")


def test_the_release_that_stands_in_is_the_one_that_would_have_been_installed(
    index: TinyIndex, uv: Uv, here: Interpreter
) -> None:
    index.add_tensorflow("9.1")
    for version in ("9.1", "9.2"):
        index.add_tensorflow(version, name="tensorflow-cpu")
    index.add("tf-keras", "9.1", requires=["tensorflow<9.2"])
    assert "tensorflow-cpu==9.1" in resolve(runtime("tf-keras"), here, uv).pins


def test_the_full_build_is_taken_where_that_release_has_no_cpu_build(
    index: TinyIndex, uv: Uv, here: Interpreter
) -> None:
    index.add_tensorflow("9.1")
    index.add_tensorflow("9.2", name="tensorflow-cpu")
    resolution = resolve(runtime(tensorflow="9.1"), here, uv)
    assert "tensorflow==9.1" in resolution.pins
    assert resolution.notes == ()


def test_a_cpu_build_that_needs_other_packages_does_not_stand_in(index: TinyIndex, uv: Uv, here: Interpreter) -> None:
    index.add_tensorflow("9.1")
    index.add("six", "1.0")
    index.add("tensorflow-cpu", "9.1", requires=["numpy", "keras", "six"])
    assert "tensorflow==9.1" in resolve(runtime(tensorflow="9.1"), here, uv).pins


@pytest.mark.parametrize("asked", [runtime(tensorflow="9.1", gpu=True), runtime("tensorflow[and-cuda]==9.1")])
def test_who_asks_for_a_gpu_gets_the_full_build(index: TinyIndex, uv: Uv, here: Interpreter, asked: Runtime) -> None:
    index.add_tensorflow("9.1")
    index.add_tensorflow("9.1", name="tensorflow-cpu")
    assert not any("cpu" in pin for pin in resolve(asked, here, uv).pins)


def test_hashes_that_the_user_gave_go_with_the_pins_and_keep_the_full_build(
    index: TinyIndex, uv: Uv, here: Interpreter
) -> None:
    index.add_tensorflow("9.1")
    index.add_tensorflow("9.1", name="tensorflow-cpu")
    line = f"tensorflow==9.1 --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}"
    assert resolve(runtime(line), here, uv).pins == ("keras==3.0", "numpy==1.0", line)


def test_the_hash_of_a_line_goes_with_its_pin_in_the_python_that_the_line_is_meant_for() -> None:
    lines = [
        f"six==1.0 ; python_version < '3.9' --hash=sha256:{'a' * 64}",
        f"six==1.0 ; python_version >= '3.9' --hash=sha256:{'b' * 64}",
    ]
    assert with_hashes(["six==1.0"], lines, "3.8.18") == (f"six==1.0 --hash=sha256:{'a' * 64}",)
    assert with_hashes(["six==1.0"], lines, "3.11.7") == (f"six==1.0 --hash=sha256:{'b' * 64}",)


def test_tensorflow_is_added_where_nothing_brings_it_and_that_is_said(
    index: TinyIndex, uv: Uv, here: Interpreter
) -> None:
    index.add_tensorflow("9.1")
    index.add("six", "1.0")
    resolution = resolve(runtime("six"), here, uv)
    assert resolution.pins == ("keras==3.0", "numpy==1.0", "six==1.0", "tensorflow==9.1")
    assert resolution.notes == ("Nothing that is required brings TensorFlow, so the newest that fits was added.",)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("nosuch", "no_such_package"),
        ("six==3", "no_such_version"),
        ("tf-keras", "conflict"),
        ("six ==", "malformed_requirement"),
    ],
)
def test_what_cannot_be_resolved_is_a_finding_with_its_cause(
    index: TinyIndex, uv: Uv, here: Interpreter, line: str, cause: str
) -> None:
    index.add_tensorflow("9.1")
    index.add("six", "1.0")
    index.add("tf-keras", "9.2", requires=["tensorflow==9.2"])
    with pytest.raises(NotMadeError) as caught:
        resolve(runtime(line, tensorflow="9.1"), here, uv)
    assert caught.value.finding.cause == cause


def test_an_index_that_cannot_be_reached_is_no_conflict(
    index: TinyIndex, monkeypatch: pytest.MonkeyPatch, processes: Processes, here: Interpreter
) -> None:
    index.add_tensorflow("9.1")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    with pytest.raises(NotMadeError) as caught:
        resolve(runtime(tensorflow="9.1"), here, Uv(find_uv(), processes, os.environ))
    assert caught.value.finding.cause == "unreachable"
