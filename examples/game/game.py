"""The smallest game that could use the art: a lake in a meadow, a slime that jumps, two potions to find.

python game.py                  # a window; arrow keys move the slime, Esc ends it
python game.py screenshot.png   # no window: one picture of the scene
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pygame

ART = Path(__file__).parent / "art"
TILE, SCALE = 16, 3
# Corners, not cells: every tile joins four of them. "#" is grass, "." is water.
CORNERS = [
    "#####################",
    "#####################",
    "####....#############",
    "###.......###########",
    "###........##########",
    "###.........#####..##",
    "####........####...##",
    "#####......#####...##",
    "######....##########.",
    "###############......",
    "##############.......",
    "#############........",
    "#############........",
]


class Animation:
    """The frames of a sheet with their times, as Aseprite's JSON array tells them."""

    def __init__(self, name: str) -> None:
        sheet = pygame.image.load(ART / f"{name}.png").convert_alpha()
        frames = json.loads((ART / f"{name}.json").read_text("utf-8"))["frames"]
        self.frames = [sheet.subsurface(pygame.Rect(*(frame["frame"][side] for side in "xywh"))) for frame in frames]
        self.durations = [frame["duration"] for frame in frames]

    def at(self, milliseconds: int) -> pygame.Surface:
        """The frame that shows at that time, over and over."""
        left = milliseconds % sum(self.durations)
        for frame, duration in zip(self.frames, self.durations, strict=True):
            if left < duration:
                return frame
            left -= duration
        raise AssertionError("the times add up")


def ground() -> pygame.Surface:
    """The map, drawn of the sixteen corner tiles: tile 0 is all water, 15 all grass; bits are NW, NE, SW, SE."""
    sheet = pygame.image.load(ART / "shore.png").convert()
    rows, columns = len(CORNERS) - 1, len(CORNERS[0]) - 1
    surface = pygame.Surface((columns * TILE, rows * TILE))
    for y in range(rows):
        for x in range(columns):
            four = CORNERS[y][x : x + 2] + CORNERS[y + 1][x : x + 2]
            index = int("".join("1" if corner == "#" else "0" for corner in four), 2)
            cell = (index % 4 * TILE, index // 4 * TILE, TILE, TILE)
            surface.blit(sheet, (x * TILE, y * TILE), cell)
    return surface


class Scene:
    """Everything that is drawn; ``slime`` is where its feet stand, in the map's pixels."""

    def __init__(self) -> None:
        self.ground, self.animation = ground(), Animation("slime")
        self.potions = [
            (pygame.image.load(ART / f"potion-{color}.png").convert_alpha(), place)
            for color, place in (("red", (40, 150)), ("blue", (250, 40)))
        ]
        self.slime = [220, 130]

    def draw(self, milliseconds: int) -> pygame.Surface:
        """The scene at that time, in the map's own pixels."""
        picture = self.ground.copy()
        for image, place in self.potions:
            picture.blit(image, place)
        frame = self.animation.at(milliseconds)
        picture.blit(frame, (self.slime[0] - frame.get_width() // 2, self.slime[1] - frame.get_height()))
        return picture


def main() -> None:
    """A window, or one picture of the scene into a file."""
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if picture:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
    pygame.init()
    size = ((len(CORNERS[0]) - 1) * TILE * SCALE, (len(CORNERS) - 1) * TILE * SCALE)
    screen = pygame.display.set_mode(size)
    scene, clock = Scene(), pygame.time.Clock()
    while True:
        screen.blit(pygame.transform.scale(scene.draw(300 if picture else pygame.time.get_ticks()), size), (0, 0))
        if picture:
            pygame.image.save(screen, picture)
            return
        pygame.display.flip()
        events = pygame.event.get()
        if any(event.type == pygame.QUIT or getattr(event, "key", 0) == pygame.K_ESCAPE for event in events):
            return
        held = pygame.key.get_pressed()
        scene.slime[0] += held[pygame.K_RIGHT] - held[pygame.K_LEFT]
        scene.slime[1] += held[pygame.K_DOWN] - held[pygame.K_UP]
        clock.tick(60)


if __name__ == "__main__":
    main()
