"""LoRA adapters on a loaded pipeline: loaded, counted, switched on.

diffusers loads an adapter whose layers fit nothing without an error and draws as if it were not there. So after every
load the layers that took it are counted. Adapters are always named, and only ever switched with ``set_adapters``:
fusing and unfusing them shifts single colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelrouter.backends.diffusers.failures import explain
from pixelrouter.errors import ConfigError

_DOWN = (".lora_down.weight", ".lora_A.weight", ".lora.down.weight", ".lora_A.default.weight")
MOST = 6  # adapters kept on one pipeline


@dataclass
class Adapters:
    """The adapters that a pipeline has, by file and the time it was written."""

    names: dict[tuple[str, int], str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def activate(self, pipe: Any, wanted: Sequence[tuple[Path, float, str]]) -> list[str]:
        """Switch on exactly the ``wanted`` adapters: file, scale and the asset to name in an error.

        Returns notes. Raises ConfigError for an adapter that fits nothing, and leaves the pipeline without adapters
        then: half an adapter stays registered after a failed load.
        """
        if len(self.names) + len(wanted) > MOST:
            self.clear(pipe)
        active: dict[str, float] = {}
        for file, scale, asset in wanted:
            key = (str(file), file.stat().st_mtime_ns)
            if key not in self.names:
                try:
                    self._load(pipe, file, asset, key)
                except BaseException:
                    self.clear(pipe)
                    raise
            active[self.names[key]] = scale
        if active:
            pipe.enable_lora()
            pipe.set_adapters(list(active), adapter_weights=list(active.values()))
        elif self.names:
            pipe.disable_lora()
        return [self.notes[name] for name in active if name in self.notes]

    def clear(self, pipe: Any) -> None:
        """Take all adapters off."""
        self.names.clear()
        self.notes.clear()
        pipe.unload_lora_weights()

    def _load(self, pipe: Any, file: Path, asset: str, key: tuple[str, int]) -> None:
        self.made += 1
        name = f"adapter{self.made}"  # no dots: they would split the name of a module
        try:
            pipe.load_lora_weights(
                str(file.parent),
                weight_name=file.name,
                adapter_name=name,
                use_safetensors=True,
                local_files_only=True,
            )
        except Exception as error:
            raise explain(error, "loading the adapter", asset) from error
        took = layers_with(pipe, name)
        listed = any(name in names for names in pipe.get_list_adapters().values())
        if not took or not listed:
            raise ConfigError(
                f"The adapter {asset} fits no layer of this model, so it would change nothing.",
                hint="Take one that was made for this base model.",
            )
        holds = layers_in(file)
        if took < holds:
            self.notes[name] = f"Only {took} of the {holds} layers of the adapter {asset} fit this model."
        self.names[key] = name


def layers_with(pipe: Any, name: str) -> int:
    """How many layers of the pipeline have the adapter called ``name``."""
    modules = [part for part in pipe.components.values() if hasattr(part, "named_modules")]
    return sum(path.endswith(f"lora_A.{name}") for part in modules for path, _ in part.named_modules())


def layers_in(file: Path) -> int:
    """How many layers an adapter's file is for."""
    from safetensors import safe_open

    with safe_open(str(file), framework="pt") as opened:
        return sum(key.endswith(_DOWN) for key in opened.keys())  # noqa: SIM118  (it is no mapping)
