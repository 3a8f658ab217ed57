/**
 * What the page was opened with: the query (order, key, embedded) and the SDK's wishes in the fragment.
 * @typedef {object} PageOptions
 * @property {string} orderId
 * @property {string | null} key the merchant's API key; only with it does a success carry a signature
 * @property {boolean} embedded opened in the SDK's modal
 * @property {{method?: string, vpa?: string, name?: string}} prefill
 * @property {{color?: string, mode?: string}} theme
 * @property {'en' | 'hi'} locale
 */

/**
 * @param {Location} from
 * @returns {PageOptions}
 */
export function readOptions(from) {
  const query = new URLSearchParams(from.search);
  const wishes = readFragment(from.hash);
  return {
    orderId: query.get('order_id') ?? '',
    key: query.get('key'),
    embedded: query.get('embedded') === 'true' && window.parent !== window,
    prefill: strings(wishes.prefill),
    theme: strings(wishes.theme),
    locale: chooseLocale(wishes.locale ?? query.get('locale')),
  };
}

/**
 * @param {string} hash
 * @returns {Record<string, unknown>}
 */
function readFragment(hash) {
  try {
    return Object(JSON.parse(decodeURIComponent(hash.slice(1)) || '{}'));
  } catch {
    return {}; // A fragment of someone else's making is no reason to refuse a payment.
  }
}

/**
 * Only the members that are strings: the fragment can be written by anyone.
 * @param {unknown} value
 * @returns {Record<string, string>}
 */
function strings(value) {
  return Object.fromEntries(Object.entries(Object(value)).filter(([, member]) => typeof member === 'string'));
}

/** @param {unknown} wish @returns {'en' | 'hi'} */
function chooseLocale(wish) {
  if (wish === 'en' || wish === 'hi') return wish;
  return navigator.language.toLowerCase().startsWith('hi') ? 'hi' : 'en';
}
