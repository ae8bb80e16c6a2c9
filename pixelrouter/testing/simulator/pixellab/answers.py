"""The bodies of good answers: synchronous results, accepted jobs, polls.

Where a finished job has its pictures differs by family (seen in live records of 2026): a list, one object, a map by
direction, a bare base64 string, or nothing but URLs.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from typing import Any

from pixelrouter.testing.simulator.faults import Faults
from pixelrouter.testing.simulator.pixellab import drawing
from pixelrouter.testing.simulator.pixellab.account import Account, usage_of
from pixelrouter.testing.simulator.pixellab.assets import Shelf
from pixelrouter.testing.simulator.pixellab.jobs import Job, Shown, iso
from pixelrouter.testing.simulator.pixellab.problems import failure
from pixelrouter.testing.simulator.pixellab.settings import Settings

_LINE = 76  # characters in a line of base64 with newlines
_INLINE = ("image", "images", "quantized_image", "quantized_images")
_NOTHING_YET = {"type": "usd", "usd": 0.0}


class Answers:
    """Writes what the vendor says about a job. ``shelf`` is where pictures get their URLs."""

    def __init__(self, account: Account, shelf: Shelf, settings: Settings) -> None:
        self._account, self._shelf, self._settings = account, shelf, settings
        self._families: dict[str, Callable[[Job], dict[str, Any]]] = {
            "image": self._image,
            "images": self._images,
            "directions": self._directions,
            "frames": self._frames,
            "urls": self._urls,
            "map_object": self._map_object,
            "stored": lambda job: {},
        }

    def text(self, job: Job, data: bytes) -> str:
        """A picture as base64, in the way that the job's fault or the settings want."""
        written = base64.b64encode(data).decode()
        if job.has("base64_newlines"):
            written = "\n".join(written[start : start + _LINE] for start in range(0, len(written), _LINE))
        if self._settings.data_uri or job.has("data_prefix"):
            written = f"data:image/png;base64,{written}"
        return written

    def _with_usage(self, body: dict[str, Any], job: Job, usage: dict[str, Any]) -> dict[str, Any]:
        kind = self._settings.usage
        if job.fault is not None and job.has("usage_missing"):
            kind = "null" if job.fault.params["null"] else "missing"
        if kind == "missing":
            return body
        return body | {"usage": None if kind == "null" else usage}

    # Synchronous endpoints.

    def synchronous(self, job: Job, version: str) -> dict[str, Any]:
        """The answer with the result in it."""
        family = job.endpoint.family
        usage = usage_of(job.bill, version) if job.bill is not None else _NOTHING_YET
        if family == "keypoints":
            body: dict[str, Any] = {"keypoints": drawing.skeleton(job.order.image)}
            body["keypoints"] = [] if job.has(Faults.EMPTY_IMAGES) else body["keypoints"]
        else:
            form = {"format": "png"} if version == "v2" else {}
            pictures = [{"type": "base64", "base64": self.text(job, data)} | form for data in job.files().values()]
            body = {"images": pictures} if family == "images" else {"image": pictures[0] if pictures else None}
        return self._with_usage(body, job, usage)

    # Jobs.

    def accepted(self, job: Job, extra: dict[str, Any]) -> dict[str, Any]:
        """The answer that names the job, and its owner where there is one."""
        body = {"background_job_id": job.id, "status": "processing"} | job.ids | extra
        return self._with_usage(body, job, _NOTHING_YET)

    def poll(self, job: Job, shown: Shown) -> dict[str, Any]:
        """What GET /background-jobs/{id} says. The HTTP status is 200 also where the job failed."""
        status: str = "processing" if shown == "lag" else shown
        if job.fault is not None and job.has("status_word") and status == "processing":
            status = job.fault.params["word"]
        body = {"id": job.id, "status": status, "created_at": iso(job.created), "last_response": self._last(job, shown)}
        finished = shown != "processing"
        return self._with_usage(body, job, self._account.usage(job) if finished else _NOTHING_YET)

    def _last(self, job: Job, shown: Shown) -> dict[str, Any] | None:
        if shown == "failed":
            return failure(job.failure_code) | job.ids
        if shown == "processing":
            if job.seen <= 1:
                return None
            waits = {"queue_position": 0, "estimated_wait_seconds": 0}
            progress = {"progress": round(min(0.95, 0.05 * job.seen), 2), **waits}
            return {"type": "message_progress", "status": "initializing", **progress, **job.ids}
        # The inner status never moves on: only the outer one counts.
        done = {"type": "message_done", "status": "initializing", "progress": 1.0, "seed": job.seed}
        found = self._families[job.endpoint.family](job)
        if job.has(Faults.URL_ONLY):
            found = {name: value for name, value in found.items() if name not in _INLINE}
        money = self._account.bill(job)
        if money is not None:
            bill = {"type": money.unit, "usd": 0.0, "generations": 0.0} | {money.unit: float(money)}
            done |= {"billing_usage": bill, "billing_charged": True}
        # The inner usage is computing time, not money.
        return done | job.ids | found | {"usage": {"seconds": 12.5}}

    def _picture(self, job: Job, data: bytes) -> dict[str, Any]:
        width, height = struct.unpack(">II", data[16:24])  # of the PNG's header
        return {"type": "base64", "base64": self.text(job, data), "width": width, "height": height}

    def _image(self, job: Job) -> dict[str, Any]:
        pictures = [self._picture(job, data) for data in job.files().values()]
        found = {"image": pictures[0] if pictures else None}
        quantized = job.endpoint.path in ("/edit-image", "/inpaint-v3")
        return found | {"quantized_image": found["image"]} if quantized else found

    def _images(self, job: Job) -> dict[str, Any]:
        pictures = [self._picture(job, data) for data in job.files().values()]
        quantized = job.endpoint.path == "/generate-image-v2"
        return {"images": pictures, "quantized_images": pictures} if quantized else {"images": pictures}

    def _directions(self, job: Job) -> dict[str, Any]:
        files = job.files()
        pictures = {name: self._picture(job, data) for name, data in files.items()}
        return {
            "images": pictures,
            "quantized_images": pictures,
            "directions_count": len(files),
            "saved_to_storage": True,
            "uploaded_directions": list(files),
            "storage_urls": self.rotations(job),
        }

    def rotations(self, job: Job) -> dict[str, str]:
        """Direction -> URL of a character's picture."""
        start = f"{job.ids['character_id']}/rotations"
        return {name: self._shelf.url(job, name, f"{start}/{name}.png") for name in job.files()}

    def frames(self, job: Job) -> list[str]:
        """The URLs of an animation's frames, in order."""
        ids = job.ids
        start = f"{ids['character_id']}/animations/{ids['animation_id']}/{ids['direction']}"
        return [self._shelf.url(job, name, f"{start}/{name}.png") for name in job.files()]

    def _frames(self, job: Job) -> dict[str, Any]:
        pictures = self._images(job)["images"]
        urls = {"frames": self.frames(job)}
        return {"images": pictures, "frame_count": len(pictures), "storage_urls": urls}

    def _urls(self, job: Job) -> dict[str, Any]:
        return {"storage_urls": self.rotations(job), "saved_to_storage": True}

    def map_object_url(self, job: Job) -> str:
        """Where a map object's picture is."""
        return self._shelf.url(job, "0", f"objects/{job.ids['object_id']}.png")

    def _map_object(self, job: Job) -> dict[str, Any]:
        pictures = [self.text(job, data) for data in job.files().values()]
        return {"image": pictures[0] if pictures else None, "storage_url": self.map_object_url(job)}
