"""Answers that come packed though none was asked to be: unpacked under a cap, whatever they claim.

Every request says ``Accept-Encoding: identity``, but some servers and proxies pack all the same. httpx would unpack
each piece of 64 kB as it arrives, all layers at once: 64 kB become 64 MB after one layer of deflate, and 64 GB after
two. Here no layer yields more than the cap. What the standard library cannot unpack with a bound is refused.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import httpx

from pixelrouter.wire import guard

_MOST_LAYERS = 3
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


def unpack(data: bytes, response: httpx.Response, cap: int) -> bytes:
    """``data`` without the layers that Content-Encoding names (RFC 9110 section 8.4, the last one applied last).

    Raises httpx.DecodingError where it does not unpack, WireError where it becomes larger than ``cap`` bytes.
    """
    named = [name.strip().lower() for name in response.headers.get("content-encoding", "").split(",")]
    layers = [name for name in named if name and name != "identity"]
    if not layers or not data:
        return data
    if len(layers) > _MOST_LAYERS or not all(name in _UNPACKERS for name in layers):
        shown = ", ".join(layers)[:60]
        raise httpx.DecodingError(f"packed as {shown!r} though nothing was asked for", request=response.request)
    try:
        for name in reversed(layers):
            data = _UNPACKERS[name](data, cap)
    except zlib.error as error:
        raise httpx.DecodingError(f"it does not unpack: {error}", request=response.request) from None
    return data


def _inflate(data: bytes, cap: int, form: int) -> bytes:
    stream = zlib.decompressobj(form)
    unpacked = stream.decompress(data, cap + 1)
    if (size := len(unpacked)) > cap:
        del unpacked  # the traceback would keep it
    guard.check_size(size, cap)
    if not stream.eof or stream.unused_data:
        raise zlib.error("its end is missing, or more follows it")
    return unpacked


def _gunzip(data: bytes, cap: int) -> bytes:
    return _inflate(data, cap, _GZIP)


def _deflate(data: bytes, cap: int) -> bytes:
    """With a zlib header, as the standard says, or without one, as some servers send it."""
    try:
        return _inflate(data, cap, _ZLIB)
    except zlib.error:
        return _inflate(data, cap, _RAW)


_UNPACKERS: dict[str, Callable[[bytes, int], bytes]] = {"gzip": _gunzip, "x-gzip": _gunzip, "deflate": _deflate}
