// The merchant's colour, made legible: whatever is given, text on it and text in it keep 4.5:1 (WCAG 1.4.3).

/** @typedef {[red: number, green: number, blue: number]} Rgb */

/** @type {Record<'light' | 'dark', {surface: Rgb, away: Rgb}>} */
const GROUND = {
  light: { surface: [255, 255, 255], away: [0, 0, 0] },
  dark: { surface: [28, 34, 45], away: [255, 255, 255] },
};
const INK = /** @type {Rgb} */ ([11, 18, 32]);
const WHITE = /** @type {Rgb} */ ([255, 255, 255]);

/** @param {string | undefined} text @returns {Rgb | undefined} */
function parse(text) {
  const match = /^#([\da-f]{6}|[\da-f]{3})$/i.exec(text ?? '');
  if (!match) return undefined;
  const hex = match[1].length === 3 ? match[1].replace(/./g, '$&$&') : match[1];
  return /** @type {Rgb} */ ([0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
}

/** @param {Rgb} colour */
function luminance(colour) {
  const [red, green, blue] = colour.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {Rgb} one @param {Rgb} other */
function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** @param {Rgb} from @param {Rgb} to @param {number} share @returns {Rgb} */
const mix = (from, to, share) =>
  /** @type {Rgb} */ (from.map((channel, index) => Math.round(channel + (to[index] - channel) * share)));

/** @param {Rgb} colour */
const css = (colour) => `rgb(${colour.join(' ')})`;

/** @param {Rgb} colour @param {'light' | 'dark'} mode */
function legible(colour, mode) {
  const { surface, away } = GROUND[mode];
  let share = 0;
  while (contrast(mix(colour, away, share), surface) < 4.5 && share < 1) share += 0.05;
  return mix(colour, away, share);
}

/**
 * @param {{color?: string, mode?: string}} theme
 */
export function applyTheme({ color, mode }) {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const accent = parse(color);
  const apply = () => {
    const chosen = mode === 'dark' || (mode !== 'light' && system.matches) ? 'dark' : 'light';
    root.dataset.mode = chosen;
    if (!accent) return;
    const ink = contrast(WHITE, accent) >= contrast(INK, accent) ? WHITE : INK;
    root.style.setProperty('--accent', css(accent));
    root.style.setProperty('--accent-strong', css(mix(accent, ink === WHITE ? [0, 0, 0] : WHITE, 0.12)));
    root.style.setProperty('--on-accent', css(ink));
    root.style.setProperty('--accent-text', css(legible(accent, chosen)));
  };
  apply();
  system.addEventListener('change', apply);
}
