"use strict";
// What every part uses: elements made without markup, settings that last, copying, messages.

const data = JSON.parse(document.getElementById("data").textContent);

/** An element. Properties starting with "on" are listeners, "vars" are CSS variables; text is only ever text. */
function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "vars") setVars(element, value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

function setVars(element, vars) {
  for (const [name, value] of Object.entries(vars)) element.style.setProperty(`--${name}`, value);
}

/** Settings of this page, kept while the tab lives where the browser allows it. */
const settings = { zoom: 4, ground: "checker", custom: "#4a7a4a", tiling: "off", playing: !quietMotion(), theme: "auto" };
const kept = { picks: {} };
try {
  Object.assign(settings, JSON.parse(sessionStorage.getItem("pixelrouter-gallery") || "{}"));
  Object.assign(kept.picks, JSON.parse(sessionStorage.getItem(picksKey()) || "{}"));
} catch { /* a page from a file may have no storage */ }

function keep() {
  try {
    sessionStorage.setItem("pixelrouter-gallery", JSON.stringify(settings));
    sessionStorage.setItem(picksKey(), JSON.stringify(kept.picks));
  } catch { /* then they last as long as the page */ }
}

function picksKey() { return `pixelrouter-picks ${data.title}`; }
function quietMotion() { return matchMedia("(prefers-reduced-motion: reduce)").matches; }

/** CSS pixels of one pixel of art: a whole number of the screen's own pixels, whatever the browser's zoom is. */
function unit(zoom) {
  const density = window.devicePixelRatio || 1;
  return Math.max(1, Math.round(zoom * density)) / density;
}

async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "unseen" });
    area.value = text;
    (document.querySelector("dialog[open]") || document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  tell(said || `Copied ${text}`);
}

/** A short message, read out by screen readers too. */
function tell(text, kind = "") {
  const box = document.getElementById("told");
  // A modal dialog hides what lies outside it.
  (document.querySelector("dialog[open]") || document.body).append(box);
  box.textContent = text;
  box.className = `told on ${kind}`;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { box.className = "told"; }, kind === "bad" ? 6000 : 2200);
}

/** Buttons of which one is on. */
function choice(name, label, options, value, chosen) {
  const buttons = Object.entries(options).map(([key, text]) =>
    h("button", { type: "button", "data-value": key, "aria-pressed": String(String(value) === key),
      title: text.title, "aria-label": text.title, onclick: () => pressed(key) }, text.label || text));
  function pressed(key) {
    for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.value === key));
    chosen(key);
  }
  const group = h("div", { class: `choice ${name}`, role: "group", "aria-label": label }, buttons);
  group.press = pressed;
  return group;
}

function toggle(name, label, on, changed) {
  const button = h("button", { type: "button", class: `toggle ${name}`, "aria-pressed": String(on),
    onclick: () => button.set(button.getAttribute("aria-pressed") !== "true") }, label);
  button.set = (value) => { button.setAttribute("aria-pressed", String(value)); changed(value); };
  return button;
}

function count(number, word) { return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`; }

/** Sums as one reads them: dollars and generations beside each other. */
function money(totals) {
  const parts = [totals.usd, totals.generations].filter(Boolean);
  return (parts.join(" + ") || "$0.00") + (totals.unknown ? ` + ${totals.unknown} unknown` : "");
}
