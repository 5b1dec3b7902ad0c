"""The page: files that ship with the package, under a policy that lets a browser run and fetch
nothing but what this service has. They are made from `web/`.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from scrubjay.serve.call import Call, Content

KINDS = {
    "index.html": "text/html; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
}
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",  # no string becomes a script or markup
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # asked for anew each time, and sent when it has changed
}


def calls() -> list[Call]:
    """`/`, and what the page is made of."""
    return [_call("/" if name == "index.html" else f"/{name}", name) for name in KINDS]


def _call(path: str, name: str) -> Call:
    content = files("scrubjay.serve").joinpath("web", name).read_bytes()
    headers = HEADERS | {"ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}

    async def sent(request: Request) -> Response:
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=KINDS[name])

    body = Content(media=KINDS[name].partition(";")[0])
    return Call("GET", path, sent, "What the page is made of.", gives=body, key=False)
