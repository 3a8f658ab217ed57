// A QR code encoder for short links: ISO/IEC 18004 (2015), byte mode, error correction level M, versions 1 to 10.

/** Per version: check codewords per block, number of blocks, data codewords in all (table 9, level M). */
const VERSIONS = [
  [10, 1, 16], [16, 1, 28], [26, 1, 44], [18, 2, 64], [24, 2, 86],
  [16, 4, 108], [18, 4, 124], [22, 4, 154], [22, 5, 182], [26, 5, 216],
];
/** Per version: the centre of the second alignment pattern on the diagonal; the others follow in equal steps. */
const ALIGNMENT_STEP = [0, 18, 22, 26, 30, 34, 22, 24, 26, 28];

/** @type {((x: number, y: number) => boolean)[]} the eight masks of table 10; true turns the module over */
const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** @typedef {boolean[][]} Modules rows of modules, true is dark */

/**
 * @param {string} text
 * @returns {Modules} the square, without its quiet zone of four modules
 * @throws {RangeError} when the text has more than 213 bytes in UTF-8
 */
export function encode(text) {
  const bytes = new TextEncoder().encode(text);
  const version = 1 + VERSIONS.findIndex(([, , data], index) => bytes.length + (index < 9 ? 2 : 3) <= data);
  if (version === 0) throw new RangeError('too long for a QR code of version 10');
  const stream = interleave(dataCodewords(bytes, version), version);

  /** @type {{modules: Modules, score: number} | undefined} */
  let best;
  for (let mask = 0; mask < MASKS.length; mask += 1) {
    const modules = draw(stream, version, mask);
    const score = penalty(modules);
    if (!best || score < best.score) best = { modules, score };
  }
  return /** @type {{modules: Modules}} */ (best).modules;
}

/**
 * Mode, length, bytes, terminator, then the two pad codewords in turn.
 * @param {Uint8Array} bytes
 * @param {number} version
 */
function dataCodewords(bytes, version) {
  const capacity = VERSIONS[version - 1][2];
  const bits = bitString(0b0100, 4) + bitString(bytes.length, version < 10 ? 8 : 16)
    + Array.from(bytes, (byte) => bitString(byte, 8)).join('') + '0000';
  const words = (bits.match(/.{8}/g) ?? []).map((word) => parseInt(word, 2));
  for (let pad = 0xec; words.length < capacity; pad ^= 0xec ^ 0x11) words.push(pad);
  return words;
}

/** @param {number} value @param {number} length */
const bitString = (value, length) => value.toString(2).padStart(length, '0');

/**
 * Splits into blocks, adds each block's check codewords, and takes from the blocks in turn.
 * @param {number[]} data
 * @param {number} version
 * @returns {number[]}
 */
function interleave(data, version) {
  const [checks, count] = VERSIONS[version - 1];
  const short = Math.floor(data.length / count);
  const longer = data.length % count;
  const blocks = Array.from({ length: count }, (_, index) => {
    const start = index * short + Math.max(0, index - (count - longer));
    return data.slice(start, start + short + (index >= count - longer ? 1 : 0));
  });
  const corrections = blocks.map((block) => reedSolomon(block, checks));
  const across = (/** @type {number[][]} */ rows, /** @type {number} */ width) =>
    Array.from({ length: width }, (_, column) => rows.flatMap((row) => (column < row.length ? [row[column]] : []))).flat();
  return [...across(blocks, short + 1), ...across(corrections, checks)];
}

/** Product in GF(256) modulo x^8+x^4+x^3+x^2+1. @param {number} a @param {number} b */
function multiply(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * 0x11d) ^ (((b >> bit) & 1) * a);
  }
  return product;
}

/**
 * The remainder of data·x^degree divided by the generator polynomial.
 * @param {number[]} data
 * @param {number} degree
 */
function reedSolomon(data, degree) {
  const generator = [...Array(degree - 1).fill(0), 1];
  for (let index = 0, root = 1; index < degree; index += 1, root = multiply(root, 2)) {
    for (let term = 0; term < degree; term += 1) {
      generator[term] = multiply(generator[term], root) ^ (generator[term + 1] ?? 0);
    }
  }
  const remainder = Array(degree).fill(0);
  for (const word of data) {
    const factor = word ^ remainder.shift();
    remainder.push(0);
    generator.forEach((coefficient, index) => { remainder[index] ^= multiply(coefficient, factor); });
  }
  return remainder;
}

/**
 * A value followed by its BCH check bits.
 * @param {number} value
 * @param {number} polynomial
 * @param {number} checkBits
 */
function withCheckBits(value, polynomial, checkBits) {
  let remainder = value;
  for (let step = 0; step < checkBits; step += 1) remainder = (remainder << 1) ^ ((remainder >> (checkBits - 1)) * polynomial);
  return (value << checkBits) | remainder;
}

/**
 * @param {number[]} codewords
 * @param {number} version
 * @param {number} mask
 * @returns {Modules}
 */
function draw(codewords, version, mask) {
  const size = 17 + 4 * version;
  /** @type {(boolean | undefined)[][]} */
  const grid = Array.from({ length: size }, () => Array(size).fill(undefined));
  const put = (/** @type {number} */ x, /** @type {number} */ y, /** @type {boolean} */ dark) => {
    if (x >= 0 && y >= 0 && x < size && y < size) grid[y][x] = dark;
  };

  for (let index = 8; index < size - 8; index += 1) {
    put(index, 6, index % 2 === 0);
    put(6, index, index % 2 === 0);
  }
  for (const [centreX, centreY] of [[3, 3], [size - 4, 3], [3, size - 4]]) {
    eachAround(4, (dx, dy, ring) => put(centreX + dx, centreY + dy, ring !== 2 && ring !== 4));
  }
  const centres = alignmentCentres(version, size);
  for (const x of centres) {
    for (const y of centres) {
      const onFinder = (x === 6 && y === 6) || (x === 6 && y === size - 7) || (x === size - 7 && y === 6);
      if (!onFinder) eachAround(2, (dx, dy, ring) => put(x + dx, y + dy, ring !== 1));
    }
  }

  const format = withCheckBits(mask, 0x537, 10) ^ 0x5412;
  for (let bit = 0; bit < 15; bit += 1) {
    const dark = ((format >> bit) & 1) === 1;
    const near = bit < 6 ? bit : bit < 8 ? bit + 1 : 14 - bit;
    if (bit < 8) put(8, near, dark);
    else put(bit === 8 ? 7 : near, 8, dark);
    if (bit < 8) put(size - 1 - bit, 8, dark);
    else put(8, size - 15 + bit, dark);
  }
  put(8, size - 8, true);
  if (version >= 7) {
    const information = withCheckBits(version, 0x1f25, 12);
    for (let bit = 0; bit < 18; bit += 1) {
      const dark = ((information >> bit) & 1) === 1;
      put(size - 11 + (bit % 3), Math.floor(bit / 3), dark);
      put(Math.floor(bit / 3), size - 11 + (bit % 3), dark);
    }
  }

  let position = 0;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    const upwards = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step += 1) {
      const y = upwards ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (grid[y][x] !== undefined) continue;
        const bit = ((codewords[position >> 3] ?? 0) >> (7 - (position & 7))) & 1;
        grid[y][x] = (bit === 1) !== MASKS[mask](x, y);
        position += 1;
      }
    }
  }
  return /** @type {Modules} */ (grid);
}

/**
 * @param {number} radius
 * @param {(dx: number, dy: number, ring: number) => void} visit
 */
function eachAround(radius, visit) {
  for (let dy = -radius; dy <= radius; dy += 1) {
    for (let dx = -radius; dx <= radius; dx += 1) visit(dx, dy, Math.max(Math.abs(dx), Math.abs(dy)));
  }
}

/** @param {number} version @param {number} size */
function alignmentCentres(version, size) {
  if (version === 1) return [];
  return version < 7 ? [6, size - 7] : [6, ALIGNMENT_STEP[version - 1], size - 7];
}

/**
 * How hard a scanner would find it (section 7.8.3): runs, blocks, finder look-alikes, imbalance.
 * @param {Modules} modules
 */
function penalty(modules) {
  const size = modules.length;
  const rows = modules.map((row) => row.map(Number).join(''));
  const columns = modules.map((_, x) => modules.map((row) => Number(row[x])).join(''));
  let score = 0;
  for (const line of [...rows, ...columns]) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) score += run.length - 2;
    score += 40 * (line.match(/(?=10111010000|00001011101)/g) ?? []).length;
  }
  for (let y = 1; y < size; y += 1) {
    for (let x = 1; x < size; x += 1) {
      const dark = modules[y][x];
      if (dark === modules[y][x - 1] && dark === modules[y - 1][x] && dark === modules[y - 1][x - 1]) score += 3;
    }
  }
  const share = rows.join('').replaceAll('0', '').length / size ** 2;
  return score + 10 * Math.floor(Math.abs(share - 0.5) * 20);
}
