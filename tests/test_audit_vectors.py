"""vectors/audit through the package and through examples/verify_audit.py, which shares nothing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("pyrage")

from scrubjay.audit import note, tiles, verify
from scrubjay.audit.entry import unbox
from scrubjay.errors import AuditError

ROOT = Path(__file__).parent.parent
VECTORS = ROOT / "vectors" / "audit"
GOOD = json.loads((VECTORS / "good.json").read_text())
BAD = sorted(VECTORS.glob("bad-*.json"))


def package(folder, seen):
    trusted = verify.Trusted(note.verifier(GOOD["vkey"]), (), bytes.fromhex(GOOD["first"]))
    return note.paper(verify.verify(folder, trusted, list(map(note.read_paper, seen))).head)


def other(folder, seen):
    heads = [word for head in seen for word in ("--seen", head)]
    command = [ROOT / "examples" / "verify_audit.py", folder, GOOD["vkey"]]
    done = subprocess.run(
        [sys.executable, "-I", *map(str, command), "--first", GOOD["first"], *heads],
        capture_output=True, text=True, timeout=60, env={},
    )  # fmt: skip
    if done.returncode:
        raise AuditError(done.stderr)
    return done.stdout.strip()


@pytest.mark.parametrize("reader", [package, other])
def test_a_good_log_is_found_whole(reader):
    assert reader(VECTORS / "good", GOOD["seen"]) == GOOD["head"]


@pytest.mark.parametrize("reader", [package, other])
@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_log_is_refused_for_its_reason(reader, path, tmp_path):
    case = json.loads(path.read_text())
    shutil.copytree(VECTORS / "good", tmp_path / "log")
    for name, data in case["files"].items():
        changed = tmp_path / "log" / name
        changed.parent.mkdir(exist_ok=True)
        changed.write_bytes(bytes.fromhex(data))
    with pytest.raises(AuditError, match=case["refused"]):
        reader(tmp_path / "log", case.get("seen", GOOD["seen"]))


def test_entries_open_with_their_keys():
    name, size = GOOD["vkey"].split("+")[0], int(GOOD["head"].split()[0])
    there = tiles.Tiles(verify.FILES, VECTORS / "good", size)
    for number, key in GOOD["entry_keys"].items():
        entry = unbox(there.leaf(int(number)), name, int(number), bytes.fromhex(key))
        assert entry.who == "ada" and entry.counts == {"PERSON": 2}


def test_the_other_verifier_is_short_and_alone():
    source = (ROOT / "examples" / "verify_audit.py").read_text("utf-8")
    assert len(source.splitlines()) < 150
    assert "import scrubjay" not in source and "from scrubjay" not in source
