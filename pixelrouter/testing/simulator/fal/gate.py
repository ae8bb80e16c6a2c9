"""Who may call: fal's keys, and how its gateway words it when they are wrong."""

from __future__ import annotations

from collections.abc import Sequence

from pixelrouter.testing.simulator.fal.problems import detail, platform_error
from pixelrouter.testing.simulator.server import Received

_ADMIN = ("models/billing-events", "account/billing")
_OPEN = ("models",)  # the Platform API's list of models asks for no key


class Gate:
    """The account's keys. ``admin`` says whether they have the scope for billing."""

    def __init__(self, keys: Sequence[str], *, admin: bool) -> None:
        self._keys, self._admin = tuple(keys), admin

    def check(self, request: Received, app: str) -> None:
        """Raises Refused: 401 without a key, with one of another form, with an unknown one."""
        given = request.headers.get("authorization")
        if given is None:
            raise detail(f'Cannot access application "{app}". Authentication is required.', 401)
        scheme, _, key = given.partition(" ")
        if scheme.lower() == "key" and ":" not in key:
            raise detail("Invalid Key Authorization header format. Expected '<key_id>:<key_secret>'.", 401)
        if scheme.lower() != "key" or key not in self._keys:
            raise detail("No user found for Key ID and Secret", 401)

    def check_platform(self, request: Received, path: str) -> None:
        """The same for the Platform API, in its own envelope."""
        given = request.headers.get("authorization")
        if given is None and path in _OPEN:
            return
        scheme, _, key = (given or "").partition(" ")
        if scheme.lower() != "key" or key not in self._keys:
            raise platform_error("authorization_error", "Authentication required", 401)
        if path in _ADMIN and not self._admin:
            raise platform_error("authorization_error", "This API key does not have the ADMIN scope", 403)
