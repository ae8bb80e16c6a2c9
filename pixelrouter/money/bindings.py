"""Which backend draws a set of sprites: they should look alike, so a set keeps the vendor that drew its first image.

The first call of a set binds it, in one transaction, so that calls made at the same time agree, in other processes too.
Until the first image is there the binding may still go to another backend, if the bound one failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from pixelrouter.money.database import Database, Session

SETTLING_S = 2.0  # an image that was settled so recently may be about to be counted as delivered


@dataclass(frozen=True)
class Group:
    """A set of sprites of one project."""

    project: str
    name: str


@dataclass(frozen=True)
class Binding:
    """What a set keeps to. ``models``: by task; ``delivered``: it has its first image, so the binding is final."""

    backend: str
    models: Mapping[str, str | None] = field(default_factory=dict)
    delivered: bool = False


class Bindings:
    """The bindings of a ledger. Safe to share between threads."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def get(self, group: Group) -> Binding | None:
        """What the set keeps to; None before its first call."""
        with self._database.reading() as db:
            return _get(db, group)

    def claim(
        self,
        group: Group,
        task: str,
        backend: str,
        model: str | None,
        *,
        failed: Collection[str] = (),
        mine: Collection[str] = (),
        lives: Callable[[str], bool] = bool,
    ) -> Binding | None:
        """Bind the set to the backend, unless it is bound already; what it is bound to then.

        A binding to one of those that ``failed`` this call goes over to ``backend``, unless the set has got an image
        meanwhile. None: another call is about to deliver one; ask again in a moment. ``mine`` are the attempts of this
        call, and ``lives`` says of an owner whether it still works.
        """
        with self._database.transaction(exclusive=True) as db:
            bound = _get(db, group)
            if bound is not None and bound.backend != backend:
                if bound.delivered or bound.backend not in failed:
                    return bound
                pending = _pending(db, group, bound.backend, mine, lives, self._clock())
                if pending is not False:
                    return None if pending else bound
                _forget(db, group)
                bound = None
            if bound is None or task not in bound.models:
                _insert(db, group, task, backend, model, self._clock(), None)
            found = _get(db, group)
            assert found is not None  # noqa: S101  (it was written in this transaction)
            return found

    def delivered(self, group: Group, task: str, backend: str, model: str | None, *, anew: bool = False) -> None:
        """An image of the set is there, so the binding is final. ``anew``: whatever the set was bound to before."""
        with self._database.transaction(exclusive=True) as db:
            bound = _get(db, group)
            if anew and bound is not None and (bound.backend != backend or bound.models.get(task) != model):
                if bound.backend != backend:
                    _forget(db, group)
                else:
                    _forget(db, group, task)
                bound = _get(db, group)
            if bound is None or (bound.backend == backend and task not in bound.models):
                _insert(db, group, task, backend, model, self._clock(), self._clock())
            db.execute(
                "UPDATE binding SET delivered_at = :now WHERE project = :project AND style_group = :name"
                " AND backend = :backend AND delivered_at IS NULL",
                {"now": self._clock(), "project": group.project, "name": group.name, "backend": backend},
            )


def _get(db: Session, group: Group) -> Binding | None:
    rows = db.execute(
        "SELECT task, backend, model, delivered_at FROM binding WHERE project = :project AND style_group = :name",
        {"project": group.project, "name": group.name},
    ).fetchall()
    if not rows:
        return None
    models = {row["task"]: row["model"] for row in rows}
    return Binding(rows[0]["backend"], models, any(row["delivered_at"] is not None for row in rows))


def _insert(
    db: Session, group: Group, task: str, backend: str, model: str | None, now: float, delivered: float | None
) -> None:
    db.execute(
        "INSERT INTO binding (project, style_group, task, backend, model, bound_at, delivered_at)"
        " VALUES (:project, :name, :task, :backend, :model, :now, :delivered)",
        {
            "project": group.project,
            "name": group.name,
            "task": task,
            "backend": backend,
            "model": model,
            "now": now,
            "delivered": delivered,
        },
    )


def _forget(db: Session, group: Group, task: str | None = None) -> None:
    one = "" if task is None else " AND task = :task"
    db.execute(
        f"DELETE FROM binding WHERE project = :project AND style_group = :name{one}",  # noqa: S608  (constants)
        {"project": group.project, "name": group.name, **({} if task is None else {"task": task})},
    )


def _pending(
    db: Session, group: Group, backend: str, mine: Collection[str], lives: Callable[[str], bool], now: float
) -> bool | None:
    """Whether another call is about to deliver an image of the set from that backend.

    None: nobody works on it, but one was ordered, and whoever collects it will deliver it.
    """
    rows = db.execute(
        "SELECT id, state, owner FROM attempt WHERE project = :project AND style_group = :name AND backend = :backend"
        " AND (state IN ('reserved','sending','accepted')"
        " OR (state = 'settled' AND raws <> '[]' AND updated_at > :since))",
        {"project": group.project, "name": group.name, "backend": backend, "since": now - SETTLING_S},
    )
    others = [row for row in rows if row["id"] not in mine]
    if any(row["state"] == "settled" or lives(row["owner"]) for row in others):
        return True
    return None if any(row["state"] == "accepted" for row in others) else False
