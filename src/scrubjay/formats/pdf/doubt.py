"""The reason why a page is drawn as a picture instead of kept."""

from __future__ import annotations


class Doubt(Exception):
    """Something on the page that is not understood for certain."""
