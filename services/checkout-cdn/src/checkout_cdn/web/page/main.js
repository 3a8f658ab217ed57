import { forgetCvv, setUpCardForm } from './card-form.js';
import { byId } from './dom.js';
import { liveInModal } from './embedder.js';
import { Flow } from './flow.js';
import { Gateway, pause } from './gateway.js';
import { formatMoney } from './money.js';
import { readOptions } from './options.js';
import { showTrouble } from './processing.js';
import { setUpTabs } from './tabs.js';
import { applyTheme } from './theme.js';
import { setUpUpiForm } from './upi-form.js';
import { setUpScan } from './upi-qr.js';
import { show } from './views.js';
import { currentLocale, onLocaleChange, say, setLocale } from './words.js';

/** In test mode the simulated bank says yes to it at once (spec: the simulated bank). */
const SIMULATED_SCAN_VPA = 'success@upi';

/**
 * What the server found out while it made the page, so that the form needs no further request.
 * @typedef {object} PageData
 * @property {string} api base URL of the public API
 * @property {import('./gateway.js').Order | null} order
 * @property {'not_found' | 'unavailable' | null} problem
 * @property {string | null} upi_payee
 */

/** @type {PageData} */
const data = JSON.parse(byId('checkout-data').textContent ?? '');
const options = readOptions(location);

/** @param {import('./gateway.js').Order} order */
function describe(order) {
  const name = order.merchant.name;
  const amount = formatMoney(order.amount, order.currency);
  document.title = say('page_title', { amount, merchant: name });
  byId('merchant-name').textContent = name;
  byId('merchant-initial').textContent = [...name][0]?.toUpperCase() ?? '';
  byId('order-id').textContent = order.id;
  byId('order-amount').textContent = amount;
  byId('paid-amount').textContent = amount;
  byId('test-mode').hidden = !order.test_mode;
  const button = say('pay_amount', { amount: formatMoney(order.amount, order.currency, { short: true }) });
  for (const pay of document.querySelectorAll('[data-test-id=pay-button]')) pay.textContent = button;
}

/** Loads the page again as soon as the server can show the order. */
async function waitForGateway() {
  show('unavailable');
  for (;;) {
    // Not all pages that waited through an outage come back in the same moment.
    await pause(2000 + Math.random() * 2000);
    const answer = await fetch(location.href, { method: 'HEAD', cache: 'no-store' }).catch(() => null);
    if (answer && answer.status !== 503) location.reload();
  }
}

/** @param {import('./gateway.js').Order} order */
function takePayment(order) {
  const flow = new Flow(order, new Gateway(data.api, options.key, showTrouble), options.embedded);
  setUpTabs(options.prefill.method);
  setUpUpiForm(options.prefill, (vpa) => void flow.pay('upi', { vpa }));
  setUpCardForm(options.prefill, (card) => void flow.pay('card', { card }));
  setUpScan(order, data.upi_payee, {
    watch: (wanted) => void flow.watch(wanted),
    simulate: () => void flow.pay('upi', { vpa: SIMULATED_SCAN_VPA }),
  });
  byId('retry-button').addEventListener('click', () => {
    forgetCvv();
    flow.again();
    focusFirstField();
  });
  byId('pay-here').addEventListener('click', () => {
    flow.again();
    focusFirstField();
  });
  if (options.embedded) liveInModal(() => flow.leave());
  describe(order);
  onLocaleChange(() => describe(order));
  flow.start();
  // A phone's keyboard would cover the summary before it was read.
  if (options.embedded && matchMedia('(pointer: fine)').matches) focusFirstField();
}

function focusFirstField() {
  /** @type {HTMLElement | null} */ (document.querySelector('[role=tabpanel]:not([hidden]) input'))?.focus();
}

function setUpLanguage() {
  const button = byId('language');
  onLocaleChange(() => {
    const hindi = currentLocale() === 'hi';
    button.textContent = hindi ? 'English' : 'हिन्दी';
    button.lang = hindi ? 'en' : 'hi';
  });
  button.addEventListener('click', () => void setLocale(currentLocale() === 'hi' ? 'en' : 'hi'));
}

applyTheme(options.theme);
setUpLanguage();
await setLocale(options.locale);
if (data.order) takePayment(data.order);
else {
  if (options.embedded) liveInModal();
  document.body.classList.add('orderless');
  if (data.problem === 'unavailable') void waitForGateway();
  else show('unknown');
}
