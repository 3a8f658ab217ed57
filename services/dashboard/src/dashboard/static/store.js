// Buy Now: an order from our server, then the SDK as any shop would use it.
const token = document.querySelector('meta[name=csrf-token]').content;
const problem = document.getElementById('store-error');

function complain(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

// The purchase is part of the address: the page shows it, live, and a reload shows it again.
function show(paymentId) {
  if (!paymentId) return;
  const url = new URL(location.href);
  url.searchParams.set('payment', paymentId);
  history.replaceState(null, '', url);
  document.dispatchEvent(new Event('live:changed'));
}

async function buy(product) {
  const response = await fetch('/dashboard/store/orders', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRF-Token': token },
    body: JSON.stringify({ product }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.description ?? 'The order could not be made');
  if (!window.PaymentGateway) throw new Error('The checkout did not load. Is it running?');
  new window.PaymentGateway({
    key: answer.key,
    orderId: answer.order_id,
    onSuccess: (result) => show(result.paymentId),
    onFailure: (failure) => show(failure.paymentId),
  }).open();
}

document.addEventListener('click', async (event) => {
  const button = event.target instanceof Element ? event.target.closest('[data-buy]') : null;
  if (!button || button.getAttribute('aria-busy')) return;
  complain('');
  button.setAttribute('aria-busy', 'true');
  try {
    await buy(button.dataset.buy);
  } catch (error) {
    complain(error.message);
  } finally {
    button.removeAttribute('aria-busy');
  }
});
