"""What schemathesis sends where lines are wanted."""

import json

import schemathesis
from hypothesis import strategies

lines = strategies.lists(strategies.fixed_dictionaries({"text": strategies.text(max_size=30)}))
schemathesis.openapi.media_type(
    "application/x-ndjson",
    lines.map(lambda every: "\n".join(map(json.dumps, every)).encode()),
)
