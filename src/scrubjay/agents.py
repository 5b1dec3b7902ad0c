"""What agents can do with Scrubjay: the tools of `scrubjay mcp`, without its protocol.

Where there is a vault, each call takes its action's role and is in the log before its result is
released. No result holds what was found, but for `restore_text`, which takes two other people's
approval. An agent chooses no policy: who starts the server does.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from scrubjay import policies
from scrubjay.engine import Engine
from scrubjay.errors import AccessError, AuditError, RefusedError, UsageError
from scrubjay.run.walk import single
from scrubjay.run.worker import Done, Recipe, Task, Worker
from scrubjay.types import Document

if TYPE_CHECKING:
    from scrubjay.trust import Trust

Told = dict[str, Any]


class Folders(NamedTuple):
    """Where files may be read and where clean ones go. None: nowhere."""

    source: Path | None = None
    target: Path | None = None


class Toolbox:
    """`domain` is told to the log: whose keys the engine has. Docstrings are for the model."""

    def __init__(
        self, engine: Engine, folders: Folders, trust: Trust | None = None, *, domain: str = ""
    ) -> None:
        self._engine, self._folders = engine, folders
        self._trust, self._domain = trust, domain
        self._worker = Worker(Recipe(lambda: engine))
        self._doing = ""

    def failed(self, problem: Exception) -> None:
        """Log that the last call came to nothing; who was refused is in the log already."""
        if self._trust and not isinstance(problem, AuditError):
            self._trust.tell_failed(self._doing.removesuffix(".run"), problem)

    async def detect_text(self, text: str) -> Told:
        """Find personal data in a text. The result tells places (code points from start up to,
        not including, end) and labels, never the values."""
        self._require("detect.run")
        found = self._engine.detect(text)
        counts = dict(Counter(one.label for one in found))
        self._tell("detect", "detect", counts=counts)
        return {"findings": [_place(msgspec.to_builtins(one)) for one in found], "counts": counts}

    async def anonymize_text(self, text: str, group: str = "") -> Told:
        """Take personal data out of a text. Texts of one person, with the same group, have their
        dates shifted alike, where the policy shifts them."""
        self._require("anonymize.run")
        done = self._engine.anonymize(Document(text, group=group))
        self._tell("anonymize", "de-identify", counts=done.report.counts)
        return {"text": done.text, "counts": done.report.counts}

    async def anonymize_file(self, path: str) -> Told:
        """Take personal data out of a file of the input folder: a document, table, image, archive.
        The result tells under which name the clean file is in the output folder."""
        self._require("anonymize.run")
        source, out = self._file(path)
        with tempfile.TemporaryDirectory(prefix=".scrubjay-", dir=out) as beside:
            aside = Path(beside) / "clean"
            done = self._cleaned(source, aside)
            self._tell("anonymize", "de-identify", done.counts, (done.read_sha256, done.sha256))
            target = _free(out / Path(done.name).name)
            aside.replace(target)
        told = {"format": done.kind, "counts": done.counts, "left_out": done.dropped}
        return {"file": target.name, **told}

    async def restore_text(self, text: str, domain: str, approval: str) -> Told:
        """Put values back for the tokens in a text, once: two other people have approved it for
        exactly these tokens. approval is the id of their approval, domain is TENANT/DOMAIN."""
        self._require("restore.run")
        if self._trust is None:
            raise UsageError("there is no vault here, so nothing can be restored")
        return {"text": _restored(self._trust, Document(text), domain, approval)}

    async def list_policies(self) -> Told:
        """The policy that is in force here, and the names of others that a person could start this
        server with."""
        self._require("policy.show")
        policy = self._engine.policy
        self._tell("policy.show", "")
        own = {"name": policy.name, "description": policy.description}
        others = sorted({*policies.names()} - {policy.name})
        return {"in_force": {**own, "digest": self._engine.digest}, "others": others}

    def _require(self, action: str) -> None:
        self._doing = action
        if self._trust:
            self._trust.require(action)

    def _tell(
        self, action: str, role: str, counts: dict[str, int] | None = None,
        digests: tuple[str, str] = ("", ""),
    ) -> None:  # fmt: skip
        """Before it is released."""
        if not self._trust:
            return
        from scrubjay.audit.entry import Entry

        engine, (read, written) = self._engine, map(self._trust.keyed, digests)
        entry = Entry(
            "", "", "", "done", policy=engine.digest, model=" ".join(engine.models.values()),
            counts=counts or {}, about=self._domain, input=read, output=written, details="an agent",
        )  # fmt: skip
        self._trust.tell(action, role, [entry])

    def _file(self, path: str) -> tuple[Path, Path]:
        """A file, and where its clean one goes. What is elsewhere is as if it were not there."""
        folder, out = self._folders
        if folder is None or out is None:
            raise UsageError("files are not for agents here: start it with --in and --out")
        found = (folder / path.replace("\0", "")).resolve()
        if not (found.is_relative_to(folder.resolve()) and found.is_file()):
            raise UsageError("no such file in the input folder: name it as seen from there")
        return found, out

    def _cleaned(self, source: Path, aside: Path) -> Done:
        file = single(source)
        done = self._worker(Task(file, str(aside), file.size))
        if done.problem:
            raise RefusedError(f"it was not anonymized: {done.problem}")
        return done


def _restored(trust: Trust, document: Document, domain: str, approval: str) -> str:
    from scrubjay import restore
    from scrubjay.access import approvals
    from scrubjay.trust import disclosed

    place = trust.domain(domain)
    if place.pairs:
        raise AccessError("a two-person domain takes your own key: scrubjay restore --key FILE")
    tokens = restore.tokens([document])
    scope = restore.scope(tokens, domain)
    grant = approvals.use(trust.register, trust.caller, approval, scope, now=int(time.time()))
    [done] = restore.putting_back(restore.readers(place, {}), tokens)([document])
    output = trust.keyed(hashlib.sha256(done.text.encode()).hexdigest())
    trust.tell("restore", "re-identify", disclosed(grant, [output]))
    return done.text


def _place(finding: Told) -> Told:
    return {name: finding[name] for name in ("start", "end", "label", "score", "detector")}


def _free(target: Path) -> Path:
    """A name that no file has: what is there stays."""
    count, free = 1, target
    while free.exists():
        count += 1
        free = target.with_stem(f"{target.stem} {count}")
    return free
