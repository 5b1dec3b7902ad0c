"""LiteLLM's Presidio guardrail at work, in an environment of its own: its packages and the tests'
want different versions of others. Reads cases from stdin as JSON and writes what came of each.

    pip install litellm
    python tests/presidio/litellm_client.py < cases.json

A case: `options` of the guardrail, the `messages` of a request, and the `answer` of a model, with
`{last}` for the last message as the model got it.
"""

import asyncio
import json
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # nothing is fetched

from litellm.caching import DualCache
from litellm.proxy._types import UserAPIKeyAuth
from litellm.proxy.guardrails.guardrail_hooks.presidio import _OPTIONAL_PresidioPIIMasking
from litellm.types.utils import Choices, Message, ModelResponse


async def done(case):
    """What the model gets, and what the caller gets."""
    guard = _OPTIONAL_PresidioPIIMasking(
        guardrail_name="pii", event_hook="pre_call", default_on=True, **case["options"]
    )
    request = {"model": "m", "messages": case["messages"], "metadata": {}}
    who = UserAPIKeyAuth()
    try:
        request = await guard.async_pre_call_hook(who, DualCache(), request, "completion")
        sent = [message["content"] for message in request["messages"]]
        said = case.get("answer", "{last}").replace("{last}", str(sent[-1]))
        answer = ModelResponse(choices=[Choices(message=Message(content=said, role="assistant"))])
        answer = await guard.async_post_call_success_hook(request, who, answer)
        return {"sent": sent, "told": answer.choices[0].message.content}
    except Exception as problem:  # noqa: BLE001 - it is the answer
        return {"error": f"{type(problem).__name__}: {problem}"}
    finally:
        await guard._close_http_session()


async def main():
    json.dump([await done(case) for case in json.load(sys.stdin)], sys.stdout)


asyncio.run(main())
