"""A port for the outputs alone, as the vendor delivers them from a host that is not its API's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pixelrouter.testing.simulator.charges import Charge
from pixelrouter.testing.simulator.server import Received, Reply, Simulator
from pixelrouter.types import Money

PREFIX = "/xezq/"


class OutputHost(Simulator):
    """The delivery host of another simulator. Whatever token arrives here, a client has let out."""

    vendor = "replicate"
    key_variable = "REPLICATE_API_TOKEN"
    default_keys = ()

    def __init__(self, owner: Simulator, download: Callable[[Received], Reply], *, host: str, name: str) -> None:
        self.keys = ()
        self._owner, self._download, self._name = owner, download, name
        super().__init__(host=host)

    @property
    def origin(self) -> str:
        """Where its downloads are, under the name that it goes by."""
        return f"http://{self._name}:{self.url.rpartition(':')[2]}"

    def answer(self, request: Received) -> Reply:
        return self._download(request)

    @property
    def charges(self) -> list[Charge]:
        return self._owner.charges

    @property
    def charged_total(self) -> Money:
        return self._owner.charged_total

    @property
    def paid_posts(self) -> int:
        return 0

    def state(self) -> dict[str, Any]:
        return self._owner.state()

    def forget(self) -> None:
        """Nothing to forget: the predictions are the owner's."""
