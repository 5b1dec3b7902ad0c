"""`scrubjay doctor`: what is here."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import click

import scrubjay
from scrubjay.detectors import built, patterns, scan
from scrubjay.errors import BundleError
from scrubjay.model import bundle

PACKAGES = (
    "msgspec", "click", "hyperscan", "google-re2", "phonenumbers", "python-stdnum", "onnxruntime",
    "numpy",
)  # fmt: skip


@click.command()
def command() -> None:
    """Say what is installed here and what it can do."""
    click.echo(f"scrubjay      {scrubjay.__version__}")
    click.echo(
        f"python        {platform.python_version()} on {platform.system()} {platform.machine()}"
    )
    for package in PACKAGES:
        click.echo(f"{package:13} {_version(package)}")
    click.echo(f"engine        {scan.engine_name()}")
    click.echo(f"cpu           {_cpu()}")
    click.echo(f"patterns      {len(patterns.catalogue())}")
    click.echo(f"cache         {built.cache_folder()}")
    for profile in bundle.PROFILES:
        click.echo(f"{profile:13} {_tagger(profile)}")
    for extra, needs in _extras().items():
        missing = [need for need in needs if _version(need) == "not installed"]
        state = f"pip install 'scrubjay[{extra}]' adds {', '.join(missing)}" if missing else "here"
        click.echo(f"[{extra}]".ljust(14) + state)


def _tagger(profile: str) -> str:
    """The bundle of a profile, and whether it may be used."""
    folder = bundle.folder(profile)
    try:
        known = bundle.read_pair(folder) if bundle.is_pair(folder) else bundle.read(folder)
        size = sum(file.stat().st_size for file in bundle.files_of(folder)) / 1e6
    except BundleError as problem:
        return f"cannot be used: {problem}"
    kind = " then ".join(known.nets) if isinstance(known, bundle.Pair) else known.kind
    return f"tagger {known.name} {known.version}, {kind}, {size:.1f} MB"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _extras() -> dict[str, list[str]]:
    """Each extra with its packages, as the package's own metadata says."""
    extras: dict[str, list[str]] = {}
    for need in metadata("scrubjay").get_all("Requires-Dist") or []:
        requirement, _, marker = need.partition(";")
        if "extra ==" in marker:
            name = marker.split("extra ==")[1].strip(" '\"")
            extras.setdefault(name, []).append(re.split(r"[\s<>=~!\[]", requirement)[0])
    return extras


def _cpu() -> str:
    """The vector instructions that matter here."""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8").partition("flags")[2].partition("\n")[0]
    except OSError:
        return platform.processor() or "unknown"
    wanted = ("ssse3", "sse4_2", "avx2", "avx512f", "avx512_vnni", "amx_int8")
    return " ".join(flag for flag in wanted if flag in flags.split()) or "no vector instructions"
