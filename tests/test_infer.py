from __future__ import annotations

import os
import re
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from loadgate.diagnosis.new_spec import packages_of
from loadgate.domain import Origin, Runtime, Spec
from loadgate.errors import LoadgateError
from loadgate.infer import infer_spec, refuse_undecided
from loadgate.infer.expected import expected
from loadgate.infer.image_names import python_of_image, tensorflow_of_image
from loadgate.infer.poetry_versions import specifier
from loadgate.phases.init import init
from loadgate.phases.plan import plan
from loadgate.runtimes.supported_pythons import supports


def infer(root: Path, files: dict[str, str | bytes]) -> Spec:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return infer_spec(root, (3, 11))


def infer_one(root: Path, files: dict[str, str | bytes]) -> Runtime:
    (runtime,) = infer(root, files).runtimes
    return runtime


def asked(runtime: Runtime) -> list[str]:
    return [line.text for line in runtime.requirements]


def held(runtime: Runtime) -> list[str]:
    return [line.text for line in runtime.constraints]


UV_LOCK = """\
version = 1
requires-python = ">=3.9, <3.12"

[[package]]
name = "acme"
version = "0.1.0"
source = { editable = "." }
dependencies = [
    { name = "h5py", marker = "python_full_version >= '3.10'" },
    { name = "tensorflow", extra = ["and-cuda"] },
]

[package.optional-dependencies]
text = [{ name = "tensorflow-text" }]

[package.dev-dependencies]
dev = [{ name = "pytest" }]

[[package]]
name = "h5py"
version = "3.11.0"
source = { registry = "https://index.test/simple" }
resolution-markers = ["python_full_version < '3.11'"]

[[package]]
name = "h5py"
version = "3.14.0"
source = { registry = "https://index.test/simple" }
resolution-markers = ["python_full_version >= '3.11'"]

[[package]]
name = "layers"
version = "1.0"
source = { git = "https://a.test/layers?subdirectory=py&rev=main#0123abc" }

[[package]]
name = "pytest"
version = "8.3.0"
source = { registry = "https://index.test/simple" }

[[package]]
name = "tensorflow"
version = "2.15.1"
source = { registry = "https://mirror.test/simple" }
dependencies = [{ name = "layers" }, { name = "tensorflow-intel", marker = "sys_platform == 'win32'" }]

[[package]]
name = "tensorflow-intel"
version = "2.15.1"
source = { registry = "https://index.test/simple" }
"""

POETRY_LOCK = """\
[[package]]
name = "numpy"
version = "1.26.4"
optional = false
python-versions = ">=3.9"
groups = ["main"]

[[package]]
name = "pytest"
version = "8.3.0"
optional = false
python-versions = ">=3.8"
groups = ["dev"]

[[package]]
name = "tensorflow"
version = "2.15.1"
optional = false
python-versions = ">=3.9"
groups = ["main"]
markers = "sys_platform == \\"linux\\""

[package.dependencies]
numpy = ">=1.23.5,<2.0.0"

[metadata]
lock-version = "2.1"
python-versions = ">=3.9,<3.12"
content-hash = "00"
"""

PIPFILE_LOCK = """\
{
    "_meta": {
        "requires": {
            "python_version": "3.10"
        },
        "sources": [
            {"name": "pypi", "url": "https://index.test/simple", "verify_ssl": true},
            {"name": "own", "url": "https://own.test/simple", "verify_ssl": true}
        ]
    },
    "default": {
        "acme": {
            "editable": true,
            "path": "."
        },
        "tensorflow": {
            "hashes": ["sha256:00"],
            "markers": "python_version >= '3.9'",
            "version": "==2.15.1"
        },
        "tensorflow-intel": {
            "markers": "platform_system == 'Windows'",
            "version": "==2.15.1"
        }
    },
    "develop": {
        "tensorflow-datasets": {
            "version": "==4.9"
        }
    }
}
"""


SERVING_IMAGE = "FROM python:3.10\nRUN pip install 'no such = 1' tensorflow==2.13.1\n"
PYPROJECT_RANGE = '[project]\nname = "acme"\ndependencies = ["tensorflow>=2.10"]\n'


# --- each kind of file ----------------------------------------------------------------------------------------


def test_a_uv_lock_is_its_projects_dependencies_held_to_what_was_locked(tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"uv.lock": UV_LOCK, "pyproject.toml": '[project]\nname = "acme"\n'})
    assert asked(runtime) == [
        "--extra-index-url https://mirror.test/simple",
        "h5py ; python_full_version >= '3.10'",
        "tensorflow[and-cuda]",
    ]
    assert held(runtime) == [
        "h5py==3.11.0 ; (python_full_version < '3.11')",
        "h5py==3.14.0 ; (python_full_version >= '3.11')",
        "layers @ git+https://a.test/layers@0123abc#subdirectory=py",
        "tensorflow==2.15.1",
        "tensorflow-intel==2.15.1",
    ]
    assert runtime.origin == Origin(file="uv.lock", line=42)
    assert (runtime.name, runtime.python, runtime.requirement_files) == ("default", "3.9", ("uv.lock",))
    assert runtime.notes == (
        "`tensorflow==2.15.1`, from uv.lock:42.",
        "Python 3.9, from uv.lock:2, the oldest of `>=3.9, <3.12` that TensorFlow has builds for.",
    )


def test_a_group_of_a_uv_lock_is_taken_along_where_only_it_brings_tensorflow(tmp_path: Path) -> None:
    lock = UV_LOCK.replace('    { name = "tensorflow", extra = ["and-cuda"] },\n', "").replace(
        '{ name = "tensorflow-text" }', '{ name = "tensorflow" }'
    )
    runtime = infer_one(tmp_path, {"uv.lock": lock})
    assert asked(runtime)[-1] == "tensorflow"
    assert runtime.notes[-1] == "uv.lock: the group `text` of acme is taken along, for it brings TensorFlow."


def test_a_poetry_lock_holds_what_pyproject_asks_for_and_leaves_development_out(tmp_path: Path) -> None:
    pyproject = '[tool.poetry.dependencies]\npython = "^3.9"\ntensorflow = {version = "^2.15", extras = ["and-cuda"]}\n'
    runtime = infer_one(tmp_path, {"poetry.lock": POETRY_LOCK, "pyproject.toml": pyproject})
    assert asked(runtime) == ["tensorflow[and-cuda]"]
    assert held(runtime) == ["numpy==1.26.4", 'tensorflow==2.15.1 ; sys_platform == "linux"']
    assert (runtime.python, runtime.origin) == ("3.9", Origin(file="poetry.lock", line=16))


def test_a_poetry_lock_alone_is_what_no_other_package_asks_for(tmp_path: Path) -> None:
    assert asked(infer_one(tmp_path, {"poetry.lock": POETRY_LOCK})) == ['tensorflow==2.15.1 ; sys_platform == "linux"']


POETRY_1_LOCK = """\
[[package]]
name = "numpy"
version = "1.24.3"
python-versions = ">=3.8"

[[package]]
name = "numpy"
version = "1.26.4"
python-versions = ">=3.9"

[[package]]
name = "tensorflow"
version = "2.10.1"
python-versions = ">=3.7"

[[package]]
name = "tensorflow"
version = "2.15.1"
python-versions = ">=3.9"

[[package]]
name = "h5py"
version = "3.11.0"
python-versions = ">=3.8"

[metadata]
python-versions = ">=3.8,<3.12"
"""


def test_the_optional_tensorflow_of_a_poetry_lock_is_installed_where_keras_alone_is_asked_for(tmp_path: Path) -> None:
    lock = "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\noptional = false\n{needs}'
        for name, version, needs in (
            ("keras", "3.3.3", ""),
            ("tensorflow", "2.16.1", '[package.dependencies]\nkeras = ">=3"\ntensorflow-intel = "2.16.1"\n'),
            ("tensorflow-intel", "2.16.1", ""),
        )
    )
    project = '[tool.poetry.dependencies]\nkeras = "^3.0"\ntensorflow = {version = "^2.16", optional = true}\n'
    runtime = infer_one(tmp_path, {"poetry.lock": lock, "pyproject.toml": project})
    assert (asked(runtime), "tensorflow==2.16.1" in held(runtime)) == (["keras", "tensorflow"], True)
    assert runtime.notes[0] == "`tensorflow==2.16.1`, from poetry.lock:6."


def test_a_version_that_a_poetry_lock_does_not_say_the_python_of_holds_nothing(tmp_path: Path) -> None:
    pyproject = """\
[tool.poetry.dependencies]
h5py = "^3"
numpy = [{version = "1.24.3", python = "<3.9"}, {version = "1.26.4", python = ">=3.9"}]
tensorflow = [{version = "2.10.1", python = "<3.9"}, {version = "2.15.1", python = "~3.9 || ^3.10.1"}]
"""
    runtime = infer_one(tmp_path, {"poetry.lock": POETRY_1_LOCK, "pyproject.toml": pyproject})
    assert held(runtime) == ["h5py==3.11.0"]
    assert asked(runtime) == [
        "h5py",
        'numpy==1.24.3 ; python_version < "3.9"',
        'numpy==1.26.4 ; python_version >= "3.9"',
        'tensorflow==2.10.1 ; python_version < "3.9"',
        'tensorflow==2.15.1 ; python_version >= "3.9" and python_version < "3.10"'
        ' or python_full_version >= "3.10.1" and python_version < "4"',
    ]
    assert runtime.python == "3.8"


def test_of_a_poetry_lock_alone_a_version_without_its_python_is_left_open(tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"poetry.lock": POETRY_1_LOCK})
    assert asked(runtime) == ["numpy", "tensorflow", "h5py==3.11.0"]


def test_a_pipfile_lock_is_its_default_section(tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"Pipfile.lock": PIPFILE_LOCK})
    assert asked(runtime) == [
        "--extra-index-url https://own.test/simple",
        "tensorflow==2.15.1 ; python_version >= '3.9'",
        "tensorflow-intel==2.15.1 ; platform_system == 'Windows'",
    ]
    assert (runtime.python, runtime.origin) == ("3.10", Origin(file="Pipfile.lock", line=16))
    assert runtime.notes[-1].startswith("Pipfile.lock:12: `acme @ file:.` is left out")


def test_requirements_files_in_several_folders_are_several_runtimes_named_after_them(tmp_path: Path) -> None:
    spec = infer(
        tmp_path,
        {
            "requirements.txt": "tensorflow==2.15.1\n",
            "requirements-gpu.txt": "tensorflow[and-cuda]==2.15.1\n",
            "serving/requirements.txt": "numpy<2\ntensorflow==2.13.1\n",
            "batch/serving/requirements.txt": "tensorflow==2.12.1\n",
            "web/requirements.txt": "flask\n",
        },
    )
    assert [(runtime.name, str(runtime.origin)) for runtime in spec.runtimes] == [
        ("gpu", "requirements-gpu.txt:1"),
        ("default", "requirements.txt:1"),
        ("serving", "serving/requirements.txt:2"),
        ("batch-serving", "batch/serving/requirements.txt:1"),
    ]


def test_a_folder_of_requirements_is_read_and_what_another_file_includes_is_no_runtime_of_its_own(
    tmp_path: Path,
) -> None:
    runtime = infer_one(
        tmp_path,
        {
            "requirements/base.txt": "tensorflow==2.15.1\n",
            "requirements/production.txt": "-r base.txt\nh5py\n",
            "requirements/dev.txt": "-r base.txt\npytest\n",
        },
    )
    assert (runtime.name, asked(runtime)) == ("production", ["tensorflow==2.15.1", "h5py"])


def test_pyproject_dependencies_are_read_with_their_lines(tmp_path: Path) -> None:
    content = '[project]\nname = "a"\nrequires-python = ">=3.8"\n'
    content += 'dependencies = [\n  "h5py",\n  "tensorflow>=2.15,<2.16",\n]\n'
    runtime = infer_one(tmp_path, {"pyproject.toml": content})
    assert asked(runtime) == ["h5py", "tensorflow>=2.15,<2.16"]
    assert (str(runtime.origin), runtime.python) == ("pyproject.toml:6", "3.9")


def test_an_extra_of_pyproject_is_taken_along_where_only_it_brings_tensorflow(tmp_path: Path) -> None:
    content = '[project]\nname = "a"\ndependencies = ["h5py"]\n[project.optional-dependencies]\n'
    content += 'test = ["tensorflow==2.1"]\nserving = ["tensorflow==2.15.1"]\n'
    runtime = infer_one(tmp_path, {"pyproject.toml": content})
    assert asked(runtime) == ["h5py", "tensorflow==2.15.1"]
    assert runtime.notes[-1] == "pyproject.toml: the group `serving` is taken along, for it brings TensorFlow."


GROUPS = {
    "the standard's": '[dependency-groups]\nkeras = [{include-group = "a"}]\na = ["tensorflow==2.15.1"]\n',
    "uv's": '[tool.uv]\ndev-dependencies = ["tensorflow==2.15.1"]\n',
    "pdm's": '[tool.pdm.dev-dependencies]\nml = ["tensorflow==2.15.1"]\n',
    "hatch's": '[tool.hatch.envs.ml]\ndependencies = ["tensorflow==2.15.1"]\n',
    "poetry's": '[tool.poetry.dev-dependencies]\ntensorflow = "2.15.1"\n',
}


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS.keys())
def test_a_group_of_pyproject_is_taken_along_whoever_invented_the_place(groups: str, tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"pyproject.toml": f'[project]\ndependencies = ["h5py"]\n{groups}'})
    assert asked(runtime) == ["h5py", "tensorflow==2.15.1"]
    assert "is taken along, for it brings TensorFlow." in runtime.notes[-1]


def test_ten_thousand_groups_do_not_hang_the_reading_of_pyproject(tmp_path: Path) -> None:
    groups = "".join(f'g{i} = [{{include-group = "g{i + 1}"}}, "a{i}", "b{i}"]\n' for i in range(10_000))
    lines = ", ".join(f'"c{i}"' for i in range(1000))
    content = f"[project]\ndependencies = [{lines}]\n[dependency-groups]\n{groups}"
    assert infer(tmp_path, {"pyproject.toml": content}).runtimes[0].name == "default"


KERAS_3 = 'dependencies = ["keras>=3"]\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "pyproject.toml",
            f'[project]\n{KERAS_3}[project.optional-dependencies]\nk = ["keras"]\ntf = ["tensorflow>=2.16"]\n',
        ),
        ("pyproject.toml", f'[project]\n{KERAS_3}[dependency-groups]\ndev = ["tensorflow==2.16.1"]\n'),
        (
            "pyproject.toml",
            '[project.optional-dependencies]\nkeras = ["keras>=3"]\ntf = ["keras>=3", "tensorflow==2.16.1"]\n',
        ),
        ("setup.py", "setup(install_requires=['keras>=3'], extras_require={'tf': ['tensorflow~=2.16.0']})\n"),
        ("setup.cfg", "[options]\ninstall_requires = keras>=3\n[options.extras_require]\ntf = tensorflow==2.16.1\n"),
        ("Pipfile", '[packages]\nkeras = "*"\n[dev-packages]\ntensorflow = "==2.16.1"\n'),
        (
            "Pipfile.lock",
            '{"default": {"keras": {"version": "==3.3.3"}}, "develop": {"tensorflow": {"version": "==2.16.1"}}}',
        ),
        (
            "pdm.lock",
            '[[package]]\nname = "keras"\nversion = "3.3.3"\ngroups = ["default"]\n'
            '[[package]]\nname = "tensorflow"\nversion = "2.16.1"\ngroups = ["dev"]\n',
        ),
        (
            "uv.lock",
            '[[package]]\nname = "acme"\nversion = "1"\nsource = { editable = "." }\n'
            'dependencies = [{ name = "keras" }]\n'
            '[package.optional-dependencies]\nk = [{ name = "keras" }]\ntf = [{ name = "tensorflow" }]\n'
            '[[package]]\nname = "keras"\nversion = "3.3.3"\n[[package]]\nname = "tensorflow"\nversion = "2.16.1"\n',
        ),
    ],
)
def test_a_group_that_brings_tensorflow_is_taken_along_to_a_project_that_needs_keras_alone(
    name: str, content: str, tmp_path: Path
) -> None:
    spec = infer(tmp_path, {name: content})
    assert spec.undecided == ()
    (runtime,) = spec.runtimes
    assert {line.partition("=")[0].rstrip(">~=") for line in asked(runtime)} == {"keras", "tensorflow"}
    assert any("is taken along, for it brings TensorFlow" in note for note in runtime.notes)


def test_groups_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    groups = '[dependency-groups]\na = [{include-group = "b"}]\nb = [{include-group = "a"}, "tensorflow==2.15.1"]\n'
    assert asked(infer_one(tmp_path, {"pyproject.toml": groups})) == ["tensorflow==2.15.1"]


def test_a_group_for_development_counts_only_where_nothing_else_names_tensorflow(tmp_path: Path) -> None:
    groups: dict[str, str | bytes] = {"pyproject.toml": '[dependency-groups]\ndev = ["tensorflow==2.16.1"]\n'}
    assert asked(infer_one(tmp_path, groups)) == ["tensorflow==2.16.1"]
    runtime = infer_one(tmp_path, {**groups, "setup.cfg": "[options]\ninstall_requires = tensorflow==2.15.1\n"})
    assert asked(runtime) == ["tensorflow==2.15.1"]


def test_locks_are_read_with_their_groups_for_development_where_only_those_bring_tensorflow(tmp_path: Path) -> None:
    uv_lock = UV_LOCK.replace('{ name = "tensorflow", extra = ["and-cuda"] },', "")
    uv_lock = uv_lock.replace('dev = [{ name = "pytest" }]', 'dev = [{ name = "tensorflow" }]')
    poetry_lock = POETRY_LOCK.replace('groups = ["main"]', 'groups = ["dev"]')
    poetry = '[tool.poetry.group.dev.dependencies]\ntensorflow = "^2.15"\n'
    pipfile_lock = PIPFILE_LOCK.replace('"default"', '"x"').replace('"develop"', '"y"').replace('"x"', '"develop"')
    spec = infer(
        tmp_path,
        {
            "a/uv.lock": uv_lock,
            "b/poetry.lock": poetry_lock,
            "b/pyproject.toml": poetry,
            "c/Pipfile.lock": pipfile_lock,
        },
    )
    pins = [line for runtime in spec.runtimes for line in (*asked(runtime), *held(runtime)) if "tensorflow==" in line]
    assert pins == [
        "tensorflow==2.15.1",
        'tensorflow==2.15.1 ; sys_platform == "linux"',
        "tensorflow==2.15.1 ; python_version >= '3.9'",
    ]


PDM_LOCK = """\
[metadata]
groups = ["default", "test"]
requires_python = ">=3.10"

[[package]]
name = "layers"
version = "1.0"
git = "https://a.test/layers"
revision = "0123abc"
groups = ["default"]

[[package]]
name = "pytest"
version = "8.3.0"
groups = ["test"]

[[package]]
name = "tensorflow"
version = "2.15.1"
groups = ["default"]
marker = "sys_platform == 'linux'"
"""
PYLOCK = """\
lock-version = "1.0"
requires-python = ">=3.10"

[[packages]]
name = "acme"
directory = {path = "."}

[[packages]]
name = "layers"
vcs = {type = "git", url = "https://a.test/layers", commit-id = "0123abc"}

[[packages]]
name = "pytest"
version = "8.3.0"
marker = "'dev' in dependency_groups"

[[packages]]
name = "tensorflow"
version = "2.15.1"
marker = "sys_platform == 'linux'"
"""


@pytest.mark.parametrize(("name", "content"), [("pdm.lock", PDM_LOCK), ("pylock.toml", PYLOCK)])
def test_a_lock_that_lists_what_to_install_is_read(name: str, content: str, tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {name: content})
    assert asked(runtime) == [
        "layers @ git+https://a.test/layers@0123abc",
        "tensorflow==2.15.1 ; sys_platform == 'linux'",
    ]
    assert runtime.python == "3.10"


def test_a_pipfile_without_its_lock_is_read(tmp_path: Path) -> None:
    content = '[packages]\nh5py = "*"\ntensorflow = {version = "==2.15.1", extras = ["and-cuda"]}\n'
    runtime = infer_one(tmp_path, {"Pipfile": content + '[requires]\npython_version = "3.10"\n'})
    assert (asked(runtime), runtime.python) == (["h5py", "tensorflow[and-cuda]==2.15.1"], "3.10")
    assert str(runtime.origin) == "Pipfile:3"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("setup.cfg", "[options]\ninstall_requires = h5py\n[options.extras_require]\nTF =\n    tensorflow==2.15.1\n"),
        ("setup.py", "setup(install_requires=['h5py'], extras_require={'tf': ['tensorflow==2.15.1']})\n"),
    ],
)
def test_an_extra_of_setuptools_is_taken_along_where_only_it_brings_tensorflow(
    name: str, content: str, tmp_path: Path
) -> None:
    assert asked(infer_one(tmp_path, {name: content})) == ["h5py", "tensorflow==2.15.1"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("requirement.txt", "tensorflow==2.15.1\n"),
        ("requirements.in", "tensorflow==2.15.1\n"),
        ("reqs/base.txt", "tensorflow==2.15.1\n"),
        ("env.yml", "dependencies:\n  - tensorflow==2.15.1\n"),
    ],
)
def test_files_of_less_usual_names_are_read(name: str, content: str, tmp_path: Path) -> None:
    assert asked(infer_one(tmp_path, {name: content, "requirements-ci.txt": "flask\n"})) == ["tensorflow==2.15.1"]


def test_poetrys_own_table_is_read(tmp_path: Path) -> None:
    content = '[tool.poetry.dependencies]\npython = "~3.11"\ntensorflow = "^2.15"\nkeras = {version = "~2.15.0"}\n'
    content += 'acme = {path = "../acme"}\nlayers = {git = "https://a.test/l", tag = "v1"}\n'
    content += 'old = {version = "1", python = "<3.9", markers = "os_name == \'posix\'", platform = "linux"}\n'
    content += 'any = {version = "1", python = "*"}\nodd = {version = "1", python = "latest"}\n'
    content += 'win = {version = "*", platform = "win32"}\nmaybe = {version = "1", optional = true}\n'
    runtime = infer_one(tmp_path, {"pyproject.toml": content})
    assert asked(runtime) == [
        "tensorflow>=2.15,<3",
        "keras>=2.15.0,<2.16",
        "layers @ git+https://a.test/l@v1",
        """old==1 ; (os_name == 'posix') and (python_version < "3.9") and (sys_platform == 'linux')""",
        "any==1",
        "odd==1",
        "win ; sys_platform == 'win32'",
    ]
    assert runtime.python == "3.11"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("^2.15", ">=2.15,<3"),
        ("^0.3.2", ">=0.3.2,<0.4"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0", ">=0,<1"),
        ("~2.15.1", ">=2.15.1,<2.16"),
        ("~2", ">=2,<3"),
        ("2.15.1", "==2.15.1"),
        ("2.15.*", "==2.15.*"),
        ("*", ""),
        (">=2.1 <3", ">=2.1,<3"),
        ("~=2.15.0", "~=2.15.0"),
        ("=2.4.1", "==2.4.1"),
        ("2.10.x", "==2.10.*"),
        (">=2.4.*", None),
        ("^2 || ^3", None),
        ("latest", None),
    ],
)
def test_poetrys_ranges_become_specifiers(written: str, meant: str | None) -> None:
    assert specifier(written) == meant


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", '[tool.poetry.dependencies]\ntensorflow = "~2.10 || ~2.12"\n'),
        ("environment.yml", "dependencies: ['tensorflow=2.10|2.12']\n"),
    ],
)
def test_there_is_no_verdict_where_a_tensorflow_is_one_of_several(name: str, content: str, tmp_path: Path) -> None:
    (undecided,) = infer(tmp_path, {name: content}).undecided
    assert undecided.startswith(f"{name}:")


def test_a_poetry_lock_says_which_of_several_tensorflows_it_is(tmp_path: Path) -> None:
    project = '[tool.poetry.dependencies]\npython = "^3.9"\nnumpy = "*"\ntensorflow = "~2.12 || ~2.15"\n'
    spec = infer(tmp_path, {"poetry.lock": POETRY_LOCK, "pyproject.toml": project})
    (runtime,) = spec.runtimes
    assert (spec.undecided, asked(runtime)) == ((), ["numpy", "tensorflow"])
    assert 'tensorflow==2.15.1 ; sys_platform == "linux"' in held(runtime)


def test_a_conda_environment_gives_python_its_pip_section_and_what_pypi_has_too(tmp_path: Path) -> None:
    content = "dependencies:\n  - python=3.10\n  - cudatoolkit=11.8\n  - conda-forge::numpy>=1.23,<2\n"
    content += "  - h5py=3.11.0=nompi_py310\n  - tensorflow-gpu=2.11\n  - pip\n  - pip:\n    - keras==2.11.0\n"
    runtime = infer_one(tmp_path, {"environment.yml": content})
    assert asked(runtime) == ["numpy>=1.23,<2", "h5py==3.11.0", "tensorflow==2.11.*", "keras==2.11.0"]
    assert (runtime.python, str(runtime.origin)) == ("3.10", "environment.yml:6")
    assert runtime.notes[-1] == "environment.yml: left out, for only conda has them: cudatoolkit."


def test_setup_cfg_is_read(tmp_path: Path) -> None:
    content = "[options]\npython_requires = >=3.10\ninstall_requires =\n    h5py\n    tensorflow==2.15.1\n"
    runtime = infer_one(tmp_path, {"setup.cfg": content})
    assert (asked(runtime), runtime.python) == (["h5py", "tensorflow==2.15.1"], "3.10")
    assert str(runtime.origin) == "setup.cfg:5"


SETUP_PY = """\
import setuptools
TESTS = ["pytest"]
REQUIRED = ["h5py", *TESTS]
if __name__ == "__main__":
    setuptools.setup(name="acme", python_requires=">=3.10", install_requires=REQUIRED + [
        "tensorflow==2.15.1",
    ])
"""


def test_setup_py_is_read_as_far_as_it_says_so_itself(tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"setup.py": SETUP_PY, "docs/requirements.txt": "tensorflow\n"})
    assert asked(runtime) == ["h5py", "pytest", "tensorflow==2.15.1"]
    assert (runtime.python, str(runtime.origin)) == ("3.10", "setup.py:6")


def test_names_that_stand_for_one_another_do_not_hang_the_reading_of_setup_py(tmp_path: Path) -> None:
    doubling = "".join(f"a{i} = [*a{i + 1}, *a{i + 1}]\n" for i in range(100))
    infer(tmp_path, {"setup.py": f"a100 = a0\n{doubling}from setuptools import setup\nsetup(install_requires=a0)\n"})


def test_texts_that_are_named_again_and_again_do_not_exhaust_the_memory(tmp_path: Path) -> None:
    text = '"""' + "a\n" * 16_000 + '"""'
    extras = ", ".join(f"'e{i}': [{'x, ' * 60}'tensorflow==2.15.1']" for i in range(100))
    content = f"x = {text}\nsetup(install_requires=[{'x, ' * 6000}], extras_require={{{extras}}})\n"
    tracemalloc.start()
    try:
        infer(tmp_path, {"setup.py": content})
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024**2
    finally:
        tracemalloc.stop()


def test_setup_py_is_never_run(tmp_path: Path) -> None:
    infer(tmp_path, {"setup.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n# tensorflow\n"})
    assert not (tmp_path / "ran").exists()


# --- Dockerfiles ----------------------------------------------------------------------------------------------


def test_a_dockerfile_gives_python_and_what_pip_installs(tmp_path: Path) -> None:
    dockerfile = """\
ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS base
# tools first
RUN apt-get update && apt-get install -y curl \\
    # and then
    && pip install --no-cache-dir --upgrade pip \\
    && python -m pip install --root-user-action ignore \\
        "tensorflow==2.15.1" \\
        'numpy<2' --index-url https://a.test/simple > /dev/null 2>&1
RUN ["pip3", "install", "h5py"]
RUN uv pip install --system keras==2.15.0 || true
"""
    runtime = infer_one(tmp_path, {"serving/Dockerfile": dockerfile})
    assert asked(runtime) == [
        "tensorflow==2.15.1",
        "numpy<2",
        "--index-url https://a.test/simple",
        "h5py",
        "keras==2.15.0",
    ]
    assert (runtime.name, runtime.python, str(runtime.origin)) == ("serving", "3.11", "serving/Dockerfile:8")
    assert runtime.notes == (
        "`tensorflow==2.15.1`, from serving/Dockerfile:8.",
        "Python 3.11, from serving/Dockerfile:2.",
    )


def test_a_base_image_of_tensorflows_brings_its_version(tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"Dockerfile": "FROM tensorflow/tensorflow:2.15.0-gpu\nRUN pip install h5py\n"})
    assert (runtime.tensorflow, asked(runtime), runtime.python) == ("2.15.0", ["h5py"], "3.11")
    assert runtime.notes == (
        "TensorFlow 2.15.0, from the base image in Dockerfile:1.",
        "Python 3.11, from Dockerfile:1.",
        "Dockerfile:1: the image is for GPUs; add `devices: [cpu, gpu]` to load on both.",
    )


@pytest.mark.parametrize(
    "base",
    [
        "nvcr.io/nvidia/tensorflow:23.12-tf2-py3",
        "tensorflow/tensorflow:latest-gpu",
        "gcr.io/deeplearning-platform-release/tf2-cpu",
        "example.org:5000/tensorflow-inference@sha256:00",
    ],
)
def test_a_base_image_with_a_tensorflow_that_nobody_knows_is_told_of(base: str, tmp_path: Path) -> None:
    spec = infer(tmp_path, {"Dockerfile": f"FROM {base}\nRUN pip install flask\n"})
    assert spec.notes == (
        f"Dockerfile:1: `{base}` has a TensorFlow, and does not say which; "
        "name its version under `tensorflow:` of a runtime, or the image itself under `image:`.",
    )
    assert spec.undecided == (f"Dockerfile:1:1: `{base}` names a TensorFlow",)


@pytest.mark.parametrize("base", ["python:3.11", "acme/nontensorflow:1", "acme/mytf2app:1"])
def test_a_base_image_that_says_nothing_of_tensorflow_is_not_told_of(base: str, tmp_path: Path) -> None:
    assert len(infer(tmp_path, {"Dockerfile": f"FROM {base}\n"}).notes) == 1


def test_a_requirement_of_tensorflow_replaces_that_of_the_base_image(tmp_path: Path) -> None:
    dockerfile = "FROM tensorflow/tensorflow:2.15.0\nRUN pip install tensorflow==2.13.1\n"
    runtime = infer_one(tmp_path, {"Dockerfile": dockerfile})
    assert (runtime.tensorflow, asked(runtime)) == (None, ["tensorflow==2.13.1"])


@pytest.mark.parametrize(
    ("flavour", "line"),
    [
        ("-gpu", "tensorflow"),
        ("-gpu-jupyter", "tensorflow>=2.10"),
        ("-gpu", "tensorflow[and-cuda]~=2.15"),
        ("", "tensorflow-cpu"),
    ],
)
def test_what_the_base_image_meets_already_is_not_installed_anew(flavour: str, line: str, tmp_path: Path) -> None:
    dockerfile = f"FROM tensorflow/tensorflow:2.15.0{flavour}\nCOPY *.txt .\nRUN pip install -r requirements.txt\n"
    runtime = infer_one(tmp_path, {"Dockerfile": dockerfile, "requirements.txt": f"h5py\n{line}\n"})
    assert (runtime.tensorflow, str(runtime.origin)) == ("2.15.0", "Dockerfile:1")
    assert runtime.notes[0] == "TensorFlow 2.15.0, from the base image in Dockerfile:1."
    assert runtime.notes[-1] == (
        f"`{line}`, from requirements.txt:2, is met by the base image, so pip installs no other."
    )


@pytest.mark.parametrize(
    "command",
    [
        "pip install -U tensorflow",
        "pip install --upgrade -r requirements.txt",
        "pip install --target=/deps tensorflow",
        "/venv/bin/pip install tensorflow",
        "/venv/bin/python -m pip install tensorflow",
        "pip install 'tensorflow>=2.16'",
        "pip install tensorflow-cpu",
        "pip install tensorflow==2.13.1",
        "pip install tensorflow -c constraints.txt",
    ],
)
def test_what_pip_installs_although_the_base_image_has_another_is_taken(command: str, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"requirements.txt": "tensorflow\n", "constraints.txt": "tensorflow==2.16.1\n"}
    runtime = infer_one(tmp_path, {**files, "Dockerfile": f"FROM tensorflow/tensorflow:2.15.0-gpu\nRUN {command}\n"})
    assert runtime.tensorflow is None


@pytest.mark.parametrize(
    ("base", "line", "undecided"),
    [
        ("tensorflow/tensorflow:2.15.0", "tensorflow", False),
        ("tensorflow/tensorflow:2.13.0", "tensorflow", True),
        ("tensorflow/tensorflow:2.13.0", "tensorflow==2.13.1", False),
        ("tensorflow/tensorflow:2.13.0", "tensorflow>=2.16", False),
        ("us-docker.pkg.dev/vertex-ai/training/tf-gpu.2-12.py310", "tensorflow", True),
        ("nvcr.io/nvidia/tensorflow:23.12-tf2-py3", "tensorflow>=2.10", True),
        ("nvcr.io/nvidia/tensorflow:23.12-tf2-py3", "tensorflow==2.14.0", False),
    ],
)
def test_where_nobody_knows_by_which_package_an_image_has_tensorflow_whether_pip_replaces_it_is_no_guess(
    base: str, line: str, undecided: bool, tmp_path: Path
) -> None:
    spec = infer(tmp_path, {"Dockerfile": f"FROM {base}\nRUN pip install '{line}'\n"})
    assert spec.undecided == ((f"Dockerfile:1:1: `{base}` names a TensorFlow",) if undecided else ())
    assert [(runtime.tensorflow, asked(runtime)) for runtime in spec.runtimes] == [(None, [line])]


def test_the_server_alone_has_no_package_that_meets_what_pip_is_asked_for(tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"Dockerfile": "FROM tensorflow/serving:2.15.0\nRUN pip install tensorflow\n"})
    assert (runtime.tensorflow, asked(runtime)) == (None, ["tensorflow"])


def test_a_requirements_file_that_a_dockerfile_installs_is_found_by_what_was_copied(tmp_path: Path) -> None:
    dockerfile = "FROM python:3.10\nCOPY serving/requirements*.txt /tmp/\nRUN pip install -r /tmp/requirements.txt\n"
    runtime = infer_one(
        tmp_path,
        {"Dockerfile": dockerfile, "serving/requirements.txt": "tensorflow==2.15.1\n", "uv.lock": UV_LOCK},
    )
    assert (asked(runtime), runtime.python) == (["tensorflow==2.15.1"], "3.10")
    assert runtime.requirement_files == ("serving/requirements.txt",)


@pytest.mark.parametrize("path", ["/deps/r.txt", "r.txt", "./r.txt"])
def test_a_requirements_file_that_a_dockerfile_copies_under_another_name_is_followed(path: str, tmp_path: Path) -> None:
    dockerfile = f"FROM python:3.10\nCOPY --chown=a requirements-prod.txt {path}\nRUN pip install -r {path}\n"
    files: dict[str, str | bytes] = {"requirements-prod.txt": "tensorflow==2.15.1\n", "r.txt": "tensorflow==2.13.1\n"}
    runtime = infer_one(tmp_path, {**files, "Dockerfile": dockerfile})
    assert (asked(runtime), runtime.requirement_files) == (["tensorflow==2.15.1"], ("requirements-prod.txt",))


def test_what_a_dockerfile_installs_decides_over_a_lock_beside_it_and_that_is_noted(tmp_path: Path) -> None:
    spec = infer(tmp_path, {"Dockerfile": "FROM python:3.10\nRUN pip install tensorflow==2.13.1\n", "uv.lock": UV_LOCK})
    assert [asked(runtime) for runtime in spec.runtimes] == [["tensorflow==2.13.1"]]
    assert spec.notes == ("uv.lock:42: passed over, for Dockerfile says what is installed.",)


def test_a_dockerfile_that_installs_no_tensorflow_still_says_which_python(tmp_path: Path) -> None:
    dockerfile = "FROM python:3.11.7-slim\nRUN pip install uv && uv sync\n"
    runtime = infer_one(tmp_path, {"Dockerfile": dockerfile, "uv.lock": UV_LOCK})
    assert (runtime.python, runtime.requirement_files) == ("3.11.7", ("uv.lock",))


@pytest.mark.parametrize(
    "command",
    [
        "pip install git+https://a.test/layers@v1#egg=layers tensorflow==2.15.1 && pip install h5py",
        "pip install git+https://a.test/layers@v1#egg=layers tensorflow==2.15.1; pip install h5py # don't install b",
        "echo \"# it's\" '#' \\# && pip install git+https://a.test/layers@v1#egg=layers tensorflow==2.15.1 h5py;#don't",
    ],
)
def test_in_a_command_a_comment_begins_where_a_word_does(command: str, tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"Dockerfile": f"FROM python:3.11\nRUN {command}\n"})
    assert asked(runtime) == ["git+https://a.test/layers@v1#egg=layers", "tensorflow==2.15.1", "h5py"]


@pytest.mark.parametrize("upgrade", ["pip install -U tensorflow", "pip install --upgrade 'tensorflow>=2.4' numpy"])
def test_a_later_upgrade_wins_over_what_was_installed_before(upgrade: str, tmp_path: Path) -> None:
    dockerfile = f"FROM python:3.11\nCOPY requirements.txt .\nRUN pip install -r requirements.txt && {upgrade}\n"
    runtime = infer_one(tmp_path, {"Dockerfile": dockerfile, "requirements.txt": "tensorflow==2.13.1\nh5py\n"})
    assert asked(runtime)[:2] == ["h5py", upgrade.split()[3].strip("'")]
    assert any("is replaced by `tensorflow" in note for note in runtime.notes)


def test_what_is_installed_once_more_without_an_upgrade_stays_as_it_is(tmp_path: Path) -> None:
    dockerfile = "FROM python:3.11\nRUN /venv/bin/pip install tensorflow==2.13.1 && /venv/bin/pip install tensorflow\n"
    assert asked(infer_one(tmp_path, {"Dockerfile": dockerfile})) == ["tensorflow==2.13.1", "tensorflow"]


def test_of_two_pins_of_one_package_the_later_command_wins(tmp_path: Path) -> None:
    dockerfile = "FROM python:3.11\nRUN pip install tensorflow==2.13.1 h5py\nCOPY requirements.txt .\n"
    dockerfile += "RUN pip install -r requirements.txt && pip install 'numpy<2'\n"
    requirements = "tensorflow==2.15.1\nnumpy==2.1\nh5py>=3\n"
    runtime = infer_one(tmp_path, {"Dockerfile": dockerfile, "requirements.txt": requirements})
    assert asked(runtime) == ["h5py", "tensorflow==2.15.1", "h5py>=3", "numpy<2"]
    assert runtime.notes[-2:] == (
        "`tensorflow==2.13.1`, from Dockerfile:2, is replaced by `tensorflow==2.15.1`, "
        "which requirements.txt:1 installs later.",
        "`numpy==2.1`, from requirements.txt:2, is replaced by `numpy<2`, which Dockerfile:4 installs later.",
    )


def test_two_pins_in_one_command_contradict_each_other(tmp_path: Path) -> None:
    dockerfile = "FROM python:3.11\nRUN pip install tensorflow==2.13.1 tensorflow==2.15.1\n"
    assert asked(infer_one(tmp_path, {"Dockerfile": dockerfile})) == ["tensorflow==2.13.1", "tensorflow==2.15.1"]


STAGES = """\
FROM python:3.11 AS base
RUN pip install h5py
FROM base AS {first}
RUN pip install tensorflow==2.15.1
FROM base AS {last}
RUN pip install tensorflow==2.16.1
"""


@pytest.mark.parametrize(
    ("first", "last", "taken"),
    [
        ("prod", "dev", "tensorflow==2.15.1"),
        ("serving", "unit-test", "tensorflow==2.15.1"),
        ("dev", "prod", "tensorflow==2.16.1"),
        ("prod", "release", "tensorflow==2.16.1"),
        ("build", "dev", "tensorflow==2.16.1"),
        ("prod", "device", "tensorflow==2.16.1"),
    ],
)
def test_a_last_stage_for_development_is_passed_over_where_one_for_use_comes_before_it(
    first: str, last: str, taken: str, tmp_path: Path
) -> None:
    runtime = infer_one(tmp_path, {"Dockerfile": STAGES.format(first=first, last=last)})
    assert asked(runtime) == ["h5py", taken]
    told = [note for note in runtime.notes if "is for development by its name" in note]
    assert len(told) == (taken == "tensorflow==2.15.1")


def test_only_the_stages_that_the_last_one_is_made_from_count(tmp_path: Path) -> None:
    dockerfile = """\
FROM python:3.8 AS train
RUN pip install tensorflow==2.4.0
FROM python:3.11 AS build
RUN pip install --target /deps tensorflow==2.15.1
FROM build AS unused
RUN pip install tensorflow==2.16.1
FROM python:3.11-slim
COPY --from=build /deps /deps
"""
    runtime = infer_one(tmp_path, {"Dockerfile": dockerfile})
    assert (asked(runtime), runtime.python) == (["tensorflow==2.15.1"], "3.11")


def test_what_an_image_sets_that_changes_loads_is_set_in_its_runtime(tmp_path: Path) -> None:
    dockerfile = """\
ARG LEGACY=1
FROM python:3.11 AS base
ENV TF_USE_LEGACY_KERAS=0 TF_ENABLE_ONEDNN_OPTS="0" \\
    XLA_FLAGS="--xla_a=1 --xla_b=2"
FROM base AS unused
ENV KERAS_BACKEND=jax
FROM base
ARG LEGACY
ENV TF_USE_LEGACY_KERAS=${LEGACY}
ENV PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION python
ENV PATH=/opt/bin PYTHONPATH=/app LD_PRELOAD=a.so KERAS_HOME=/k TF_CPP_MIN_LOG_LEVEL=3 TF_TOKEN_a=b TF_VAR_A=c
RUN pip install tensorflow==2.16.1 tf-keras==2.16.0
"""
    assert infer_one(tmp_path, {"Dockerfile": dockerfile}).env == {
        "TF_USE_LEGACY_KERAS": "1",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "XLA_FLAGS": "--xla_a=1 --xla_b=2",
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python",
    }


@pytest.mark.parametrize(
    ("images", "env"),
    [
        ({"Dockerfile": "1"}, {"TF_USE_LEGACY_KERAS": "1"}),
        ({"Dockerfile": "0", "serving/Dockerfile": "1"}, {"TF_USE_LEGACY_KERAS": "1"}),
        ({"other/Dockerfile": "1", ".devcontainer/Dockerfile": "1", "Dockerfile.dev": "1"}, {}),
    ],
)
def test_what_an_image_sets_that_installs_with_another_program_is_set_for_the_lock_beside_it(
    tmp_path: Path, images: dict[str, str], env: dict[str, str]
) -> None:
    dockerfiles: dict[str, str | bytes] = {
        name: f"FROM python:3.11\nENV TF_USE_LEGACY_KERAS={value}\nRUN pip install uv && uv sync\n"
        for name, value in images.items()
    }
    assert infer_one(tmp_path, {**dockerfiles, "serving/uv.lock": UV_LOCK}).env == env


def test_what_an_image_sets_that_is_a_runtime_itself_is_set_for_no_other(tmp_path: Path) -> None:
    dockerfile = "FROM python:3.11\nENV TF_USE_LEGACY_KERAS=1\nRUN pip install tensorflow==2.16.1\n"
    spec = infer(tmp_path, {"Dockerfile": dockerfile, "a/requirements.txt": "tensorflow==2.18.1\n"})
    assert [runtime.env for runtime in spec.runtimes] == [{"TF_USE_LEGACY_KERAS": "1"}, {}]


def test_a_prediction_knows_the_legacy_keras_of_an_image(tmp_path: Path) -> None:
    dockerfile = "FROM python:3.11\nENV TF_USE_LEGACY_KERAS=1\nRUN pip install tensorflow==2.16.1 tf-keras==2.16.0\n"
    target = expected(infer_one(tmp_path, {"Dockerfile": dockerfile}), tmp_path).target
    assert (target.is_legacy, target.tf_keras) == (True, Version("2.16.0"))


def test_a_variable_that_whoever_builds_the_image_sets_is_left_out_and_told_of(tmp_path: Path) -> None:
    dockerfile = "FROM python:3.11\nARG LEGACY\nENV TF_USE_LEGACY_KERAS=$LEGACY\nRUN pip install tensorflow==2.16.1\n"
    runtime = infer_one(tmp_path, {"Dockerfile": dockerfile})
    assert runtime.env == {}
    assert runtime.notes[-1] == (
        "Dockerfile sets `TF_USE_LEGACY_KERAS=$LEGACY`, which could not be followed; the variable is left out."
    )


def test_images_that_differ_only_in_what_they_set_are_two_runtimes(tmp_path: Path) -> None:
    install = "RUN pip install tensorflow==2.16.1 tf-keras==2.16.0\n"
    spec = infer(
        tmp_path,
        {
            "a/Dockerfile": f"FROM python:3.11\n{install}",
            "b/Dockerfile": f"FROM python:3.11\nENV TF_USE_LEGACY_KERAS=1\n{install}",
        },
    )
    assert [runtime.env for runtime in spec.runtimes] == [{}, {"TF_USE_LEGACY_KERAS": "1"}]


def test_an_image_whose_name_tells_the_minor_version_alone_has_its_newest_patch(tmp_path: Path) -> None:
    base = "gcr.io/deeplearning-platform-release/tf2-gpu.2-13.py310"
    runtime = infer_one(tmp_path, {"Dockerfile": f"FROM {base}\nRUN pip install flask\n"})
    assert (runtime.tensorflow, runtime.python) == ("==2.13.*", "3.10")


def test_a_stage_that_copies_what_another_installed_has_the_python_of_that_one(tmp_path: Path) -> None:
    dockerfile = "FROM python:3.10 AS build\nRUN pip install --target /deps tensorflow==2.15.1\n"
    dockerfile += "FROM gcr.io/distroless/python3\nCOPY --from=build /deps /deps\n"
    assert infer_one(tmp_path, {"Dockerfile": dockerfile}).python == "3.10"


def test_a_here_document_in_a_dockerfile_is_read_line_by_line(tmp_path: Path) -> None:
    dockerfile = "FROM python:3.11\nRUN <<EOF\nset -e\npip install tensorflow==2.15.1\nEOF\nRUN pip install h5py\n"
    runtime = infer_one(tmp_path, {"Dockerfile": dockerfile})
    assert (asked(runtime), str(runtime.origin)) == (["tensorflow==2.15.1", "h5py"], "Dockerfile:4")


@pytest.mark.parametrize(
    ("image", "python"),
    [
        ("python:3.11-slim-bookworm", "3.11"),
        ("docker.io/library/python:3.11.7", "3.11.7"),
        ("public.ecr.aws/lambda/python:3.12", "3.12"),
        ("ghcr.io/astral-sh/uv:python3.11-bookworm", "3.11"),
        ("tiangolo/uvicorn-gunicorn:python3.9", "3.9"),
        ("a.test/tensorflow-training:2.13.0-gpu-py310-cu118", "3.10"),
        ("python:3", None),
        ("python", None),
        ("python@sha256:00", None),
        ("nvcr.io/nvidia/tensorflow:23.10-tf2-py3", None),
        ("debian:12", None),
        ("registry.test:5000/tensorflow/tensorflow:2.18.0-gpu", "3.11"),
        ("tensorflow/tensorflow:2.13.0", "3.8"),
        ("tensorflow/tensorflow:2.99.0", None),
        ("tensorflow/serving:2.13.0", None),
        ("gcr.io/deeplearning-platform-release/tf2-gpu.2-13.py310", "3.10"),
    ],
)
def test_the_python_of_an_image_is_read_from_its_tag(image: str, python: str | None) -> None:
    assert python_of_image(image) == python


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("tensorflow/tensorflow:2.15.0-gpu-jupyter", "2.15.0"),
        ("docker.io/tensorflow/serving:2.14.1", "2.14.1"),
        ("tensorflow/tensorflow:latest-gpu", None),
        ("tensorflow/tensorflow", None),
        ("acme/tensorflow:2.15.0", None),
        ("tensorflow/tensorflow:2.15.0.post1-gpu", "2.15.0.post1"),
        ("1234.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:2.13.0-gpu-py310-cu118-sagemaker", "2.13.0"),
        ("us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-12:latest", "2.12"),
        ("us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-12.py310@sha256:00", "2.12"),
        ("gcr.io/deeplearning-platform-release/tf2-gpu.2-13.py310", "2.13"),
    ],
)
def test_the_tensorflow_of_an_image_is_read_from_its_tag(image: str, version: str | None) -> None:
    assert tensorflow_of_image(image) == version


# --- which Python ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "python"),
    [
        ({".python-version": "3.11.7\n"}, "3.11.7"),
        ({".python-version": "cpython-3.10\n"}, "3.10"),
        ({"runtime.txt": "python-3.9.18\n"}, "3.9.18"),
        ({"Dockerfile": "FROM python:3.10\n", ".python-version": "3.11\n"}, "3.10"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.8"\n'}, "3.9"),
        ({"pyproject.toml": '[project]\nrequires-python = "==3.11.*"\n'}, "3.11"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.10.4"\n'}, "3.10"),
        ({".python-version": "3.11\n", "serving/.python-version": "3.9\n"}, "3.9"),
        ({"web/.python-version": "3.8\n"}, None),
        ({}, None),
    ],
)
def test_the_python_beside_the_requirements_is_taken(
    tmp_path: Path, files: dict[str, str | bytes], python: str | None
) -> None:
    assert infer_one(tmp_path, {**files, "serving/requirements.txt": "tensorflow==2.15.1\n"}).python == python


def test_an_exact_python_is_taken_over_the_range_of_the_project_itself(tmp_path: Path) -> None:
    project = '[project]\nrequires-python = ">=3.9"\ndependencies = ["tensorflow==2.15.1"]\n'
    assert infer_one(tmp_path, {"pyproject.toml": project, ".python-version": "3.11\n"}).python == "3.11"


def test_a_python_for_which_tensorflow_has_no_build_is_not_taken_and_that_is_noted(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "pyproject.toml": '[project]\nrequires-python = ">=3.12"\n',
        "requirements.txt": "tensorflow==2.15.1\n",
    }
    runtime = infer_one(tmp_path, files)
    assert runtime.python is None
    assert runtime.notes[1] == (
        "pyproject.toml:2 asks for Python `>=3.12`, for which this TensorFlow has no builds;"
        " the newest that TensorFlow has builds for is taken."
    )


@pytest.mark.parametrize(
    ("project", "python"),
    [
        ('[project]\nrequires-python = ">=3.8,<3.9"\ndependencies = ["tensorflow>=2.4"]\n', "3.8"),
        ('[tool.poetry.dependencies]\npython = "~3.9"\ntensorflow = "^2.10"\n', "3.9"),
    ],
)
def test_a_range_of_old_pythons_is_held_although_the_newest_tensorflow_has_no_builds_for_them(
    project: str, python: str, tmp_path: Path
) -> None:
    assert infer_one(tmp_path, {"pyproject.toml": project}).python == python


def test_of_a_range_a_python_is_taken_in_which_a_line_for_tensorflow_holds(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "pyproject.toml": '[project]\nrequires-python = ">=3.11,<3.12"\n',
        "requirements.txt": (
            'tensorflow==2.10.1 ; python_version < "3.11"\ntensorflow==2.16.1 ; python_version >= "3.11"\n'
        ),
    }
    assert infer_one(tmp_path, files).python == "3.11"
    files["pyproject.toml"] = '[project]\nrequires-python = ">=3.7"\n'
    files["requirements.txt"] = 'tensorflow==2.10.1 ; python_version >= "3.8" and python_version < "3.11"\n'
    assert infer_one(tmp_path, files).python == "3.8"


@pytest.mark.parametrize(("python", "line"), [("", 2), ("3.11", 2), ("3.9", 1)])
def test_of_lines_for_different_pythons_the_one_for_that_of_the_runtime_is_told(
    tmp_path: Path, python: str, line: int
) -> None:
    lines = ['tensorflow==2.10.1 ; python_version < "3.11"', 'tensorflow==2.15.1 ; python_version >= "3.11"']
    runtime = infer_one(tmp_path, {"requirements.txt": "\n".join(lines), ".python-version": python})
    assert runtime.origin == Origin(file="requirements.txt", line=line)
    assert runtime.notes[0] == f"`{lines[line - 1]}`, from requirements.txt:{line}."


# --- which files count ----------------------------------------------------------------------------------------


def test_where_nothing_is_said_the_newest_tensorflow_is_used_and_that_is_said_first(tmp_path: Path) -> None:
    spec = infer(tmp_path, {"requirements.txt": "flask\n"})
    (runtime,) = spec.runtimes
    assert (runtime.name, runtime.python, asked(runtime)) == ("default", "3.11", ["tensorflow"])
    assert spec.notes[0] == "No file of the repository says which TensorFlow, so the newest for Python 3.11 is used."


def test_our_own_python_is_not_chosen_where_no_tensorflow_is_known_to_have_builds_for_it(tmp_path: Path) -> None:
    spec = infer_spec(tmp_path, (3, 99))
    newest = supports()[-1].pythons()[0]
    assert [runtime.python for runtime in spec.runtimes] == [newest]
    assert spec.notes[0].startswith(
        f"No file of the repository says which TensorFlow, so the newest for Python {newest} is used"
    )


@pytest.mark.parametrize(
    ("name", "content", "line", "said"),
    [
        ("setup.py", "import deps\nsetup(install_requires=deps.all('tensorflow==2.15.1'))\n", 2, "tensorflow==2.15.1"),
        (
            "pyproject.toml",
            '[tool.acme]\nneeds = ["tensorflow~=2.15.0"]\n',
            2,
            "tensorflow~=2.15.0",
        ),
        ("pyproject.toml", '[tool.pixi.dependencies]\ntensorflow = "2.15.*"\n', 2, 'tensorflow = "2.15.*'),
        ("conda-lock.yml", "- name: tensorflow\n  version: 2.15.0\n", 1, "tensorflow version: 2.15.0"),
        ("install.sh", "pip install \\\n  tensorflow==2.15.1\n", 2, "tensorflow==2.15.1"),
        ("docker-compose.yml", "image: tensorflow/serving:2.13.0\n", 1, "tensorflow/serving:2.13.0"),
        ("Makefile", "TF_VERSION = 2.13.0\n", 1, "TF_VERSION = 2.13.0"),
        ("Dockerfile", "FROM a\nRUN conda install tensorflow=2.4\n", 2, "tensorflow=2.4"),
        ("requirements.txt", "file:///wheels/tensorflow-2.16.1-cp311-cp311-linux.whl\n", 1, "tensorflow-2.16.1"),
        ("wheels.txt", "https://a.test/tensorflow-2.16.1-cp311-cp311-linux.whl\n", 1, "tensorflow-2.16.1"),
    ],
)
def test_nothing_is_gated_on_a_guess_while_a_file_says_which_tensorflow_in_words_that_are_not_understood(
    tmp_path: Path, name: str, content: str, line: int, said: str
) -> None:
    spec = infer(tmp_path, {"requirements.txt": "keras\n", name: content})
    assert spec.undecided == (f"{name}:{line}:1: `{said}` names a TensorFlow",)
    with pytest.raises(LoadgateError) as refused:
        refuse_undecided(spec)
    assert refused.value.exit_status == 3
    assert 'loadgate.yml, as `{version: 1, runtimes: {production: {python: "3.11", tensorflow: "2.15.1"}}}`' in str(
        refused.value
    )


def test_a_file_in_the_encoding_of_powershell_is_searched_as_well(tmp_path: Path) -> None:
    spec = infer(tmp_path, {"packages.txt": "tensorflow==2.15.1\n".encode("utf-16")})
    assert spec.undecided == ("packages.txt:1:1: `tensorflow==2.15.1` names a TensorFlow",)


def test_a_plan_with_models_and_a_new_spec_are_refused_where_the_tensorflow_would_be_a_guess(tmp_path: Path) -> None:
    (tmp_path / "install.sh").write_text("pip install tensorflow==2.15.1\n")
    assert plan(tmp_path).artifacts == ()
    (tmp_path / "churn.keras").write_bytes(b"")
    with pytest.raises(LoadgateError, match=r"^install\.sh:1:1: `tensorflow==2\.15\.1` names a TensorFlow\nno verdict"):
        plan(tmp_path)
    with pytest.raises(LoadgateError, match="no verdict"):
        init(tmp_path)
    assert not (tmp_path / "loadgate.yml").exists()
    (tmp_path / "loadgate.yml").write_text("version: 1\n")
    with pytest.raises(LoadgateError, match="no verdict"):
        plan(tmp_path)
    (tmp_path / "loadgate.yml").write_text('{version: 1, runtimes: {production: {tensorflow: "2.15.1"}}}')
    assert [each.tensorflow for each in plan(tmp_path).runtimes] == ["2.15.1"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.txt", "Trained with tensorflow==2.4\n"),
        ("install.sh", "# tensorflow==2.4 was used once\npip install tensorflow\n"),
        ("train.py", "# pip install tensorflow==2.4\n"),
        ("requirements.txt", "tensorflow-macos==2.13.0 ; sys_platform == 'darwin'\n"),
        ("Makefile", "pip install tensorflow_model_server==2.4 my-tensorflow==2.4\n"),
    ],
)
def test_what_says_nothing_of_a_version_leaves_the_newest_to_be_taken(tmp_path: Path, name: str, content: str) -> None:
    spec = infer(tmp_path, {name: content})
    assert spec.undecided == ()
    assert spec.notes[0].startswith("No file of the repository says which TensorFlow")


@pytest.mark.parametrize(
    ("requirement", "name", "content"),
    [
        ("tensorflow-text==2.15.0", "install.sh", "pip install tensorflow==2.15.0\n"),
        ("tflite-runtime==2.14.0", "docs/notes.txt", "converted with tensorflow==2.9.0\n"),
        ("keras==3.3.3", "tests/tox.ini", "deps = tensorflow==2.15.0\n"),
        ("keras==3.3.3", ".github/workflows/test.yml", "run: pip install tensorflow==2.15.0\n"),
        ("keras", ".pre-commit-config.yaml", "additional_dependencies: [tensorflow==2.15.0]\n"),
        ("keras", "models/churn/config.yaml", "tensorflow_version: 2.11.0\n"),
        ("keras", "Cargo.lock", 'name = "tensorflow"\nversion = "0.21.0"\n'),
        ("tfx==1.14.0", "Makefile", "pip install tensorflow==2.13.0\n"),
        ("keras\ntensorflow==2.9.0 ; platform_machine == 'riscv64'", "a.txt", ""),
    ],
)
def test_what_is_no_word_on_production_leaves_the_verdict_to_requirements_without_a_tensorflow(
    requirement: str, name: str, content: str, tmp_path: Path
) -> None:
    assert infer(tmp_path, {"requirements.txt": requirement + "\n", name: content}).undecided == ()


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("Dockerfile", "FROM a\nARG TF\nRUN pip install tensorflow==${TF}\n", "Dockerfile:3:1: `tensorflow==${TF}`"),
        ("setup.py", 'setup(install_requires=[f"tensorflow=={version()}"])', "setup.py:1:1: `tensorflow=={...}`"),
        ("setup.py", 'setup(install_requires=["tensorflow==%s" % V])', "setup.py:1:1: `tensorflow==%s`"),
        ("setup.py", 'setup(install_requires=["tensorflow=={}".format(V)])', "setup.py:1:1: `tensorflow=={}`"),
        ("a/requirements.txt", "tensorflow @ file:///tf.whl", "a/requirements.txt:1:1: `tensorflow @ file:///tf.whl`"),
        ("b/requirements.txt", "keras\n./tensorflow-2.16.1.whl", "b/requirements.txt:2:1: `tensorflow-2.16.1.whl`"),
        (
            "pyproject.toml",
            "[tool.poetry.dependencies]\ntensorflow = {path = 'a'}\n",
            "pyproject.toml:2:1: `tensorflow @ file:a`",
        ),
    ],
)
def test_a_tensorflow_that_is_computed_or_lies_elsewhere_leaves_no_verdict(
    name: str, content: str, place: str, tmp_path: Path
) -> None:
    spec = infer(tmp_path, {"requirements.txt": "keras\n", name: content})
    assert spec.undecided == (f"{place} names a TensorFlow",)


def test_a_text_of_setup_py_is_filled_with_what_its_module_says(tmp_path: Path) -> None:
    content = 'V = "2.15.1"\nsetup(install_requires=[f"tensorflow=={V}", f"h5py{unknown}"])\n'
    spec = infer(tmp_path, {"setup.py": content})
    assert (spec.undecided, asked(spec.runtimes[0])) == ((), ["tensorflow==2.15.1"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "pyproject.toml",
            '[project]\ndependencies = ["keras"]\n[tool.pixi.pypi-dependencies]\ntensorflow = "==2.15"\n',
        ),
        ("Dockerfile", "FROM python:3.11\nRUN pip install keras\nRUN conda install tensorflow=2.4\n"),
        ("models/serving/docker-compose.yml", "image: tensorflow/serving:2.13.0\n"),
    ],
)
def test_what_a_file_says_beside_the_part_that_is_understood_leaves_no_verdict(
    name: str, content: str, tmp_path: Path
) -> None:
    assert infer(tmp_path, {"requirements.txt": "keras\n", name: content}).undecided


def test_a_name_is_told_from_its_comment_and_from_another_system_in_a_line_without_end(tmp_path: Path) -> None:
    elsewhere = "tensorflow==2.4 # " + "tensorflow==2.4 " * 60_000
    spec = infer(
        tmp_path, {"a.sh": elsewhere + "darwin\n", "b.sh": "x " * 9 + "tensorflow==2.4 darwin tensorflow==2.5"}
    )
    assert spec.undecided == ("b.sh:1:1: `tensorflow==2.5` names a TensorFlow",)


def test_what_could_not_be_read_matters_not_where_another_file_pins_tensorflow(tmp_path: Path) -> None:
    spec = infer(tmp_path, {"uv.lock": "[tensorflow", "requirements.txt": "tensorflow==2.15.1\n"})
    assert (spec.undecided, len(spec.notes)) == ((), 1)


@pytest.mark.parametrize(
    ("exact", "other", "lines"),
    [
        ("tensorflow\n", "tensorflow==2.15.1", ["tensorflow", "tensorflow==2.15.1"]),
        ("tensorflow>=2.10\n", "tensorflow==2.15.*", ["tensorflow>=2.10", "tensorflow==2.15.*"]),
        ("tensorflow>=2.16\n", "tensorflow==2.15.1", ["tensorflow>=2.16"]),
        ("tensorflow-cpu\n", "tensorflow==2.15.1", ["tensorflow-cpu"]),
        ("tensorflow==2.13.1\n", "tensorflow==2.15.1", ["tensorflow==2.13.1"]),
        ("keras==2.15.0\n", "tensorflow==2.15.1", ["keras==2.15.0", "tensorflow==2.15.1"]),
        ("tflite-runtime\n", "tensorflow==2.15.1", ["tensorflow==2.15.1"]),
    ],
)
def test_a_file_that_leaves_the_version_open_is_held_to_the_pin_of_one_beside_it(
    exact: str, other: str, lines: list[str], tmp_path: Path
) -> None:
    project = f'[project]\nname = "acme"\ndependencies = ["{other}"]\n'
    runtime = infer_one(tmp_path, {"requirements.txt": exact, "pyproject.toml": project})
    assert asked(runtime) == lines
    if len(lines) > 1:
        assert runtime.notes[-1] == f"`{other}`, from pyproject.toml:3, says which."
        assert [line.text for line in packages_of(runtime)] == [other]
        assert str(runtime.origin) == "requirements.txt:1"


@pytest.mark.parametrize(
    ("name", "content", "undecided"),
    [
        ("Dockerfile", "FROM a\nRUN conda install python=3.8 tensorflow=2.4\n", True),
        ("docker-compose.yml", "image: tensorflow/serving:2.13.0\n", True),
        ("docker-compose.yml", "image: tensorflow/tensorflow:2.13.0-gpu-jupyter\n", False),
        ("docker-compose.yml", "image: tensorflow/tensorflow:2.9.1-jupyter\nimage: tensorflow/serving:2.9.0\n", True),
        ("constraints.txt", "tensorflow==2.15.1\n", True),
        ("docs/Dockerfile", "FROM a\nRUN conda install tensorflow=2.4\n", False),
        ("Makefile", "pip install tensorflow==2.4\n", False),
        ("Dockerfile", "FROM python:3.11\nRUN pip install 'tensorflow>=2.16'\n", False),
    ],
)
def test_a_range_does_not_decide_where_a_file_by_which_something_is_deployed_says_which(
    name: str, content: str, undecided: bool, tmp_path: Path
) -> None:
    spec = infer(tmp_path, {"requirements.txt": "tensorflow>=2.4\n", name: content})
    assert bool(spec.undecided) == undecided


@pytest.mark.parametrize(
    ("name", "undecided"), [("install.sh", True), ("tests/install.sh", False), ("docs/requirements.txt", False)]
)
def test_a_file_for_development_does_not_decide_where_one_for_use_names_a_tensorflow(
    name: str, undecided: bool, tmp_path: Path
) -> None:
    line = "tensorflow==2.13.1\n"
    spec = infer(tmp_path, {"docs/requirements.txt": line, name: line})
    assert bool(spec.undecided) == undecided


def test_a_range_does_not_decide_where_a_lock_beside_it_could_not_be_read(tmp_path: Path) -> None:
    spec = infer(tmp_path, {"uv.lock": '[[package]\nname = "tensorflow"', "pyproject.toml": PYPROJECT_RANGE})
    assert spec.undecided == ("uv.lock:2:1: `tensorflow` names a TensorFlow",)


def test_a_package_that_requires_tensorflow_brings_the_one_that_it_needs(tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"requirements.txt": "tensorflow_text==2.12.1\n", "old/requirements.txt": "keras\n"})
    assert (asked(runtime), runtime.python) == (["tensorflow_text==2.12.1"], "3.11")
    assert runtime.notes == (
        "`tensorflow_text==2.12.1`, from requirements.txt:1; it brings the TensorFlow that it needs.",
        "No file says which Python; 3.11 is the newest for the TensorFlow of `tensorflow_text==2.12.1`.",
    )


def test_keras_alone_gets_the_newest_tensorflow_beside_it(tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"requirements.txt": "keras==3.3.3\n"})
    assert asked(runtime) == ["keras==3.3.3", "tensorflow"]
    assert runtime.notes[0] == (
        "`keras==3.3.3`, from requirements.txt:1; no file names TensorFlow, so the newest beside it is used."
    )


def test_tensorflows_own_interpreter_stands_in_for_tflite_runtime(tmp_path: Path) -> None:
    runtime = infer_one(tmp_path, {"requirements.txt": "numpy<2\ntflite-runtime==2.14.0\n"})
    assert (asked(runtime), runtime.requirement_files) == (["tensorflow"], ())
    assert runtime.notes[0].endswith("the newest TensorFlow's own interpreter stands in for it.")


def test_a_line_for_another_system_names_nothing(tmp_path: Path) -> None:
    content = "tensorflow-macos==2.13.0 ; sys_platform == 'darwin'\ntensorflow==2.13.1 ; sys_platform != 'darwin'\n"
    assert infer_one(tmp_path, {"requirements.txt": content}).origin == Origin(file="requirements.txt", line=2)


def test_files_for_development_count_only_where_there_are_no_others(tmp_path: Path) -> None:
    spec = infer(
        tmp_path,
        {
            "requirements.txt": "tensorflow==2.15.1\n",
            "requirements-dev.txt": "tensorflow==2.16.1\n",
            "docs/requirements.txt": "tensorflow\n",
        },
    )
    assert [runtime.name for runtime in spec.runtimes] == ["default"]
    assert spec.notes == (
        "Passed over, for development by their names: `requirements-dev.txt`, `docs/requirements.txt`.",
    )


DEVELOPMENT_IMAGE = "FROM python:3.12\nCOPY requirements.txt /tmp/\nRUN pip install -r /tmp/requirements.txt jupyter\n"


def test_an_image_for_development_does_not_decide_over_what_production_may_install(tmp_path: Path) -> None:
    spec = infer(
        tmp_path,
        {
            ".devcontainer/Dockerfile": DEVELOPMENT_IMAGE,
            "requirements.txt": "tensorflow==2.15.1\n",
            ".python-version": "3.11\n",
        },
    )
    assert [(asked(runtime), runtime.python) for runtime in spec.runtimes] == [(["tensorflow==2.15.1"], "3.11")]
    assert spec.notes == ("Passed over, for development by their names: `.devcontainer/Dockerfile`.",)


@pytest.mark.parametrize(("said", "python"), [("3.11\n", "3.11"), ("", "3.12")])
def test_the_python_of_an_image_for_development_is_taken_where_no_other_is_named(
    tmp_path: Path, said: str, python: str
) -> None:
    files: dict[str, str | bytes] = {"Dockerfile.dev": DEVELOPMENT_IMAGE, "requirements.txt": "tensorflow==2.16.1\n"}
    assert infer_one(tmp_path, {**files, ".python-version": said}).python == python


def test_an_image_for_development_decides_where_all_there_is_is_for_development(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        ".devcontainer/Dockerfile": DEVELOPMENT_IMAGE,
        ".devcontainer/requirements.txt": "tensorflow==2.15.1\n",
    }
    assert asked(infer_one(tmp_path, files)) == ["tensorflow==2.15.1", "jupyter"]


def test_files_that_say_the_same_are_one_runtime(tmp_path: Path) -> None:
    spec = infer(tmp_path, {"a/requirements.txt": "tensorflow==2.15.1\n", "b/requirements.txt": "tensorflow==2.15.1\n"})
    assert [runtime.name for runtime in spec.runtimes] == ["a"]
    assert spec.notes == ("b/requirements.txt:1 says the same as a/requirements.txt:1.",)


def test_a_repository_of_many_projects_gives_the_eight_nearest_to_its_root(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"p{n:02}/requirements.txt": f"tensorflow==2.{n}.0\n" for n in range(1, 13)}
    spec = infer(tmp_path, files)
    assert len(spec.runtimes) == 8
    assert spec.notes[0].startswith("More than 8 runtimes are described; name those that matter in a spec.")


def test_what_git_ignores_and_other_peoples_folders_are_not_looked_at(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    spec = infer(
        tmp_path,
        {
            ".gitignore": "ignored/\n",
            "ignored/requirements.txt": "tensorflow==2.1.0\n",
            "node_modules/x/requirements.txt": "tensorflow==2.2.0\n",
            "third_party/x/requirements.txt": "tensorflow==2.3.0\n",
            "serving/requirements.txt": "tensorflow==2.15.1\n",
        },
    )
    assert [runtime.name for runtime in spec.runtimes] == ["serving"]


def test_a_folder_that_git_ignores_as_a_whole_is_looked_at_when_it_is_asked_for(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("work/\n")
    (tmp_path / "work").mkdir()
    assert infer_one(tmp_path / "work", {"requirements.txt": "tensorflow==2.15.1\n"}).name == "default"


def test_git_runs_no_program_that_the_repository_names(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    subprocess.run(["git", "-C", str(tmp_path), "config", "core.fsmonitor", str(hook)], check=True)
    infer(tmp_path, {"requirements.txt": "tensorflow\n"})
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("uv.lock", "[[package]\ntensorflow", "uv.lock:1:10: not valid TOML: "),
        ("uv.lock", "a = " + "[" * 100_000, "uv.lock:1:1: not valid TOML: it is nested too deeply"),
        ("Pipfile.lock", '{"default": ', "Pipfile.lock:1:13: not valid JSON: "),
        ("Pipfile.lock", "[" * 100_000, "Pipfile.lock:1:1: not valid JSON: it is nested too deeply"),
        ("requirements.txt", b"tensorflow\n\xff", "`requirements.txt` is not UTF-8"),
        ("environment.yml", "dependencies: [", "environment.yml:1:16: not valid YAML"),
        ("setup.cfg", "tensorflow", "setup.cfg:1:1: not valid"),
        ("Dockerfile", b"FROM \xff", "`Dockerfile` is not UTF-8"),
    ],
)
def test_a_file_that_is_wrong_is_noted_and_does_not_end_the_run(
    tmp_path: Path, name: str, content: str | bytes, note: str
) -> None:
    spec = infer(tmp_path, {name: content})
    assert [runtime.name for runtime in spec.runtimes] == ["default"]
    assert spec.notes[-1].startswith(note)
    assert spec.notes[-1].endswith("; the file is not used.")
    assert bool(spec.undecided) == ("tensorflow" in str(content))


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("requirements.txt", "h5py\ntensorflow = 2", "requirements.txt:2:1: `tensorflow = 2`"),
        ("requirements.txt", "h5py\ntensorflow=2.4.1=py38h_0", "requirements.txt:2:1: `tensorflow=2.4.1=py38h_0`"),
        ("environment.yml", "dependencies: [h5py, '<tensorflow>']", "environment.yml:1:22: `<tensorflow>`"),
        ("Dockerfile", "FROM a\nRUN pip install h5py 'tensorflow = 2'", "Dockerfile:2:1: `tensorflow = 2`"),
    ],
)
def test_a_wrong_line_that_names_tensorflow_leaves_no_verdict(
    tmp_path: Path, name: str, content: str, place: str
) -> None:
    spec = infer(tmp_path, {name: content})
    assert spec.undecided[0].startswith(re.sub(r":\d+: `", ":1: `", place))
    assert spec.notes[-1].startswith(f"{place} is no requirement")
    assert spec.notes[-1].endswith("; the line is not used.")


def test_wrong_lines_are_left_out_of_a_file_whose_other_lines_pin_tensorflow(tmp_path: Path) -> None:
    content = "pywin32==305 ; platform_system = Windows\ntensorflow==2.15.1\n" + "a = 1\n" * 9
    spec = infer(tmp_path, {"requirements.txt": content, "serving/Dockerfile": SERVING_IMAGE})
    assert [asked(runtime) for runtime in spec.runtimes] == [["tensorflow==2.15.1"], ["tensorflow==2.13.1"]]
    assert (spec.undecided, len(spec.notes)) == ((), 7)
    assert spec.notes[-1] == "5 more lines of requirements.txt are not used."


def test_condas_longer_way_to_write_a_version_is_read(tmp_path: Path) -> None:
    content = "dependencies:\n  - python=3.8\n  - tensorflow[version='>=2.4,<2.11']\n  - keras-gpu=2.4.3\n"
    runtime = infer_one(tmp_path, {"environment.yml": content})
    assert (asked(runtime), runtime.python) == (["tensorflow>=2.4,<2.11", "keras==2.4.3.*"], "3.8")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tensorflow >=2.10 cuda*", "tensorflow>=2.10"),
        ("tensorflow >= 2.10, <2.16 cuda*", "tensorflow>=2.10,<2.16"),
        ("tensorflow[version='2.10',build='*cuda*']", "tensorflow==2.10"),
        ("tensorflow=2.10=*cuda*", "tensorflow==2.10"),
    ],
)
def test_condas_build_is_left_out_for_pypi_has_none(written: str, meant: str, tmp_path: Path) -> None:
    spec = infer(tmp_path, {"environment.yml": f'dependencies:\n  - "{written}"\n'})
    assert (spec.undecided, asked(spec.runtimes[0])) == ((), [meant])


def test_a_pipfiles_keys_for_a_platform_are_markers(tmp_path: Path) -> None:
    pipfile = """\
[packages]
tensorflow-macos = {version = "==2.13.0", sys_platform = "== 'darwin'"}
tensorflow = {version = "==2.15.1", platform_system = "== 'Linux'", markers = "python_version > '3.8'"}
"""
    runtime = infer_one(tmp_path, {"Pipfile": pipfile})
    assert asked(runtime) == [
        "tensorflow-macos==2.13.0 ; (sys_platform == 'darwin')",
        "tensorflow==2.15.1 ; (python_version > '3.8') and (platform_system == 'Linux')",
    ]
    assert runtime.notes[0].startswith("`tensorflow==2.15.1")


@pytest.mark.parametrize(
    ("folder", "is_passed_over"),
    [
        *((folder, False) for folder in ("style-transfer", "format", "types", "build", "tools", "test-time-mixing")),
        *((folder, True) for folder in ("docs", ".github", "examples/churn", "integration-tests")),
    ],
)
def test_a_folder_is_for_development_by_its_whole_name(folder: str, is_passed_over: bool, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a/requirements.txt": "tensorflow==2.15.1\n"}
    spec = infer(tmp_path, {**files, f"{folder}/requirements.txt": "tensorflow==2.13.1\n"})
    assert len(spec.runtimes) == (1 if is_passed_over else 2)


def test_a_folder_whose_name_is_not_utf8_is_told_of_and_leaves_no_verdict(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    for name in (b"requirements.txt", b"notes.txt"):
        with open(folder + b"/" + name, "wb") as file:
            file.write(b"tensorflow==2.15.1\n")
    spec = infer_spec(tmp_path, (3, 11))
    assert spec.notes == ("Not used, for paths that are not UTF-8 can be said nowhere: `caf\\xe9/requirements.txt`.",)
    assert spec.undecided == ("caf\\xe9/requirements.txt:1:1: `tensorflow` names a TensorFlow",)
    assert infer_one(tmp_path, {"requirements.txt": "tensorflow==2.15.1\n"}).notes


def test_a_lock_cannot_smuggle_a_line_into_what_the_resolver_is_given(tmp_path: Path) -> None:
    hostile = UV_LOCK.replace('name = "layers"\nversion = "1.0"', 'name = "layers"\nversion = "1\\n--index-url x"')
    hostile = hostile.replace('{ git = "https://a.test/layers?subdirectory=py&rev=main#0123abc" }', "{}")
    spec = infer(tmp_path, {"uv.lock": hostile})
    assert all("\n" not in line.text for runtime in spec.runtimes for line in runtime.constraints)
    assert all("--index-url" not in line.text for runtime in spec.runtimes for line in runtime.constraints)


def test_a_lock_of_a_hundred_thousand_packages_is_left_alone(tmp_path: Path) -> None:
    spec = infer(tmp_path, {"uv.lock": '[[package]]\nname = "a"\nversion = "1"\n' * 101_000})
    assert spec.notes[1] == (
        "uv.lock:1:1: has more than 200,000 values; that is too much to read; the file is not used."
    )


def test_links_out_of_the_repository_and_pipes_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "uv.lock")
    spec = infer_spec(tmp_path, (3, 11))
    assert [runtime.name for runtime in spec.runtimes] == ["default"]


NAMES = ["uv.lock", "poetry.lock", "Pipfile.lock", "requirements.txt", "pyproject.toml", "environment.yml", "setup.cfg"]
NAMES += ["Dockerfile", ".python-version", "setup.py", "Pipfile", "pdm.lock", "pylock.toml"]
WHOLE = {"uv.lock": UV_LOCK, "poetry.lock": POETRY_LOCK, "Pipfile.lock": PIPFILE_LOCK}
WORDS = [
    "tensorflow",
    "==2.15.1",
    "FROM ",
    "python:3.11",
    "RUN pip install ",
    "-r ",
    "\n",
    "\\\n",
    "'",
    "<<EOF",
    "${A}",
    "[",
]
WORDS += [
    "[project]\n",
    "dependencies = ",
    '["tensorflow"]',
    "[[package]]\n",
    'name = "tensorflow"\n',
    "version = 1\n",
    "=",
    "]",
]
WORDS += [
    "[tool.poetry.dependencies]\n",
    'tensorflow = "^2"\n',
    "dependencies:\n",
    "  - ",
    "pip:",
    '{"default": {"a": ',
    "}",
    "[options]\n",
]


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(NAMES),
    pieces=st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=5)), max_size=15),
    cut=st.integers(0, 1500),
    values=st.sampled_from(['"x"', "1", "[]", "{}", "[1]", '[""]', "true"]),
)
def test_any_file_gives_a_spec(tmp_path: Path, name: str, pieces: list[str], cut: int, values: str) -> None:
    whole = WHOLE.get(name, "")
    broken = whole[:cut] + "".join(pieces) + whole[cut:].replace('"2.15.1"', values).replace("[{", values)
    file = tmp_path / name
    file.write_bytes(broken.encode("utf-8", "surrogatepass"))
    try:
        spec = infer_spec(tmp_path, (3, 11))
    finally:
        file.unlink()
    assert spec.runtimes
    assert all(note.isprintable() for note in (*spec.notes, *(n for runtime in spec.runtimes for n in runtime.notes)))


def test_what_loadgate_chooses_itself_gets_what_that_tensorflow_needs_in_order_to_import(tmp_path: Path) -> None:
    (runtime,) = infer_spec(tmp_path, (3, 8)).runtimes
    assert [requirement.text for requirement in runtime.requirements] == ["tensorflow"]
    (runtime,) = infer_spec(tmp_path, (3, 7)).runtimes
    assert [requirement.text for requirement in runtime.requirements] == ["tensorflow", "numpy<2"]
    assert "numpy<2, without which it cannot be imported" in runtime.notes[0]
