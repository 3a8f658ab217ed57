// Every page: small things that make it quicker to use. Without scripts all pages and forms work as they are.
import { start as startLive } from './live.js';
import { localise } from './times.js';
import { arrangeTabs } from './tabs.js';
import { prettyPrint } from './json.js';

/** Called for the page, and again for each part that was read anew. */
export function enhance(root) {
  localise(root);
  prettyPrint(root);
  arrangeTabs(root);
}

const note = document.getElementById('live-note');

export function say(text) {
  if (!note) return;
  note.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { note.textContent = ''; }, 5000);
}

async function copy(button) {
  const source = button.dataset.copyFrom ? document.querySelector(button.dataset.copyFrom)?.textContent : button.dataset.copy;
  const label = button.querySelector('[data-copy-label]');
  const before = label.dataset.before ?? label.textContent;
  label.dataset.before = before;
  try {
    await navigator.clipboard.writeText(source ?? '');
    label.textContent = 'Copied';
    say('Copied to the clipboard');
  } catch {
    label.textContent = 'Not allowed';
    say('The browser does not allow copying here');
  }
  setTimeout(() => { label.textContent = before; }, 2000);
}

document.addEventListener('click', (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const copyButton = target?.closest('[data-copy], [data-copy-from]');
  if (copyButton) copy(copyButton);
  const fillIn = target?.closest('[data-fill-in]');
  if (fillIn) {
    const form = document.querySelector(fillIn.dataset.fillIn);
    form.elements.email.value = fillIn.dataset.email;
    form.elements.password.value = fillIn.dataset.password;
    form.querySelector('button[type=submit]').focus();
  }
  const fill = target?.closest('[data-fill]');
  if (fill) {
    const input = document.querySelector(fill.dataset.fill);
    input.value = fill.dataset.value;
    input.focus();
  }
});

// What cannot be undone is asked about first; the button that was pressed is the one that is sent.
const dialog = document.getElementById('confirm');
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.confirm && dialog && !form.dataset.confirmed) {
    event.preventDefault();
    const submitter = event.submitter;
    dialog.querySelector('#confirm-title').textContent = form.dataset.confirm;
    dialog.querySelector('#confirm-text').textContent = form.dataset.confirmText ?? '';
    dialog.querySelector('#confirm-yes').textContent = form.dataset.confirmYes ?? 'Yes';
    dialog.returnValue = '';
    dialog.addEventListener('close', () => {
      if (dialog.returnValue !== 'yes') return;
      form.dataset.confirmed = 'yes';
      form.requestSubmit(submitter);
    }, { once: true });
    dialog.showModal();
    return;
  }
  // A second click must not send a form twice; the server would know, but the person would wonder.
  if (form.method === 'post') setTimeout(() => event.submitter?.setAttribute('aria-busy', 'true'));
});

// The menu of a phone scrolls sideways: the page one is on must be in sight.
document.querySelector('.menu [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

enhance(document);
startLive({ enhance, say });
