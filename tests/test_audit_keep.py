"""The log over its life: runs that fail, holds, forgetting, witnesses, and after a loss."""

import copy
import io
import json
import shutil
from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner

for needed in ("cryptography", "apsw", "pyrage"):
    pytest.importorskip(needed)

import pyrage  # noqa: E402
from audit_world import ENTRY, World, private  # noqa: E402

from scrubjay import cli, trust  # noqa: E402
from scrubjay.audit import note  # noqa: E402
from scrubjay.cli import files  # noqa: E402
from scrubjay.errors import AccessError, AuditError, InputError, UsageError  # noqa: E402

NOTE = "Call 555-010-7788, mail ann.lee@example.org.\n"
WHY = ("--reason", "as the court wants it")


def run(*words, **how):
    done = CliRunner().invoke(cli.group, [*map(str, words)], catch_exceptions=False, **how)
    assert done.exit_code == 0, done.output
    return done.output


def entries(**wanted):
    options = [word for name, value in wanted.items() for word in (f"--{name}", value)]
    return [json.loads(line) for line in run("audit", "query", *options).splitlines()]


def anonymize(*words, **how):
    return run("anonymize", "-q", "--profile", "patterns", *words, **how)


@pytest.fixture
def home(tmp_path, monkeypatch, tmp_path_factory):
    (tmp_path / "home").mkdir()
    compiled = tmp_path_factory.getbasetemp() / "compiled"  # once for all of them
    compiled.mkdir(exist_ok=True)
    (tmp_path / "home/cache").symlink_to(compiled)
    (tmp_path / "machine.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCRUBJAY_KEY_FILE", str(tmp_path / "machine.key"))
    monkeypatch.chdir(tmp_path)
    told = run("keys", "init")
    (tmp_path / "auditor.key").write_text(told.splitlines()[-1])
    (tmp_path / "a.txt").write_text(NOTE)
    return tmp_path / "home"


# Runs


def test_what_was_read_is_digested_from_a_file_and_from_a_pipe(home, tmp_path):
    (tmp_path / "b.txt").write_text(NOTE + "nobody\n")
    anonymize("a.txt", "b.txt", "-o", "out", "--report", "out/r.jsonl")
    anonymize("-", "-o", "c.txt", input=NOTE)
    *two, report, piped = [entry.get("input", "") for entry in entries(action="anonymize")]
    assert two[0] == piped != two[1] and report == ""
    assert entries(action="keys.init")[0]["outcome"] == "done"


def test_a_stream_that_is_read_once_is_hashed_as_it_is_read():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    whole = files.Digested(io.BytesIO(NOTE.encode()))
    once = files.Digested(Pipe(NOTE.encode()))
    assert once.stream.read(4) + once.stream.readline() == whole.stream.read()
    assert once.hexdigest() == whole.hexdigest()


def raising(problem):
    def fail(*_, **__):
        raise problem

    return fail


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), InputError("x"), MemoryError()])
def test_a_run_that_was_announced_and_fails_is_in_the_log(home, monkeypatch, problem):
    monkeypatch.setattr(files.Outputs, "_release", raising(problem))
    with pytest.raises((type(problem), click.Abort)):
        CliRunner().invoke(
            cli.group, ["anonymize", "a.txt", "-o", "b.txt", "--profile", "patterns"],
            catch_exceptions=False, standalone_mode=False,
        )  # fmt: skip
    monkeypatch.undo()
    monkeypatch.setenv("SCRUBJAY_HOME", str(home))
    monkeypatch.setenv("SCRUBJAY_KEY_FILE", str(home.parent / "machine.key"))
    done, failed = entries(action="anonymize")
    assert (done["outcome"], failed["outcome"]) == ("done", "failed")
    assert failed["about"] in ("KeyboardInterrupt", "input", "MemoryError")
    assert not (home.parent / "b.txt").exists()


def test_a_run_that_never_came_to_be_announced_is_too(home, tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError):
        anonymize("bad.txt", "-o", "b.txt")
    with pytest.raises(AccessError, match="register them first"):
        run("reveal", "P-1", "--domain", "a/b", "--approval", "x")
    assert [entry["outcome"] for entry in entries(action="anonymize")] == ["failed"]
    assert [entry["outcome"] for entry in entries(action="reveal")] == ["refused"]
    run("people", "first", "ada")
    with pytest.raises(AccessError, match="not known here"):
        anonymize("a.txt", "-o", "b.txt")


# Keeping and forgetting


def test_old_entries_go_but_those_on_hold(home, monkeypatch):
    for subject in ("P-1", "P-2"):
        run("audit", "disclose", subject, "--recipient", "Dr X", "--about", "labs", *WHY)
    run("audit", "hold", "P-1", *WHY)
    assert "P-1  since 2" in run("audit", "holds")
    assert run("audit", "forget") == "0 entries forgotten\n"
    later = datetime.now(UTC).replace(year=datetime.now(UTC).year + 8, day=1)
    monkeypatch.setattr(trust, "_now", lambda: later)
    assert CliRunner().invoke(cli.group, ["audit", "forget", "--years", "5"]).exit_code
    assert run("audit", "forget") == "2 entries forgotten\n", "the vault's first, and P-2's"
    subjects = [entry.get("subject") for entry in entries()]
    assert "P-1" in subjects and "P-2" not in subjects
    assert entries(action="audit.forget")[0]["counts"] == {"entries": 2}
    run("audit", "release", "P-1", *WHY)
    with pytest.raises(UsageError, match="no hold"):
        run("audit", "release", "P-1", *WHY)
    assert run("audit", "verify", "--identity", "auditor.key").startswith("whole")


def test_disclosures_and_reviews_are_noted(home):
    run("audit", "disclose", "P-1", "--recipient", "Dr X", "--about", "labs", *WHY)
    assert json.loads(run("audit", "disclosures", "P-1"))["recipient"] == "Dr X"
    assert run("audit", "reviewed", *WHY) == "" and entries(action="review-log")


def test_witnesses_are_asked_and_believed_by_name(home, tmp_path):
    witness = note.Signer("witness.example", private(9))
    data = run("audit", "checkpoint").encode()
    line = witness.cosign(note.parse(data).text, 1_800_000_000)
    (tmp_path / "back").write_bytes(data + str(line).encode())
    assert "kept" in run("audit", "witness", "back", "--witness", witness.witness)
    assert "witnessed: the first 1" in run("audit", "verify", "--witness", witness.witness)
    other = note.Signer("other.example", private(8)).witness
    with pytest.raises(AuditError, match="no witness's"):
        run("audit", "witness", "back", "--witness", other)


# After a loss


@pytest.fixture
def backup(home, tmp_path):
    """A backup; after it the vault had a tenant and the log 300 entries more."""
    key = pyrage.x25519.Identity.generate()
    (tmp_path / "id").write_text(str(key))
    run("keys", "export", "-o", "backup.age", "-r", key.to_public())
    run("keys", "add", "hospital")
    told = trusted(home)
    told.tell("x", "y", [ENTRY] * 300)
    told.close()
    told.vault.close()
    run("audit", "verify")
    return home


def trusted(home):
    from scrubjay.vault import slots
    from scrubjay.vault.vault import Vault

    return trust.Trust(
        home, Vault.open(home / "vault", slots.key_file(home.parent / "machine.key"))
    )


def lose(*paths):
    for path in paths:
        shutil.rmtree(path)


def put_back():
    return run("keys", "import", "backup.age", "-i", "id")


def test_a_vault_that_is_put_back_goes_on_with_its_log(backup):
    """What was logged since is not lost; what opens it is, from the second row of keys on."""
    lose(backup / "vault")
    assert "entries 256 to 302 came after the backup: none can be read" in put_back()
    assert run("audit", "verify", "--identity", "auditor.key").startswith("whole: 304 entries")
    assert len(entries(action="x")) == 256 - 3
    [entry] = entries(action="keys.import")
    assert entry["number"] == 303 and "backup" in entry["about"]
    assert "hospital" not in run("keys", "show")


def test_a_log_that_is_gone_with_its_vault_begins_again_and_says_so(backup, tmp_path):
    before = run("audit", "key")
    old = tmp_path / "kept"
    shutil.copytree(backup / "audit", old)
    lose(backup / "vault", backup / "audit", backup / "audit-state")
    assert "another begins" in put_back()
    first = entries()[0]
    assert first["action"] == "audit.renew" and "of which 303 " in first["about"]
    assert run("audit", "key") != before, "another name: no fork of the one before"
    assert run("audit", "verify", "--identity", "auditor.key").startswith("whole: 2 entries")
    assert "whole: 303" in run("audit", "verify", old, "--log-key", before.strip(), "--seen", "s")


def test_a_log_of_which_half_is_left_is_renewed_by_hand(backup):
    with pytest.raises(UsageError, match="nothing was done"):
        run("audit", "renew", *WHY)
    lose(backup / "vault", backup / "audit-state")
    with pytest.raises(AuditError, match="scrubjay audit renew"):
        put_back()
    with pytest.raises(AuditError, match="is missing"):
        run("keys", "show")
    run("audit", "renew", *WHY)
    assert "whose last head was 303 " in entries()[0]["about"]
    assert len(list(backup.glob("audit-before-*"))) == 1 and run("keys", "show")


def test_a_log_older_than_its_vault_is_told(backup, tmp_path):
    key = (tmp_path / "id").read_text()
    public = str(pyrage.x25519.Identity.from_str(key).to_public())
    kept = {name: tmp_path / f"old-{name}" for name in (trust.LOG, trust.STATE)}
    for name, path in kept.items():
        shutil.copytree(backup / name, path)
    told = trusted(backup)
    told.tell("x", "y", [ENTRY] * 600)
    told.close()
    told.vault.close()
    (tmp_path / "backup.age").unlink()
    run("keys", "export", "-o", "backup.age", "-r", public)
    lose(backup / "vault", *(backup / name for name in kept))
    for name, path in kept.items():
        shutil.copytree(path, backup / name)
    assert "the vault knows of 768 entries or more, the log has 303" in put_back()


def test_keys_that_an_older_store_lacks_are_gone_and_no_entry_is_in_the_way():
    world = World()
    made = world.create()
    made.append([ENTRY] * 100)
    older = copy.copy(world.store._rows["audit/audit.example/ward"])
    made.append([ENTRY] * 500)
    made.publish()
    world.store._rows["audit/audit.example/ward"] = older
    again = world.open()
    assert again.rows() == 1 and again.append([ENTRY] * 300) == range(600, 900)
    again.publish()
    readable = [bool(item.entry) for item in world.read()]
    assert readable == [True] * 256 + [False] * 344 + [True] * 300
    assert world.verify().head == again.head
