"""The new text: each finding's value through the operator of its label."""

from __future__ import annotations

from collections.abc import Callable

from scrubjay import plugins
from scrubjay.errors import OperatorError, ScrubjayError
from scrubjay.operators import Scene
from scrubjay.types import Finding, Replacement

Choose = Callable[[str], tuple[str, plugins.Operator]]  # label -> operator's name, operator


def replace(scene: Scene, choose: Choose) -> tuple[str, list[Replacement]]:
    """Text without the values, and where each change is in it."""
    text = scene.document.text
    pieces: list[str] = []
    replacements: list[Replacement] = []
    last = length = 0
    for finding in scene.findings:
        name, operate = choose(finding.label)
        new = _operate(operate, name, text[finding.start : finding.end], finding, scene)
        pieces += text[last : finding.start], new
        new_start = length + finding.start - last
        length = new_start + len(new)
        last = finding.end
        replacements.append(
            Replacement(
                finding.start, finding.end, new_start, length, finding.label, finding.entity,
                finding.score, finding.detector, name,
            )
        )  # fmt: skip
    pieces.append(text[last:])
    return "".join(pieces), replacements


def _operate(
    operate: plugins.Operator, name: str, value: str, finding: Finding, scene: Scene
) -> str:
    """One value, with a plug-in's own errors turned into ours: their words may quote the text."""
    try:
        return operate(value, finding, scene)
    except ScrubjayError:
        raise
    except Exception as problem:  # noqa: BLE001 - the border to foreign code
        where = f"{finding.label} at {finding.start}-{finding.end}"
        raise OperatorError(
            f"operator {name} failed on {where}: {type(problem).__name__}"
        ) from None
