"""Loaded pipelines: few of them, one lock each, shared by the process.

A pipeline is not thread-safe, and switching adapters or the scheduler is part of a call, so a call holds the lock from
the first to the last. How many stay loaded is bounded; the one used longest ago goes first.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pixelrouter.backends.diffusers import device as devices
from pixelrouter.backends.diffusers.adapters import Adapters
from pixelrouter.backends.diffusers.failures import explain
from pixelrouter.backends.diffusers.families import SCHEDULERS, Family
from pixelrouter.backends.diffusers.files import check_model, variant_there


class Key(NamedTuple):
    """What makes two loaded pipelines different."""

    folder: str
    base: str
    variant: str | None
    family: str
    device: devices.Device
    dtype: str
    offload: str
    tiling: bool | str


@dataclass
class Loaded:
    """One base model in memory. Use it only inside :func:`borrow`."""

    key: Key
    lock: threading.Lock = field(default_factory=threading.Lock)
    pipes: dict[str, Any] = field(default_factory=dict)  # by class; they share their parts
    adapters: Adapters = field(default_factory=Adapters)
    offload: devices.Offload = "none"
    scheduler: Any = None  # the model's own
    last: str = ""

    @property
    def any_pipe(self) -> Any:
        """One of the pipelines: adapters belong to the parts they share."""
        return next(iter(self.pipes.values()))

    def pipe(self, cls: str) -> Any:
        """The pipeline of that class, on the same parts."""
        import diffusers

        if cls not in self.pipes:
            # Not from_pipe: it would turn the shared weights into another number format.
            made, first = getattr(diffusers, cls), self.any_pipe
            takes = inspect.signature(made.__init__).parameters
            parts = {name: part for name, part in first.components.items() if name in takes}
            rest = {name: value for name, value in first.config.items() if name in takes and name not in parts}
            self.pipes[cls] = made(**{**rest, **parts, **_own(self.key.family)})
            self.pipes[cls].set_progress_bar_config(disable=True)
        if self.offload != "none" and cls != self.last:
            _offload(self.pipes[cls], self.offload, self.key.device)  # the hooks belong to the pipeline used last
        self.last = cls
        return self.pipes[cls]

    def schedule(self, pipe: Any, name: str | None) -> None:
        """Give the pipeline a scheduler of that kind, made from the model's own; None: the model's own, anew."""
        import diffusers

        cls = type(self.scheduler) if name is None else getattr(diffusers, SCHEDULERS[name])
        pipe.scheduler = cls.from_config(self.scheduler.config)


_loaded: OrderedDict[Key, Loaded] = OrderedDict()
_guard = threading.Lock()


@contextlib.contextmanager
def borrow(key: Key, family: Family, keep: int) -> Iterator[Loaded]:
    """The loaded model of that key, held alone; loaded first if need be, after others had to go.

    Raises ConfigError or JobFailed if it cannot be loaded.
    """
    with _guard:
        one = _loaded.setdefault(key, Loaded(key))
        _loaded.move_to_end(key)
        gone = False
        while len(_loaded) > keep:
            _loaded.popitem(last=False)
            gone = True
    if gone:
        _free()
    with one.lock:
        if not one.pipes:
            try:
                _load(one, family)
            except BaseException:
                with _guard:
                    _loaded.pop(key, None)
                raise
        yield one


def forget() -> None:
    """Drop every loaded pipeline that nobody is using."""
    with _guard:
        _loaded.clear()
    _free()


def _free() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _load(one: Loaded, family: Family) -> None:
    import diffusers
    import torch

    key = one.key
    check_model(Path(key.folder), key.base, family.name)
    size = devices.gigabytes(key.folder, family)
    one.offload = devices.offload(torch, key.offload, key.device, family, size, key.dtype)
    try:
        with quiet():
            pipe = getattr(diffusers, family.draws).from_pretrained(
                key.folder,
                dtype=getattr(torch, key.dtype),
                variant=variant_there(Path(key.folder), key.variant),
                use_safetensors=True,
                local_files_only=True,
                **_own(family.name),
            )
            if one.offload == "none":
                pipe.to(key.device)
            else:
                _offload(pipe, one.offload, key.device)
    except Exception as error:
        raise explain(error, "loading", key.base) from error
    pipe.set_progress_bar_config(disable=True)
    if key.tiling is True or (key.tiling == "auto" and one.offload != "none"):
        pipe.vae.enable_tiling()
    one.scheduler, one.last = pipe.scheduler, family.draws
    one.pipes[family.draws] = pipe


def _own(family: str) -> dict[str, Any]:
    """Arguments of that family's constructors: SDXL's invisible watermark would change pixels."""
    return {"add_watermarker": False} if family == "sdxl" else {}


def _offload(pipe: Any, how: devices.Offload, device: devices.Device) -> None:
    if how == "model":
        pipe.enable_model_cpu_offload(device=device)
    else:
        pipe.enable_sequential_cpu_offload(device=device)


_silence = threading.Lock()
_silenced: list[Any] = []  # one entry for each drawing under way, the first with what to restore


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and no warnings of the libraries: progress goes to the caller, and what can go wrong is checked.

    (They warn of every adapter that it has no text encoder's part, of every second adapter that it is one, of a long
    prompt that is noted here, and of libraries that these models do not need.) Several threads may be in it.
    """
    from diffusers.utils import logging as ours
    from transformers.utils import logging as theirs

    with _silence:
        before = [(one, one.is_progress_bar_enabled(), one.get_verbosity()) for one in (ours, theirs)]
        _silenced.append(_silenced[0] if _silenced else before)
        for one, _, _ in before:
            one.disable_progress_bar()
            one.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        with _silence:
            first = _silenced.pop()
            if not _silenced:
                for one, shown, level in first:
                    one.set_verbosity(level)
                    if shown:
                        one.enable_progress_bar()
