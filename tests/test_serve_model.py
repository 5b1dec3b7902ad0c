"""What goes to a model has no names, what comes back has them: with the official clients, against a
service that answers as the real ones do."""

import json
from typing import NamedTuple

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage", "openai", "anthropic"):
    pytest.importorskip(needed)

import anthropic  # noqa: E402
import openai  # noqa: E402
from model_upstream import Upstream as Fake  # noqa: E402
from serving import KEY, logged, running, service, until  # noqa: E402

from scrubjay import load  # noqa: E402
from scrubjay.serve.app import application  # noqa: E402
from scrubjay.serve.model import body  # noqa: E402
from scrubjay.serve.model.attached import AtDesk  # noqa: E402
from scrubjay.serve.model.gateway import Upstream  # noqa: E402
from scrubjay.serve.model.table import Restorer, Table  # noqa: E402
from scrubjay.serve.model.veil import Veil  # noqa: E402

NOTE = "Mr. Quentin Quarles, SSN 536-90-4399, mrn: 4471882, asked for aspirin."
SECRETS = ("Quentin", "Quarles", "536-90-4399", "4471882")


class Both(NamedTuple):
    fake: Fake
    openai: openai.OpenAI
    anthropic: anthropic.Anthropic
    address: str
    served: object

    def clean(self):
        """Nothing of it was sent, in any request."""
        told = json.dumps(self.fake.seen)
        assert not [one for one in SECRETS if one in told], told
        return self.fake.seen[-1]


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    fake = Fake()
    folder = tmp_path_factory.mktemp("gateway")
    with pytest.MonkeyPatch.context() as monkeypatch, running(fake.app) as behind:
        upstreams = {kind: Upstream(f"{behind}/v1") for kind in ("openai", "anthropic")}
        with (
            service(monkeypatch, folder, upstreams=upstreams) as served,
            running(application(served.state)) as address,
        ):
            headers = {"X-Scrubjay-Key": KEY}
            yield Both(
                fake,
                openai.OpenAI(base_url=f"{address}/openai/v1", api_key="theirs",
                              default_headers=headers, max_retries=0),
                anthropic.Anthropic(base_url=f"{address}/anthropic", api_key="theirs",
                                    default_headers=headers, max_retries=0),
                address,
                served,
            )  # fmt: skip


@pytest.fixture
def both(started):
    started.fake.begin()
    return started


def test_chat_goes_out_without_names_and_comes_back_with_them(both):
    more = {"X-Patient": "Quentin Quarles", "Cookie": "Quarles", "OpenAI-Project": "proj"}
    messages = [
        {"role": "system", "content": "You write letters for Quentin Quarles."},
        {"role": "user", "name": "Quentin_Quarles", "content": [{"type": "text", "text": NOTE}]},
    ]
    told = both.openai.chat.completions.create(model="m-1", messages=messages, user="mrn 4471882",
        extra_headers=more, extra_query={"who": "Quarles"},
    )  # fmt: skip
    assert told.choices[0].message.content == NOTE
    sent = both.clean()
    assert sent["model"] == "m-1" and sent["messages"][0]["role"] == "system"
    assert "[PERSON_1]" in sent["messages"][0]["content"]
    assert both.fake.headers[-1]["authorization"] == "Bearer theirs"
    assert both.fake.headers[-1]["openai-project"] == "proj"
    assert not {"x-scrubjay-key", "x-patient", "cookie"} & both.fake.headers[-1].keys()
    assert both.fake.queries[-1] == ""


@pytest.mark.parametrize("pieces", [1, 2, 3, 5, 7, 100])
def test_a_stream_is_restored_wherever_it_is_cut(both, pieces):
    both.fake.pieces = pieces
    ask = {"model": "m", "stream": True, "messages": [{"role": "user", "content": NOTE}]}
    told = both.openai.chat.completions.create(**ask)
    assert "".join(c.choices[0].delta.content or "" for c in told) == NOTE
    both.clean()


def test_a_stream_that_nobody_reads_any_more_is_ended_and_holds_up_nobody(both):
    both.fake.endless = True
    before = len(logged(both.served, "anonymize"))
    ask = {"model": "m", "stream": True, "messages": [{"role": "user", "content": NOTE}]}
    for _ in range(3):
        told = both.openai.chat.completions.create(**ask)
        assert "Quarles" in next(iter(told)).choices[0].delta.content
        told.response.close()
        both.clean()
    until(lambda: both.fake.left == 3)
    both.fake.endless = False
    told = both.openai.chat.completions.create(**ask)
    assert "".join(c.choices[0].delta.content or "" for c in told) == NOTE
    assert len(logged(both.served, "anonymize")) == before + 4


@pytest.mark.parametrize("pieces", [1, 4, 100])
def test_tool_calls_stay_json_in_streams_too(both, pieces):
    both.fake.pieces = pieces
    awkward = 'Quentin "Q" Quarles'
    ask = {"model": "m", "messages": [{"role": "user", "content": f"Find Mr. {awkward}."}]}
    both.openai.chat.completions.create(**ask)
    [name] = [w for w in ("[PERSON_1]",) if w in both.fake.seen[-1]["messages"][0]["content"]]
    both.fake.call = json.dumps({"name": name, "n": 1})
    told = both.openai.chat.completions.create(**ask).choices[0].message.tool_calls[0]
    assert (told.id, told.function.name) == ("call_abc123", "look_up")
    assert (
        "Quarles" in json.loads(told.function.arguments)["name"]
        or "Quentin" in told.function.arguments
    )
    with both.openai.chat.completions.stream(**ask) as stream:
        for _ in stream:
            pass
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == json.loads(told.function.arguments)
    assert (call.id, call.function.name) == ("call_abc123", "look_up")


def test_a_history_with_tools_is_hidden_at_every_depth(both):
    arguments = json.dumps(
        {"patient_name": "Quentin Quarles", "deep": json.dumps({"mrn": 4471882})}
    )
    call = {
        "id": "call_abc123",
        "type": "function",
        "function": {"name": "get_patient", "arguments": arguments},
    }
    tool = {
        "type": "function",
        "function": {
            "name": "get_patient",
            "description": "Finds a patient such as Mr. Quentin Quarles",
            "parameters": {
                "type": "object",
                "properties": {"patient_name": {"type": "string", "enum": ["Quentin Quarles"]}},
            },
        },
    }
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {
            "role": "tool",
            "tool_call_id": "call_abc123",
            "content": json.dumps({"Quentin Quarles": {"ssn": "536-90-4399"}}),
        },
        {"role": "user", "content": "And Quarles?"},
    ]
    both.openai.chat.completions.create(
        model="m", messages=messages, tools=[tool], metadata={"who": "Quentin Quarles"}
    )
    sent = both.clean()
    assert (
        sent["messages"][0]["tool_calls"][0]["id"]
        == sent["messages"][1]["tool_call_id"]
        == "call_abc123"
    )
    assert sent["tools"][0]["function"]["name"] == "get_patient"
    assert json.loads(
        json.loads(sent["messages"][0]["tool_calls"][0]["function"]["arguments"])["deep"]
    )


def test_turns_of_a_conversation_have_the_same_placeholders(both):
    first = [{"role": "user", "content": NOTE}]
    both.openai.chat.completions.create(model="m", messages=first)
    later = [
        *first,
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Dr. Ana Novak called."},
    ]
    both.openai.chat.completions.create(model="m", messages=later)
    one, two = both.fake.seen
    assert one["messages"][0] == two["messages"][0]


@pytest.mark.parametrize("stream", [False, True])
def test_responses_go_on_where_the_service_remembers(both, stream):
    def ask(**more):
        told = both.openai.responses.create(model="m", stream=stream, **more)
        if not stream:
            return told.id, told.output_text
        told = list(told)
        text = "".join(e.delta for e in told if e.type == "response.output_text.delta")
        assert told[-1].response.output_text == text
        return told[-1].response.id, text

    id, text = ask(input=NOTE)
    assert text == NOTE
    _, text = ask(
        input=[{"role": "user", "content": "Dr. Ana Novak saw Quarles"}], previous_response_id=id
    )
    assert text == "Dr. Ana Novak saw Quarles"
    sent = both.clean()["input"][0]["content"]
    assert "[PERSON_1]" not in sent.partition("saw")[0]  # whose number is taken
    with pytest.raises(openai.BadRequestError, match="whole conversation"):
        both.openai.responses.create(model="m", input="x", previous_response_id="resp_unknown1")


def test_a_conversation_that_began_without_names_goes_on(both):
    id = both.openai.responses.create(model="m", input="Hello").id
    told = both.openai.responses.create(model="m", input=NOTE, previous_response_id=id)
    assert told.output_text == NOTE
    both.clean()


@pytest.mark.parametrize("pieces", [1, 4, 1000])
def test_a_source_is_named_for_the_same_words_when_names_have_come_back(both, pieces):
    both.fake.pieces, both.fake.cited = pieces, "aspirin"
    ask = {"model": "m", "input": f"{NOTE} Seen by Ana Novak"}
    part = both.openai.responses.create(**ask).output[0].content[0]
    streamed = list(both.openai.responses.create(**ask, stream=True))
    [added] = [one.annotation for one in streamed if "annotation.added" in one.type]
    last = streamed[-1].response.output[0].content[0]
    chat = {"model": "m", "messages": [{"role": "user", "content": ask["input"]}]}
    message = both.openai.chat.completions.create(**chat).choices[0].message
    chunks = list(both.openai.chat.completions.create(**chat, stream=True))
    [later] = [one.choices[0].delta.annotations for one in chunks
               if getattr(one.choices[0].delta, "annotations", None)]  # fmt: skip
    assert part.text == last.text == message.content == ask["input"]
    for told in (part.annotations[0], last.annotations[0], added):
        assert ask["input"][told.start_index : told.end_index] == "aspirin"
    for told in (message.annotations[0].url_citation.to_dict(), later[0]["url_citation"]):
        assert ask["input"][told["start_index"] : told["end_index"]] == "aspirin"


def test_embeddings(both):
    both.openai.embeddings.create(model="m", input=[NOTE, "Quarles"])
    both.clean()
    with pytest.raises(openai.BadRequestError):
        both.openai.embeddings.create(model="m", input=[[1, 2, 3]])


@pytest.mark.parametrize("pieces", [1, 3, 100])
def test_messages_of_the_other_kind(both, pieces):
    both.fake.pieces = pieces
    ask = {
        "model": "m", "max_tokens": 9,
        "system": [{"type": "text", "text": "For Mr. Quentin Quarles"}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": NOTE}]}],
    }  # fmt: skip
    assert both.anthropic.messages.create(**ask).content[0].text == NOTE
    both.clean()
    both.fake.call = json.dumps({"who": "[PERSON_1]", "[SSN_1]": 1})
    with both.anthropic.messages.stream(**ask) as stream:
        told = stream.get_final_message()
    assert told.content[0].text == NOTE
    assert "Quarles" in told.content[1].input["who"] and "536-90-4399" in told.content[1].input


def test_what_is_used_as_a_tool_goes_back_hidden(both):
    use = {
        "type": "tool_use",
        "id": "toolu_1234567",
        "name": "look_up",
        "input": {"patient": {"last_name": "Quarles", "mrn": 4471882}},
    }
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_1234567",
        "content": [{"type": "text", "text": NOTE}],
    }
    messages = [
        {"role": "user", "content": "Look."},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Quarles", "signature": "EqQBCgIYAhIM"},
                use,
            ],
        },
        {"role": "user", "content": [result, {"type": "text", "text": "so?"}]},
    ]
    both.anthropic.messages.create(model="m", max_tokens=9, messages=messages)
    sent = both.clean()
    assert sent["messages"][1]["content"][0]["signature"] == "EqQBCgIYAhIM"
    assert sent["messages"][1]["content"][1]["id"] == "toolu_1234567"


def test_what_cannot_be_read_is_not_sent(both):
    sound = {"type": "input_audio", "input_audio": {"data": "iVBORw0KGgo=", "format": "wav"}}
    with pytest.raises(openai.BadRequestError, match="cannot be read"):
        both.openai.chat.completions.create(
            model="m", messages=[{"role": "user", "content": [sound]}]
        )
    with pytest.raises(openai.AuthenticationError):
        wrong = both.openai.with_options(default_headers={"X-Scrubjay-Key": "wrong"})
        wrong.chat.completions.create(model="m", messages=[{"role": "user", "content": NOTE}])
    assert not both.fake.seen


def test_what_fails_behind_passes_through(both):
    both.fake.status = 429
    with pytest.raises(openai.RateLimitError, match="slow down"):
        both.openai.chat.completions.create(model="m", messages=[{"role": "user", "content": NOTE}])


def test_each_request_is_in_the_log_with_where_it_went(both):
    both.openai.chat.completions.create(model="m", messages=[{"role": "user", "content": NOTE}])
    trust = both.served.place.open()
    last = [item.entry for item in trust.entries()][-1]
    trust.close()
    trust.vault.close()
    assert (last.who, last.action, last.recipient) == ("desk", "anonymize", "model at 127.0.0.1")
    assert last.counts["SSN"] == 1


# Placeholders


@pytest.mark.parametrize(
    ("bent", "told"),
    [
        ("[PERSON_1]'s", "Ann Lee's"),
        ("PERSON_1's", "Ann Lee's"),
        ("person_1", "Ann Lee"),
        ("[Person 1]", "Ann Lee"),
        ("【PERSON_1】说", "Ann Lee说"),
        ("「PERSON_1」", "Ann Lee"),
        ("<PERSON_1>", "Ann Lee"),
        ("&lt;PERSON_1&gt;", "Ann Lee"),
        (r"\[PERSON\_1\]", "Ann Lee"),
        ("(PERSON_1)", "(Ann Lee)"),
        ("**[PERSON_1]**", "**Ann Lee**"),
        ("`PERSON_1`", "`Ann Lee`"),
        ("[PERSON-1]", "Ann Lee"),
        ("PERSON_1,PERSON_12", "Ann Lee,Bo"),
        ("Person 1 of 3", "Person 1 of 3"),
        ("PERSON_9 [PERSON_9]", "PERSON_9 [PERSON_9]"),
        ("XPERSON_1", "XPERSON_1"),
        ("[PHONE_NUMBER_1] phone number 1", "555 phone number 1"),
    ],
)
@pytest.mark.parametrize("pieces", [1, 2, 1000])
def test_bent_placeholders_are_found(bent, told, pieces):
    table = Table({"[PERSON_1]": "Ann Lee", "[PERSON_12]": "Bo", "[PHONE_NUMBER_1]": "555"})
    restorer = Restorer(table)
    cut = [bent[at : at + pieces] for at in range(0, len(bent), pieces)]
    assert "".join([*map(restorer.feed, cut), restorer.rest()]) == told


@pytest.mark.parametrize(
    "said",
    ["Billy said no", "wharcourt logged in", "Qarcourt left", "harcuort left", "HÁRCOURT left"],
)
def test_what_a_person_of_another_string_is_called_goes_too(said):
    """Strings are looked at again only for what may be in them: in every form that is found."""
    engine = load("llm-prompts", profile="patterns")
    texts = ["Mr. William Harcourt came.", f"then {said}"]
    request = {"messages": [{"role": "user", "content": text} for text in texts]}
    desk = AtDesk(engine.stream, rule=engine.operator, key=engine.key)
    parts = body.parts(request, desk)
    told = json.loads(Veil(engine).over(lambda clean: parts, Table())[0])
    assert said.split()[0] not in told["messages"][1]["content"]
    assert engine.anonymize(f"then {said}").text == f"then {said}", "found by itself"


def test_a_number_that_stands_in_the_text_is_not_given_out():
    table = Table()
    table.avoid("what does [PERSON_1] mean?")
    assert table.placeholder("PERSON", "Ann Lee") == "[PERSON_2]"
    assert table.placeholder("PERSON", "Ann Lee") == "[PERSON_2]" and "Ann" not in repr(table)


def test_words_that_are_no_placeholder_are_held_no_longer_than_need_be():
    restorer = Restorer(Table({"[PERSON_1]": "Ann Lee"}))
    assert restorer.feed("A person of") == "A person of"
    assert restorer.feed(" the pers") == " the "
