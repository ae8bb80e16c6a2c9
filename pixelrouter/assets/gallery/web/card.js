// One asset: its candidates side by side, what each cost, and how sure it is.

const BADGES = { unpicked: "not chosen", warnings: "warnings", changed: "changed", missing: "missing", hand: "by hand" };

function isTiled(card) {
  return settings.tiling === "all" || (settings.tiling === "tiles" && Boolean(card.tiles));
}

/** The frame of a card: its name and its room on the page. What is in it comes when it is looked at. */
function shell(card) {
  const element = h("article", { class: "card", "aria-labelledby": `name-${card.at}`, "data-name": card.name },
    h("header", {},
      h("h3", { id: `name-${card.at}` }, h("bdi", {}, card.name)),
      h("span", { class: "soft" }, `${card.size.join("×")} · ${card.task}${card.tiles ? `, ${card.tiles}` : ""}`),
      card.states.map((state) => h("span", { class: `badge ${state}`, title: [data.states[state], state === "changed" ? card.reasons : ""].filter(Boolean).join(": ") }, BADGES[state]))),
    h("div", { class: "inside" }));
  element.card = card;
  reserve(element);
  return element;
}

/** Room for a card that is not drawn yet: the page's length is right from the start. */
function reserve(element) {
  const { card } = element;
  const plans = card.shots.filter((shot) => shot.picture).map((shot) => layout(shot.picture, isTiled(card)));
  setVars(element, {
    n: Math.max(1, card.shots.length),
    w: Math.max(16, ...plans.map((plan) => plan.width)),
    h: Math.max(16, ...plans.map((plan) => plan.height)),
  });
}

function fill(element) {
  if (element.stages) return;
  const { card } = element;
  element.stages = [];
  const shots = card.shots.map((shot) => figure(card, shot, element.stages));
  element.querySelector(".inside").replaceChildren(
    card.prompt ? h("p", { class: "prompt", title: card.prompt }, h("bdi", {}, card.prompt)) : "",
    shots.length ? h("div", { class: "shots" }, shots) : h("p", { class: "soft" }, "Nothing is bought yet: ", h("code", {}, "pixelrouter build")));
  for (const stage of element.stages) if (stage.moves) playing.add(stage);
}

function drain(element) {
  if (!element.stages || element.contains(document.activeElement)) return;
  for (const stage of element.stages) playing.delete(stage);
  element.stages = null;
  element.querySelector(".inside").replaceChildren();
}

function label(card, shot) { return `${card.name}, candidate ${shot.number}`; }

function figure(card, shot, stages) {
  const picked = shot.number === card.pick;
  const body = shot.picture ? stageOf(card, shot, stages) : h("p", { class: "problem" }, shot.problem);
  return h("figure", { class: `shot${picked && card.by ? " picked" : ""}`, "data-number": String(shot.number) },
    shot.picture
      ? h("div", { class: "ground" }, h("button", { type: "button", class: "open", "aria-label": `Open ${label(card, shot)}`,
          onclick: () => openOverlay(card, shot) }, body))
      : h("div", { class: "ground lost" }, body),
    h("figcaption", {},
      h("div", { class: "line" }, h("b", {}, `#${shot.number}`), picked ? inUse(card) : ""),
      h("div", { class: "line soft" }, h("bdi", {}, [shot.backend, shot.model].filter(Boolean).join(" · "))),
      h("div", { class: "line soft" }, h("span", {}, `seed ${shot.seed ?? "unknown"}`), h("b", { class: "cost", title: `cost as ${shot.source}` }, shot.cost)),
      shot.picture ? h("div", { class: "line soft" }, sureness(shot), `${count(shot.picture.colors.length, "colour")}`) : "",
      shot.warnings.length ? h("ul", { class: "warns" }, shot.warnings.map((text) => h("li", {}, text))) : "",
      shot.picture ? swatches(card, shot) : "",
      h("div", { class: "line" }, pickButton(card, shot), copyButton(card, shot))));
}

/** The mark of the candidate that builds use: somebody has picked it, or it is only the first. */
function inUse(card) {
  return card.by ? h("span", { class: "badge pick", title: `picked by ${card.by}` }, "picked")
    : h("span", { class: "badge", title: "builds use the first until somebody picks" }, "in use");
}

function stageOf(card, shot, stages) {
  const stage = new Stage(shot.picture, label(card, shot), { tiled: isTiled(card) });
  stages.push(stage);
  return stage.element;
}

/** How surely it lay on a pixel grid, as a number and a bar. */
function sureness(shot) {
  const title = "how surely the image lay on a pixel grid, 0 to 1";
  if (shot.native) return h("span", { title: "drawn at 1x: there is no grid to find" }, "native 1x");
  const meter = h("meter", { min: 0, max: 1, low: 0.5, high: 0.8, optimum: 1, value: shot.confidence, title, "aria-label": title });
  return h("span", { title }, "grid ", meter, ` ${shot.confidence.toFixed(2)}`);
}

function swatches(card, shot) {
  const locked = new Set(card.palette);
  const shown = shot.picture.colors.slice(0, 64);
  const rest = shot.picture.colors.length - shown.length;
  return h("div", { class: "swatches", role: "group", "aria-label": `Colours of ${label(card, shot)}` },
    shown.map((color) => {
      const outside = locked.size > 0 && !locked.has(color);
      const title = `${color}${locked.has(color) ? ", of the palette" : outside ? ", not in the palette" : ""}`;
      return h("button", { type: "button", class: outside ? "outside" : "", title, "aria-label": `Copy ${title}`,
        vars: { color }, onclick: () => copy(color) });
    }),
    rest > 0 ? h("small", {}, `+${rest}`) : "",
    locked.size ? h("small", { class: "locked", title: card.palette.join(" ") }, lockSign(), h("bdi", {}, card.palette_name || "palette")) : "");
}

function lockSign() { return h("span", { class: "lock", role: "img", "aria-label": "locked to" }); }

/** All there is to know, for the overlay. */
function facts(card, shot) {
  const rows = [
    ["Cost", `${shot.cost} (${shot.source})`], ["Backend", shot.backend], ["Model", shot.model || "its default"],
    ["Seed", shot.seed ?? "unknown"], ["Grid", shot.native ? "native 1x" : `${shot.confidence.toFixed(3)} sure`],
    ["Size", shot.picture ? shot.picture.size.join("×") : card.size.join("×")],
    ["Frames", shot.picture && shot.picture.count > 1 ? frameWords(shot.picture) : ""],
    ["Colours", shot.picture ? String(shot.picture.colors.length) : ""],
    ["Palette", card.palette.length ? `${card.palette_name || "own"}, ${count(card.palette.length, "colour")}, locked` : "free"],
    ["Licence", shot.licence ? shot.licence + { true: ", commercial use allowed", false: ", no commercial use", null: "" }[shot.commercial] : "unknown"],
    ["Terms", shot.terms], ["Terms read", shot.checked], ["Job", shot.job], ["Request", shot.request], ["Bought", shot.bought],
    ["Picked by", shot.number === card.pick ? card.by || "nobody yet: it is the first" : ""],
  ];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value !== "").map(([name, value]) => [h("dt", {}, name), h("dd", {}, h("bdi", {}, value))]));
}

function frameWords(picture) {
  const total = picture.times.reduce((sum, time) => sum + time, 0);
  const each = [...new Set(picture.times)];
  if (!total) return String(picture.count);
  return `${picture.count}, ${each.length === 1 ? `${each[0]} ms each` : picture.times.join(", ") + " ms"}, ${(total / 1000).toFixed(2)} s${picture.loop ? ", loops" : ", once"}`;
}
