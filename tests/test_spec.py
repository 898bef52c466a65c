from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgate.domain import (
    Checks,
    Device,
    FailOn,
    Format,
    GpuMissing,
    GpuTarget,
    Loader,
    Origin,
    Policy,
    RemedyBounds,
    Requirement,
    Spec,
)
from loadgate.errors import UsageError
from loadgate.spec import read_spec
from loadgate.spec.fields import Key
from loadgate.spec.keys import SPEC_KEYS
from loadgate.spec.reference import INTRODUCTION, reference


def spec_of(root: Path, text: str | bytes) -> Spec:
    file = root / "loadgate.yml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_spec(root, file)


def mistakes_of(root: Path, text: str | bytes) -> list[str]:
    with pytest.raises(UsageError) as caught:
        spec_of(root, text)
    return str(caught.value).split("\n")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("tensorflow==2.15.1\nnumpy<2\n")
    (tmp_path / "broken.txt").write_text("tensorflow==2.15.1\n  numpy = 2\n")
    (tmp_path / "elsewhere.txt").symlink_to("/etc/hostname")
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving/requirements.txt").write_text("-c ../constraints.txt\nh5py\n-e .\n")
    (tmp_path / "constraints.txt").write_text("protobuf<4\n")
    return tmp_path


def test_every_key_of_the_design_is_read(repository: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", INTRODUCTION, re.DOTALL)
    assert example
    spec = spec_of(repository, example[1])
    serving, laptop, image = spec.runtimes
    assert (spec.include, spec.exclude, spec.file) == (("models/**",), ("**/fixtures/**",), "loadgate.yml")
    assert (serving.python, serving.tensorflow, serving.keras) == ("3.11", "2.15.1", "2.15.0")
    assert serving.requirement_files == ("serving/requirements.txt",)
    assert serving.requirements == (
        Requirement(text="h5py", origin=Origin(file="serving/requirements.txt", line=2)),
        Requirement(text="tensorflow-text==2.15.*", origin=Origin(file="loadgate.yml", line=10)),
    )
    assert serving.constraints == (Requirement(text="protobuf<4", origin=Origin(file="constraints.txt", line=1)),)
    assert serving.env == {"TF_USE_LEGACY_KERAS": "1"}
    assert serving.loaders == {Format.SAVED_MODEL: Loader.KERAS_LAYER}
    assert (serving.imports, serving.devices) == (("acme.layers",), (Device.CPU, Device.GPU))
    assert serving.gpu == GpuTarget(driver="535", cuda="12.2", cudnn="8.9")
    assert serving.origin == Origin(file="loadgate.yml", line=6)
    assert serving.notes == (
        "serving/requirements.txt:3: `-e .` is left out: runtimes are made without the repository's files.",
    )
    assert (laptop.interpreter, image.image) == (".venv/bin/python", "ghcr.io/acme/serving:2.15")
    assert spec.checks == Checks(infer=True, timeout=300, memory=4 * 1024**3)
    assert spec.policy == Policy(fail_on=FailOn.ANY, gpu_missing=GpuMissing.SKIP)


def test_a_loader_is_chosen_by_pattern_over_artifact_paths(repository: Path) -> None:
    spec = spec_of(repository, 'version: 1\nartifacts: {loader: {"models/old/**": tf_keras}}')
    assert spec.loaders == {"models/old/**": Loader.TF_KERAS}


def test_a_runtime_that_names_no_packages_gets_the_newest_tensorflow_and_says_so(repository: Path) -> None:
    (runtime,) = spec_of(repository, 'version: 1\nruntimes: {new: {python: "3.12"}}').runtimes
    assert [requirement.text for requirement in runtime.requirements] == ["tensorflow"]
    assert runtime.notes == ("loadgate.yml:2: no TensorFlow is named, so the newest is taken.",)


def test_a_spec_without_runtimes_has_them_inferred(repository: Path) -> None:
    spec = spec_of(repository, "version: 1\nchecks: {infer: true}")
    assert spec.checks.infer
    assert [runtime.requirement_files for runtime in spec.runtimes] == [("requirements.txt",)]


def test_a_lock_file_may_stand_under_requirements(repository: Path) -> None:
    lock = '[[package]]\nname = "acme"\nversion = "1"\nsource = { virtual = "." }\n'
    lock += 'dependencies = [{ name = "tensorflow" }]\n'
    lock += (
        '[[package]]\nname = "tensorflow"\nversion = "2.15.1"\nsource = { registry = "https://index.test/simple" }\n'
    )
    (repository / "uv.lock").write_text(lock)
    (runtime,) = spec_of(repository, "version: 1\nruntimes: {a: {requirements: [uv.lock]}}").runtimes
    assert [line.text for line in runtime.requirements] == ["tensorflow"]
    assert [line.text for line in runtime.constraints] == ["tensorflow==2.15.1"]


@pytest.mark.parametrize(
    ("written", "size"), [("4GiB", 4 * 1024**3), ("512MB", 512 * 10**6), ("1.5 GiB", 3 * 2**29), ("1000000000", 10**9)]
)
def test_memory_is_read_with_or_without_a_unit(repository: Path, written: str, size: int) -> None:
    assert spec_of(repository, f"version: 1\nchecks: {{memory: {written}}}").checks.memory == size


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_no_harm(repository: Path, encoding: str) -> None:
    assert spec_of(repository, "version: 1\nchecks: {infer: true}".encode(encoding)).checks.infer


def test_an_alias_stands_for_the_whole_value(repository: Path) -> None:
    text = 'version: 1\nruntimes:\n  a: {env: &env {A: "1"}}\n  b: {tensorflow: "2.16.1", env: *env}\n'
    assert [runtime.env for runtime in spec_of(repository, text).runtimes] == [{"A": "1"}, {"A": "1"}]


IN_RUNTIME = "version: 1\nruntimes:\n  serving:\n    "
NO_REQUIREMENT = "is no requirement: expected semicolon (after name with no version specifier) or end"
MISTAKES = [
    ("", "1:1: the spec is empty; begin with `version: 1`"),
    ("[]", "1:1: the spec is a list; write a mapping that begins with `version: 1`"),
    ("runtimes: {a: {}}", "1:1: `version` is missing; begin with `version: 1`"),
    ("version: 2", "1:10: `version` is the number `2`; this loadgate reads version 1: write 1"),
    ('version: "1"', "1:10: `version` is the text `1`; this loadgate reads version 1: write 1"),
    ("version: 1\nversion: 1", "2:1: `version` is already on line 1; keep one of them"),
    ("version: 1\nruntime: {}", "2:1: `runtime` is no key of the spec; did you mean `runtimes`?"),
    (
        "version: 1\nzebra: {}",
        "2:1: `zebra` is no key of the spec; write one of version, artifacts, runtimes, checks, policy, remedies",
    ),
    (
        "version: 1\nruntimes: {}",
        "2:1: `runtimes` names none; name one, or remove the key to have them inferred",
    ),
    (
        "version: 1\nruntimes: [a]",
        '2:11: `runtimes` is a list; write a mapping, such as {serving: {tensorflow: "2.15.1"}}',
    ),
    ("version: 1\nruntimes:\n  a:", '3:5: `a` is empty; write a mapping, such as {tensorflow: "2.15.1"}'),
    (
        "version: 1\nruntimes: {../x: {}}",
        "2:12: a key of `runtimes` is `../x`; write at most 64 letters, digits, `.`, `_` and `-`",
    ),
    # not YAML
    (
        "a: [",
        "1:5: not valid YAML: expected the node content, but found '<stream end>', while parsing a flow node",
    ),
    ("version: 1\n\tchecks: {}", "2:1: YAML indents with spaces; replace the tab"),
    ("version: 1\n---\nversion: 1", "2:1: a second document begins here; keep one, and remove `---`"),
    ("version: 1\nx: \x07", "2:4: the character U+0007 has no place in YAML; remove it"),
    ('version: 1\nx: "\\UFFFFFFFF"', "1:1: not valid YAML: an escape or a number in it is out of range"),
    ("version: 1\nchecks: *a", "2:9: not valid YAML: found undefined alias 'a'"),
    (b"version: 1\nx: \xff", "2:4: the spec is not UTF-8; save it as UTF-8"),
    ("[" * 40, "1:33: more than 32 levels deep; no key goes that deep"),
    ("[" + "a," * 20_000 + "]", "1:40000: more than 20,000 values; that is no file a person wrote"),
    (
        "version: 1\nchecks:\n  <<: {infer: true}",
        "3:3: merge keys are not read; write the keys out, or use an alias for the whole value",
    ),
    (
        "version: 1\nchecks: !!python/object:os.system {}",
        "2:9: `checks` is tagged `tag:yaml.org,2002:python/object:os.system`; write a mapping, such as {timeout: 300}",
    ),
    ("version: 1\n? [a]\n: b", "2:3: a list stands where a key should be; write a word"),
    # versions
    (
        IN_RUNTIME + "python: 3.10",
        '4:13: `python` is the number 3.10, which YAML reads as 3.1; write "3.10" in quotes',
    ),
    (IN_RUNTIME + "python: 3.11", '4:13: `python` is the number `3.11`; write "3.11" in quotes'),
    (IN_RUNTIME + "python: '2.7'", "4:13: `python` is `2.7`; write 3.6 or later, up to 3.99"),
    (IN_RUNTIME + "python: '>=3.9'", '4:13: `python` is `>=3.9`; write a version such as "3.11" or "3.11.7"'),
    (IN_RUNTIME + "python:", '4:12: `python` is empty; write a version such as "3.11" or "3.11.7"'),
    (
        IN_RUNTIME + "tensorflow: 2.10",
        '4:17: `tensorflow` is the number 2.10, which YAML reads as 2.1; write "2.10" in quotes',
    ),
    (
        IN_RUNTIME + "tensorflow: latest",
        "4:17: `tensorflow` is `latest`, which is no version;"
        ' write the version alone, such as "2.15.1", or leave the key out for the newest',
    ),
    (
        IN_RUNTIME + "tensorflow: 2.15.*",
        '4:17: `tensorflow` is `2.15.*`, which names many versions; write "==2.15.*"',
    ),
    (
        IN_RUNTIME + "tensorflow: '>=2.15 <2.16'",
        "4:17: `tensorflow` is `>=2.15 <2.16`, which is neither a version nor a specifier;"
        ' write "2.15.1" or ">=2.15,<2.16"',
    ),
    (
        IN_RUNTIME + "gpu: {driver: 535, cudn: '8'}",
        '4:19: `driver` is the number `535`; write "535" in quotes',
        "4:24: `cudn` is no key of `gpu`; did you mean `cudnn`?",
    ),
    # keys and words
    (
        IN_RUNTIME + "tensorfow: '2'",
        "4:5: `tensorfow` is no key of runtime `serving`; did you mean `tensorflow`?",
    ),
    (IN_RUNTIME + "devices: gpu", "4:14: `devices` is the text `gpu`; write a list, such as [cpu, gpu]"),
    (IN_RUNTIME + "devices: [fpu]", "4:15: an item of `devices` is `fpu`; did you mean `gpu`?"),
    (IN_RUNTIME + "devices: []", "4:5: `devices` names none; write [cpu], [gpu] or [cpu, gpu]"),
    (
        IN_RUNTIME + "loader: {saved_model: tflite, keras_h5: kears, saved_models: keras}",
        "4:27: `tflite` does not load `saved_model`; write saved_model or keras or tf_keras or keras_layer",
        "4:45: `kears` does not load `keras_h5`; did you mean `keras`?",
        "4:52: a key of `loader` is `saved_models`; did you mean `saved_model`?",
    ),
    (
        IN_RUNTIME + "imports: [acme layers]",
        "4:15: an item of `imports` is `acme layers`; write the dotted name of a module, such as acme.layers, or of one"
        " of its names, such as acme.layers:Gate",
    ),
    (
        IN_RUNTIME + "env: {A: 1, B: yes, 2C: x, PYTHONHOME: x, LOADGATE_X: y}",
        '4:14: `A` is the number `1`; write "1" in quotes',
        '4:20: `B` is the boolean `yes`; write "yes" in quotes',
        "4:25: a key of `env` is `2C`; write letters, digits and `_`",
        "4:32: `PYTHONHOME` cannot be set: it would take the interpreter's standard library away; remove it",
        "4:47: `LOADGATE_X` cannot be set: loadgate keeps these names for itself; remove it",
    ),
    (IN_RUNTIME + 'env: {A: "a\\0b"}', "4:14: `a\\x00b` holds the character U+0000; remove it"),
    # what does not go together
    (
        IN_RUNTIME + "interpreter: .venv/bin/python\n    image: acme\n    tensorflow: '2.15'\n    packages: [x]",
        "5:5: runtime `serving` has `interpreter`, so `image` has no effect; remove one of them",
        "6:5: runtime `serving` has `interpreter`, so `tensorflow` has no effect; remove one of them",
        "7:5: runtime `serving` has `interpreter`, so `packages` has no effect; remove one of them",
    ),
    (
        IN_RUNTIME + "interpreter: ../python",
        "4:18: `interpreter` `../python` leads out of the repository; write a path inside it, or an absolute one",
    ),
    (
        IN_RUNTIME + "image: '-v /:/x'",
        '4:12: `image` is `-v /:/x`; write the name of an image, such as "ghcr.io/acme/serving:2.15"',
    ),
    # files and packages
    (
        IN_RUNTIME + "requirements: [requirement.txt]",
        "4:20: `requirement.txt` does not exist; did you mean `requirements.txt`?",
    ),
    (
        IN_RUNTIME + "requirements: [/etc/passwd, ../x, elsewhere.txt, serving]",
        "4:20: `/etc/passwd` is not relative to the repository; write a path inside it",
        "4:33: `../x` leads out of the repository; write a path inside it",
        "4:39: `elsewhere.txt` is a symbolic link that leads out of the repository",
        "4:54: `serving` is not a regular file",
    ),
    (
        IN_RUNTIME + "packages: ['numpy = 2', -e ., ./x, -r x, --indx x, '', 3.1]",
        f"4:16: `numpy = 2` {NO_REQUIREMENT}; write it as `name==1.2.3`",
        "4:29: an item of `packages` is `-e .`; put files under `requirements`",
        "4:35: `./x` is left out: runtimes are made without the repository's files",
        "4:40: an item of `packages` is `-r x`; put files under `requirements`",
        "4:46: unknown option `--indx`; did you mean `--no-index`?",
        '4:56: an item of `packages` is empty; write a requirement, such as "tensorflow-text==2.15.*"',
        '4:60: an item of `packages` is the number `3.1`; write "3.1" in quotes',
    ),
    # artifacts, checks, policy
    (
        "version: 1\nartifacts: {include: models/**, exclude: [../x, '!'], loader: {'a/**': kerass}}",
        '2:22: `include` is the text `models/**`; write a list, such as ["models/**"]',
        "2:43: an item of `exclude` is `../x`; patterns do not lead out of the repository",
        "2:49: an item of `exclude` is `!`, which .gitignore could not hold either",
        "2:72: `a/**` is `kerass`; did you mean `keras`?",
    ),
    (
        "version: 1\nchecks: {timeout: .nan, memory: 4, infer: 'true', compile: 1}",
        "2:19: `timeout` is the number `.nan`; write 0.1 to 86400 seconds",
        "2:33: `memory` is 4 bytes, and TensorFlow alone takes more;"
        " write 4GiB, 512MB or a number of bytes, from 128MiB up",
        "2:43: `infer` is the text `true`; write true or false, without quotes",
        "2:60: `compile` is the number `1`; write true or false, without quotes",
    ),
    (
        "version: 1\nchecks: {timeout: 5m, memory: 4 gib}",
        "2:19: `timeout` is the text `5m`; write seconds as a plain number, such as 300",
        "2:31: `gib` in `memory` is no unit; did you mean `GiB`?",
    ),
    (
        "version: 1\nchecks: {timeout: .inf, memory: lots}",
        "2:19: `timeout` is the number `.inf`; write 0.1 to 86400 seconds",
        "2:33: `memory` is the text `lots`; write 4GiB, 512MB or a number of bytes",
    ),
    (
        "version: 1\npolicy: {fail_on: any, gpu-missing: no}",
        "2:10: `fail_on` is no key of `policy`; did you mean `fail-on`?",
        "2:37: `gpu-missing` is the boolean `no`; write one of skip, fail",
    ),
]


def test_what_may_be_spent_on_remedies_is_read(repository: Path) -> None:
    spec = spec_of(repository, "version: 1\nremedies: {try: false, runtimes: 0, time: 60}")
    assert spec.remedies == RemedyBounds(tried=False, runtimes=0, time=60.0)


@pytest.mark.parametrize("case", MISTAKES, ids=[str(case[-1]) for case in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_what_to_write(
    repository: Path, case: tuple[str | bytes, *tuple[str, ...]]
) -> None:
    text, *expected = case
    assert mistakes_of(repository, text) == [f"loadgate.yml:{message}" for message in expected]


def test_a_mistake_in_a_requirements_file_is_told_with_its_place_in_that_file(repository: Path) -> None:
    assert mistakes_of(repository, IN_RUNTIME + "requirements: [broken.txt]") == [
        f"broken.txt:2:3: `numpy = 2` {NO_REQUIREMENT}; write it as `name==1.2.3`"
    ]


def test_at_most_twenty_mistakes_are_told_at_once(repository: Path) -> None:
    text = "version: 1\nchecks:\n" + "".join(f"  zebra{number}: 1\n" for number in range(25))
    mistakes = mistakes_of(repository, text)
    assert (len(mistakes), mistakes[-1]) == (21, "and 5 more; put these right first")


def test_aliases_of_aliases_are_not_followed_for_ever(repository: Path) -> None:
    names = ", ".join(["numpy"] * 1000)
    runtimes = "".join(f"  r{number}: {{packages: *all}}\n" for number in range(100))
    (mistake,) = mistakes_of(repository, f"version: 1\nruntimes:\n  first: {{packages: &all [{names}]}}\n{runtimes}")
    assert mistake.endswith("more than 20,000 values, aliases written out; that is no file a person wrote")


def test_a_spec_that_contains_itself_is_refused(repository: Path) -> None:
    assert mistakes_of(repository, "version: 1\nruntimes: &all {a: *all}") == [
        "loadgate.yml:2:17: `a` is no key of runtime `a`; write one of python, tensorflow, keras, requirements,"
        " packages, env, loader, imports, devices, artifacts, gpu, interpreter, image"
    ]


def test_a_spec_of_more_than_a_mebibyte_is_refused(repository: Path) -> None:
    assert mistakes_of(repository, "#" * (1024**2 + 1)) == [
        "loadgate.yml:1:1: the spec is longer than 1,048,576 bytes; that is no file a person wrote"
    ]


def test_a_spec_that_is_a_named_pipe_is_refused_at_once(repository: Path) -> None:
    os.mkfifo(repository / "loadgate.yml")
    with pytest.raises(UsageError, match="1:1: the spec is not a regular file"):
        read_spec(repository, repository / "loadgate.yml")


def test_a_spec_that_links_out_of_the_repository_is_refused(repository: Path) -> None:
    (repository / "loadgate.yml").symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match="symbolic link that leads out of the repository"):
        read_spec(repository, repository / "loadgate.yml")


def test_a_spec_may_be_named_from_outside_the_repository(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("elsewhere") / "gate.yml"
    file.write_text("version: 1\nchecks: {infer: true}")
    assert read_spec(repository, file).file == str(file)


KEYS = [key for section in SPEC_KEYS for key in (section, *section.keys)]
WORDS = ["version", "runtimes", "a", "1", "2.10", '"3.11"', "{", "}", "[", "]", ",", ":", "\n", "\n  ", "\n    ", "- "]
WORDS += ["&x ", "*x", "!!set ", "? ", "|", ">", "#", "'", '"', "~", ".nan", "<<", "\t", "\\", "%", "\u2028", "\x85"]
WORDS += [key.name for key in KEYS] + [key.example for key in KEYS]
PIECES = st.lists(st.sampled_from(WORDS), max_size=40).map("".join)
SKELETON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(WORDS)),
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.dictionaries(st.sampled_from([key.name for key in KEYS]), children, max_size=4),
    ),
    max_leaves=12,
)
WRITTEN = SKELETON.map(lambda value: "version: 1\n" + yaml.safe_dump({"runtimes": {"a": value}, "checks": value}))
quick = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(text=st.one_of(PIECES, PIECES.map(lambda text: IN_RUNTIME + text), WRITTEN, st.text(), st.binary()))
def test_any_text_is_a_spec_or_gets_one_line_for_each_mistake(tmp_path: Path, text: str | bytes) -> None:
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    told = ""
    try:
        spec_of(tmp_path, content)
    except UsageError as error:
        told = str(error)
    assert not told or all(re.match(r"loadgate\.yml:\d+:\d+: .|and \d+ more", line) for line in told.split("\n"))
    assert told.replace("\n", "").isprintable()


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_the_example_of_every_key_is_right(repository: Path, key: Key[Any]) -> None:
    text = "version: 1\n"
    for section in SPEC_KEYS:
        is_runtime = section.name == "runtimes"
        if key is section and section.name != "version":
            text += f"{section.name}: {section.example}\n"
        elif key in section.keys:
            inner = f"{key.name}: {key.example}"
            text += f"{section.name}: {{serving: {{{inner}}}}}\n" if is_runtime else f"{section.name}: {{{inner}}}\n"
    assert spec_of(repository, text).file == "loadgate.yml"


def test_the_reference_is_what_the_code_says() -> None:
    page = Path(__file__).parents[1] / "docs/reference/spec.md"
    assert page.read_text() == reference(), "write loadgate.spec.reference.reference() to docs/reference/spec.md"
