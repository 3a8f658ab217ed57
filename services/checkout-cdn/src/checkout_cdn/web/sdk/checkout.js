// Opens the hosted checkout in a modal over the merchant's page. One classic script, no dependency.
// It draws its styles through an adopted style sheet, so that it needs neither `unsafe-inline` nor a style
// file under the merchant's Content-Security-Policy: only `script-src` and `frame-src` for this origin.
(() => {
  'use strict';

  /**
   * @typedef {{paymentId: string, orderId: string, signature: string | null}} Success
   * @typedef {{code: string, description: string, paymentId: string | null}} Failure
   * @typedef {object} Options
   * @property {string} key the merchant's API key (never the secret)
   * @property {string} orderId an order created by the merchant's server
   * @property {(result: Success) => void} [onSuccess]
   * @property {(failure: Failure) => void} [onFailure]
   * @property {() => void} [onClose]
   * @property {{method?: 'upi' | 'card', vpa?: string, name?: string}} [prefill]
   * @property {{color?: string, mode?: 'light' | 'dark' | 'auto'}} [theme] color: a hex colour, `#rrggbb`
   * @property {'en' | 'hi'} [locale]
   */

  // A second copy of the script must not replace the class whose modal may be open.
  if (window.PaymentGateway) return;

  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const checkoutUrl = new URL('checkout', script.src);

  const css = `
#payment-gateway-modal{position:fixed;inset:0;z-index:2147483647;--surface:#fff;--ink:#414b5e;--soft:#eef0f4;--ring:#4353e0}
#payment-gateway-modal[data-mode=dark]{--surface:#151a23;--ink:#c6cedb;--soft:#262d3a;--ring:#a3adff}
#payment-gateway-modal .modal-overlay{position:absolute;inset:0;box-sizing:border-box;padding:24px;display:flex;overflow:auto;
background:rgba(10,14,22,.6);animation:payment-gateway-fade .18s ease-out}
#payment-gateway-modal .modal-content{position:relative;margin:auto;width:100%;max-width:448px;overflow:hidden;border-radius:18px;
background:var(--surface);box-shadow:0 24px 64px rgba(5,9,18,.35),0 2px 8px rgba(5,9,18,.2);
animation:payment-gateway-rise .24s cubic-bezier(.2,.8,.2,1)}
#payment-gateway-modal iframe{display:block;width:100%;height:600px;max-height:calc(100vh - 48px);max-height:calc(100dvh - 48px);
border:0;background:var(--surface);color-scheme:light dark;transition:height .2s ease}
#payment-gateway-modal .close-button{all:unset;box-sizing:border-box;position:absolute;top:14px;right:14px;width:36px;height:36px;
border-radius:50%;background:var(--soft);color:var(--ink);font:400 22px/36px system-ui,sans-serif;text-align:center;cursor:pointer}
#payment-gateway-modal .close-button:hover{filter:brightness(.95)}
#payment-gateway-modal .close-button:focus-visible{outline:2px solid var(--ring);outline-offset:2px}
@keyframes payment-gateway-fade{from{opacity:0}}
@keyframes payment-gateway-rise{from{opacity:0;transform:translateY(12px) scale(.985)}}
@media (max-width:520px){
#payment-gateway-modal .modal-overlay{padding:0}
#payment-gateway-modal .modal-content{max-width:none;border-radius:0}
#payment-gateway-modal iframe{height:100vh!important;height:100dvh!important;max-height:none}}
@media (prefers-reduced-motion:reduce){
#payment-gateway-modal *{animation:none!important;transition:none!important}}`;

  /** @type {CSSStyleSheet | undefined} */
  let sheet;
  /** @type {PaymentGateway | undefined} */
  let opened;

  /**
   * @param {string} tag
   * @param {Record<string, string>} attributes
   * @param {Node[]} children
   */
  const element = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };

  /** @param {Options} options */
  const frameUrl = ({ key, orderId, prefill, theme, locale }) => {
    const url = new URL(checkoutUrl);
    url.search = String(new URLSearchParams({ order_id: orderId, key, embedded: 'true' }));
    // What may be personal travels in the fragment: it reaches the page, but no server and no log.
    const wishes = { prefill, theme, locale };
    if (Object.values(wishes).some(Boolean)) url.hash = encodeURIComponent(JSON.stringify(wishes));
    return url.href;
  };

  /** @param {unknown} value */
  const text = (value) => (typeof value === 'string' ? value : null);

  class PaymentGateway {
    #options;
    /** @type {HTMLElement | undefined} */ #modal;
    /** @type {HTMLIFrameElement | undefined} */ #frame;
    /** @type {() => void} */ #restore = () => {};

    /**
     * @param {Options} options
     * @throws {TypeError} when `key` or `orderId` is missing
     */
    constructor(options) {
      for (const name of /** @type {const} */ (['key', 'orderId'])) {
        if (typeof options?.[name] !== 'string' || !options[name]) {
          throw new TypeError(`PaymentGateway: option "${name}" is required and must be a non-empty string`);
        }
      }
      this.#options = { ...options };
    }

    /** Shows the checkout. Does nothing while it is already open. */
    open() {
      if (this.#modal) return;
      if (!document.body) {
        // Called from the head of a page that is still loading.
        document.addEventListener('DOMContentLoaded', () => this.open(), { once: true });
        return;
      }
      opened?.close();
      opened = this;
      const { theme, locale } = this.#options;
      const hindi = locale === 'hi';
      const dark = theme?.mode === 'dark'
        || (theme?.mode !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);

      const frame = /** @type {HTMLIFrameElement} */ (element('iframe', {
        'data-test-id': 'payment-iframe',
        title: hindi ? 'सुरक्षित भुगतान' : 'Secure checkout',
        // The page learns from the referrer whom it may talk to, whatever the merchant's own policy is.
        referrerpolicy: 'origin',
        src: frameUrl(this.#options),
      }));
      const button = element('button', {
        type: 'button',
        'data-test-id': 'close-modal-button',
        class: 'close-button',
        'aria-label': hindi ? 'बंद करें' : 'Close',
      }, new Text('×'));
      const modal = element('div', {
        id: 'payment-gateway-modal',
        'data-test-id': 'payment-modal',
        'data-mode': dark ? 'dark' : 'light',
        role: 'dialog',
        'aria-modal': 'true',
        'aria-label': hindi ? 'भुगतान' : 'Payment',
      }, element('div', { class: 'modal-overlay' }, element('div', { class: 'modal-content' }, frame, button)));
      button.addEventListener('click', this.#onCloseClick);
      button.addEventListener('keydown', this.#onCloseKey);

      this.#restore = takeOver(modal);
      this.#modal = modal;
      this.#frame = frame;
      window.addEventListener('message', this.#onMessage);
      document.addEventListener('keydown', this.#onKey);
      document.addEventListener('focusin', this.#onFocus);
      frame.focus();
    }

    /** Takes the checkout away. A payment under way goes on; the next `open()` shows how it went. */
    close() {
      if (!this.#modal) return;
      window.removeEventListener('message', this.#onMessage);
      document.removeEventListener('keydown', this.#onKey);
      document.removeEventListener('focusin', this.#onFocus);
      this.#modal.remove();
      this.#restore();
      this.#modal = this.#frame = opened = undefined;
      this.#options.onClose?.();
    }

    #onCloseClick = () => this.close();

    /** @param {KeyboardEvent} event */
    #onCloseKey = (event) => {
      if (event.key !== 'Tab' || event.shiftKey) return;
      event.preventDefault();
      this.#frame?.focus();
    };

    /** @param {KeyboardEvent} event */
    #onKey = (event) => {
      if (event.key === 'Escape') this.close();
    };

    /** @param {FocusEvent} event */
    #onFocus = (event) => {
      if (!this.#modal?.contains(/** @type {Node} */ (event.target))) this.#frame?.focus();
    };

    /** @param {MessageEvent} event */
    #onMessage = (event) => {
      if (event.origin !== checkoutUrl.origin || event.source !== this.#frame?.contentWindow) return;
      const { type, data = {} } = Object(event.data);
      const { onSuccess, onFailure, orderId } = this.#options;
      if (type === 'payment_success') {
        // The modal goes even when the merchant's function throws.
        try {
          onSuccess?.({
            paymentId: text(data.paymentId) ?? '',
            orderId: text(data.orderId) ?? orderId,
            signature: text(data.signature),
          });
        } finally {
          this.close();
        }
      } else if (type === 'payment_failed') {
        onFailure?.({
          code: text(data.code) ?? 'PAYMENT_FAILED',
          description: text(data.description) ?? '',
          paymentId: text(data.paymentId),
        });
      } else if (type === 'close_modal') {
        this.close();
      } else if (type === 'resize' && data.height > 0 && this.#frame) {
        this.#frame.style.height = `${Math.ceil(data.height)}px`;
      }
    };
  }

  /**
   * Puts the modal on the page and the page to rest: not scrollable, not reachable by keyboard or screen reader.
   * @param {HTMLElement} modal
   * @returns {() => void} what gives the page back as it was, the focus included
   */
  function takeOver(modal) {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const root = document.documentElement.style;
    const { overflow, paddingRight } = root;
    const scrollbar = innerWidth - document.documentElement.clientWidth;
    const behind = /** @type {HTMLElement[]} */ ([...document.body.children]).filter((node) => !node.inert);
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
    }
    document.adoptedStyleSheets = [...document.adoptedStyleSheets.filter((other) => other !== sheet), sheet];
    for (const node of behind) node.inert = true;
    root.overflow = 'hidden';
    if (scrollbar > 0) root.paddingRight = `${scrollbar}px`;
    document.body.append(modal);
    return () => {
      root.overflow = overflow;
      root.paddingRight = paddingRight;
      for (const node of behind) node.inert = false;
      focused?.focus();
    };
  }

  window.PaymentGateway = PaymentGateway;
})();
