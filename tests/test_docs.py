"""The documentation is run: what it shows happens, what it lists exists, what exists is listed.

In README.md and docs/ a `console` block's commands run in a shell, in a folder of the page's own
that holds examples/, and print what follows them (`...` stands for anything). `python` blocks run
in one namespace a page, `>>>` blocks as doctests. A block whose first line is `# name.ext` is
written to that file first. `bash` blocks are for a person's machine: they only have to parse.
"""

import doctest
import importlib
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from scrubjay import cli, errors, labels, operators, plugins, policies
from scrubjay.detectors import built
from scrubjay.types import Policy, Rule

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]
TOLD = "\n".join(page.read_text("utf-8") for page in PAGES)
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))
BLOCK = re.compile(r"^```(\w+(?: \w+)?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"\A(?:#|<!--|//) ([\w.-]+\.\w+)(?: -->)?\n")
FLAGS = doctest.ELLIPSIS


def named(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("name", GENERATE["pages"]())
def test_generated_pages_are_current(name):
    page = ROOT / "docs" / "reference" / name
    assert page.exists() and page.read_text("utf-8") == GENERATE["pages"]()[name], (
        "stale: run python docs/generate.py"
    )


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    """A folder with the command `scrubjay`, and a home with what was compiled already."""
    folder = tmp_path_factory.mktemp("tools")
    built.cache_folder().mkdir(parents=True, exist_ok=True)
    (folder / "home").mkdir()
    (folder / "home" / "cache").symlink_to(built.cache_folder())
    script = folder / "scrubjay"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m scrubjay "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.fixture
def uninstall(tmp_path):
    """Forget a page's modules and entry points after it."""
    before = set(sys.modules)
    yield
    plugins._entries.cache_clear()
    for module in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[module], "__file__", "")):
            del sys.modules[module]


@pytest.mark.parametrize("page", WRITTEN, ids=named)
@pytest.mark.usefixtures("uninstall")
def test_blocks_run(page, tools, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCRUBJAY_HOME", str(tools / "home"))
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    python_path = [str(tmp_path), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, python_path)))
    monkeypatch.syspath_prepend(str(tmp_path))
    namespace = {"__name__": "docs"}
    for language, block in BLOCK.findall(page.read_text("utf-8")):
        if title := FILE.match(block):
            Path(title[1]).write_text(block, "utf-8")
        if run := RUNNERS.get(language):
            run(block, namespace)


def run_console(block, namespace):
    """One shell for the block, so that `$?` and files carry over. Output as a terminal shows it."""
    commands = []
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            commands.append([line[2:], ""])
        elif commands and not commands[-1][1] and commands[-1][0].endswith("\\\n"):
            commands[-1][0] += line
        else:
            commands[-1][1] += line
    script = "".join(
        f"{command}__status=$?; printf '\\036'; (exit $__status)\n" for command, _ in commands
    )
    done = subprocess.run(
        ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120
    )
    for (command, want), got in zip(commands, done.stdout.decode().split("\x1e"), strict=False):
        compare(command, want, got)


def compare(command, want, got):
    got = got if not got or got.endswith("\n") else f"{got}\n"
    if not doctest.OutputChecker().check_output(want, got, FLAGS):
        example = doctest.Example(command, want)
        pytest.fail(command + doctest.OutputChecker().output_difference(example, got, FLAGS))


def run_python(block, namespace):
    if ">>>" not in block:
        exec(compile(block, "<docs>", "exec", dont_inherit=True), namespace)
        return
    test = doctest.DocTestParser().get_doctest(block, namespace, "docs", "docs", 0)
    test.globs = namespace
    told = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append, clear_globs=False)
    assert not told, "".join(told)


def run_toml(block, namespace):
    """A policy loads, a pattern holds its vectors, a package's entry points are installed."""
    told = tomllib.loads(block)
    if points := told.get("project", {}).get("entry-points"):
        install(told["project"]["name"], points)
    elif told.keys() & {*Policy.__struct_fields__, "extends"}:
        Path("block.toml").write_text(block, "utf-8")
        policies.load(Path("block.toml"))


def install(name, points):
    """What pip would leave of a package beside the modules that are here already."""
    folder = Path(f"{name}-1.0.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    groups = (
        "\n".join([f"[{group}]", *(f"{entry} = {place}" for entry, place in entries.items())])
        for group, entries in points.items()
    )
    (folder / "entry_points.txt").write_text("\n".join(groups))
    importlib.invalidate_caches()
    plugins._entries.cache_clear()


def run_bash(block, namespace):
    subprocess.run(["bash", "-n", "-c", block], check=True)


RUNNERS = {"console": run_console, "python": run_python, "toml": run_toml, "bash": run_bash}


def links(page):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
    return [(page.parent / target).resolve() for target in targets if ":" not in target]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page):
    assert [target for target in links(page) if not target.exists()] == []


def test_every_page_can_be_reached():
    found, new = set(), {ROOT / "README.md"}
    while new:
        found |= new
        new = {p for page in new for p in links(page) if p.suffix == ".md" and p.exists()} - found
    assert [named(page) for page in PAGES if page not in found] == [], "no page links to it"


def everything():
    """All that must be told, with how it is written."""
    for trail in GENERATE["commands"](cli.group, ()):
        yield " ".join(("scrubjay", *trail))
    context = click.Context(cli.group)
    for name in cli.group.list_commands(context):
        for option in cli.group.get_command(context, name).params:
            yield from (word for word in option.opts if word.startswith("--"))
    yield from (f"`{name}`" for name in labels.table())
    yield from (f"`{name}`" for name in policies.names())
    yield from (f"`{name}`" for name in operators.KNOWN)
    yield from (f"`{key}`" for key in (*Policy.__struct_fields__, "extends"))
    yield from (f"`{key}`" for key in Rule.__struct_fields__)
    yield from (f"`{kind.code}`" for kind in vars(errors).values() if hasattr(kind, "code"))


@pytest.mark.parametrize("word", sorted(set(everything())))
def test_everything_is_documented(word):
    assert word in TOLD
