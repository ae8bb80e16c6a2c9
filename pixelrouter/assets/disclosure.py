"""Drafts of what shops ask of a game with generated art, with the facts of the lock filled in. No legal advice.

Facts about the shops, with the day their pages were read, lie in :data:`SHOPS`. Prompts are left out unless asked for:
they may spoil a story. Counted apart: pictures by trained models, pictures that were drawn by rule (procedural, which
is no generative AI), and those that a person changed afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pixelrouter.assets.asset import Manifest
from pixelrouter.assets.lock import Lock, Locked, read_lock
from pixelrouter.assets.provenance import generative

Shop = Literal["steam", "itch", "unity"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a shop asks, in our words: ``ask`` for a game with generated pictures, ``none`` for one without."""

    title: str
    ask: tuple[str, ...]
    none: tuple[str, ...]
    sources: tuple[str, ...]


SHOPS: Mapping[Shop, Rules] = {
    "steam": Rules(
        "Steam: Content Survey, part 3, generative artificial intelligence",
        (
            "Say yes to content made with AI that ships with the game or that players meet otherwise (store page, "
            "marketing, community assets): this is *pre-generated* content.",
            "Put the text below, checked and in your own words, into the field that says how it was used. It is shown "
            "on the store page, and can be changed later.",
            "Say no to content that is generated while the game runs (*live-generated*), unless your game does that "
            "besides: these pictures were made before.",
            "Tools that only help you work (code assistants and the like) are not what this part asks about.",
            "With the distribution agreement you promise that nothing in the game is illegal or infringes rights.",
        ),
        (
            "By the lock no picture was made with generative AI. Other parts of the game (texts, sound, code, pictures "
            "from elsewhere) are yours to answer for.",
        ),
        (
            "Steamworks documentation, Content Survey: https://partner.steamgames.com/doc/gettingstarted/contentsurvey "
            "(read 2026-11-22)",
            "The wording since January 2026, narrowed to what players meet: reported by GameDiscoverCo on 2026-01-16 "
            "and by others (read 2026-11-22)",
        ),
    ),
    "itch": Rules(
        "itch.io: generative AI disclosure, on the project's edit page",
        (
            'Answer "Does this project contain the results of generative AI?" with **yes**.',
            "Tick **Graphics**. Tick Sound, Text & Dialog and Code for what else you made so; the lock knows pictures "
            "only.",
            "The tags (AI Generated, AI Generated Graphics) are set by the form; add none by hand.",
            "Asset pages have to answer; what was generated and changed afterwards counts as generated. Pages that do "
            "not answer truthfully are taken from the lists.",
        ),
        (
            'By the lock no picture was made with generative AI; for pictures alone the answer is **no** ("No AI"). '
            "Algorithms that were not trained on large collections do not count as generative AI there.",
        ),
        (
            "itch.io, Generative AI Disclosure tagging, by leafo, November 2024: https://itch.io/t/4309690 "
            "(read 2026-11-22)",
            "itch.io, Quality guidelines, AI disclosure, as reported (read 2026-11-22): "
            "https://itch.io/docs/creators/quality-guidelines#ai-disclosure",
        ),
    ),
    "unity": Rules(
        "Unity Asset Store: disclosure in the product listing",
        (
            "Content that was made with the help of AI, wholly or in part, has to be disclosed in the marketing data: "
            "put the text below, checked and in your own words, into the description.",
            "Packages may be turned down if they have errors that make them less useful, resemble others' work, or add "
            "too little of value.",
        ),
        ("By the lock no picture was made with generative AI. For pictures alone there is nothing to disclose.",),
        (
            "Unity Support, Can I publish and sell content generated with AI on the Asset Store?: "
            "https://support.unity.com/hc/en-us/articles/16456407029524 (read 2026-11-22)",
            "The guidelines themselves, last updated 2026-05-20, are to be read before you submit: "
            "https://marketplace.unity.com/publishing/submission-guidelines",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the picture of one asset comes from. ``hand``: a person changed files of it."""

    asset: str
    backend: str
    model: str | None
    generative: bool
    hand: bool
    candidates: int
    licence: str
    commercial: bool | None
    terms_url: str | None
    terms_checked: str | None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The facts of a build, for reports. ``costs``: totals of all candidates by unit ("usd", "generations");
    ``unbuilt``: assets of the manifest of which nothing can be said yet.
    """

    project: str
    origins: tuple[Origin, ...]
    costs: Mapping[str, str]
    files: int
    unbuilt: tuple[str, ...] = ()

    @property
    def generated(self) -> tuple[Origin, ...]:
        """Assets whose picture came from a trained model."""
        return tuple(one for one in self.origins if one.generative)

    @property
    def drawn_by_rule(self) -> tuple[Origin, ...]:
        """Assets whose picture was drawn by rule: no generative AI."""
        return tuple(one for one in self.origins if not one.generative)

    @property
    def problems(self) -> tuple[Origin, ...]:
        """Assets whose licence forbids commercial use, or leaves it open; forbidden ones first."""
        open_ = [one for one in self.origins if one.commercial is not True]
        return tuple(sorted(open_, key=lambda one: (one.commercial is None, one.asset)))

    def as_dict(self) -> dict[str, Any]:
        """Everything, JSON-ready."""
        return {
            "project": self.project,
            "assets": len(self.origins),
            "generative": len(self.generated),
            "procedural": len(self.drawn_by_rule),
            "hand_edited": sum(one.hand for one in self.origins),
            "files": self.files,
            "unbuilt": list(self.unbuilt),
            "costs": dict(self.costs),
            "by_model": [
                {"backend": backend, "model": model, "assets": count}
                for (backend, model), count in _by_model(self.origins).items()
            ],
            "licence_problems": [one.asset for one in self.problems],
            "origins": [asdict(one) for one in self.origins],
        }


def disclosure(path: str | Path = "assets.toml", *, prompts: bool = False) -> Disclosure:
    """The facts of a build from its manifest and lock. ``prompts``: with the prompts, as the manifest has them.

    Assets that the manifest no longer has do not ship and are left out; what they cost was paid all the same. Raises
    ConfigError where manifest or lock cannot be read.
    """
    from pixelrouter.assets.manifest import load_manifest

    manifest = load_manifest(path)
    return facts(manifest, read_lock(manifest.lock_path), prompts=prompts)


def facts(manifest: Manifest, lock: Lock, *, prompts: bool = False) -> Disclosure:
    """The same of values that are read already."""
    shipped = {name: lock.assets[name] for name in manifest.assets if name in lock.assets}
    origins = (
        _origin(name, locked, manifest.assets[name].prompt if prompts else None) for name, locked in shipped.items()
    )
    files = sum(len(one.outputs) for one in shipped.values())
    files += sum(len(one.outputs) for name, one in lock.atlases.items() if name in manifest.atlases)
    unbuilt = tuple(name for name in manifest.assets if name not in lock.assets)
    return Disclosure(manifest.project.name, tuple(origins), _costs(lock.assets), files, unbuilt)


def _origin(name: str, locked: Locked, prompt: str | None) -> Origin:
    picked, licence = locked.picked, locked.picked.licence
    return Origin(
        asset=name,
        backend=picked.backend,
        model=picked.model,
        generative=generative(picked.backend),
        hand=bool(locked.hand),
        candidates=len(locked.candidates),
        licence=licence.name if licence else "unknown",
        commercial=licence.commercial if licence else None,
        terms_url=licence.url if licence else None,
        terms_checked=licence.checked if licence else None,
        prompt=prompt,
    )


def _costs(assets: Mapping[str, Locked]) -> dict[str, str]:
    """Totals by unit, each attempt once: several candidates of one purchase share its price."""
    paid = {
        (one.cost.unit, one.attempt or f"{name} {one.number}"): Decimal(one.cost.amount)
        for name, locked in assets.items()
        for one in locked.candidates
    }
    totals: dict[str, Decimal] = {}
    for (unit, _), amount in paid.items():
        totals[unit] = totals.get(unit, Decimal(0)) + amount
    return {unit: f"{total.normalize():f}" for unit, total in sorted(totals.items()) if total}


def _by_model(origins: Iterable[Origin]) -> dict[tuple[str, str | None], int]:
    """Assets by backend and model, the most first."""
    counts = Counter((one.backend, one.model) for one in origins)
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0][0], pair[0][1] or "")))


def markdown(found: Disclosure, shops: Iterable[Shop]) -> str:
    """The drafts as one text in Markdown: problems first, then each shop, then the facts."""
    return "\n".join(_lines(found, tuple(shops))) + "\n"


def _lines(found: Disclosure, shops: tuple[Shop, ...]) -> Iterator[str]:
    yield f"# How the pictures of {_text(found.project) or 'this game'} were made"
    yield ""
    yield "**A draft**, made by `pixelrouter report` from the build's lock. It is no legal advice: check every line"
    yield "and read the shop's own pages, which change. It knows the pictures of the build, nothing else of the game."
    yield ""
    yield from _problem_lines(found)
    for shop in shops:
        yield from _shop_lines(found, SHOPS[shop])
    yield from _fact_lines(found)


def _problem_lines(found: Disclosure) -> Iterator[str]:
    if not found.problems:
        return
    yield "## To settle before anything is sold"
    yield ""
    for one in found.problems:
        what = "no commercial use" if one.commercial is False else "commercial use is not clear; read the terms"
        yield f"- {_code(one.asset)}: {_text(one.licence)} ({_maker(one)}): {what}{_link(one)}"
    yield ""


def _shop_lines(found: Disclosure, rules: Rules) -> Iterator[str]:
    yield f"## {rules.title}"
    yield ""
    yield from (f"- [ ] {step}" for step in (rules.ask if found.generated else rules.none))
    yield ""
    if found.generated:
        yield "Draft text:"
        yield ""
        yield f"> {_text(statement(found))}"
        yield ""
    yield from (f"Source: {source}" + ("  " if source is not rules.sources[-1] else "") for source in rules.sources)
    yield ""


def statement(found: Disclosure) -> str:
    """What players may read: how pictures were made, in a few sentences without names of assets."""
    made, hand = found.generated, sum(one.hand for one in found.generated)
    makers = ", ".join(dict.fromkeys(_plain(one.backend, one.model) for one in made))
    parts = [
        f"{len(made)} of the game's {len(found.origins)} sprites and tiles were generated with AI models before "
        f"release ({makers}), chosen by the developers and reduced to pixel art by software."
    ]
    if hand:
        parts.append(f"{hand} of them {'was' if hand == 1 else 'were'} changed by hand afterwards.")
    if found.drawn_by_rule:
        count = len(found.drawn_by_rule)
        parts.append(f"{count} {'was' if count == 1 else 'were'} drawn by rules that were not trained on any pictures.")
    parts.append("Nothing is generated while the game runs by the tool that made these pictures.")
    return " ".join(parts)


def _fact_lines(found: Disclosure) -> Iterator[str]:
    hand = sum(one.hand for one in found.origins)
    yield "## The facts"
    yield ""
    yield f"- {len(found.origins)} assets in {found.files} files"
    yield f"- {len(found.generated)} by generative AI, {len(found.drawn_by_rule)} drawn by rule (no generative AI)"
    yield f"- {hand} changed by hand after they were built, and adopted"
    if found.unbuilt:
        yield f"- not built yet, and not counted: {', '.join(map(_code, found.unbuilt))}"
    for unit, amount in found.costs.items():
        yield f"- paid for them and for the candidates that were not picked: {_amount(amount, unit)}"
    yield ""
    counts = _by_model(found.origins).items()
    makers = ((_text(_plain(name, model)), str(count)) for (name, model), count in counts)
    yield from _table(("vendor and model", "assets"), makers)
    yield from _table(("licence", "commercial use", "terms", "read on", "assets"), _licences(found.origins))
    rows = (_row(one) for one in found.origins)
    prompts = any(one.prompt is not None for one in found.origins)
    yield from _table(("asset", "made by", "by hand", "candidates", *(("prompt",) if prompts else ())), rows)


def _licences(origins: Iterable[Origin]) -> Iterator[tuple[str, ...]]:
    """The licences with their terms, those of most assets first."""
    counts = Counter((one.licence, one.commercial, one.terms_url, one.terms_checked) for one in origins)
    uses = {True: "yes", False: "**no**", None: "read the terms"}
    for (name, use, url, day), count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0][0])):
        yield _text(name), uses[use], url or "-", day or "-", str(count)


def _row(one: Origin) -> tuple[str, ...]:
    cells = (_code(one.asset), _maker(one), "changed" if one.hand else "-", str(one.candidates))
    return cells if one.prompt is None else (*cells, _text(one.prompt))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    if lines:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from lines
        yield ""


def _maker(one: Origin) -> str:
    return _text(_plain(one.backend, one.model))


def _plain(backend: str, model: str | None) -> str:
    return f"{backend} {model}" if model else backend


def _link(one: Origin) -> str:
    return f" ({one.terms_url})" if one.terms_url else ""


def _amount(amount: str, unit: str) -> str:
    return f"${amount}" if unit == "usd" else f"{amount} {unit}"


def _code(text: str) -> str:
    return f"`{text}`"


def _text(text: str) -> str:
    """Words in Markdown: what would be read as its signs is escaped, line ends are spaces."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in " ".join(text.split()))
