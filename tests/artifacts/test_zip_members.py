"""Members of a zip are found as the standard library finds them, and no header is believed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from loadgate.artifacts import zip_members
from loadgate.artifacts.zip_members import DamagedZipError, Member, TruncatedZipError

LIMIT = 1024**2
FILES = {"config.json": b'{"a": 1}', "deep/inside.txt": b"x" * 5_000, "empty": b""}


def zipped(method: int = zipfile.ZIP_STORED, *, comment: bytes = b"", streamed: bool = False) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in FILES.items():
            with archive.open(zipfile.ZipInfo(name) if not streamed else name, "w", force_zip64=streamed) as member:
                member.write(content)
        archive.comment = comment
    return written.getvalue()


def read(content: bytes) -> dict[str, bytes]:
    stream = io.BytesIO(content)
    return {each.name: zip_members.content(stream, each, LIMIT) for each in list(zip_members.members(stream))}


@pytest.mark.parametrize(
    "content",
    [
        zipped(),
        zipped(zipfile.ZIP_DEFLATED),
        zipped(comment=b"the best of three"),
        zipped(streamed=True),
        b"#!/bin/sh\n" + zipped(),
    ],
    ids=["stored", "deflated", "with a comment", "zip64", "behind something else"],
)
def test_what_was_put_in_comes_out(content: bytes) -> None:
    assert read(content) == FILES


def first(content: bytes) -> Member:
    return next(zip_members.members(io.BytesIO(content)))


def with_directory_byte(content: bytes, offset: int, value: int) -> bytes:
    """With one byte changed of the first entry in the list of members."""
    at = content.index(b"PK\x01\x02") + offset
    return content[:at] + bytes([value]) + content[at + 1 :]


LIES: dict[str, Callable[[bytes], bytes]] = {
    "another size": lambda content: with_directory_byte(content, 24, 99),
    "another checksum": lambda content: with_directory_byte(content, 16, content[14] ^ 1),
    "another place": lambda content: with_directory_byte(content, 42, 7),
    "a place far away": lambda content: with_directory_byte(content, 45, 0x7F),
    "an unknown packing": lambda content: with_directory_byte(content, 10, 99),
    "encryption": lambda content: with_directory_byte(content, 8, 1),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_list_of_members_that_lies_is_damage(lie: str) -> None:
    content = LIES[lie](zipped())
    with pytest.raises(DamagedZipError):
        zip_members.content(io.BytesIO(content), first(content), LIMIT)


def test_a_member_is_unpacked_no_further_than_it_says() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(50 * LIMIT))
    content = written.getvalue().replace((50 * LIMIT).to_bytes(4, "little"), (9).to_bytes(4, "little"))
    with pytest.raises(DamagedZipError, match="bomb is not what its checksum says"):
        zip_members.content(io.BytesIO(content), first(content), LIMIT)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04" + bytes(100), zipped()[:-10]])
def test_a_zip_without_its_end_is_truncated(content: bytes) -> None:
    with pytest.raises(TruncatedZipError):
        list(zip_members.members(io.BytesIO(content)))
