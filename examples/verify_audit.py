"""A second verifier of Scrubjay's audit log, written from docs/spec/audit.md alone.

    python verify_audit.py FOLDER VKEY [--first HEX] [--seen "SIZE ROOT"]...

Needs `cryptography`, nothing of Scrubjay. `--first`: the ratchet's first key, hexadecimal, out of
the auditor's copy of first.age. `--seen`: a head from paper. Prints the head, or exits with 1.
"""

import argparse
import base64
import hashlib
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DASH = "\N{EM DASH}"


def sha(data):
    return hashlib.sha256(data).digest()


def keyed(key, data):
    return hashlib.blake2b(data, key=key, digest_size=32).digest()


def checkpoint(folder, vkey):
    """AUD-10 to AUD-14."""
    name, number, key = vkey.split("+", 2)
    kind = base64.b64decode(key)
    key_id = sha(f"{name}\n".encode() + kind)[:4]
    if kind[:1] != b"\x01" or key_id.hex() != number:
        raise ValueError("the verifier key is damaged")
    text, _, below = (folder / "checkpoint").read_bytes().decode().rpartition("\n\n")
    lines = text.split("\n")
    if len(lines) != 3 or lines[0] != name or str(int(lines[1])) != lines[1]:
        raise ValueError("checkpoint: not one of this log")
    signatures = {}
    for line in below.splitlines():
        dash, who, value = line.split(" ")
        signature = base64.b64decode(value, validate=True)
        if dash != DASH or base64.b64encode(signature).decode() != value:
            raise ValueError("checkpoint: a broken signature line")
        signatures[who, signature[:4]] = signature[4:]
    text += "\n"
    try:
        mine = signatures[name, key_id]
        Ed25519PublicKey.from_public_bytes(kind[1:]).verify(mine, text.encode())
    except (KeyError, InvalidSignature):
        raise ValueError("checkpoint: not signed by this log's key") from None
    return name, text.encode(), int(lines[1]), base64.b64decode(lines[2]), signatures


def tile(folder, level, place, width):
    parts = f"{place:,}".split(",")
    parts = [f"x{part.zfill(3)}" for part in parts[:-1]] + [parts[-1].zfill(3)]
    path = folder.joinpath("tile", str(level), *parts)
    part = path.with_name(f"{path.name}.p") / str(width)
    return (part if width < 256 and part.exists() else path).read_bytes()


def leaves(data, width):
    found, at = [], 0
    while at < len(data) and len(found) < width:
        length = int.from_bytes(data[at : at + 2], "big")
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return found if at <= len(data) else found[:-1]


def top(hashes):
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=False)
        hashes = [sha(b"\1" + a + b) for a, b in pairs] + (hashes[-1:] if len(hashes) % 2 else [])
    return hashes[0] if hashes else sha(b"")


def block(folder, place, width, key):
    """The hashes of one bundle, held against tile and tags; the ratchet's key after it."""
    stored = tile(folder, 0, place, width)[: 32 * width]
    hashes, data = [], tile(folder, "entries", place, width)
    for number, leaf in enumerate(leaves(data, width), place * 256):
        at = number % 256
        value = sha(b"\0" + leaf)
        tag = keyed(key, b"scrubjay/audit/entry\n%d\n" % number + leaf[33:]) if key else leaf[1:33]
        if leaf[:33] != b"\1" + tag or value != stored[32 * at : 32 * at + 32]:
            raise ValueError(f"entry {number} is not what was logged")
        hashes.append(value)
        key = key and keyed(key, b"scrubjay/audit/next\n")
    if len(hashes) == width:
        return hashes, key
    raise ValueError(f"entry {place * 256 + len(hashes)} is missing")


def verify(folder, vkey, first=b"", seen=()):
    name, text, size, root, signatures = checkpoint(folder, vkey)
    for was, _ in seen:
        if was > size:
            raise ValueError(f"entry {size} is missing: {was} were seen")
    blocks, key, done = [], first, 0  # roots of whole bundles
    due = sorted([*seen, (size, root)])
    while done < size:
        hashes, key = block(folder, done // 256, min(256, size - done), key)
        while due and due[0][0] <= done + len(hashes):
            was, want = due.pop(0)
            part = hashes[: was - done]
            if top([*blocks, top(part)] if part else blocks) != want:
                raise ValueError(f"the first {was} entries are not those of the head of {was}")
        blocks += [top(hashes)] if len(hashes) == 256 else []
        done += len(hashes)
    if any(want != top([]) for _, want in due):  # heads of no entries
        raise ValueError("the head of no entries is not that of an empty tree")
    above(folder, blocks)
    seal_id = sha(name.encode() + b"\n\xffscrubjay/ratchet/v1")[:4]
    seal = signatures.get((name, seal_id))
    if first and seal != keyed(key, b"scrubjay/audit/head\n" + text):
        raise ValueError(f"entry {size} is missing: the seal is not that of {size} entries")
    return f"{size} {base64.b64encode(root).decode()}"


def above(folder, row):
    level = 1
    while row:
        for place in range(0, len(row), 256):
            part = row[place : place + 256]
            if tile(folder, level, place // 256, len(part))[: 32 * len(part)] != b"".join(part):
                raise ValueError(f"tile {level}/{place // 256} does not match the entries below it")
        row = [top(row[at : at + 256]) for at in range(0, len(row) - 255, 256)]
        level += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("vkey")
    parser.add_argument("--first", type=bytes.fromhex, default=b"")
    parser.add_argument("--seen", action="append", default=[])
    told = parser.parse_args()
    try:
        heads = [(int(size), base64.b64decode(root)) for size, root in map(str.split, told.seen)]
        sys.stdout.write(verify(told.folder, told.vkey, told.first, heads) + "\n")
    except (OSError, ValueError) as problem:
        sys.exit(f"{told.folder}: {problem}")


if __name__ == "__main__":
    main()
