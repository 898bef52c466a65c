from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgate import requirements
from loadgate.declared import Declared
from loadgate.domain import Origin, Requirement
from loadgate.errors import UsageError
from loadgate.repository import UnusableFileError


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def lines_of(root: Path, content: str | bytes) -> list[tuple[int, str]]:
    declared = requirements.read(write(root, {"requirements.txt": content}), "requirements.txt")
    return [(line.origin.line, line.text) for line in declared.requirements if line.origin]


def test_each_line_keeps_its_number_and_loses_its_comment(tmp_path: Path) -> None:
    content = "# serving\n\ntensorflow==2.15.1  # as in production\n   numpy<2 ; python_version < '3.12'\n"
    assert lines_of(tmp_path, content) == [(3, "tensorflow==2.15.1"), (4, "numpy<2 ; python_version < '3.12'")]


def test_a_continued_line_is_one_line_and_keeps_its_hashes(tmp_path: Path) -> None:
    content = "h5py==3.11.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb  # two\nkeras\n"
    assert lines_of(tmp_path, content) == [(1, "h5py==3.11.0 --hash=sha256:aa --hash=sha256:bb"), (4, "keras")]


def test_a_comment_ends_a_continued_line_as_it_does_for_pip(tmp_path: Path) -> None:
    assert lines_of(tmp_path, "keras \\\n# gone\nh5py\n") == [(1, "keras"), (3, "h5py")]


def test_options_that_the_resolver_needs_are_kept(tmp_path: Path) -> None:
    content = "--index-url=https://a.test/simple\n--extra-index-url https://b.test\n-f https://c.test\n--pre\n"
    assert [text for _, text in lines_of(tmp_path, content)] == [
        "--index-url https://a.test/simple",
        "--extra-index-url https://b.test",
        "-f https://c.test",
        "--pre",
    ]


def test_addresses_of_version_control_are_kept_also_where_they_are_editable(tmp_path: Path) -> None:
    content = "git+https://a.test/x@main#egg=x\n-e git+ssh://git@a.test/y#egg=y\nz @ git+https://a.test/z\n"
    assert [text for _, text in lines_of(tmp_path, content)] == [
        "git+https://a.test/x@main#egg=x",
        "git+ssh://git@a.test/y#egg=y",
        "z @ git+https://a.test/z",
    ]


@pytest.mark.parametrize(
    "line",
    [
        *("-e .", "--editable=.[gpu]", "-e file:///x", "file:acme", "git+file:///x", "-f wheels"),
        *("./acme", "../acme", "/opt/acme", "wheels/acme.whl", "acme-1.tar.gz", "acme @ ./acme", "acme @ file:///x"),
    ],
)
def test_a_line_that_means_a_file_of_the_repository_is_left_out_and_noted(tmp_path: Path, line: str) -> None:
    declared = requirements.read(write(tmp_path, {"requirements.txt": f"keras\n{line}\n"}), "requirements.txt")
    assert [requirement.text for requirement in declared.requirements] == ["keras"]
    (note,) = declared.notes
    assert note.startswith("requirements.txt:2: `")
    assert note.endswith("` is left out: runtimes are made without the repository's files.")


@pytest.mark.parametrize(
    "line",
    [
        *("-i https://a.test/${UV_INDEX_PRIVATE_PASSWORD}", "--extra-index-url https://${PASSWORD}@a.test/simple"),
        *("-f https://a.test/${PASSWORD}", "-e git+https://a.test/${PASSWORD}#egg=x", "x @ https://a.test/${PASSWORD}"),
        *("https://a.test/${PASSWORD}/x-1-py3-none-any.whl", "https://a.test/$\\\n{PASSWORD}/x-1-py3-none-any.whl"),
    ],
)
@pytest.mark.parametrize("kind", ["-r", "-c"])
def test_a_line_that_would_tell_an_address_a_variable_is_left_out_and_noted(
    tmp_path: Path, line: str, kind: str
) -> None:
    files: dict[str, str | bytes] = {"requirements.txt": f"keras\n{kind} more.txt\n", "more.txt": f"{line}\n"}
    declared = requirements.read(write(tmp_path, files), "requirements.txt")
    assert [requirement.text for requirement in declared.requirements] == ["keras"]
    assert declared.constraints == ()
    (note,) = declared.notes
    assert note.startswith("more.txt:1: `")
    assert note.endswith("` is left out: no variable of the machine is told to an address that a repository names.")


def test_files_named_in_a_file_are_read_from_its_own_folder(tmp_path: Path) -> None:
    files = {
        "serving/requirements.txt": "-r base.txt\n-c../constraints.txt\n--requirement=deep/more.txt\ntensorflow\n",
        "serving/base.txt": "h5py\n",
        "serving/deep/more.txt": "-r ../base.txt\nkeras\n",
        "constraints.txt": "numpy<2\n",
    }
    declared = requirements.read(write(tmp_path, dict(files)), "serving/requirements.txt")
    assert declared.requirements == (
        Requirement(text="h5py", origin=Origin(file="serving/base.txt", line=1)),
        Requirement(text="keras", origin=Origin(file="serving/deep/more.txt", line=2)),
        Requirement(text="tensorflow", origin=Origin(file="serving/requirements.txt", line=4)),
    )
    assert declared.constraints == (Requirement(text="numpy<2", origin=Origin(file="constraints.txt", line=1)),)
    assert set(declared.files) == set(files)


def test_the_utf_16_that_powershell_writes_is_read(tmp_path: Path) -> None:
    assert lines_of(tmp_path, "tensorflow==2.15.1\r\nkeras\r\n".encode("utf-16")) == [
        (1, "tensorflow==2.15.1"),
        (2, "keras"),
    ]


def test_what_is_not_in_the_repository_cannot_be_followed_and_is_noted(tmp_path: Path) -> None:
    declared = requirements.read(
        write(tmp_path, {"requirements.txt": "-c https://a.test/c.txt\nkeras\n"}), "requirements.txt"
    )
    assert declared.notes == (
        "requirements.txt:1: `https://a.test/c.txt` is left out: it is not part of the repository.",
    )


WRONG = [
    ("tensorflow = 2", "1:1: `tensorflow = 2` is no requirement: expected semicolon (after name with no version"),
    ("tensorflow>=2.15<2.16", "1:1: `tensorflow>=2.15<2.16` is no requirement: expected comma"),
    ("\n  {{ name }}", "2:3: `{{ name }}` is no requirement: expected package name at the start"),
    ("--indx-url x", "1:1: unknown option `--indx-url`; did you mean `--index-url`?"),
    (
        "keras --index-url x",
        "1:1: `--index-url x` has no place behind a requirement; give it a line of its own",
    ),
    ("-r", "1:1: `-r` lacks its value"),
    ("-r nowhere.txt", "1:1: `nowhere.txt` does not exist"),
    ("-r /etc/passwd", "1:1: `/etc/passwd` is not relative to the repository; write a path inside it"),
    ("-r ../x.txt", "1:1: `../x.txt` leads out of the repository; write a path inside it"),
    ("-r out.txt", "1:1: `out.txt` is a symbolic link that leads out of the repository"),
    ("-r requirements.txt", "1:1: `requirements.txt` includes itself"),
    ("\x1b[2J", "1:1: `\\x1b[2J` is no requirement"),
]


@pytest.mark.parametrize(("content", "message"), WRONG)
def test_a_wrong_line_is_told_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "out.txt").symlink_to("/etc/hostname")
    with pytest.raises(UsageError) as caught:
        lines_of(tmp_path, content)
    assert str(caught.value).startswith(f"requirements.txt:{message}")


def test_a_circle_of_files_ends(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": "-r a.txt\n", "a.txt": "-r requirements.txt\n"})
    with pytest.raises(UsageError, match=r"^a\.txt:1:1: `requirements\.txt` includes itself$"):
        requirements.read(tmp_path, "requirements.txt")


def test_a_chain_of_files_without_end_ends(tmp_path: Path) -> None:
    write(tmp_path, {f"{number}.txt": f"-r {number + 1}.txt\n" for number in range(50)})
    with pytest.raises(UsageError, match="is one file too many"):
        requirements.read(tmp_path, "0.txt")


@pytest.mark.parametrize(
    ("content", "predicate"),
    [
        (None, "does not exist"),
        (b"keras\nx\xff", "is not UTF-8"),
        (b"#" * (1024**2 + 1), "is longer than"),
        (b"a\n" * 20_001, "has more than 20,000 lines"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: bytes | None, predicate: str) -> None:
    if content is not None:
        (tmp_path / "requirements.txt").write_bytes(content)
    with pytest.raises(UnusableFileError, match=predicate):
        requirements.read(tmp_path, "requirements.txt")


PIECES = [
    "tensorflow",
    "==2.15.1",
    " ",
    "\n",
    "\\\n",
    "#",
    ";",
    "python_version<'3'",
    "-r ",
    "-c",
    "-e ",
    "--pre",
    "=",
    "@",
]
PIECES += [
    "git+https://a.test/x",
    "./x",
    "[gpu]",
    "${HOME}",
    "--hash=sha256:aa",
    "requirements.txt",
    "\x00",
    "\r",
    "\u2028",
]


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.text(), st.binary()))
def test_any_content_is_read_or_refused(tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / "requirements.txt").write_bytes(
        content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    )
    told, declared = "", Declared()
    try:
        declared = requirements.read(tmp_path, "requirements.txt")
    except (UsageError, UnusableFileError) as error:
        told = str(error)
    assert told.replace("\n", "").isprintable()
    assert all("\n" not in line.text and line.text.strip() for line in declared.requirements)
