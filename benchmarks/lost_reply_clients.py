"""One paid call with each client library, in the way its own documentation shows: what ``lost_reply.py`` runs.

As a script, ``python lost_reply_clients.py NAME ADDRESS TIMEOUT`` makes the call in whatever environment runs it and
prints how it ended, as JSON. TIMEOUT is in seconds, or ``-`` for the client's own. Needs nothing but the client.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PROMPT = "a red potion"


@dataclass(frozen=True)
class Client:
    """A client library: what pip installs, the call, and whether it lets a caller set a timeout."""

    package: str
    call: Callable[[str, float | None], object]
    has_timeout: bool = True


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def fal(base: str, timeout: float | None) -> object:
    """``submit``: ``subscribe`` sends the same request."""
    import fal_client.client as sdk

    sdk.QUEUE_URL_FORMAT = f"{base}/"  # its hosts are settings, but always https
    client = sdk.SyncClient(key="id:secret", **_given(default_timeout=timeout))
    return client.submit("fal-ai/flux/dev", {"prompt": PROMPT})


def replicate_1(base: str, timeout: float | None) -> object:
    """The stable line."""
    import replicate

    client = replicate.Client(api_token="r8_none", base_url=base, **_given(timeout=timeout))
    return client.predictions.create(model="retro-diffusion/rd-fast", input={"prompt": PROMPT})


def replicate_2(base: str, timeout: float | None) -> object:
    """The beta, generated from the vendor's OpenAPI document."""
    import replicate

    client = replicate.Replicate(bearer_token="r8_none", base_url=base, **_given(timeout=timeout))
    return client.models.predictions.create(
        model_owner="retro-diffusion", model_name="rd-fast", input={"prompt": PROMPT}
    )


def pixellab(base: str, timeout: float | None) -> object:
    """No timeout of any kind."""
    import pixellab as sdk

    client = sdk.Client(secret="none", base_url=f"{base}/v1")
    return client.generate_image_pixflux(description=PROMPT, image_size={"width": 64, "height": 64})


def openai(base: str, timeout: float | None) -> object:
    """Images of the GPT Image models."""
    import openai as sdk

    client = sdk.OpenAI(api_key="none", base_url=f"{base}/v1", **_given(timeout=timeout))
    return client.images.generate(model="gpt-image-1", prompt=PROMPT)


def litellm(base: str, timeout: float | None) -> object:
    """The same, through the router of many vendors."""
    import litellm as sdk

    options = _given(timeout=timeout)
    return sdk.image_generation(
        model="openai/gpt-image-1", prompt=PROMPT, api_base=f"{base}/v1", api_key="none", **options
    )


def together(base: str, timeout: float | None) -> object:
    """FLUX.1 schnell."""
    import together as sdk

    client = sdk.Together(api_key="none", base_url=f"{base}/v1", **_given(timeout=timeout))
    return client.images.generate(model="black-forest-labs/FLUX.1-schnell", prompt=PROMPT)


def google(base: str, timeout: float | None) -> object:
    """Gemini's image model. Its timeout is in milliseconds."""
    from google import genai

    options = {"base_url": base, **_given(timeout=None if timeout is None else int(timeout * 1000))}
    client = genai.Client(api_key="none", http_options=options)
    return client.models.generate_content(model="gemini-2.5-flash-image", contents=PROMPT)


def huggingface(base: str, timeout: float | None) -> object:
    """An inference endpoint, by its address."""
    from huggingface_hub import InferenceClient

    client = InferenceClient(token="hf_none", **_given(timeout=timeout))
    return client.text_to_image(PROMPT, model=f"{base}/models/flux")


def wavespeed(base: str, timeout: float | None) -> object:
    """Z-Image Turbo."""
    from wavespeed import Client as Sdk

    return Sdk(api_key="none", base_url=base, **_given(connection_timeout=timeout)).run(
        "wavespeed-ai/z-image/turbo", {"prompt": PROMPT}
    )


def getimg(base: str, timeout: float | None) -> object:
    """Generated from the vendor's OpenAPI document."""
    from getimg import GetimgAI

    client = GetimgAI(api_key="none", base_url=base, **_given(timeout=timeout))
    return client.images.generate(model="flux-2-klein", prompt=PROMPT)


def segmind(base: str, timeout: float | None) -> object:
    """A synchronous run."""
    from segmind import SegmindClient

    return SegmindClient(api_key="none", base_url=f"{base}/v1", **_given(timeout=timeout)).run("sdxl1.0", prompt=PROMPT)


def leonardo(base: str, timeout: float | None) -> object:
    """Generated from the vendor's OpenAPI document. Its timeout is in milliseconds."""
    from leonardo_ai_sdk import LeonardoAiSDK

    options = _given(timeout_ms=None if timeout is None else int(timeout * 1000))
    client = LeonardoAiSDK(bearer_auth="none", server_url=base, **options)
    return client.image.create_generation(request={"prompt": PROMPT, "width": 512, "height": 512})


def luma(base: str, timeout: float | None) -> object:
    """Photon."""
    from lumaai import LumaAI

    client = LumaAI(auth_token="none", base_url=base, **_given(timeout=timeout))
    return client.generations.image.create(model="photon-1", prompt=PROMPT)


def runpod(base: str, timeout: float | None) -> object:
    """A serverless endpoint. Its ``run`` takes no timeout; each exchange has one of its own."""
    import runpod as sdk

    sdk.api_key, sdk.endpoint_url_base = "none", f"{base}/v2"
    from runpod.endpoint import runner

    runner.endpoint_url_base = sdk.endpoint_url_base  # type: ignore[attr-defined]  # read at import
    return sdk.Endpoint("flux").run({"input": {"prompt": PROMPT}})


CLIENTS = {
    "fal-client": Client("fal-client==1.0.3", fal),
    "replicate": Client("replicate==1.0.7", replicate_1),
    "replicate 2 beta": Client("replicate==2.0.0b4", replicate_2),
    "pixellab": Client("pixellab==1.0.5", pixellab, has_timeout=False),
    "openai": Client("openai", openai),
    "litellm": Client("litellm", litellm),
    "together": Client("together", together),
    "google-genai": Client("google-genai", google),
    "huggingface-hub": Client("huggingface-hub", huggingface),
    "wavespeed": Client("wavespeed", wavespeed),
    "getimg": Client("getimg", getimg),
    "segmind": Client("segmind", segmind),
    "leonardo-ai-sdk": Client("leonardo-ai-sdk", leonardo),
    "lumaai": Client("lumaai", luma),
    "runpod": Client("runpod", runpod, has_timeout=False),
}
#: Clients that buy images over something else than HTTP requests, which the server does not speak.
LEFT_OUT = {"runware": "WebSocket", "xai-sdk": "gRPC", "stability-sdk": "gRPC"}


def main(name: str, base: str, timeout: str) -> None:
    """Make the call, and say how it ended."""
    start = time.monotonic()
    try:
        CLIENTS[name].call(base, None if timeout == "-" else float(timeout))
        told = "nothing: it took the answer for a success"
    except ImportError:
        raise
    except Exception as error:  # whatever a client raises is what is wanted
        told = type(error).__name__
    print(json.dumps({"told": told, "seconds": time.monotonic() - start}))


if __name__ == "__main__":
    main(*sys.argv[1:])
