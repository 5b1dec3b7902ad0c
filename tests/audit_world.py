"""A log in a world of its own: keys from a seed, a clock, a disk that can be killed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scrubjay.audit import log, note, query, simulated, verify
from scrubjay.audit.entry import Entry
from scrubjay.audit.secrets import EntryKeys, Secrets
from scrubjay.keys import Key
from scrubjay.vault.store import Memory

ORIGIN = "audit.example/ward"
START = datetime(2026, 11, 21, 10, tzinfo=UTC)
AUDITOR = pyrage.x25519.Identity.generate()
ENTRY = Entry("ada", "de-identify", "anonymize", "done", counts={"PERSON": 2})


def private(seed):
    return Ed25519PrivateKey.from_private_bytes(Random(seed).randbytes(32))


class World:
    """A log, its keys, and a disk that can be killed."""

    def __init__(self, disk=None, folder=Path("/log"), seed=1):
        self.dice = Random(seed)
        self.disk = simulated.Disk() if disk is None else disk
        self.place = log.Place(folder, folder.with_name(f"{folder.name}-state"), self.disk)
        self.store = Memory()
        self.now = START
        self.tick = timedelta(seconds=1)
        signer = note.Signer(ORIGIN, private(seed))
        secret = Key(self.dice.randbytes(32))
        self.secrets = Secrets(signer, secret, self.store, [str(AUDITOR.to_public())])

    def clock(self):
        self.now += self.tick
        return self.now

    def create(self):
        made = log.create(self.place, self.secrets, self.clock, self.dice.randbytes)
        self.first = verify.first_key(self.disk.read(self.place.folder / log.FIRST), AUDITOR)
        return made

    def open(self, disk=None):
        self.place = self.place._replace(disk=disk or self.place.disk)
        return log.Log.open(self.place, self.secrets, self.clock, self.dice.randbytes)

    def verify(self, seen=(), first=True, witnesses=()):
        signer = self.secrets.signer.verifier
        trusted = verify.Trusted(signer, witnesses, self.first if first else b"")
        return verify.verify(self.place.folder, trusted, seen, disk=self.place.disk)

    @property
    def keys(self):
        return EntryKeys(ORIGIN, self.secrets.secret, self.store, self.dice.randbytes)

    def read(self):
        signer = self.secrets.signer.verifier
        return list(query.read(self.place.folder, signer, self.keys, disk=self.place.disk))

    @property
    def shown(self):
        """How many entries a reader of the folder sees."""
        return int(self.place.disk.read(self.place.folder / "checkpoint").split()[1])

    def change(self, name, data):
        self.place.disk.write(self.place.folder / name, data)
