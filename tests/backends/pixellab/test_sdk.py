"""Our v1 bodies beside those of the official SDK (pixellab 1.0.5), caught by a small server on this machine.

The SDK sends every field there is, null where it has no value; we send what was asked for. So the bodies are equal
where every field that only the SDK sends is null, or is what the API does by itself.
"""

from __future__ import annotations

import io
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from PIL import Image

from tests.backends.pixellab.made import JOINTS, picture, sent, wire, wish

pixellab = pytest.importorskip("pixellab", reason="the official SDK is not installed")

PIC, OTHER, MASK = picture(), picture(color=(0, 0, 255, 255)), picture(color=255, mode="L")
SIZE = {"width": 64, "height": 64}
# What the API does where a field is missing: the defaults of the OpenAPI document of v1, 2026-08-15.
DEFAULTS = {
    "negative_description": "",
    "text_guidance_scale": 8,
    "extra_guidance_scale": 3,
    "skeleton_guidance_scale": 1,
    "style_strength": 0,
    "init_image_strength": 300,
    "isometric": False,
    "oblique_projection": False,
    "n_frames": 4,
    "start_frame_index": 0,
    "view": "side",
    "direction": "east",
    "image_guidance_scale": 3,
}
# Sent by the SDK, unknown to the document: v1 ignores unknown fields.
STRAYS = {"reference_guidance_scale", "pose_guidance_scale", "coverage_percentage"}


def opened(data):
    return Image.open(io.BytesIO(data))


class Catcher(BaseHTTPRequestHandler):
    """Keeps each request and answers with an image."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.caught.append((self.path, dict(self.headers), json.loads(body)))
        many = self.path.rpartition("/")[2].startswith("animate")
        image = wire(PIC)
        reply = {"usage": {"type": "usd", "usd": 0.01}, **({"images": [image]} if many else {"image": image})}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(reply).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def sdk():
    server = HTTPServer(("127.0.0.1", 0), Catcher)
    server.caught = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    client = pixellab.Client(secret="test-key-1", base_url=f"http://127.0.0.1:{server.server_port}/v1")
    yield client, server.caught
    server.shutdown()
    thread.join()
    server.server_close()


CASES = {
    "generate-image-pixflux": (
        lambda c: c.generate_image_pixflux(
            description="a red potion",
            image_size=SIZE,
            no_background=True,
            outline="lineless",
            view="side",
            init_image=opened(PIC),
            init_image_strength=300,
            color_image=opened(OTHER),
            seed=77,
        ),
        wish(
            model="pixflux",
            task="edit",
            transparent=True,
            images=(PIC,),
            strength=0.7,
            options={"outline": "lineless", "view": "side", "color_image": OTHER},
        ),
    ),
    "generate-image-bitforge": (
        lambda c: c.generate_image_bitforge(
            description="a red potion",
            image_size=SIZE,
            text_guidance_scale=3.0,
            style_image=opened(PIC),
            style_strength=50,
            skeleton_keypoints=JOINTS,
            seed=77,
        ),
        wish(model="bitforge", images=(PIC,), options={"text_guidance_scale": 3.0, "skeleton_keypoints": JOINTS}),
    ),
    "inpaint": (
        lambda c: c.inpaint(
            description="a red potion",
            image_size=SIZE,
            inpainting_image=opened(PIC),
            mask_image=opened(MASK),
            text_guidance_scale=3.0,
            seed=77,
        ),
        wish(task="inpaint", images=(PIC,), mask=MASK, options={"text_guidance_scale": 3.0}),
    ),
    "rotate": (
        lambda c: c.rotate(
            image_size=SIZE,
            from_image=opened(PIC),
            from_view="side",
            to_view="low top-down",
            from_direction="south",
            to_direction="east",
            seed=77,
        ),
        wish(
            task="edit",
            model="rotate",
            prompt="",
            images=(PIC,),
            options={
                "from_view": "side",
                "to_view": "low top-down",
                "from_direction": "south",
                "to_direction": "east",
            },
        ),
    ),
    "animate-with-text": (
        lambda c: c.animate_with_text(
            image_size=SIZE,
            description="a red potion",
            action="walk",
            reference_image=opened(PIC),
            direction="south",
            text_guidance_scale=7.5,
            image_guidance_scale=1.5,
            seed=77,
        ),
        wish(
            task="animation",
            model="animate-text",
            action="walk",
            images=(PIC,),
            options={"direction": "south", "text_guidance_scale": 7.5, "image_guidance_scale": 1.5},
        ),
    ),
    "animate-with-skeleton": (
        lambda c: c.animate_with_skeleton(
            image_size=SIZE,
            skeleton_keypoints=[JOINTS, JOINTS, JOINTS],
            view="side",
            direction="east",
            reference_image=opened(PIC),
            inpainting_images=[opened(OTHER)] * 3,
            mask_images=[opened(MASK)] * 3,
            seed=77,
        ),
        wish(
            task="animation",
            model="animate-skeleton",
            images=(PIC,),
            options={
                "skeleton_keypoints": [JOINTS, JOINTS, JOINTS],
                "inpainting_images": [OTHER] * 3,
                "mask_images": [MASK] * 3,
            },
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_our_v1_body_is_the_sdks(sdk, name):
    client, caught = sdk
    call, request = CASES[name]
    call(client)
    path, headers, theirs = caught[0]
    ours = sent(request, "v1")
    assert path == f"/v1/{name}"
    assert ours.url.endswith(path)
    assert headers["Authorization"] == ours.secrets["Authorization"].get_secret_value()
    assert {field: theirs.get(field) for field in ours.json} == ours.json
    for field in set(theirs) - set(ours.json) - STRAYS:
        assert theirs[field] in (None, [None] * 4, DEFAULTS.get(field)), field
