"""What the libraries that a service stands on say of a fault goes to its standard error, which
others keep and read: a fault's kind and place, and none of its words, which may be a text's.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

LOGGERS = ("uvicorn.error", "asyncio")  # who hear of what nobody has caught


def install() -> None:
    """For the rest of this process."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(wordless)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # nonsense that comes is no news
    threading.excepthook = _of_a_thread


def wordless(record: logging.LogRecord) -> bool:
    """Always true: the record goes on, without words."""
    kind, _, trace = record.exc_info or (None, None, None)
    if kind:
        record.msg, record.args, record.exc_info = _told(kind, trace), (), None
    return True


def _of_a_thread(fault: threading.ExceptHookArgs) -> None:
    name = fault.thread.name if fault.thread else "?"
    sys.stderr.write(f"scrubjay: thread {name}: {_told(fault.exc_type, fault.exc_traceback)}\n")


def _told(kind: type[BaseException], trace: TracebackType | None) -> str:
    steps = list(traceback.walk_tb(trace))
    if not steps:
        return kind.__name__
    frame, line = steps[-1]
    return f"{kind.__name__} at {Path(frame.f_code.co_filename).name}:{line}"
