"""Texts to measure speed on: clinical prose from sentence fragments, the same on every machine.

Nobody in here exists. A seed fixes everything; only the standard library is used, so that any
Python can build the same texts. Numbers that look like identifiers and are none (vital signs,
doses, laboratory values) are as common as in real notes.

    python benchmarks/texts.py          # prints one note and what it holds
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

SEED = 20251121
DENSE, SPARSE = 0.17, 0.025  # the share of sentences that hold identifiers


def _list(words: str, between: str = " ") -> tuple[str, ...]:
    return tuple(words.split(between))


GIVEN = _list(
    "Alma Bertram Carys Dmitri Eleni Farid Greta Hiroshi Imani Jonas Kavita Leopold Maren Nkechi "
    "Oscar Priya Quentin Rosalind Samir Tilda Umberto Vesna Wendell Ximena Yusuf Zelda"
)
FAMILY = _list(
    "Abernathy Bellweather Castellano Drummond Eriksen Fairbanks Goldstein Hargreaves Ibrahim "
    "Jankowski Kowalczyk Lindqvist Montgomery Nakamura Oyelaran Pemberton Quintero Rasmussen "
    "Szymanski Thornbury Underhill Vasquez Whitcombe Yamazaki Zielinski"
)
STREETS = ("Alder", "Birchwood", "Canal", "Delancey", "Elmhurst", "Foxglove", "Grand", "Harbor")
KINDS = ("Street", "St", "Avenue", "Ave", "Road", "Rd", "Lane", "Drive", "Blvd", "Court")
CITIES = (
    ("Springfield, IL", "627"), ("Dayton, OH", "454"), ("Portland, ME", "041"),
    ("Tucson, AZ", "857"), ("Macon, GA", "312"), ("Eugene, OR", "974"),
)  # fmt: skip
MONTHS = _list(
    "January February March April May June July August September October November December"
)
DRUGS = _list(
    "lisinopril metoprolol atorvastatin metformin amlodipine furosemide warfarin apixaban "
    "sertraline gabapentin prednisone omeprazole levothyroxine insulin glargine clopidogrel "
    "ceftriaxone vancomycin piperacillin heparin tamsulosin albuterol"
)
SYMPTOMS = _list(
    "chest pain, shortness of breath, orthopnea, palpitations, nausea, vomiting, diarrhea, "
    "fever, chills, night sweats, headache, dizziness, blurred vision, dysuria, hematuria, "
    "lower extremity edema, productive cough, weight loss, fatigue, abdominal pain, rash",
    ", ",
)
CONDITIONS = _list(
    "hypertension, type 2 diabetes mellitus, hyperlipidemia, chronic kidney disease stage 3, "
    "coronary artery disease, atrial fibrillation, Parkinson disease, Crohn disease, asthma, "
    "chronic obstructive pulmonary disease, congestive heart failure, hypothyroidism, gout, "
    "Graves disease, osteoarthritis, major depressive disorder, obstructive sleep apnea",
    ", ",
)
ORGANS = _list(
    "heart lungs abdomen neck extremities skin oropharynx spine liver gallbladder pancreas spleen"
)
STUDIES = _list(
    "chest radiograph, CT of the abdomen and pelvis, transthoracic echocardiogram, ECG, "
    "MRI of the brain without contrast, renal ultrasound, stress test, upper endoscopy",
    ", ",
)
RELATIVES = ("wife", "husband", "daughter", "son", "mother", "father", "sister", "brother")

TYPOGRAPHY = (
    ("patient's", "patient\u2019s"), ("\n\n", "\n\n\u2022 "), ("-year", "\u2011year"),
    (" mcg", " \u00b5g"), (" x ", " \u00d7 "), ("No known", "\u201cNo known"), (" cm", "\u00a0cm"),
    ("allergies", "allergies\u201d"), ("Plan:", "Plan \u2013"),
)  # fmt: skip

Maker = Callable[[random.Random], str]


def _digits(dice: random.Random, count: int) -> str:
    return "".join(dice.choices("0123456789", k=count))


def name(dice: random.Random) -> str:
    """A person, as notes write them."""
    given, family = dice.choice(GIVEN), dice.choice(FAMILY)
    initial = dice.choice("ABCDEFGHJKLMNPRSTW")
    forms = (f"{given} {family}", f"{family}, {given}", f"{given} {initial}. {family}")
    return dice.choice(forms)


def date(dice: random.Random) -> str:
    """A day between 1935 and 2025."""
    year, month, day = dice.randint(1935, 2025), dice.randint(1, 12), dice.randint(1, 28)
    forms = (
        f"{month:02}/{day:02}/{year}",
        f"{month}/{day}/{year % 100:02}",
        f"{year}-{month:02}-{day:02}",
        f"{MONTHS[month - 1]} {day}, {year}",
        f"{day} {MONTHS[month - 1][:3]} {year}",
    )
    return dice.choice(forms)


def phone(dice: random.Random) -> str:
    """A number in a real area with the exchange 555."""
    area, line = dice.choice((217, 937, 207, 520, 478, 541)), f"01{_digits(dice, 2)}"
    forms = (f"({area}) 555-{line}", f"{area}-555-{line}", f"{area}.555.{line}")
    return dice.choice((*forms, f"+1 {area} 555 {line}"))


def email(dice: random.Random) -> str:
    """An address in a reserved domain."""
    local = f"{dice.choice(GIVEN)}.{dice.choice(FAMILY)}{dice.randint(1, 99)}".lower()
    return f"{local}@{dice.choice(('example.org', 'mail.example.com', 'clinic.example.net'))}"


def ssn(dice: random.Random) -> str:
    """A number that passes the published rules."""
    return f"{dice.randint(101, 665)}-{dice.randint(10, 99)}-{dice.randint(1000, 9999)}"


def mrn(dice: random.Random) -> str:
    """A record number."""
    return dice.choice((_digits(dice, 7), _digits(dice, 8), f"A{_digits(dice, 7)}"))


def account(dice: random.Random) -> str:
    """A member, account or policy number."""
    return f"{dice.choice(('XJB', 'HPN', 'W', 'MBR-'))}{_digits(dice, 9)}"


def address(dice: random.Random) -> str:
    """A street address with its ZIP."""
    city, zone = dice.choice(CITIES)
    street = f"{dice.randint(10, 9899)} {dice.choice(STREETS)} {dice.choice(KINDS)}"
    return f"{street}, {city} {zone}{_digits(dice, 2)}"


def url(dice: random.Random) -> str:
    """A page in a reserved domain."""
    return f"https://portal.example.org/{dice.choice(('visit', 'results'))}/{_digits(dice, 6)}"


def ip(dice: random.Random) -> str:
    """An address out of the ranges for documentation."""
    return f"203.0.113.{dice.randint(1, 254)}"


IDENTIFIERS: dict[str, Maker] = {
    "name": name, "date": date, "phone": phone, "fax": phone, "email": email, "ssn": ssn,
    "mrn": mrn, "account": account, "address": address, "url": url, "ip": ip,
}  # fmt: skip

WORDS: dict[str, tuple[str, ...]] = {
    "drug": DRUGS, "symptom": SYMPTOMS, "condition": CONDITIONS,
    "organ": ORGANS, "study": STUDIES, "relative": RELATIVES,
    "side": ("left", "right", "bilateral"), "unit": ("mg", "mcg", "units", "mL"),
    "often": ("daily", "twice daily", "every 8 hours", "at bedtime", "as needed", "q6h", "BID"),
    "change": ("improved", "worsened", "remained stable", "resolved", "recurred"),
    "grade": ("mild", "moderate", "severe", "trace", "minimal", "no significant"),
    "span": ("days", "weeks", "months", "years"), "sex": ("man", "woman"),
}  # fmt: skip

NUMBERS: dict[str, Maker] = {
    "dose": lambda dice: str(dice.choice((2.5, 5, 10, 12.5, 20, 25, 40, 50, 81, 100, 500, 1000))),
    "few": lambda dice: str(dice.randint(2, 9)),
    "age": lambda dice: str(dice.randint(19, 96)),
    "pressure": lambda dice: f"{dice.randint(96, 178)}/{dice.randint(52, 104)}",
    "pulse": lambda dice: str(dice.randint(48, 128)),
    "percent": lambda dice: str(dice.randint(81, 100)),
    "celsius": lambda dice: f"{dice.randint(357, 395) / 10}",
    "lab": lambda dice: f"{dice.randint(8, 1480) / 10}",
    "count": lambda dice: f"{dice.randint(101, 489)},{_digits(dice, 3)}",
    "size": lambda dice: f"{dice.randint(3, 48) / 10} x {dice.randint(3, 48) / 10} cm",
    "score": lambda dice: f"{dice.randint(0, 10)}/10",
    "ratio": lambda dice: f"{dice.randint(1, 4)}-{dice.randint(5, 9)}",
}

PLAIN = (
    "The patient reports {symptom} and {symptom} for the past {few} {span}.",
    "Denies {symptom}, {symptom} or {symptom}.",
    "Past medical history is significant for {condition}, {condition} and {condition}.",
    "This is a {age}-year-old {sex} with a history of {condition} who presents with {symptom}.",
    "Vital signs: BP {pressure}, pulse {pulse}, temperature {celsius}, SpO2 {percent}% on air.",
    "Started on {drug} {dose} {unit} {often}; {drug} was held because of {symptom}.",
    "Continue {drug} {dose} {unit} PO {often} and recheck in {ratio} weeks.",
    "Sodium {lab}, potassium {few}.{few}, creatinine {few}.{few}, platelets {count}.",
    "Pain is rated {score} at rest and {score} with movement.",
    "The {study} showed {grade} changes of the {side} {organ} without acute abnormality.",
    "There is a {size} lesion in the {side} {organ}, unchanged from the prior study.",
    "Exam of the {organ} and {organ} was unremarkable; {grade} tenderness on the {side} side.",
    "Over the course of the admission the {symptom} {change} and the {symptom} {change}.",
    "Hemoglobin A1c was {few}.{few}% and LDL {pulse} mg/dL on the most recent panel.",
    "We discussed the risks and benefits of {drug}, and the patient wishes to proceed.",
    "Assessment: {condition}, currently {grade}; {condition}, on {drug}.",
    "No known drug allergies except {drug}, which caused {symptom}.",
    "Family history: {relative} with {condition}, otherwise noncontributory.",
    "Smokes {few} cigarettes a day, drinks {few}-{few} beers per week, no illicit drug use.",
    "Plan: repeat {study}, titrate {drug} to {dose} {unit} {often}, follow up in {few} {span}.",
    "Foley catheter was removed on hospital day {few} and the patient voided without difficulty.",
    "Ejection fraction is estimated at {percent}% with {grade} mitral regurgitation.",
    "The wound is clean, dry and intact with {grade} erythema measuring {size}.",
    "Gait is steady, strength {few}/5 in the {side} arm, reflexes 2+ and symmetric.",
    "Sleeping {few} hours a night; appetite {change}, bowel movements every {few} days.",
    "Received {few} units of packed red cells and {dose} mL of normal saline overnight.",
    "Consider {study} if {symptom} recurs, or if creatinine rises above {lab}.",
    "Her {relative} also carries a diagnosis of {condition}, treated with {drug}.",
    "The {organ} is enlarged, {size}, and {grade} {symptom} was noted after the procedure.",
    "INR {few}.{few}, WBC {lab}, hematocrit {lab}, glucose {pulse}, lactate {few}.{few}.",
    "Given {drug} {dose} {unit} IV x {few} in the emergency department with good effect.",
    "Neurology was consulted for {symptom}; the {study} was read as {grade} change.",
    "He walks {few} blocks before {symptom} stops him, which has {change} over {few} {span}.",
    "Visual acuity 20/{dose} on the {side}; intraocular pressure {pulse} mmHg.",
    "Weight {lab} kg, height {pulse} cm, body mass index {lab}, Glasgow coma scale {few}.",
    "If {symptom} or {symptom} should develop, return to the emergency department at once.",
)

TELLING = (
    "Discussed with {name}, the patient's {relative}, by phone at {phone}.",
    "Seen in clinic on {date} by Dr. {name}.",
    "Admitted {date}, discharged {date} to home with services.",
    "DOB: {date}    MRN: {mrn}    SSN: {ssn}",
    "Lives with {relative} at {address}.",
    "Please send records to {email} or fax {fax}.",
    "Member ID {account}, authorization on file since {date}.",
    "Results are available at {url} for the patient and the referring physician.",
    "The last {study} on {date} was reviewed with {name}.",
    "Emergency contact: {name} ({relative}), {phone}.",
    "Account number {account}; statement mailed to {address}.",
    "Telehealth visit on {date}; the patient connected from {ip}.",
    "Follow-up appointment is scheduled for {date} with {name}, MD.",
    "Patient: {name}, record no. {mrn}, call back number {phone}.",
    "Prior surgery on {date} was uncomplicated according to Dr. {name}.",
    "Referred by {name} ({email}) for evaluation of {symptom}.",
)

SECTIONS = (
    "HISTORY OF PRESENT ILLNESS", "PAST MEDICAL HISTORY", "MEDICATIONS", "SOCIAL HISTORY",
    "PHYSICAL EXAMINATION", "LABORATORY DATA", "IMAGING", "HOSPITAL COURSE",
    "ASSESSMENT AND PLAN", "DISPOSITION",
)  # fmt: skip


def _fill(template: str, dice: random.Random) -> tuple[str, int]:
    """The sentence, and how many identifiers it holds."""
    pieces, identifiers = [], 0
    head, *slots = template.split("{")
    pieces.append(head)
    for slot in slots:
        kind, rest = slot.split("}", 1)
        if kind in IDENTIFIERS:
            identifiers += 1
            pieces.append(IDENTIFIERS[kind](dice))
        else:
            pieces.append(NUMBERS[kind](dice) if kind in NUMBERS else dice.choice(WORDS[kind]))
        pieces.append(rest)
    return "".join(pieces), identifiers


def sentences(dice: random.Random, density: float) -> Iterator[tuple[str, int]]:
    """Sentences without end, each with its number of identifiers."""
    while True:
        telling = dice.random() < density
        yield _fill(dice.choice(TELLING if telling else PLAIN), dice)


def note(dice: random.Random, size: int = 3000, density: float = DENSE) -> tuple[str, int]:
    """A note of about `size` characters with headings and paragraphs; its identifiers."""
    pieces: list[str] = []
    length = identifiers = 0
    for sentence, count in sentences(dice, density):
        lead = f"\n\n{dice.choice(SECTIONS)}:\n" if dice.random() < 0.12 else " "
        pieces += (lead, sentence)
        length += len(lead) + len(sentence)
        identifiers += count
        if length >= size:
            break
    return "".join(pieces).strip() + "\n", identifiers


def notes(count: int, size: int = 3000, density: float = DENSE, seed: int = SEED) -> list[str]:
    """Different notes, the same on every call."""
    dice = random.Random(seed)
    return [note(dice, size, density)[0] for _ in range(count)]


def typographic(text: str) -> str:
    """As a word processor leaves it: curly quotes, bullets, dashes, a degree, a hard space."""
    for plain, fancy in TYPOGRAPHY:
        text = text.replace(plain, fancy)
    return text


def shorts(count: int, seed: int = SEED) -> list[str]:
    """Texts of 100 to 200 characters: chat lines, fields of a form, search queries."""
    dice = random.Random(seed)
    made: list[str] = []
    while len(made) < count:
        text, _ = note(dice, dice.randint(90, 150), density=0.4)
        if 100 <= len(text) <= 200:
            made.append(text)
    return made


def prose(size: int, density: float = DENSE, seed: int = SEED) -> str:
    """One text of exactly `size` characters."""
    dice = random.Random(seed)
    pieces: list[str] = []
    length = 0
    while length < size:
        text, _ = note(dice, 3000, density)
        pieces.append(text)
        length += len(text)
    return "".join(pieces)[:size]


def main() -> None:
    """Show a note, and what a kilobyte holds on average."""
    print(note(random.Random(SEED))[0])
    for density in (DENSE, SPARSE):
        dice = random.Random(SEED)
        made = [note(dice, 3000, density) for _ in range(200)]
        size = sum(len(text) for text, _ in made)
        told = 3000 * sum(count for _, count in made) / size
        print(f"density {density}: {told:.1f} identifiers in 3,000 characters")


if __name__ == "__main__":
    main()
