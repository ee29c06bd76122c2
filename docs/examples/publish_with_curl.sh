#!/bin/sh
# Sends an order over HTTP, and again while no answer comes: the same task_id never makes a second order.
#   API=http://…/v1 KEY=… sh publish_with_curl.sh < order.json
set -eu
# The key goes into a file of our own: arguments can be seen by everybody on the machine.
header=$(mktemp)
trap 'rm -f "$header"' EXIT
printf 'Authorization: Bearer %s\n' "$KEY" > "$header"
curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused --max-time 10 \
  --header "@$header" --header 'Content-Type: application/json' --header 'X-Request-ID: upstream-1' \
  --data-binary @- "$API/agents/orchestrator/tasks/start"
