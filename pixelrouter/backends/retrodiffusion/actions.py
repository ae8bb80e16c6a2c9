"""What a style does with the words of an action: some draw one motion only, some any that is described."""

from __future__ import annotations

from collections.abc import Mapping

from pixelrouter.types import GenerationRequest, ModelInfo

# Motions with a style of their own (README, 2026-07), and the words that mean exactly that.
_ADVANCED = "rd_advanced_animation__"
_ANY_MOTION = _ADVANCED + "custom_action"
_FROM_WORDS = ("rd_animation__four_angle_walking", "rd_animation__four_angle_walking_idle")
_WORDS = {
    "walking": "walk walks walking",
    "idle": "idle idles idling",
    "jump": "jump jumps jumping",
    "crouch": "crouch crouches crouching",
    "attack": "attack attacks attacking",
    "destroy": "destroy destroyed destruction",
}
STYLE_OF: Mapping[str, str] = {word: _ADVANCED + style for style, words in _WORDS.items() for word in words.split()}
#: Styles that want the motion's word where nothing else is said.
OWN_WORD: Mapping[str, str] = {_ADVANCED + style: style for style in _WORDS}
#: Styles of one motion, or of a set of them, and the words that name it; None of them where it has no one word.
FIXED: Mapping[str, frozenset[str]] = {
    **{_ADVANCED + style: frozenset(words.split()) for style, words in _WORDS.items()},
    "rd_advanced_animation__rotate": frozenset(("rotate", "rotates", "rotating", "spin", "spins", "turn")),
    "rd_animation__8_dir_rotation": frozenset(("rotate", "rotates", "rotating", "spin", "spins", "turn")),
    "rd_animation__four_angle_walking": frozenset(_WORDS["walking"].split()),
    "rd_animation__four_angle_walking_idle": frozenset(f"{_WORDS['walking']} {_WORDS['idle']}".split()),
    "rd_animation__large_walking_idle": frozenset(f"{_WORDS['walking']} {_WORDS['idle']}".split()),
    "rd_animation__small_sprites": frozenset(),
    "rd_animation__battle_sprites": frozenset(),
}


def _said(request: GenerationRequest) -> str:
    return " ".join((request.action or "").split())


def style_for(request: GenerationRequest) -> str:
    """The style that animates an image: the action's own where it has one, else the one for any motion."""
    return STYLE_OF.get(_said(request).lower(), _ANY_MOTION)


def from_words(request: GenerationRequest) -> tuple[str, ...]:
    """The styles of just that action that need no image, one size each; none where no action is named."""
    said = _said(request).lower()
    return tuple(style for style in _FROM_WORDS if said in FIXED[style])


def why_not(model: ModelInfo, request: GenerationRequest) -> str | None:
    """Why ``model`` cannot do the action, or None."""
    said = _said(request)
    if model.id == _ANY_MOTION and not (said or request.prompt.strip()):
        return f"{model.id} needs an action, or a prompt that says what moves"
    if not said or model.id not in FIXED or said.lower() in FIXED[model.id]:
        return None
    return f"{model.id} has motions of its own and cannot do {said!r}"


def prompt_for(model: ModelInfo, request: GenerationRequest) -> str:
    """The prompt, with the action's words where the style draws the motion that the prompt describes.

    A style of one motion takes them only where there is no prompt: the vendor wants one all the same.
    """
    said = _said(request)
    if model.id in OWN_WORD and not request.prompt.strip():
        return said or OWN_WORD[model.id]
    if not said or model.id in FIXED:
        return request.prompt
    return f"{request.prompt}, {said}" if request.prompt.strip() else said
