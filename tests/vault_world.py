"""A vault for tests, that takes no time to open; and a clock that they set."""

import pytest

from scrubjay.vault import slots
from scrubjay.vault.vault import Cost, Tools, Vault

CHEAP = Cost(memory=64, passes=1, lanes=4)
WORDS = slots.passphrase("four plain words here")
OTHER = slots.passphrase("four other words here")
FILE = slots.Opener("file", bytes(range(32)))


class Clock:
    """A time that tests set."""

    now = 1_790_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tools(clock):
    return Tools(clock=clock, cost=CHEAP)


@pytest.fixture
def folder(tmp_path, tools):
    """A vault with a domain and two subjects, closed."""
    vault = Vault.init(tmp_path / "vault", WORDS, tools)
    vault.add_tenant("t").add_domain("d").codes(["ann", "bob"])
    vault.close()
    return tmp_path / "vault"


@pytest.fixture
def opened(folder, tools):
    """Opens it, and closes it in the end."""
    vaults = []

    def open_(opener=WORDS, **how):
        vaults.append(Vault.open(folder, opener, tools, **how))
        return vaults[-1]

    yield open_
    for vault in vaults:
        vault.close()


def domain_of(vault):
    return vault.tenant("t").domain("d")
