"""The examples for who calls the service run as they stand."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import KEY, NOTE, running, service  # noqa: E402

from scrubjay.serve.app import application  # noqa: E402

EXAMPLES = Path(__file__).parent.parent / "examples"
STRICT = ("--strict", "--target", "es2022", "--module", "esnext")
VALUES = ("Ann Lee", "555-010", "536-90", "2024-03")


@pytest.fixture(scope="module")
def called(tmp_path_factory):
    """What a command prints beside a service."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, tmp_path_factory.mktemp("served")) as one,
        running(application(one.state)) as url,
    ):

        def call(*words):
            environment = {**os.environ, "SCRUBJAY_URL": url, "SCRUBJAY_API_KEY": KEY}
            done = subprocess.run(
                [*map(str, words)], env=environment, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert not [value for value in VALUES if value in done.stdout]
            return done.stdout

        yield call


def test_python(called, tmp_path):
    (tmp_path / "note.txt").write_text(NOTE)
    told = called(sys.executable, EXAMPLES / "client.py", tmp_path / "note.txt", tmp_path / "clean")
    assert told.splitlines()[0] == "Call Dr. [PERSON 1] at [PHONE 1]" and "quarles" not in told
    assert (tmp_path / "clean").read_text() == "Mr. [PERSON 1], SSN [SSN 1], seen 2024"


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_curl(called):
    told = called("sh", EXAMPLES / "curl.sh")
    assert '"id":"note 1"' in told and "SSN [SSN 1]" in told and "name,phone" in told


@pytest.mark.skipif(not (shutil.which("tsc") and shutil.which("node")), reason="no tsc or node")
def test_typescript(called, tmp_path):
    subprocess.run(["tsc", *STRICT, "--outDir", tmp_path, EXAMPLES / "client.ts"], check=True)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    told = called("node", tmp_path / "client.js")
    assert told.startswith("Call Dr. [PERSON 1] at [PHONE 1]\nSSN [SSN 1]\nseen 2024\n")
