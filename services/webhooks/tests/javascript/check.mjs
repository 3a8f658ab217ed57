// Reads webhooks as lines of JSON {secret, headers, body} and writes one line of JSON per webhook:
// {same, hex, standard}: whether JSON.stringify(JSON.parse(body)) gives the body back, whether X-Webhook-Signature
// verifies over that re-serialised text, and whether the standardwebhooks package accepts it (null without the package).
import { createHmac, timingSafeEqual } from "node:crypto";
import { createInterface } from "node:readline";

const Webhook = await import("standardwebhooks").then((found) => found.Webhook, () => null);

function hexMatches(secret, signature, text) {
  const expected = createHmac("sha256", secret).update(text).digest("hex");
  return signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

function standardAccepts({ secret, headers, body }) {
  if (Webhook === null) return null;
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const webhook = JSON.parse(line);
  const again = JSON.stringify(JSON.parse(webhook.body));
  const answer = {
    same: again === webhook.body,
    hex: hexMatches(webhook.secret, webhook.headers["x-webhook-signature"], again),
    standard: standardAccepts(webhook),
  };
  process.stdout.write(JSON.stringify(answer) + "\n");
}
