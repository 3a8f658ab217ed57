import { byId } from './dom.js';
import { onLocaleChange, say } from './words.js';

// Honest progress: what has happened, how long it has taken, never a made-up percentage.
const LONGER_AFTER_S = 12;
const SLOW_AFTER_S = 30;

/** @type {{startedAt: number, method: string, sent: boolean, trouble: import('./gateway.js').Trouble} | null} */
let state = null;
/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking;

function note() {
  if (!state) return '';
  if (state.trouble === 'offline') return say('note_offline');
  if (state.trouble) return say('note_unreachable');
  const seconds = (Date.now() - state.startedAt) / 1000;
  if (seconds >= SLOW_AFTER_S) return say('note_slow');
  if (seconds >= LONGER_AFTER_S) return say('note_longer');
  return say(state.method === 'upi' && state.sent ? 'note_upi' : 'note_started');
}

function draw() {
  if (!state) return;
  const target = byId('processing-note');
  // A live region speaks at every change, so it changes only when there is something new to say.
  const text = note();
  if (target.textContent !== text) target.textContent = text;
  const seconds = Math.max(0, Math.floor((Date.now() - state.startedAt) / 1000));
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  byId('elapsed').textContent = seconds >= 3 ? say('elapsed', { time }) : '';
  byId('steps').dataset.at = state.sent ? 'bank' : 'sent';
  byId('steps').classList.toggle('held', state.trouble !== null);
}

/**
 * @param {number} startedAt when the shopper pressed Pay, also if the page was closed since
 * @param {string} method
 * @param {boolean} sent whether the gateway has the payment
 */
export function startProgress(startedAt, method, sent) {
  state = { startedAt, method, sent, trouble: null };
  clearInterval(ticking);
  ticking = setInterval(draw, 1000);
  draw();
}

/** The gateway has answered: the payment is with the bank. */
export function markSent() {
  if (state) state.sent = true;
  draw();
}

/** @param {import('./gateway.js').Trouble} trouble */
export function showTrouble(trouble) {
  if (!state || state.trouble === trouble) return;
  state.trouble = trouble;
  draw();
}

export function stopProgress() {
  clearInterval(ticking);
  state = null;
}

onLocaleChange(draw);
