import { byId } from './dom.js';
import { decimalRupees } from './money.js';

const QUIET_ZONE = 4; // modules; ISO/IEC 18004 section 6.3.8

/**
 * A UPI intent link (NPCI UPI linking specification): who is paid, how much, and our order as the reference.
 * @param {import('./gateway.js').Order} order
 * @param {string} payee VPA that collects for the gateway
 */
function intentLink(order, payee) {
  const fields = { pa: payee, pn: order.merchant.name.slice(0, 40), tr: order.id, am: decimalRupees(order.amount), cu: 'INR' };
  // UPI apps read `%20`, not the `+` of form encoding.
  return `upi://pay?${Object.entries(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
}

/** @param {string} text */
async function drawCode(text) {
  const { encode } = await import('./qr.js');
  const modules = encode(text);
  const side = modules.length + 2 * QUIET_ZONE;
  const path = modules.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + QUIET_ZONE} ${y + QUIET_ZONE}h1v1h-1z`] : [])));
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', `0 0 ${side} ${side}`);
  svg.setAttribute('shape-rendering', 'crispEdges');
  const shape = document.createElementNS(svg.namespaceURI ?? '', 'path');
  shape.setAttribute('d', path.join(''));
  svg.append(shape);
  byId('qr').replaceChildren(svg);
}

/**
 * The second way to pay by UPI. Where the code is scanned the bank starts the payment, so the page only watches the order.
 * @param {import('./gateway.js').Order} order
 * @param {string | null} payee null where no account collects: then there is no code
 * @param {{watch: (wanted: () => boolean) => void, simulate: () => void}} actions
 */
export function setUpScan(order, payee, { watch, simulate }) {
  if (!payee || order.currency !== 'INR') return;
  const toggle = byId('scan-toggle');
  const body = byId('scan-body');
  const link = intentLink(order, payee);
  byId('scan').hidden = false;
  byId('intent-link').setAttribute('href', link);
  byId('simulate-scan').hidden = !order.test_mode;
  byId('simulate-scan').addEventListener('click', simulate);
  toggle.addEventListener('click', () => {
    body.hidden = !body.hidden;
    toggle.setAttribute('aria-expanded', String(!body.hidden));
    if (body.hidden) return;
    void drawCode(link);
    watch(() => !body.hidden);
  });
}
