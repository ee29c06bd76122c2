#!/bin/sh
# Publishes an order as an entry of the Redis Stream, with redis-cli (or valkey-cli):
#   BROKER_URL=redis://… sh publish_with_xadd.sh < order.json
set -eu
# redis-cli wants the user named who is meant when an address names none.
url=$(printf '%s' "$BROKER_URL" | sed 's|^\(rediss*://\):|\1default:|')
exec redis-cli -u "$url" --no-auth-warning -e -x XADD task.created '*' payload
