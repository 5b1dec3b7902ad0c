"""Every command, called as everybody, does what the matrix says: a vault with people, and nobody in
between. Without a vault nobody is asked, and nothing is paid for it."""

import os
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

for needed in ("cryptography", "apsw", "pyrage"):
    pytest.importorskip(needed)

from scrubjay import cli, trust  # noqa: E402
from scrubjay.access import approvals, breakglass, entry, people  # noqa: E402
from scrubjay.access.matrix import allowed, matrix  # noqa: E402
from scrubjay.access.people import Caller  # noqa: E402
from scrubjay.detectors import built  # noqa: E402
from scrubjay.errors import AccessError, ScrubjayError  # noqa: E402
from scrubjay.vault import slots  # noqa: E402
from scrubjay.vault.vault import Vault  # noqa: E402

DOMAIN = "--domain hospital/study"
BECAUSE = "--reason critical-laboratory-value"
WHY = f"{DOMAIN} {BECAUSE}"
WITNESS = "witness.example+c2f3b1a0+BAAA"

# What each command asks for, and a call that ends soon where it is allowed. In this order: what
# takes something away comes last.
WALK = {
    "anonymize": ("anonymize.run", "a.txt -o b.txt -q --profile patterns"),
    "pipe": ("anonymize.run", "--encoding utf-16 --profile patterns"),
    "detect": ("detect.run", "a.txt --profile patterns"),
    "evaluate": ("evaluate.run", "--data nothing"),
    "serve": ("serve.run", "--host 203.0.113.1 --certificate a --key b"),
    "mcp": ("policy.show", "--in nothing --out nothing"),
    "review": ("review.run", "empty"),
    "train data": ("train.run", "nothing"),
    "train synth": ("train.run", "-o wrong.suffix"),
    "train fit": ("train.run", "-o run --data nothing"),
    "train distil": ("train.run", "nothing -o run"),
    "train average": ("train.run", "nothing -o run"),
    "train prune": ("train.run", "nothing -o run"),
    "train export": ("train.run", "nothing -o run"),
    "train quantize": ("train.run", "nothing -o run"),
    "train calibrate": ("train.run", "nothing"),
    "train pair": ("train.run", "nothing nothing -o run"),
    "train evaluate": ("evaluate.run", "--data nothing"),
    "policy list": ("policy.show", ""),
    "policy show": ("policy.show", "everything"),
    "policy coverage": ("policy.show", ""),
    "policy check": ("policy.check", "nothing.toml"),
    "restore": ("restore.run", f"a.txt -o c.txt {DOMAIN}"),
    "reveal": ("reveal.run", f"code {DOMAIN}"),
    "erase": ("erase.run", f"nobody {DOMAIN}"),
    "approvals ask": ("approvals.request", f"--code P-0001 {WHY}"),
    "approvals list": ("approvals.list", ""),
    "approvals sign": ("approvals.sign", "REQUEST --key nothing.key"),
    "approvals admit": ("approvals.admit", f"spare --key nothing.key {DOMAIN}"),
    "approvals emergency": ("breakglass.start", WHY),
    "approvals emergencies": ("breakglass.list", ""),
    "approvals review": ("breakglass.review", "EMERGENCY --justified"),
    "audit verify": ("audit.verify", ""),
    "audit key": ("audit.verify", ""),
    "audit query": ("audit.query", ""),
    "audit disclosures": ("audit.query", "P-0001"),
    "audit export": ("audit.export", "--fhir"),
    "audit register": ("audit.query", ""),
    "audit reviews": ("audit.query", ""),
    "audit reviewed": ("audit.review", BECAUSE),
    "audit disclose": ("audit.disclose", f"P-0001 --recipient court --about codes {BECAUSE}"),
    "audit checkpoint": ("audit.witness", ""),
    "audit witness": ("audit.witness", f"nothing --witness {WITNESS}"),
    "audit hold": ("audit.hold", f"P-0001 {BECAUSE}"),
    "audit holds": ("audit.hold", ""),
    "audit release": ("audit.hold", f"P-0001 {BECAUSE}"),
    "audit forget": ("audit.forget", ""),
    "audit renew": ("audit.renew", BECAUSE),
    "people list": ("people.list", ""),
    "people first": ("people.first", "eve"),
    "people add": ("people.add", "eve --role detect"),
    "people roles": ("people.change", "spare --role review"),
    "people key": ("people.own", "SELF --scope detect.run"),
    "people revoke": ("people.own", "SELF SPARE"),
    "people signer": ("people.signer", "spare nothing.key"),
    "people issuer": ("people.issuer", "https://login.example.org"),
    "people subject": ("people.change", "spare --issuer https://login.example.org"),
    "people certificate": ("people.change", "spare"),
    "people clock": ("people.clock", ""),
    "people remove": ("people.remove", "spare"),
    "keys show": ("keys.show", ""),
    "keys add": ("keys.add", "hospital/other"),
    "keys export": ("keys.export", "-o a.age -r wrong"),
    "keys forget": ("keys.forget", "00"),
    "keys add-slot": ("keys.add-slot", "more --key-file new.key"),
    "keys remove-slot": ("keys.remove-slot", "more"),
    "keys recover": ("keys.recover", ""),
    "keys split": ("keys.split", ""),
    "keys accept": ("keys.accept", ""),
    "keys rotate": ("keys.rotate", "root"),
}  # fmt: skip
FREE = {
    "approvals key": "a.txt",
    "approvals sign-file": "a.txt --key nothing.key --as bo",
    "keys init": "",
    "keys import": "nothing -i nothing",
    "verify": "a.txt",
    "labels": "",
    "doctor": "",
    "completion": "bash",
}

# Who calls: with which roles, as a service, with an API key for these actions alone.
EVERYTHING = tuple(action for action in matrix().actions if action != "people.own")
WHO = {role: ((role,), False, None) for role in matrix().roles} | {
    "mallory": ((), False, None),
    "gone": ((), False, None),
    "robot": (("detect", "de-identify", "review", "re-identify"), True, EVERYTHING),
    "narrow": (("administer",), False, ("policy.check",)),
}


def commands(group, trail=()):
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        below = (*trail, name)
        yield from commands(command, below) if isinstance(command, click.Group) else [below]


def test_every_command_asks_or_says_why_not():
    found = {" ".join(trail) for trail in commands(cli.group)}
    assert found == WALK.keys() | FREE.keys(), "a new command: give it an action here"
    assert FREE.keys() == matrix().free.keys() and not WALK.keys() & FREE.keys()
    assert {action for action, _ in WALK.values()} <= matrix().actions.keys()


@pytest.fixture(scope="module")
def called(tmp_path_factory):
    """A vault with everybody in it, and what calls a command in it as one of them."""
    folder = tmp_path_factory.mktemp("walk")
    built.cache_folder().mkdir(parents=True, exist_ok=True)
    (folder / "home").mkdir()
    (folder / "home" / "cache").symlink_to(built.cache_folder())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in {"HOME": "home", "KEY_FILE": "machine.key"}.items():
            patch.setenv(f"SCRUBJAY_{name}", str(folder / value))
        patch.setenv("SCRUBJAY_NEW_PASSPHRASE", "seven grey herons")
        (folder / "machine.key").write_bytes(bytes(range(32)))
        (folder / "new.key").write_bytes(bytes(range(1, 33)))
        (folder / "empty").mkdir()
        (folder / "a.txt").write_text("Call 555-010-7788.\n")
        for words in ("keys init", "keys add hospital", "keys add hospital/study"):
            assert CliRunner().invoke(cli.group, words.split()).exit_code == 0
        told = CliRunner().invoke(cli.group, ["keys", "split"]).output.split("part ")
        parts = ["".join(part.split()[1:]) for part in told if part][:2]
        keys, places = populated(folder / "home")

        def call(who, command, words):
            by_key = who in WHO and WHO[who][2] is not None
            patch.setattr(trust, "account", lambda: "mallory" if by_key else who)
            patch.setenv("SCRUBJAY_API_KEY", keys[who] if by_key else "")
            own = {"SELF": who, "SPARE": keys.get(who, "")[4:20] or "none"}
            for name, value in {**own, **places}.items():
                words = words.replace(name, value)
            told = "\n".join(parts) if command == "keys recover" else None
            return CliRunner().invoke(cli.group, [*command.split(), *words.split()], input=told)

        yield call


def populated(home):
    """Everybody of WHO, their API keys, and a request and an emergency of somebody else's."""
    vault = Vault.open(home / "vault", slots.key_file(home.parent / "machine.key"))
    opened = trust.Trust(home, vault)
    register, now = opened.register, int(time.time()) - 7200
    people.found(register, "administer", now)
    root = Caller("administer")
    for name, (roles, service, _) in WHO.items():
        if name not in ("administer", "mallory"):
            people.add(register, root, name, roles=roles, service=service, now=now)
    people.add(register, root, "spare", roles=("detect",), now=now)
    people.add(register, root, "ana", roles=("re-identify",), now=now)
    people.remove(register, root, "gone", now=now)
    shown = {}
    for name, (roles, service, scope) in WHO.items():
        terms = entry.Terms(scope or (), now + 86_400)
        if roles:
            by = root if service else Caller(name)
            shown[name] = entry.issue(register, by, name, terms, now=now)
    emergency = breakglass.start(
        register, Caller("ana"), "hospital/study", "unconscious, no papers", minutes=15, now=now
    ).emergency.id
    scope = approvals.Scope("reveal.run", "hospital/study", ("P-0001",))
    request = approvals.ask(register, Caller("ana"), scope, "critical value", now=now + 3600)
    opened.close()
    vault.close()
    return shown, {"REQUEST": request, "EMERGENCY": emergency}


def outcome(done):
    """The exit status, and the error."""
    if isinstance(done.exception, ScrubjayError):
        return done.exception.exit_status, done.exception
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, None


def may(who, action):
    roles, service, scope = WHO[who]
    personal = action in matrix().rules.personal and (service or scope is not None)
    return allowed(roles, action) and (scope is None or action in scope) and not personal


@pytest.mark.parametrize("command", WALK)
def test_the_command_line_is_the_matrix(called, command):
    action, words = WALK[command]
    for who in sorted(WHO, key=lambda who: may(who, action)):  # who may comes last
        status, problem = outcome(called(who, command, words))
        if not may(who, action):
            assert status == 3 and isinstance(problem, AccessError), (who, problem)
            assert any(told in str(problem) for told in (" may", "is not known", "is not for"))
        else:
            assert status != 3, (who, problem)


@pytest.mark.parametrize("who", [who for who in WHO if not may(who, "anonymize.run")])
def test_a_folder_is_no_other_way_in(called, who):
    status, problem = outcome(called(who, "anonymize", ". -o ../out -q --profile patterns"))
    assert status == 3 and isinstance(problem, AccessError)


@pytest.mark.parametrize("command", FREE)
def test_what_asks_nobody_is_for_everybody(called, command):
    status, _ = outcome(called("mallory", command, FREE[command]))
    assert status != 3


def test_without_a_vault_nobody_is_asked_and_nothing_of_it_is_loaded(tmp_path):
    code = (
        "import sys; from click.testing import CliRunner; from scrubjay import cli\n"
        "for words in sys.argv[1:]:\n"
        "    done = CliRunner().invoke(cli.group, words.split(), catch_exceptions=False)\n"
        "    assert done.exit_code == 0, done.output\n"
        "print(sorted({'cryptography', 'apsw', 'pyrage', 'scrubjay.trust'} & set(sys.modules)))"
    )
    (tmp_path / "a.txt").write_text("Ann Lee, 555-010-7788\n")
    calls = ["detect a.txt", "anonymize a.txt -q", "policy show everything", "policy list"]
    calls += ["train synth --count 1 -o b.jsonl", "evaluate --data b.jsonl --profile patterns"]
    done = subprocess.run(
        [sys.executable, "-c", code, *calls], capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "SCRUBJAY_HOME": str(tmp_path / "none"), "SCRUBJAY_API_KEY": "wrong"},
    )  # fmt: skip
    assert done.stdout == "[]\n", done.stdout + done.stderr
    assert not (tmp_path / "none" / "audit").exists()
