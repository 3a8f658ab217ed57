import { byId } from './dom.js';
import { onLocaleChange, say } from './words.js';

/**
 * A bank's fine-grained reason, as words that say what to do. A lost or stolen card is declined like any other:
 * the reason is not for whoever holds it.
 * @type {Record<string, string>}
 */
const WORDS = {
  insufficient_funds: 'insufficient_funds',
  expired_card: 'expired_card',
  incorrect_cvc: 'incorrect_cvc',
  processing_error: 'processing_error',
  bank_timeout: 'bank_timeout',
  card_data_expired: 'card_data_expired',
  card_declined: 'card_declined',
  lost_card: 'card_declined',
  stolen_card: 'card_declined',
  unconfirmed: 'unconfirmed',
  earlier: 'earlier',
  refused: 'refused',
};

/** @type {{word: string, paymentId: string | null} | null} */
let shown = null;

function draw() {
  if (!shown) return;
  byId('error-message').textContent = say(/** @type {import('./words.js').Word} */ (`fail_${shown.word}`));
  byId('error-advice').textContent = say(/** @type {import('./words.js').Word} */ (`advice_${shown.word}`));
  byId('error-payment-id').textContent = shown.paymentId ?? '';
  byId('error-reference').hidden = !shown.paymentId;
}

/**
 * @param {string | null | undefined} reason
 * @param {string | null} paymentId
 */
export function describeFailure(reason, paymentId) {
  shown = { word: WORDS[reason ?? ''] ?? 'declined', paymentId };
  draw();
}

onLocaleChange(draw);
