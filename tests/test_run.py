"""A folder's run: the same tree, clean; a killed run goes on; one bad file stops nothing else."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from scrubjay import cli
from scrubjay.cli import folders
from scrubjay.cli.progress import Progress
from scrubjay.detectors import built
from scrubjay.errors import InputError, OutputError, QuarantineError, UsageError
from scrubjay.formats.text import Text
from scrubjay.formats.work import Part
from scrubjay.run import folder as runs
from scrubjay.run import state as states
from scrubjay.run import worker as workers
from scrubjay.run.pool import Pool
from scrubjay.run.state import State
from scrubjay.run.walk import Source, Wanted, walk
from scrubjay.types import Document

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
    for number in range(2000):
        (place / f"in/{number:03}.txt").write_text(NOTE * 20)
    command = [sys.executable, "-m", "scrubjay", "anonymize", "in", "-o", "out", "-j", "2",
               "--profile", "patterns"]  # fmt: skip
    process = subprocess.Popen(command, cwd=place, env={**os.environ})
    _until(lambda: len(list((place / "out").glob("*.txt"))) > runs.TOGETHER)  # the first are noted
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = list((place / "out").glob("*.txt"))
    assert 0 < len(there) < 2002
    whole = "SSN [SSN 1], mail [EMAIL 1], glucose 5.4 mmol/L.\n" * 20
    assert all(path.read_text() == whole for path in there if path.name[0].isdigit())
    run("-o", "out")
    told = report(place)
    assert told["files"] == 2004 and 0 < told["now"] < 2004
    assert len(files(place / "out")) == 2006 and not (place / "out/.scrubjay-run").exists()


def test_a_run_that_is_told_to_end_tidies_up_and_goes_on(place):
    for number in range(400):
        (place / f"in/{number:03}.txt").write_text(NOTE * 20)
    command = [sys.executable, "-m", "scrubjay", "anonymize", "in", "-o", "out", "-j", "2",
               "--profile", "patterns"]  # fmt: skip
    process = subprocess.Popen(command, cwd=place, start_new_session=True)
    _until(lambda: len(list((place / "out").glob("*.txt"))) >= 64)
    os.killpg(process.pid, signal.SIGTERM)  # as a service is ended: its workers hear it, too
    assert process.wait() == 130
    assert not (place / "out/.scrubjay-run").exists()
    assert "quarantine" not in run("-o", "out") and report(place)["files"] == 404


def test_one_of_each_200_files_is_drawn_and_the_same_when_the_run_goes_on():
    def drawn(seed, count):
        dice = random.Random(seed)
        return [s for s, look in runs._drawn(map(str, range(count)), dice) if look]

    assert [int(name) // 200 for name in drawn(b"a", 450)] == [0, 1, 2]
    assert drawn(b"a", 450) == drawn(b"a", 450) != drawn(b"b", 450)
    assert len(drawn(b"a", 3)) == 1 and drawn(b"a", 0) == []


def test_the_second_look_reads_what_was_drawn(place):
    run("-o", "out", "--skip", "empty.txt")
    assert 0 < report(place)["look"]["words"] < 18, "of one note, whichever it was"


def test_what_earlier_runs_did_is_not_waited_for(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress(1000)
    monkeypatch.setattr(time, "monotonic", lambda: progress._started + 10)
    progress.skip(900)
    progress.add(50)
    assert " 50% " in capsys.readouterr().err


def _dies(step):
    """The command, in a process that is killed where it comes to this step."""
    if process := os.fork():
        return os.waitpid(process, 0)[1]
    owner, name, after = step
    real = getattr(owner, name)

    def last(*words):
        if after:
            real(*words)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, last)
    try:
        run("-o", "out")
    finally:
        os._exit(0)


def test_a_run_that_is_killed_at_any_step_gives_what_it_would_have_given(place, monkeypatch):
    for number in range(3):
        (place / f"in/{number}{MAIL}.txt").write_text(NOTE)
    monkeypatch.setattr(runs, "SOON", 60.0)
    steps = [
        (State, "claim", True), (folders, "_log", False), (folders, "_log", True),
        (runs, "_show", True), (State, "note", False), (State, "note", True),
    ]  # fmt: skip
    for step in steps:
        assert _dies(step) == signal.SIGKILL, step
        shown = {n for n in files(place / "out") if not n.startswith(".scrubjay-run/")}
        assert len(shown) == (7 if step[0:2] == (runs, "_show") or step[1] == "note" else 0), step
        hidden = place / "out/.scrubjay-run"
        assert hidden.stat().st_mode & 0o77 == 0
    assert "7 done now" in run("-o", "out")
    got = {name: path.read_bytes() for name, path in files(place / "out").items()}
    (place / "out").rename(place / "before")
    (place / "home/runs").rename(place / "home/other")
    run("-o", "out")
    want = {name: path.read_bytes() for name, path in files(place / "out").items()}
    assert got.keys() == want.keys()
    assert all(got[name] == want[name] for name in got if "report" not in name)


def test_a_file_that_changes_while_it_is_read_is_on_the_list(place, monkeypatch):
    real = Text.convert

    def convert(self, source, target, work):
        real(self, source, target, work)
        if source.name.endswith("in/a.txt"):
            os.utime(source.name, (1, 1))
        if source.name.endswith("in/empty.txt"):
            os.kill(os.getppid(), signal.SIGINT)

    monkeypatch.setattr(Text, "convert", convert)
    (place / "in/empty.txt").rename(place / "none")
    run("-o", "out", fails=QuarantineError)
    [row] = report(place)["quarantine"]
    assert row["file"] == "a.txt" and "changed while it was read" in row["why"]
    (place / "none").rename(place / "in/empty.txt")
    done = CliRunner().invoke(cli.group, ["anonymize", "in", "--profile", "patterns", "-o", "out"])
    assert done.exit_code == 130 and "goes on from here" in done.output
    assert not (place / "out/.scrubjay-run").exists()


def test_a_file_that_wants_too_much_memory_is_on_the_list(place, monkeypatch):
    real = Text.convert

    def convert(self, source, target, work):
        if source.name.endswith("in/a.txt"):
            bytearray(1 << 30)
        if source.name.endswith("b.txt"):
            os.kill(os.getpid(), signal.SIGKILL)
        real(self, source, target, work)

    monkeypatch.setattr(Text, "convert", convert)
    monkeypatch.setattr(workers, "MEMORY", 500 << 20)
    run("-o", "out", fails=QuarantineError)
    whys = {row["file"].rpartition("/")[2]: row["why"] for row in report(place)["quarantine"]}
    assert len(whys) == 2 and whys["a.txt"] == "its reader needs more than 500 MiB"
    assert "its reader died" in whys.values() and report(place)["files"] == 2


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
    assert again.target(Source("x", "x/1.txt")) == ""
    again.close()


def test_a_folder_and_a_file_of_one_name_and_names_that_differ_by_case(tmp_path):
    state = State(tmp_path, tmp_path / "out", "r")
    told = [state.claim(name, name) for name in ("x/1", "x", "a", "A", "\u00c9", "e\u0301")]
    assert told == ["x/1", "x 2", "a", "A 2", "\u00c9", "e\u0301 2"]
    with pytest.raises(KeyError), state.whole():
        state.claim("y/1", "y/1")
        raise KeyError
    assert state.claim("z/1", "y/1") == "y/1", "what was not kept is nobody's"
    started = time.process_time()
    names = {state.claim(f"n{number}", "[PERSON].txt") for number in range(5000)}
    assert len(names) == 5000 and time.process_time() - started < 2
    state.close()


def test_one_run_at_a_time(place, monkeypatch):
    monkeypatch.setattr(states, "PATIENCE", 0.1)
    folder = states.folder(place / "out")
    first = State(folder, place / "out", "r")
    with pytest.raises(UsageError, match="another run into out is going on"):
        run("-o", "out")
    first.close()


def test_what_stays_of_an_earlier_policy_or_an_encrypted_run(place):
    key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    pytest.importorskip("pyrage")
    run("-o", "out", "--encrypt-to", key)
    (place / "in/a.txt").write_bytes(b"x\0y")
    (place / "in/empty.txt").unlink()
    run("-o", "out", "--encrypt-to", key, fails=QuarantineError)
    assert "a.txt.age" not in files(place / "out") and "empty.txt.age" in files(place / "out")
    (place / "in/a.txt").unlink()  # taken out by hand: the list ends
    told = run("-o", "out", "--encrypt-to", key)
    assert "1 output of what was not among the inputs" in told
    run("-o", "out", "--restart")
    assert set(files(place / "out")) == {
        "of [EMAIL 1]/b.txt", "of [EMAIL 1]/c.jsonl", "scrubjay-report.json",
        "scrubjay-report.html", "scrubjay-report.json.age", "scrubjay-report.html.age",
    }  # fmt: skip


def test_inputs_that_would_be_lost_or_mixed(place):
    for name in ("one/x", "two/x"):
        (place / name).mkdir(parents=True)
        (place / name / "a.txt").write_text(NOTE)
    (place / "no[1].txt").write_text(NOTE)

    def refused(match, *words):
        done = CliRunner().invoke(cli.group, ["anonymize", *words, "--profile", "patterns"])
        assert isinstance(done.exception, UsageError), done.exception
        assert match in str(done.exception)

    refused("two inputs are named x", "one/x", "two/x", "-o", "out")
    refused("no such file", "in", "nothing.txt", "-o", "out")
    refused("lies in", "in", "-o", ".")
    refused("keys are no documents", ".", "-o", str(place.parent / f"{place.name}-out"))
    refused("not for who gets that", "in", "-o", "home")
    refused("unknown encoding", "in", "-o", "out", "--encoding", "utf-9")
    run("no[1].txt", "-o", "out2")
    assert "no[1].txt" in files(place / "out2") and "in/a.txt" in files(place / "out2")


def test_names_on_the_list_are_a_line_each_and_move_no_cursor(place):
    (place / "in/x\n\x1b[2Jy\udcff.txt").write_bytes(b"\0")
    told = run("-o", "out", fails=QuarantineError)
    [listed] = (place / "home/runs").glob("*/quarantine.tsv")
    assert listed.read_text().splitlines() == [
        "x\\n\\x1b[2Jy\\udcff.txt\tNUL character at 0: no text, and no reader for this kind of file"
    ]
    assert "\x1b" not in told
    assert [row["file"] for row in report(place)["quarantine"]] == ["x_[2Jy\ufffd.txt"]


class _Lines(Text):
    """Lines that can be cut."""

    def parts(self, source, size):
        for number, line in enumerate(source):
            yield Part(line, number)
        if "torn" in source.name:
            raise InputError("torn")

    def convert_part(self, part, target, work):
        if part.data == b"die\n":
            os.kill(os.getpid(), signal.SIGKILL)
        raws = list(Path(os.environ["SCRUBJAY_HOME"]).glob("runs/*/parts/*.part"))
        assert raws and not list(Path("out").rglob("*.part")), "raw parts lie with the state"
        [result] = work.clean([Document(part.data.decode())])
        target.write(result.text.encode())


def test_ids_agree_in_all_files_whatever_process_did_them(place):
    for number in range(8):
        patient = {"resourceType": "Patient", "id": f"p-{number}"}
        about = {"reference": f"Patient/p-{number}"}
        seen = {"resourceType": "Condition", "id": "c-1", "subject": about}
        (place / f"in/a{number}.json").write_text(json.dumps(patient))
        (place / f"in/b{number}.json").write_text(json.dumps(seen))
    told = []
    for out in ("one", "two"):
        run("-o", out, "-p", "everything")
        rows = [json.loads(p.read_text()) for p in sorted((place / out).glob("*.json"))][:16]
        told.append([row["id"] for row in rows if row["resourceType"] == "Patient"])
        about = [row["subject"]["reference"] for row in rows if "subject" in row]
        assert about == [f"Patient/{new}" for new in told[-1]] and len(set(about)) == 8
        assert len({row["id"] for row in rows if "subject" in row}) == 1
    assert not set(told[0]) & set(told[1])  # the key ended with its run


def test_a_large_file_in_parts(place, monkeypatch):
    monkeypatch.setattr(runs, "LARGE", 10)
    monkeypatch.setattr(runs.formats, "make", lambda name, **_: _Lines(name, "utf-8", ""))
    for path in files(place / "in").values():
        path.unlink()
    lines = [f"{number}: {NOTE}" for number in range(300)]
    (place / "in/big.log").write_text("".join(lines))
    (place / "in/dead.log").write_text("".join([*lines[:20], "die\n", *lines[:20]]))
    (place / "in/torn.log").write_text("".join(lines[:20]))
    run("-o", "out", "--manifest", fails=QuarantineError)
    want = "".join(f"{n}: SSN [SSN 1], mail [EMAIL 1], glucose 5.4 mmol/L.\n" for n in range(300))
    assert (place / "out/big.log").read_text() == want
    told = report(place)
    whys = {row["file"]: row["why"] for row in told["quarantine"]}
    assert whys == {"dead.log": "its reader died", "torn.log": "torn"}
    assert told["labels"] == {"SSN": 300, "EMAIL": 300} and told["written"] == len(want)
    assert not list((place / "home/runs").rglob("*.part"))
    assert CliRunner().invoke(cli.group, ["verify", "out"]).exit_code == 0


def test_parts_give_what_the_whole_gives(place, monkeypatch):
    (place / "in/a.log").write_text(NOTE * 90)
    (place / "in/b.jsonl").write_text((json.dumps({"note": NOTE}) + "\n") * 90)
    (place / "in/c.csv").write_text("id,note\n" + f'1,"{NOTE}"\n' * 90)
    run("-o", "whole")
    monkeypatch.setattr(runs, "LARGE", 10)
    monkeypatch.setattr(runs, "PART", 500)
    run("-o", "parts")
    for name in ("a.log", "b.jsonl", "c.csv", "a.txt"):
        assert (place / "parts" / name).read_bytes() == (place / "whole" / name).read_bytes(), name


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk_stops_the_run_and_blames_no_file(place):
    (place / "out").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", "out"]).returncode:
        pytest.skip("no mount here")
    try:
        (place / "in/big.txt").write_text("word " * 100_000)
        run("-o", "out", fails=OutputError)
        [listed] = (place / "home/runs").glob("*/quarantine.tsv")
        assert listed.read_text() == "" and "big.txt" not in files(place / "out")
        (place / "in/big.txt").unlink()
        assert "in 4 files" in run("-o", "out")
    finally:
        subprocess.run(["umount", "out"])


def test_a_pool_whose_processes_cannot_begin_says_so():
    def make():
        raise OutputError("no")

    pool = Pool(make, lambda task, why: why, lambda task: 9.0, size=2)
    with pytest.raises(OutputError, match="no"):
        list(pool.map(range(5)))
    pool.close()


def test_processes_end_with_a_parent_that_is_killed(tmp_path):
    code = (
        "import os, time\n"
        "from pathlib import Path\n"
        "from scrubjay.run.pool import Pool\n"
        "def stuck(task):\n"
        "    Path(f'{task}.pid').write_text(str(os.getpid())); time.sleep(600)\n"
        "list(Pool(lambda: stuck, None, lambda task: 900.0, size=2).map([1, 2]))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    _until(lambda: sum(path.stat().st_size > 0 for path in tmp_path.glob("*.pid")) == 2)
    parent.kill()
    parent.wait()
    ids = [path.read_text() for path in tmp_path.glob("*.pid")]
    _until(lambda: not any(_lives(one) for one in ids))


def _lives(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until(done):
    until = time.monotonic() + 30
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)
