"""`scrubjay keys` where docs/keys.md does not go: slots and backups that go, wrong calls."""

import hashlib
import re

import pytest
from click.testing import CliRunner

pytest.importorskip("cryptography")
pytest.importorskip("apsw")
pytest.importorskip("pyrage")

import pyrage

from scrubjay import cli, home
from scrubjay.errors import ScrubjayError

KEY = hashlib.sha256(b"machine").hexdigest()


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """Runs `scrubjay keys`, opened by a key file."""
    (tmp_path / "key").write_text(KEY)
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCRUBJAY_KEY_FILE", str(tmp_path / "key"))

    def run(*arguments, status=0):
        done = CliRunner().invoke(cli.group, ["keys", *map(str, arguments)])
        if isinstance(done.exception, ScrubjayError):
            assert done.exception.exit_status == status
            return str(done.exception)
        assert done.exit_code == status, done.output
        return done.output

    run("init")
    return run


def test_slots_go_and_the_last_stays(keys, tmp_path):
    (tmp_path / "other").write_bytes(bytes(range(32)))
    keys("add-slot", "other", "--key-command", f"cat {tmp_path / 'other'}")
    assert "slot    other: command" in keys("show")
    assert "slot other is gone" in keys("remove-slot", "other")
    assert "the last slot stays" in keys("remove-slot", "file", status=1)
    both = keys("add-slot", "x", "--key-file", "a", "--key-command", "b", status=1)
    assert "not both" in both


def test_a_backup_that_was_destroyed_is_forgotten(keys, tmp_path):
    to = str(pyrage.x25519.Identity.generate().to_public())
    digest = keys("export", "-o", tmp_path / "a.age", "-r", to).split()[-1]
    assert digest == hashlib.sha256((tmp_path / "a.age").read_bytes()).hexdigest()
    assert "backup  a.age: made 2" in keys("show") and digest in keys("show")
    keys("forget", digest)
    assert digest not in keys("show")
    assert "no backup of this digest" in keys("forget", digest, status=1)
    assert "begins with age1" in keys("export", "-o", "x", "-r", "age2x", status=1)


def test_nothing_shows_a_key(keys):
    told = keys("add", "t") + keys("add", "t/d") + keys("show")
    wrapped = re.findall(r'"([\w+/=]{40,})"', (home.home() / "vault" / "root.json").read_text())
    assert wrapped and not any(secret in told for secret in [KEY, *wrapped])


def test_wrong_calls_say_what_is_right(keys, monkeypatch):
    assert "--until is for domains" in keys("rotate", "root", "--until", "2099-01-01", status=1)
    assert "keys show lists them" in keys("rotate", "nobody", status=1)
    assert "never made over another" in keys("init", status=1)
    monkeypatch.delenv("SCRUBJAY_KEY_FILE")
    assert "no terminal to ask" in keys("show", status=1)
