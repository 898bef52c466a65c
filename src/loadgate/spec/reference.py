"""The reference of `loadgate.yml`, docs/reference/spec.md, written from the keys themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from loadgate.domain import LOADERS_OF_FORMAT
from loadgate.mistakes import MOST_SHOWN
from loadgate.spec import keys
from loadgate.spec.fields import Key

INTRODUCTION = f"""\
# loadgate.yml

The spec stands in the root of the repository, or there in `.github/`; it may be called `.loadgate.yml`, and end in
`.yaml`. There is one: a second one is refused. None is needed: without one, or without its key `runtimes`, runtimes are
inferred from what the repository already says, and the report says from which line. `loadgate init` writes what was
inferred as a spec to start from.

A mistake is reported as `loadgate.yml:LINE:COLUMN`, what is wrong, and what to write; up to {MOST_SHOWN} at once.
The exit status is 2, and nothing has run.

Paths are relative to the repository and stay inside it. Versions are written in quotes: YAML reads `3.10` as the
number 3.1. Anchors and aliases may be used for whole values; merge keys (`<<`) and tags are refused.

```yaml
version: 1
artifacts:
  include: ["models/**"]
  exclude: ["**/fixtures/**"]
runtimes:
  serving:
    python: "3.11"
    tensorflow: "2.15.1"
    requirements: [serving/requirements.txt]
    packages: ["tensorflow-text==2.15.*"]
    keras: "2.15.0"
    env: {{TF_USE_LEGACY_KERAS: "1"}}
    loader: {{saved_model: keras_layer}}
    imports: [acme.layers]
    devices: [cpu, gpu]
    gpu: {{driver: "535", cuda: "12.2", cudnn: "8.9"}}
  laptop: {{interpreter: .venv/bin/python}}
  image: {{image: "ghcr.io/acme/serving:2.15"}}
checks: {{infer: true, timeout: 300, memory: 4GiB}}
policy: {{fail-on: any, gpu-missing: skip}}
remedies: {{runtimes: 4, time: 300}}
```
"""

RUNTIME_RULES = """\
A runtime is one of three: made from `python`, `tensorflow`, `keras`, `requirements` and `packages`; an `interpreter`
that exists; or an `image`. The keys of one have no place beside another's.
"""


def reference() -> str:
    """The whole page, in Markdown."""
    return "\n".join(
        [
            INTRODUCTION,
            *_section("The spec", keys.SPEC_KEYS),
            *_section("artifacts", keys.ARTIFACT_KEYS),
            *_section("runtimes", keys.RUNTIME_KEYS, RUNTIME_RULES),
            *_section("gpu", keys.GPU_KEYS),
            *_loaders(),
            *_section("checks", keys.CHECK_KEYS),
            *_section("policy", keys.POLICY_KEYS),
            *_section("remedies", keys.REMEDY_KEYS),
        ]
    )


def _section(title: str, section: Sequence[Key[Any]], rules: str = "") -> Iterator[str]:
    yield f"## {title}\n"
    if rules:
        yield rules
    yield "| key | value | example | default |"
    yield "| --- | --- | --- | --- |"
    for key in section:
        yield f"| `{key.name}` | {_cell(key.shape)} | `{_cell(key.example)}` | {_cell(key.default)} |"
    yield ""
    for key in section:
        yield f"- `{key.name}`: {key.meaning}"
    yield ""


def _loaders() -> Iterator[str]:
    yield "## Loaders\n"
    yield "The first loader of a format is its default.\n"
    yield "| format | loaders |"
    yield "| --- | --- |"
    for format_, loaders in LOADERS_OF_FORMAT.items():
        yield f"| `{format_}` | {', '.join(f'`{loader}`' for loader in loaders)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
