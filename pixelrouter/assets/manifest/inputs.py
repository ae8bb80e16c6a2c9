"""Files that a manifest names to be read: pictures to start from or follow, and palettes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pixelrouter.assets.manifest.names import ASSET, files_like, is_pattern, visits
from pixelrouter.config_file import is_file
from pixelrouter.errors import PixelRouterError

Told = tuple[str, str]  # what is wrong, and the fix; both "" where nothing is


class Inputs:
    """Reads from ``folder``, the manifest's. Relative paths stay below it; any other place is named in full.

    ``check`` False takes pictures that are not there.
    """

    def __init__(self, folder: Path, *, check: bool = True) -> None:
        self.folder, self.check, self._visits = folder, check, visits()
        self.files = cache(self._files)
        self.picture = cache(self._picture)
        self.pictures = cache(self._pictures)

    def _files(self, pattern: str) -> tuple[str, ...]:
        """The files that a pattern means. Raises ValueError where it asks for too much."""
        return tuple(files_like(self.folder, pattern, self._visits))

    def _picture(self, text: str) -> tuple[str, str, str]:
        """One picture: its place as it is kept, and what is wrong."""
        if text.startswith(ASSET):
            return text, "", ""
        if why := _strays(text):
            return text, *why
        plain = text.removeprefix("./")
        if self.check and not is_file(self.folder / plain):
            return plain, f"{text!r} is not there.", f"Paths start from the folder of assets.toml, or are {ASSET}NAME."
        return plain, "", ""

    def _pictures(self, text: str) -> tuple[tuple[str, ...], str, str]:
        """The pictures that a reference means: one, or those that match a pattern, sorted."""
        if text.startswith(ASSET) or not is_pattern(text):
            place, why, hint = self.picture(text)
            return (place,), why, hint
        if told := _strays(text):
            return (), *told
        try:
            found = self.files(text)
        except ValueError as error:
            return (), f"{text!r} {error}.", "Name the files more closely."
        if not found and self.check:
            return (), f"no file matches {text!r}.", "Patterns start from the folder of assets.toml."
        return found, "", ""

    def colours(self, value: str | tuple[str, ...]) -> tuple[tuple[str, ...] | None, str, str]:
        """A palette's colours. A file's name starts from the manifest's folder."""
        from pixelrouter.pixels.colors.palette import resolve_palette

        wanted: str | tuple[str, ...] | Path = value
        if isinstance(value, str) and ("/" in value or "." in value):
            if why := _strays(value):
                return None, *why
            wanted = self.folder / value
        try:
            return resolve_palette(wanted), "", ""
        except PixelRouterError as error:
            hint = error.hint or 'Write a built-in name ("pico-8"), a palette file, or colours (["#ff8800"]).'
            return None, error.message, hint.partition(" Built in:")[0] if "Did you mean" in hint else hint


def _strays(text: str) -> Told | None:
    """Why a place may not be read from."""
    if "\x00" in text:
        return f"{text!r} holds a NUL character.", "Take it out."
    if ".." in text.replace("\\", "/").split("/"):
        return f"{text!r} leaves the project's folder.", "Copy the file into it, or give the whole path from the root."
    return None
