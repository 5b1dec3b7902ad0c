"""Bounds of a process: on its memory, so that a reader that is fooled into asking for more fails
alone, and on its life.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path


def bound(size: int) -> None:
    """No more than `size` bytes beyond what it has already, where the system knows such limits."""
    try:
        import resource
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    told = _held() + size
    if most != resource.RLIM_INFINITY:
        told = min(told, most)
    resource.setrlimit(resource.RLIMIT_DATA, (told, most))


def end_with_parent(parent: int = 0) -> None:
    """Nobody waits for what a killed parent asked, or ends a reader that is stuck. `parent`: its
    number, for who starts so slowly that it may be gone already."""
    threading.Thread(target=_end_with, args=(parent or os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def _held() -> int:
    """Bytes that this process has already, the models among them."""
    try:
        told = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(told.partition("VmData:")[2].split()[0]) << 10
