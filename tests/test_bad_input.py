"""What bad files do: a clear refusal, in bounded time and memory, and nothing is left behind."""

import io
import os
import pickle
import re
import resource
import select
import signal
import tempfile
import time
import traceback
from pathlib import Path

import pytest
from format_bad import BAD, PLANT

import scrubjay
from scrubjay import cli, formats
from scrubjay.cli import anonymize
from scrubjay.errors import InputError, ScrubjayError
from scrubjay.formats import kinds
from scrubjay.formats.pdf import apart

ENGINE = scrubjay.load("hipaa-safe-harbor", profile="patterns")
SECONDS, MEMORY = 8.0, 400 << 20  # for each; the machine may be busy
PATIENCE = 30.0
for _kind in kinds.KINDS:  # what is imported here is not imported in every process
    formats.make(_kind.name)


def _bytes(what):
    return int(Path("/proc/self/status").read_text().partition(what)[2].split()[0]) << 10


def _apart(call):
    """Its error, what that says, its seconds and its bytes, in a process that has a bound."""
    here, there = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.write(there, pickle.dumps(_measured(call)))
        finally:
            os._exit(0)
    os.close(there)
    with os.fdopen(here, "rb") as pipe:
        if not select.select([pipe], [], [], PATIENCE)[0]:
            os.kill(process, signal.SIGKILL)
        told = pipe.read()
    _, status = os.waitpid(process, 0)
    return pickle.loads(told) if told else ("died", f"status {status}", 0.0, 0)


def _measured(call):
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, started, why = _bytes("VmHWM:"), time.perf_counter(), ("", "")
    resource.setrlimit(resource.RLIMIT_AS, (_bytes("VmSize:") + (3 << 30),) * 2)
    try:
        call()
    except ScrubjayError as problem:
        why = type(problem).__name__, str(problem)
    except Exception as problem:  # noqa: BLE001 - told to who runs the test
        why = type(problem).__name__, traceback.format_exc()[-4000:]
    return *why, time.perf_counter() - started, _bytes("VmHWM:") - before


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_or_read_and_leave_nothing(name, tmp_path, monkeypatch):
    make, told = BAD[name]
    (tmp_path / name).write_bytes(make())
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(anonymize, "load", lambda *_, **__: ENGINE)
    words = ["anonymize", str(tmp_path / name), "-o", str(tmp_path / "out"), "-q"]
    why, message, seconds, peak = _apart(lambda: cli.group.main(words, standalone_mode=False))
    print(f"{name}: {seconds:.2f} s, {peak >> 20} MiB, {why} {message}")
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert why == "InputError" if told is not None else why in {"", "InputError"}
    assert re.search(told or "", message) and PLANT not in message
    assert made == {name, "temporary", *(["out"] if not why else [])}
    assert seconds < SECONDS and peak < MEMORY


def test_what_kills_pdfium_is_an_error_here(monkeypatch):
    def dies(self, number):
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(apart.Drawn, "__init__", lambda self, data, pixels: None)
    monkeypatch.setattr(apart.Drawn, "size", dies)
    monkeypatch.setattr(apart.Drawn, "picture", lambda self, number: bytearray(apart.MEMORY * 2))
    pages = apart.opened(b"", 1)
    child = pages._process
    with pytest.raises(InputError, match="page 3: more than 1024 MiB to draw"):
        pages.picture(2)
    with pytest.raises(InputError, match="page 1: its reader died"):
        pages.size(0)
    pages.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)


def test_a_page_that_is_never_drawn_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(apart.Drawn, "__init__", lambda self, data, pixels: time.sleep(60))
    monkeypatch.setattr(apart, "PATIENCE", 0.1)
    pages = apart.opened(b"", 1)
    with pytest.raises(InputError, match="page 1: it takes more than 0 s to draw"):
        pages.size(0)
    pages.close()


@pytest.mark.parametrize("bad", [b"", b"x", b"%PDF-", b"PK\3\4", b"\x89PNG\r\n\x1a\n", b"\0" * 200])
def test_any_reader_refuses_what_is_none_of_its_kind(bad):
    for kind in {kind.name for kind in kinds.KINDS}:
        try:
            formats.make(kind).convert(
                io.BytesIO(bad), io.BytesIO(), formats.work.Work(ENGINE.stream)
            )
        except InputError:
            continue
