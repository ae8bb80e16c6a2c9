"""How Retro Diffusion's files are cut into images: films, sheets of views and directions, tilesets.

Animations are taken as GIF, the vendor's default: it tells its own frames and how long each lasts, while the grid of a
sheet is documented for few styles. A GIF loses nothing here, as these styles draw far fewer than its 256 colours. Where
the grid is known and the place of a cell means something (views, directions) the PNG sheet is taken instead, because
no source tells in which order a GIF shows the views.
"""

from __future__ import annotations

from collections.abc import Mapping

from pixelrouter.types import VIEW_NAMES, GenerationRequest, Layout, ModelInfo

# Columns and rows of a sheet: vendor documents (2026-09) for the views; for the directions, files of 192x192 and
# 160x128 that others keep in public (github.com/lobabobloblaw/emberfall, 2026-07).
SHEETS: Mapping[str, tuple[int, int]] = {
    "rd_advanced_animation__rotate": (3, 3),
    "rd_animation__8_dir_rotation": (3, 3),
    "rd_animation__four_angle_walking": (4, 4),
    "rd_animation__four_angle_walking_idle": (4, 4),
    "rd_animation__small_sprites": (5, 4),
}
# Each view looks at the middle, which is empty, so the one at the top shows its front.
VIEWS_IN_SHEET = ("south-east", "south", "south-west", "east", "", "west", "north-east", "north", "north-west")
TILESETS = ("rd_tile__tileset", "rd_tile__tileset_advanced")
# Corners nw, ne, sw, se; 1: the inside ground. No document says so, three tilesets show it: the vendor's own sample
# (github.com/Retro-Diffusion/api-examples images/api-tileset.png) and two that others bought and published
# (github.com/lobabobloblaw/emberfall), all of 2026-07. The plain grounds come in three variants.
WANG_IN_SHEET = (
    *("wang-0000", "wang-0001", "wang-0011", "wang-0010"),
    *("wang-0000-2", "wang-0101", "wang-1111", "wang-1010"),
    *("wang-0000-3", "wang-0100", "wang-1100", "wang-1000"),
    *("wang-1111-2", "wang-1110", "wang-1101", "wang-0110"),
    *("wang-1111-3", "wang-1011", "wang-0111", "wang-1001"),
)


def wants_sheet(model: ModelInfo, request: GenerationRequest) -> bool:
    """Whether the request asks for a PNG sheet; ``return_spritesheet`` in its options decides, if it is there."""
    if "return_spritesheet" in request.options:
        return bool(request.options["return_spritesheet"])
    if request.task == "views":
        return True
    # The rotations stay films where a film is asked for.
    return request.task == "animation" and model.id in SHEETS and "views" not in model.tasks


def layout(model: ModelInfo, request: GenerationRequest) -> Layout:
    """How the files delivered for ``request`` are cut."""
    width, height = request.size
    if model.id in TILESETS:
        columns, rows = 4, 5
        return Layout(1, columns, rows, names=WANG_IN_SHEET, raw_size=(width * columns, height * rows))
    if request.task not in ("animation", "views"):
        return Layout(raws=request.n, raw_size=_known_size(model, request))
    if not wants_sheet(model, request):
        return Layout(raws=request.n, frames=True, raw_size=(width, height))
    if model.id not in SHEETS:  # the grid is not documented, but each frame has the size asked for
        return Layout(raws=request.n, cell=(width, height))
    columns, rows = SHEETS[model.id]
    return Layout(request.n, columns, rows, names=_names(model, request), raw_size=(width * columns, height * rows))


def _known_size(model: ModelInfo, request: GenerationRequest) -> tuple[int, int] | None:
    """The size that comes: the one asked for, but edit tools keep their image's, and users' styles may force one."""
    return request.size if model.family not in ("edit", "user") or request.task == "inpaint" else None


def _names(model: ModelInfo, request: GenerationRequest) -> tuple[str, ...]:
    if "views" in model.tasks:
        wanted = VIEW_NAMES[request.views or "8"]
        return tuple(name if name in wanted else "" for name in VIEWS_IN_SHEET)
    # The rows are directions, but their order differs from style to style and from run to run: they are numbered.
    columns, rows = SHEETS[model.id]
    return tuple(f"row-{row}/{column}" for row in range(rows) for column in range(columns))
