"""Limits and security headers around an ASGI application; standard library only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuse what is too large (413), too much at a time (503) or too slow (504), and add security headers.

    The whole body is read before the application starts, so that a slow sender keeps no worker busy.

    Args:
        app: the application.
        max_bytes: the largest body.
        max_in_flight: requests at a time.
        timeout: seconds for a request, the reading of its body included.
    """

    def __init__(self, app: Application, *, max_bytes: int, max_in_flight: int, timeout: float) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_in_flight = max_in_flight
        self.timeout = timeout
        self.in_flight = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *added]
            await send(message)

        if self.in_flight >= self.max_in_flight:
            await _refuse(send_guarded, 503, "too many requests at a time: try again soon")
            return
        self.in_flight += 1
        try:
            async with asyncio.timeout(self.timeout):
                body = await self._read(receive)
                if body is None:
                    await _refuse(send_guarded, 413, f"expected a body of at most {self.max_bytes} bytes, got more")
                else:
                    await self.app(scope, _replay(body, receive), send_guarded)
        except TimeoutError:
            if not started:
                await _refuse(send_guarded, 504, f"no answer within {self.timeout:g} seconds")
        finally:
            self.in_flight -= 1

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body, or nothing when it is too large; what is too much is read on, so that its sender listens."""
        body, size = bytearray(), 0
        while True:
            message = await receive()
            part = message.get("body", b"")
            size += len(part)
            if size <= self.max_bytes:
                body += part
            if not message.get("more_body"):
                return bytes(body) if size <= self.max_bytes else None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives the body in one piece, then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


async def _refuse(send: Send, status: int, detail: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"detail": detail}).encode()})
