import { beginAttempt, forget, remember, rememberedAttempt } from './attempt.js';
import { byId } from './dom.js';
import { tell } from './embedder.js';
import { describeFailure } from './failure.js';
import { setFieldError } from './field.js';
import { pause, Refused } from './gateway.js';
import { markSent, startProgress, stopProgress } from './processing.js';
import { show } from './views.js';
import { say } from './words.js';

/** @typedef {import('./attempt.js').Attempt} Attempt */
/** @typedef {import('./gateway.js').Payment} Payment */

/** Long enough to see that it worked before the modal goes. */
const SUCCESS_SHOWN_MS = 1500;
const WATCH_PAUSE_MS = 2500;

/**
 * Refusals after which nobody can say that nothing was charged. A reused key means that an earlier request, whose
 * answer was lost, did arrive with other details.
 * @type {Record<string, string>}
 */
const REFUSAL_WORDS = { INTERNAL_ERROR: 'unconfirmed', IDEMPOTENCY_KEY_REUSED: 'earlier' };

/** One order on this page, from the form to its end. */
export class Flow {
  /** Between Pay and a result; what a second click finds. */
  #busy = false;
  /** @type {(() => void) | null} hands the result to the merchant's page; null once it has it */
  #deliver = null;

  /**
   * @param {import('./gateway.js').Order} order
   * @param {import('./gateway.js').Gateway} gateway
   * @param {boolean} embedded
   */
  constructor(order, gateway, embedded) {
    this.order = order;
    this.gateway = gateway;
    this.embedded = embedded;
  }

  /** Resumes what was under way when the page was last closed, or shows where the order stands. */
  start() {
    const attempt = rememberedAttempt(this.order.id);
    if (attempt?.paymentId) void this.#follow(attempt);
    // Its answer never came: the same request again tells what became of it, also when the order is paid by now.
    else if (attempt?.vpa) void this.pay('upi', { vpa: attempt.vpa });
    else if (this.order.status === 'paid' && this.order.multiple_payments === false) show('paid');
    else if (this.order.status === 'expired') show('expired');
    else show('form');
  }

  /**
   * @param {'upi' | 'card'} method
   * @param {{vpa: string} | {card: Record<string, string>}} details
   */
  async pay(method, details) {
    if (this.#busy) return;
    const running = rememberedAttempt(this.order.id);
    if (running?.paymentId) {
      // Another tab was faster: its payment is this order's payment.
      await this.#follow(running);
      return;
    }
    this.#busy = true;
    const attempt = beginAttempt(this.order.id, method, 'vpa' in details ? details.vpa : undefined);
    startProgress(attempt.startedAt, method, false);
    show('processing');
    try {
      const body = { order_id: this.order.id, method, ...details };
      const payment = await this.gateway.createPayment(body, attempt.idempotencyKey);
      const known = { ...attempt, vpa: undefined, paymentId: payment.id, clientToken: payment.client_token };
      remember(this.order.id, known);
      markSent();
      await this.#follow(known);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#end();
      this.#refused(error, attempt);
    }
  }

  /** Back to the form, with what was typed still there. */
  again() {
    this.#end();
    show('form');
  }

  /** Leaves the modal: with the result, if there is one that the merchant's page has not got yet. */
  leave() {
    if (this.#deliver) this.#deliver();
    else tell('close_modal', {});
  }

  /**
   * Watches for the order being paid by other means: another device, a scanned code.
   * An order that was paid before, and takes more payments, has nothing more to tell.
   * @param {() => boolean} wanted
   */
  async watch(wanted) {
    if (this.order.status === 'paid') return;
    while (wanted() && !this.#busy) {
      await pause(WATCH_PAUSE_MS);
      if (!wanted() || this.#busy) return;
      const order = await this.gateway.order(this.order.id);
      if (order.status === 'paid' && wanted() && !this.#busy) show('paid');
      if (order.status === 'paid') return;
    }
  }

  /** @param {Attempt} attempt whose payment the gateway has */
  async #follow(attempt) {
    this.#busy = true;
    startProgress(attempt.startedAt, attempt.method, true);
    show('processing');
    const id = attempt.paymentId ?? '';
    try {
      this.#finished(await this.gateway.finalState(id, attempt.clientToken ?? null));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // The gateway no longer knows the payment: what was remembered is of no use.
      this.#end();
      forget(this.order.id);
      show('form');
    }
  }

  /** @param {Payment} payment */
  #finished(payment) {
    this.#end();
    if (payment.status === 'success') this.#succeeded(payment);
    else this.#failed(payment);
  }

  /** @param {Payment} payment */
  #succeeded(payment) {
    byId('payment-id').textContent = payment.id;
    byId('returning').hidden = !this.embedded;
    show('success');
    if (!this.embedded) {
      forget(this.order.id);
      return;
    }
    // Remembered until the merchant's page has it: a modal closed right now delivers when it is opened again.
    this.#deliver = () => {
      this.#deliver = null;
      forget(this.order.id);
      tell('payment_success', { paymentId: payment.id, orderId: this.order.id, signature: payment.signature ?? null });
    };
    setTimeout(() => this.#deliver?.(), SUCCESS_SHOWN_MS);
  }

  /** @param {Payment} payment */
  #failed(payment) {
    forget(this.order.id);
    describeFailure(payment.error_reason, payment.id);
    show('error');
    tell('payment_failed', {
      code: payment.error_code ?? 'PAYMENT_FAILED',
      description: payment.error_description ?? byId('error-message').textContent,
      paymentId: payment.id,
    });
  }

  /**
   * @param {Refused} error
   * @param {Attempt} attempt
   */
  #refused({ refusal }, attempt) {
    const stored = rememberedAttempt(this.order.id);
    const confirmed = refusal.code !== 'INTERNAL_ERROR';
    if (confirmed && stored?.idempotencyKey === attempt.idempotencyKey) forget(this.order.id);

    const field = fieldOf(refusal);
    if (field) {
      show('form');
      setFieldError(field[0], say(field[1]));
      byId(field[0]).focus();
    } else if (refusal.code === 'ORDER_PAYMENT_IN_PROGRESS') {
      void this.#elsewhere();
    } else if (refusal.code === 'ORDER_ALREADY_PAID') {
      show('paid');
    } else if (refusal.code === 'NOT_FOUND_ERROR') {
      show('unknown');
    } else {
      describeFailure(REFUSAL_WORDS[refusal.code] ?? 'refused', null);
      show('error');
      tell('payment_failed', { code: refusal.code, description: refusal.description, paymentId: null });
    }
  }

  /** Someone else's payment holds the order: follow it if this browser knows it, else watch the order. */
  async #elsewhere() {
    show('elsewhere');
    const waiting = () => document.body.dataset.shown === 'elsewhere';
    const tabAhead = () => {
      const attempt = rememberedAttempt(this.order.id);
      if (attempt?.paymentId && waiting() && !this.#busy) void this.#follow(attempt);
    };
    // The tab that was faster may still be waiting for the answer that names its payment.
    window.addEventListener('storage', tabAhead);
    tabAhead();
    await this.watch(waiting);
    window.removeEventListener('storage', tabAhead);
  }

  #end() {
    this.#busy = false;
    stopProgress();
  }
}

/**
 * The field that a refusal is about.
 * @param {import('./gateway.js').Refusal} refusal
 * @returns {[id: string, word: import('./words.js').Word] | undefined}
 */
function fieldOf({ code, field }) {
  if (code === 'INVALID_VPA') return ['vpa', 'vpa_invalid'];
  if (code === 'EXPIRED_CARD') return ['expiry', 'expiry_past'];
  if (code !== 'INVALID_CARD') return undefined;
  if (field?.includes('cvv')) return ['cvv', 'cvv_missing'];
  return field?.includes('holder') ? ['holder', 'holder_missing'] : ['card-number', 'number_invalid'];
}
