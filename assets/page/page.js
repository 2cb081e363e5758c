"use strict";
// A recording as one page: unpacks its data, draws the marks of a picture on a canvas, and says what is pointed at.
// Nothing is fetched, and words of the data only ever become text.

const $ = (id) => document.getElementById(id);

// --- the data: deflated; a length, that much JSON, then bytes ---------------------------------------------------------

function fromBase64(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

async function inflated(packed, size) {
  if (typeof DecompressionStream === "undefined") return inflate(packed, size);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// RFC 1951, for browsers without a DecompressionStream.
function inflate(packed, size) {
  const out = new Uint8Array(size);
  let at = 0, held = 0, count = 0, end = 0;
  const bits = (wanted) => {
    while (count < wanted) { held |= packed[at++] << count; count += 8; }
    const found = held & ((1 << wanted) - 1);
    held >>>= wanted; count -= wanted;
    return found;
  };
  const coded = (lengths) => {
    const counts = new Uint16Array(16), starts = new Uint16Array(16), symbols = new Uint16Array(lengths.length);
    for (const length of lengths) counts[length]++;
    counts[0] = 0;
    for (let length = 1; length < 16; length++) starts[length] = starts[length - 1] + counts[length - 1];
    lengths.forEach((length, symbol) => { if (length) symbols[starts[length]++] = symbol; });
    return { counts, symbols };
  };
  const read = ({ counts, symbols }) => {
    let code = 0, first = 0, index = 0;
    for (let length = 1; length < 16; length++) {
      code |= bits(1);
      if (code - counts[length] < first) return symbols[index + code - first];
      index += counts[length]; first = (first + counts[length]) << 1; code <<= 1;
    }
    throw new Error("damaged data");
  };
  const longs = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258], fars = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145, 8193, 12289, 16385, 24577];
  const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
  for (let last = 0; !last;) {
    last = bits(1);
    const kind = bits(2);
    if (kind === 0) {
      held = count = 0;
      const length = packed[at] | packed[at + 1] << 8;
      at += 4;
      out.set(packed.subarray(at, at + length), end);
      at += length; end += length;
      continue;
    }
    let lengths = [], split = 288;
    if (kind === 1) {
      for (let symbol = 0; symbol < 288; symbol++) lengths.push(symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8);
      for (let symbol = 0; symbol < 30; symbol++) lengths.push(5);
    } else {
      split = bits(5) + 257;
      const all = split + bits(5) + 1, own = new Array(19).fill(0), given = bits(4) + 4;
      for (let index = 0; index < given; index++) own[order[index]] = bits(3);
      const code = coded(own);
      while (lengths.length < all) {
        const symbol = read(code);
        if (symbol < 16) { lengths.push(symbol); continue; }
        const what = symbol === 16 ? lengths[lengths.length - 1] : 0;
        const often = symbol === 16 ? 3 + bits(2) : symbol === 17 ? 3 + bits(3) : 11 + bits(7);
        for (let index = 0; index < often; index++) lengths.push(what);
      }
    }
    const literals = coded(lengths.slice(0, split)), distances = coded(lengths.slice(split));
    for (;;) {
      const symbol = read(literals);
      if (symbol < 256) { out[end++] = symbol; continue; }
      if (symbol === 256) break;
      const place = symbol - 257, more = place < 8 || place === 28 ? 0 : (place >> 2) - 1;
      const length = longs[place] + bits(more), far = read(distances);
      const back = fars[far] + bits(far < 4 ? 0 : (far >> 1) - 1);
      for (let index = 0; index < length; index++, end++) out[end] = out[end - back];
    }
  }
  return out;
}

// --- numbers and words ------------------------------------------------------------------------------------------------

const MINUS = "−", RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function numeral(words) {
  const { comma, point, least } = data.words;
  const [whole, ...part] = words.split("."), digits = whole.replaceAll(",", "");
  const bare = digits.replace(/\D+$/, "");
  return [bare.length >= least ? whole.replaceAll(",", comma) : digits, ...part].join(point);
}

// Of a size its digits, so many, halves to the even one as in Python, and the power of ten of the first.
function rounded(size, digits) {
  const [mantissa, tens] = size.toExponential(digits - 1).split("e");
  const exact = size.toExponential(99), at = digits + (digits > 0 ? 1 : 0);
  const head = exact[0] + exact.slice(2, at), rest = exact.slice(at).split("e")[0];
  const even = /^50*$/.test(rest) && Number(head[head.length - 1]) % 2 === 0;
  return even ? [head, Number(exact.split("e")[1])] : [mantissa.replace(".", ""), Number(tens)];
}

// So many digits that say something, as everywhere in the app.
function significant(value, digits) {
  if (Number.isNaN(value)) return "NaN";
  if (value === 0) return "0";
  const sign = value < 0 ? MINUS : "", size = Math.abs(value);
  if (size === Infinity) return sign + "∞";
  let [figures, exponent] = rounded(size, digits);
  if (exponent <= -5 || exponent >= 9) {
    const raised = [...String(exponent)].map((letter) => letter === "-" ? "⁻" : RAISED[letter]).join("");
    return sign + numeral(figures[0] + (digits > 1 ? "." + figures.slice(1) : "")) + " × 10" + raised;
  }
  if (exponent < 0) return sign + numeral("0." + "0".repeat(-exponent - 1) + figures);
  if (exponent >= digits) {
    const units = Number(size.toExponential(99).split("e")[1]) + 1;
    [figures, exponent] = rounded(size, units);
    figures = figures.padEnd(exponent + 1, "0");
  }
  const whole = figures.slice(0, exponent + 1).replace(/\B(?=(\d{3})+$)/g, ","), part = figures.slice(exponent + 1);
  return sign + numeral(whole + (part && "." + part));
}

const filled = (words, given) => words.replace(/\{(\w+)\}/g, (_, name) => given[name]);

// --- the data, unpacked -----------------------------------------------------------------------------------------------

let data, bytes, beat = 0, frame = null, dark = false, playing = 0, arrays = [];

function part(place, Kind) {
  const [start, length] = place;
  return new Kind(bytes.buffer, bytes.byteOffset + start, length);
}

function list(number, of = data.marks) {
  const packed = data.lists[number];
  if (packed.of !== of) {
    let id = 0;
    [packed.of, packed.found] = [of, packed.map((step) => of[id += step])];
  }
  return packed.found;
}

const marksOf = (shown) => {
  const [, still, moving, stillDark, movingDark] = shown;
  return [...list(dark && stillDark !== undefined ? stillDark : still),
    ...list(dark && movingDark !== undefined ? movingDark : moving)];
};

// --- painting ---------------------------------------------------------------------------------------------------------

let on, zoom = 1, theme;
const painted = new Map();

function colour(name, opacity, line) {
  const [palette, entry] = name.split(":");
  let rgba = theme.tokens[name];
  if (rgba === undefined) {
    const table = theme.tables[palette];
    rgba = table && Number(entry) < 256 ? [...table.subarray(3 * entry, 3 * entry + 3), 255] : theme.tokens.hatch;
  }
  if (line && theme.strong) opacity = Math.min(1, 2.5 * opacity);
  return `rgba(${rgba[0]},${rgba[1]},${rgba[2]},${rgba[3] / 255 * opacity})`;
}

const whole = (width) => width % 1 ? width : Math.max(1, Math.round(width * zoom)) / zoom;
const snapped = (at) => Math.floor(at * zoom + 0.5) / zoom;

function between(middle, width) {
  if (width % 1) return middle;
  const thick = Math.max(1, Math.round(width * zoom));
  return (Math.floor(middle * zoom - thick / 2 + 0.5) + thick / 2) / zoom;
}

const dashes = (dashed, width) => dashed ? (width >= 2 ? [7, 4] : [4, 3]) : [];

function stroke(path, name, width, dashed, opacity) {
  on.strokeStyle = colour(name, opacity, true);
  on.lineWidth = width;
  on.setLineDash(dashes(dashed, width));
  path ? on.stroke(path) : on.stroke();
}

function hatch(areas, opacity) {
  const apart = theme.hatch[1] * Math.SQRT2, out = theme.hatch[0];
  on.save();
  on.beginPath();
  for (const [x, y, wide, high] of areas) on.rect(x, y, wide, high);
  on.clip();
  on.beginPath();
  for (const [x, y, wide, high] of areas) {
    for (let step = Math.ceil((x + y) / apart); step * apart <= x + wide + y + high; step++) {
      const at = step * apart, from = Math.max(x, at - y - high) - out, to = Math.min(x + wide, at - y) + out;
      on.moveTo(from, at - from);
      on.lineTo(to, at - to);
    }
  }
  stroke(null, "hatch", theme.hatch[0], false, opacity);
  on.restore();
}

const draw = {
  line([, points, name, width, dashed, opacity]) {
    let thick = whole(width), flat = points;
    if (flat.length === 4) {
      let [x1, y1, x2, y2] = flat;
      if (x1 === x2) x1 = x2 = between(x1, width);
      else if (y1 === y2) y1 = y2 = between(y1, width);
      flat = [x1, y1, x2, y2];
    }
    on.beginPath();
    for (let at = 0; at < flat.length; at += 2) on.lineTo(flat[at], flat[at + 1]);
    stroke(null, name, thick, dashed, opacity);
  },
  rect([, x, y, wide, high, fill, edge, width, inside, radius, dashed, opacity]) {
    if (fill === "hatch") hatch([[x, y, wide, high]], opacity);
    else if (fill) {
      on.fillStyle = colour(fill, opacity);
      on.beginPath();
      radius ? on.roundRect(x, y, wide, high, Math.min(radius, wide / 2, high / 2)) : on.rect(x, y, wide, high);
      on.fill();
    }
    if (!edge) return;
    const thick = whole(width);
    let [left, top, right, bottom] = [x, y, x + wide, y + high];
    if (inside) {
      [left, top, right, bottom] = [snapped(left) + thick / 2, snapped(top) + thick / 2, snapped(right) - thick / 2,
        snapped(bottom) - thick / 2];
      radius = Math.max(0, radius - thick / 2);
    }
    on.beginPath();
    on.roundRect(left, top, Math.max(0, right - left), Math.max(0, bottom - top),
      Math.max(0, Math.min(radius, (right - left) / 2, (bottom - top) / 2)));
    stroke(null, edge, thick, dashed, opacity);
  },
  path(mark) {
    const [, curves, edge, width, fill, dashed, opacity] = mark;
    const path = new Path2D();
    for (const [straight, ...rest] of list(curves, data.curves)) {
      if (straight) for (let at = 0, x = 0, y = 0; at + 1 < rest.length; at += 2) {
        [x, y] = [x + rest[at], y + rest[at + 1]];
        at ? path.lineTo(x / 100, y / 100) : path.moveTo(x / 100, y / 100);
      }
      else {
        path.moveTo(rest[0], rest[1]);
        for (let at = 2; at + 5 < rest.length; at += 6) path.bezierCurveTo(...rest.slice(at, at + 6));
      }
      if (fill) path.closePath();
    }
    if (fill) {
      on.fillStyle = colour(fill, opacity);
      on.fill(path, "evenodd");
    }
    if (edge) stroke(path, edge, width, dashed, opacity);
  },
  text([, x, y, pieces, opacity]) {
    for (const [across, down, face, size, name, words, width] of pieces) {
      const glyphs = data.glyphs[face], letters = typeof words === "string" ? [...words] : words;
      const natural = letters.reduce((sum, letter) => sum + glyphs[letter][0], 0) * size / 1000;
      const closer = letters.length ? (width - natural) / letters.length : 0;
      on.fillStyle = colour(name, opacity, true);
      let at = x + across;
      for (const letter of letters) {
        const glyph = glyphs[letter];
        glyph[2] ??= new Path2D(glyph[1]);
        on.save();
        on.translate(at, y + down);
        on.scale(size / 1000, size / 1000);
        on.fill(glyph[2]);
        on.restore();
        at += glyph[0] * size / 1000 + closer;
      }
    }
  },
  image(mark) {
    const it = mark[1], [tiles, rows, columns] = it.shape;
    if (!tiles || !rows || !columns) return;
    const sheet = cells(mark, it, tiles, rows, columns), areas = [];
    on.globalAlpha = it.opacity;
    for (let tile = 0; tile < tiles; tile++) {
      const [x, y] = origin(it, tile);
      const left = snapped(x), top = snapped(y), shown = it.rows_shown;
      const wide = snapped(x + columns * it.cell[0]) - left, high = snapped(y + rows * it.cell[1] * shown) - top;
      on.drawImage(sheet, 0, tile * rows, columns, rows * shown, left, top, wide, high);
      if (it.hatched) for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
        if (bit(it.hatched, (tile * rows + row) * columns + column))
          areas.push([x + column * it.cell[0], y + row * it.cell[1], ...it.cell]);
      }
      if (it.border && wide > 0 && high > 0) {
        const one = Math.max(1, Math.round(zoom)) / zoom;
        on.fillStyle = colour(it.border, 1);
        on.beginPath();
        on.rect(left, top, wide, high);
        if (wide > 2 * one && high > 2 * one) on.rect(left + one, top + one, wide - 2 * one, high - 2 * one);
        on.fill("evenodd");
      }
    }
    on.globalAlpha = 1;
    if (areas.length) hatch(areas, it.opacity);
  },
};

const bit = (place, number) => bytes[place[0] + (number >> 3)] >> (7 - (number & 7)) & 1;

function origin(it, tile) {
  const [, rows, columns] = it.shape;
  const dx = it.pitch[0] || columns * it.cell[0], dy = it.pitch[1] || rows * it.cell[1];
  return [it.x + dx * (tile % it.columns), it.y + dy * Math.floor(tile / it.columns)];
}

// One pixel a cell, tile below tile.
function cells(mark, it, tiles, rows, columns) {
  const known = painted.get(mark);
  if (known && known.theme === theme) return known.sheet;
  const sheet = document.createElement("canvas"), values = part(it.values, Uint8Array), count = tiles * rows * columns;
  [sheet.width, sheet.height] = [columns, tiles * rows];
  const pixels = new ImageData(columns, tiles * rows), table = theme.tables[it.palette], coloured = it.shape.length > 3;
  for (let at = 0; at < count; at++) {
    const clear = (it.covered && bit(it.covered, at)) || (it.hatched && bit(it.hatched, at));
    for (let tone = 0; tone < 3; tone++) {
      pixels.data[4 * at + tone] = coloured ? values[3 * at + tone] : table[3 * values[at] + tone];
    }
    pixels.data[4 * at + 3] = clear ? 0 : 255;
  }
  sheet.getContext("2d").putImageData(pixels, 0, 0);
  if (painted.size > 400) painted.clear();
  painted.set(mark, { theme, sheet });
  return sheet;
}

function show(least = 0.1) {
  const canvas = $("picture"), ratio = window.devicePixelRatio || 1;
  zoom = Math.max(least, canvas.clientWidth * ratio / data.size[0]);
  const [wide, high] = data.size.map((length) => Math.round(length * zoom));
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  on = canvas.getContext("2d");
  on.setTransform(zoom, 0, 0, zoom, 0, 0);
  on.imageSmoothingEnabled = false;
  on.lineCap = "butt";
  on.lineJoin = "miter";
  on.fillStyle = colour(data.background, 1);
  on.fillRect(0, 0, ...data.size);
  for (const mark of marksOf(frame)) draw[mark[0]](mark);
}

// --- what is pointed at -----------------------------------------------------------------------------------------------

const aboutOf = (mark) => mark[mark.length - 1];

function cellAt(it, x, y) {
  const [tiles, rows, columns] = it.shape, wide = columns * it.cell[0], high = rows * it.cell[1];
  if (!wide || !high) return null;
  const dx = it.pitch[0] || wide, dy = it.pitch[1] || high;
  const across = Math.trunc((x - it.x) / dx), down = Math.trunc((y - it.y) / dy), tile = down * it.columns + across;
  if (x < it.x || y < it.y || across >= it.columns || tile >= tiles) return null;
  const left = x - it.x - across * dx, top = y - it.y - down * dy;
  if (left >= wide || top >= high) return null;
  return [tile, Math.floor(top / it.cell[1]), Math.floor(left / it.cell[0])];
}

function refolded(cell, shape, other) {
  if (cell.length !== shape.length || !cell.every((at, axis) => at < shape[axis])) return cell.slice(0, 1);
  let flat = cell.reduce((sum, at, axis) => sum * shape[axis] + at, 0);
  const found = [];
  for (const length of [...other].reverse()) { found.unshift(flat % length); flat = Math.floor(flat / length); }
  return found;
}

// The cell of its array that a cell of an image shows, as in the app.
function shownCell(it, head, [tile, row, column]) {
  const index = tile < it.indices.length ? it.indices[tile] : tile, tiled = index === -1 ? [] : [index];
  if (it.rows.length && it.transposed) return [...head, ...tiled, it.rows[row], column];
  if (it.rows.length) return [...head, index === -1 ? column : index, it.rows[row]];
  if (it.transposed) [row, column] = [column, row];
  const single = (it.shape[1] === 1 && it.shape[2] === 1) || it.pooled > 1;
  if (!it.folds) return [...head, ...tiled, ...(single ? [] : [row, column])];
  return refolded([...head, ...tiled, ...(single ? [] : [row, column])], ...it.folds);
}

function near(points, reach, x, y) {
  for (let at = 0; at + 3 < points.length; at += 2) {
    const [ax, ay, bx, by] = points.slice(at, at + 4), long = (bx - ax) ** 2 + (by - ay) ** 2;
    const along = long ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / long)) : 0;
    if (Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)) <= reach) return true;
  }
  return false;
}

// The topmost thing under a point: {about, cell}.
function pointed(x, y) {
  const marks = marksOf(frame);
  for (let number = marks.length - 1; number >= 0; number--) {
    const mark = marks[number], about = aboutOf(mark);
    if (!about) continue;
    const head = about.focus === undefined ? [] : data.foci[about.focus][1];
    if (mark[0] === "image") {
      const cell = cellAt(mark[1], x, y);
      if (!cell) continue;
      const [, rows, columns] = mark[1].shape, tip = about.tips?.[(cell[0] * rows + cell[1]) * columns + cell[2]];
      return { about, cell: shownCell(mark[1], head, cell), at: cell, tip };
    } else if (mark[0] === "rect") {
      const [, left, top, wide, high] = mark;
      if (left <= x && x < left + wide && top <= y && y < top + high) return { about, cell: head };
    } else if (mark[0] === "line") {
      if (near(mark[1], Math.max(4, mark[3] / 2), x, y)) return { about, cell: head };
    } else if (mark[0] === "text") {
      const [left, top, wide, high] = about.box;
      if (left <= x && x < left + wide && top - 4 <= y && y < top + high + 4) return { about, cell: head };
    }
  }
  return null;
}

// The number, or all the numbers, of a cell at the beat that is shown: null where there is none, undefined where none is
// known yet.
function numbersAt(array, cell) {
  const back = data.beats[beat].back, known = data.known[data.beats[beat].known][array];
  const { shape, places } = data.arrays[array], place = places[back ? 1 : 0];
  const step = data.arrays[array].step, ready = known.length === 1 ? known : step === -1 || cell.length <= step ?
    known[known.length - 1] : known[cell[step]];
  if (ready === "0") return undefined;
  if (place === null) return null;
  if (cell.length > shape.length || !cell.every((at, axis) => at < shape[axis])) return [];
  const rest = shape.slice(cell.length).reduce((product, length) => product * length, 1);
  const first = cell.reduce((sum, at, axis) => sum * shape[axis] + at, 0) * rest;
  return part(place, data.arrays[array].wide ? Float64Array : Float32Array).subarray(first, first + rest);
}

function placeWords(array, cell) {
  const it = data.arrays[array], said = [];
  if (it.weight) return `${it.layer} ${it.weight}${cell.length ? ` (${cell.join(", ")})` : ""}`;
  let at = 0;
  for (const level of it.levels) {
    if (level.always !== undefined) { said.push(level.always); continue; }
    if (at >= cell.length) continue;
    if (level.both && at + 1 < cell.length) {
      said.push(filled(level.both, { row: cell[at], column: cell[at + 1] }));
      at += 2;
      continue;
    }
    if (level.names.length) said.push(level.names[cell[at]]);
    at += 1;
  }
  return `${it.layer} ${said.join(", ")}`.trim();
}

function tipOf(found) {
  const { about } = found, own = found.tip ?? about.tip ?? "";
  if (about.focus === undefined) return own;
  const array = data.foci[about.focus][0];
  if (array === -1) return own;
  const it = data.arrays[array], back = data.beats[beat].back;
  const cell = !it.weight && found.cell.length > it.shape.length ? found.cell.slice(0, 1) : found.cell;
  const where = placeWords(array, cell);
  const numbers = numbersAt(array, cell), name = it.quantity[back ? 1 : 0];
  if (numbers === undefined) return `${where}\n${back ? data.words.waiting_back : data.words.waiting}`;
  if (own) return own;
  if (numbers === null) return `${where}\n${data.words.no_gradient}`;
  if (it.symbols && !back) return cell.length ? `${where}\n${it.symbols[cell[0]]}` : where;
  if (cell.length === it.shape.length) {
    return numbers.length ? `${where}\n${name} ${significant(numbers[0], 4)}` : where;
  }
  let low = Infinity, high = -Infinity;
  for (const value of numbers) if (Number.isFinite(value)) { low = Math.min(low, value); high = Math.max(high, value); }
  if (low > high) return where;
  return `${where}\n${filled(data.words.range, { name, low: significant(low, 3), high: significant(high, 3) })}`;
}

function inPicture(event) {
  const box = $("picture").getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * data.size[0], (event.clientY - box.top) / box.height * data.size[1]];
}

function hover(event) {
  const tip = $("tip"), found = playing ? null : pointed(...inPicture(event)), words = found ? tipOf(found) : "";
  tip.hidden = !words;
  if (!words) return;
  tip.textContent = words;
  const { clientX: x, clientY: y } = event, wide = tip.offsetWidth, high = tip.offsetHeight;
  tip.style.left = `${Math.max(0, Math.min(x + 14, window.innerWidth - wide - 4))}px`;
  tip.style.top = `${y + 18 + high > window.innerHeight ? Math.max(0, y - high - 10) : y + 18}px`;
}

function pressed(event) {
  const found = pointed(...inPicture(event)), goes = found && found.about.goes;
  if (goes === undefined || goes === null) return;
  const to = Array.isArray(goes) ? goes[found.at[0]] : goes;
  if (to >= 0) go(to);
}

// --- the time ---------------------------------------------------------------------------------------------------------

const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const settled = (number) => { const { frames } = data.beats[number]; return frames[frames.length - 1]; };

// A cell of a table: words, a number of float32 in as few digits as say which, or [a number that is none].
function cellWords(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return significant(value[0], 4);
  if (value !== null && typeof value === "object") return value.value;
  return Number.isInteger(value) ? value.toString().replace("-", MINUS) : significant(Math.fround(value), 4);
}

function tell() {
  const it = data.beats[beat], table = $("rows");
  $("caption").textContent = it.caption;
  $("picture").setAttribute("aria-label", it.caption);
  $("place").textContent = `${filled(data.words.beat, { number: beat + 1, total: data.beats.length })} · ${it.at}`;
  $("scrub").value = beat;
  $("scrub").setAttribute("aria-valuetext", `${it.at}: ${it.caption}`);
  $("back").disabled = beat === 0;
  $("next").disabled = beat === data.beats.length - 1;
  table.replaceChildren();
  if (!$("table").open) return;
  const { columns } = it, head = table.createTHead().insertRow();
  for (const words of columns) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = words;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of list(it.rows, data.rows)) {
    const line = body.insertRow();
    for (const value of row) line.insertCell().textContent = cellWords(value);
  }
}

function go(number) {
  stop();
  beat = Math.min(Math.max(number, 0), data.beats.length - 1);
  frame = settled(beat);
  $("tip").hidden = true;
  show();
  tell();
}

function stop() {
  if (playing) cancelAnimationFrame(playing);
  playing = 0;
  $("play").textContent = data.words.play;
}

// From here to the end, beat by beat: the frames of each as far as there are, the settled one for its rest.
function play() {
  if (playing) { go(beat); return; }
  let number = beat + 1 < data.beats.length ? beat + 1 : 0, began = null;
  $("tip").hidden = true;
  $("play").textContent = data.words.pause;
  const turn = (now) => {
    began ??= now;
    const it = data.beats[number], seconds = (now - began) / 1000;
    if (seconds >= it.seconds + it.rest) {
      beat = number;
      if (number + 1 >= data.beats.length) { go(number); return; }
      [number, began] = [number + 1, now];
    }
    const frames = data.beats[number].frames, share = Math.min(1, (now - began) / 1000 / data.beats[number].seconds);
    const shown = still() ? settled(number) : frames.find(([phase]) => phase >= share) ?? settled(number);
    if (shown !== frame) {
      frame = shown;
      show();
      if (shown === settled(number)) { beat = number; tell(); }
    }
    playing = requestAnimationFrame(turn);
  };
  playing = requestAnimationFrame(turn);
}

function dress(toDark) {
  dark = toDark;
  theme = data.themes[dark ? 1 : 0];
  theme.tables ??= Object.fromEntries(Object.entries(theme.palettes).map(([name, text]) => [name, fromBase64(text)]));
  for (const [name, rgba] of Object.entries(theme.tokens)) {
    document.documentElement.style.setProperty(`--${name}`, `rgba(${rgba[0]},${rgba[1]},${rgba[2]},${rgba[3] / 255})`);
  }
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  $("legend").replaceChildren(...data.legend.map(bar));
  if (frame) show();
}

// What the colours of a palette say: its name, and a strip from one end to the other.
function bar([palette, name, low, high]) {
  const made = document.createElement("span"), strip = document.createElement("canvas"), row = theme.tables[palette];
  [strip.width, strip.height] = [255, 1];
  const pixels = new ImageData(255, 1);
  for (let at = 0; at < 255; at++) pixels.data.set([...row.subarray(3 * at + 3, 3 * at + 6), 255], 4 * at);
  strip.getContext("2d").putImageData(pixels, 0, 0);
  strip.setAttribute("aria-hidden", "true");
  made.append(`${name} ${low}`, strip, high);
  return made;
}

// As large as it was laid out, where the window shows it smaller: then it is moved under the finger.
function enlarge(wanted) {
  $("frame").classList.toggle("larger", wanted);
  $("larger").setAttribute("aria-pressed", wanted);
  show();
}

function fit() {
  const small = $("frame").clientWidth < 0.75 * data.size[0];
  $("larger").hidden = !small;
  enlarge(small && $("frame").classList.contains("larger"));
}

const keys = {
  ArrowRight: () => go(beat + 1), ArrowLeft: () => go(beat - 1), Home: () => go(0), End: () => go(data.beats.length - 1),
  " ": play,
};

async function open() {
  const packed = $("data"), size = Number(packed.dataset.size);
  bytes = await inflated(fromBase64(packed.textContent.trim()), size);
  packed.textContent = "";
  const head = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  data = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + head)));
  bytes = bytes.slice(4 + head);
  $("frame").style.setProperty("--shape", data.size[0] / data.size[1]);
  $("frame").style.setProperty("--natural", `${data.size[0]}px`);
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  dress(scheme.matches);
  scheme.addEventListener("change", () => dress(scheme.matches));
  $("scrub").max = data.beats.length - 1;
  $("scrub").addEventListener("input", () => go(Number($("scrub").value)));
  $("back").addEventListener("click", () => go(beat - 1));
  $("next").addEventListener("click", () => go(beat + 1));
  $("play").addEventListener("click", play);
  $("theme").addEventListener("click", () => dress(!dark));
  $("table").addEventListener("toggle", tell);
  $("larger").addEventListener("click", () => enlarge(!$("frame").classList.contains("larger")));
  $("picture").addEventListener("pointermove", hover);
  $("picture").addEventListener("pointerdown", hover);
  $("picture").addEventListener("pointerleave", () => { $("tip").hidden = true; });
  $("picture").addEventListener("click", pressed);
  document.addEventListener("keydown", (event) => {
    const own = event.target.closest("button, summary, input");
    if (event.ctrlKey || event.altKey || event.metaKey || !keys[event.key]) return;
    if (own && (event.key === " " || own.tagName === "INPUT")) return;
    event.preventDefault();
    keys[event.key]();
  });
  window.addEventListener("resize", fit);
  let before = false;
  window.addEventListener("beforeprint", () => { before = dark; dress(false); show(2); });
  window.addEventListener("afterprint", () => dress(before));
  go(data.first);
  fit();
  document.documentElement.dataset.ready = "yes";
}

open();
