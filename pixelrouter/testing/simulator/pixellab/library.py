"""What the vendor keeps for a customer: characters with their animations, tilesets, isometric tiles, map objects.

Shapes follow the vendor's OpenAPI document of v2 (August 2026). A tileset's and a tile's GET answers 423 until it is
there; a map object's also 410 where it failed, and 404 after eight hours; a character's has a ``status``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pixelrouter.testing.simulator.pixellab import animations, tiles
from pixelrouter.testing.simulator.pixellab.account import usage_of
from pixelrouter.testing.simulator.pixellab.answers import Answers
from pixelrouter.testing.simulator.pixellab.assets import Shelf
from pixelrouter.testing.simulator.pixellab.fields import CLOCKWISE
from pixelrouter.testing.simulator.pixellab.jobs import Job, Shown, canvas, iso
from pixelrouter.testing.simulator.pixellab.problems import Refused, still_generating

#: Kind of thing -> its name in errors, and the id's name in answers.
KINDS = {
    "characters": ("Character", "character_id"),
    "tilesets": ("Tileset", "tileset_id"),
    "tilesets-sidescroller": ("Sidescroller tileset", "tileset_id"),
    "isometric-tiles": ("Tile", "tile_id"),
    "map-objects": ("Object", "object_id"),
}
_LISTS = {  # kind -> (name of the list, most and usual number of entries)
    "characters": ("characters", 100, 50),
    "tilesets": ("tilesets", 100, 50),
    "tilesets-sidescroller": ("tilesets", 50, 10),
    "isometric-tiles": ("tiles", 100, 50),
}
_MAP_OBJECT_SECONDS = 8 * 3600
_NAME = 20  # characters of a description that become a name


@dataclass
class Item:
    """One thing kept, and the job that makes it; a character's animations by group."""

    kind: str
    id: str
    job: Job
    groups: dict[str, list[Job]] = field(default_factory=dict)


class Library:
    """The things by kind and id. Called under the simulator's lock, but for `show`, which may draw pictures."""

    def __init__(self, answers: Answers, shelf: Shelf, clock: Callable[[], float]) -> None:
        self._items: dict[tuple[str, str], Item] = {}
        self._answers, self._shelf, self._clock = answers, shelf, clock

    def keep(self, kind: str, job: Job) -> None:
        """Remember what this job makes."""
        item_id = job.ids[KINDS[kind][1]]
        self._items[kind, item_id] = Item(kind, item_id, job)

    def find(self, kind: str, item_id: str) -> Item:
        """Raises Refused(404) for a thing that is not there, or no more."""
        item = self._items.get((kind, item_id))
        if item is None or (kind == "map-objects" and self._clock() >= item.job.created + _MAP_OBJECT_SECONDS):
            raise Refused(404, f"{KINDS[kind][0]} not found")
        return item

    def show(self, item: Item, shown: Shown) -> dict[str, Any]:
        """The answer to a GET of one thing whose job shows this. Raises Refused while the thing is not there."""
        if item.kind == "characters":
            return self._character(item, "processing" if shown == "lag" else shown)
        what = KINDS[item.kind][0]
        if shown in ("processing", "lag"):
            raise still_generating(what)
        if shown == "failed":
            if item.kind == "map-objects":
                raise Refused(410, "Object generation failed permanently")
            raise Refused(404, f"{what} not found")
        makers = {"isometric-tiles": self._tile, "map-objects": self._map_object}
        return makers.get(item.kind, self._tileset)(item)

    def delete(self, kind: str, item_id: str) -> dict[str, Any]:
        """Forget a thing. Raises Refused(404) where it is not there."""
        item = self.find(kind, item_id)
        del self._items[kind, item_id]
        done: dict[str, Any] = {"usage": None, "success": True, KINDS[kind][1]: item_id, "error": None}
        if kind == "characters":
            done |= {"files_deleted": self._shelf.forget(f"{item_id}/"), "animations_deleted": len(item.groups)}
        return done

    def page(self, kind: str, query: Mapping[str, str], until: float) -> dict[str, Any]:
        """One page of what was ordered by then, newest first. Raises Refused(422) for a page that cannot be."""
        name, most, usual = _LISTS[kind]
        limit = _number(query, "limit", usual, 1, most)
        offset = _number(query, "offset", 0, 0, None)
        items = [item for item in reversed(self._items.values()) if item.kind == kind and item.job.created <= until]
        shown = [self._summary(item) for item in items[offset : offset + limit]]
        return {"usage": None, name: shown, "total": len(items)}

    # Shapes.

    def _summary(self, item: Item) -> dict[str, Any]:
        order, status = item.job.order, _status(item.job)
        head = {"id": item.id, "created_at": iso(item.job.created), "status": status}
        if item.kind == "characters":
            return self._character_head(item, status) | {"preview_url": None}
        if item.kind == "isometric-tiles":
            size, shape = order.image_size.width, order.isometric_tile_shape
            return head | {"name": None, "description": order.description, "size": size, "tile_shape": shape}
        both = {"name": None, "lower_description": order.lower_description, "tile_size": dict(order.tile_size)}
        if item.kind == "tilesets":
            return head | both | {"upper_description": order.upper_description, "view": order.view}
        return head | both | {"transition_description": order.transition_description}

    def _character_head(self, item: Item, status: str) -> dict[str, Any]:
        order = item.job.order
        width, height = canvas(order, item.job.growth) or (0, 0)
        return {
            "id": item.id,
            "name": getattr(order, "name", None) or order.description[:_NAME],
            "state_name": "Idle",
            "prompt": order.description,
            "size": {"width": width, "height": height},
            "directions": len(animations.rotations(order)),
            "created_at": iso(item.job.created),
            "updated_at": iso(item.job.done_at),
            "animation_count": len(item.groups),
            "template_id": order.template_id or "mannequin",
            "view": order.view,
            "status": status,
            "tags": [],
            "group_id": None,
        }

    def _character(self, item: Item, status: str) -> dict[str, Any]:
        order = item.job.order
        urls = None
        if status == "completed":
            urls = dict.fromkeys(CLOCKWISE) | self._answers.rotations(item.job)
        style = {name: getattr(order, name) for name in ("outline", "shading", "detail") if hasattr(order, name)}
        return self._character_head(item, status) | {
            "rotation_urls": urls,
            "style_settings": style,
            "guidance": None,
            "ai_freedom": None,
            "skeletons": None,
            "animations": [self._group(group, jobs) for group, jobs in item.groups.items()],
        }

    def _group(self, group: str, jobs: list[Job]) -> dict[str, Any]:
        order = jobs[0].order
        done = [job for job in jobs if job.ready]
        shown = [
            {"direction": job.ids["direction"], "frame_count": len(job.files()), "frames": self._answers.frames(job)}
            for job in done
        ]
        return {
            "animation_type": order.template_animation_id or order.way,
            "display_name": order.animation_name,
            "animation_group_id": group,
            "directions": shown,
        }

    def _tileset(self, item: Item) -> dict[str, Any]:
        job, order = item.job, item.job.order
        files, size = job.files(), {"width": int(order.tile_size.width), "height": int(order.tile_size.height)}
        plan = tiles.layout(order.transition_size)
        listed = [
            tiles.described(plan[int(name)], int(name), _id_of(item.id, name), self._image(job, data))
            for name, data in files.items()
        ]
        kinds = ["lower", "upper"] + (["transition"] if order.transition_size == 1 else [])
        prompts = {"lower": order.lower_description, "upper": getattr(order, "upper_description", "")}
        return {
            "tileset": {"total_tiles": len(listed), "tile_size": size, "terrain_types": kinds, "tiles": listed},
            "metadata": {
                "edge_types": kinds,
                "terrain_prompts": prompts | ({"transition": order.transition_description} if len(kinds) > 2 else {}),
                "terrain_ids": None,
                "transition_size": float(order.transition_size),
                "view": getattr(order, "view", "side"),
                "generation_parameters": {},
                "created_at": iso(job.created),
            },
            "usage": None,
        }

    def _image(self, job: Job, data: bytes) -> dict[str, Any]:
        return {"type": "base64", "base64": self._answers.text(job, data), "format": "png"}

    def _tile(self, item: Item) -> dict[str, Any]:
        images = [self._image(item.job, data) for data in item.job.files().values()]
        usage = usage_of(item.job.bill) if item.job.bill is not None else None
        return {"image": images[0] if images else None, "usage": usage}

    def _map_object(self, item: Item) -> dict[str, Any]:
        order = item.job.order
        return {
            "usage": None,
            "status": "completed",
            "object_id": item.id,
            "description": order.description,
            "width": order.image_size.width,
            "height": order.image_size.height,
            "view": order.view,
            "created_at": iso(item.job.created),
            "download_url": self._answers.map_object_url(item.job),
        }


def _status(job: Job) -> str:
    """Where a job stands, without counting as a poll."""
    if job.end is None or (job.end == "completed" and not job.ready):
        return "processing"
    return job.end


def _id_of(tileset_id: str, name: str) -> str:
    return str(uuid.uuid5(uuid.UUID(tileset_id), name))


def _number(query: Mapping[str, str], name: str, usual: int, least: int, most: int | None) -> int:
    """A number of the query. Raises Refused(422) in the framework's words."""
    text = query.get(name)
    if text is None:
        return usual
    where = {"loc": ["query", name], "input": text}
    try:
        value = int(text)
    except ValueError:
        why = "Input should be a valid integer, unable to parse string as an integer"
        raise Refused(422, [{"type": "int_parsing", **where, "msg": why}]) from None
    if value < least:
        why = f"Input should be greater than or equal to {least}"
        raise Refused(422, [{"type": "greater_than_equal", **where, "msg": why, "ctx": {"ge": least}}])
    if most is not None and value > most:
        why = f"Input should be less than or equal to {most}"
        raise Refused(422, [{"type": "less_than_equal", **where, "msg": why, "ctx": {"le": most}}])
    return value
