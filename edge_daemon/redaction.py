"""Texts without the secrets that addresses and commands hold: what is shown, logged, journalled."""

import re

_SECRET = re.compile(
    r"\b((?:user|proxy)-(?:id|pw)|user(?:name)?|pw|pass(?:word|wd)?|pwd|token|secret|key)"
    r"\s*=\s*(?:\"[^\"]*\"|'[^']*'|\S+)"
)


def redact(text: str) -> str:
    """Return a text without passwords: user info and query of URLs, GStreamer's -pw, `token=…`.

    What is part of a URL's path is shown: only its owner knows that it is secret.
    """
    text = re.sub(r"://\S*@", "://***@", text)  # to the last one: a password may hold any
    text = re.sub(r"(://[^\s?]*)\?\S*", r"\1?***", text)
    return _SECRET.sub(r"\1=***", text)
