"""The command line: exit codes, whole output or none, and errors that help."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from scrubjay import cli
from scrubjay.formats import text

SSN = "536-90-4399"


def scrubjay(*arguments, stdin=b"", cwd=None, env=None):
    done = subprocess.run(
        [sys.executable, "-m", "scrubjay", *map(str, arguments)],
        input=stdin, capture_output=True, cwd=cwd, env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


@pytest.fixture
def note(tmp_path):
    path = tmp_path / "note.txt"
    path.write_bytes(f"SSN: {SSN}\r\nno newline".encode())
    return path


def test_a_file_to_standard_output(note):
    done = scrubjay("anonymize", note)
    assert done.returncode == 0
    assert done.stdout == b"SSN: [SSN 1]\r\nno newline"
    assert b"SSN 1" in done.stderr and SSN.encode() not in done.stderr


def test_a_pipe(note):
    assert scrubjay("anonymize", "-", stdin=note.read_bytes()).stdout.startswith(b"SSN: [SSN 1]")
    assert scrubjay("anonymize", "-q", stdin=b"x").stderr == b""


def test_a_folder_is_mirrored(tmp_path, note):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    note.rename(tmp_path / "in" / "deep" / "a.txt")
    (tmp_path / "in" / "b.jsonl").write_text(json.dumps({"ssn": SSN, "n": [1, {"x": SSN}]}) + "\n")
    done = scrubjay("anonymize", tmp_path / "in", "-o", tmp_path / "out", "-p", "everything")
    assert done.returncode == 0, done.stderr
    assert SSN not in (tmp_path / "out" / "deep" / "a.txt").read_text()
    record = json.loads((tmp_path / "out" / "b.jsonl").read_text())
    assert record == {"ssn": "[SSN]", "n": [1, {"x": "[SSN]"}]}


def test_one_bad_file_and_nothing_is_written(tmp_path, note):
    (tmp_path / "in").mkdir()
    note.rename(tmp_path / "in" / "a.txt")
    (tmp_path / "in" / "z.txt").write_bytes(b"caf\xe9")
    done = scrubjay("anonymize", *(tmp_path / "in").iterdir(), "-o", tmp_path / "out")
    assert done.returncode == 2
    assert b"z.txt: byte 3 is not utf-8; say --encoding" in done.stderr
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"a\x00b", "a.txt", b"NUL character at 1"),
        (b"\xff\xfea\x00", "a.txt", b"--encoding utf-16"),
        (b'{"a": 1}\n{"b": \n', "a.jsonl", b"line 2: not JSON"),
        (b"PK\x03\x04", "a.docx", b"begins as a zip and is none"),
        (b"words", "a.unknown", b"no reader for '.unknown' files"),
        (b"[" * 100_000, "a.jsonl", b"line 1: not JSON"),
    ],
)
def test_bad_input_is_refused_by_place(tmp_path, data, name, told):
    (tmp_path / name).write_bytes(data)
    done = scrubjay("anonymize", tmp_path / name, "-o", tmp_path / "out")
    assert done.returncode == 2 and told in done.stderr, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


def test_encodings_and_empty_files(tmp_path):
    (tmp_path / "l.txt").write_bytes(f"caf\xe9 {SSN}".encode("latin-1"))
    done = scrubjay("anonymize", tmp_path / "l.txt", "--encoding", "latin-1")
    assert done.stdout == b"caf\xe9 [SSN 1]"
    (tmp_path / "e.txt").write_bytes(b"")
    assert scrubjay("anonymize", tmp_path / "e.txt").stdout == b""


def test_what_was_left_out_is_told(tmp_path):
    (tmp_path / "a.rtf").write_bytes(rb"{\rtf1 {\info{\author A}} seen}")
    done = scrubjay("anonymize", tmp_path / "a.rtf", "-o", tmp_path / "b.rtf")
    assert b"scrubjay: left out: document properties 1" in done.stderr, done.stderr
    assert b"left out" not in scrubjay("anonymize", tmp_path / "a.rtf", "-q").stderr


def test_a_fault_is_told_by_its_place_and_says_no_words(note, monkeypatch, capsys):
    def fails(self, source, target, work):
        raise KeyError(source.read())

    monkeypatch.setattr(text.Text, "convert", fails)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["anonymize", str(note)])
    told = capsys.readouterr().err
    assert ended.value.code == 2 and "a fault in it: KeyError at cli/anonymize.py:" in told
    assert "Traceback" not in told and SSN not in told


def test_in_place_needs_a_backup(note):
    before = note.read_bytes()
    refused = scrubjay("anonymize", note, "--in-place")
    assert refused.returncode == 1 and b"--backup" in refused.stderr
    assert scrubjay("anonymize", note, "--in-place", "--backup", ".orig").returncode == 0
    assert note.with_name("note.txt.orig").read_bytes() == before
    assert SSN.encode() not in note.read_bytes()
    again = scrubjay("anonymize", note, "--in-place", "--backup", ".orig")
    assert again.returncode == 1 and b"exists" in again.stderr
    assert note.with_name("note.txt.orig").read_bytes() == before


def test_two_outputs_of_one_name_are_refused(note, tmp_path):
    done = scrubjay("anonymize", note, "-o", tmp_path / "x", "--report", tmp_path / "x")
    assert done.returncode == 1 and not (tmp_path / "x").exists()


def test_usage_errors_exit_1(note, tmp_path):
    for wrong in (["anonymise"], ["anonymize", note, "-p", "nope"], ["anonymize", "--nope"],
                  ["anonymize", note, note], ["anonymize", note, "--format", "odd"]):  # fmt: skip
        assert scrubjay(*wrong).returncode == 1, wrong


def test_an_unwritable_target(note, tmp_path):
    done = scrubjay("anonymize", note, "-o", "/proc/nope/out.txt")
    assert done.returncode == 2 and b"nothing was written" in done.stderr


def test_a_device_is_written_into_not_replaced(note):
    done = scrubjay("anonymize", note, "-o", "/dev/full")
    assert done.returncode == 2 and b"No space left" in done.stderr
    assert os.path.exists("/dev/full") and not os.path.isfile("/dev/full")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk]).returncode:
        pytest.skip("no mount here")
    try:
        (tmp_path / "big.txt").write_bytes(b"word " * 100_000)
        done = scrubjay("anonymize", tmp_path / "big.txt", "-o", disk / "out.txt")
        assert done.returncode == 2 and b"No space left" in done.stderr, done.stderr
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk])


def test_an_interrupted_run_leaves_the_old_file(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    code = [sys.executable, "-m", "scrubjay", "anonymize", "-", "-o", str(target)]
    run = subprocess.Popen(code, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run.stdin.write(f"SSN {SSN}\n")
    run.stdin.flush()
    time.sleep(1.5)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=20)
    assert run.returncode == 130 and "nothing was written" in told
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]


def test_detect_shows_values_only_when_asked(note):
    plain = scrubjay("detect", note, "--explain")
    assert b"us_ssn" in plain.stdout and SSN.encode() not in plain.stdout
    rows = json.loads(scrubjay("detect", note, "--json", "--show-text").stdout)
    assert [row["text"] for row in rows] == [SSN]
    line = json.loads(scrubjay("detect", note, "--jsonl").stdout)
    assert (line["start"], line["end"], line["label"]) == (5, 16, "SSN")


def test_the_report_says_places_not_values(note, tmp_path):
    scrubjay("anonymize", note, "-o", tmp_path / "out.txt", "--report", tmp_path / "r.jsonl")
    told = (tmp_path / "r.jsonl").read_text()
    assert json.loads(told)["counts"] == {"SSN": 1} and SSN not in told


@pytest.mark.parametrize(
    "words",
    ["policy list", "policy show ccpa", "policy coverage", "labels", "doctor", "completion bash",
     "--version", "--help", "labels --json"],
)  # fmt: skip
def test_commands_that_tell(words):
    done = scrubjay(*words.split())
    assert done.returncode == 0 and done.stdout and b"\x1b[" not in done.stdout


@pytest.mark.parametrize("words", ["people first ada", "audit query", "approvals list"])
def test_what_needs_an_extra_says_which(words, tmp_path):
    """Not a traceback: None in sys.modules is how Python is told that a module is not there."""
    code = (
        "import sys; sys.modules.update(cryptography=None, pyrage=None); import scrubjay.cli as c"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; c.main({words.split()})"], capture_output=True, text=True,
        env={**os.environ, "SCRUBJAY_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1 and "scrubjay[trust]" in done.stderr
    assert "Traceback" not in done.stderr
