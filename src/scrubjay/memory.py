"""How much memory a process may have, so that a reader that is fooled into asking for more fails
alone.
"""

from __future__ import annotations

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


def _held() -> int:
    """Bytes that this process has already, the models among them."""
    try:
        told = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(told.partition("VmData:")[2].split()[0]) << 10
