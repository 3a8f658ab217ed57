// What can be said about a card before a bank sees it. The rules are the API's own (spec: Payments, Validation).

/** @typedef {'visa' | 'mastercard' | 'amex' | 'rupay' | 'unknown'} Network */

/** @type {[Network, RegExp][]} */
const PREFIXES = [
  ['visa', /^4/],
  ['mastercard', /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/],
  ['amex', /^3[47]/],
  ['rupay', /^(60|65|8[1-9])/],
];

export const NETWORK_NAMES = { visa: 'Visa', mastercard: 'Mastercard', amex: 'American Express', rupay: 'RuPay', unknown: '' };

/** @param {string} text */
export const digitsOf = (text) => text.replace(/\D/g, '');

/** @param {string} digits @returns {Network} */
export function networkOf(digits) {
  return PREFIXES.find(([, prefix]) => prefix.test(digits))?.[0] ?? 'unknown';
}

/** @param {Network} network */
export const cvvLength = (network) => (network === 'amex' ? 4 : 3);

/**
 * Groups digits as they are embossed: 4-6-5 for American Express, fours otherwise.
 * @param {string} digits
 */
export function groupDigits(digits) {
  const groups = networkOf(digits) === 'amex' ? /^(\d{1,4})(\d{1,6})?(\d{1,5})?.*$/ : /(\d{4})(?=\d)/g;
  if (networkOf(digits) !== 'amex') return digits.slice(0, 19).replace(groups, '$1 ');
  return (groups.exec(digits) ?? []).slice(1).filter(Boolean).join(' ');
}

/** @param {string} digits */
export function isCardNumber(digits) {
  if (digits.length < 13 || digits.length > 19) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/**
 * `MM/YY` from what was typed, pasted or filled in (`8/29`, `0829`, `08/2029`).
 * @param {string} text
 */
export function formatExpiry(text) {
  const [first = '', ...rest] = text.split('/');
  let digits = rest.length > 0 && digitsOf(first).length === 1 ? `0${digitsOf(text)}` : digitsOf(text);
  if (/^[2-9]/.test(digits)) digits = `0${digits}`;
  const year = digits.slice(2);
  const short = year.length === 4 && year.startsWith('20') ? year.slice(2) : year.slice(0, 4);
  return short || (rest.length > 0 && digits.length === 2) ? `${digits.slice(0, 2)}/${short}` : digits.slice(0, 2);
}

/**
 * @param {string} text `MM/YY` or `MM/YYYY`
 * @param {Date} today
 * @returns {{month: string, year: string} | 'invalid' | 'past'}
 */
export function readExpiry(text, today) {
  const match = /^(0[1-9]|1[0-2])\/(\d{2}|\d{4})$/.exec(text);
  if (!match) return 'invalid';
  const [, month, year] = match;
  const end = new Date(Number(year.length === 2 ? `20${year}` : year), Number(month), 1);
  return today < end ? { month, year } : 'past';
}
