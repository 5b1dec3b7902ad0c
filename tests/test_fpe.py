"""FF1 beside NIST's samples and another implementation; values that keep their form."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from hypothesis import given, settings
from hypothesis import strategies as st

from scrubjay import errors
from scrubjay.keys import Key
from scrubjay.testing import CANARY, canary
from scrubjay.vault import fpe
from scrubjay.vault.fpe import DIGITS, FF1, shaped, unshaped

VECTORS = Path(__file__).parent.parent / "vectors" / "fpe"
ORACLE = Path(__file__).parent / "Ff1Oracle.java"
JARS = [Path("/usr/share/java/bcprov.jar")]
KEY = bytes(range(32))


def vectors(kind):
    return sorted(VECTORS.glob(f"{kind}-*.json"))


def told(path):
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", vectors("nist"), ids=lambda p: p.stem)
def test_nist_samples(path):
    case = told(path)
    cipher, tweak = FF1(bytes.fromhex(case["key"]), case["alphabet"]), bytes.fromhex(case["tweak"])
    assert cipher.encrypt([case["value"]], tweak) == [case["result"]]
    assert cipher.decrypt([case["result"]], tweak) == [case["value"]]


@pytest.mark.parametrize("path", vectors("shaped"), ids=lambda p: p.stem)
def test_a_value_keeps_its_shape(path):
    case = told(path)
    key, tweak = bytes.fromhex(case["key"]), bytes.fromhex(case["tweak"])
    assert shaped(key, [case["value"]], tweak) == [case["result"]]
    assert unshaped(key, [case["result"]], tweak) == [case["value"]]


@pytest.mark.parametrize("path", vectors("small"), ids=lambda p: p.stem)
def test_a_small_domain_is_refused(path):
    case = told(path)
    with pytest.raises(errors.PolicyError, match=case["refused"]):
        shaped(KEY, [case["value"]])


@pytest.mark.parametrize("path", vectors("bad"), ids=lambda p: p.stem)
def test_what_cannot_change_must_not_stay(path):
    case = told(path)
    with pytest.raises(errors.OperatorError, match=case["refused"]):
        shaped(KEY, [case["value"]])


# Another implementation: its answers are vectors. None is of radix 65536, because of the radix's
# three bytes in the block P Bouncy Castle 1.72 writes the lower two.


def spread(numerals):
    """Numerals as characters that no other alphabet here has."""
    return "".join(chr(0x10000 + numeral) for numeral in numerals)


@pytest.mark.parametrize("path", vectors("numerals"), ids=lambda p: p.stem)
def test_numerals_become_these(path):
    case = told(path)
    cipher = FF1(bytes.fromhex(case["key"]), spread(range(case["radix"])))
    value, tweak = spread(case["numerals"]), bytes.fromhex(case["tweak"])
    assert cipher.encrypt([value], tweak) == [spread(case["result"])]
    assert cipher.decrypt([spread(case["result"])] * fpe.FEW, tweak) == [value] * fpe.FEW


def test_bouncy_castle_says_the_same():
    jar = next((jar for jar in JARS if jar.exists()), None)
    if jar is None or not shutil.which("java"):
        pytest.skip("needs java and Bouncy Castle (libbcprov-java)")
    cases = [told(path) for path in vectors("numerals")]
    lines = [
        " ".join(
            [case["key"], str(case["radix"]), case["tweak"] or "-", *map(str, case["numerals"])]
        )
        for case in cases
    ]
    command = ["java", "-cp", str(jar), str(ORACLE)]
    done = subprocess.run(
        command, input="\n".join(lines), capture_output=True, text=True, check=True
    )
    made = [list(map(int, line.split())) for line in done.stdout.splitlines()]
    assert made == [case["result"] for case in cases]


# Promises


@settings(max_examples=30)
@given(st.lists(st.text("0189AZaz -", min_size=20, max_size=30), max_size=4))
def test_values_come_back_whatever_their_shapes(values):
    values = [f"{value}1234567" for value in values]
    made = shaped(KEY, values, b"north")
    assert unshaped(KEY, made, b"north") == values
    assert [list(map(fpe._class, value)) for value in made] == [
        list(map(fpe._class, value)) for value in values
    ]
    assert len(set(made)) == len(set(values))


def test_the_widest_radix_comes_back():
    alphabet = "".join(map(chr, range(0x10000, 0x20000)))
    value = alphabet[1] + alphabet[-1]
    made = FF1(KEY, alphabet).encrypt([value])
    assert made != [value] and FF1(KEY, alphabet).decrypt(made) == [value]


def test_separators_do_not_count():
    dashed, plain = shaped(KEY, ["123-45-6789", "123456789"])
    assert dashed.replace("-", "") == plain


def test_many_at_once_are_what_each_is_alone():
    """Numbers to 18 digits go in columns of 64 bits, others one by one."""
    values = [f"{number * 7919:0{6 + number % 15}d}" for number in range(600)]
    for alphabet in (DIGITS, DIGITS[::-1], DIGITS + "\ud800\U00010000", "x" + DIGITS):
        cipher = FF1(KEY, alphabet)
        made = cipher.encrypt(values, b"t")
        assert made == [cipher.encrypt([value], b"t")[0] for value in values]
        assert cipher.decrypt(made, b"t") == values


@pytest.mark.parametrize(("radix", "length"), [(2, 64), (2, 63), (65536, 4), (256, 8), (10, 18)])
def test_columns_hold_the_largest_numbers(radix, length):
    alphabet = "".join(map(chr, range(0x10000, 0x10000 + radix)))
    cipher, values = FF1(KEY, alphabet), [alphabet[-1] * length, alphabet[0] * length]
    made = cipher.encrypt(values * fpe.FEW)
    assert made == cipher.encrypt(values) * fpe.FEW
    assert cipher.decrypt(made) == values * fpe.FEW


def test_keys_differ_by_context():
    a, b = (fpe.secret(Key(bytes(32)), fpe.Context("north", "study-7", x)) for x in ("SSN", "MRN"))
    assert a != b and len(a) == 32


def test_wrong_settings_are_told():
    with pytest.raises(errors.VaultError, match="this has 15"):
        FF1(bytes(15), DIGITS)
    for alphabet in ("0", "00", "".join(map(chr, range(0x20000, 0x20000 + 65537)))):
        with pytest.raises(errors.PolicyError, match="2 to 65536 characters"):
            FF1(KEY, alphabet)


def test_no_error_tells_the_value():
    with pytest.raises(errors.OperatorError, match="outside of its FF1 alphabet"):
        canary(lambda: FF1(KEY, DIGITS).encrypt([f"{CANARY}0123456789"]))
    with pytest.raises(errors.OperatorError, match="outside of its FF1 alphabet"):
        canary(lambda: FF1(KEY, DIGITS).encrypt(["0123456789"] * 99 + ["01234\uffff6789"]))
    assert "01" not in repr(FF1(KEY, DIGITS))
