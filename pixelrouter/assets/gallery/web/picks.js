// Picking: several picks are collected and copied as commands; a served page sends each click to the server instead.

function commandOf(card, number) { return card.command && `${card.command} ${number}`; }

function pickButton(card, shot) {
  const chosen = kept.picks[card.id] === shot.number;
  const used = shot.number === card.pick && Boolean(card.by);
  return h("button", { type: "button", class: "pick", "aria-pressed": String(data.live ? used : chosen), disabled: !card.command,
    "data-pick": `${card.at}:${shot.number}`, "aria-label": `Pick ${label(card, shot)}`, onclick: () => pick(card, shot) }, "Pick");
}

function copyButton(card, shot) {
  const text = commandOf(card, shot.number);
  return h("button", { type: "button", class: "copy", disabled: !text, title: text, "aria-label": `Copy the command that picks ${label(card, shot)}`,
    onclick: () => copy(text) }, "Copy command");
}

function pick(card, shot) {
  if (data.live) { send(card, shot); return; }
  if (kept.picks[card.id] === shot.number) delete kept.picks[card.id];
  else kept.picks[card.id] = shot.number;
  showPicks();
}

/** What is collected, in the order of the manifest; picks of assets that are gone are left out. */
function collected() {
  return data.cards.filter((card) => card.shots.some((shot) => shot.number === kept.picks[card.id]));
}

function showPicks() {
  keep();
  for (const button of document.querySelectorAll("button[data-pick]")) {
    const [at, number] = button.dataset.pick.split(":").map(Number);
    const card = data.cards[at];
    button.setAttribute("aria-pressed", String(data.live ? card.pick === number && Boolean(card.by) : kept.picks[card.id] === number));
  }
  const cards = data.live ? [] : collected();
  const tray = document.getElementById("tray");
  tray.hidden = cards.length === 0;
  const commands = cards.map((card) => commandOf(card, kept.picks[card.id])).join("\n");
  tray.replaceChildren(
    h("b", {}, count(cards.length, "pick")),
    h("pre", { tabindex: "0", "aria-label": "The commands that pick them" }, commands),
    h("button", { type: "button", class: "strong copy-all", onclick: () => copy(`${commands}\n`, `Copied ${count(cards.length, "command")}: paste them into a terminal`) }, "Copy commands"),
    h("button", { type: "button", class: "clear", onclick: () => { kept.picks = {}; showPicks(); } }, "Clear"));
}

// --- a served page ---

const base = location.pathname.replace(/[^/]*$/, ""); // "/TOKEN/"

async function send(card, shot) {
  try {
    const answer = await fetch(`${base}pick`, { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: card.id, number: shot.number }) });
    const told = await answer.json();
    if (!answer.ok) { tell(told.error, "bad"); return; }
    tell(`Picked ${card.name} ${shot.number}`);
    await refresh();
  } catch {
    tell("The server does not answer: is `pixelrouter gallery --serve` still running?", "bad");
  }
}

let version = null;

/** Ask whether the lock or the manifest has changed, and show what is new. */
async function watch() {
  try {
    const answer = await fetch(`${base}version`);
    const found = answer.ok ? (await answer.json()).version : version;
    if (version !== null && found !== version) await refresh();
    version = found;
  } catch { /* the server may come back */ }
  setTimeout(watch, 1000);
}

async function refresh() {
  const answer = await fetch(`${base}data.json`);
  if (!answer.ok) { tell((await answer.json()).error, "bad"); return; }
  Object.assign(data, await answer.json());
  build();
}
