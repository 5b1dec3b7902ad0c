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
    assert told.startswith("as written: 2 files") and "hipaa-safe-harbor" in told
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
