"""Runs a command under the filters of system calls that a unit of systemd asks for.

    python confined.py UNIT COMMAND [ARGUMENT ...]

systemd itself cannot be had where the tests run, but it sets these up in the process that becomes
the service, by libseccomp, which can: SystemCallFilter, RestrictAddressFamilies and
MemoryDenyWriteExecute, as systemd.exec(5) describes them.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

__all__ = ["directives", "system_calls"]

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
MASKED, EQUAL = 7, 4
WRITE, EXEC = 2, 4


def directives(unit: Path) -> dict[str, list[str]]:
    """The directives of a unit: all values of each name, in order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").replace("\\\n", "").splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def system_calls(group: str) -> set[str]:
    """The calls of a group, as @system-service, and of the groups in it; a call is its own."""
    if not group.startswith("@"):
        return {group}
    shown = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], stdout=subprocess.PIPE, text=True, check=True
    )
    lines = (line.strip() for line in shown.stdout.splitlines()[1:])
    return {name for line in lines if line[:1] not in ("", "#") for name in system_calls(line)}


class Comparison(ctypes.Structure):
    """`struct scmp_arg_cmp`."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operation", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def confine(unit: dict[str, list[str]]) -> None:
    """Set up the filters for this process, for good."""
    allowed = system_calls("@default")
    for value in unit["SystemCallFilter"]:
        named = {name for group in value.lstrip("~").split() for name in system_calls(group)}
        allowed = allowed - named if value.startswith("~") else allowed | named
    rules = {name: [()] for name in allowed}
    families = [getattr(socket, name) for name in unit["RestrictAddressFamilies"][0].split()]
    rules["socket"] = [(Comparison(0, EQUAL, family, 0),) for family in families]
    if unit["MemoryDenyWriteExecute"] == ["yes"]:
        rules["mmap"] = [(Comparison(2, MASKED, bit, 0),) for bit in (WRITE, EXEC)]
        rules["mprotect"] = rules["pkey_mprotect"] = [(Comparison(2, MASKED, EXEC, 0),)]

    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(REFUSE))
    for name, alternatives in rules.items():
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # of other processors
            continue
        for each in alternatives:
            array = (Comparison * len(each))(*each)
            if code := seccomp.seccomp_rule_add_array(context, ALLOW, number, len(each), array):
                raise OSError(-code, os.strerror(-code), name)
    if code := seccomp.seccomp_load(context):
        raise OSError(-code, os.strerror(-code))


if __name__ == "__main__":
    confine(directives(Path(sys.argv[1])))
    os.execvp(sys.argv[2], sys.argv[2:])
