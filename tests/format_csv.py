"""Samples of separated values, and a planter for them."""

import csv
import io
import random

NAMES = ["Zora Quillfeather", "Anneke Vandermolen", "Teodoro Brightwater"]


def sample(size, *, delimiter=",", seed=1):
    """About `size` bytes of patients with a note each, some cells quoted, some with line ends."""
    dice = random.Random(seed)
    sink = io.StringIO()
    write = csv.writer(sink, delimiter=delimiter)
    write.writerow(["patient_id", "patient_name", "dob", "sex", "dose", "note"])
    number = 0
    while sink.tell() < size:
        number += 1
        name = dice.choice(NAMES)
        day = f"{dice.randint(1930, 2010)}-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}"
        phone = f"555-010-{dice.randint(1000, 9999)}"
        note = f'{name.split()[1]} seen{delimiter} said "ok".\r\nCalls {phone}'
        write.writerow([4000000 + number, name, day, "MF"[number % 2], number % 90, note * 3])
    return sink.getvalue().encode()
