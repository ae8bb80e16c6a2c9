// The page itself: its bar, its groups, and which cards are shown.

const SORTS = {
  manifest: { label: "As in the manifest", by: (a, b) => a.at - b.at },
  name: { label: "Name", by: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }) },
  cost: { label: "Cost, highest first", by: (a, b) => b.micros[0] - a.micros[0] || b.micros[1] - a.micros[1] || a.at - b.at },
  attention: { label: "Needs you first", by: (a, b) => b.states.length - a.states.length || a.at - b.at },
};
const filter = { words: "", style: "*", state: "*", sort: "manifest" };

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) (isIntersecting ? fill : drain)(target);
}, { rootMargin: "100% 0px" });

function bar() {
  const again = () => { keep(); arrange(); };
  const search = h("input", { type: "search", id: "search", placeholder: "Search names and prompts", "aria-label": "Search names and prompts",
    oninput: () => { filter.words = search.value; arrange(); } });
  return h("div", { class: "bar", role: "toolbar", "aria-label": "What is shown, and how" },
    search,
    select("style", "Style", { "*": "All styles", ...Object.fromEntries(data.styles.map((style) => [style.name, style.name || "without a style"])) }),
    select("state", "State", states()),
    select("sort", "Sort", Object.fromEntries(Object.entries(SORTS).map(([name, sort]) => [name, sort.label]))),
    h("span", { class: "gap" }),
    choice("zoom", "Zoom", { 1: "1×", 4: "4×", 8: "8×" }, settings.zoom, (value) => { settings.zoom = Number(value); again(); }),
    choice("tiling", "Tiling", { off: { label: "single", title: "Single pictures" }, tiles: { label: "tiles 3×3", title: "Tiles three by three" }, all: { label: "all 3×3", title: "Everything three by three" } }, settings.tiling,
      (value) => { settings.tiling = value; again(); }),
    grounds(),
    data.cards.some((card) => card.shots.some((shot) => shot.picture?.kind === "film"))
      ? toggle("play-all", "Play", settings.playing, (on) => { settings.playing = on; keep(); }) : "");
}

function themes() {
  return choice("theme", "Theme", { auto: "auto", light: "light", dark: "dark" }, settings.theme, (value) => { settings.theme = value; keep(); look(); });
}

function grounds() {
  const color = h("input", { type: "color", value: settings.custom, title: "Ground of your own", "aria-label": "Ground of your own",
    oninput: () => { Object.assign(settings, { custom: color.value, ground: "custom" }); group.press("custom"); } });
  const names = ["checker", "black", "white", "magenta"];
  const options = Object.fromEntries(names.map((name) => [name, { label: h("i", { class: `chip ${name}` }), title: `Ground: ${name}` }]));
  options.custom = { label: h("i", { class: "chip custom" }), title: "Ground: your own colour" };
  const group = choice("grounds", "Ground", options, settings.ground, (value) => { settings.ground = value; keep(); look(); });
  return h("div", { class: "line" }, group, color);
}

function states() {
  const options = { "*": `All ${data.cards.length.toLocaleString("en")} assets` };
  for (const [state, words] of Object.entries(BADGES)) {
    const found = data.cards.filter((card) => card.states.includes(state)).length;
    if (found || filter.state === state) options[state] = `${words} (${found})`;
  }
  return options;
}

function select(name, title, options) {
  const element = h("select", { id: name, "aria-label": title, onchange: () => { filter[name] = element.value; arrange(); } },
    Object.entries(options).map(([value, text]) => h("option", { value, selected: filter[name] === value }, text)));
  return element;
}

function look() {
  const root = document.documentElement;
  root.dataset.theme = settings.theme;
  root.dataset.ground = settings.ground;
  setVars(root, { custom: settings.custom, z: unit(settings.zoom) });
}

function matches(card) {
  const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
  const text = `${card.name} ${card.prompt} ${card.task}`.toLowerCase();
  return (filter.style === "*" || card.style === filter.style) && (filter.state === "*" || card.states.includes(filter.state))
    && words.every((word) => text.includes(word));
}

/** Show the cards that match, in their groups and their order. */
function arrange() {
  look();
  near.disconnect();
  playing.clear();
  const shown = data.cards.filter(matches).sort(SORTS[filter.sort].by);
  const groups = data.styles.map((style) => [style, shown.filter((card) => card.style === style.name)]).filter(([, cards]) => cards.length);
  document.getElementById("groups").replaceChildren(...groups.map(([style, cards]) => group(style, cards)));
  document.getElementById("none").hidden = shown.length > 0;
  document.getElementById("shown").textContent = shown.length === data.cards.length ? "" : `${count(shown.length, "asset")} shown`;
}

function group(style, cards) {
  const shells = cards.map(shell);
  for (const one of shells) near.observe(one);
  const chosen = data.cards.filter((card) => card.style === style.name && card.approved)
    .map((card) => [card, card.shots.find((shot) => shot.number === card.pick)]);
  return h("section", { class: "group", "aria-label": style.name ? `Style ${style.name}` : "Without a style" },
    h("header", {}, h("h2", {}, h("bdi", {}, style.name || "Without a style")),
      h("span", { class: "soft" }, `${count(cards.length, "asset")} · `, h("b", {}, money(style.totals)))),
    strip("Chosen so far", chosen), h("div", { class: "cards" }, shells));
}

function summary() {
  const unpicked = data.cards.filter((card) => card.states.includes("unpicked")).length;
  const shots = data.cards.reduce((sum, card) => sum + card.shots.length, 0);
  return [count(data.cards.length, "asset"), count(shots, "candidate"), unpicked ? `${unpicked} to choose` : "all chosen", `${money(data.totals)} in all`].join(" · ");
}

/** Everything anew from the data; where one was on the page stays. */
function build() {
  data.cards.forEach((card, at) => { card.at = at; });
  const place = scrollY;
  document.getElementById("top").replaceChildren(
    h("div", {}, h("h1", {}, h("bdi", {}, data.title)), h("p", { class: "soft" }, summary(), " ", h("b", { id: "shown", role: "status" }))), themes());
  document.getElementById("controls").replaceChildren(bar());
  document.getElementById("search").value = filter.words;
  document.getElementById("end").replaceChildren(
    data.gone.length ? h("p", {}, `In the lock, but no longer in the manifest: ${data.gone.join(", ")}.`) : "",
    h("p", {}, "A new candidate costs money, so none is made from here: ", h("code", {}, "pixelrouter reroll NAME"), "."));
  arrange();
  showPicks();
  scrollTo(0, place);
  if (view.open) {
    const card = data.cards.find((one) => one.id === view.card.id);
    const shot = card?.shots.find((one) => one.number === view.shot.number && one.picture);
    if (shot) { Object.assign(view, { card, shot }); drawOverlay(); } else document.getElementById("overlay").close();
  }
}

document.body.append(
  h("header", { id: "top" }), h("div", { id: "controls" }),
  h("main", {}, h("div", { id: "groups" }), h("p", { id: "none", hidden: true }, "No asset matches.")),
  h("footer", { id: "end", class: "soft" }),
  h("div", { id: "tray", role: "region", "aria-label": "Picks", hidden: true }),
  h("dialog", { id: "overlay", onkeydown: overlayKeys, onclose: () => { view.open = false; document.body.append(document.getElementById("told")); } }),
  h("div", { id: "told", class: "told", role: "status", "aria-live": "polite" }));
addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, select, textarea, dialog")) { event.preventDefault(); document.getElementById("search").focus(); }
});
addEventListener("resize", look);
build();
requestAnimationFrame(tick);
requestAnimationFrame(playOverlay);
if (data.live) watch();
