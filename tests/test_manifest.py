"""What lies beside an output says what it is: `--manifest`, `scrubjay verify`."""

import json

import pytest
from click.testing import CliRunner

from scrubjay import cli
from scrubjay.errors import InputError, UsageError

NOTE = "Call 555-010-7788, mail ann.lee@example.org.\n"


def run(*words):
    return CliRunner().invoke(cli.group, [*map(str, words)], catch_exceptions=False)


def anonymize(*words):
    return run("anonymize", "-q", "--profile", "patterns", "--manifest", *words)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/a.txt").write_text(NOTE)
    (tmp_path / "in/deep/b.txt").write_text("nobody\n")
    anonymize(tmp_path / "in", "-o", tmp_path / "out")
    return tmp_path / "out"


def test_an_untouched_output_is_as_written(folder):
    told = run("verify", folder).output
    assert told.startswith("as written: 4 files"), "both, and the report and its page"
    assert "hipaa-safe-harbor" in told
    assert "EMAIL 1" in told and "555" not in (folder / "manifest.json").read_text()


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda out: (out / "a.txt").write_bytes(b""), "a.txt: 0 bytes"),
        (lambda out: (out / "deep/b.txt").write_text("nobodY\n"), "deep/b.txt: changed"),
        (lambda out: (out / "deep/b.txt").unlink(), "deep/b.txt: missing"),
        (lambda out: (out / "c.txt").write_text("new"), "c.txt: not written by that run"),
    ],
)
def test_what_was_done_to_it_since_is_told(folder, harm, told):
    harm(folder)
    with pytest.raises(InputError, match="not what was written") as caught:
        run("verify", folder)
    assert told in str(caught.value)


def test_a_manifest_cannot_lead_out_of_its_folder(folder):
    path = folder / "manifest.json"
    told = json.loads(path.read_text())
    told["files"]["../in/a.txt"] = told["files"]["a.txt"]
    path.write_text(json.dumps(told))
    with pytest.raises(InputError, match="leads out of the folder"):
        run("verify", folder)


def test_a_single_file_has_its_own(tmp_path):
    (tmp_path / "a.txt").write_text(NOTE)
    anonymize(tmp_path / "a.txt", "-o", tmp_path / "clean.txt")
    assert "1 file" in run("verify", tmp_path / "clean.txt").output
    with pytest.raises(InputError, match="--manifest writes one"):
        run("verify", tmp_path / "a.txt")


def test_a_report_beside_an_output_is_told_whole(tmp_path):
    """It is written to its end before it is digested, and is not taken for the output."""
    (tmp_path / "a.txt").write_text(NOTE)
    out = tmp_path / "out"
    anonymize(tmp_path / "a.txt", "-o", out / "clean.txt", "--report", out / "r.jsonl")
    assert "2 files" in run("verify", out / "clean.txt").output
    told = json.loads((out / "clean.txt.manifest.json").read_text())["files"]
    assert told["r.jsonl"]["bytes"] == (out / "r.jsonl").stat().st_size > 0


def test_an_encrypted_file_is_verified_without_its_key(tmp_path):
    pyrage = pytest.importorskip("pyrage")
    key = pyrage.x25519.Identity.generate().to_public()
    (tmp_path / "a.txt").write_text(NOTE)
    anonymize(tmp_path / "a.txt", "-o", tmp_path / "clean.txt", "--encrypt-to", key)
    assert "1 file" in run("verify", tmp_path / "clean.txt.age").output


def test_no_manifest_of_a_pipe(tmp_path):
    (tmp_path / "a.txt").write_text(NOTE)
    with pytest.raises(UsageError, match="needs --output"):
        anonymize(tmp_path / "a.txt")


# Signed


@pytest.fixture
def signed(tmp_path, monkeypatch):
    """An output of a vault's run, its manifest, and the log's key."""
    for needed in ("cryptography", "apsw", "pyrage"):
        pytest.importorskip(needed)
    (tmp_path / "machine.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCRUBJAY_KEY_FILE", str(tmp_path / "machine.key"))
    run("keys", "init")
    (tmp_path / "a.txt").write_text(NOTE)
    for name in ("other.txt", "clean.txt"):
        anonymize(tmp_path / "a.txt", "-o", tmp_path / name)
    return tmp_path / "clean.txt", run("audit", "key").output.strip()


def test_of_a_folder_too(signed, tmp_path):
    key = signed[1]
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text(NOTE)
    for _ in range(2):  # the second time there is nothing to do but to tell
        anonymize(tmp_path / "in", "-o", tmp_path / "out", "-j", "1")
        assert "signed by" in run("verify", tmp_path / "out", "--log-key", key).output
    (tmp_path / "out/a.txt").write_text("changed")
    with pytest.raises(InputError, match="not what was written"):
        run("verify", tmp_path / "out", "--log-key", key)


def told_of(output):
    return output.with_name(output.name + ".manifest.json")


def test_a_vaults_log_signs_what_its_runs_wrote(signed):
    output, key = signed
    told = run("verify", output, "--log-key", key).output
    assert "signed by scrubjay/" in told and "entry 2 of its log, whose head was: 3 " in told
    assert "signed, not checked" in run("verify", output).output
    head = told.rsplit(": ")[-1].strip()
    run("audit", "verify", "--paper", head)
    found = json.loads(told_of(output).read_text())
    assert found["log"].count("\N{EM DASH}") == 1, "no seal is given away"


def other(output):
    return json.loads(told_of(output.with_name("other.txt")).read_text())


HARMS = {
    "policy": lambda told, _: told | {"policy": "other"},
    "created": lambda told, _: told | {"created": told["created"] + " "},
    "counts": lambda told, _: told | {"counts": {}},
    "files": lambda told, _: told | {"files": {}},
    "a later entry": lambda told, _: told | {"entry": told["entry"] + 1},
    "no such entry": lambda told, _: told | {"entry": -1},
    "another's signature": lambda told, was: told | {"signature": was["signature"]},
    "another's head": lambda told, was: told | {"log": was["log"]},
    "the head's signature": lambda told, _: told | {"signature": told["log"].split("\n")[-2]},
    "no signature at all": lambda told, _: {
        name: value for name, value in told.items() if name not in ("signature", "log", "entry")
    } | {"format": 1},
    "no signature, format 2": lambda told, _: {
        name: value for name, value in told.items() if name != "signature"
    },
    "two lines": lambda told, _: told | {"signature": told["signature"] + "\n" + told["signature"]},
    "not a line": lambda told, _: told | {"signature": "x"},
    "not a note": lambda told, _: told | {"log": ""},
}  # fmt: skip


def test_who_changed_both_is_found_by_the_key(signed):
    output, key = signed
    path = told_of(output)
    good = path.read_bytes()
    for harm, change in HARMS.items():
        path.write_text(json.dumps(change(json.loads(good), other(output))))
        with pytest.raises(InputError):
            pytest.fail(f"{harm}: {run('verify', output, '--log-key', key).output}")
    path.write_bytes(good)
    output.write_text("changed")
    with pytest.raises(InputError, match="not what was written"):
        run("verify", output, "--log-key", key)


def test_another_vaults_key_is_not_enough(signed, tmp_path, monkeypatch):
    output, key = signed
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "mallory"))
    run("keys", "init")
    anonymize(tmp_path / "a.txt", "-o", output)
    assert "1 file" in run("verify", output).output
    with pytest.raises(InputError, match=r"not what scrubjay/.* signed"):
        run("verify", output, "--log-key", key)
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "none"))
    anonymize(tmp_path / "a.txt", "-o", output)
    assert run("verify", output).output.endswith("not signed\n")
    with pytest.raises(InputError, match="not signed; a run with a vault"):
        run("verify", output, "--log-key", key)
