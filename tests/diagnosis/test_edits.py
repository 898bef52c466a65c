"""The lines that a person is told to change, in every kind of file that declares a runtime."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml

from loadgate.diagnosis.change import Change, changed
from loadgate.diagnosis.draft import Sources, read_sources
from loadgate.diagnosis.edits import edits_of, finished, loader_edits
from loadgate.domain import Edit, Format, Loader, Lock, RemedyKind, Runtime, Spec
from loadgate.infer import infer_spec
from loadgate.spec import read_spec

LEGACY = Change(
    kind=RemedyKind.ENVIRONMENT,
    env={"TF_USE_LEGACY_KERAS": "1"},
    packages=("tf-keras==2.18.*",),
    imports=("acme.layers",),
)
OLDER = Change(kind=RemedyKind.TENSORFLOW, tensorflow="2.15.1", python="3.11")


def read(root: Path, **files: str) -> tuple[Runtime, Sources]:
    """The one runtime that the files declare."""
    for name, text in files.items():
        (root / name.replace("__", ".")).write_text(textwrap.dedent(text).lstrip("\n"))
    spec_file = root / "loadgate.yml"
    spec = read_spec(root, spec_file) if spec_file.exists() else infer_spec(root, (3, 12))
    (runtime,) = spec.runtimes
    return runtime, read_sources(root, spec.runtimes, spec.file)


def edited(change: Change, runtime: Runtime, sources: Sources) -> tuple[Edit, ...]:
    return edits_of(change, runtime, changed(runtime, lock(), change, name="candidate"), sources)


def applied(edits: tuple[Edit, ...], root: Path) -> None:
    """Do to the files what a person is told to do."""
    for name in {edit.file for edit in edits}:
        lines = (root / name).read_text().split("\n") if (root / name).exists() else []
        for edit in edits:
            if edit.file == name and edit.line is not None:
                assert lines[edit.line - 1] == edit.old
                lines[edit.line - 1] = edit.new
        added = [edit.new for edit in edits if edit.file == name and edit.line is None]
        (root / name).write_text("\n".join([line for line in lines if line] + added) + "\n")


SPECS = {
    "block": """
        version: 1
        runtimes:
          serving:
            python: "3.12"
            tensorflow: "2.18.1"  # as in production
            keras: "3.8.0"
    """,
    "flow": """
        version: 1
        runtimes:
          serving: {python: "3.12", tensorflow: "2.18.1", keras: "3.8.0"}  # as in production
    """,
    "full": """
        version: 1
        runtimes:
          serving:
            python: "3.12"
            tensorflow: "2.18.1"
            keras: "3.8.0"
            packages: ["numpy==1.26.4"]
            env: {OMP_NUM_THREADS: "1"}
            imports:
              - acme.losses
        checks: {timeout: 60}
    """,
}


@pytest.mark.parametrize("style", SPECS)
def test_the_lines_of_a_spec_make_the_runtime_that_was_tried(style: str, tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, loadgate__yml=SPECS[style])
    for change in (LEGACY, OLDER):
        (tmp_path / "loadgate.yml").write_text("\n".join(sources.files["loadgate.yml"]))
        tried = changed(runtime, None, change, name="serving")
        applied(finished(edited(change, runtime, sources), lock(numpy="1.26.4")), tmp_path)
        (declared,) = read_spec(tmp_path, tmp_path / "loadgate.yml").runtimes
        assert (declared.python, declared.tensorflow, declared.keras) == (tried.python, tried.tensorflow, tried.keras)
        assert declared.env == tried.env
        assert declared.imports == tried.imports
        asked = {line.text for line in declared.requirements}
        assert {line.text for line in tried.requirements} <= asked


@pytest.mark.parametrize("name", ["python", "tensorflow", "env"])
def test_a_runtime_may_have_the_name_of_a_key(name: str, tmp_path: Path) -> None:
    for spec in (SPECS["block"], SPECS["flow"]):
        runtime, sources = read(tmp_path, loadgate__yml=spec.replace("serving:", f"{name}:"))
        applied(edited(OLDER, runtime, sources), tmp_path)
        (declared,) = read_spec(tmp_path, tmp_path / "loadgate.yml").runtimes
        assert (declared.name, declared.python, declared.tensorflow) == (name, "3.11", "2.15.1")


def test_a_comment_and_everything_else_on_a_changed_line_stays(tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, loadgate__yml=SPECS["block"])
    edits = {edit.line: edit for edit in edited(OLDER, runtime, sources)}
    assert edits[5].new == '    tensorflow: "2.15.1"  # as in production'


def test_a_requirement_of_a_file_is_changed_on_its_own_line(tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, requirements__txt="# served\ntensorflow==2.18.1\npandas\n")
    assert edited(OLDER, runtime, sources) == (
        Edit(file="requirements.txt", line=2, old="tensorflow==2.18.1", new="tensorflow==2.15.1"),
    )


def test_a_package_that_nobody_asked_for_is_a_line_to_add_to_the_requirements(tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, requirements__txt="tensorflow==2.18.1\n")
    package = Change(kind=RemedyKind.PACKAGE, packages=("tf-keras==2.18.*",))
    assert edited(package, runtime, sources) == (Edit(file="requirements.txt", new="tf-keras==2.18.*"),)


@pytest.mark.parametrize("hashes", [" \\\n    --hash=sha256:0f\n", " --hash=sha256:0f\n"])
def test_requirements_with_hashes_are_for_the_program_that_wrote_them_to_change(hashes: str, tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, requirements__txt=f"tensorflow==2.18.1{hashes}numpy==2.0.2{hashes}")
    assert edited(OLDER, runtime, sources) == ()
    assert [edit.file for edit in edited(CHANGES["import"], runtime, sources)] == ["loadgate.yml"]


def test_a_line_that_asks_for_no_version_stays_unless_the_remedy_has_one_for_it(tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, requirements__txt="tensorflow==2.18.1\nnumpy\ntensorflow-text\nkeras\n")
    change = Change(kind=RemedyKind.TENSORFLOW, tensorflow="2.21.0", keras="3.15.1")
    assert {edit.old: edit.new for edit in finished(edited(change, runtime, sources), lock(numpy="1.26.4"))} == {
        "tensorflow==2.18.1": "tensorflow==2.21.0",
        "keras": "keras==3.15.1",
    }
    tried = changed(runtime, lock(), change, name="candidate")
    assert {"numpy", "tensorflow-text"} <= {line.text for line in tried.requirements}


def test_what_a_requirements_file_takes_from_another_is_not_written_into_the_spec(tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_text("tensorflow==2.18.1\n")
    runtime, sources = read(tmp_path, requirements__txt="-r base.txt\npandas\n")
    (edit,) = edited(CHANGES["import"], runtime, sources)
    assert "packages" not in edit.new
    assert "requirements: [requirements.txt]" in edit.new


def test_a_base_image_that_brings_tensorflow_is_changed_where_it_is_named(tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, Dockerfile="FROM tensorflow/tensorflow:2.18.1-gpu AS serving\n")
    line = Edit(
        file="Dockerfile",
        line=1,
        old="FROM tensorflow/tensorflow:2.18.1-gpu AS serving",
        new="FROM tensorflow/tensorflow:2.15.1-gpu AS serving",
    )
    assert edited(CHANGES["tensorflow"], runtime, sources) == (line,)
    with_keras = Change(kind=RemedyKind.TENSORFLOW, tensorflow="2.15.1", keras="3.8.0")
    changed_line, spec = edited(with_keras, runtime, sources)
    assert changed_line == line
    assert 'tensorflow: "2.15.1"\n    keras: "3.8.0"' in spec.new


def test_a_keras_that_nobody_asked_for_is_pinned_beside_the_tensorflow(tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, requirements__txt="tensorflow==2.18.1\n")
    change = Change(kind=RemedyKind.TENSORFLOW, tensorflow="2.21.0", keras="3.15.1")
    assert [edit.new for edit in edited(change, runtime, sources)] == ["tensorflow==2.21.0", "keras==3.15.1"]


def test_what_no_file_has_a_line_for_is_a_small_spec_to_write(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("3.11\n")
    runtime, sources = read(tmp_path, requirements__txt="tensorflow==2.18.1\npandas\n")
    change = Change(kind=RemedyKind.IMPORT, imports=("acme.layers",))
    assert edited(change, runtime, sources) == (
        Edit(
            file="loadgate.yml",
            new="version: 1\n"
            "runtimes:\n"
            "  default:\n"
            '    python: "3.11"\n'
            "    requirements: [requirements.txt]\n"
            "    imports: [acme.layers]",
        ),
    )


UNDECLARED = {
    "requirements": {"requirements.txt": "tensorflow==2.18.1\npandas\n", ".python-version": "3.12\n"},
    "project": {
        "pyproject.toml": """
            [project]
            name = "acme"
            version = "1"
            requires-python = "==3.12.*"
            dependencies = [
                "tensorflow==2.18.1",
                "pandas",
            ]
        """
    },
    "image": {
        "Dockerfile": """
            FROM python:3.12
            COPY requirements.txt .
            RUN pip install -r requirements.txt flask
        """,
        "requirements.txt": "tensorflow==2.18.1\n",
    },
    "two": {"a/requirements.txt": "tensorflow==2.18.1\n", "b/requirements.txt": "tensorflow==2.16.2\n"},
    "nothing": {},
    "spec without runtimes": {
        "requirements.txt": "tensorflow==2.18.1\n",
        "loadgate.yml": "version: 1\nchecks: {timeout: 60}\n",
    },
}


@pytest.mark.parametrize("change", ["environment", "legacy", "keras", "package", "older", "import"])
@pytest.mark.parametrize("style", UNDECLARED)
def test_what_is_told_where_no_spec_declares_the_runtime_makes_the_one_that_was_tried(
    style: str, change: str, tmp_path: Path
) -> None:
    for name, text in UNDECLARED[style].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text).lstrip("\n"))
    before = declared_in(tmp_path)
    runtime, *others = before.runtimes
    sources = read_sources(tmp_path, before.runtimes, before.file)
    tried = changed(runtime, None, CHANGES[change], name=runtime.name)
    applied(finished(edited(CHANGES[change], runtime, sources), lock()), tmp_path)
    declared, *kept = declared_in(tmp_path).runtimes
    assert (declared.name, declared.tensorflow, dict(declared.env)) == (tried.name, tried.tensorflow, tried.env)
    assert declared.imports == tried.imports
    assert declared.python == tried.python or (declared.python is None and tried.python == "3.11")
    keras = {f"keras=={tried.keras}"} if tried.keras and declared.keras is None else set()
    assert {line.text for line in declared.requirements} == {line.text for line in tried.requirements} | keras
    assert declared.keras in (None, tried.keras)
    assert [each.requirements for each in kept] == [each.requirements for each in others]


def declared_in(root: Path) -> Spec:
    file = root / "loadgate.yml"
    return read_spec(root, file) if file.exists() else infer_spec(root, (3, 12))


UV_LOCK = """
    version = 1
    requires-python = ">=3.12"

    [[package]]
    name = "acme"
    version = "1"
    source = { virtual = "." }
    dependencies = [{ name = "tensorflow" }]

    [[package]]
    name = "tensorflow"
    version = "2.18.1"
    source = { registry = "https://index.example/simple" }
"""


def test_a_lock_is_changed_by_its_own_program_and_the_spec_says_the_rest(tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, uv__lock=UV_LOCK)
    (edit,) = edited(LEGACY, runtime, sources)
    assert edit.new.split("\n") == [
        "version: 1",
        "runtimes:",
        "  default:",
        '    python: "3.12"',
        "    requirements: [uv.lock]",
        '    env: {TF_USE_LEGACY_KERAS: "1"}',
        "    imports: [acme.layers]",
    ]
    package = Change(kind=RemedyKind.PACKAGE, packages=("tf-keras==2.18.*",))
    assert edited(package, runtime, sources) == ()


@pytest.mark.parametrize("spec", ["", "version: 1\nchecks: {timeout: 60}\n"])
def test_the_call_for_an_artifact_needs_no_runtime_in_the_spec(spec: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tensorflow==2.18.1\n")
    if spec:
        (tmp_path / "loadgate.yml").write_text(spec)
    before = declared_in(tmp_path)
    sources = read_sources(tmp_path, before.runtimes, before.file)
    edits = loader_edits(Loader.TF_KERAS, "models/a: b", Format.SAVED_MODEL, before.runtimes[0], sources)
    applied(edits, tmp_path)
    after = declared_in(tmp_path)
    assert after.loaders == {"models/a: b": Loader.TF_KERAS}
    assert [runtime.requirements for runtime in after.runtimes] == [each.requirements for each in before.runtimes]


def test_a_pin_that_had_to_give_way_becomes_the_version_that_was_installed(tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, requirements__txt="tensorflow==2.18.1\nnumpy==2.0.2  # newest\n")
    edits = finished(edited(OLDER, runtime, sources), lock(numpy="1.26.4"))
    assert edits[1] == Edit(
        file="requirements.txt", line=2, old="numpy==2.0.2  # newest", new="numpy==1.26.4  # newest"
    )


def test_constraints_of_the_users_own_are_changed_with_what_they_constrain(tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("tensorflow==2.18.1\npandas==2.2.3\nnumpy==2.0.2\n")
    runtime, sources = read(tmp_path, requirements__txt="-c constraints.txt\ntensorflow>=2.18\npandas\n")
    edits = finished(edited(OLDER, runtime, sources), lock(tensorflow="2.15.1", numpy="1.26.4"))
    assert [(edit.file, edit.line, edit.new) for edit in edits] == [
        ("constraints.txt", 1, "tensorflow==2.15.1"),
        ("constraints.txt", 3, "numpy==1.26.4"),
        ("requirements.txt", 2, "tensorflow==2.15.1"),
    ]


def test_a_pin_that_still_holds_is_no_edit(tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, requirements__txt="tensorflow==2.18.1\nnumpy==1.26.4\n")
    edits = finished(edited(OLDER, runtime, sources), lock(numpy="1.26.4"))
    assert [edit.line for edit in edits] == [1]


EXISTING = (
    "interpreter: .venv/bin/python",
    'image: "tensorflow/tensorflow:2.18.1"',
    "image: ghcr.io/acme/serving:2.18",
)
CHANGES = {
    "environment": Change(kind=RemedyKind.ENVIRONMENT, env={"TF_USE_LEGACY_KERAS": "1"}),
    "legacy": LEGACY,
    "keras": Change(kind=RemedyKind.KERAS, keras="3.8.0"),
    "package": Change(kind=RemedyKind.PACKAGE, packages=("tensorflow-text==2.18.*",), imports=("tensorflow_text",)),
    "tensorflow": Change(kind=RemedyKind.TENSORFLOW, tensorflow="2.15.1"),
    "older": OLDER,
    "import": Change(kind=RemedyKind.IMPORT, imports=("acme.layers",)),
}


@pytest.mark.parametrize("style", ["    {}\n", "{{{}}}\n"], ids=["block", "flow"])
@pytest.mark.parametrize("existing", EXISTING)
@pytest.mark.parametrize("change", CHANGES)
def test_what_exists_already_is_never_told_what_to_be_made_from(
    change: str, existing: str, style: str, tmp_path: Path
) -> None:
    """The spec refuses both at once."""
    gap = "\n" if style.startswith(" ") else " "
    runtime, sources = declared_as(f"{gap}{style.format(existing)}", tmp_path)
    applied(edited(CHANGES[change], runtime, sources), tmp_path)
    (declared,) = read_spec(tmp_path, tmp_path / "loadgate.yml").runtimes
    assert (declared.interpreter is None, declared.image is None) == (
        runtime.interpreter is None,
        runtime.image is None,
    )


def test_another_tensorflow_is_another_tag_of_tensorflows_own_image(tmp_path: Path) -> None:
    runtime, sources = declared_as(" {image: tensorflow/tensorflow:2.18.1-gpu}\n", tmp_path)
    (edit,) = edited(CHANGES["tensorflow"], runtime, sources)
    assert edit.new == '  serving: {image: "tensorflow/tensorflow:2.15.1-gpu"}'


@pytest.mark.parametrize(
    ("image", "change"),
    [
        ("ghcr.io/acme/serving:2.18.1", "tensorflow"),
        ("tensorflow/tensorflow:latest", "tensorflow"),
        ("tensorflow/tensorflow:2.18.1@sha256:0f0f", "tensorflow"),
        ("tensorflow/tensorflow:2.18.1", "legacy"),
        ("tensorflow/tensorflow:2.18.1", "older"),
    ],
)
def test_an_image_whose_name_does_not_tell_the_whole_change_is_left_alone(
    image: str, change: str, tmp_path: Path
) -> None:
    runtime, sources = declared_as(f' {{image: "{image}"}}\n', tmp_path)
    assert edited(CHANGES[change], runtime, sources) == ()


def test_a_variable_is_set_for_an_image_as_for_anything_else(tmp_path: Path) -> None:
    runtime, sources = declared_as(" {image: ghcr.io/acme/serving:2.18.1}\n", tmp_path)
    (edit,) = edited(CHANGES["environment"], runtime, sources)
    assert edit.new == '  serving: {image: ghcr.io/acme/serving:2.18.1, env: {TF_USE_LEGACY_KERAS: "1"}}'


def test_the_loader_of_one_artifact_is_named_by_its_path_and_leaves_the_others_alone(tmp_path: Path) -> None:
    runtime, sources = read(tmp_path, loadgate__yml=SPECS["block"])
    edits = loader_edits(Loader.SAVED_MODEL, "models/a b", None, runtime, sources)
    applied(edits, tmp_path)
    spec = read_spec(tmp_path, tmp_path / "loadgate.yml")
    assert spec.loaders == {"models/a b": Loader.SAVED_MODEL}
    assert yaml.safe_load((tmp_path / "loadgate.yml").read_text())["runtimes"]["serving"]["tensorflow"] == "2.18.1"


def declared_as(block: str, root: Path) -> tuple[Runtime, Sources]:
    return read(root, loadgate__yml=f"version: 1\nruntimes:\n  serving:{block}")


def lock(**packages: str) -> Lock:
    return Lock(
        digest="sha256:0",
        interpreter="/p",
        python="3.11.7",
        implementation="CPython",
        packages=packages,
        tensorflow="2.15.1",
    )
