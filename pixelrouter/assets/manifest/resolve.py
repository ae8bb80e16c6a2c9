"""From the words of the tables to assets: the nearest word holds, asset before style before project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixelrouter.assets.asset import Asset, FrameTag
from pixelrouter.assets.manifest.names import ASSET
from pixelrouter.assets.manifest.tables import FINISHING
from pixelrouter.types import ON_AN_IMAGE

Words = Mapping[str, Any]  # those of a table that are set, checked
DEFAULT_SIZE = (32, 32)
_CHOICE = ("backend", "route", "model", "options")
_ONLY_FOR = {  # words that one task alone has
    "strength": "edit",
    "mask": "inpaint",
    "views": "views",
    "action": "animation",
    "frames": "animation",
    "frame_tags": "animation",
    "tiles": "tileset",
    "upper": "tileset",
}
_SUBJECT_FIRST = ("views", "animation")  # their first picture is the subject
_AS_IT_IS = (
    *("model", "seed", "transparent", "strength", "views", "action", "frames", "tiles", "upper"),
    *("colors", "min_score", "fps", "pivot"),
)


def nearer(far: Words, near: Words) -> dict[str, Any]:
    """Two layers as one. A nearer choice of vendor replaces the whole choice: models and options are the vendor's."""
    merged = dict(far)
    if near.keys() & {"backend", "route"}:
        for word in _CHOICE:
            merged.pop(word, None)
    elif "options" in near and "options" in far:
        near = {**near, "options": {**far["options"], **near["options"]}}
    merged.update(near)
    return merged


def affixed(prompt: str, prefix: str, suffix: str) -> str:
    """The prompt between its style's words: single spaces between them, none in front of a comma or full stop."""
    if not prompt.strip():
        return ""
    text = " ".join(part.strip() for part in (prefix, prompt) if part.strip())
    end = suffix.strip()
    return f"{text}{'' if end[:1] in ',.;:!?' else ' '}{end}" if end else text


@dataclass(frozen=True)
class Shared:
    """A style with everything it inherits, and the parts of it that its assets share."""

    words: Words
    finishing: Words
    references: tuple[str, ...]


def shared(words: Words, references: tuple[str, ...]) -> Shared:
    """``words`` of the layers below the asset; ``references`` as files."""
    return Shared(words, {key: words[key] for key in FINISHING if key in words}, references)


def resolve(
    name: str,
    own: Words,
    style: Shared,
    references: tuple[str, ...] | None,
    colours: Callable[[Any], tuple[str, ...] | None],
    report: Callable[[Sequence[str | int], str, str], None],
    line: int,
) -> Asset:
    """The asset of a table whose words are ``own``. ``report`` takes a key, what is wrong with it, and the fix."""
    words = nearer(style.words, own)
    task = words.get("task", "image")
    for word, only in _ONLY_FOR.items():
        if word in own and only != task:
            report(
                [word], f"is for task {only!r}, and this one's is {task!r}.", f'Add task = "{only}", or take it out.'
            )
    image = own.get("image")
    _complete(own, words, task, image, report)
    follow = references if references is not None else tuple(one for one in style.references if one != ASSET + name)
    if (task in _SUBJECT_FIRST and image is None) or task == "remove_background":
        if references:
            report(["references"], f"are no help to task {task!r} without an image.", "Add image, or take them out.")
        follow = ()  # a style's: the first of them would be taken for the subject
    palette = words.get("palette")
    for_task = {word: words.get(word) for word in _AS_IT_IS if _ONLY_FOR.get(word, task) == task}
    if task == "remove_background":
        for_task["transparent"] = words.get("transparent", True)
    if task == "views":
        for_task["views"] = words.get("views", "4")
    if task == "tileset":
        for_task["tiles"] = words.get("tiles", "seamless")
    return Asset(
        name=name,
        prompt=affixed(words.get("prompt", ""), words.get("prefix", ""), words.get("suffix", "")),
        size=words.get("size", DEFAULT_SIZE),
        task=task,
        backend=words.get("backend"),
        route=words.get("route"),
        images=(image, *follow) if image is not None else follow,
        mask=own.get("mask") if task == "inpaint" else None,
        options=words.get("options", {}),
        n=words.get("n", 1),
        style=words.get("style", ""),
        sticky=words.get("sticky", True),
        commercial=words.get("commercial", False),
        palette=None if palette in (None, "none") else colours(palette),
        palette_name=palette if isinstance(palette, str) and palette != "none" else "",
        finishing=_finishing(own, style),
        out=own.get("out", name),
        exports=words.get("exports", ()),
        loop=words.get("loop", True),
        frame_tags=tuple(FrameTag(tag.name, tag.first, tag.last, tag.direction) for tag in own.get("frame_tags", ())),
        tags=words.get("tags", ()),
        line=line,
        **for_task,
    )


def _finishing(own: Words, style: Shared) -> Words:
    """Assets that say nothing of their own share the style's."""
    mine = {key: own[key] for key in FINISHING if key in own}
    return {**style.finishing, **mine} if mine else style.finishing


def _complete(own: Words, words: Words, task: str, image: str | None, report: Callable[..., None]) -> None:
    """What a task needs."""
    if task in ON_AN_IMAGE and image is None:
        report([], f"task {task!r} needs an image.", 'Add image = "file.png" or image = "asset:NAME".')
    if task == "inpaint" and "mask" not in own:
        report([], "task 'inpaint' needs a mask.", 'Add mask = "mask.png", white where it is to be drawn anew.')
    if task == "tileset" and words.get("tiles") == "wang" and "upper" not in words:
        report([], "wang tiles need the ground that lies on the prompt's.", 'Add upper = "grass".')
    subject = image is not None and task in (*_SUBJECT_FIRST, "remove_background")
    if not words.get("prompt", "").strip() and not subject:
        report([], "has no prompt.", 'Add prompt = "what is to be seen".')
    last = words.get("frames")
    for number, tag in enumerate(own.get("frame_tags", ())):
        if tag.first > tag.last or (last is not None and tag.last >= last):
            what = f"frames {tag.first} to {tag.last} are not in order, or beyond the last."
            report(["frame_tags", number], what, f"Count from 0{f' to {last - 1}' if last else ''}.")


def cycle(assets: Mapping[str, Asset]) -> list[str] | None:
    """A ring of assets that are each drawn from the next, None where there is none. No recursion: chains are long."""
    state: dict[str, int] = {}  # 1: on the way, 2: done
    for start in assets:
        way = [(start, iter(needs(assets[start])))] if start not in state else []
        state.setdefault(start, 1)
        while way:
            name, left = way[-1]
            below = next((one for one in left if one in assets), None)
            if below is None:
                state[name] = 2
                way.pop()
            elif state.get(below) == 1:
                ring = [step for step, _ in way]
                return [*ring[ring.index(below) :], below]
            elif below not in state:
                state[below] = 1
                way.append((below, iter(needs(assets[below]))))
    return None


def needs(asset: Asset) -> list[str]:
    """The assets whose pictures it is drawn from."""
    pictures = (*asset.images, *((asset.mask,) if asset.mask else ()))
    return [picture.removeprefix(ASSET) for picture in pictures if picture.startswith(ASSET)]
