import { byId, formById, inputById } from './dom.js';
import { checkOnLeave, reportErrors } from './field.js';
import { say } from './words.js';

// Handles of the apps most used in India; anything else can be typed.
const HANDLES = ['@ybl', '@okaxis', '@oksbi', '@paytm', '@ibl'];
const VPA = /^[a-zA-Z0-9._-]+@[a-zA-Z0-9]+$/;

const vpa = inputById('vpa');

function vpaError() {
  const text = vpa.value.trim();
  if (!text) return say('vpa_missing');
  return VPA.test(text) ? '' : say('vpa_invalid');
}

/** @param {string} handle */
function complete(handle) {
  vpa.value = vpa.value.trim().split('@')[0] + handle;
  vpa.dispatchEvent(new Event('input', { bubbles: true }));
  vpa.focus();
  // With no name yet, the caret goes where the name belongs.
  const caret = vpa.value === handle ? 0 : vpa.value.length;
  vpa.setSelectionRange(caret, caret);
  narrowHandles();
}

/** Offers only the handles that what stands after the @ can still become. */
function narrowHandles() {
  const at = vpa.value.indexOf('@');
  const typed = at < 0 ? '' : vpa.value.slice(at).toLowerCase();
  const buttons = /** @type {HTMLButtonElement[]} */ ([...byId('handles').children]);
  const fits = (/** @type {HTMLButtonElement} */ button) => (button.textContent ?? '').startsWith(typed);
  const some = buttons.some(fits);
  for (const button of buttons) button.classList.toggle('away', some && !fits(button));
}

/**
 * @param {{vpa?: string}} prefill
 * @param {(vpa: string) => void} submit
 */
export function setUpUpiForm(prefill, submit) {
  vpa.value = prefill.vpa ?? '';
  byId('handles').append(...HANDLES.map((handle) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'handle';
    button.textContent = handle;
    button.addEventListener('click', () => complete(handle));
    return button;
  }));
  vpa.addEventListener('input', narrowHandles);
  checkOnLeave('vpa', vpaError);
  formById('upi-form').addEventListener('submit', (event) => {
    event.preventDefault();
    if (reportErrors([['vpa', vpaError()]])) submit(vpa.value.trim());
  });
}
