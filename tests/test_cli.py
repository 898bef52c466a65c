"""What a person meets at the command line before, and besides, any TensorFlow."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .command import LOADGATE, PATIENCE, Ended, environment, loadgate, wait_until

EXAMPLES = Path(__file__).parents[1] / "examples"
MODEL = EXAMPLES / "models" / "churn" / "churn_2019.h5"
IMAGE = 'version: 1\nruntimes:\n  serving: {image: "ghcr.io/acme/serving:2.15"}\n'
"""A runtime that this command cannot make, which it knows without asking anybody."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one model, of which no load is possible; the folder above it is where commands run."""
    root = tmp_path / "repo"
    root.mkdir()
    shutil.copy(MODEL, root / "model.h5")
    (root / "loadgate.yml").write_text(IMAGE)
    return root


def refused(ended: Ended) -> str:
    """The one line that a refusal is."""
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("loadgate: ")
    assert ended.err.count("\n") == 1
    return ended.err.removeprefix("loadgate: ").rstrip("\n")


# --- calls and specs that are wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ('  serving:\n    pyton: "3.11"', "loadgate.yml:4:5: `pyton` is no key of runtime `serving`; did you mean"),
        ("  serving:\n    python: [1]", "loadgate.yml:4:13: `python` is a list; write a version such as"),
        ("  serving: [", "loadgate.yml:4:1: not valid YAML: "),
        ('  serving: {python: "3.99", tensorflow: "2.15.1"}', "loadgate.yml:3: runtime serving: Python 3.99 is not on"),
        ("  serving: {interpreter: .venv/bin/python}", "loadgate.yml:3: runtime serving: there is no interpreter /"),
    ],
)
def test_a_mistake_in_the_spec_is_one_line_that_says_where(spec: str, line: str, repository: Path) -> None:
    (repository / "loadgate.yml").write_text(f"version: 1\nruntimes:\n{spec}\n")
    assert refused(loadgate("check", "repo", cwd=repository.parent)).startswith(line)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (["check", "nowhere"], "nowhere: no such directory"),
        (["check", "repo/model.h5"], "repo/model.h5: is a file; give its repository, and the file with --artifact"),
        (["check", "repo", "--spec", "nowhere.yml"], "nowhere.yml: no such file"),
        (["check", "repo", "--runtime", "nobody"], "--runtime nobody: no such runtime; there are serving"),
        (["outline"], "outline: name a file to tell of, with --plan or --report"),
        (["plan", "repo", "--output", "repo/model.h5/plan.json"], "repo/model.h5/plan.json: cannot be written"),
        (["check", "repo", "--artifact", "nothing/**"], "--artifact 'nothing/**': no artifact of repo has such a path"),
        (["check", "repo", "--output", "repo/model.h5/x"], "repo/model.h5/x: cannot be written: Not a directory"),
        (["check", "repo", "--json", "repo"], "repo: cannot be written: Is a directory"),
        (["provision"], ".loadgate/plan.json: cannot be read: No such file or directory; run `loadgate plan` first"),
        (
            ["provision", "--plan", "candidates.json"],
            "candidates.json: cannot be read: No such file or directory; run `loa",
        ),
        (["inspect", "nowhere"], "nowhere: there is no such file"),
        (["inspect", "repo"], "repo: this folder is no SavedModel; name a model in it, such as repo/model.h5"),
        (["inspect", "repo/loadgate.yml"], "repo/loadgate.yml: by its content, this is no TensorFlow or Keras model"),
        (["init", "nowhere"], "nowhere: no such directory"),
        (["init", "repo"], "repo/loadgate.yml: exists already; `--force` replaces it"),
    ],
)
def test_a_call_that_is_wrong_is_one_line(call: list[str], line: str, repository: Path) -> None:
    assert refused(loadgate(*call, cwd=repository.parent)).startswith(line)


def test_a_folder_by_the_name_of_a_spec_is_not_passed_over(repository: Path) -> None:
    (repository / "loadgate.yml").unlink()
    (repository / "loadgate.yml").mkdir()
    assert refused(loadgate("check", "repo", cwd=repository.parent)).startswith(
        "repo/loadgate.yml: is a directory; a spec"
    )


def test_what_fix_is_given_and_is_no_model_is_said_to_be_none(repository: Path) -> None:
    shutil.copy(EXAMPLES / "models/churn/customers.h5", repository)
    line = refused(loadgate("fix", "repo/customers.h5", cwd=repository.parent))
    assert line.startswith("repo/customers.h5: by its content, this is no TensorFlow or Keras model")


def test_where_the_repository_is_here_no_dot_is_told_of_it(repository: Path) -> None:
    line = refused(loadgate("check", "--artifact", "nothing/**", cwd=repository))
    assert "no artifact has such a path; there are" in line


@pytest.mark.parametrize("call", [["check", "nowhere"], ["check", "repo", "--runtime", "nobody"]])
def test_a_call_that_is_wrong_leaves_nothing_behind(call: list[str], repository: Path) -> None:
    loadgate(*call, cwd=repository.parent)
    assert not (repository.parent / ".loadgate").exists()


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1"])
def test_a_shard_that_is_none_is_refused(shard: str, tmp_path: Path) -> None:
    ended = loadgate("load", f"--shard={shard}", cwd=tmp_path)
    assert ended.status == 2
    assert f"'{shard}' is no shard; give one such as 2/5" in ended.err


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("garbage", "this is no plan of loadgate: JSON is malformed"),
        ('{"version": 2}', "version 2; this loadgate reads version 1"),
        ("[]", "this is no plan of loadgate: Expected `object`, got `array`"),
        ("", "this is no plan of loadgate: "),
    ],
)
def test_a_plan_that_is_none_is_refused(content: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(content)
    assert refused(loadgate("provision", "--plan", "plan.json", cwd=tmp_path)).startswith(f"plan.json: {why}")


@pytest.mark.parametrize("phase", ["provision", "load", "report"])
def test_a_plan_that_contradicts_itself_is_refused_by_every_phase(phase: str, repository: Path) -> None:
    work = repository.parent
    loadgate("plan", "repo", cwd=work)
    loadgate("provision", cwd=work)
    plan = work / ".loadgate" / "plan.json"
    plan.write_text(plan.read_text().replace('"artifact": "model.h5"', '"artifact": "../secret.h5"'))
    line = refused(loadgate(phase, cwd=work))
    assert re.fullmatch("plan: case '[0-9a-f]{16}' is of artifact '../secret.h5', which the plan does not have", line)


def test_results_that_are_none_are_refused_with_their_line(repository: Path) -> None:
    work = repository.parent
    loadgate("plan", "repo", cwd=work)
    loadgate("provision", cwd=work)
    loadgate("load", cwd=work)
    results = work / ".loadgate" / "results.jsonl"
    results.write_bytes(results.read_bytes() + b"\x1b]garbage\n")

    assert refused(loadgate("report", cwd=work)).startswith(".loadgate/results.jsonl:2: this is no result of loadgate")


def test_a_model_that_is_not_in_the_checkout_has_not_failed_to_load(repository: Path) -> None:
    work = repository.parent
    loadgate("plan", "repo", cwd=work)
    loadgate("provision", cwd=work)
    line = refused(loadgate("load", "--repository", "elsewhere", cwd=work))
    assert line.startswith(f"{work}/elsewhere has no 'model.h5', which the plan names")


def test_runtimes_that_were_made_for_another_plan_are_not_loaded_in(repository: Path) -> None:
    work, spec = repository.parent, repository / "loadgate.yml"
    loadgate("plan", "repo", cwd=work)
    loadgate("provision", cwd=work)
    spec.write_text(spec.read_text().replace("2.15", "2.14"))
    loadgate("plan", "repo", cwd=work)
    assert refused(loadgate("load", cwd=work)) == (
        "locks.json is of another plan: runtime serving has changed since it was made; "
        "run `loadgate provision` with this plan"
    )


def test_a_phase_leaves_nothing_that_git_would_find(repository: Path) -> None:
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    loadgate("plan", cwd=repository)
    asked = ["git", "-C", str(repository), "status", "--porcelain", "--", ".loadgate"]
    assert subprocess.run(asked, check=True, capture_output=True).stdout == b""


def test_a_report_of_an_earlier_run_is_replaced_by_the_phase_that_reports(repository: Path) -> None:
    loadgate("check", cwd=repository)
    shutil.copy(MODEL, repository / "second.h5")
    for phase in ("plan", "provision", "load", "report"):
        loadgate(phase, cwd=repository)
    report = json.loads((repository / ".loadgate" / "report.json").read_text())
    assert {artifact["path"] for artifact in report["artifacts"]} >= {"second.h5"}


# --- which repository ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["loadgate.yml", ".loadgate.yml", ".github/loadgate.yaml", ".git/HEAD"])
def test_in_a_folder_of_a_repository_all_of_the_repository_is_meant(sign: str, tmp_path: Path) -> None:
    (tmp_path / sign).parent.mkdir(exist_ok=True)
    (tmp_path / sign).write_text(IMAGE if "loadgate" in sign else "ref: refs/heads/main\n")
    (tmp_path / "requirements.txt").write_text("tensorflow==2.15.1\n")
    inner = tmp_path / "models" / "churn"
    inner.mkdir(parents=True)
    shutil.copy(MODEL, inner / "model.h5")

    assert loadgate("plan", cwd=inner).status == 0

    plan = json.loads((inner / ".loadgate" / "plan.json").read_text())
    assert plan["repository"] == str(tmp_path.resolve())
    assert [artifact["path"] for artifact in plan["artifacts"]] == ["models/churn/model.h5"]
    assert plan["runtimes"][0]["origin"]["file"] == (sign if "loadgate" in sign else "requirements.txt")


def test_of_two_specs_neither_is_silently_left_unread(tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    for name in ("loadgate.yml", ".github/loadgate.yaml"):
        (tmp_path / name).write_text(IMAGE)
    line = refused(loadgate("plan", cwd=tmp_path))
    assert line == ".github/loadgate.yaml: loadgate.yml is a spec as well; keep one of them, or name one with --spec"


def test_a_bare_repository_is_no_place_to_look_for_models(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "bare.git")], check=True)
    line = refused(loadgate("check", "bare.git", cwd=tmp_path))
    assert line == "bare.git: is a bare repository, which has no files of its own; give a checkout of it"


def test_a_name_is_the_same_whatever_language_the_terminal_speaks(repository: Path) -> None:
    shutil.copy(MODEL, repository / "modèle.h5")
    speaks_ascii = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert loadgate("plan", cwd=repository, env=speaks_ascii).status == 0
    plan = json.loads((repository / ".loadgate" / "plan.json").read_text(encoding="utf-8"))
    (found,) = (each for each in plan["artifacts"] if each["path"].startswith("mod\xe8"))
    assert "not UTF-8" not in json.dumps(found)


def test_a_folder_that_is_named_is_the_repository_whatever_is_above_it(repository: Path) -> None:
    (repository / "service").mkdir()
    ended = loadgate("plan", ".", cwd=repository / "service")
    assert ended.out == ".loadgate/plan.json: 0 artifacts, 1 runtime, 0 cases\n"


def test_a_first_spec_is_written_into_the_root_of_the_repository(repository: Path) -> None:
    (repository / "service").mkdir()
    ended = loadgate("init", "--force", cwd=repository / "service")
    assert ended.out.startswith("../loadgate.yml: written")
    assert "image" not in (repository / "loadgate.yml").read_text().partition("runtimes:")[2]


def test_the_list_of_commands_tells_each_in_one_whole_line(tmp_path: Path) -> None:
    listed = loadgate("--help", cwd=tmp_path).out.partition("Commands:\n")[2].splitlines()
    assert listed[0].split()[0] == "check"
    assert all(line.endswith(".") and not line.endswith("..") for line in listed)


# --- nothing to do ---------------------------------------------------------------------------------------------


def test_a_repository_without_models_passes_says_so_and_makes_no_runtime(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = loadgate("check", "empty", "--cache", "cache", cwd=tmp_path)
    assert ended.status == 0
    assert "No model artifact was found, so nothing was loaded" in ended.out
    assert "not made, as there is nothing to load in it" in ended.out
    assert not (tmp_path / "cache").exists()


def test_a_repository_without_models_is_refused_where_some_are_required(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert refused(loadgate("check", "empty", "--require-artifacts", cwd=tmp_path)).startswith("empty: no model")


def test_a_container_image_that_cannot_be_had_is_an_error_that_names_it(repository: Path) -> None:
    ended = loadgate("check", "repo", cwd=repository.parent)
    assert ended.status == 3
    assert "No verdict: runtime serving could not be made" in ended.out
    assert "The image ghcr.io/acme/serving:2.15" in ended.out
    assert "Traceback" not in ended.err


# --- what is written where -------------------------------------------------------------------------------------


def test_the_version_is_told_without_importing_what_is_heavy(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "loadgate", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rsplit("|", 1)[1].strip().partition(".")[0] for line in ended.stderr.splitlines() if "|" in line}
    assert re.fullmatch(r"loadgate \d+\.\d+\.\d+\S*\n", ended.stdout)
    assert "click" in imported
    assert not imported & {
        "h5py",
        "numpy",
        "github",
        "jinja2",
        "tensorflow",
        "yaml",
        "rich",
        "msgspec",
        "pathspec",
        "junit_xml",
    }


def test_a_log_gets_no_escape_codes_and_force_color_gives_them(repository: Path) -> None:
    plain = loadgate("check", "repo", cwd=repository.parent)
    forced = loadgate("check", "repo", cwd=repository.parent, env={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert "\x1b" not in plain.out + plain.err
    assert "\x1b[33m" in forced.out


def on_a_terminal(*arguments: str, cwd: Path, env: dict[str, str]) -> str:
    """All that a pseudo-terminal gets."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*LOADGATE, *arguments], cwd=cwd, env=environment(env), stdout=theirs, stderr=theirs)
    os.close(theirs)
    told = bytearray()
    try:
        while part := os.read(ours, 65536):
            told += part
    except OSError:  # how Linux says that the other end of a terminal is closed
        pass
    os.close(ours)
    process.wait(60)
    return told.decode()


COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3\d|9\d|38;[\d;]+)m")


def test_a_terminal_gets_colour_and_none_where_no_color_is_set(repository: Path) -> None:
    env = {"TERM": "xterm-256color"}
    assert COLOUR.search(on_a_terminal("check", "repo", cwd=repository.parent, env=env))
    assert not COLOUR.search(on_a_terminal("check", "repo", cwd=repository.parent, env={**env, "NO_COLOR": "1"}))


def test_quiet_tells_the_verdict_and_why_and_nothing_else(repository: Path) -> None:
    ended = loadgate("check", "repo", "--quiet", cwd=repository.parent)
    assert ended.err == ""
    assert ended.out.startswith("! No verdict: runtime serving could not be made\n")
    assert "Artifacts" not in ended.out


def test_a_reader_that_has_gone_changes_neither_the_exit_status_nor_what_is_said(repository: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [*LOADGATE, "check", "repo"],
        cwd=repository.parent,
        env=environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert ended.returncode == 3
    assert all(line.startswith("loadgate: ") for line in ended.stderr.splitlines())


@pytest.mark.parametrize("streams", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_a_process_without_standard_streams_comes_to_the_same_verdict(streams: str, repository: Path) -> None:
    command = f"{sys.executable} -m loadgate check repo {streams}"
    ended = subprocess.run(["sh", "-c", command], cwd=repository.parent, env=environment(), check=False)
    assert ended.returncode == 3
    assert read_json(repository.parent / ".loadgate" / "report.json")["totals"]["errors"] == 1


def test_a_full_disk_under_standard_output_is_one_line(repository: Path) -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [*LOADGATE, "check", "repo", "--quiet"],
            cwd=repository.parent,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 3
    assert ended.stderr == "loadgate: standard output cannot be written: No space left on device\n"


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def test_reports_are_written_where_they_are_asked_for_also_when_the_run_does_not_pass(repository: Path) -> None:
    work = repository.parent
    ended = loadgate("check", "repo", "--junit", "reports/j.xml", "--json", "reports/r.json", cwd=work)
    assert ended.status == 3
    assert read_json(work / "reports" / "r.json") == read_json(work / ".loadgate" / "report.json")
    assert (work / "reports" / "j.xml").read_bytes() == (work / ".loadgate" / "junit.xml").read_bytes()


def test_a_report_of_an_earlier_run_does_not_outlive_a_run_that_is_refused(repository: Path) -> None:
    work = repository.parent
    loadgate("check", "repo", cwd=work)
    (repository / "loadgate.yml").write_text('version: 1\nruntimes:\n  serving: {python: "3.99", tensorflow: "2"}\n')
    refused(loadgate("check", "repo", cwd=work))
    assert not (work / ".loadgate" / "report.json").exists()


def test_a_run_leaves_nothing_that_git_or_the_next_run_would_find(repository: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=repository, check=True)
    first = loadgate("check", cwd=repository)
    second = loadgate("check", cwd=repository)
    status = subprocess.run(["git", "status", "--short"], cwd=repository, check=True, capture_output=True, text=True)
    assert first.out == second.out
    assert status.stdout.splitlines() == ["?? loadgate.yml", "?? model.h5"]


def test_a_folder_that_was_there_is_not_hidden_from_git(repository: Path) -> None:
    assert loadgate("check", "--output", ".", cwd=repository).status == 3
    assert loadgate("check", "--output", "new", cwd=repository).status == 3
    assert not (repository / ".gitignore").exists()
    assert (repository / "new" / ".gitignore").exists()


UNPRIVILEGED = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # the capability by which root writes where it may not
os.execv(sys.argv[1], sys.argv[1:])
"""


def loadgate_without_privilege(*arguments: str, cwd: Path) -> Ended:
    ended = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, *LOADGATE, *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def test_a_repository_that_is_read_only_is_checked_all_the_same(repository: Path) -> None:
    (repository / "loadgate.yml").chmod(0o444)
    repository.chmod(0o555)
    work = repository.parent
    assert loadgate_without_privilege("check", "repo", cwd=work).status == 3
    assert (work / ".loadgate" / "report.json").exists()
    assert refused(loadgate_without_privilege("check", ".", cwd=repository)) == (
        ".loadgate: cannot be written: Permission denied; choose another with --output"
    )
    assert refused(loadgate_without_privilege("init", "repo", "--force", cwd=work)).startswith("repo/loadgate.yml: ")


# --- hostile names ---------------------------------------------------------------------------------------------

HOSTILE = ["new\nline.h5", "\x1b[31mred.h5", "::error::x.h5", "*.h5", "[m]odel.h5", "!not.h5", "-rf.h5", "a b.h5"]


@pytest.mark.parametrize("name", ["*.h5", "[m]odel.h5", "!new\nline.h5"])
def test_an_artifact_named_exactly_is_that_one_whatever_its_name_is_as_a_pattern(name: str, repository: Path) -> None:
    shutil.copy(MODEL, repository / name)
    work = repository.parent
    assert loadgate("plan", "repo", f"--artifact={name}", "--output", "p.json", cwd=work).status == 0
    assert [artifact["path"] for artifact in read_json(work / "p.json")["artifacts"]] == [name]


def test_no_name_of_a_model_reaches_the_terminal_as_anything_but_text(repository: Path) -> None:
    hostile = repository.with_name("a repository\nwith \x1b[31mspaces")
    repository.rename(hostile)
    for name in HOSTILE:
        shutil.copy(MODEL, hostile / name)
    ended = loadgate("check", hostile, "--verbose", cwd=hostile.parent)
    told = ended.out + ended.err
    assert ended.status == 3
    assert all(line.isprintable() and not line.lstrip().startswith("::") for line in told.splitlines())
    assert len(read_json(hostile.parent / ".loadgate" / "report.json")["cases"]) == len(HOSTILE) + 1


def test_no_refusal_paints_the_terminal_or_commands_a_runner(tmp_path: Path) -> None:
    ended = loadgate("check", "\x1b[31mno\n::error::where", cwd=tmp_path)
    assert ended.err == "loadgate: \\x1b[31mno\n: :error::where: no such directory; give the path of a repository\n"


def test_a_model_whose_name_is_not_utf_8_is_skipped_by_name_and_costs_no_other_its_verdict(repository: Path) -> None:
    shutil.copy(MODEL, repository / os.fsdecode(b"bad\xff.h5"))
    shutil.copy(MODEL, repository / "bad\\xff.h5")
    ended = loadgate("check", "repo", "--verbose", cwd=repository.parent)
    folder = repository.parent / ".loadgate"
    first_stages = [json.loads(line)["stages"][0] for line in (folder / "results.jsonl").read_text().splitlines()]
    told = sorted((stage["outcome"], stage["reason"], stage["message"]) for stage in first_stages)
    reason = "its name is not UTF-8, so TensorFlow cannot be asked to load it; rename it"
    assert [each[:2] for each in told] == [("error", "runtime"), ("error", "runtime"), ("skipped", "name")]
    assert told[-1][2] == reason
    assert sorted(case["case"]["artifact"] for case in read_json(folder / "report.json")["cases"]) == [
        "bad\\xff.h5",
        "bad\\xff.h5 (2)",
        "model.h5",
    ]
    assert "bad\\xff.h5 (2)" in (folder / "junit.xml").read_text()
    assert "Traceback" not in ended.err
    assert loadgate("inspect", repository / os.fsdecode(b"bad\xff.h5"), cwd=repository).status == 0


def test_a_link_out_of_the_repository_is_skipped_by_name_and_one_to_nothing_is_not(repository: Path) -> None:
    secret = repository.parent / "secret.h5"
    shutil.copy(MODEL, secret)
    (repository / "theirs.h5").symlink_to(secret)
    (repository / "broken.h5").symlink_to("nowhere")

    ended = loadgate("check", "repo", cwd=repository.parent)

    lines = (repository.parent / ".loadgate" / "results.jsonl").read_text().splitlines()
    told = sorted((stage["outcome"], stage["reason"]) for stage in (json.loads(line)["stages"][0] for line in lines))
    assert told == [("error", "runtime"), ("error", "runtime"), ("skipped", "link")]
    assert "Traceback" not in ended.err


def test_a_repository_whose_own_path_is_not_utf_8_is_refused_in_one_line(repository: Path) -> None:
    elsewhere = repository.rename(repository.with_name(os.fsdecode(b"r\xff")))
    assert "is not UTF-8" in refused(loadgate("check", elsewhere, cwd=elsewhere.parent))


# --- inspect and init ------------------------------------------------------------------------------------------


def test_every_example_can_be_inspected(tmp_path: Path) -> None:
    expected = read_json(EXAMPLES / "expected.json")["artifacts"]
    ended = loadgate("inspect", "--json", *(EXAMPLES / path for path in expected), cwd=tmp_path)
    assert ended.status == 0
    assert [artifact["format"] for artifact in json.loads(ended.out)] == [each["format"] for each in expected.values()]


def test_what_is_no_model_takes_nothing_from_the_others_that_are_inspected(repository: Path) -> None:
    paths = ("nowhere", "repo/model.h5", "repo/loadgate.yml", "repo/model.h5")
    ended = loadgate("inspect", "--json", *paths, cwd=repository.parent)
    assert ended.status == 2
    assert [artifact["path"] for artifact in json.loads(ended.out)] == ["repo/model.h5", "repo/model.h5"]
    first, second = ended.err.splitlines()
    assert first.startswith("loadgate: nowhere: there is no such file")
    assert second.startswith("loadgate: repo/loadgate.yml: by its content, this is no TensorFlow or Keras model")


def test_a_first_spec_says_what_the_repository_says_and_can_be_planned(repository: Path) -> None:
    (repository / "loadgate.yml").unlink()
    (repository / "requirements.txt").write_text("tensorflow==2.15.1\n")
    assert loadgate("init", "repo", cwd=repository.parent).status == 0
    assert loadgate("plan", "repo", cwd=repository.parent).status == 0
    plan = read_json(repository.parent / ".loadgate" / "plan.json")
    assert plan["spec_file"] == "loadgate.yml"
    assert any("tensorflow==2.15.1" in line["text"] for line in plan["runtimes"][0]["requirements"])


def test_a_spec_that_is_there_is_replaced_only_by_force(repository: Path) -> None:
    assert loadgate("init", "repo", "--force", cwd=repository.parent).status == 0
    assert "ghcr.io" not in (repository / "loadgate.yml").read_text()


# --- fix -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.resaved", "model.resaved.keras", "model.resaved.h5"])
def test_what_would_be_written_over_is_refused_before_anything_is_tried(name: str, repository: Path) -> None:
    (repository / name).write_text("mine")
    ended = loadgate("fix", "repo/model.h5", "--write", cwd=repository.parent)
    assert refused(ended) == f"repo/{name}: exists already; move it away first"


# --- interruptions ---------------------------------------------------------------------------------------------

SLOW = """#!/bin/sh
sleep 1000 &
echo $$ $! > "$(dirname "$0")/started.part"
mv "$(dirname "$0")/started.part" "$(dirname "$0")/started"
wait
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_stopped_while_runtimes_are_made_ends_what_it_started(
    number: signal.Signals, repository: Path
) -> None:
    (repository / "python").write_text(SLOW)
    (repository / "python").chmod(0o755)
    (repository / "loadgate.yml").write_text("version: 1\nruntimes:\n  serving: {interpreter: python}\n")
    started = repository / "started"
    process = subprocess.Popen(
        [*LOADGATE, "check", "repo"],
        cwd=repository.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(started.exists, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert "the run is partial, 1 of 1 case not reached" in out
    assert "Traceback" not in err
    assert read_json(repository.parent / ".loadgate" / "report.json")["partial"] is True
    assert not [pid for pid in started.read_text().split() if is_running(int(pid))]


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
