"""Poetry's own way to write version ranges, as PEP 440 specifiers, and as markers where they are of the Python."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

LONGEST = 200


def specifier(constraint: str) -> str | None:
    """`^2.15` is `>=2.15,<3`; empty where any version will do; None where PEP 440 cannot say it (`||`)."""
    constraint = constraint.strip()
    if constraint in ("", "*"):
        return ""
    if "|" in constraint or len(constraint) > LONGEST:
        return None
    parts = [_part(part) for part in re.split(r"\s*,\s*|(?<=[0-9*])\s+(?=[<>=!~^])", constraint)]
    joined = ",".join(part for part in parts if part)
    try:
        SpecifierSet(joined)
    except InvalidSpecifier:
        return None
    return joined


def python_marker(constraint: str) -> str:
    """`~3.8 || >=3.9.1` as a marker; empty where any Python will do, or where it cannot be said."""
    if len(constraint) > LONGEST:
        return ""
    ranges = [specifier(each) for each in re.split(r"\|\|?", constraint)]
    if not all(ranges):
        return ""
    return " or ".join(" and ".join(_of_python(part) for part in (each or "").split(",")) for each in ranges)


def _of_python(part: str) -> str:
    version = part.lstrip("<>=!~")
    variable = "python_full_version" if version.removesuffix(".*").count(".") > 1 else "python_version"
    return f'{variable} {part.removesuffix(version)} "{version}"'


def _part(part: str) -> str:
    """Of one version: `=2.15` means exactly that, and `2.x` what `2.*` does."""
    part = re.sub(r"(\.[xX*])+$", ".*", part.strip())
    exact = re.fullmatch(r"=?(\d.*)", part)
    if exact:
        return f"=={exact[1]}"
    if part.startswith("^") or (part.startswith("~") and not part.startswith("~=")):
        lowest = part[1:].strip()
        return f">={lowest},<{_next_breaking(lowest, caret=part.startswith('^'))}"
    return part


def _next_breaking(lowest: str, *, caret: bool) -> str:
    numbers = [int(number) for number in re.findall(r"\d+", re.split(r"[a-z+-]", lowest)[0])[:3]] or [0]
    if caret:
        place = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        place = min(1, len(numbers) - 1)
    return ".".join(str(number) for number in [*numbers[:place], numbers[place] + 1])
