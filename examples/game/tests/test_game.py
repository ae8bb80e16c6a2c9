"""The scene, drawn without a window."""

import os

import pytest

os.environ["SDL_VIDEODRIVER"] = "dummy"
pygame = pytest.importorskip("pygame", reason="pip install -r requirements.txt")

import game  # noqa: E402  (it imports pygame)


@pytest.fixture
def scene():
    pygame.init()
    pygame.display.set_mode((64, 64))
    yield game.Scene()
    pygame.quit()


def test_the_map_is_grass_and_water(scene):
    width, height = scene.ground.get_size()
    assert (width, height) == (320, 192)
    for place, more, less in (((0, 0, 32, 32), 1, 2), ((96, 64, 32, 32), 2, 1)):  # more green here, more blue there
        color = pygame.transform.average_color(scene.ground, pygame.Rect(place))
        assert color[more] > color[less]


def test_the_slime_moves_and_stands_where_it_should(scene):
    assert len(scene.animation.frames) == 8
    pictures = {pygame.image.tobytes(scene.draw(at), "RGB") for at in range(0, 800, 100)}
    assert len(pictures) > 2
    assert pygame.image.tobytes(scene.draw(0), "RGB") == pygame.image.tobytes(scene.draw(800), "RGB")


def test_sprites_have_no_soft_edges(scene):
    for image, _ in scene.potions:
        assert set(pygame.surfarray.array_alpha(image).flat) == {0, 255}
