#!/bin/sh
# Brings docker-compose.yml up from nothing and checks it from outside, as a person would:
#   tests/compose/check.sh [--keep]        --keep leaves it running
# Needs docker with compose v2, curl and python3. Uses the ports of the compose file, which GATEWAY_PORT,
# DASHBOARD_PORT, CHECKOUT_PORT, POSTGRES_PORT … move, and a project of its own: data of another are not touched.
set -eu
cd "$(dirname "$0")/../.."
export COMPOSE_PROJECT_NAME=payment-gateway-check
keep=${1:-}
step() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    docker compose ps -a >&2
    exit 1
}
finish() {
    status=$?
    if [ "$keep" != --keep ]; then docker compose down --volumes --timeout 5 > /dev/null 2>&1 || true; fi
    [ $status = 0 ] && printf '\nAll checks passed.\n'
    exit $status
}
trap finish EXIT

json() { # expression over the document on standard input, called `d`
    python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"
}
eventually() { # seconds, description, command…
    limit=$1 what=$2
    shift 2
    end=$(($(date +%s) + limit))
    until "$@" > /dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || fail "$what (waited $limit s)"
        sleep 1
    done
    echo "ok: $what"
}
all_healthy() { # every container is healthy or has ended well
    docker compose ps -a --format json | python3 -c '
import json, sys
rows = []
for line in sys.stdin:
    found = json.loads(line)
    rows += found if isinstance(found, list) else [found]
bad = [r["Name"] for r in rows if r["Health"] != "healthy" and not (r["State"] == "exited" and r["ExitCode"] == 0)]
sys.exit(not rows or bool(bad))'
}
count() { docker compose ps -q "$1" | wc -l; }

origin=http://localhost:${GATEWAY_PORT:-8000}
api=$origin/api/v1
checkout=http://localhost:${CHECKOUT_PORT:-3001}
dashboard=http://localhost:${DASHBOARD_PORT:-3000}
call() { curl -sS --max-time 20 -H "X-Api-Key: key_test_abc123" -H "X-Api-Secret: secret_test_xyz789" -H "Content-Type: application/json" "$@"; }

step "build and start"
docker compose up -d --build
eventually 120 "all containers are healthy" all_healthy

step "the documented calls"
is_well() { [ "$(curl -sS "$origin/health" | json 'set(d.values()) - {d["timestamp"]} == {"healthy", "connected", "running"}')" = True ]; }
eventually 15 "everything says it is connected and running" is_well
pay() { # body, further curl arguments…
    body=$1
    shift
    created=$(call -X POST "$api/payments" "$@" -d "$body")
    id=$(printf '%s' "$created" | json 'd["id"]') || fail "POST /payments: $created"
    is_success() { [ "$(call "$api/payments/$id" | json 'd["status"]')" = success ]; }
    eventually 30 "$id is paid" is_success
}
pay '{"order_id":"order_test_123","method":"upi","vpa":"user@paytm"}' -H "Idempotency-Key: unique_123"
pay '{"order_id":"order_test_123","method":"upi","vpa":"user@paytm"}'
pay '{"amount":1000,"currency":"INR","method":"card","order_id":"order_12345","vpa":"test@upi"}'
pay '{"amount":50000,"currency":"INR","method":"upi","order_id":"ord_test_001","vpa":"test@upi"}'
[ "$(curl -sS $api/test/jobs/status | json 'd["worker_status"]')" = running ] || fail "GET /test/jobs/status"
for page in "$checkout/checkout.js" "$checkout/checkout?order_id=order_test_123" "$dashboard/login"; do
    [ "$(curl -sS -o /dev/null -w '%{http_code}' "$page")" = 200 ] || fail "$page"
done

step "a webhook reaches the receiver, signed"
receiver() { docker compose exec -T receiver python -c 'import sys, urllib.request as u; r = u.Request("http://127.0.0.1:8090" + sys.argv[1], data=sys.argv[2].encode() if len(sys.argv) > 2 else None, headers={"Content-Type": "application/json"}); print(u.urlopen(r).read().decode())' "$@"; }
secret=$(call -X PUT "$api/webhooks/config" -d '{"webhook_url":"http://receiver:8090/hooks/check"}' | json 'd["webhook_secret"]')
receiver /_control/secrets "{\"secret\":\"$secret\"}" > /dev/null
pay '{"order_id":"order_test_123","method":"upi","vpa":"success@upi"}'
arrived() { receiver /_control/received | python3 -c "
import json, sys
got = [i for i in json.load(sys.stdin)['data'] if '$id' in i['body'] and '\"payment.success\"' in i['body']]
sys.exit(not (got and got[0]['verified']))"; }
eventually 30 "the webhook of $id is verified" arrived
call -X PUT "$api/webhooks/config" -d '{"webhook_url":null}' > /dev/null

step "scaling"
docker compose up -d --scale processor=3 --scale webhooks-worker=2 --scale payments-api-web=2
eventually 60 "all copies are healthy" all_healthy
[ "$(count processor) $(count webhooks-worker) $(count payments-api-web)" = "3 2 2" ] || fail "the number of copies"
pay '{"order_id":"order_test_123","method":"upi","vpa":"success@upi"}'

step "least privilege"
for service in payments-api-web payments-api-worker processor refunds-web refunds-worker webhooks-web webhooks-worker checkout-cdn dashboard; do
    [ "$(docker compose exec -T --index 1 "$service" id -u)" = 10001 ] || fail "$service runs as root"
    if docker compose exec -T --index 1 "$service" touch /app/x 2> /dev/null; then fail "$service can write to its image"; fi
    caps=$(docker compose exec -T --index 1 "$service" sh -c 'grep CapEff /proc/self/status | cut -f 2')
    [ "$caps" = 0000000000000000 ] || fail "$service has capabilities $caps"
done
echo "ok: services are not root, cannot write their files, and have no capabilities"
[ "$(curl -sS -o /dev/null -w '%{http_code}' $origin/metrics)" = 404 ] || fail "/metrics is public"
