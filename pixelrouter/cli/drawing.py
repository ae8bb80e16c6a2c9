"""What every command that draws has in common: its options, and the way from a wish to files and words."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import worst
from pixelrouter.cli.files import check_target, save, save_named, slug
from pixelrouter.cli.output import command, emit, error_data, report, say
from pixelrouter.cli.waiting import progress
from pixelrouter.errors import IncompleteDelivery

if TYPE_CHECKING:
    from pixelrouter.types import PixelArt


@dataclass(frozen=True)
class Shared:
    """The shared options of one call: what they say of the wish, how to save, whether to send at all."""

    wish: Mapping[str, Any]
    output: Path | None
    scale: int
    as_json: bool
    quiet: bool
    dry_run: bool

    def draw(self, prompt: str, *, name: str | None = None, animation: Path | None = None, **wish: Any) -> int:
        """Obtain what is wished for, save it and tell. ``name`` is the file's, where the prompt is no good one.

        ``animation``: where to write a moving picture too. Returns the exit code: that of IncompleteDelivery where less
        came than was paid for (what came is saved).
        """
        stem = slug(name or prompt)
        check_target(self.output or Path(f"{stem}.png"))
        from pixelrouter import PixelRouter  # loaded once the command line is known to be right

        wanted = {**self.wish, **wish}
        with PixelRouter() as router:
            if self.dry_run:
                show_requests(router.dry_run(prompt, **wanted), as_json=self.as_json)
                return 0
            short: IncompleteDelivery | None = None
            with progress(quiet=self.quiet or self.as_json) as notify:
                try:
                    art = router.generate(prompt, **wanted, progress=notify)
                except IncompleteDelivery as error:
                    if error.art is None:
                        raise
                    art, short = error.art, error  # what came was paid for, so it is saved before the error is told
        files = save(art, self.output, scale=self.scale) if self.output else save_named(art, stem, scale=self.scale)
        if animation:
            files.append(art.save_animation(animation, scale=self.scale))
        if self.as_json:
            trouble = {"error": error_data(short)} if short else {}
            emit({**art.as_dict(), "files": [str(file) for file in files], **trouble})
        else:
            tell(art, files, quiet=self.quiet)
            if short:
                report(short, pays=True)
        return worst([short] if short else [])


@o.with_finishing
def _shared(
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    min_score: o.MinScore = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    commercial: o.Commercial = False,
    strategy: o.StrategyName = None,
    style_group: o.StyleGroup = None,
    restyle: o.Restyle = False,
    max_usd: o.MaxUsd = None,
    max_generations: o.MaxGenerations = None,
    timeout: o.Timeout = None,
    fresh: o.Fresh = False,
    on_unknown: o.OnUnknown = None,
    asset: o.Asset = None,
    tag: o.Tags = None,
    dry_run: o.DryRun = False,
    output: o.Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    *,
    finishing: Mapping[str, Any],
) -> Shared:
    """The options of every command that draws."""
    wish = {
        **o.wish(route=route, backend=backend, palette=palette, option=option),
        **finishing,
        "size": size,
        "colors": colors,
        "transparent": transparent,
        "seed": seed,
        **({} if min_score is None else {"min_score": min_score}),
        "model": model,
        "commercial": commercial,
        "strategy": strategy,
        "style_group": style_group,
        "restyle": restyle,
        "max_usd": max_usd,
        "max_generations": max_generations,
        "timeout_s": timeout,
        "fresh": fresh,
        "on_unknown": on_unknown,
        "asset": asset,
        "tags": tag or (),
    }
    return Shared(wish, output, scale, as_json, quiet, dry_run)


def drawing(function: Callable[..., int]) -> Callable[..., None]:
    """Make a command of a function: its own parameters and the shared options, which it gets as ``shared``."""
    theirs = inspect.signature(_shared, eval_str=True).parameters
    own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name != "shared"]

    @functools.wraps(function)
    def run(**given: Any) -> int:
        shared = _shared(**{name: given.pop(name) for name in theirs})
        return function(shared=shared, **given)

    # The command-line library reads options off a signature.
    run.__signature__ = inspect.Signature([*own, *theirs.values()])  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *theirs.values())}
    return command(pays=True)(run)


def tell(art: PixelArt, files: Sequence[Path], *, quiet: bool) -> None:
    """The art for a person: preview, summary and warnings; and the files for whoever reads stdout."""
    if not quiet:
        from pixelrouter.cli.preview import show  # rich takes its time to load

        show(art.images)
        say(summary(art))
        for warning in art.warnings:
            say(f"warning: {warning}")
    for file in files:
        print(file)


def summary(art: PixelArt) -> str:
    """The art in one line: who drew it, what it is, what it cost."""
    width, height = art.size
    count = f"{len(art.indexed)} x " if len(art.indexed) > 1 else ""
    quoted = art.attempts[-1].quoted if art.attempts else None
    differs = quoted is not None and not art.reused and quoted.money != art.attempts[-1].cost.money
    cost = "reused, nothing paid" if art.reused else f"{art.cost}{f', quoted {quoted}' if differs else ''}"
    colors = max(report.colors_after for report in art.reports)
    parts = [art.backend, art.model, f"{count}{width}x{height}", f"{colors} colours", cost]
    return " | ".join(part for part in parts if part)


def show_requests(requests: list[dict[str, Any]], *, as_json: bool) -> None:
    """The requests of a dry run: as JSON, or the way HTTP writes them."""
    if as_json:
        emit(requests)
        return
    for request in requests:
        print(f"# {request['backend']}, model {request.get('model') or 'default'}")
        if request.get("note"):
            print(f"# {request['note']}")
        if request.get("url"):
            print(f"{request['method']} {request['url']}")
            headers: Mapping[str, str] = request.get("headers") or {}
            for header, value in headers.items():
                print(f"{header}: {value}")
            body = request.get("body")
            if body is not None:
                print(f"\n{body if isinstance(body, str) else json.dumps(body, indent=2, default=str)}")
        print()
    say("dry run: nothing was sent.")
