// What must survive a closed modal or a reloaded page: which payment is under way for an order.
// Kept in this browser only (never card data), read by every tab, gone when the result has been seen.

/**
 * @typedef {object} Attempt
 * @property {string} idempotencyKey
 * @property {'upi' | 'card'} method
 * @property {number} startedAt milliseconds since 1970
 * @property {string} [vpa] so that a UPI request cut off before its answer can be repeated as it was
 * @property {string} [paymentId]
 * @property {string} [clientToken]
 */

const KEPT_MS = 24 * 60 * 60 * 1000; // as long as the gateway keeps an Idempotency-Key

/** Where the browser denies storage (blocked third-party data), the open page at least remembers. @type {Map<string, string>} */
const memory = new Map();

/** @param {string} orderId */
const nameFor = (orderId) => `checkout.attempt.${orderId}`;

/** @returns {Attempt | null} @param {string} orderId */
export function rememberedAttempt(orderId) {
  const name = nameFor(orderId);
  try {
    const text = memory.get(name) ?? localStorage.getItem(name);
    /** @type {Attempt | null} */
    const attempt = text ? JSON.parse(text) : null;
    return attempt && Date.now() - attempt.startedAt < KEPT_MS ? attempt : null;
  } catch {
    return null;
  }
}

/** @param {string} orderId @param {Attempt} attempt */
export function remember(orderId, attempt) {
  const text = JSON.stringify(attempt);
  try {
    localStorage.setItem(nameFor(orderId), text);
  } catch {
    memory.set(nameFor(orderId), text);
  }
}

/** @param {string} orderId */
export function forget(orderId) {
  memory.delete(nameFor(orderId));
  try {
    localStorage.removeItem(nameFor(orderId));
  } catch {
    // Denied storage holds nothing to forget.
  }
}

/**
 * An attempt of its own, unless an earlier request of the same method was cut off before its answer:
 * that one's key is used again, so that the gateway can see that it is the same.
 * @param {string} orderId
 * @param {'upi' | 'card'} method
 * @param {string} [vpa]
 * @returns {Attempt}
 */
export function beginAttempt(orderId, method, vpa) {
  const earlier = rememberedAttempt(orderId);
  const unanswered = earlier && !earlier.paymentId && earlier.method === method && earlier.vpa === vpa;
  const attempt = unanswered ? earlier : { idempotencyKey: randomKey(), method, vpa, startedAt: Date.now() };
  remember(orderId, attempt);
  return attempt;
}

/** 128 random bits; `crypto.randomUUID` is missing where the page is served without TLS. */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
