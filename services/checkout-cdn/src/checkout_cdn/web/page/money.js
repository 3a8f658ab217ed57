import { currentLocale } from './words.js';

/**
 * @param {number} amount in the currency's smallest unit
 * @param {string} currency ISO 4217
 * @param {{short?: boolean}} [style] short: no decimals for a round sum, as on the button (`₹500`)
 */
export function formatMoney(amount, currency, { short = false } = {}) {
  const locale = `${currentLocale()}-IN`;
  const full = new Intl.NumberFormat(locale, { style: 'currency', currency });
  const digits = full.resolvedOptions().maximumFractionDigits ?? 2;
  const value = amount / 10 ** digits;
  if (!short || !Number.isInteger(value)) return full.format(value);
  return new Intl.NumberFormat(locale, { style: 'currency', currency, minimumFractionDigits: 0 }).format(value);
}

/**
 * The amount as UPI links want it: a plain decimal (NPCI UPI linking specification, `am`).
 * @param {number} amount in paise
 */
export const decimalRupees = (amount) => `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`;
