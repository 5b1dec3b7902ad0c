"""Which folders a run may read and write."""

from __future__ import annotations

from pathlib import Path

from scrubjay import home
from scrubjay.errors import UsageError


def check(source: Path, out: Path) -> None:
    """Refuse a run from here into there that would read what it writes, or touch keys."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is no folder")
    if within(home.home(), out):
        raise UsageError(f"{home.home()} lies in {out}: it is not for who gets that; SCRUBJAY_HOME")
    if within(out, source):
        raise UsageError(f"{out} lies in {source}: the run would read what it writes")
    if within(source, out):
        raise UsageError(f"{source} lies in {out}: what is not clean would be among what is")
    if within(home.home(), source):
        raise UsageError(f"{home.home()} lies in {source}: keys are no documents")


def within(path: Path, folder: Path) -> bool:
    """Whether it lies there, or is that folder, wherever links lead."""
    return path.resolve().is_relative_to(folder.resolve())
