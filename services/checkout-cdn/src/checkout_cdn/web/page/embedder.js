// Talks to the page that opened the modal, and to no other: every message names its origin, never `*`.
// Nothing is listened to: what the merchant may ask for came in the URL.

/**
 * The origin of the page around us, as the browser tells it (no page can claim another's).
 * @returns {string | null} null when it cannot be addressed, as with a file or a sandbox
 */
function embeddingOrigin() {
  const ancestor = location.ancestorOrigins?.[0];
  if (ancestor) return ancestor === 'null' ? null : ancestor;
  try {
    return new URL(document.referrer).origin;
  } catch {
    return null;
  }
}

const origin = embeddingOrigin();

/**
 * @param {'payment_success' | 'payment_failed' | 'close_modal' | 'resize'} type
 * @param {Record<string, unknown>} data
 */
export function tell(type, data) {
  if (origin && window.parent !== window) window.parent.postMessage({ type, data }, origin);
}

/**
 * Keeps the modal as high as the page, and lets Escape and the close buttons end it.
 * @param {() => void} [leave] how the page wants to go
 */
export function liveInModal(leave = () => tell('close_modal', {})) {
  document.documentElement.classList.add('embedded');
  const content = /** @type {HTMLElement} */ (document.getElementById('checkout'));
  let height = 0;
  new ResizeObserver(() => {
    const now = Math.ceil(content.getBoundingClientRect().height);
    if (now === height) return;
    height = now;
    tell('resize', { height });
  }).observe(content);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') leave();
  });
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-close]'))) {
    button.hidden = false;
    button.addEventListener('click', leave);
  }
}
