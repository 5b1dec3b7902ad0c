"""FHIR resources with an identifier in every element that the published models have.

    python tests/fhir_types.py [R4B|R5]

says of all types how many values were planted and how many came through.
"""

import base64
import importlib
import json
import pkgutil
import sys
import types
import typing
from collections import Counter
from functools import cache

from format_clinical import SSN, SURNAME, convert

NUMBER = int(SSN.replace("-", ""))
DAY = "1961-04-05"
PLANTED = {  # by the models' type of a primitive
    "String": SURNAME, "Markdown": f"about {SURNAME} {SSN}", "Code": SURNAME, "Id": SURNAME,
    "Uri": f"http://x.example/{SURNAME}", "Url": f"http://x.example/{SURNAME}",
    "Canonical": f"http://x.example/{SURNAME}|1", "Oid": f"urn:oid:1.2.3.{NUMBER}",
    "UuidVersion": f"urn:uuid:{SURNAME}", "Integer": NUMBER, "PositiveInt": NUMBER,
    "UnsignedInt": NUMBER, "Integer64": NUMBER, "Decimal": NUMBER, "date": DAY, "Date": DAY,
    "datetime": f"{DAY}T10:11:12Z", "DateTime": f"{DAY}T10:11:12Z", "Instant": f"{DAY}T10:11:12Z",
    "EncodedBytes": base64.b64encode(f"For {SURNAME} {SSN}".encode()).decode(),
    "Xhtml": f'<div xmlns="http://www.w3.org/1999/xhtml">{SURNAME} {SSN}</div>',
}  # fmt: skip
EXTENSION = {"extension": [{"url": f"http://x.example/{SURNAME}", "valueString": SURNAME}]}
CONTAINED = {"resourceType": "Patient", "id": SURNAME, "name": [{"family": SURNAME}]}
DEPTH = 3


@cache
def modules(version="R5"):
    """The models' modules of a version by name."""
    package = importlib.import_module("fhir.resources" + ("" if version == "R5" else f".{version}"))
    found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    return {one.name.rpartition(".")[2]: one.name for one in found if not one.ispkg}


def model(name, version, near=""):
    """The model of that name; parts of a resource stand `near` it."""
    home = modules(version).get(name.lower(), near)
    return getattr(importlib.import_module(home), name, None) if home else None


def resource(name, version="R5", count=None):
    """A resource with a plant wherever a value can be; `count` hears of each kind of value."""
    count = Counter() if count is None else count
    value = _object(model(name, version), version, (name,), count)
    return {"resourceType": name, **value, "contained": [CONTAINED]}


def _object(whole, version, above, count):
    told = {}
    for name, field in whole.model_fields.items():
        if name == "resourceType":  # of ExampleScenario's instances: it must be a type
            continue
        many, kind = _kind(field.annotation)
        if name.endswith("__ext"):
            value, kind = (EXTENSION if len(above) < 3 else None), "primitive extension"
        elif kind in PLANTED:
            value = PLANTED[kind]
        else:
            value = _inner(kind.removesuffix("Type"), (whole, version), above, count)
            kind = "object"
        if value is not None:
            count[kind] += 1
            told[field.alias or name] = [value] if many else value
    return told


def _inner(kind, whose, above, count):
    whole, version = whose
    deep = len(above) > DEPTH or (len(above) > 2 and kind in ("Extension", "Meta"))
    if kind in above or deep or kind in ("Resource", "Element"):
        return None
    found = model(kind, version, whole.__module__)
    if not hasattr(found, "model_fields"):
        return None
    return _object(found, version, (*above, kind), count)


def _kind(told):
    """Whether it is a list, and the name of its type."""
    origin, inside = typing.get_origin(told), typing.get_args(told)
    if origin is typing.Annotated:
        return False, type(inside[1]).__name__
    if origin is list:
        return True, _kind(inside[0])[1]
    if origin in (typing.Union, types.UnionType):
        return _kind(next(each for each in inside if each is not type(None)))
    return False, getattr(told, "__name__", "")


def left(value):
    """What shows of the plants in a clean resource, with the places."""
    pieces = (SURNAME.lower()[1:], SSN, str(NUMBER), DAY)
    return [path for path, each in _leaves(value) if any(p in each.lower() for p in pieces)]


def _leaves(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}", key
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield path, str(value)


def main(version="R5"):
    """All types, to be read."""
    from scrubjay.formats.fhir_walk import names

    count, came, done = Counter(), [], 0
    for name in sorted(name for name in names()[0] if name.lower() in modules(version)):
        data = json.dumps(resource(name, version, count)).encode()
        came += left(json.loads(convert("fhir.v1", data)))
        done += 1
    print(f"{version}: {done} types, {count.total()} values, {len(came)} came through")
    print(*sorted(count.items()), *came[:40], sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
