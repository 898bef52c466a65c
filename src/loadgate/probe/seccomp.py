"""seccomp: a filter over system calls, for a process and all that it starts. Any process may put one up over itself.

A filter is a small program for the kernel that sees the number of a call and the words of its arguments, never what
they point to. So what is told apart only behind a pointer has to be refused or allowed as a whole.
"""

import ctypes
import errno
import os
import struct
from typing import List, NamedTuple, Sequence, Tuple

LOAD, EQUAL, GREATER, AND, RETURN = 0x20, 0x15, 0x25, 0x54, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""What the kernel calls the architecture of a call, by what it calls the machine."""

_libc = ctypes.CDLL(None, use_errno=True)


class Test(NamedTuple):
    """Of one word of an argument: what is left of it under `mask` is, or is not, one of `values`."""

    argument: int
    values: Tuple[int, ...]
    mask: int = 0xFFFFFFFF
    upper: int = 0
    """1 for the upper half of an argument of eight bytes."""
    among: bool = True


class Rule(NamedTuple):
    """A call that is answered with `error` (0: as if it had been done) unless every test holds."""

    number: int
    error: int
    unless: Tuple[Test, ...] = ()


Instruction = Tuple[int, int, int, int]


def _block(rule: Rule) -> List[Instruction]:
    """The instructions of one rule; the number of the call has been found to be this rule's."""
    refuse = (RETURN, 0, 0, REFUSE | rule.error)
    if not rule.unless:
        return [refuse]
    block: List[Instruction] = []
    for test in rule.unless:
        block.append((LOAD, 0, 0, _ARGUMENTS + 8 * test.argument + 4 * test.upper))
        block.append((AND, 0, 0, test.mask))
        count = len(test.values)
        if test.among:
            # whichever value it is, over the remaining comparisons and over the refusal
            block += [(EQUAL, count - index, 0, value) for index, value in enumerate(test.values)]
            block.append(refuse)
        else:
            for value in test.values:
                block += [(EQUAL, 0, 1, value), refuse]
    block.append((RETURN, 0, 0, ALLOW))
    return block


def program(machine: str, rules: Sequence[Rule], newest: int = 0) -> bytes:
    """What the kernel runs. Calls above `newest` are answered as by a kernel that does not know them yet."""
    code: List[Instruction] = [
        (LOAD, 0, 0, _ARCHITECTURE),
        # calls of another architecture, such as those of 32 bits, have other numbers
        (EQUAL, 1, 0, AUDIT[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, _NUMBER),
    ]
    if newest:
        code += [(GREATER, 0, 1, newest), (RETURN, 0, 0, REFUSE | errno.ENOSYS)]
    for rule in rules:
        block = _block(rule)
        code.append((EQUAL, 0, len(block), rule.number))
        code += block
    code.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def give_up_privileges() -> None:
    """No program that is run from here on gives more rights than this process has: no setuid, no file capabilities."""
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def enforce(filter_program: bytes) -> None:
    """Put it up for good, over this thread and all that it starts. Needs `give_up_privileges` before."""
    code = ctypes.create_string_buffer(filter_program, len(filter_program))
    header = struct.pack("@HP", len(filter_program) // 8, ctypes.addressof(code))
    _checked(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0))


def _checked(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "seccomp: " + os.strerror(number))


_SIGNALS = {
    # kill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo; then tkill, pidfd_send_signal
    "x86_64": ((62, 234, 129, 297), (200, 424)),
    "aarch64": ((129, 131, 138, 240), (130, 424)),
}


def own_signals_only(machine: str, process: int) -> bytes:
    """For kernels whose Landlock does not know signals: none but to `process` itself and to its own group."""
    to_a_process, to_others = _SIGNALS[machine]
    rules = [Rule(number, errno.EPERM, (Test(0, (process, 0)),)) for number in to_a_process]
    return program(machine, rules + [Rule(number, errno.EPERM) for number in to_others])
