#!/bin/sh
# Starts nginx in its container and reloads it whenever a service's addresses change: nginx resolves the
# names of its upstreams only when it reads its configuration, and replicas come and go.
set -eu
addresses() {
    # shellcheck disable=SC2086  # three host names, split on purpose
    for host in $hosts; do getent ahostsv4 "$host" | cut -d ' ' -f 1 | sort -u; done
}
hosts=$(printf '%s %s %s' "$PAYMENTS_API_SERVERS" "$REFUNDS_SERVERS" "$WEBHOOKS_SERVERS" |
    tr ' ' '\n' | grep ':' | cut -d ':' -f 1)
(
    known=$(addresses)
    while sleep 2; do
        # A name that is gone for a moment is no reason to reload: nginx would refuse the configuration.
        found=$(addresses)
        if [ -n "$found" ] && [ "$found" != "$known" ]; then
            nginx -s reload > /dev/null 2>&1 && known=$found
        fi
    done
) &
entrypoint=$(command -v docker-entrypoint.sh || echo /docker-entrypoint.sh)
exec "$entrypoint" nginx -g 'daemon off;'
