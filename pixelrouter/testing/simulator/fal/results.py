"""The answer to a result GET: the output under public links with what it was billed, or the failure."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

from pixelrouter.testing.simulator.fal.jobs import Job
from pixelrouter.testing.simulator.fal.orders import Drawn, Picture, output
from pixelrouter.testing.simulator.fal.problems import Failure
from pixelrouter.testing.simulator.fal.storage import Storage
from pixelrouter.testing.simulator.faults import Faults
from pixelrouter.testing.simulator.server import Reply

_UNITS = "X-Fal-Billable-Units"


def failed(job: Job, failure: Failure) -> Reply:
    """The failure's own status and body. What it cost all the same is told unless the fault hides it."""
    headers = {**failure.headers, "X-Fal-Request-Id": job.id}
    if job.billed and not job.has(Faults.MODERATED):
        headers[_UNITS] = plain(job.billed)
    return Reply.of_json(failure.body, failure.status, headers)


def finished(job: Job, *, billing_header: bool) -> Reply:
    """The output of a job that was published."""
    headers = {"X-Fal-Request-Id": job.id}
    if billing_header and job.billed is not None and not job.has("missing_units"):
        headers[_UNITS] = plain(job.billed)
    return Reply.of_json(job.result, headers=headers)


def plain(units: Decimal) -> str:
    """A number of units as the header writes it: ``2``, ``0.25``."""
    return f"{units.normalize():f}"


def publish(job: Job, drawn: Drawn, storage: Storage) -> None:
    """Put the pictures on the CDN and write the result, once. ``sync_mode`` puts them into the result itself."""
    if job.result is None and job.order is not None:
        links = [_link(job, picture, index, storage) for index, picture in enumerate(drawn.pictures)]
        job.result = _odd(job, output(job.order, drawn, links))


def _link(job: Job, picture: Picture, index: int, storage: Storage) -> dict[str, Any]:
    file, name = picture.output, f"{index}.{picture.output.extension}"
    inline = job.order is not None and job.order.fields.get("sync_mode") and not job.has(Faults.URL_ONLY)
    if job.has(Faults.EVIL_URL) and job.fault:
        url = job.fault.params["url"]
    elif inline:
        url = f"data:{file.media_type};base64,{base64.b64encode(file.data).decode()}"
    else:
        url = storage.put(file.data, file.media_type, name)
    about = {"content_type": file.media_type, "file_name": name, "file_size": len(file.data)}
    return {"url": url, **about, "width": picture.width, "height": picture.height}


def _odd(job: Job, result: dict[str, Any]) -> dict[str, Any]:
    """The output with what its fault makes of it."""
    if job.has("huge_seed") and job.fault and "seed" in result:
        return {**result, "seed": job.fault.params["seed"]}
    if job.has("missing_keys") and "images" in result:
        return {"images": [{"url": link["url"]} for link in result["images"]]}  # all that is promised
    return result
