"""Operators that need a domain of a vault: code, token, fpe; and what a domain makes last."""

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("apsw")

import scrubjay
from scrubjay import Policy, Rule
from scrubjay.errors import OperatorError, PolicyError
from scrubjay.vault import packets, slots, token
from scrubjay.vault.slots import Cost
from scrubjay.vault.vault import TOOLS, Vault

WORDS = slots.passphrase("eleven quiet herons")
TEXT = "SSN 536-90-4399, again 536-90-4399, mail ann@example.org; born 1961-03-14."


@pytest.fixture
def vault(tmp_path):
    made = Vault.init(tmp_path / "vault", WORDS, TOOLS._replace(cost=Cost(8, 1, 1)))
    made.add_tenant("hospital").add_domain("study")
    made.tenant("hospital").add_domain("other")
    yield made
    made.close()


def domain(vault, name="study"):
    return vault.tenant("hospital").domain(name)


def clean(note, operator, domain, **options):
    policy = Policy("p", default=Rule(operator, options=options))
    return scrubjay.load(policy, profile="patterns", domain=domain).anonymize(note).text


def test_a_token_comes_back_and_agrees_in_its_domain_alone(vault):
    told = clean(TEXT, "token", domain(vault))
    first, second, *_ = (told[place.start : place.end] for place in packets.find(told))
    assert first == second and "536-90" not in told
    assert clean(TEXT, "token", domain(vault)) == told
    assert clean(TEXT, "token", domain(vault, "other")) != told
    here = domain(vault)
    keys = {version: here.secret("tokens", version) for version in here.versions}
    mint = token.Mint(keys, token.Context("", here.id, "SSN"))
    assert mint.read([first]) == ["536-90-4399"]


def test_old_tokens_are_read_after_a_rotation(vault):
    told = clean("SSN 536-90-4399", "token", domain(vault))
    domain(vault).rotate()
    here = domain(vault)
    keys = {version: here.secret("tokens", version) for version in here.versions}
    mint = token.Mint(keys, token.Context("", here.id, "SSN"))
    assert mint.read([told.split()[1]]) == ["536-90-4399"]
    assert clean("SSN 536-90-4399", "token", here) != told


def test_a_code_is_random_and_lasts(vault):
    here = domain(vault)
    told = clean("SSN 536-90-4399", "code", here, text="<{label} {code}>")
    assert told.startswith("SSN <SSN ") and clean("SSN 536-90-4399", "code", domain(vault),
                                                  text="<{label} {code}>") == told  # fmt: skip
    assert here.reveal(told.split()[-1].rstrip(">")) == "SSN: 536-90-4399"


def test_fpe_keeps_the_form_and_refuses_small_ones(vault):
    told = clean("SSN 536-90-4399", "fpe", domain(vault))
    parts = told.removeprefix("SSN ").split("-")
    assert [len(part) for part in parts] == [3, 2, 4] and "536-90-4399" not in told
    with pytest.raises(PolicyError, match="only 100000 forms"):
        clean("ZIP 97201", "fpe", domain(vault))


@pytest.mark.parametrize("operator", ["hash", "shift"])
def test_what_must_agree_for_years_outlasts_a_rotation(vault, operator):
    before = clean(TEXT, operator, domain(vault))
    domain(vault).rotate()
    assert clean(TEXT, operator, domain(vault)) == before
    assert clean(TEXT, operator, domain(vault, "other")) != before


@pytest.mark.parametrize("operator", ["code", "token", "fpe"])
def test_without_a_vault_they_say_what_they_need(operator):
    with pytest.raises(OperatorError, match="--domain TENANT/DOMAIN"):
        clean(TEXT, operator, None)
