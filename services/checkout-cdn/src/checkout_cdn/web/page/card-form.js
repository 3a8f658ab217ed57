import {
  NETWORK_NAMES, cvvLength, digitsOf, formatExpiry, groupDigits, isCardNumber, networkOf, readExpiry,
} from './card.js';
import { byId, formById, inputById } from './dom.js';
import { checkOnLeave, formatWhileTyping, reportErrors } from './field.js';
import { onLocaleChange, say } from './words.js';

const number = inputById('card-number');
const expiry = inputById('expiry');
const cvv = inputById('cvv');
const holder = inputById('holder');

const network = () => networkOf(digitsOf(number.value));

function numberError() {
  if (!number.value.trim()) return say('number_missing');
  return isCardNumber(digitsOf(number.value)) ? '' : say('number_invalid');
}

function expiryError() {
  if (!expiry.value.trim()) return say('expiry_missing');
  const read = readExpiry(expiry.value, new Date());
  if (read === 'past') return say('expiry_past');
  return read === 'invalid' ? say('expiry_invalid') : '';
}

function cvvError() {
  if (!cvv.value) return say('cvv_missing');
  const digits = cvvLength(network());
  return new RegExp(`^\\d{${digits}}$`).test(cvv.value) ? '' : say('cvv_invalid', { digits: String(digits) });
}

const holderError = () => (holder.value.trim() ? '' : say('holder_missing'));

/** The mark in the field, the marks below it, and the words for those who see neither. */
function showNetwork() {
  const known = network();
  byId('card-mark').querySelector('use')?.setAttribute('href', `#mark-${known}`);
  for (const mark of byId('accepted').querySelectorAll('[data-network]')) {
    mark.classList.toggle('dim', known !== 'unknown' && mark.getAttribute('data-network') !== known);
  }
  byId('card-network').textContent = known === 'unknown' ? '' : say('network_known', { network: NETWORK_NAMES[known] });
  byId('cvv-hint').textContent = say(known === 'amex' ? 'cvv_hint_front' : 'cvv_hint_back');
}

/**
 * @param {{name?: string}} prefill
 * @param {(card: Record<string, string>) => void} submit gets the `card` object of the API
 */
export function setUpCardForm(prefill, submit) {
  holder.value = prefill.name ?? '';
  formatWhileTyping(number, (text) => groupDigits(digitsOf(text)));
  formatWhileTyping(expiry, formatExpiry);
  number.addEventListener('input', showNetwork);
  onLocaleChange(showNetwork);
  showNetwork();
  checkOnLeave('card-number', numberError);
  checkOnLeave('expiry', expiryError);
  checkOnLeave('cvv', cvvError);
  checkOnLeave('holder', holderError);

  formById('card-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const fine = reportErrors([
      ['card-number', numberError()],
      ['expiry', expiryError()],
      ['cvv', cvvError()],
      ['holder', holderError()],
    ]);
    if (!fine) return;
    const [month, year] = expiry.value.split('/');
    submit({
      number: digitsOf(number.value),
      expiry_month: month,
      expiry_year: year,
      cvv: cvv.value,
      holder_name: holder.value.trim(),
    });
  });
}

/** A CVV is never kept longer than one try needs it. */
export function forgetCvv() {
  cvv.value = '';
}
