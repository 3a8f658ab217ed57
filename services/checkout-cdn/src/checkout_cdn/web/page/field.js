import { byId, inputById } from './dom.js';
import { onLocaleChange } from './words.js';

/**
 * Shows an error at its field, or takes it away; the error's element is a live region, so it is announced.
 * @param {string} id of the input; its error is in `#<id>-error`
 * @param {string} message empty when the field is right
 */
export function setFieldError(id, message) {
  byId(`${id}-error`).textContent = message;
  inputById(id).toggleAttribute('aria-invalid', false);
  if (message) inputById(id).setAttribute('aria-invalid', 'true');
}

/**
 * Shows every error of a form and moves to the first field that has one.
 * @param {[id: string, message: string][]} checks
 * @returns {boolean} whether the form can be sent
 */
export function reportErrors(checks) {
  for (const [id, message] of checks) setFieldError(id, message);
  const first = checks.find(([, message]) => message);
  if (first) inputById(first[0]).focus();
  return !first;
}

/**
 * Calls back when no mouse button or finger is down. An error that appears while one is moves what is below it,
 * and a click that began on the Pay button would end beside it.
 * @param {() => void} then
 */
function whenReleased(then) {
  if (pressed) document.addEventListener('pointerup', () => setTimeout(then), { once: true });
  else then();
}
let pressed = false;
document.addEventListener('pointerdown', () => { pressed = true; }, true);
for (const end of ['pointerup', 'pointercancel']) document.addEventListener(end, () => { pressed = false; }, true);

/**
 * Checks a field when it is left, and while it is mended; never while it is first being typed.
 * @param {string} id
 * @param {() => string} check the error, or an empty string
 */
export function checkOnLeave(id, check) {
  const input = inputById(id);
  const checkIfFilled = () => { if (input.value) setFieldError(id, check()); };
  input.addEventListener('blur', () => whenReleased(checkIfFilled));
  const checkIfWrong = () => { if (input.hasAttribute('aria-invalid')) setFieldError(id, check()); };
  input.addEventListener('input', checkIfWrong);
  onLocaleChange(checkIfWrong);
}

/**
 * Rewrites a field's text while it is typed and leaves the caret after the same digit.
 * @param {HTMLInputElement} input
 * @param {(text: string) => string} format
 */
export function formatWhileTyping(input, format) {
  input.addEventListener('input', () => {
    const before = input.value;
    const after = format(before);
    if (after === before) return;
    const caret = input.selectionStart ?? before.length;
    const atEnd = caret >= before.length;
    const digitsBefore = before.slice(0, caret).replace(/\D/g, '').length;
    input.value = after;
    if (document.activeElement !== input) return;
    const place = atEnd ? after.length : positionAfterDigits(after, digitsBefore);
    input.setSelectionRange(place, place);
  });
}

/** @param {string} text @param {number} count */
function positionAfterDigits(text, count) {
  let seen = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (seen === count) return index;
    if (/\d/.test(text[index])) seen += 1;
  }
  return text.length;
}
