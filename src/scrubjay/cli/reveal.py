"""`scrubjay reveal`: in `restore.py`, with which it shares all but its last lines."""

from scrubjay.cli.restore import reveal as command

__all__ = ["command"]
