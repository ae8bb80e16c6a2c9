"""Where one router's state lies: in a folder of this machine, or with a team's ledger on a server."""

from __future__ import annotations

from pixelrouter.config import Settings
from pixelrouter.errors import ConfigError
from pixelrouter.money.database import Database, open_database
from pixelrouter.money.lease import Lease
from pixelrouter.money.owner import Owner, Worker
from pixelrouter.money.raws import Raws
from pixelrouter.routing.team_store import TeamStore
from pixelrouter.store import Store


class State:
    """The database, the proof of life that goes with it, and the store of images; opened together, closed together."""

    database: Database
    worker: Worker
    store: Store

    def __init__(self, settings: Settings) -> None:
        folder = settings.state_dir
        try:
            if not settings.ledger:
                self.worker = Owner(folder / "owners")
            else:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"The state folder {folder} cannot be written: {error}.",
                hint="Set PIXELROUTER_STATE to a folder that can.",
            ) from error
        try:
            self.database = open_database(settings.ledger or folder / "ledger.db")
        except BaseException:
            if not settings.ledger:
                self.worker.close()
            raise
        if not settings.ledger:
            self.store = Store(folder / "store")
            return
        self.store = TeamStore(folder / "store", Raws(self.database))
        try:
            self.worker = Lease(self.database, settings.lease_s)
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        """Give the proof of life and the connections back."""
        self.worker.close()
        self.database.close()
