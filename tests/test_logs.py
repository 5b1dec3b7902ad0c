"""What a program logs goes out clean, in every part of a record and whatever formats it; a record
that cannot be cleaned says nothing."""

import io
import json
import logging
import logging.handlers
import threading

import pytest

from scrubjay import load, logs

CANARIES = ("Quarles", "ann.lee", "536-90-4399")


class Json(logging.Formatter):
    """As loggers of JSON do: everything that stands in a record."""

    def format(self, record):
        record.message = record.getMessage()
        return json.dumps(vars(record), default=repr)


@pytest.fixture(scope="module")
def filter_():
    return logs.Filter(load(profile="patterns"))


@pytest.fixture
def log(filter_):
    """A logger, and what two handlers of different formats wrote."""
    streams = [io.StringIO(), io.StringIO()]
    logger = logging.getLogger("test_logs")
    logger.setLevel("DEBUG")
    logger.propagate = False
    for stream, form in zip(streams, (logging.Formatter("%(message)s"), Json()), strict=True):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(form)
        handler.addFilter(filter_)
        logger.addHandler(handler)
    yield logger, streams
    logger.handlers.clear()


def written(streams):
    told = [stream.getvalue() for stream in streams]
    assert not [word for word in CANARIES for text in told if word in text]
    return told[0].rstrip("\n"), json.loads(told[1].splitlines()[0])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("mail from ann.lee@example.org",), "mail from [EMAIL 1]"),
        (("SSN %s of %s, %d times", "536-90-4399", "Mr. Quarles", 3),
         "SSN [SSN 1] of Mr. [PERSON 1], 3 times"),
        (("opened %(patient)s", {"patient": "Quarles"}), "opened [PERSON 1]"),
        (("%s", {"mail": "ann.lee@example.org"}), "{'mail': '[EMAIL 1]'}"),
        ((ValueError("ann.lee@example.org"),), "[EMAIL 1]"),
        (("100% sure",), "100% sure"),
        (("a %s b", "100% c"), "a 100% c b"),
    ],
)  # fmt: skip
def test_a_message_and_its_arguments_are_one_clean_text(log, arguments, told):
    logger, streams = log
    logger.info(*arguments)
    text, record = written(streams)
    assert text == record["message"] == told and record["args"] == []


def test_exceptions_and_stacks_are_clean(log):
    logger, streams = log
    try:
        fail("no record of Mr. Quentin Quarles, SSN 536-90-4399")
    except ValueError:
        logger.exception("failed for ann.lee@example.org", stack_info=True)
    text, record = written(streams)
    assert "ValueError: no record of Mr. [PERSON 1], SSN [SSN 1]" in text
    assert "Stack (most recent call last)" in text and record["exc_info"] is None


def test_what_an_earlier_handler_kept_in_a_record_is_gone(filter_):
    try:
        fail("ann.lee@example.org")
    except ValueError as problem:
        told = (type(problem), problem, problem.__traceback__)
    record = logging.LogRecord("a", 20, "b.py", 1, "SSN %s", ("536-90-4399",), told)
    assert "ann.lee" in logging.Formatter().format(record)
    filter_.filter(record)
    assert not [word for word in CANARIES if word in repr(vars(record))]
    assert "[EMAIL 1]" in logging.Formatter().format(record)


def test_extras_are_clean_and_say_whom_a_message_names(log):
    logger, streams = log
    extra = {
        "patient_name": "Quarles", "ssn": 536904399, "count": 3, "ok": True, "none": None,
        "deep": {"to": ["ann.lee@example.org", ("SSN 536-90-4399", 2.5)]}, "thing": Thing(),
    }  # fmt: skip
    logger.info("seen: quarles", extra=extra)
    text, record = written(streams)
    assert "quarles" not in text and record["patient_name"] == "[PERSON 1]"
    assert (record["count"], record["ok"], record["none"]) == (3, True, None)
    assert record["deep"] == {"to": ["[EMAIL 1]", ["SSN [SSN 1]", 2.5]]}
    assert record["thing"] == "of [EMAIL 1]" and "536904399" not in str(record)


def fail(words):
    raise ValueError(words)


class Thing:
    def __str__(self):
        return "of ann.lee@example.org"


class Bad:
    def __str__(self):
        raise ValueError("ann.lee@example.org")


@pytest.mark.parametrize(
    "arguments",
    [("Quarles %s %s", "one"), ("Quarles %s", Bad()), ("Quarles\0",), ("\ud800 Quarles",)],
)
def test_a_record_that_cannot_be_cleaned_says_nothing_else(log, arguments):
    logger, streams = log
    try:
        fail("ann.lee@example.org")
    except ValueError:
        logger.exception(*arguments, extra={"mail": "ann.lee@example.org"})
    text, record = written(streams)
    assert text == logs.REFUSED == record["mail"]
    assert record["exc_text"] is None


def test_an_extra_that_cannot_be_cleaned_refuses_the_record(log):
    logger, streams = log
    loop = []
    loop.append(loop)
    logger.info("Mr. Quentin Quarles", extra={"deep": loop})
    assert written(streams)[0] == logs.REFUSED


def test_a_queue_and_many_threads_share_one(filter_):
    queue = logging.handlers.queue.Queue()
    handler = logging.handlers.QueueHandler(queue)
    handler.addFilter(filter_)
    logger = logging.Logger("threads")
    logger.addHandler(handler)
    threads = [
        threading.Thread(target=lambda: [logger.info("SSN %s", "536-90-4399") for _ in range(50)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {queue.get_nowait().getMessage() for _ in range(200)} == {"SSN [SSN 1]"}


def test_a_record_is_cleaned_once_however_many_handlers_it_has(tmp_path):
    policy = tmp_path / "p.toml"
    policy.write_text('[default]\noperator = "surrogate.v1"\n')
    both = logs.Filter(load(policy, profile="patterns"))
    record = logging.LogRecord("a", 20, "b.py", 1, "call 555-010-7788", (), None)
    both.filter(record)
    first = record.msg
    both.filter(record)
    assert record.msg == first != "call 555-010-7788"
