"""A filter of system calls (seccomp, https://docs.kernel.org/userspace-api/seccomp_filter.html).

It refuses, with ``EPERM``, what ezkl, onnxruntime and Python never need to compute: to talk to a
network, to start programs or processes, to look into or stop others, to change what is mounted or
which namespaces hold. Any process may put it on, once for all.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterable, Sequence

from gateless_proofs.isolation.kernel import AARCH64, X86_64, machine, syscall

_SECCOMP = {X86_64: 317, AARCH64: 277}
_SET_MODE_FILTER = 1
#: puts the filter on all threads of the process, not on this one alone
_ALL_THREADS = 1

#: AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64 of linux/audit.h
_ARCHITECTURES = {X86_64: 0xC000003E, AARCH64: 0xC00000B7}
#: numbers from here on are those of the x32 interface, which knows the same calls under others
_X32_BIT = 0x40000000

# Refused altogether: number on x86-64, number on aarch64 (None where there is no such call).
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # networks
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    # io_uring opens sockets past any filter
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # programs and processes
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "kcmp": (312, 272),
    "tkill": (200, 130),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # System V and POSIX queues
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # what is mounted, which namespaces hold
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "quotactl": (179, 60),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    # the kernel itself, its keys and its less travelled parts
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "acct": (163, 89),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    "vhangup": (153, 58),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
}
# Refused but for some first arguments.
_SOCKETPAIR = {X86_64: 53, AARCH64: 199}
_CLONE = {X86_64: 56, AARCH64: 220}
_CLONE3 = {X86_64: 435, AARCH64: 435}
_PRLIMIT = {X86_64: 302, AARCH64: 261}
_TO_ONESELF = (
    {X86_64: 62, AARCH64: 129},  # kill
    {X86_64: 234, AARCH64: 131},  # tgkill
    {X86_64: 129, AARCH64: 138},  # rt_sigqueueinfo
    {X86_64: 297, AARCH64: 240},  # rt_tgsigqueueinfo
)
_CLONE_THREAD = 0x00010000

# Instructions of classic BPF.
_LOAD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_AT_LEAST = 0x35
_JUMP_ANY_BIT = 0x45
_RETURN = 0x06
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000
# struct seccomp_data: number, architecture, instruction pointer, arguments (lower halves first on
# both architectures)
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16

Instruction = tuple[int, int, int, int]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def install_filter() -> None:
    """Puts the filter on this process, all threads, for good.

    Raises:
        OSError: the kernel has no seccomp, or the processor is neither x86-64 nor aarch64.
    """
    code = b"".join(struct.pack("HBBI", *line) for line in program(machine(), os.getpid()))
    loaded = _Program(len(code) // 8, code)
    syscall(_SECCOMP, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(loaded))


def program(architecture: str, pid: int) -> list[Instruction]:
    """The filter as BPF instructions.

    Args:
        architecture: ``x86_64`` or ``aarch64``.
        pid: the process, which may send signals to itself alone.
    """
    place = 0 if architecture == X86_64 else 1
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        # The same process could enter the kernel as a 32-bit one, where numbers mean other calls.
        (_JUMP_EQUAL, 1, 0, _ARCHITECTURES.get(architecture, 0)),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if architecture == X86_64:
        lines += [(_JUMP_AT_LEAST, 0, 1, _X32_BIT), (_RETURN, 0, 0, _KILL)]
    for numbers in _REFUSED.values():
        number = numbers[place]
        if number is not None:
            lines += _case(number, [_refusal(errno.EPERM)])
    # Where clone3 does not exist, libraries use clone, whose flags a filter can read.
    lines += _case(_CLONE3[architecture], [_refusal(errno.ENOSYS)])
    lines += _case(_CLONE[architecture], _only_with(_CLONE_THREAD))
    lines += _case(_SOCKETPAIR[architecture], _only_for([socket.AF_UNIX]))
    lines += _case(_PRLIMIT[architecture], _only_for([0, pid]))
    for numbers_of in _TO_ONESELF:
        lines += _case(numbers_of[architecture], _only_for([pid]))
    return [*lines, (_RETURN, 0, 0, _ALLOW)]


def _refusal(code: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | code)


def _case(number: int, body: Sequence[Instruction]) -> list[Instruction]:
    """What to do where a call has this number; every path through ``body`` must return."""
    return [(_JUMP_EQUAL, 0, len(body), number), *body]


def _only_for(values: Iterable[int]) -> list[Instruction]:
    lines: list[Instruction] = [(_LOAD, 0, 0, _FIRST_ARGUMENT)]
    for value in values:
        lines += [(_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
    return [*lines, _refusal(errno.EPERM)]


def _only_with(bit: int) -> list[Instruction]:
    return [
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_ANY_BIT, 0, 1, bit),
        (_RETURN, 0, 0, _ALLOW),
        _refusal(errno.EPERM),
    ]
