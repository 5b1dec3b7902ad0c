"""Puts the parsed catalogue and its compiled automaton into the wheel, so that the first call is as
fast as the second. On another kind of machine they are made at first use and cached."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuiltPatterns(BuildHookInterface[Any]):
    """Runs for wheels; an editable install fills its cache instead."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make both files outside the source tree and name them to the wheel."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "src"))
        from scrubjay.detectors import built, patterns, scan

        folder = Path(tempfile.mkdtemp(prefix="scrubjay-build-"))
        built.SHIPPED = built.Path(folder / "none")
        built.cache_folder = lambda: folder
        scan.databases(patterns.expressions(patterns.catalogue()))
        for path in folder.iterdir():
            inside = f"scrubjay/detectors/patterns/_built/{path.name}"
            build_data["force_include"][str(path)] = inside
