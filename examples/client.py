"""Texts and files through `scrubjay serve`.

SCRUBJAY_API_KEY=sjk_... python examples/client.py [FILE [CLEAN]]
"""

import sys
from pathlib import Path

from scrubjay.client import Client, Text
from scrubjay.errors import ScrubjayError

with Client() as client:
    print(client.anonymize("Call Dr. Ann Lee at 555-010-7788").text)

    # What is known of a subject is found in every form.
    known = {"PERSON": ("Quentin Quarles",)}
    print(client.anonymize(Text("saw quarles, q. today", known=known)).text)

    # Any number of texts: they are read as they are needed, and answered in order.
    for answer in client.batch(f"SSN 536-90-{number}" for number in range(4000, 4003)):
        print("refused" if isinstance(answer, ScrubjayError) else answer.text)

    if sys.argv[1:]:
        source, target = (Path(name) for name in (*sys.argv[1:], "clean")[:2])
        done = client.file(source, target)
        print(f"{done.path}: {done.counts}")
