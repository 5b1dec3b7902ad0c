"""People are named again only if two others agree, or in an emergency that others see."""

import pytest
from click.testing import CliRunner

for needed in ("cryptography", "apsw", "pyrage"):
    pytest.importorskip(needed)

from scrubjay import cli, trust  # noqa: E402
from scrubjay.access import signing  # noqa: E402
from scrubjay.errors import AccessError, InputError, UsageError, VaultError  # noqa: E402

NOTE = "Call 555-010-7788, mail ann.lee@example.org.\n"
PEOPLE = {"ana": "re-identify", "bo": "review", "cy": "review", "di": "de-identify", "eli": "audit"}
WHERE = ("--domain", "hospital/study")
ASK = (*WHERE, "--reason", "a critical laboratory value")


@pytest.fixture
def run(monkeypatch):
    def call(who, *words):
        monkeypatch.setattr(trust, "account", lambda: who)
        words = [*map(str, words)]
        done = CliRunner().invoke(cli.group, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output.strip()

    return call


@pytest.fixture
def home(tmp_path, monkeypatch, run):
    """A vault with people, and a note that di made tokens of."""
    (tmp_path / "machine.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCRUBJAY_KEY_FILE", str(tmp_path / "machine.key"))
    monkeypatch.setenv("SCRUBJAY_SIGNING_PASSPHRASE", "seven grey herons")
    monkeypatch.setattr(signing.lock, "__kwdefaults__",
                        {**signing.lock.__kwdefaults__, "cost": signing.Cost(8, 1, 1)})  # fmt: skip
    monkeypatch.chdir(tmp_path)
    run("ada", "keys", "init")
    run("ada", "keys", "add", "hospital")
    run("ada", "keys", "add", "hospital/study")
    run("ada", "people", "first", "ada")
    for name, role in PEOPLE.items():
        run("ada", "people", "add", name, "--role", role)
    for name in ("bo", "cy"):
        run(name, "approvals", "key", f"{name}.key")
        run("ada", "people", "signer", name, f"{name}.key")
    (tmp_path / "a.txt").write_text(NOTE)
    (tmp_path / "tokens.toml").write_text('[default]\noperator = "token.v1"\n')
    options = ("-q", "--profile", "patterns", "-p", "tokens.toml", *WHERE)
    run("di", "anonymize", "a.txt", "-o", "b.txt", *options)
    return tmp_path


def test_two_others_agree_and_the_text_comes_back_once(home, run):
    assert "555" not in (home / "b.txt").read_text()
    request = run("ana", "approvals", "ask", "b.txt", *ASK)
    with pytest.raises(AccessError, match="0 of 2"):
        run("ana", "restore", "b.txt", "-o", "c.txt", *WHERE, "--approval", request)
    for name in ("bo", "cy"):
        assert "critical laboratory" in run(name, "approvals", "list")
        run(name, "approvals", "sign", request, "--key", f"{name}.key")
    run("ana", "restore", "b.txt", "-o", "c.txt", *WHERE, "--approval", request)
    assert (home / "c.txt").read_text() == NOTE
    with pytest.raises(AccessError, match="was used"):
        run("ana", "restore", "b.txt", "-o", "d.txt", *WHERE, "--approval", request)
    assert not (home / "d.txt").exists()
    told = run("eli", "audit", "query", "--who", "ana")
    assert '"action":"restore"' in told and "555-010" not in told
    assert "refused" in told


def test_an_approval_is_for_these_tokens_alone(home, run):
    (home / "small.txt").write_text((home / "b.txt").read_text().split(", ")[0])
    request = run("ana", "approvals", "ask", "small.txt", *ASK)
    for name in ("bo", "cy"):
        run(name, "approvals", "sign", request, "--key", f"{name}.key")
    with pytest.raises(AccessError, match="something else"):
        run("ana", "restore", "b.txt", "-o", "c.txt", *WHERE, "--approval", request)


@pytest.mark.parametrize("who", ["ada", "bo", "di", "eli", "mallory"])
def test_nobody_else_may_even_ask(home, run, who):
    with pytest.raises(AccessError):
        run(who, "approvals", "ask", "b.txt", *ASK)
    with pytest.raises(AccessError):
        run(who, "restore", "b.txt", "-o", "c.txt", *WHERE, "--emergency")


def test_in_an_emergency_it_is_loud_and_listed(home, run):
    told = run("ana", "approvals", "emergency", *ASK)
    assert "EMERGENCY ACCESS: 'ana'" in told
    run("ana", "restore", "b.txt", "-o", "c.txt", *WHERE, "--emergency")
    assert (home / "c.txt").read_text() == NOTE
    assert "ana in hospital/study, 1 uses" in run("bo", "approvals", "emergencies")
    with pytest.raises(AccessError, match="still open"):
        run("bo", "approvals", "review", told.splitlines()[-1], "--justified")


def test_who_is_erased_is_nobodys_code_any_more(home, run):
    (home / "codes.toml").write_text('[default]\noperator = "code.v1"\n')
    options = ("-q", "--profile", "patterns", "-p", "codes.toml", *WHERE)
    run("di", "anonymize", "a.txt", "-o", "c.txt", *options)
    code = (home / "c.txt").read_text().removeprefix("Call ").split(",")[0]
    run("ana", "approvals", "emergency", *ASK)
    assert run("ana", "reveal", code, *WHERE, "--emergency") == f"{code}\tPHONE: 555-010-7788"
    with pytest.raises(AccessError):
        run("ana", "erase", "PHONE: 555-010-7788", *WHERE)
    assert run("ada", "erase", "PHONE: 555-010-7788", *WHERE).startswith("erased")
    with pytest.raises(VaultError, match="was erased"):
        run("ana", "reveal", code, *WHERE, "--emergency")
    assert run("eli", "audit", "verify").startswith("whole")


def test_a_damaged_token_is_told_and_nothing_is_written(home, run):
    text = (home / "b.txt").read_text()
    (home / "b.txt").write_text(text.replace(" mail", " cut UQ0123456789ABCDEFGH mail"))
    run("ana", "approvals", "emergency", *ASK)
    with pytest.raises(InputError, match="damaged token"):
        run("ana", "restore", "b.txt", "-o", "c.txt", *WHERE, "--emergency")
    assert not (home / "c.txt").exists()


def test_what_is_approved_and_how_must_be_said(home, run):
    with pytest.raises(UsageError, match="--approval ID, or --emergency"):
        run("ana", "restore", "b.txt", "-o", "c.txt", *WHERE)
