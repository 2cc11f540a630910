"""The answers that the main loop gives itself, when a request gets no thread. Pure."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def _answer(status: str, sentence: str, *headers: str) -> bytes:
    body = f"{sentence}\n"
    lines = (
        f"HTTP/1.1 {status}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
        *headers,
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


TOO_SLOW = _answer("408 Request Timeout", "The request did not arrive within 10 seconds. Send it again.")
HEAD_TOO_LONG = _answer("431 Request Header Fields Too Large", "The headers of a request are at most 64 KiB.")
TOO_MUCH_FRAMING = _answer(
    "413 Content Too Large", "The sizes of the chunks of a body take at most 16 KiB. Send fewer, larger chunks."
)
BUSY = _answer(
    "503 Service Unavailable", "Too many requests wait to be answered. Try again in a moment.", "Retry-After: 5"
)
