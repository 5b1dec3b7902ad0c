"""A folder's run: the same tree, clean; a killed run goes on; one bad file stops nothing else."""

import json
import os
import signal
import subprocess
import sys
import time
from math import comb
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from scrubjay import bound, cli
from scrubjay.detectors import built
from scrubjay.errors import QuarantineError, UsageError
from scrubjay.run.pool import Pool
from scrubjay.run.state import State
from scrubjay.run.walk import Source, Wanted, walk

SSN, MAIL = "536-90-4399", "ann.lee@example.org"
NOTE = f"SSN {SSN}, mail {MAIL}, glucose 5.4 mmol/L.\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/cache").symlink_to(built.cache_folder())  # what is compiled is compiled once
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "in"
    for name in ("a.txt", f"of {MAIL}/b.txt", f"of {MAIL}/c.jsonl", "empty.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"note": NOTE}) + "\n" if name.endswith("jsonl") else NOTE
        (folder / name).write_text("" if name == "empty.txt" else text)
    return tmp_path


def run(*words, fails=None):
    words = ["anonymize", "in", "--profile", "patterns", "-j", "2", *map(str, words)]
    done = CliRunner().invoke(cli.group, words)
    if fails:
        assert isinstance(done.exception, fails), done.exception
    elif done.exception:
        raise done.exception
    return done.output


def files(folder):
    return {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}


def report(place, out="out"):
    return json.loads((place / out / "scrubjay-report.json").read_text())


def test_a_folder_comes_out_clean_with_clean_names(place):
    run("-o", "out")
    got = files(place / "out")
    assert set(got) == {
        "a.txt", "empty.txt", "of [EMAIL 1]/b.txt", "of [EMAIL 1]/c.jsonl",
        "scrubjay-report.html", "scrubjay-report.json",
    }  # fmt: skip
    for path in [*got.values(), *files(place / "home/runs").values()]:
        data = path.read_bytes()
        assert SSN.encode() not in data and MAIL.encode() not in data, path
    assert "5.4 mmol/L" in got["a.txt"].read_text()
    told = report(place)
    assert told["files"] == 4 and told["labels"] == {"EMAIL": 3, "SSN": 3}
    assert told["folders"] == {".": {"EMAIL": 1, "SSN": 1}, "of [EMAIL 1]": {"EMAIL": 2, "SSN": 2}}


def test_a_second_run_does_nothing_and_a_changed_file_is_done_again(place):
    run("-o", "out")
    before = {
        p: p.stat().st_mtime_ns for p in files(place / "out").values() if "report" not in p.name
    }
    assert "0 done now" in run("-o", "out")
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    (place / "in/a.txt").write_text("changed: " + NOTE)
    assert "1 done now" in run("-o", "out")
    assert (place / "out/a.txt").read_text().startswith("changed: SSN [SSN 1]")


def test_what_cannot_be_read_is_on_a_list_and_the_others_are_done(place):
    (place / f"in/{MAIL}.txt").write_bytes(b"x\0")
    (place / "in/link").symlink_to("/etc/passwd")
    os.mkfifo(place / "in/pipe")
    run("-o", "out", fails=QuarantineError)
    told = report(place)
    whys = {row["file"]: row["why"] for row in told["quarantine"]}
    assert set(whys) == {"[EMAIL 1].txt", "link", "pipe"} and "NUL" in whys["[EMAIL 1].txt"]
    assert told["files"] == 4 and not set(whys) & set(files(place / "out"))
    [listed] = (place / "home/runs").glob("*/quarantine.tsv")
    assert f"{MAIL}.txt\tNUL" in listed.read_text()
    (place / f"in/{MAIL}.txt").write_text(NOTE)  # mended, it is done
    run("-o", "out", fails=QuarantineError)
    assert "[EMAIL 1].txt" in files(place / "out")


def test_a_file_that_became_unreadable_leaves_no_old_output(place):
    run("-o", "out")
    (place / "in/a.txt").write_bytes(b"x\0y")
    run("-o", "out", fails=QuarantineError)
    assert "a.txt" not in files(place / "out")


def test_names_that_become_one_are_told_apart(place):
    for mail in ("jo@example.org", "al@example.org"):
        (place / f"in/of {mail}").mkdir()
        (place / f"in/of {mail}/b.txt").write_text(mail)
        (place / f"in/{mail}.txt").write_text(mail)
    run("-o", "out")
    names = set(files(place / "out"))
    assert {"of [EMAIL 1]/b.txt", "of [EMAIL 1] 2/b.txt", "of [EMAIL 1] 3/b.txt"} <= names
    assert {"[EMAIL 1].txt", "[EMAIL 1] 2.txt"} <= names


def test_a_killed_run_goes_on(place):
    for number in range(400):
        (place / f"in/{number:03}.txt").write_text(NOTE * 20)
    command = [sys.executable, "-m", "scrubjay", "anonymize", "in", "-o", "out", "-j", "2",
               "--profile", "patterns"]  # fmt: skip
    process = subprocess.Popen(command, cwd=place, env={**os.environ})
    deadline = time.monotonic() + 60
    while len(list((place / "out").glob("*.txt"))) < 70 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = list((place / "out").glob("*.txt"))
    assert 0 < len(there) < 402
    whole = "SSN [SSN 1], mail [EMAIL 1], glucose 5.4 mmol/L.\n" * 20
    assert all(path.read_text() == whole for path in there if path.name[0] in "0123")
    run("-o", "out")
    told = report(place)
    assert told["files"] == 404 and 0 < told["now"] < 404
    assert len(files(place / "out")) == 406 and not (place / "out/.scrubjay-run").exists()


def test_what_does_not_fit_is_refused(place):
    run("-o", "out")
    with pytest.raises(UsageError, match="another policy"):
        run("-o", "out", "-p", "everything")
    run("-o", "out", "-p", "everything", "--restart")
    (place / "other").mkdir()
    (place / "other/mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        run("-o", "other")
    with pytest.raises(UsageError, match="lies in"):
        run("-o", "in/out")


def test_a_dry_run_writes_nothing_and_patterns_choose(place):
    told = run("--dry-run", "--only", "*.txt", "--skip", "empty*")
    assert "would take 4 identifiers in 2 files" in told
    assert {p.name for p in place.iterdir()} <= {"in", "home"} and not (
        place / "home/runs"
    ).exists()


def test_an_encrypted_run(place):
    pyrage = pytest.importorskip("pyrage")
    key = pyrage.x25519.Identity.generate()
    run("-o", "out", "--encrypt-to", str(key.to_public()), "--manifest")
    data = (place / "out/a.txt.age").read_bytes()
    assert b"SSN [SSN 1]" in pyrage.decrypt(data, [key])
    told = pyrage.decrypt((place / "out/scrubjay-report.json.age").read_bytes(), [key])
    assert json.loads(told)["files"] == 4 and not (place / "out/scrubjay-report.json").exists()
    CliRunner().invoke(cli.group, ["verify", "out"], catch_exceptions=False)


def test_the_log_hears_of_every_file_before_it_is_there(place, monkeypatch):
    pytest.importorskip("apsw")
    (place / "machine.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("SCRUBJAY_KEY_FILE", str(place / "machine.key"))
    for words in (["keys", "init"], ["keys", "add", "h"], ["keys", "add", "h/s"]):
        assert CliRunner().invoke(cli.group, words).exit_code == 0
    (place / "code.toml").write_text('[default]\noperator = "code.v1"\n')
    run("-o", "out", "--domain", "h/s", "-p", "code.toml")
    texts = {p.read_text() for n, p in files(place / "out").items() if n.endswith(".txt")}
    assert len(texts) == 2, "the same codes in every process"
    done = CliRunner().invoke(cli.group, ["audit", "query", "--action", "anonymize"])
    entries = [json.loads(line) for line in done.output.splitlines()]
    assert len(entries) == 4 and all(e["input"] and e["output"] for e in entries)


def test_walk_is_in_order_and_follows_nothing(tmp_path):
    for name in ("b/2", "b/1", "a", "c/d/e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "c/loop").symlink_to(tmp_path)
    found = list(walk(tmp_path))
    assert [s.name for s in found] == ["a", "b/1", "b/2", "c/d/e", "c/loop"]
    assert [bool(s.problem) for s in found] == [False] * 4 + [True]
    assert [s.name for s in walk(tmp_path, Wanted(["b/*"], ["*2"]))] == ["b/1"]


def _answers():
    def answer(task):
        if task == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        if task == 9:
            time.sleep(60)
        return task * 2

    return answer


def test_a_pool_outlives_its_processes_and_keeps_the_order():
    pool = Pool(_answers, lambda task, why: why, lambda task: 0.5, size=2)
    got = list(pool.map(range(100)))
    pool.close()
    want = [2 * n for n in range(100)]
    want[5], want[9] = "its reader died", "took too long"
    assert got == want


def test_claims_are_the_same_after_a_restart(tmp_path):
    names = [("x/1.txt", "p/n.txt"), ("y/2.txt", "p/n.txt"), ("x/3.txt", "p/n.txt"), ("z", "p")]
    state = State(tmp_path, tmp_path / "out", "r")
    first = [state.claim(*pair) for pair in names]
    assert first == ["p/n.txt", "p 2/n.txt", "p/n 2.txt", "p 3"]
    state.close()
    again = State(tmp_path, tmp_path / "out", "r")
    assert [again.claim(*pair) for pair in reversed(names)] == first[::-1]
    assert again.target(Source(Path("x"), "x/1.txt")) == ""


@given(st.integers(1, 60), st.data())
def test_bounds_cover(of, data):
    hits = data.draw(st.integers(0, of))
    share = data.draw(st.floats(0.001, 0.999))
    exact = sum(comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(hits + 1))
    assert bound.below(hits, of, share) == pytest.approx(exact, abs=1e-9)
    low, high = bound.bounds(hits, of)
    assert low <= hits / of <= high
    if 0 < hits < of:
        assert bound.below(hits, of, high) == pytest.approx(0.025, abs=1e-6)


def test_no_hit_in_300_is_the_rule_of_three():
    assert bound.upper(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300))


def review(*words, answers=""):
    words = ["review", *map(str, words)]
    return CliRunner().invoke(cli.group, words, input=answers, catch_exceptions=False).output


def test_a_review_bounds_what_is_left(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.txt").write_text("word " * 800)
    (tmp_path / "out/b.jsonl").write_text('{"note": "some more"}\n')
    marks = tmp_path / "marks"
    told = review(tmp_path / "out", "--marks", marks, "--seed", 7, answers="\n3\nx\n1\nq\n")
    assert "4 left in 163 words of 3 passages" in told and "some more" not in marks.read_text()
    told = review(tmp_path / "out", "--marks", marks, "--seed", 7, answers="\n" * 20)
    most = 1e4 * bound.upper(4, 803)
    assert f"4 left in 803 words of 11 passages: at most {most:.1f} in 10,000" in told
