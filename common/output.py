"""Standard streams and files: written as a whole, read without waiting for ever, kept private."""

from __future__ import annotations

import errno
import io
import math
import os
import select
import stat
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from .errors import UserError
from .text import LONGEST_LINE, fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import PurePath

_PIPE_SECONDS = 10.0
"""How long a file that is a pipe, such as bash's `<(...)`, may take until it has ended."""

_MOST_BYTES = 100_000_000
"""More than any file that is read as a whole needs; a catalog has less than 1 MB."""

_PIECE = 1 << 20
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def write_output(data: bytes, what: str, kind: type[UserError] = UserError) -> None:
    """Write all of it to standard output; `what` names it.

    Raises:
        UserError: Of this kind, if that is closed, or the disk is full.
    """
    try:
        sys.stdout.flush()
        write_all(sys.stdout.fileno(), data)
    except io.UnsupportedOperation:
        # A caller within the same process has put something in its place.
        sys.stdout.write(data.decode())
    except (AttributeError, OSError, ValueError) as error:  # it is None where it was closed before
        discard(sys.stdout)
        if isinstance(error, OSError) and error.errno != errno.EPIPE:
            raise kind(f"{what} cannot be written to standard output: {reason(error)}.") from None
        raise kind(
            f"{what} cannot be written, since standard output is closed: the program that reads it "
            "has ended; see its own messages."
        ) from None


def standard_input() -> BinaryIO:
    """Return standard input.

    Raises:
        UserError: It is closed.
    """
    if sys.stdin is None:
        raise UserError("Standard input is closed; pipe the output of a tap into this program.")
    return sys.stdin.buffer


def discard(stream: Any) -> None:
    """Lead a standard stream that failed to nowhere, or Python would fail once more as it exits."""
    with suppress(AttributeError, OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def say(line: object = "", *, err: bool = False, **style: Any) -> None:
    """Print a line for people; see `click.secho` for `nl` and the styles.

    Raises:
        OSError: It cannot be printed.
    """
    click.secho(fit(line, LONGEST_LINE), err=err, **style)


def open_output(path: PurePath, *, append: bool, private: bool = True) -> int:
    """Open a file for writing, made with its folder where there is none.

    Unless it is another user's, a private file is made readable by its owner only. A symbolic link
    is followed only where this user, or root, has made it, and to a file of this user's.

    Raises:
        OSError: It cannot be written to; `reason` says why.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY
    if append:
        flags |= os.O_APPEND
    mode = 0o600 if private else 0o666
    with _as_os_error():
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, "its folder is a file") from None
        with suppress(FileNotFoundError):
            # Before it is opened, which is an act on a device.
            _check_kind(path, os.stat(path))  # noqa: PTH116 - a path may hold NUL
        try:
            descriptor = os.open(path, flags | os.O_NOFOLLOW, mode)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.EMLINK):
                raise
            descriptor = _follow(path, flags, mode)
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode):
        if private and status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) != mode:
            with suppress(OSError):  # file systems without modes
                os.fchmod(descriptor, mode)
        if not append:
            os.ftruncate(descriptor, 0)
    return descriptor


def check_replaceable(path: Path) -> None:
    """Check that a file can be replaced by another, also where it is a link or not there yet.

    Raises:
        OSError: It cannot; `reason` says why.
    """
    with _as_os_error():
        with suppress(FileNotFoundError):
            status = path.stat()
            _check_kind(path, status)
            if path.is_symlink():
                _check_owners(path, status)
        if not os.access(path.resolve().parent, os.W_OK):
            raise OSError(errno.EACCES, "its folder is not there or cannot be written to")


def write_file(path: Path, data: bytes, *, append: bool = False, private: bool = False) -> None:
    """Write a file, or to its end; raises what `open_output` does."""
    descriptor = open_output(path, append=append, private=private)
    try:
        write_all(descriptor, data)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it to a file or a pipe, of which one write may take only a part.

    A pipe that does not block, as a parent process may have set it, takes what there is room for.

    Raises:
        OSError: It cannot be written: nobody reads any more, or the disk is full.
    """
    rest = memoryview(data)
    while rest:
        written = 0
        with suppress(BlockingIOError):
            written = os.write(descriptor, rest)
        if not written:
            _wait(descriptor, select.POLLOUT)
        rest = rest[written:]


def read_file(path: str | PurePath, *, last: int | None = None) -> bytes:
    """Read a file, or what comes through a pipe; only its end where `last` bytes are wanted.

    Raises:
        OSError: It cannot be read; `reason` says why.
    """
    with _as_os_error():
        status = os.stat(path)  # noqa: PTH116 - a path may hold NUL
        is_pipe = stat.S_ISFIFO(status.st_mode)
        if not is_pipe:
            _check_kind(path, status)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if last is not None and status.st_size > last:
                os.lseek(descriptor, -last, os.SEEK_END)
            return _read_all(descriptor, _PIPE_SECONDS if is_pipe else math.inf)
        finally:
            os.close(descriptor)


def refuse_same(files: Mapping[str, Path]) -> None:
    """Check that names stand for different files, whatever the letter case and the links.

    Raises:
        UserError: Two of them are one file.
    """
    seen: dict[object, str] = {}
    for name, path in files.items():
        keys: list[object] = []
        with suppress(OSError, ValueError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                keys.append((status.st_dev, status.st_ino))
        with suppress(OSError, ValueError):
            keys.append(os.path.realpath(path).casefold())
        for key in keys:
            if seen.setdefault(key, name) != name:
                raise UserError(
                    f"The file {path} would be both {seen[key]} and {name}; name another path."
                )


@contextmanager
def explained(problem: str, advice: str = "", kind: type[UserError] = UserError) -> Iterator[None]:
    """Raise what is wrong with a file as a sentence: the problem, its reason and the advice."""
    try:
        yield
    except OSError as error:
        raise kind(f"{problem}: {reason(error)}{advice and f'; {advice}'}.") from None


def reason(error: OSError) -> str:
    """Say why a file cannot be used, in words that go on a sentence."""
    return error.strerror or "for a reason that the system does not tell"


def _wait(descriptor: int, events: int, seconds: float = math.inf) -> bool:
    """Wait until a descriptor is ready; `select` takes none from 1,024 on."""
    waiting = select.poll()
    waiting.register(descriptor, events)
    return bool(waiting.poll(None if seconds == math.inf else max(0.0, seconds) * 1000))


def _read_all(descriptor: int, seconds: float) -> bytes:
    until = time.monotonic() + seconds
    data = bytearray()
    while _wait(descriptor, select.POLLIN, until - time.monotonic()):
        with suppress(BlockingIOError):
            piece = os.read(descriptor, _PIECE)
            if not piece:
                return bytes(data)
            data += piece
        if len(data) > _MOST_BYTES:
            raise OSError(errno.EFBIG, f"it is larger than {_MOST_BYTES / 1e6:.0f} MB")
    raise OSError(errno.ETIMEDOUT, f"it is a pipe that did not end within {seconds:g} s")


def _follow(path: PurePath, flags: int, mode: int) -> int:
    """Open what a link leads to, if link and file are both this user's."""
    _check_owners(path)
    descriptor = os.open(path, flags, mode)
    try:
        _check_owners(path, os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check_owners(link: PurePath, target: os.stat_result | None = None) -> None:
    if os.lstat(link).st_uid not in (os.geteuid(), 0):
        raise OSError(errno.EPERM, "it is a link of another user's")
    if target is not None and target.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "it is a link to another user's file")


def _check_kind(path: str | PurePath, status: os.stat_result) -> None:
    for test, kind in _KINDS:
        if test(status.st_mode) and str(path) != os.devnull:
            raise OSError(errno.EINVAL, f"it is {kind}, not a file")


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Raise what Python says of names that no file can have as the system would."""
    try:
        yield
    except ValueError:
        raise OSError(errno.EINVAL, "it holds a character that no file's name can have") from None
