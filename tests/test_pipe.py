"""Lines go through a pipe in order, at once, clean or refused; none is lost or passes as it is."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from click.testing import CliRunner

from scrubjay import cli, pipe
from scrubjay.engine import load
from scrubjay.errors import UsageError, VaultError
from scrubjay.operators import ledger

LINE = "login of ann.lee@example.org from 203.0.113.7"
CLEAN = "login of [EMAIL 1] from [IP 1]"
INNER = {"n": [1, {"mail": "[EMAIL 1]"}], "of": '{"ip":"[IP 1]"}'}


@pytest.fixture(scope="module")
def engine():
    return load(profile="patterns")


@pytest.fixture
def piped():
    """`scrubjay pipe` as people run it, killed at the end if it still is."""
    started = []

    def start(*words):
        command = [sys.executable, "-m", "scrubjay", "pipe", "--profile", "patterns", *words]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_each_line_goes_out_at_once_and_a_signal_loses_none(piped):
    process = piped()
    process.stdin.write(f"{LINE}\n".encode())
    process.stdin.flush()
    assert process.stdout.readline() == f"{CLEAN}\n".encode()
    more = [f"{number} SSN 536-90-{number:04}" for number in range(1000, 1400)]
    process.stdin.write("\n".join([*more, "a last one without an end"]).encode())
    process.stdin.flush()
    process.send_signal(signal.SIGTERM)
    out, err = process.stdout.read().decode().split("\n"), process.stderr.read()
    assert out == [*(f"{number} SSN [SSN 1]" for number in range(1000, 1400)), out[-1]]
    assert out[-1] == "a last one without an end"
    assert b"402 lines, 0 refused" in err and b"SSN 400" in err and process.wait(20) == 0


def test_what_cannot_be_cleaned_never_goes_through(piped):
    lines = [LINE.encode(), b"\xff ann.lee@example.org", b"a\0b", b"", b"x" * (2 << 20), b"end"]
    out, err = piped().communicate(b"\n".join(lines) + b"\n")
    refused = pipe.REFUSED.encode()
    assert out.split(b"\n") == [CLEAN.encode(), refused, refused, b"", refused, b"end", b""]
    assert b"6 lines, 3 refused" in err and b"lee" not in err


def test_a_reader_who_goes_away_ends_it_quietly(piped):
    process = piped()
    process.stdout.close()
    with pytest.raises(BrokenPipeError):
        for _ in range(100):
            process.stdin.write(b"a line\n" * 1000)
            process.stdin.flush()
            time.sleep(0.02)
    assert process.wait(20) == 0 and b"Traceback" not in process.stderr.read()


def test_a_slow_reader_gets_every_line_in_order(piped):
    process = piped("-q")
    count = 20_000
    if os.fork() == 0:
        process.stdin.write(b"".join(b"%d\n" % number for number in range(count)))
        process.stdin.flush()
        os._exit(0)
    process.stdin.close()
    process.stdin = None
    time.sleep(0.5)
    assert process.stdout.read().split() == [b"%d" % number for number in range(count)]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            (),
            {"log": CLEAN, "at": "2024", "n": [1, {"mail": "[EMAIL 1]"}], "of": '{"ip":"[IP 1]"}'},
        ),
        (("log",), {"log": CLEAN, "at": "2024-03-04"}),
        (("n", "of"), {"n": [1, {"mail": "[EMAIL 1]"}], "of": '{"ip":"[IP 1]"}', "log": LINE}),
    ],
)
def test_records_are_cleaned_as_json_in_all_or_some_fields(engine, fields, told):
    record = {"log": LINE, "at": "2024-03-04", "n": [1, {"mail": "ann.lee@example.org"}]}
    record["of"] = '{"ip":"203.0.113.7"}'
    cleaner = pipe.records(engine, fields)
    [out] = cleaner([json.dumps(record).encode()])
    found = json.loads(out)
    assert found.keys() == record.keys() and told.items() <= found.items()


@pytest.mark.parametrize("fields", [(), ("log",)])
def test_a_bad_record_is_refused_alone_and_as_a_record(engine, fields):
    bad = [b"ann.lee@example.org", b'{"log": "a', b"[" * 5000, b'{"log": "\\ud800"}', b'"\xff"']
    cleaner = pipe.records(engine, fields)
    good = json.dumps({"log": LINE}).encode()
    first, *told, blank, last = cleaner([good, *bad, b"", good])
    assert first == last and json.loads(last) == {"log": CLEAN} and blank == b""
    refused = {fields[0] if fields else pipe.REFUSED_UNDER: pipe.REFUSED}
    assert [json.loads(each) for each in told] == [refused] * 5
    assert (cleaner.lines, cleaner.refused, cleaner.seen.found["EMAIL"]) == (8, 5, 2)


def test_records_stay_in_step_however_they_are_batched(engine):
    record = b'{"log": "SSN 536-90-4399", "m": "x\\ny"}'
    cleaner = pipe.records(engine)
    assert cleaner([record] * 3) == cleaner([record]) * 3 and cleaner([]) == []


def test_a_fault_in_one_line_refuses_that_line(engine):
    def clean(lines, _):
        if b"bad" in lines:
            raise ZeroDivisionError
        return [line.upper() for line in lines]

    assert pipe.Cleaner(clean, "no")([b"a", b"bad", None, b"c"]) == [b"A", b"no", b"no", b"C"]


def test_what_no_line_can_pass_ends_it():
    def clean(lines, _):
        raise VaultError("the vault is gone")

    with pytest.raises(VaultError):
        pipe.Cleaner(clean, "no")([b"a", b"b"])


def test_lines_are_cut_alike_wherever_what_comes_is_cut():
    whole = b"a\n\nbcdefg\n\xc3\xa9h\r\n" + b"x" * 50 + b"\nlast"
    for size in (1, 2, 3, 7, len(whole)):
        lines = pipe.Lines(longest=20)
        cut = [whole[at : at + size] for at in range(0, len(whole), size)]
        told = [line for part in cut for line in lines.more(part)] + lines.rest()
        assert told == [b"a", b"", b"bcdefg", b"\xc3\xa9h\r", None, b"last"]


def test_a_name_has_one_surrogate_in_all_of_a_run(tmp_path):
    policy = tmp_path / "p.toml"
    policy.write_text('[default]\noperator = "surrogate.v1"\n')
    cleaner = pipe.texts(load(policy, profile="patterns"), "utf-8")
    told = [cleaner([f"{n} Call 555-010-7788, Mr. Quentin Quarles".encode()]) for n in range(20)]
    assert len({line.partition(b" ")[2] for [line] in told}) == 1 and b"Quarles" not in told[0][0]


def test_a_pipe_without_end_remembers_so_many_surrogates_and_draws_the_same_again(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(ledger, "ENDLESS", 100)
    policy = tmp_path / "p.toml"
    policy.write_text('[default]\noperator = "surrogate.v1"\n')
    engine = load(policy, profile="patterns").endless()
    cleaner = pipe.texts(engine, "utf-8")
    lines = [b"SSN 536-90-%d" % number for number in range(1000, 1300)]
    told = [cleaner([line])[0] for line in lines]
    assert len(engine._memory["surrogate.ledger"]._rows) <= 100 and len(set(told)) == 300
    assert cleaner([lines[0]]) == [told[0]]
    [one] = cleaner([b"; ".join(lines)])  # within a line nothing is forgotten
    assert len(set(one.split(b"; "))) == 300


@pytest.mark.parametrize(
    "words", ["--encoding utf-16", "--field log", "--key-file a --domain b/c", "-p nothing.toml"]
)
def test_what_does_not_go_together_is_refused_before_a_line_is_read(words):
    with pytest.raises(UsageError):
        CliRunner().invoke(cli.group, ["pipe", *words.split()], catch_exceptions=False)


def test_the_log_hears_before_the_first_line_goes_out(tmp_path, monkeypatch, piped):
    pytest.importorskip("apsw")
    from scrubjay.detectors import built

    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").symlink_to(built.cache_folder())
    (tmp_path / "machine.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCRUBJAY_KEY_FILE", str(tmp_path / "machine.key"))
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    assert run.invoke(cli.group, ["keys", "init"]).exit_code == 0
    process = piped()
    process.stdin.write(f"{LINE}\n".encode())
    process.stdin.flush()
    process.stdout.readline()

    def logged():
        told = run.invoke(cli.group, ["audit", "query", "--action", "anonymize"]).output
        return [json.loads(line) for line in told.splitlines() if line.startswith("{")]

    counts = {"EMAIL": 1, "IP": 1}
    assert [one["counts"] for one in logged()] == [counts]
    process.communicate(f"{LINE}\n{LINE}\n".encode())
    assert sum((Counter(one["counts"]) for one in logged()), Counter())["IP"] == 3
