"""Which frames of a sprite belong together under a name: Aseprite's frame tags."""

from __future__ import annotations

from itertools import groupby

from pixelrouter.assets.export.clips import plain, unique
from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import InvalidRequest
from pixelrouter.formats.aseprite_marks import Tag


def frame_tags(sprite: Sprite) -> tuple[Tag, ...]:
    """The sprite's own tags; without them one a view ("walk/0" and "walk/1" are both of "walk"); a film without
    names is one tag of the sprite's name, since engines play tags only. Stills and tiles have none.

    Played once is ``repeat`` 1; back and forth once is 2, since Aseprite counts the ways. Raises InvalidRequest for a
    tag over frames that are not there.
    """
    last = len(sprite.frames) - 1
    if sprite.moves and sprite.tags:
        for tag in sprite.tags:
            if not 0 <= tag.first <= tag.last <= last:
                raise InvalidRequest(
                    f"The frame tag {tag.name!r} of {sprite.name!r} covers frames {tag.first} to {tag.last}; "
                    f"there are frames 0 to {last}.",
                    hint="Change the tag's first and last frame.",
                )
        names = unique(plain(tag.name) for tag in sprite.tags)
        return tuple(
            Tag(name, tag.first, tag.last, tag.direction, _repeat(sprite, tag.direction))
            for name, tag in zip(names, sprite.tags, strict=True)
        )
    if last == 0 or sprite.task == "tileset" or not (sprite.moves or any(sprite.names)):
        return ()
    runs = [(name, list(numbers)) for name, numbers in groupby(range(last + 1), lambda at: _group(sprite, at))]
    names = unique(plain(name) for name, _ in runs)
    return tuple(
        Tag(name, run[0], run[-1], repeat=_repeat(sprite) if sprite.moves else 0)
        for name, (_, run) in zip(names, runs, strict=True)
    )


def _repeat(sprite: Sprite, direction: str = "forward") -> int:
    return 0 if sprite.loop else 2 if direction.startswith("pingpong") else 1


def _group(sprite: Sprite, number: int) -> str:
    name = sprite.frame_name(number)
    before, _, index = name.rpartition("/")
    if before and index.isdecimal():
        return before
    return sprite.name if sprite.moves else name
