"""Agents get clean texts and files over MCP, and nothing else; where there is a vault, by role, and
with a line in its log."""

import asyncio
import json
import os
import sys

import pytest
from click.testing import CliRunner

for needed in ("mcp", "cryptography", "apsw", "pyrage"):
    pytest.importorskip(needed)

from mcp import Client, StdioServerParameters  # noqa: E402

from scrubjay import cli, trust  # noqa: E402
from scrubjay.access import signing  # noqa: E402
from scrubjay.detectors import built  # noqa: E402
from scrubjay.errors import UsageError  # noqa: E402

NOTE = "Mr. Quentin Quarles, SSN 536-90-4399, seen 2024-03-04"
PEOPLE = {"ana": "re-identify", "bo": "review", "cy": "review", "di": "de-identify", "eli": "audit"}
WHERE = ("--domain", "hospital/study")
SCOPE = ("policy.show", "detect.run", "anonymize.run", "restore.run")


def asked(calls, *words, **environment):
    """What the tools say to calls, by a real client and a real process."""

    async def ask():
        command = ["-m", "scrubjay", "mcp", "--profile", "patterns", *map(str, words)]
        server = StdioServerParameters(
            command=sys.executable, args=command, env={**os.environ, **environment}
        )
        async with Client(server) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            return tools, [await client.call_tool(name, given) for name, given in calls]

    tools, told = asyncio.run(ask())
    assert tools == {
        "detect_text", "anonymize_text", "anonymize_file", "restore_text", "list_policies"
    }  # fmt: skip
    return [
        one.content[0].text if one.is_error else one.structured_content
        for one in told
    ]  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").symlink_to(built.cache_folder())
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_texts_and_files_without_a_vault(home):
    for name in ("in", "out", "in/Quentin Quarles"):
        (home / name).mkdir()
    (home / "in" / "SSN 536-90-4399.txt").write_text(NOTE)
    (home / "in" / "Quentin Quarles" / "bad.json").write_text('{"Quarles')
    (home / "secret.txt").write_text(NOTE)
    (home / "in" / "link.txt").symlink_to(home / "secret.txt")
    file = {"path": "SSN 536-90-4399.txt"}
    found, clean, first, again, bad, *outside, restored, shown = asked(
        [
            ("detect_text", {"text": NOTE}),
            ("anonymize_text", {"text": NOTE}),
            ("anonymize_file", file),
            ("anonymize_file", file),
            ("anonymize_file", {"path": "Quentin Quarles/bad.json"}),
            ("anonymize_file", {"path": "../secret.txt"}),
            ("anonymize_file", {"path": "link.txt"}),
            ("anonymize_file", {"path": str(home / "secret.txt")}),
            ("anonymize_file", {"path": "nothing"}),
            ("restore_text", {"text": "a", "domain": "a/b", "approval": "c"}),
            ("list_policies", {}),
        ],
        "--in", "in", "--out", "out",
    )  # fmt: skip
    assert [NOTE[one["start"] : one["end"]] for one in found["findings"]] == [
        "Quentin Quarles", "536-90-4399", "2024-03-04"
    ]  # fmt: skip
    assert "Quarles" not in json.dumps([found, clean]) and clean["counts"]["SSN"] == 1
    assert clean["text"] == "Mr. [PERSON 1], SSN [SSN 1], seen 2024"
    assert "4399" not in first["file"] and "Quarles" not in bad
    assert (home / "out" / first["file"]).read_text() == clean["text"]
    assert first["file"] != again["file"] and len([*(home / "out").iterdir()]) == 2
    assert "not anonymized" in bad
    assert len(set(outside)) == 1 and "no such file" in outside[0]
    assert "no vault" in restored and shown["in_force"]["name"] == "hipaa-safe-harbor"


@pytest.mark.parametrize(
    "words",
    ["--in .", "--in . --out nothing", "--in . --out out", "--domain a/b --key-file c"],
)
def test_what_does_not_go_together_is_refused(home, words):
    (home / "out").mkdir()
    with pytest.raises(UsageError):
        CliRunner().invoke(cli.group, ["mcp", *words.split()], catch_exceptions=False)


@pytest.fixture
def run(monkeypatch):
    def call(who, *words):
        monkeypatch.setattr(trust, "account", lambda: who)
        done = CliRunner().invoke(cli.group, [*map(str, words)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output.strip()

    return call


@pytest.fixture
def vault(home, monkeypatch, run):
    """A vault with people, and their keys."""
    (home / "machine.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("SCRUBJAY_KEY_FILE", str(home / "machine.key"))
    monkeypatch.setenv("SCRUBJAY_SIGNING_PASSPHRASE", "seven grey herons")
    monkeypatch.setattr(signing.lock, "__kwdefaults__",
                        {**signing.lock.__kwdefaults__, "cost": signing.Cost(8, 1, 1)})  # fmt: skip
    (home / "tokens.toml").write_text('[default]\noperator = "token.v1"\n')
    for words in ("keys init", "keys add hospital", "keys add hospital/study", "people first ada"):
        run("ada", *words.split())
    for name, role in PEOPLE.items():
        run("ada", "people", "add", name, "--role", role)
    scope = [word for action in SCOPE for word in ("--scope", action)]
    return {who: run(who, "people", "key", who, *scope).split()[0] for who in ("ana", "di", "eli")}


def test_who_calls_does_what_their_role_may_and_each_call_is_in_the_log(vault, home, run):
    note = "Call 555-010-7788."
    words = (*WHERE, "-p", "tokens.toml")
    clean, _, refused = asked(
        [("anonymize_text", {"text": note}), ("anonymize_file", {"path": "b.txt"}),
         ("restore_text", {"text": "a", "domain": "hospital/study", "approval": "b"})],
        *words, SCRUBJAY_API_KEY=vault["di"],
    )  # fmt: skip
    assert "010-7788" not in clean["text"] and "access: 'di' may not restore.run" in refused
    (home / "b.txt").write_text(clean["text"])
    because = ("--reason", "a critical laboratory value")
    request = run("ana", "approvals", "ask", "b.txt", *WHERE, *because)
    for name in ("bo", "cy"):
        run(name, "approvals", "key", f"{name}.key")
        run("ada", "people", "signer", name, f"{name}.key")
        run(name, "approvals", "sign", request, "--key", f"{name}.key")
    given = {"text": clean["text"], "domain": "hospital/study", "approval": request}
    other = {**given, "text": clean["text"] + clean["text"][:-3]}
    told = asked(
        [("anonymize_text", {"text": note}), ("restore_text", other), ("restore_text", given),
         ("restore_text", given)],
        *words, SCRUBJAY_API_KEY=vault["ana"],
    )  # fmt: skip
    assert "access: 'ana' may not anonymize.run" in told[0]
    assert told[2] == {"text": note} and "was used" in told[3]
    log = [
        json.loads(line) for line in run("eli", "audit", "query").splitlines() if line[:1] == "{"
    ]
    done = [(one["who"], one["action"]) for one in log if one.get("outcome") == "done"]
    assert ("di", "anonymize", "failed") in [
        (one["who"], one["action"], one["outcome"]) for one in log
    ]
    assert ("di", "anonymize") in done and done.count(("ana", "restore")) == 1
    assert "555-010" not in json.dumps(log)
