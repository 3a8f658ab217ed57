import { english } from './words.en.js';

/** @typedef {keyof typeof english} Word */

/** @type {Record<string, string>} */
let words = english;
/** @type {'en' | 'hi'} */
let locale = 'en';
/** @type {(() => void)[]} */
const listeners = [];
/** The HTML is written in English; its own texts come back from here. @type {Map<Element, string>} */
const originals = new Map();

/**
 * @param {Word} word
 * @param {Record<string, string>} [values] put in place of `{name}`
 */
export function say(word, values = {}) {
  const text = words[word] ?? english[word];
  return text.replace(/\{(\w+)\}/g, (_whole, name) => values[name] ?? '');
}

/** @returns {'en' | 'hi'} */
export const currentLocale = () => locale;

/** @param {() => void} listener called after each change of language */
export function onLocaleChange(listener) {
  listeners.push(listener);
}

/** @param {'en' | 'hi'} wanted */
export async function setLocale(wanted) {
  words = wanted === 'hi' ? (await import('./words.hi.js')).hindi : english;
  locale = wanted;
  document.documentElement.lang = wanted;
  for (const node of document.querySelectorAll('[data-text]')) {
    node.textContent = translated(node, node.getAttribute('data-text') ?? '', node.textContent ?? '');
  }
  for (const node of document.querySelectorAll('[data-label]')) {
    const label = translated(node, node.getAttribute('data-label') ?? '', node.getAttribute('aria-label') ?? '');
    node.setAttribute('aria-label', label);
  }
  listeners.forEach((listener) => listener());
}

/**
 * @param {Element} node
 * @param {string} word
 * @param {string} present
 */
function translated(node, word, present) {
  if (!originals.has(node)) originals.set(node, present);
  return (locale === 'en' ? undefined : words[word]) ?? originals.get(node) ?? present;
}
