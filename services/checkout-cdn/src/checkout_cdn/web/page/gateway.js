// The public endpoints, asked until they answer. Nothing here decides what an answer means.

/**
 * @typedef {object} Order
 * @property {string} id
 * @property {number} amount in the smallest unit of the currency
 * @property {string} currency
 * @property {'created' | 'paid' | 'expired'} status
 * @property {{name: string}} merchant
 * @property {boolean} test_mode
 * @property {boolean | null} multiple_payments whether a paid order can be paid again; null: not told
 *
 * @typedef {object} Payment
 * @property {string} id
 * @property {string} order_id
 * @property {number} amount
 * @property {string} currency
 * @property {'pending' | 'success' | 'failed' | 'cancelled'} status
 * @property {string | null} [error_code]
 * @property {string | null} [error_description]
 * @property {string | null} [error_reason]
 * @property {string} [signature]
 * @property {string} [client_token]
 *
 * @typedef {{code: string, description: string, field?: string | null}} Refusal
 * @typedef {'offline' | 'unreachable' | null} Trouble
 */

const LONG_POLL_SECONDS = 20;
const POLL_PAUSE_MS = 2000;
/** A gateway that is restarting or overloaded; asking again with the same key is safe. */
const COME_BACK_LATER = new Set([408, 425, 429, 502, 503, 504]);
/** An internal error may repeat for ever; after this many the shopper is told. */
const INTERNAL_ERROR_LIMIT = 4;

/** Refused by the gateway, with its reason. */
export class Refused extends Error {
  /** @param {number} status @param {Refusal} refusal */
  constructor(status, refusal) {
    super(refusal.description);
    this.status = status;
    this.refusal = refusal;
  }
}

/**
 * Waits, but no longer than until the network is back.
 * @param {number} milliseconds
 */
export function pause(milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      resolve(undefined);
    }
    window.addEventListener('online', done);
  });
}

export class Gateway {
  /**
   * @param {string} api base URL of the public API
   * @param {string | null} key the merchant's API key
   * @param {(trouble: Trouble) => void} onTrouble told when the gateway cannot be reached, and when it can again
   */
  constructor(api, key, onTrouble) {
    this.api = api;
    this.key = key;
    this.onTrouble = onTrouble;
  }

  /**
   * Starts a payment, once: every repetition carries the same key and the same body.
   * @param {Record<string, unknown>} body
   * @param {string} idempotencyKey
   * @returns {Promise<Payment>}
   * @throws {Refused}
   */
  createPayment(body, idempotencyKey) {
    return this.#insist('/payments/public', 30_000, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
      body: JSON.stringify(this.key ? { ...body, key: this.key } : body),
      // The request outlives a modal closed in the middle: the shopper pressed Pay.
      keepalive: true,
    });
  }

  /**
   * Long-polls until the payment has its final state; polls every two seconds where answers come at once.
   * @param {string} id
   * @param {string | null} clientToken
   * @returns {Promise<Payment>}
   * @throws {Refused}
   */
  async finalState(id, clientToken) {
    for (;;) {
      const asked = performance.now();
      const payment = await this.#payment(id, clientToken);
      if (payment.status !== 'pending') return payment;
      if (performance.now() - asked < POLL_PAUSE_MS) await pause(POLL_PAUSE_MS);
    }
  }

  /**
   * @param {string} id
   * @param {string | null} clientToken
   * @returns {Promise<Payment>}
   */
  #payment(id, clientToken) {
    const query = new URLSearchParams({ wait: String(LONG_POLL_SECONDS) });
    if (clientToken) query.set('client_token', clientToken);
    if (clientToken && this.key) query.set('key', this.key);
    return this.#insist(`/payments/${encodeURIComponent(id)}/public?${query}`, (LONG_POLL_SECONDS + 10) * 1000, {});
  }

  /** @param {string} id @returns {Promise<Order>} */
  order(id) {
    return this.#insist(`/orders/${encodeURIComponent(id)}/public`, 15_000, {});
  }

  /**
   * @param {string} path
   * @param {number} timeout in milliseconds
   * @param {RequestInit} request
   */
  async #insist(path, timeout, request) {
    for (let tries = 1, internalErrors = 0; ; tries += 1) {
      let wait = Math.min(8000, 500 * 2 ** tries);
      try {
        const response = await fetch(this.api + path, {
          ...request, credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(timeout),
        });
        const answer = await response.json();
        if (response.ok) {
          this.onTrouble(null);
          return answer;
        }
        if (response.status === 500) internalErrors += 1;
        const again = COME_BACK_LATER.has(response.status) || answer.error?.code === 'IDEMPOTENCY_KEY_IN_USE'
          || (response.status === 500 && internalErrors < INTERNAL_ERROR_LIMIT);
        if (!again) {
          this.onTrouble(null);
          throw new Refused(response.status, answer.error ?? { code: 'INTERNAL_ERROR', description: response.statusText });
        }
        wait = Math.max(wait, 1000 * Number(response.headers.get('Retry-After') ?? 0));
        this.onTrouble(response.status === 409 ? null : 'unreachable');
      } catch (error) {
        if (error instanceof Refused) throw error;
        this.onTrouble(navigator.onLine ? 'unreachable' : 'offline');
      }
      await pause(wait);
    }
  }
}
