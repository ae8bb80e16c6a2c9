"""What a cassette may keep of an exchange: no credential, no signature, few headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pixelrouter.errors import REDACTED, redact

#: Response headers that say something about the answer and nothing about the account, connection or person.
HEADERS = frozenset(
    {
        "content-type",
        "location",
        "preference-applied",
        "retry-after",
        "x-fal-billable-units",
        "x-fal-error-type",
        "x-fal-request-id",
        "x-fal-request-timeout-type",
        "x-rd-request-id",
        "x-request-id",
    }
)
# Parameters that make an address a key to the file behind it: AWS S3 and CloudFront, Google, Azure, and plain ones.
_SIGNED = re.compile(
    r"(?i)([?&](?:x-(?:amz|goog)-(?:signature|credential|security-token)|signature|sig|policy|key-pair-id|token"
    r"|awsaccesskeyid|googleaccessid|access_token|api_?key|key|secret)=)[^&\s\"'#]+"
)


def scrub_text(text: str) -> str:
    """``text`` without credentials and without the signatures of addresses in it. Scrubbing twice changes nothing."""
    return _SIGNED.sub(rf"\g<1>{REDACTED}", redact(text))


def scrub(value: Any) -> Any:
    """JSON data with every string in it scrubbed, names of fields included."""
    match value:
        case str():
            return scrub_text(value)
        case dict():
            return {scrub_text(name): scrub(item) for name, item in value.items()}
        case list():
            return [scrub(item) for item in value]
    return value


def scrub_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers on the allow-list, in lower case and scrubbed."""
    return {name.lower(): scrub_text(value) for name, value in headers.items() if name.lower() in HEADERS}
