"""A clock that somebody else can set: what `time.time` tells in each Python that has this folder in
its path is wrong by as many seconds as stand in the file that SOAK_CLOCK names.
"""

import mmap
import os
import struct
import time
from pathlib import Path

right = time.time


def now() -> float:
    """The time, and something more or less."""
    return right() + float(struct.unpack("d", late)[0])


if place := os.environ.get("SOAK_CLOCK"):
    with Path(place).open("r+b") as file:
        late = mmap.mmap(file.fileno(), 8)
    time.time = now
