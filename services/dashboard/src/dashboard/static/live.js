// Parts of the page marked `data-live="topic …"` are read again when the server says that a topic has changed.
//
// The server only says that something changed; what it is comes from the page itself, read once more. So there is one
// way in which anything is drawn, and a window that missed a message is right again with the next one.

const FIRST_WAIT_MS = 30; // lets the changes of one moment come together
const LEAST_PAUSE_MS = 700; // under a flood of payments a window reads itself again this often, not more
const SETTLE_MS = 1500; // sums are written in batches, a moment after the payments: look once more
const POLL_MS = 5000; // without a stream

let tools;
let source = null;
let isReading = false;
let isSettling = false;
let timer = 0;
let settleTimer = 0;
let pollTimer = 0;
let lastRead = 0;
const dirty = new Set();

const policy = window.trustedTypes?.createPolicy('live', { createHTML: (text) => text });

const regions = () => [...document.querySelectorAll('[data-live]')];
const topicsOf = (region) => region.dataset.live.split(' ');

export function start(given) {
  tools = given;
  if (!regions().length || !window.EventSource) return;
  connect();
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) {
      markAll();
      if (!source || source.readyState === EventSource.CLOSED) connect();
    }
  });
  window.addEventListener('pagehide', () => source?.close());
  window.addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
  document.addEventListener('live:changed', () => { markAll(); });
  const every = Math.min(...regions().map((region) => Number(region.dataset.liveEvery) || Infinity));
  if (every < Infinity) setInterval(() => { if (document.querySelector('[data-live-every]')) markAll(); }, every);
}

function connect() {
  stopPolling();
  const topics = [...new Set(regions().flatMap(topicsOf))];
  source = new EventSource(`/dashboard/live?topics=${encodeURIComponent(topics.join(','))}`);
  source.addEventListener('ready', () => { document.documentElement.dataset.stream = 'open'; markAll(); stopPolling(); });
  source.addEventListener('resync', markAll);
  source.addEventListener('retired', () => { source.close(); poll(); }); // too many windows of this session
  source.addEventListener('closed', () => { source.close(); location.assign('/login'); });
  source.addEventListener('draining', () => { document.documentElement.dataset.stream = 'lost'; });
  source.addEventListener('error', () => { document.documentElement.dataset.stream = 'lost'; poll(); retry(); });
  for (const topic of topics) {
    source.addEventListener(topic, (event) => {
      announce(topic, JSON.parse(event.data));
      mark(topic);
    });
  }
}

// A browser gives up on a stream that was refused once (a server that was just starting, for example).
function retry() {
  if (source.readyState !== EventSource.CLOSED) return;
  setTimeout(() => { if (source.readyState === EventSource.CLOSED && !document.hidden) connect(); }, 2000);
}

function poll() {
  if (!pollTimer) pollTimer = setInterval(() => { if (!document.hidden) markAll(); }, POLL_MS);
}

function stopPolling() {
  clearInterval(pollTimer);
  pollTimer = 0;
}

function markAll() {
  for (const region of regions()) dirty.add(region.id);
  schedule();
}

function mark(topic) {
  for (const region of regions()) if (topicsOf(region).includes(topic)) dirty.add(region.id);
  isSettling = true;
  schedule();
}

function schedule() {
  if (!dirty.size || timer || isReading) return;
  const wait = Math.max(FIRST_WAIT_MS, LEAST_PAUSE_MS - (Date.now() - lastRead));
  timer = setTimeout(() => { timer = 0; read(); }, wait);
}

async function read() {
  const wanted = [...dirty];
  dirty.clear();
  isReading = true;
  lastRead = Date.now();
  try {
    const response = await fetch(location.href, { headers: { Accept: 'text/html', 'X-Live-Refresh': '1' }, cache: 'no-store' });
    if (response.redirected && new URL(response.url).pathname === '/login') location.assign(response.url);
    else if (response.ok) replace(wanted, await response.text());
  } catch {
    // Away for a moment; the stream's return marks everything anew.
  } finally {
    isReading = false;
  }
  schedule();
  if (isSettling) {
    isSettling = false;
    clearTimeout(settleTimer);
    settleTimer = setTimeout(() => { for (const id of wanted) dirty.add(id); schedule(); }, SETTLE_MS);
  }
}

function replace(ids, text) {
  const fresh = new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, 'text/html');
  for (const id of ids) {
    const old = document.getElementById(id);
    const next = fresh.getElementById(id);
    if (!old || !next) continue;
    tools.enhance(next);
    if (sameAs(old, next)) continue;
    if (isInUse(old)) { // somebody is typing there; look again later
      setTimeout(() => { dirty.add(id); schedule(); }, 2000);
      continue;
    }
    swap(old, next);
  }
}

// The hidden `attempt` of a form is another in each answer and is no change.
const fingerprint = (node) => {
  const copy = node.cloneNode(true);
  for (const input of copy.querySelectorAll('input[name=attempt]')) input.remove();
  for (const label of copy.querySelectorAll('[data-copy-label]')) label.remove(); // it may say "Copied"
  for (const details of copy.querySelectorAll('details')) details.open = false;
  for (const fresh of copy.querySelectorAll('.is-new')) fresh.classList.remove('is-new');
  for (const bare of copy.querySelectorAll('[class=""]')) bare.removeAttribute('class');
  return copy.innerHTML;
};
const sameAs = (old, next) => fingerprint(old) === fingerprint(next) && old.hidden === next.hidden
  && old.dataset.status === next.dataset.status;

function isInUse(region) {
  if (document.querySelector('dialog[open]') && region.querySelector('form')) return true;
  const active = document.activeElement;
  if (region.contains(active) && active.matches('input, select, textarea')) return true;
  return [...region.querySelectorAll('input:not([type=hidden])')].some((input) => input.value !== input.defaultValue);
}

function swap(old, next) {
  const known = new Set([...old.querySelectorAll('[data-row]')].map((row) => row.dataset.row));
  const open = [...old.querySelectorAll('details')].map((details) => details.open);
  const focused = old.contains(document.activeElement) ? pathOf(document.activeElement, old) : null;
  if (known.size) {
    for (const row of next.querySelectorAll('[data-row]')) if (!known.has(row.dataset.row)) row.classList.add('is-new');
  }
  const openRows = new Set([...old.querySelectorAll('[data-row] details[open]')].map((d) => d.closest('[data-row]').dataset.row));
  const all = [...next.querySelectorAll('details')];
  all.forEach((details, index) => {
    const row = details.closest('[data-row]');
    details.open = row ? openRows.has(row.dataset.row) : all.length === open.length && open[index];
  });
  old.replaceWith(next);
  if (focused) next.querySelector(focused)?.focus({ preventScroll: true });
}

// Where the keyboard was, so that it is there again: the same link, or the same button of the same row.
function pathOf(element, region) {
  const escape = CSS.escape;
  const row = element.closest('[data-row]');
  const inside = row && region.contains(row) ? `[data-row="${escape(row.dataset.row)}"] ` : '';
  if (element.id) return `#${escape(element.id)}`;
  if (element.dataset.testId) return `${inside}[data-test-id="${escape(element.dataset.testId)}"]`;
  if (element.getAttribute('href')) return `${inside}a[href="${escape(element.getAttribute('href'))}"]`;
  return `${inside}${element.localName}`;
}

const WORDS = { success: 'succeeded', failed: 'failed', cancelled: 'was cancelled', processed: 'went through' };

function announce(topic, data) {
  if (topic === 'payments') {
    if (data.event === 'payment.created') tools.say(`New payment of ${data.amount}`);
    else if (data.event === 'payment.captured') tools.say(`A payment of ${data.amount} was captured`);
    else if (WORDS[data.status]) tools.say(`A payment of ${data.amount} ${WORDS[data.status]}`);
  } else if (topic === 'refunds' && WORDS[data.status]) {
    tools.say(`A refund of ${data.amount} ${WORDS[data.status]}`);
  } else if (topic === 'inspections' && data.event) {
    tools.say(`Webhook ${data.event ?? ''} arrived, ${data.verified ? 'verified' : 'not verified'}`);
  } else if (topic === 'workers') {
    tools.say(data.status === 'running' ? 'The workers run again' : 'The workers have stopped');
  }
}
