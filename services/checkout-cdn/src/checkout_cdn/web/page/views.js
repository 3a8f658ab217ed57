/** @typedef {'form' | 'processing' | 'success' | 'error' | 'elsewhere' | 'paid' | 'expired' | 'unknown' | 'unavailable'} View */

const views = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-view]')]);

/**
 * Shows one state of the page. Its title takes the focus, which is what makes a screen reader read it.
 * @param {View} name
 */
export function show(name) {
  const shown = views.find((view) => view.dataset.view === name);
  if (!shown || (!shown.hidden && document.body.dataset.shown === name)) return;
  const first = !document.body.dataset.shown;
  for (const view of views) view.hidden = view !== shown;
  document.body.dataset.shown = name;
  // On arrival the browser reads the page by itself.
  if (!first) /** @type {HTMLElement | null} */ (shown.querySelector('[tabindex="-1"].title'))?.focus();
}
