"""People are named again only if two others agree, or in an emergency that others see."""

import json

import pytest
from click.testing import CliRunner

for needed in ("cryptography", "apsw", "pyrage"):
    pytest.importorskip(needed)

from scrubjay import cli, trust  # noqa: E402
from scrubjay.access import signing  # noqa: E402
from scrubjay.cli import restore  # noqa: E402
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


def test_surrogates_of_a_subject_come_back_and_of_nobody_else(home, run):
    lines = [{"id": who, "note": f"{who} mails {who}@example.org, {NOTE}"} for who in ("p7", "p8")]
    told = "".join(json.dumps(line) + "\n" for line in lines)
    (home / "a.jsonl").write_text(told)
    (home / "lasting.toml").write_text('[default]\noperator = "surrogate.v1"\n')
    options = ("-q", "--profile", "patterns", "-p", "lasting.toml", "--group", "id", *WHERE)
    run("di", "anonymize", "a.jsonl", "-o", "s.jsonl", *options)
    assert "p7@" not in (home / "s.jsonl").read_text()
    which = ("s.jsonl", "--surrogates-of", "p7", *WHERE)
    request = run("ana", "approvals", "ask", "s.jsonl", "--surrogates-of", "p7", *ASK)
    for name in ("bo", "cy"):
        run(name, "approvals", "sign", request, "--key", f"{name}.key")
    run("ana", "restore", *which, "-o", "back.jsonl", "--approval", request)
    back = [json.loads(line) for line in (home / "back.jsonl").read_text().splitlines()]
    assert back[0] == lines[0] and back[1]["note"] != lines[1]["note"]
    with pytest.raises(VaultError, match="no surrogates of this subject"):
        run("ana", "approvals", "ask", "s.jsonl", "--surrogates-of", "p9", *ASK)
    run("ada", "erase", "P-7", *WHERE)  # as it may be written elsewhere
    with pytest.raises(VaultError):
        run("ana", "approvals", "ask", "s.jsonl", "--surrogates-of", "p7", *ASK)


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


def test_whose_records_come_back_can_be_said(home, run):
    lines = [f'{{"who":"{who}","note":"call 555-010-778{at}"}}' for at, who in enumerate("xyx")]
    (home / "a.jsonl").write_text("\n".join(lines) + "\n")
    options = ("-q", "--profile", "patterns", "-p", "tokens.toml", *WHERE)
    run("di", "anonymize", "a.jsonl", "-o", "b.jsonl", *options)
    sealed = (home / "b.jsonl").read_text().splitlines()
    mine = ("--group", "who", "--subject", "x")
    request = run("ana", "approvals", "ask", "b.jsonl", *ASK, *mine)
    for name in ("bo", "cy"):
        run(name, "approvals", "sign", request, "--key", f"{name}.key")
    with pytest.raises(AccessError, match="something else"):
        run("ana", "restore", "b.jsonl", "-o", "c.jsonl", *WHERE, "--approval", request)
    run("ana", "restore", "b.jsonl", "-o", "c.jsonl", *WHERE, *mine, "--approval", request)
    assert (home / "c.jsonl").read_text().splitlines() == [lines[0], sealed[1], lines[2]]
    with pytest.raises(UsageError, match="--group FIELD"):
        run("ana", "approvals", "ask", "b.jsonl", *ASK, "--subject", "x")


# Two-person domains

TWO = ("--domain", "hospital/two")
ASK_TWO = (*TWO, *ASK[2:])


@pytest.fixture
def sealed(home, run):
    """The same with a domain whose tokens two of three approvers open, and a key of ana's."""
    for name, role in {"flo": "review", "gus": "review"}.items():
        run("ada", "people", "add", name, "--role", role)
    for name in ("flo", "ana", "gus"):
        run(name, "approvals", "key", f"{name}.key")
    run("ada", "people", "signer", "flo", "flo.key")
    assert "two of bo, cy, flo" in run("ada", "keys", "add", "hospital/two", "--two-person")
    tokens = ("-q", "--profile", "patterns", "-p", "tokens.toml", *TWO)
    run("di", "anonymize", "a.txt", "-o", "b.txt", *tokens)
    assert "UW" in (home / "b.txt").read_text()
    return home


def signed(run, request, *names):
    for name in names:
        run(name, "approvals", "sign", request, "--key", f"{name}.key")


def restored(run, home, request, key="ana.key"):
    run("ana", "restore", "b.txt", "-o", "c.txt", *TWO, "--approval", request, "--key", key)
    return (home / "c.txt").read_text()


@pytest.fixture
def request_(sealed, run):
    run("ada", "people", "signer", "ana", "ana.key")
    return run("ana", "approvals", "ask", "b.txt", *ASK_TWO)


def test_two_approvers_open_a_two_person_domain_once(sealed, run, request_):
    signed(run, request_, "bo")
    with pytest.raises(AccessError, match="1 of 2"):
        restored(run, sealed, request_)
    signed(run, request_, "flo")
    with pytest.raises(UsageError, match="--key FILE"):
        run("ana", "restore", "b.txt", "-o", "c.txt", *TWO, "--approval", request_)
    with pytest.raises(AccessError, match="not the key that is registered"):
        restored(run, sealed, request_, "gus.key")
    assert restored(run, sealed, request_) == NOTE
    with pytest.raises(AccessError, match="was used"):
        restored(run, sealed, request_)
    assert run("eli", "audit", "verify").startswith("whole")


def test_who_asks_needs_a_key_and_no_emergency_helps(sealed, run):
    with pytest.raises(AccessError, match="'ana' has no registered key"):
        run("ana", "approvals", "ask", "b.txt", *ASK_TWO)
    with pytest.raises(AccessError, match="no emergency opens it"):
        run("ana", "approvals", "emergency", *ASK_TWO)
    with pytest.raises(AccessError, match="no emergency opens it"):
        run("ana", "restore", "b.txt", "-o", "c.txt", *TWO, "--emergency", "--key", "ana.key")


def test_a_new_approver_is_admitted_by_two(sealed, run, request_):
    run("ada", "people", "signer", "gus", "gus.key")
    with pytest.raises(AccessError, match="'gus' holds no share"):
        signed(run, request_, "gus")
    admit = ("approvals", "admit", "gus", *TWO, "--key")
    assert "another holder" in run("bo", *admit, "bo.key")
    assert "another holder" in run("bo", *admit, "bo.key")
    assert "gus holds a share" in run("cy", *admit, "cy.key")
    with pytest.raises(UsageError, match="nothing to do"):
        run("flo", *admit, "flo.key")
    assert "flo, gus" in run("ada", "keys", "show")
    signed(run, request_, "gus", "flo")
    assert restored(run, sealed, request_) == NOTE


def test_who_lost_a_key_is_admitted_with_another(sealed, run, request_):
    (sealed / "bo.key").unlink()
    run("bo", "approvals", "key", "bo.key")
    run("ada", "people", "signer", "bo", "bo.key")
    with pytest.raises(AccessError, match="'bo' holds no share"):
        signed(run, request_, "bo")
    for name in ("cy", "flo"):
        run(name, "approvals", "admit", "bo", *TWO, "--key", f"{name}.key")
    signed(run, request_, "flo", "bo")
    assert restored(run, sealed, request_) == NOTE


def test_rotation_makes_a_new_pair_and_older_tokens_are_read(sealed, run, request_):
    run("ada", "people", "signer", "gus", "gus.key")
    assert "bo, cy, flo, gus" in run("ada", "keys", "rotate", "hospital/two")
    run("ada", "keys", "rotate", "hospital")
    tokens = ("-q", "--profile", "patterns", "-p", "tokens.toml", *TWO)
    old = (sealed / "b.txt").read_text()
    run("di", "anonymize", "a.txt", "-o", "new.txt", *tokens)
    new = (sealed / "new.txt").read_text()
    assert new != old
    (sealed / "b.txt").write_text(old + new)
    request = run("ana", "approvals", "ask", "b.txt", *ASK_TWO)
    signed(run, request, "bo", "gus")
    with pytest.raises(InputError, match="key version 1; there are keys for 2"):
        restored(run, sealed, request)  # gus has no share of version 1
    request = run("ana", "approvals", "ask", "b.txt", *ASK_TWO)
    signed(run, request, "bo", "gus", "cy")
    assert restored(run, sealed, request) == NOTE + NOTE


def test_a_two_person_domain_takes_two_who_can_sign(home, run):
    run("ada", "people", "roles", "bo", "--role", "detect")
    with pytest.raises(UsageError, match="1 people can sign"):
        run("ada", "keys", "add", "hospital/two", "--two-person")
    with pytest.raises(UsageError, match="for domains"):
        run("ada", "keys", "add", "clinic", "--two-person")


def test_a_file_that_is_swapped_after_it_was_approved_gives_nothing(home, run, monkeypatch):
    """Two shells: the other one writes between the first reading and the second."""
    whole = (home / "b.txt").read_text()
    (home / "small.txt").write_text(whole.split(", ")[0])
    request = run("ana", "approvals", "ask", "small.txt", *ASK)
    for name in ("bo", "cy"):
        run(name, "approvals", "sign", request, "--key", f"{name}.key")
    granted = restore._granted

    def swapped(*asked):
        (home / "small.txt").write_text(whole)
        return granted(*asked)

    monkeypatch.setattr(restore, "_granted", swapped)
    with pytest.raises(InputError, match="not there when the file was read first"):
        run("ana", "restore", "small.txt", "-o", "c.txt", *WHERE, "--approval", request)
    assert not (home / "c.txt").exists()


def test_an_emergency_opens_the_domain_to_who_may_start_one(home, run):
    with pytest.raises(AccessError, match="no emergency of yours"):
        run("di", "restore", "b.txt", "-o", "c.txt", *WHERE, "--emergency")
    assert run("eli", "audit", "reviews") == ""
    run("di", "approvals", "emergency", *ASK)
    run("di", "restore", "b.txt", "-o", "c.txt", *WHERE, "--emergency")
    assert (home / "c.txt").read_text() == NOTE
    assert "was not reviewed" in run("eli", "audit", "reviews")
    with pytest.raises(AccessError, match="it takes the role re-identify"):
        run("di", "restore", "b.txt", "-o", "d.txt", *WHERE, "--approval", "0" * 64)
