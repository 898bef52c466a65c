from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgate.domain import (
    LOADERS_OF_FORMAT,
    Checks,
    Device,
    FailOn,
    Format,
    GpuMissing,
    GpuTarget,
    Loader,
    Policy,
    Requirement,
    Runtime,
    Spec,
)
from loadgate.infer import infer_spec
from loadgate.init_template import render
from loadgate.spec import read_spec
from loadgate.spec.keys import SPEC_KEYS
from loadgate.spec.values import RESERVED


def read_back(root: Path, spec: Spec) -> Spec:
    file = root / "loadgate.yml"
    file.write_text(render(spec), encoding="utf-8")
    return read_spec(root, file)


def asked(runtime: Runtime) -> Runtime:
    """Without what says where it was read from."""
    return replace(
        runtime,
        requirements=tuple(Requirement(text=line.text) for line in runtime.requirements),
        constraints=tuple(Requirement(text=line.text) for line in runtime.constraints),
        origin=None,
        key_lines={},
        notes=(),
    )


UV_LOCK = """\
requires-python = ">=3.11"
[[package]]
name = "acme"
source = { virtual = "." }
dependencies = [{ name = "tensorflow" }]
[[package]]
name = "tensorflow"
version = "2.15.1"
source = { registry = "https://index.test/simple" }
"""
REPOSITORIES = {
    "nothing": {},
    "requirements": {"serving/requirements.txt": "-r ../base.txt\ntensorflow==2.15.1\n", "base.txt": "h5py\n"},
    "lock": {"uv.lock": UV_LOCK},
    "keras": {"requirements.txt": "keras==3.3.3\n"},
    "tflite": {"requirements.txt": "tflite-runtime\n"},
    "project": {"pyproject.toml": '[project]\nname = "a"\ndependencies = ["tensorflow>=2.15", "h5py"]\n'},
    "conda": {"environment.yml": "dependencies: [python=3.10, tensorflow=2.15, pip: [h5py]]\n"},
    "image": {"Dockerfile": "FROM tensorflow/tensorflow:2.15.0-gpu\nRUN pip install --pre 'numpy<2'\n"},
    "image and requirements": {
        "Dockerfile": "FROM python:3.11\nRUN pip install -r requirements.txt && pip install h5py\n",
        "requirements.txt": "tensorflow==2.15.1\n",
    },
    "image with a variable": {
        "Dockerfile": 'FROM python:3.11\nENV XLA_FLAGS="--a=\\"b\\""\nRUN pip install tensorflow\n'
    },
    "image that replaces what a file of its own asks for": {
        "Dockerfile": "FROM python:3.11\nRUN pip install -r requirements.txt\nRUN pip install tensorflow==2.15.0\n",
        "requirements.txt": "tensorflow==2.10.0\nnumpy<2\n",
    },
    "image and a wrong line": {
        "Dockerfile": "FROM python:3.11\nRUN pip install -r requirements.txt && pip install h5py\n",
        "requirements.txt": "tensorflow==2.15.1\nfoo bar baz\n",
    },
    "a wrong line": {"requirements.txt": "--extra-index-url https://a.test/simple\ntensorflow>=2.10\nfoo bar baz\n"},
    "several": {"a/requirements.txt": "tensorflow==2.15.1\n", "b/requirements.txt": "tensorflow==2.16.1\n"},
}


@pytest.mark.parametrize("files", REPOSITORIES.values(), ids=REPOSITORIES)
def test_what_was_inferred_is_read_back_from_its_template(tmp_path: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    inferred = infer_spec(tmp_path, (3, 11))
    read = read_back(tmp_path, inferred)
    assert [asked(runtime) for runtime in read.runtimes] == [asked(runtime) for runtime in inferred.runtimes]


def test_the_template_says_what_was_taken_from_where_and_what_else_there_is(tmp_path: Path) -> None:
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving/requirements.txt").write_text("tensorflow==2.15.1\n")
    (tmp_path / ".python-version").write_text("3.11\n")
    assert render(infer_spec(tmp_path, (3, 11))) == (Path(__file__).parent / "golden/init.yml").read_text()


def test_the_template_has_every_key_that_there_is(tmp_path: Path) -> None:
    text = render(infer_spec(tmp_path, (3, 11)))
    names = {key.name for section in SPEC_KEYS for key in (section, *section.keys)}
    assert {name for name in names if not re.search(rf"\b{name}:", text)} == set()


def test_the_template_is_still_a_spec_when_everything_in_it_is_uncommented(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tensorflow==2.15.1\n")
    names = "|".join(key.name for section in SPEC_KEYS for key in (section, *section.keys))
    uncommented = re.sub(rf"^( *)# ( *({names}):.*)$", r"\1\2", render(infer_spec(tmp_path, (3, 11))), flags=re.M)
    file = tmp_path / "loadgate.yml"
    file.write_text(uncommented)
    spec = read_spec(tmp_path, file)
    assert (spec.include, spec.checks, spec.policy) == (("models/**",), Checks(memory=4 * 1024**3), Policy())
    assert spec.runtimes[0].tensorflow == "2.15.1"


versions = st.sampled_from(["2.15.1", "2.16", ">=2.15,<2.16", "==2.15.*"])
platform_versions = st.none() | st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,2}){0,2}", fullmatch=True)
words = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
packages = st.sampled_from(
    ["tensorflow", "h5py==3.11.0", 'numpy<2 ; python_version < "3.12"', "--pre", "a @ https://a.test/a"]
)
loaders = st.fixed_dictionaries(
    {}, optional={format_: st.sampled_from(LOADERS_OF_FORMAT[format_]) for format_ in Format}
)
patterns = st.sampled_from(
    ["models/**", "*.h5", 'a "b" c', "it's: #1", "{a}, [b]?", "- x", "a\\#b", "\u202eabc", "ünï/*", "\U0001f600"]
)
circumstances = st.fixed_dictionaries(
    {
        "env": st.dictionaries(
            words.filter(lambda name: name not in RESERVED and not name.startswith("LOADGATE_")),
            st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("\n\t"), max_size=12),
            max_size=3,
        ),
        "loaders": loaders,
        "imports": st.lists(words.filter(str.isidentifier), max_size=3).map(tuple),
        "devices": st.sampled_from([(Device.CPU,), (Device.GPU,), (Device.CPU, Device.GPU)]),
        "artifacts": st.lists(patterns, max_size=3).map(tuple),
        "gpu": st.none()
        | st.builds(GpuTarget, driver=platform_versions, cuda=platform_versions, cudnn=platform_versions),
    }
)
sources = st.one_of(
    st.fixed_dictionaries(
        {
            "python": st.none() | st.sampled_from(["3.10", "3.11.7"]),
            "tensorflow": versions,
            "keras": st.none() | versions,
            "requirements": st.lists(packages.map(lambda text: Requirement(text=text)), max_size=4).map(tuple),
        }
    ),
    st.fixed_dictionaries({"interpreter": st.sampled_from([".venv/bin/python", "/usr/bin/python3"])}),
    st.fixed_dictionaries({"image": st.sampled_from(["acme", "ghcr.io/acme/serving:2.15", "a@sha256:00"])}),
)
runtimes = st.builds(lambda name, source, more: Runtime(name=name, **source, **more), names, sources, circumstances)
specs = st.builds(
    Spec,
    include=st.lists(patterns, max_size=3).map(tuple),
    exclude=st.lists(patterns, max_size=3).map(tuple),
    loaders=st.dictionaries(patterns, st.sampled_from(Loader), max_size=3),
    runtimes=st.lists(runtimes, min_size=1, max_size=3, unique_by=lambda runtime: runtime.name).map(tuple),
    checks=st.builds(
        Checks,
        infer=st.booleans(),
        compile=st.booleans(),
        timeout=st.sampled_from([0.5, 60.0, 300.0, 86400.0]),
        memory=st.none() | st.integers(128 * 1024**2, 2**48),
    ),
    policy=st.builds(Policy, fail_on=st.sampled_from(FailOn), gpu_missing=st.sampled_from(GpuMissing)),
    notes=st.lists(st.text(max_size=20), max_size=2).map(tuple),
)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=specs)
def test_any_spec_is_read_back_from_its_template(tmp_path: Path, spec: Spec) -> None:
    read = read_back(tmp_path, spec)
    assert [asked(runtime) for runtime in read.runtimes] == [asked(runtime) for runtime in spec.runtimes]
    assert replace(read, runtimes=(), file=None) == replace(spec, runtimes=(), notes=())
