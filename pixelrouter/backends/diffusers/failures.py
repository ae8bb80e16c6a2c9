"""What torch, diffusers and the Hugging Face Hub raise, as errors that say what to do.

The top message is rarely the cause (a gated model reads as "not a valid identifier"), so the whole chain of causes is
looked at. Classes are known by name: none of those libraries is imported here. Nothing costs money on this machine;
ConfigError is for what has to be set right first, JobFailed for a drawing that went wrong and may go right next time.
"""

from __future__ import annotations

from collections.abc import Iterator

from pixelrouter.errors import ConfigError, InvalidRequest, JobFailed, PixelRouterError
from pixelrouter.types import Money

INSTALL = "Install it: pip install 'pixelrouter[local]'. For a CPU-only or a certain CUDA torch, install torch first."
_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "Invalid buffer size")


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it came from."""
    seen: set[int] = set()
    stack: list[BaseException | None] = [error]
    while stack:
        one = stack.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        stack += [one.__cause__, one.__context__]


def _is(error: BaseException, *names: str) -> bool:
    return any(cls.__name__ in names for cls in type(error).__mro__)


def missing_extra(error: ImportError) -> ConfigError:
    """A library of the extra is not installed, or cannot be loaded."""
    what = error.name or str(error)
    return ConfigError(f"The diffusers backend needs {what}, which cannot be imported: {error}.", hint=INSTALL)


def explain(error: Exception, doing: str, asset: str, *, download: bool = False) -> PixelRouterError:
    """The error for a person. ``doing``: "loading" and the like; ``asset``: the repository, folder or preset."""
    causes = list(chain(error))
    for one in causes:
        if isinstance(one, PixelRouterError):
            return one
    return (
        _out_of_memory(causes, doing, asset)
        or _hub(causes, asset, download)
        or _files(causes, asset)
        or _otherwise(error, causes, doing, asset)
    )


def _out_of_memory(causes: list[BaseException], doing: str, asset: str) -> JobFailed | None:
    for one in causes:
        text = str(one)
        if _is(one, "OutOfMemoryError", "MemoryError") or any(sign in text for sign in _MEMORY):
            return failed(
                f"Out of memory while {doing} {asset}: {_first_line(one)}.",
                code="out_of_memory",
                hint="Set offload = 'model' (or 'sequential'), vae_tiling = true, a smaller n or raw_size, or close "
                "what else uses the memory.",
            )
    return None


def _hub(causes: list[BaseException], asset: str, download: bool) -> PixelRouterError | None:
    url = f"https://huggingface.co/{asset}"
    if any(_is(one, "GatedRepoError") for one in causes):
        return ConfigError(
            f"{asset} is gated: its owner wants the terms accepted before anybody downloads it.",
            hint=f"Accept them at {url}, then log in with `hf auth login` or set HF_TOKEN.",
        )
    if any(_is(one, "RepositoryNotFoundError", "HFValidationError") for one in causes):
        return ConfigError(
            f"There is no repository {asset} on the Hugging Face Hub, or it is private.",
            hint="Look at the spelling; for a private one set HF_TOKEN.",
        )
    for one in causes:
        status = getattr(getattr(one, "response", None), "status_code", None)
        if status == 429 or (isinstance(status, int) and status >= 500):
            return failed(
                f"The Hugging Face Hub is busy ({status}), so {asset} was not downloaded.",
                code=f"hub_{status}",
                hint="Try again in a few minutes.",
            )
        if status in (401, 403):
            return ConfigError(
                f"The Hugging Face Hub refuses the token that it was sent ({status}).",
                hint="Log in again with `hf auth login`, or correct HF_TOKEN.",
            )
    if any(_is(one, "OfflineModeIsEnabled") for one in causes):
        return ConfigError(f"{asset} is not on this machine, and HF_HUB_OFFLINE forbids downloading it.", hint=_GET)
    if not download and any(_is(one, "LocalEntryNotFoundError") for one in causes):
        return ConfigError(f"The weights of {asset} are not on this machine.", hint=_GET)
    for one in causes:
        if _is(one, "ConnectError", "ConnectTimeout", "ReadTimeout", "ConnectionError", "TransportError"):
            return failed(
                f"The Hugging Face Hub cannot be reached, so {asset} was not downloaded ({type(one).__name__}).",
                code="hub_unreachable",
                hint="Check the network, and try again.",
            )
    if any(_is(one, "LocalEntryNotFoundError", "EntryNotFoundError") for one in causes):
        return ConfigError(f"{asset} does not hold the file that is needed: {_first_line(causes[0])}.")
    return None


_GET = (
    "Allow the download for one run, PIXELROUTER_BACKENDS_DIFFUSERS_DOWNLOAD=true (or download = true in the config): "
    "it fetches only the files that are needed."
)


def _files(causes: list[BaseException], asset: str) -> ConfigError | None:
    if any(_is(one, "SafetensorError") or "SafetensorError" in str(one) for one in causes):
        return ConfigError(
            f"A weight file of {asset} is damaged: {_first_line(causes[-1])}.",
            hint="Delete it and fetch it again; a download that broke off leaves such a file.",
        )
    for one in causes:
        if isinstance(one, RuntimeError) and "size mismatch" in str(one):
            return ConfigError(
                f"{asset} was made for another size of the model: its weights do not fit.",
                hint="Take the adapter that was made for this base model.",
            )
        if isinstance(one, OSError) and "no file named" in str(one):
            return ConfigError(
                f"{asset} lacks weights: {_first_line(one)}.",
                hint="Fetch the whole model again; part of it is missing.",
            )
    return None


def _otherwise(error: Exception, causes: list[BaseException], doing: str, asset: str) -> PixelRouterError:
    for one in causes:
        if isinstance(one, ImportError):
            return missing_extra(one)
    said = f"{type(error).__name__}: {_first_line(error)}"
    if doing.startswith("drawing"):
        return failed(f"Drawing with {asset} failed: {said}.", code="local_error")
    return ConfigError(f"{asset} cannot be used ({doing}): {said}.")


def failed(message: str, *, code: str, hint: str | None = None) -> JobFailed:
    """A drawing that did not come about. Nothing was charged: it was this machine's."""
    return JobFailed(message, charged=Money(0), code=code, hint=hint)


def no_file(asset: str, why: str) -> ConfigError:
    """A folder or file that is not what it should be."""
    return ConfigError(f"{asset}: {why}.", hint="Look at the path, or fetch the model again.")


def refused(message: str, hint: str) -> InvalidRequest:
    """A request this machine should not start on."""
    return InvalidRequest(message, hint=hint)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0].rstrip(".") if lines else type(error).__name__)[:300]
