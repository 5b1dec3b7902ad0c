"""Outputs for some eyes only: `--encrypt-to`."""

import io

import pytest
from click.testing import CliRunner

pyrage = pytest.importorskip("pyrage")

from scrubjay import cli, sealing  # noqa: E402
from scrubjay.errors import OutputError, UsageError  # noqa: E402

NOTE = "Call 555-010-7788, mail ann.lee@example.org.\n"


@pytest.fixture
def identity():
    return pyrage.x25519.Identity.generate()


def run(*words):
    words = ["anonymize", "--profile", "patterns", *map(str, words)]
    return CliRunner().invoke(cli.group, words, catch_exceptions=False)


def test_outputs_and_report_are_for_the_key_holder_alone(tmp_path, identity):
    source, clean, report = (tmp_path / name for name in ("a.txt", "out/b.txt", "r.jsonl"))
    source.write_text(NOTE)
    run(source, "-o", clean, "--report", report, "--encrypt-to", identity.to_public())
    assert [p.name for p in clean.parent.iterdir()] == ["b.txt.age"] and not report.exists()
    opened = pyrage.decrypt((clean.parent / "b.txt.age").read_bytes(), [identity])
    assert opened == b"Call [PHONE 1], mail [EMAIL 1].\n"
    assert b'"EMAIL":1' in pyrage.decrypt((tmp_path / "r.jsonl.age").read_bytes(), [identity])
    with pytest.raises(pyrage.DecryptError):
        other = pyrage.x25519.Identity.generate()
        pyrage.decrypt((clean.parent / "b.txt.age").read_bytes(), [other])


def test_keys_come_from_a_file_too(tmp_path, identity):
    keys = tmp_path / "keys.txt"
    keys.write_text(f"# the research office\n{identity.to_public()}\n")
    assert len(sealing.recipients([str(keys)])) == 1


@pytest.mark.parametrize("told", ["age1nonsense", "missing.txt", "a.txt"])
def test_what_is_no_key_is_told_before_anything_is_read(tmp_path, told, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(NOTE)
    with pytest.raises(UsageError, match="public key"):
        run("a.txt", "-o", "b.txt", "--encrypt-to", told)
    assert not (tmp_path / "b.txt.age").exists()


def test_a_full_disk_ends_it(identity):
    class Full(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            raise OSError(28, "No space left on device")

    sink = sealing.Sealed(Full(), [identity.to_public()])
    with pytest.raises(OutputError, match="nothing was written"):
        for _ in range(100):
            sink.write(b"x" * 100_000)
        sink.close()


def test_a_million_bytes_come_back(identity):
    held = io.BytesIO()
    sink = sealing.Sealed(held, [identity.to_public()])
    for number in range(100):
        sink.write(bytes([number]) * 10_000)
    sink.close()
    whole = b"".join(bytes([number]) * 10_000 for number in range(100))
    assert pyrage.decrypt(held.getvalue(), [identity]) == whole
