"""Known values: every form of them is found, ordinary words are not, nothing is told."""

import datetime
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scrubjay import Document
from scrubjay.detectors.known import NAME, Known
from scrubjay.detectors.known.names import common, ordinary
from scrubjay.detectors.known.typos import one_slip, one_wrong_digit
from scrubjay.testing import check_detector

KNOWN = Known()
MARIA = {"PERSON": ("Maria de la Cruz Gonzalez",)}
ADDRESS = {"STREET_ADDRESS": ("12 Main Street, Apartment 4B, Springfield, IL 62704",)}


def found(text, **known):
    """What is found, as it stands in the text."""
    findings = KNOWN.detect([Document(text, known=known)])[0]
    return [text[f.start : f.end] for f in findings]


def covered(text, value, **known):
    """Whether every letter and digit of `value`, which is in `text`, is in a finding."""
    start = text.index(value)
    findings = KNOWN.detect([Document(text, known=known)])[0]
    inside = {place for f in findings for place in range(f.start, f.end)}
    places = range(start, start + len(value))
    return all(place in inside for place in places if text[place].isalnum())


def score(text, **known):
    return max((f.score for f in KNOWN.detect([Document(text, known=known)])[0]), default=0)


@pytest.mark.parametrize(
    "form",
    [
        "Maria de la Cruz Gonzalez",
        "Maria Cruz Gonzalez",
        "Gonzalez, Maria",
        "GONZALEZ, MARIA",
        "Gonzalez Maria",
        "M. Gonzalez",
        "Gonzalez M.",
        "Gonzalez, M",
        "Maria",
        "gonzalez",
        "González",
        "de la Cruz",
        "DelaCruz",
        "Cruz-Gonzalez",
        "CruzGonzalez",
        "Maria T. Gonzalez",
        "Maria Elena Gonzalez",
        "Maria\nGonzalez",
        "Gonzalze",
        "Gonzales",
        "Gonzlez",
        "Gonzallez",
        "mgonzalez",
        "maria.gonzalez",
        "mgonzalez42",
        "mcruzgonzalez",
        "Mar\u00eda",
        "Mari\u0301a",
        "Gon\u200bzalez",
        "\uff2d\uff21\uff32\uff29\uff21",
        "M\u0430ria",
    ],
)
def test_forms_of_a_name(form):
    for text in (f"we saw {form} today", f"{form}'s leg", f"\U0001f600 ({form}) \U0001f600"):
        assert covered(text, form, **MARIA), text


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Jürgen Müller", "Mueller"),
        ("Jürgen Müller", "Muller"),
        ("Juergen Mueller", "Müller"),
        ("Anna Weiß", "Weiss"),
        ("Anna Weiss", "Weiß"),
        ("Søren Ødegård", "Odegaard"),
        ("Jean-Luc Lee-Ross", "Jeanluc Leeross"),
        ("Jean-Luc Lee-Ross", "Jean Luc Ross"),
        ("Sean OBrien", "O'Brien"),
        ("Sean O'Brien", "OBrien"),
        ("Sean O’Brien", "O'Brien"),
        ("Ian MacDonald", "Mac Donald"),
        ("Elizabeth Warrick", "Liz"),
        ("Elizabeth Warrick", "Beth Warrick"),
        ("Liz Warrick", "Elizabeth"),
        ("Okafor, Samuel T.", "Dr. Samuel Okafor"),
        ("Mr. Samuel Okafor Jr.", "Okafor"),
        ("Иван Петров", "петров"),
        ("Γιώργος Παππάς", "ΠΑΠΠΑΣ"),
        ("山田 太郎", "山田太郎"),
        ("김철수", "김철수는"),
        ("Nguyễn Văn An", "Nguyen"),
        ("Wu", "Wu"),
    ],
)
def test_spellings(name, form):
    sought = form.removeprefix("Dr. ").removesuffix("는")
    assert covered(f"we saw {form} today", sought, PERSON=(name,))


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("Ann Price", "The price is high. Price is a word.", []),
        ("Ann Price", "They saw Price today, the price was high.", ["Price"]),
        ("Ann Price", "Mr. Price and Ann Price", ["Price", "Ann Price"]),
        ("Ann Price", "HIGH PRICE LIST", []),
        ("Ann Price", "ann price came", ["ann price"]),
        ("Mark Young", "mark the young one", []),
        ("Anna Price", "A price list. That Price A was", ["Price"]),
        ("Grace Young", "A young man, by the grace of age.", []),
        ("Raymond Hill", "An x-ray on the hill, rays and a hill.", []),
        ("William Stone", "She will bill us for a kidney stone.", []),
        ("William Stone", "We saw Bill there.", ["Bill"]),
        ("John Parkinson", "Parkinson's disease, Parkinson disease.", []),
        ("John Parkinson", "John Parkinson has Parkinson's disease.", ["John Parkinson"]),
        ("Ann Barre", "Guillain-Barré syndrome", []),
        ("Stan Ding", "standing here", []),
        ("Ed Martin", "in the ED, a margin", []),
        ("Ann Pierce", "a piece of it", []),
        ("Steven Walter", "Seven of them drank water. Water is good.", []),
        ("Paul Grant", "a skin graft", []),
        ("Maria Gonzalez", "given 500 MG of it, 5 mg/kg", []),
        ("Maria Gonzalez", "Pt. MG was seen", ["MG"]),
        ("Maria Gonzalez", "Ms. M.G. was seen", ["M.G."]),
        ("Maria Gonzalez", "the marina", []),
    ],
)
def test_words_that_are_names_too(name, text, names):
    assert found(text, PERSON=(name,)) == names


def test_a_user_name_beside_a_name():
    names = ["Cruz Gonzalez", "mcruzgonzalez", "Gonzalez"]
    assert found("Cruz Gonzalez, mcruzgonzalez, Gonzalez", **MARIA) == names


def test_an_address_in_an_email_or_url_is_taken_whole():
    text = "write maria.gonzalez@example.org, see https://example.org/maria-gonzalez?a=1."
    findings = KNOWN.detect([Document(text, known=MARIA)])[0]
    labels = {f.label: text[f.start : f.end] for f in findings}
    assert labels["EMAIL"] == "maria.gonzalez@example.org"
    assert labels["URL"] == "https://example.org/maria-gonzalez?a=1"


names = st.lists(
    st.text(string.ascii_lowercase, min_size=5, max_size=9)
    .filter(lambda word: word not in ordinary() and word not in common())
    .map(str.capitalize),
    min_size=2,
    max_size=3,
    unique_by=str.lower,
)


@settings(max_examples=200)
@given(names, st.randoms(use_true_random=False))
def test_any_form_of_any_name(parts, dice):
    given_name, *family = parts
    last = family[-1]
    forms = [
        " ".join(parts),
        " ".join(reversed(parts)),
        f"{last}, {given_name}",
        f"{given_name[0]}. {last}",
        f"{last} {given_name[0]}",
        last.upper(),
        last.lower(),
        given_name,
        f"{given_name[0]}{last}".lower(),
        f"{given_name}.{last}".lower(),
        f"{given_name}-{last}",
    ]
    form = dice.choice(forms)
    assert covered(f"then {form} went", form, PERSON=(" ".join(parts),)), form


@st.composite
def slips(draw):
    """A word and the same with one slip."""
    word = draw(st.text(string.ascii_lowercase, min_size=5, max_size=10))
    place = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from(string.ascii_lowercase))
    head, tail = word[:place], word[place:]
    return word, draw(
        st.sampled_from(
            [
                head + tail[1:],
                head + letter + tail,
                word + letter,
                head + letter + tail[1:],
                head + tail[1:2] + tail[:1] + tail[2:],
            ]
        )
    )


@settings(max_examples=300)
@given(slips())
@example(("gonzalez", "ogonzalez"))
@example(("abcde", "bacde"))
@example(("abcde", "acbde"))
def test_any_slip_in_a_name(pair):
    word, slip = pair
    if slip in ordinary() or word in ordinary() or len(slip) < 4:
        return
    assert slip == word or one_slip(word, slip)
    text = f"then {slip.capitalize()} went"
    assert covered(text, slip.capitalize(), PERSON=(f"Qxzv {word}",))


@given(st.text("abc", min_size=5, max_size=7), st.text("abc", min_size=4, max_size=8))
def test_two_slips_are_too_many(word, other):
    deleted = {word[:i] + word[i + 1 :] for i in range(len(word))}
    inserted = {word[:i] + c + word[i:] for i in range(len(word) + 1) for c in "abc"}
    other_letter = {word[:i] + c + word[i + 1 :] for i in range(len(word)) for c in "abc"}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    near = (deleted | inserted | other_letter | swapped) - {word}
    assert one_slip(word, other) == (other in near)


DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2029, 12, 31))


def written(day):
    """Forms of one day."""
    y, m, d = day.year, day.month, day.day
    month, short = day.strftime("%B"), day.strftime("%b")
    ending = "th" if 10 < d < 20 else {1: "st", 2: "nd", 3: "rd"}.get(d % 10, "th")
    return [
        f"{y}-{m:02}-{d:02}",
        f"{m}/{d}/{y % 100:02}",
        f"{m:02}/{d:02}/{y}",
        f"{d:02}/{m:02}/{y}",
        f"{d}.{m}.{y}",
        f"{d} {month} {y}",
        f"{month} {d}, {y}",
        f"{short} {d}{ending} '{y % 100:02}",
        f"{d:02}-{short.upper()}-{y}",
        f"{d}{ending} of {month} {y}",
        f"{y}{m:02}{d:02}",
        f"{month} {d}",
        f"{d} {short}",
        f"{y} {month} {d}",
        f"{y}年{m}月{d}日",
    ]


@settings(max_examples=150)
@given(DAYS, st.sampled_from(range(15)), st.sampled_from(range(15)))
def test_any_form_of_any_day(day, stored, shown):
    value = written(day)[stored] if stored in (0, 5, 6, 8, 10) else day.isoformat()
    form = written(day)[shown]
    assert covered(f"on {form} she", form, BIRTH_DATE=(value,)), (value, form)


@settings(max_examples=150)
@given(DAYS, DAYS, st.sampled_from(range(15)))
def test_other_days_stay(day, other, shown):
    if day.year % 100 == other.year % 100 or (day.month, day.day) == (other.month, other.day):
        return
    if {day.day, day.month} == {other.day, other.month} or shown in (11, 12):
        return
    text = f"on {written(other)[shown]} she"
    if other.month == day.month and other.day == day.day:
        return
    assert found(text, DATE=(day.isoformat(),)) == []


@pytest.mark.parametrize(
    "form",
    ["4 mars 1950", "4. März 1950", "4 de marzo de 1950", "4 марта 1950", "4 marca 1950"],
)
def test_days_in_other_languages(form):
    assert found(f"am {form} da", BIRTH_DATE=("1950-03-04",)) == [form]


@pytest.mark.parametrize(
    ("value", "text", "want"),
    [
        ("1950-03-04T10:30:00Z", "on 3/4/1950", ["3/4/1950"]),
        ("2024-03-04 to 2024-05-06", "4 March 2024, 6 May 2024", ["4 March 2024", "6 May 2024"]),
        ("03/04/1950", "4 March 1950, 3 April 1950", ["4 March 1950", "3 April 1950"]),
        ("17.08.1950", "1950-08-17T08:00", ["1950-08-17"]),
        ("spring 1950", "in Spring 1950", ["Spring 1950"]),
        ("3", "3 of 12", []),
    ],
)
def test_what_a_date_may_be(value, text, want):
    assert [f.rstrip("T08") if "T" in f else f for f in found(text, DATE=(value,))] == want


def test_half_a_day_needs_a_cue():
    known = {"BIRTH_DATE": ("1950-03-04",)}
    assert found("born 3/4, took 3/4 of it, 4/3", **known) == ["3/4"]
    assert found("March 1950, March 5, 4 May", **known) == []


@settings(max_examples=200)
@given(
    st.text(string.digits, min_size=7, max_size=14).filter(lambda n: n.lstrip("0")[6:]),
    st.lists(st.sampled_from(["", "", "-", " ", ".", "/"]), min_size=20, max_size=20),
)
def test_numbers_in_any_grouping(number, between):
    form = "".join(map("".join, zip(number, between, strict=False))).rstrip("-. /")
    assert covered(f"no {form} is", form, MRN=(number,))
    assert covered(f"no {number} is", number, ACCOUNT=(form,))
    assert covered(f"no 00{number} is", number, MRN=(number,))
    assert covered(f"no MRN{number} is", f"MRN{number}", MRN=(number,))


@settings(max_examples=200)
@given(st.text(string.digits, min_size=7, max_size=12), st.integers(0, 10), st.data())
def test_one_wrong_digit(number, place, data):
    number = f"9{number}"
    place = 1 + place % (len(number) - 2)
    other = data.draw(st.sampled_from(string.digits))
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    for wrong in (number[:place] + other + number[place + 1 :], swapped):
        assert wrong == number or one_wrong_digit(number, wrong)
        assert covered(f"no {wrong} is", wrong, SSN=(number,))


@pytest.mark.parametrize(
    ("label", "value", "text", "want"),
    [
        ("PHONE", "+1 555-010-7788", "call 555 010 7788", ["555 010 7788"]),
        ("PHONE", "+1 555-010-7788", "call (555) 010-7788.", ["(555) 010-7788"]),
        ("PHONE", "555-010-7788", "call +1 (555) 010-7788", ["+1 (555) 010-7788"]),
        ("PHONE", "555-010-7788 x12", "call 555.010.7788", ["555.010.7788"]),
        ("PHONE", "020 7946 0958", "call +44 (0)20 7946 0958", ["+44 (0)20 7946 0958"]),
        ("PHONE", "+44 20 7946 0958", "call 020 7946 0958", ["020 7946 0958"]),
        ("PHONE", "+49 30 901820", "call 030/901820", ["030/901820"]),
        ("SSN", "536-90-4399", "ending in 4399, or 4399", ["4399"]),
        ("SSN", "536-90-4399", "xxx-xx-4399", ["4399"]),
        ("SSN", "536-90-4399", "last four digits: 4399", ["4399"]),
        ("SSN", "536-90-4399", "536-90-4388 and 536-99-4388", []),
        ("MRN", "123456", "12.123456, 1,123456 and 123457", []),
        ("MRN", "A1234567", "a 123-4567, A1234576, B1234567", ["a 123-4567", "A1234576"]),
        (
            "IBAN",
            "DE44 5001 0517 5407 3249 31",
            "de44500105175407324931",
            ["de44500105175407324931"],
        ),
        ("ZIP", "62704", "62704-1234 and 62705", ["62704-1234"]),
        ("POSTAL_CODE", "SW1A 1AA", "sw1a1aa", ["sw1a1aa"]),
        ("EMAIL", "Ann@Example.org", "to ANN@example.ORG.", ["ANN@example.ORG"]),
        ("IP", "10.0.0.1", "at 10.0.0.1, 10.0.0.2", ["10.0.0.1"]),
        ("ORGANIZATION", "Acme Widgets", "at ACME  widgets", ["ACME  widgets"]),
        ("PROFESSION", "nurse", "a Nurse, nurses", ["Nurse"]),
        ("CITY", "Reading", "was reading in Reading", ["Reading"]),
        ("CITY", "St. Louis", "in Saint Louis", ["Saint Louis"]),
        ("STREET_ADDRESS", "Hauptstraße 12", "Hauptstr. 12", ["Hauptstr. 12"]),
        ("STATE", "OR", "Portland, OR or the OR", ["OR"]),
    ],
)
def test_numbers_places_and_others(label, value, text, want):
    assert found(text, **{label: (value,)}) == want


@pytest.mark.parametrize(
    "form",
    [
        "12 Main Street, Apartment 4B, Springfield, IL 62704",
        "12 MAIN ST APT 4B SPRINGFIELD IL 62704",
        "12 Main St.",
        "12 main street #4B",
        "Main St",
        "Springfield",
        "62704",
    ],
)
def test_forms_of_an_address(form):
    assert covered(f"lives at {form}, as she says", form, **ADDRESS)


def test_scores_are_as_documented():
    def scored(text):
        return score(text, **MARIA, SSN=("536-90-4399",), BIRTH_DATE=("1950-03-04",))

    exact = ["Maria de la Cruz Gonzalez", "536904399", "4 March 1950"]
    assert [scored(text) for text in exact] == [1.0] * 3
    assert [scored(text) for text in ("M. Gonzalez", "3/4/50")] == [0.9] * 2
    assert [scored(text) for text in ("a Gonzalze", "536-90-4398")] == [0.8] * 2
    assert [scored(text) for text in ("Pt MG", "ending 4399", "March 4")] == [0.6] * 3


UNRELATED = """Subjective: slept poorly, coughing up sputum since Tuesday, no fevers at home. BP
130/80, pulse 72, weight 81.5 kg. Takes 500 MG of metformin at 8:30 and 20 mg of it at night. An
x-ray in 2019 was normal; will call with results by the 12th. Dr. Okafor saw Hodgkin's lymphoma in
Apt. 9."""


@settings(max_examples=100)
@given(names, DAYS, st.text(string.digits, min_size=8, max_size=10))
def test_unrelated_text_gives_nothing(parts, day, number):
    known = {"PERSON": (" ".join(parts),), "BIRTH_DATE": (day.isoformat(),), "MRN": (f"7{number}",)}
    words = {word.strip(".,;:").lower() for word in UNRELATED.split()}
    if any(one_slip(part.lower(), word) for part in parts for word in words):
        return
    assert found(UNRELATED, **known) == []


def test_only_its_own_values():
    texts = [
        Document("Ann Okafor and Ben Weaver", known={"PERSON": ("Ann Okafor",)}),
        Document("Ann Okafor and Ben Weaver", known={"PERSON": ("Ben Weaver",)}),
        Document("Ann Okafor and Ben Weaver"),
    ]
    spans = [[(f.start, f.end) for f in findings] for findings in KNOWN.detect(texts)]
    assert spans == [[(0, 10)], [(15, 25)], []]


def test_the_contract():
    class Subject:
        """The detector with something to look for in every text."""

        name = NAME

        def detect(self, documents):
            known = {"PERSON": ("Ann Lee", "A" * 5000), "PHONE": ("5550107788",)}
            return KNOWN.detect([Document(document.text, known=known) for document in documents])

    check_detector(KNOWN)
    check_detector(Subject())


@settings(max_examples=200)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(["PERSON", "BIRTH_DATE", "PHONE", "LOCATION", "EMAIL", "MRN", "ZIP", "URL"]),
)
def test_any_value_and_any_text(text, value, label):
    document = Document(f"{text} {value} {text}", known={label: (value,)})
    for finding in KNOWN.detect([document])[0]:
        assert 0 <= finding.start < finding.end <= len(document.text)


@given(st.text(max_size=20, alphabet="\U0001f600\u0301\u200b\u00e9 \u0661\U0001d400"))
def test_offsets_are_code_points(before):
    text = f"{before} Gonzalez \U0001f600"
    start = text.index("Gonzalez")
    spans = [(f.start, f.end) for f in KNOWN.detect([Document(text, known=MARIA)])[0]]
    assert (start, start + 8) in spans


def test_empty_fields_are_no_values():
    assert found("some, text", PERSON=("", "  ", "-"), MRN=("",), DATE=("",)) == []


def test_a_short_number_in_pieces_is_found_as_it_is():
    assert covered("see 2.5.1 for it", "2.5.1", MRN=("2.5.1",))
