"""Where there is a vault: what was not logged is not released, nobody does what they may not."""

import json
import os
import shutil
from datetime import timedelta

import pytest
from click.testing import CliRunner

for needed in ("cryptography", "apsw", "pyrage"):
    pytest.importorskip(needed)

from scrubjay import cli, trust  # noqa: E402
from scrubjay.access import people  # noqa: E402
from scrubjay.access.people import Caller  # noqa: E402
from scrubjay.errors import AccessError, AuditError, UsageError, VaultError  # noqa: E402

NOTE = "Call 555-010-7788, mail ann.lee@example.org.\n"
TOKENS = '[default]\noperator = "token.v1"\n'


def run(*words):
    done = CliRunner().invoke(cli.group, [*map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "machine.key").write_bytes(bytes(range(32)))
    for name, value in {"HOME": tmp_path / "home", "KEY_FILE": tmp_path / "machine.key"}.items():
        monkeypatch.setenv(f"SCRUBJAY_{name}", str(value))
    monkeypatch.chdir(tmp_path)
    told = run("keys", "init")
    (tmp_path / "auditor.key").write_text(told.splitlines()[-1])
    run("keys", "add", "hospital")
    run("keys", "add", "hospital/study")
    (tmp_path / "a.txt").write_text(NOTE)
    (tmp_path / "tokens.toml").write_text(TOKENS)
    return tmp_path / "home"


def anonymize(*words):
    return run("anonymize", "a.txt", "-q", "--profile", "patterns", *words)


def entries(**wanted):
    options = [word for name, value in wanted.items() for word in (f"--{name}", value)]
    return [json.loads(line) for line in run("audit", "query", *options).splitlines()]


def test_a_run_is_logged_without_text(home, tmp_path):
    anonymize("-o", "b.txt", "--domain", "hospital/study", "-p", "tokens.toml")
    [entry] = entries(action="anonymize")
    assert entry["counts"] == {"EMAIL": 1, "PHONE": 1} and entry["about"] == "hospital/study"
    folders = (home / name for name in ("vault", "audit", "audit-state"))
    kept = b"".join(p.read_bytes() for f in folders for p in f.rglob("*") if p.is_file())
    for secret in (b"555-010", b"ann.lee", b"AGE-SECRET", bytes(range(32))):
        assert secret not in kept
    assert run("audit", "verify", "--identity", "auditor.key").startswith("whole: 5 entries")


def test_the_same_domain_gives_the_same_tokens_another_day(home, tmp_path):
    for name in ("b.txt", "c.txt"):
        anonymize("-o", name, "--domain", "hospital/study", "-p", "tokens.toml")
    assert (tmp_path / "b.txt").read_text() == (tmp_path / "c.txt").read_text() != NOTE


def test_what_cannot_be_logged_is_not_released(home, tmp_path):
    (home / "audit-state/journal").unlink()
    (home / "audit-state/journal").mkdir()
    with pytest.raises(AuditError):
        anonymize("-o", "b.txt")
    assert not (tmp_path / "b.txt").exists()


def test_a_log_that_was_taken_back_is_not_written_on(home, tmp_path):
    anonymize("-o", "b.txt")
    old = {path: path.read_bytes() for path in (home / "audit").rglob("*") if path.is_file()}
    anonymize("-o", "b.txt")
    run("audit", "verify")
    for path, data in old.items():
        path.write_bytes(data)
    tile = home / "audit/tile/entries/000.p"
    (tile / "2").unlink()
    with pytest.raises(AuditError):
        run("audit", "verify", "--log-key", run_key(home))


def run_key(home):
    """The log's public key stands in its checkpoint's vault alone, so ask the vault."""
    from scrubjay.vault import slots
    from scrubjay.vault.vault import Vault

    vault = Vault.open(home / "vault", slots.key_file(home.parent / "machine.key"))
    key = str(trust._secrets(vault, trust.Auditors(())).signer.verifier)
    vault.close()
    return key


def test_once_somebody_is_registered_everybody_says_who_they_are(home, monkeypatch):
    from scrubjay.vault import slots
    from scrubjay.vault.vault import Vault

    vault = Vault.open(home / "vault", slots.key_file(home.parent / "machine.key"))
    opened = trust.Trust(home, vault)
    people.found(opened.register, "ada", 1_800_000_000)
    opened.close()
    vault.close()
    with pytest.raises(AccessError, match="not known here"):
        anonymize("-o", "b.txt")
    monkeypatch.setenv("SCRUBJAY_API_KEY", "sjk_" + "a" * 16 + "_" + "b" * 52)
    with pytest.raises(AccessError, match="unknown, wrong or expired"):
        anonymize("-o", "b.txt")
    assert not os.path.exists("b.txt")


def test_an_administrator_does_not_anonymize(home):
    from scrubjay.vault import slots
    from scrubjay.vault.vault import Vault

    vault = Vault.open(home / "vault", slots.key_file(home.parent / "machine.key"))
    opened = trust.Trust(home, vault)
    people.found(opened.register, "ada", 1_800_000_000)
    opened.caller = Caller("ada")
    with pytest.raises(AccessError):
        opened.require("anonymize.run")
    opened.close()
    vault.close()


def test_without_a_vault_a_domain_is_told_how_to_come_by(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(NOTE)
    with pytest.raises(UsageError, match="scrubjay keys init"):
        anonymize("-o", "b.txt", "--domain", "hospital/study")
    anonymize("-o", "b.txt")
    assert (tmp_path / "b.txt").exists() and not (tmp_path / "none/audit").exists()


@pytest.mark.parametrize("where", ["--reason", "subject"])
@pytest.mark.parametrize("words", ["", " ", "\udcff", "P\x1b[2J", "a\nb"])
def test_what_others_cannot_read_is_not_held(home, where, words):
    told = ("P", "--reason", words) if where == "--reason" else (words, "--reason", "a case")
    with pytest.raises(UsageError, match="can be read"):
        run("audit", "hold", *told)
    assert run("audit", "holds") == ""


@pytest.mark.parametrize("name", ["root", "Uniklinik M\xfcnchen", "\udcff", "a b", "a/b/c"])
def test_a_name_that_no_other_command_could_use_is_refused(home, name):
    with pytest.raises(UsageError):
        run("keys", "add", name)
    with pytest.raises(UsageError):
        run("keys", "add-slot", "\udcff", "--key-file", "machine.key")


def test_a_log_is_checked_far_from_its_vault_and_not_taken_for_another(home, tmp_path, monkeypatch):
    shutil.copytree(home / "audit", tmp_path / "copy")
    first = run("audit", "key").strip()
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "an/auditor"))
    run("audit", "verify", "copy", "--log-key", first)
    run("keys", "init")
    assert run("audit", "verify").startswith("whole")
    assert run("audit", "verify", "copy", "--log-key", first).startswith("whole")
    seen = next((tmp_path / "an/auditor").glob("audit-seen-*"))
    seen.write_text("9 " + seen.read_text().split()[1])
    with pytest.raises(AuditError, match="is missing"):
        run("audit", "verify", "copy", "--log-key", first)
    with pytest.raises(AuditError, match="is whole, but cannot be remembered"):
        run("audit", "verify", "copy", "--log-key", first, "--seen", "/proc/seen")


def test_verify_names_the_entry_where_the_log_does_not_open(home, tmp_path):
    bundle = max(home.glob("audit/tile/entries/000.p/*"), key=lambda path: int(path.name))
    *kept, last = bundle.read_bytes()
    bundle.write_bytes(bytes([*kept, last ^ 1]))
    with pytest.raises(AuditError, match=r"entry \d+ is not what was logged"):
        run("audit", "verify")
    with pytest.raises(AuditError, match="audit verify says more"):
        anonymize("-o", "b.txt")


def test_runs_are_not_let_off_the_log_where_the_vault_is_gone(home, tmp_path):
    (home / "vault").rename(tmp_path / "hidden")
    with pytest.raises(VaultError, match="is not there: make a vault"):
        anonymize("-o", "b.txt")
    assert not (tmp_path / "b.txt").exists()


def test_a_clock_that_was_ahead_is_told_until_somebody_looked(home, monkeypatch):
    real = trust._now
    monkeypatch.setattr(trust, "_now", lambda: real() + timedelta(days=7 * 365))
    run("audit", "forget")
    monkeypatch.setattr(trust, "_now", real)
    told = run("audit", "reviews")
    assert "the clock was ahead at entry" in told
    number = told.split("ahead at entry ")[1].split(",")[0]
    run("audit", "reviewed", "--entry", number, "--reason", "the test")
    assert "ahead" not in run("audit", "reviews")
