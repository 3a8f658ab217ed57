/** What the SDK adds to a merchant's page. */
interface Window {
  PaymentGateway?: unknown;
}
