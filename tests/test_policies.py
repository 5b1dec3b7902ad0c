"""Policies: a wrong one is refused with its line, and Safe Harbor keeps nothing that it may not."""

import subprocess
import sys
from pathlib import Path

import pytest

import scrubjay
from scrubjay import coverage, labels, operators, policies
from scrubjay.errors import PolicyError

VECTORS = Path(__file__).parent.parent / "vectors" / "policy"


def main(*arguments, stdin):
    done = subprocess.run(
        [sys.executable, "-m", "scrubjay", *arguments], input=stdin, text=True, capture_output=True
    )
    return done.returncode, done.stdout


@pytest.fixture
def write(tmp_path):
    def write(text, name="own.toml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def comment(path, word):
    line = next(line for line in path.read_text().splitlines() if line.startswith(f"# {word}:"))
    return line.partition(": ")[2].strip()


@pytest.mark.parametrize("path", sorted(VECTORS.glob("bad-*.toml")), ids=lambda p: p.stem)
def test_a_wrong_policy_names_line_and_choices(path):
    with pytest.raises(PolicyError, match=f"{path.name}: ?{comment(path, 'refused')}|No such file"):
        policies.load(path)
    assert main("anonymize", "-", "-p", path, stdin="x")[0] == 1


@pytest.mark.parametrize("path", sorted(VECTORS.glob("good-*.toml")), ids=lambda p: p.stem)
def test_a_policy_does_what_it_says(path):
    text, clean = comment(path, "text"), comment(path, "clean")
    assert scrubjay.load(path, profile="patterns").anonymize(text).text == clean
    assert main("anonymize", "-", "-p", path, "--profile", "patterns", stdin=text) == (0, clean)


def test_a_policy_may_not_extend_itself(write):
    write('extends = "b.toml"', "a.toml")
    with pytest.raises(PolicyError, match="extends itself"):
        policies.load(write('extends = "a.toml"', "b.toml"))


def test_extends_overrides_rule_by_rule(write):
    base = policies.load("hipaa-safe-harbor")
    own = policies.load(
        write(
            'extends = "hipaa-safe-harbor"\nallow = ["Riverside"]\n[rules.PHONE]\noperator = "mask"'
        )
    )
    assert own.rule("FAX").operator == "mask.v1", "a rule covers the labels below its own"
    assert own.rule("DATE") == base.rule("DATE")
    assert policies.digest(own) != policies.digest(base)


def test_own_patterns_allow_and_deny(write):
    engine = scrubjay.load(
        write(
            'allow = ["ACME-1"]\ndeny = { PERSON = ["Zoltan Qux"] }\n'
            '[default]\noperator = "redact"\n'
            "[[patterns]]\nname = 'badge'\nlabel = 'EMPLOYEE_ID'\nregex = '\\bACME-(\\d+)\\b'\n"
        ),
        profile="patterns",
    )
    clean = engine.anonymize("ACME-77 met zoltan  qux").text
    assert clean == "ACME-[EMPLOYEE_ID] met [PERSON]"


@pytest.mark.parametrize("name", policies.names())
def test_every_policy_that_ships_is_usable(name):
    policy = policies.load(name)
    for label in [*labels.table(), "SOMETHING_NEW"]:
        rule = policy.rule(label)
        operators.make(rule.operator, rule.options)
    assert policy.description


def test_safe_harbor_keeps_none_of_the_eighteen():
    policy = policies.load("hipaa-safe-harbor")
    rows = coverage.table(policy)
    assert [row.letter for row in rows] == list("ABCDEFGHIJKLMNOPQR")
    for row in rows:
        assert row.labels, f"no label carries the letter {row.letter}"
        assert "keep.v1" not in row.labels.values(), row.letter
    assert policy.rule("SOMETHING_NEW").operator != "keep.v1"


def test_equal_behaviour_has_an_equal_digest(write):
    short = policies.load(write('[rules.SSN]\noperator = "mask"', "a.toml"))
    full = policies.load(write('name = "b"\n[rules.SSN]\noperator = "mask.v1"', "b.toml"))
    assert policies.digest(short) == policies.digest(full)


def test_a_rule_takes_what_it_does_not_say_from_the_label_above(write):
    policy = policies.load(
        write(
            '[default]\noperator = "keep"\n[rules.SSN]\nthreshold = 0.3\n'
            '[rules.NATIONAL_ID]\noperator = "redact"\n'
        )
    )
    assert policy.rule("SSN").operator == "redact.v1"


def test_a_policy_made_in_code_is_checked_too():
    with pytest.raises(PolicyError, match="between 0 and 1"):
        scrubjay.load(scrubjay.Policy("p", rules={"SSN": scrubjay.Rule(threshold=7.0)}))


def test_what_stays_gives_way_to_what_goes():
    from scrubjay.testing import FakeDetector

    names = FakeDetector({"Kenya Lee": "PERSON"}, 0.8)
    countries = FakeDetector({"Kenya": "COUNTRY"}, 0.9)
    engine = scrubjay.load("hipaa-safe-harbor", detectors=[names, countries])
    assert "Lee" not in engine.anonymize("We met Kenya Lee there.").text
