"""Where the finished images lie in what a vendor delivers: one file each, a sheet of cells, the frames of a film."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """How a vendor's files are cut into images.

    It is applied when finishing, from the stored files, so a better layout in a later version costs nobody anything.

    ``raws``: how many of the delivered files count, in order; None for all of them. A still is cut into ``columns`` by
    ``rows`` equal cells, or into cells of ``cell`` (width, height) in its own pixels. ``frames`` True: every frame of a
    moving picture is an image of its own (a still is cut all the same). ``names`` are those of the images in order
    (cells row by row, else frames, else files); an empty name leaves its image out. ``key`` True: each image stands on
    a solid ground that is to be made transparent. ``raw_size`` (width, height): what the vendor should have drawn;
    another size is worth a warning. ``together``: the files are parts of one thing and share a palette.
    """

    raws: int | None = None
    columns: int = 1
    rows: int = 1
    cell: tuple[int, int] | None = None
    frames: bool = False
    names: tuple[str, ...] = ()
    key: bool = False
    raw_size: tuple[int, int] | None = None
    together: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether every file is an image on its own, that has nothing to do with the others."""
        return not (self.together or self.frames or self.names or self.cell or self.columns * self.rows > 1)
