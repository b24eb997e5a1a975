"""A folder of outputs that is there complete or not at all, and files added to one."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

from rvh._tables.signals import stopped_by_signals
from rvh._tables.unfinished import unfinished
from rvh.errors import RVHError


def refuse_folder(path: str) -> None:
    """Refuse the name of a folder that cannot be made anew.

    Raises
    ------
    RVHError
        Something is there already, other than an empty folder, or no folder can take its place.
    """
    if not path or path == "-":
        raise RVHError("the output of split is a folder: name one with -o DIR")
    place = os.path.realpath(path)  # a symbolic link stays one
    try:
        with os.scandir(place) as entries:
            is_empty = next(entries, None) is None
    except FileNotFoundError:
        folder = os.path.dirname(place)
        if not os.path.isdir(folder):
            raise RVHError(f"{path} cannot be made: there is no folder {folder}") from None
        return
    except NotADirectoryError:
        raise RVHError(
            f"{path} is there already, and is not a folder: choose another name"
        ) from None
    except OSError as error:
        raise RVHError(f"{path} cannot be used: {error.strerror}") from None
    if not is_empty:
        raise RVHError(
            f"{path} is not empty: choose another name, remove it, or say --append to add to what "
            "split wrote there"
        )
    if os.path.ismount(place):
        raise RVHError(
            f"{path} is mounted by itself, so that no new folder can take its place: name one in "
            f"it, as {os.path.join(path, 'split')}"
        )
    if os.path.samefile(place, os.curdir):
        raise RVHError(
            f"{path} is the folder that this runs in, and a new one in its place would leave the "
            f"shell in none: name one in it, as {os.path.join(path, 'split')}"
        )


@contextlib.contextmanager
def new_folder(path: str) -> Iterator[str]:
    """Make a folder that is there complete or not at all; `refuse_folder` has let its name pass.

    What the block writes into the folder that it gets, a hidden one beside `path`, is there under
    the name of `path` when the block ends well, and gone when it does not.
    """
    place = os.path.realpath(path)
    part = unfinished(os.path.dirname(place))
    with _temporary(part, path):
        yield part
        try:
            try:
                os.rename(part, place)
            except FileExistsError:  # Windows, where no folder takes the place of an empty one
                os.rmdir(place)
                os.rename(part, place)
        except OSError as error:
            raise RVHError(
                f"{path} cannot be made: {error.strerror}; something else was put there meanwhile"
            ) from None


@contextlib.contextmanager
def added_files(path: str, last: str) -> Iterator[str]:
    """Add files to a folder, all or none.

    What the block writes into the folder that it gets, a hidden one in `path`, is moved to `path`
    when the block ends well: new files, then the one that is called `last`, which may take the
    place of an old one. A process that is killed outright may leave some of the others.

    Raises
    ------
    RVHError
        Another process is adding files, or one of the files is there already.
    """
    place = os.path.realpath(path)
    part = unfinished(place)
    with _alone(place, path), _temporary(part, path):
        yield part
        moved: list[str] = []
        try:
            for folder, _, names in os.walk(part):
                into = os.path.join(place, os.path.relpath(folder, part))
                os.makedirs(into, exist_ok=True)
                for name in names:
                    if folder == part and name == last:
                        continue
                    new = os.path.normpath(os.path.join(into, name))
                    if os.path.exists(new):
                        raise RVHError(
                            f"{new} is there already, and the manifest does not list it: rvh "
                            f"verify {path} says what to do"
                        )
                    moved.append(new)
                    os.rename(os.path.join(folder, name), new)
            os.replace(os.path.join(part, last), os.path.join(place, last))
        except BaseException:
            for file in moved:
                with contextlib.suppress(OSError):
                    os.unlink(file)
                with contextlib.suppress(OSError):
                    os.rmdir(os.path.dirname(file))  # where it was empty before
            raise
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def _temporary(part: str, path: str) -> Iterator[None]:
    """A hidden folder, which is removed if the block fails, whatever ends it."""
    with stopped_by_signals():
        try:  # entered before the folder exists: a signal may come at any moment
            try:
                os.mkdir(part)
            except OSError as error:
                raise RVHError(f"{path} cannot be written: {error.strerror}") from None
            yield
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


@contextlib.contextmanager
def _alone(place: str, path: str) -> Iterator[None]:
    """Hold a lock on a folder, which the system takes back when the process ends."""
    try:
        import fcntl
    except ImportError:  # Windows: folders have no locks there
        yield
        return
    number = os.open(place, os.O_RDONLY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RVHError(
                f"another process is adding to {path}: run this again when it is done"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(number)
