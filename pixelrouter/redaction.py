"""Credentials taken out of every text that a person, a log or a file may see."""

from __future__ import annotations

import re

_SECRETS: set[str] = set()
# Credential shapes published by the vendors, so that a key nobody registered is caught as well.
_SECRET_SHAPES = re.compile(
    r"\brdpk-[A-Za-z0-9_-]{8,}"  # Retro Diffusion
    r"|\br8_[A-Za-z0-9]{8,}"  # Replicate
    r"|\b(?:[Bb]earer|[Kk]ey)\s+[A-Za-z0-9._:-]{16,}"  # Authorization header values
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}:[0-9a-f]{16,}"  # fal key id:secret
    # Signed URLs: AWS S3 and CloudFront, Google, Azure, and plain ones.
    r"|(?<=[?&])(?i:x-(?:amz|goog)-(?:signature|credential|security-token)|signature|sig|policy|key-pair-id|token"
    r"|awsaccesskeyid|googleaccessid|access_token|api_?key)=[^&\s\"'#]+"
)
REDACTED = "[redacted]"


def register_secret(value: str) -> None:
    """Remember a credential so that :func:`redact` removes it from every later message."""
    if len(value) >= 4:
        _SECRETS.add(value)


def redact(text: str) -> str:
    """``text`` with every registered credential and everything shaped like one replaced."""
    for secret in sorted(_SECRETS, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return _SECRET_SHAPES.sub(REDACTED, text)
