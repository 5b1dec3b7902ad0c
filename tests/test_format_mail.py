"""Mails: heads, bodies in every encoding, parts, boxes; what is written is a mail for others."""

import email
import email.policy
import io
import mailbox
import re
import zipfile
from collections import Counter
from email.header import Header
from email.message import EmailMessage

import pytest
from format_text import PLANTED, clean, left, mutated
from hypothesis import given, settings

import scrubjay
from scrubjay import Policy, Rule, formats
from scrubjay.testing import check_format


def mail(planted, cte="base64", charset="utf-8"):
    """A mail with a value wherever one can be."""
    one = EmailMessage(policy=email.policy.SMTP)
    for name in ("Subject", "X-Note", "Comments", "Organization", "X-Mailer", "Thread-Topic"):
        one[name] = f"about {planted}"
    local = planted.replace(" ", ".").encode("ascii", "ignore").decode().replace("@", ".at.")
    for name in ("From", "To", "Cc", "Reply-To"):
        one[name] = email.headerregistry.Address(planted, addr_spec=f"{local}@example.org")
    one["Received"] = f"from host ({planted}) by mx.example.org; Mon, 3 Mar 2025 10:00:00 +0000"
    one["Message-ID"], one["References"] = f"<{local}@example.org>", f"<a@b> <{local}@c.org>"
    one["Date"] = "Mon, 3 Mar 2025 10:00:00 +0000"
    one.set_content(f"Dear {planted},\n\n> quoted {planted}\n>> twice", charset=charset, cte=cte)
    one.add_alternative(
        f"<p>Dear <b>{planted}</b><img src='cid:{local}@x' alt='{planted}'>",
        subtype="html",
        cte=cte,
    )
    one.get_payload()[1].add_related(
        b"\x89PNG\0" + planted.encode(), "image", "png", cid=f"<{local}@x>"
    )
    one.add_attachment(planted.encode(), "text", "plain", filename=f"{planted}.txt")
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        packed.writestr(f"{planted}.txt", planted)
    one.add_attachment(sink.getvalue(), "application", "zip", filename=f"{planted}.zip")
    one.add_attachment(planted.encode() + b"\0", "application", "x-unknown", filename=planted)
    inner = EmailMessage()
    inner["Subject"], inner["From"] = planted, f"{local}@example.org"
    inner.set_content(planted)
    one.add_attachment(inner)
    one.preamble = planted.encode("ascii", "replace").decode()
    return one


def every(data):
    """Bytes, and what is in each part."""
    yield data
    for part in email.message_from_bytes(data).walk():
        if not part.is_multipart():
            plain = part.get_payload(decode=True)
            yield plain
            if plain[:2] == b"PK":
                with zipfile.ZipFile(io.BytesIO(plain)) as packed:
                    yield from map(packed.read, packed.namelist())
        for name, value in part.items():
            yield str(email.header.make_header(email.header.decode_header(value))).encode()


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("cte", ["base64", "quoted-printable"])
def test_planted_in_every_place(planted, cte):
    told = Counter()
    data = clean("a.eml", mail(planted, cte).as_bytes(), told=told)
    assert not [one for one in every(data) if left(one, planted)]
    assert told["attachment without a reader"] == 2 and told["mail header"] == 3
    read = email.message_from_bytes(data, policy=email.policy.default)
    assert not read.defects and not [one for part in read.walk() for one in part.defects]
    assert b"\n" not in data.replace(b"\r\n", b"")


def test_structure_stays():
    before, data = mail("Ann Lee"), clean("a.eml", mail("Ann Lee").as_bytes())
    after = email.message_from_bytes(data, policy=email.policy.default)
    kinds = [part.get_content_type() for part in after.walk()]
    old = [part.get_content_type() for part in before.walk()]
    gone = {"image/png", "application/x-unknown"}
    assert kinds == ["text/plain" if kind in gone else kind for kind in old]
    assert after["subject"] == "about [PERSON]"
    assert after["from"] == '"[PERSON]" <"[EMAIL]"@redacted.invalid>'
    body = after.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert body == "Dear [PERSON],\n\n> quoted [PERSON]\n>> twice\n"
    page = after.get_body(("html",)).get_content()
    assert 'src="cid:1@message.invalid"' in page
    named = re.compile(r"<2\.25\.\d{20,40}@message\.invalid>")
    assert named.fullmatch(after["message-id"])
    assert len(named.findall(after["references"])) == 2
    [text, packed] = list(after.iter_attachments())[:2]
    assert text.get_filename() == "[PERSON].txt" and text.get_content() == "[PERSON]"
    assert packed.get_filename() == "[PERSON].zip"


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "utf-7"])
def test_charsets_in_heads_and_bodies(charset):
    head = Header("f\u00fcr Zo\u00eb D\u00f6rr", charset).encode()
    body = "f\u00fcr Zo\u00eb D\u00f6rr".encode(charset)
    data = f"Subject: {head}\nContent-Type: text/plain; charset={charset}\n\n".encode()
    read = email.message_from_bytes(clean("a.eml", data + body), policy=email.policy.default)
    assert read["subject"] == "f\u00fcr [PERSON]"
    assert read.get_content() == "f\u00fcr [PERSON]\n"


@pytest.mark.parametrize(
    "text",
    [
        "Subject: =?utf-8?q?Ann?=\n =?utf-8?q?_Lee?=\n\nx", "Subject: Ann\n Lee\n\nx",
        "Subject: x\n\n> Dear Ann\n> Lee,\n", "Subject: =?nonesuch?q?Ann_Lee?=\n\nx",
        "From: Ann Lee\n\nx", "From: =?utf-8?b?QW5uIExlZQ==?= <a@b.org>\n\nx", "To: Ann Lee:;\n\nx",
        "From: a@b.org (Ann Lee)\n\nx", "Subject: x\nContent-Type: multipart/mixed\n\nAnn Lee",
        "Subject: x\nContent-Type: text/x-ann; name*=utf-8''Ann%20Lee.txt\n\nAnn Lee",
        "Subject: x\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\n@@@Ann Lee",
        "Subject: x\nContent-Disposition: a; filename*0=\"Ann \"; filename*1=\"Lee.txt\"\n\nx",
        "Subject: x\n\nbegin 644 a.txt\n'06YN($QE90  \n`\nend\n", "X-Ann-Lee: 1\nSubject: x\n\n",
        "Subject: x\nContent-Type: multipart/report; boundary=b\n\n--b\n"
        "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; Ann Lee\n\n--b--\n",
    ],
)  # fmt: skip
def test_nothing_hides(text):
    told = clean("a.eml", text.encode())
    for form in (b"Ann", b"Lee", b"QW5u", b"06YN"):
        assert form not in told.replace(b"QW5uIExlZQ==?= <", b""), told
        assert not [one for one in every(told) if form in one]


DEEP = b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(40))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no headers"), (b"plain", "no headers"),
        (b"Content-Type: application/pkcs7-mime; name=smime.p7m\n\nxx", "decrypt"),
        (b"Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--", "decrypt"),
        (DEEP, "deep"),
    ],
)  # fmt: skip
def test_refused(data, told):
    with pytest.raises(formats.InputError, match=told):
        clean("a.eml", data)


def test_a_box():
    head = "From ann@example.org Mon Mar  3 10:00:00 2025\n"
    body = (
        "Message-ID: <{0}@x>\nIn-Reply-To: <1@x>\nSubject: Ann Lee {0}\n\nFrom Ann Lee\n\n>From\n\n"
    )
    data = "".join(head + body.format(n) for n in (1, 2, 3)).encode()
    told = clean("a.mbox", data)
    assert not left(told, "Ann Lee") and not left(told, "ann@example.org")
    assert told.count(b"From MAILER-DAEMON") == 3
    mails = [
        email.message_from_bytes(one)
        for one in told.split(b"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n")[1:]
    ]
    assert [one["subject"] for one in mails] == ["[PERSON] 1", "[PERSON] 2", "[PERSON] 3"]
    assert {one["in-reply-to"] for one in mails} == {mails[0]["message-id"]}


def test_threads_stay_threads_through_all_files_of_a_run():
    first = clean("a.eml", b"Message-ID: <1.ann@x.org>\n\nx")
    data = b"References: <0@x.org>\n <1.ann@x.org>\nIn-Reply-To: <1.ann@x.org>\n\nx"
    second = clean("b.eml", data)
    own = email.message_from_bytes(first)["message-id"]
    answer = email.message_from_bytes(second)
    assert own == answer["in-reply-to"] == answer["references"].split()[1] and b"ann" not in first


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Rule("generalize.v1"), "1 Jan 2025 00:00:00 +0000"),
        (Rule("generalize.v1", options={"date": "month"}), "1 Mar 2025 00:00:00 +0000"),
        (Rule("generalize.v1", options={"date": "decade"}), None),
        (Rule("redact.v1"), None),
        (Rule("keep.v1"), "Mon, 3 Mar 2025 10:00:00 +0000"),
    ],
)
def test_a_date_stays_one_or_goes(rule, told):
    engine = scrubjay.load(Policy("p", {"DATE": rule, "TIME": Rule("keep.v1")}), profile="patterns")
    data = b"Date: Mon, 3 Mar 2025 10:00:00 +0000\nSubject: x\n\nx"
    left_out = Counter()
    assert email.message_from_bytes(clean("a.eml", data, engine, told=left_out))["date"] == told
    assert left_out == ({} if told else {"date of a mail": 1})


def test_a_moved_date_is_one():
    engine = scrubjay.load(Policy("p", {"DATE": Rule("shift.v1")}), profile="patterns")
    data = clean("a.eml", b"Date: Mon, 3 Mar 2025 10:00:00 +0000\nSubject: x\n\nx", engine)
    head = email.message_from_bytes(data)["date"]
    moved = email.utils.parsedate_to_datetime(head)
    assert moved.strftime("%a, ") == head[:5] and moved.year in {2024, 2025, 2026}


def test_groups_of_addresses():
    told = clean("a.eml", b'To: "Lee, Ann" <ann@example.org>, all:;\n\nx')
    assert email.message_from_bytes(told)["to"] == '"[PERSON]" <"[EMAIL]"@redacted.invalid>'


def test_invitations_and_cards_go_through_their_readers():
    parts = [("calendar", "BEGIN:VCALENDAR"), ("vcard", "BEGIN:VCARD")]
    one = EmailMessage()
    one["Subject"] = "x"
    one.set_content("x")
    for kind, begin in parts:
        lines = [
            begin,
            "VERSION:4.0",
            "SUMMARY;X-A=Ann:with Ann Lee",
            "FN:Ann Lee",
            begin.replace("BEGIN", "END"),
        ]
        one.add_attachment("\r\n".join(lines).encode(), "text", kind)
    read = email.message_from_bytes(clean("a.eml", one.as_bytes()), policy=email.policy.default)
    told = [part.get_content() for part in read.iter_attachments()]
    for text, (_, begin) in zip(told, parts, strict=True):
        assert text.split() == [begin, "VERSION:4.0", "SUMMARY:with", "[PERSON]", "FN:[PERSON]",
                                begin.replace("BEGIN", "END")]  # fmt: skip


def test_what_outlook_packs_is_left_out_and_told():
    one = EmailMessage()
    one["Subject"] = "x"
    one.set_content("x")
    one.add_attachment(b"\x78\x9f\x3e\x22Ann Lee", "application", "ms-tnef", filename="winmail.dat")
    told = Counter()
    assert not left(clean("a.eml", one.as_bytes(), told=told), "Ann Lee")
    assert told == {"attachment without a reader": 1}


def test_another_reader_of_boxes(tmp_path):
    head = b"From a Mon Mar  3 10:00:00 2025\n"
    data = (head + mail("Ann Lee").as_bytes().replace(b"\r\n", b"\n") + b"\n") * 3
    (tmp_path / "a.mbox").write_bytes(clean("a.mbox", data))
    assert [one["subject"] for one in mailbox.mbox(tmp_path / "a.mbox")] == ["about [PERSON]"] * 3


def test_known_by_content():
    data = mail("Ann Lee").as_bytes()
    assert formats.kinds.sample(b"Return-Path: <a>\r\n" + data) == "eml.v1"
    assert formats.kinds.sample(b"From a@b Mon Mar  3 10:00:00 2025\n" + data) == "mbox.v1"
    assert formats.kinds.sample(b"Received: 12 bottles\nof wine") == "text.v1"


SMALL = mail("Ann Lee").as_bytes()


@settings(max_examples=50)
@given(mutated(SMALL))
def test_damage_is_refused_or_harmless(data):
    try:
        email.message_from_bytes(clean("a.eml", data))
    except formats.InputError:
        return


def test_contract():
    data = b"From: a@example.org\nSubject: some words\n\nplain text\n"
    check_format(formats.make("eml.v1"), data)
