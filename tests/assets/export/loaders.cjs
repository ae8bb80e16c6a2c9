// What other people's readers make of our files, as JSON on stdout.
// node loaders.cjs NODE_MODULES FOLDER: reads every .aseprite and .json of the folder.
"use strict";
const fs = require("fs");
const path = require("path");

const [modules, folder] = process.argv.slice(2);
const load = (name) => require(path.join(modules, name));
const read = (file) => fs.readFileSync(path.join(folder, file));
const json = (file) => JSON.parse(read(file).toString("utf8"));
const sheet = (data) => ({ width: data.meta.size.w, height: data.meta.size.h });

// ase-parser
function aseParser(file) {
  const Aseprite = load("ase-parser");
  const found = new Aseprite(read(file), file);
  found.parse();
  return {
    size: [found.width, found.height],
    depth: found.colorDepth,
    clear: found.paletteIndex,
    palette: found.palette.colors.map((one) => [one.red, one.green, one.blue, one.alpha]),
    tags: (found.tags ?? []).map((one) => [one.name, one.from, one.to, one.animDirection, one.repeat]),
    slices: (found.slices ?? []).map((one) => [one.name, one.keys[0].x, one.keys[0].y, one.keys[0].width, one.keys[0].height,
      one.keys[0].pivot ? [one.keys[0].pivot.x, one.keys[0].pivot.y] : null]),
    layers: found.layers.map((one) => [one.name, one.flags.visible, one.flags.background, one.opacity]),
    durations: found.frames.map((one) => one.frameDuration),
    cels: found.frames.map((one) => one.cels.map((cel) => ({
      x: cel.xpos, y: cel.ypos, w: cel.w, h: cel.h, kind: cel.celType, link: cel.link ?? null,
      pixels: [...cel.rawCelData],
    }))),
  };
}

// aseprite of npm, made by the Kaitai compiler from a description of the format
function kaitai(file) {
  const found = load("aseprite").parse(read(file));
  const chunks = found.frames.map((one) => one.chunks);
  return {
    size: [found.header.width, found.header.height],
    fileSize: found.header.fileSize,
    grid: [found.header.gridWidth, found.header.gridHeight],
    clear: found.header.transparentIndex,
    colors: found.header.numColors,
    durations: found.frames.map((one) => one.header.duration),
    kinds: chunks.map((list) => list.map((one) => one.type)),
    cels: chunks.map((list) => list.filter((one) => one.type === 0x2005).map((one) => ({
      x: one.data.x, y: one.data.y, pixels: one.data.pixels ? [...one.data.pixels] : null,
    }))),
  };
}

// Phaser's own parser of atlases, its animations from Aseprite's tags, and its animations from JSON
function phaser(file) {
  const source = (name) => load("phaser/src/" + name);
  const Texture = source("textures/Texture");
  const Frame = source("textures/Frame");
  const data = json(file);
  const texture = { source: [{ ...sheet(data), resolution: 1, glTexture: null }], frames: {}, customData: {} };
  texture.add = function (name, at, x, y, w, h) {
    if (name in texture.frames) return null;
    texture.frames[name] = new Frame(texture, name, at, x, y, w, h);
    return texture.frames[name];
  };
  texture.has = Texture.prototype.has;
  source(Array.isArray(data.frames) ? "textures/parsers/JSONArray" : "textures/parsers/JSONHash")(texture, 0, data);
  const frames = {};
  for (const [name, one] of Object.entries(texture.frames)) {
    if (name === "__BASE") continue;
    frames[name] = {
      cut: [one.cutX, one.cutY, one.cutWidth, one.cutHeight], real: [one.realWidth, one.realHeight],
      at: [one.x, one.y], pivot: one.customPivot ? [one.pivotX, one.pivotY] : null,
    };
  }
  return { frames, animations: phaserAnimations(source, texture, data, file) };
}

function phaserAnimations(source, texture, data, file) {
  const Manager = source("animations/AnimationManager");
  const key = path.basename(file).split(".")[0];
  const extra = path.join(folder, key + ".anims.json");
  const game = {
    events: { once() {} }, cache: { json: { get: () => data } },
    textures: { exists: () => true, getFrame: (_, name) => texture.frames[name] ?? null },
  };
  const manager = new Manager(game);
  manager.textureManager = game.textures;
  const made = fs.existsSync(extra)
    ? manager.fromJSON(JSON.parse(fs.readFileSync(extra, "utf8")))
    : manager.createFromAseprite(key);
  return made.map((one) => ({
    name: one.key, repeat: one.repeat, yoyo: one.yoyo, total: one.duration,
    frames: one.frames.map((each) => [each.textureFrame, each.duration]),
  }));
}

// PixiJS's own Spritesheet
async function pixi(file) {
  const core = load("@pixi/core");
  const { Spritesheet } = load("@pixi/spritesheet");
  const data = json(file);
  const base = new core.BaseTexture(null, sheet(data));
  const found = new Spritesheet(base, data);
  await found.parse();
  const box = (one) => (one ? [one.x, one.y, one.width, one.height] : null);
  const frames = {};
  for (const [name, one] of Object.entries(found.textures)) {
    frames[name] = {
      frame: box(one.frame), orig: [one.orig.width, one.orig.height], trim: box(one.trim),
      anchor: [one.defaultAnchor.x, one.defaultAnchor.y],
    };
  }
  const animations = {};
  for (const [name, list] of Object.entries(found.animations)) {
    animations[name] = list.map((one) => Object.keys(found.textures).find((key) => found.textures[key] === one) ?? null);
  }
  return { frames, animations };
}

async function main() {
  const out = {};
  for (const file of fs.readdirSync(folder).sort()) {
    if (file.endsWith(".aseprite")) out[file] = { aseParser: aseParser(file), kaitai: kaitai(file) };
    else if (file.endsWith(".pixi.json")) out[file] = await pixi(file);
    else if (file.endsWith(".json") && !file.endsWith(".anims.json")) out[file] = phaser(file);
  }
  process.stdout.write(JSON.stringify(out));
}

main();
