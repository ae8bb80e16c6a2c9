// Pixels: a candidate's sheet is decoded once and drawn as a still, a film, a set of views, a tiling or a map.

const decoded = new WeakMap(); // picture → promise of its image
const playing = new Set(); // stages on screen that move

function source(picture) { return `data:image/png;base64,${picture.png}`; }

function sheetOf(picture) {
  if (!decoded.has(picture)) {
    const image = new Image();
    image.src = source(picture);
    decoded.set(picture, image.decode().then(() => image));
  }
  return decoded.get(picture);
}

/** Frame numbers in the order they are shown, once around: a tag's range in its direction, or all of a clip. */
function order(clip, tag) {
  const frames = tag ? clip.frames.filter((_, at) => at >= tag.first && at <= tag.last) : [...clip.frames];
  if (tag?.direction.endsWith("reverse")) frames.reverse();
  return tag?.direction.startsWith("pingpong") ? [...frames, ...frames.slice(1, -1).reverse()] : frames;
}

/** Which place of the order is shown after so many milliseconds. One that does not loop rests a second at its end. */
function placeAt(picture, frames, elapsed) {
  const times = frames.map((frame) => picture.times[frame]);
  const rest = picture.loop ? 0 : 1000;
  let left = elapsed % (times.reduce((sum, time) => sum + time, 0) + rest);
  for (const [place, time] of times.entries()) {
    if (left < time) return place;
    left -= time;
  }
  return frames.length - 1;
}

/** What a stage shows: its cells ({frames, name, spot}), how many copies of each, and its size in pixels of art. */
function layout(picture, tiled) {
  const [width, height] = picture.size;
  const codes = wangCodes(picture);
  if (picture.kind === "set" && tiled && codes) {
    return { map: codes, cells: [{ frames: [0], name: "" }], width: width * 9, height: height * 6, across: 1 };
  }
  if (picture.kind === "set" && !tiled) {
    const rows = Math.ceil(picture.count / picture.columns);
    const cells = [{ sheet: true, frames: [0], name: "" }];
    return { cells, width: width * picture.columns, height: height * rows, across: 1 };
  }
  const clips = picture.kind === "set"
    ? Array.from({ length: picture.count }, (_, at) => ({ name: picture.names[at] || String(at + 1), frames: [at] }))
    : picture.clips;
  const copies = tiled ? 3 : 1;
  const compass = picture.kind === "views" && clips.every((clip) => clip.name in SPOTS);
  const across = compass ? 3 : clips.length === 1 ? 1 : Math.ceil(Math.sqrt(clips.length));
  const down = compass ? 3 : Math.ceil(clips.length / across);
  return { cells: clips, copies, compass, across, width: width * copies * across, height: height * copies * down };
}

/** Where a view stands as on a map, with the viewer in the south: row and column of a grid of three. */
const SPOTS = {
  "north-west": [1, 1], north: [1, 2], "north-east": [1, 3], west: [2, 1], east: [2, 3],
  "south-west": [3, 1], south: [3, 2], "south-east": [3, 3],
};

/** An element that shows a picture in whole pixels, with what steers it. */
class Stage {
  constructor(picture, label, { tiled = false, zoom = settings.zoom, tag = null, plain = true } = {}) {
    Object.assign(this, { picture, label, tiled, tag, place: 0, onion: false, moves: picture.kind === "film" });
    this.plan = layout(picture, tiled);
    this.element = h("div", { class: `stage ${picture.kind}`, vars: { z: unit(zoom) } });
    const still = plain && picture.count === 1 && !tiled;
    this.canvases = still ? [] : this.plan.cells.map((cell) => this.cell(cell));
    if (still) this.element.append(sized(h("img", { alt: label, src: source(picture), decoding: "async" }), this.plan));
    else setVars(this.element, { across: this.plan.across });
    sheetOf(picture).then((image) => { this.image = image; this.draw(); });
  }

  cell(clip) {
    const { plan, picture } = this;
    const size = plan.map || clip.sheet ? plan : { width: picture.size[0] * plan.copies, height: picture.size[1] * plan.copies };
    const name = clip.name ? `${this.label}, ${clip.name}` : this.label;
    const words = this.tiled ? (plan.map ? ", as a map" : ", three by three") : "";
    const canvas = sized(h("canvas", { role: "img", "aria-label": name + words, title: clip.name || false }), size);
    Object.assign(canvas, { width: size.width, height: size.height });
    canvas.getContext("2d").imageSmoothingEnabled = false;
    if (plan.compass) [canvas.style.gridRow, canvas.style.gridColumn] = SPOTS[clip.name];
    this.element.append(canvas);
    return canvas;
  }

  zoom(factor) { setVars(this.element, { z: unit(factor) }); }

  /** The frames that are shown one after the other, in the first clip. */
  get frames() { return order(this.plan.cells[0], this.tag); }

  show(place) {
    if (place === this.place) return;
    this.place = place;
    this.draw();
  }

  draw() {
    if (!this.image) return;
    for (const [at, canvas] of this.canvases.entries()) {
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, canvas.width, canvas.height);
      const cell = this.plan.cells[at];
      if (cell.sheet) context.drawImage(this.image, 0, 0);
      else if (this.plan.map) drawMap(context, this.image, this.picture, this.plan.map);
      else this.drawFrame(context, order(cell, this.tag));
    }
    this.element.dataset.frame = this.frames[this.place % this.frames.length];
  }

  drawFrame(context, frames) {
    const place = this.place % frames.length;
    if (this.onion && frames.length > 1) {
      context.globalAlpha = 0.3;
      this.copies(context, frames[(place + frames.length - 1) % frames.length]);
      context.globalAlpha = 0.15;
      this.copies(context, frames[(place + 1) % frames.length]);
      context.globalAlpha = 1;
    }
    this.copies(context, frames[place]);
  }

  copies(context, frame) {
    const [width, height] = this.picture.size;
    const copies = this.plan.copies;
    for (let at = 0; at < copies * copies; at++) {
      put(context, this.image, this.picture, frame, (at % copies) * width, Math.floor(at / copies) * height);
    }
  }
}

function sized(element, { width, height }) {
  setVars(element, { w: width, h: height });
  return element;
}

function put(context, image, picture, frame, x, y) {
  const [width, height] = picture.size;
  const [left, top] = [(frame % picture.columns) * width, Math.floor(frame / picture.columns) * height];
  context.drawImage(image, left, top, width, height, x, y, width, height);
}

/** Frame numbers by corners ("0110") of a whole set of corner tiles; null for any other set. */
function wangCodes(picture) {
  const codes = {};
  picture.names.forEach((name, at) => {
    const code = /^wang-([01]{4})(-\d+)?$/.exec(name)?.[1];
    if (code) (codes[code] ||= []).push(at);
  });
  return Object.keys(codes).length === 16 ? codes : null;
}

const LAND = [
  "0000000000", "0011100000", "0111110010", "0111110110", "0011100100", "0000001100", "0100000000",
].map((row) => [...row].map(Number));

/** A small country made of corner tiles, the same for every candidate. */
function drawMap(context, image, picture, codes) {
  const [width, height] = picture.size;
  for (let row = 0; row < 6; row++) {
    for (let column = 0; column < 9; column++) {
      const [a, b] = [LAND[row], LAND[row + 1]];
      const frames = codes[`${a[column]}${a[column + 1]}${b[column]}${b[column + 1]}`];
      put(context, image, picture, frames[(row * 5 + column * 3) % frames.length], column * width, row * height);
    }
  }
}

/** Films on the page share one clock, so that candidates can be compared step by step. */
const clock = { at: 0, last: 0 };

function tick(now) {
  if (settings.playing) clock.at += Math.min(250, now - clock.last);
  clock.last = now;
  for (const stage of playing) stage.show(placeAt(stage.picture, stage.frames, clock.at));
  requestAnimationFrame(tick);
}
