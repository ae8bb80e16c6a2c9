// One candidate, large: grid lines, step by step, onion skin, tiling, and the set it belongs to beside it.

const ZOOMS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32];
const view = { open: false, card: null, shot: null, zoom: 8, grid: false, onion: false, tiled: false, tag: null, running: true, at: 0, last: 0 };

function openOverlay(card, shot) {
  const dialog = document.getElementById("overlay");
  Object.assign(view, { card, shot, tag: null, at: 0, open: true, running: !quietMotion(), tiled: isTiled(card) });
  view.zoom = fitting(shot.picture);
  drawOverlay();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector(".big").focus();
}

/** The largest of the factors at which all of it can be seen. */
function fitting(picture) {
  const plan = layout(picture, view.tiled);
  const [width, height] = [innerWidth * (innerWidth > 900 ? 0.62 : 0.9), innerHeight * 0.62];
  return ZOOMS.filter((zoom) => plan.width * unit(zoom) <= width && plan.height * unit(zoom) <= height).pop() || 1;
}

function drawOverlay() {
  const { card, shot } = view;
  const dialog = document.getElementById("overlay");
  const focused = dialog.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const stage = view.stage = new Stage(shot.picture, label(card, shot), { tiled: view.tiled, zoom: view.zoom, tag: view.tag });
  stage.onion = view.onion;
  stage.element.classList.toggle("grid", view.grid);
  setVars(stage.element, { cw: shot.picture.size[0], ch: shot.picture.size[1] });
  dialog.setAttribute("aria-label", label(card, shot));
  dialog.replaceChildren(
    h("header", {},
      h("h2", {}, h("bdi", {}, card.name)), h("span", { class: "soft" }, `candidate ${shot.number} of ${card.shots.length}`),
      shot.number === card.pick ? inUse(card) : "",
      h("button", { type: "button", class: "close", "data-key": "close", onclick: () => dialog.close() }, "Close")),
    h("div", { class: "tools" }, tools(stage)),
    h("div", { class: "ground big", tabindex: "0", "data-key": "big", "aria-label": "The picture, scrollable", role: "region" }, stage.element),
    stage.moves ? player(stage) : "",
    h("aside", {},
      h("div", { class: "line" }, pickButton(card, shot), copyButton(card, shot)),
      shot.warnings.length ? h("ul", { class: "warns" }, shot.warnings.map((text) => h("li", {}, text))) : "",
      swatches(card, shot), strip("Candidates", candidates()), strip(siblingsTitle(card), siblings(card)),
      facts(card, shot), card.prompt ? h("p", { class: "prompt whole" }, h("bdi", {}, card.prompt)) : ""));
  if (focused) dialog.querySelector(`[data-key="${focused}"]`)?.focus();
  step(0);
}

function tools(stage) {
  const { picture } = stage;
  const change = (changes) => { Object.assign(view, changes); drawOverlay(); };
  return [
    h("div", { class: "choice" },
      h("button", { type: "button", "data-key": "out", "aria-label": "Smaller", onclick: () => zoomBy(-1) }, "−"),
      h("output", { class: "factor", "aria-live": "polite" }, `${view.zoom}×`),
      h("button", { type: "button", "data-key": "in", "aria-label": "Larger", onclick: () => zoomBy(1) }, "+")),
    key(toggle("grid", "Grid", view.grid, (grid) => change({ grid })), "grid"),
    key(toggle("tile", picture.kind === "set" && wangCodes(picture) ? "Map" : "Tile 3×3", view.tiled, (tiled) => change({ tiled })), "tile"),
    stage.moves ? key(toggle("onion", "Onion skin", view.onion, (onion) => { view.onion = stage.onion = onion; stage.draw(); }), "onion") : "",
    stage.moves && picture.tags.length ? tagSelect(picture, change) : "",
  ];
}

function key(element, name) { element.dataset.key = name; return element; }

function tagSelect(picture, change) {
  const chosen = picture.tags.indexOf(view.tag);
  const select = h("select", { "data-key": "tag", "aria-label": "Tag", onchange: () => change({ tag: picture.tags[select.value] || null, at: 0 }) },
    h("option", { value: "" }, "all frames"), picture.tags.map((tag, at) => h("option", { value: String(at), selected: at === chosen }, `${tag.name} (${tag.direction})`)));
  return select;
}

function player(stage) {
  const { frames } = stage;
  return h("div", { class: "player" },
    h("button", { type: "button", "data-key": "back", "aria-label": "One frame back", onclick: () => step(-1) }, "◂|"),
    h("button", { type: "button", "data-key": "play", class: "play", onclick: () => run(!view.running) }, view.running ? "Pause" : "Play"),
    h("button", { type: "button", "data-key": "on", "aria-label": "One frame on", onclick: () => step(1) }, "|▸"),
    h("input", { type: "range", min: "0", max: String(frames.length - 1), value: "0", "data-key": "range", "aria-label": "Frame",
      oninput: (event) => { run(false); moveTo(Number(event.target.value)); } }),
    h("output", { class: "frame" }));
}

function run(on) {
  view.running = on;
  const button = document.querySelector("#overlay .play");
  if (button) button.textContent = on ? "Pause" : "Play";
}

function moveTo(place) {
  const { stage } = view;
  stage.show(place);
  // The clock stands at the start of that frame, so that playing goes on from here.
  view.at = stage.frames.slice(0, place).reduce((sum, frame) => sum + stage.picture.times[frame], 0);
  showFrame();
}

function step(by) {
  if (!view.stage.moves) return;
  if (by) run(false);
  const { length } = view.stage.frames;
  if (by) moveTo((view.stage.place + by + length) % length);
  else showFrame();
}

function showFrame() {
  const { stage } = view;
  const range = document.querySelector("#overlay input[type=range]");
  const frame = stage.frames[stage.place];
  if (!range) return;
  range.value = String(stage.place);
  document.querySelector("#overlay .frame").textContent = `${stage.place + 1} of ${stage.frames.length} · ${stage.picture.times[frame]} ms`;
}

function playOverlay(now) {
  if (view.open && view.running && view.stage.moves) {
    view.at += Math.min(250, now - view.last);
    const place = placeAt(view.stage.picture, view.stage.frames, view.at);
    if (place !== view.stage.place) { view.stage.show(place); showFrame(); }
  }
  view.last = now;
  requestAnimationFrame(playOverlay);
}

function zoomBy(steps) {
  const at = ZOOMS.indexOf(view.zoom) + steps;
  if (at < 0 || at >= ZOOMS.length) return;
  view.zoom = ZOOMS[at];
  view.stage.zoom(view.zoom);
  document.querySelector("#overlay .factor").textContent = `${view.zoom}×`;
}

// --- what it is compared with ---

function candidates() { return view.card.shots.filter((shot) => shot.picture).map((shot) => [view.card, shot]); }

/** The pictures of its style that are chosen already: whether it fits is judged beside them. */
function siblings(card) {
  return data.cards.filter((one) => one.style === card.style && one !== card && one.approved)
    .map((one) => [one, one.shots.find((shot) => shot.number === one.pick)]);
}

function siblingsTitle(card) { return card.style ? `Chosen of the style ${card.style}` : "Chosen of the others without a style"; }

function strip(title, pairs, most = 24) {
  if (!pairs.length) return "";
  return h("section", { class: "strip" }, h("h4", {}, h("bdi", {}, title)),
    h("div", { class: "thumbs" }, pairs.slice(0, most).map(([card, shot]) => thumb(card, shot)),
      pairs.length > most ? h("small", { class: "soft" }, `and ${pairs.length - most} more`) : ""));
}

function thumb(card, shot) {
  const stage = new Stage({ ...shot.picture, clips: shot.picture.clips.slice(0, 1), kind: shot.picture.kind === "views" ? "film" : shot.picture.kind },
    label(card, shot), { zoom: Math.max(...shot.picture.size) <= 48 ? 2 : 1 });
  return h("button", { type: "button", class: `thumb${view.card === card && view.shot === shot ? " current" : ""}`, title: label(card, shot),
    "data-key": `thumb-${card.at}-${shot.number}`, onclick: () => openOverlay(card, shot) }, h("span", { class: "ground" }, stage.element));
}

function turn(by) {
  const all = candidates();
  const at = all.findIndex(([, shot]) => shot === view.shot);
  const [, shot] = all[(at + by + all.length) % all.length];
  Object.assign(view, { shot, tag: null });
  drawOverlay();
}

const KEYS = {
  ArrowRight: () => turn(1), ArrowLeft: () => turn(-1), "+": () => zoomBy(1), "=": () => zoomBy(1), "-": () => zoomBy(-1),
  " ": () => view.stage.moves && run(!view.running), ".": () => step(1), ",": () => step(-1),
  g: () => press("grid"), o: () => press("onion"), t: () => press("tile"), p: () => document.querySelector("#overlay button.pick").click(),
};

function press(name) { document.querySelector(`#overlay .toggle.${name}`)?.click(); }

function overlayKeys(event) {
  const control = event.target.closest("button, input, select");
  const own = (control && [" ", "Enter"].includes(event.key)) || event.target.matches("input, select");
  if (own || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
}
