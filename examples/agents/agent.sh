#!/bin/sh
# An outside agent with curl, and jq where it is: the same variables as agent.py.
set -eu
files=$(mktemp -d) && trap 'rm -rf "$files"' EXIT

call() {
  curl -sS -m 60 -H "Authorization: Bearer $UNPEND_API_KEY" -H 'Content-Type: application/json' -d "$2" "$UNPEND_API$1"
}
field() { # the first field of this name in the answer
  if command -v jq >/dev/null; then
    jq -r --arg name "$1" '(.steps[0] // {})[$name] // .[$name] // empty' "$2"
  else
    grep -o "\"$1\":\"\{0,1\}[^\",}]*" "$2" | head -n 1 | sed 's/^[^:]*:"\{0,1\}//'
  fi
}
finished() { # wait for a process; a signal is answered meanwhile, and ends no wait
  while :; do
    wait "$1" && return 0 || ended=$?
    kill -0 "$1" 2>/dev/null || return "$ended"
  done
}
heartbeats() { # as long as this script lives; work that is cancelled, or lost, nobody waits for
  while sleep "$3" && kill -0 $$; do
    call "/steps/$1/heartbeat" "{\"lease_id\": \"$2\"}" | grep -q '"cancelled":false' || kill "$4"
  done
}

call /agents/register "{\"agent_id\": \"$AGENT_ID\", \"capabilities\": [\"$(echo "$CAPABILITIES" | sed 's/ /", "/g')\"]}" >/dev/null
trap 'call "/agents/$AGENT_ID/drain" "{}" >/dev/null' TERM
while :; do
  call "/agents/$AGENT_ID/poll" '{"wait_seconds": 25}' >"$files/given" & finished $!
  case $(field status "$files/given") in active | busy) ;; *) exit 0 ;; esac
  step=$(field step_id "$files/given") lease=$(field lease_id "$files/given")
  [ -n "$step" ] || continue
  seconds=$(field lease_seconds "$files/given")
  sh -c "$WORK" <"$files/given" >"$files/output" & work=$!
  heartbeats "$step" "$lease" $((${seconds%.*} / 3 + 1)) "$work" >/dev/null 2>&1 & beats=$!
  if finished "$work"; then
    call "/steps/$step/complete" "{\"lease_id\": \"$lease\", \"output\": $(cat "$files/output")}" >/dev/null
  else
    call "/steps/$step/fail" "{\"lease_id\": \"$lease\", \"code\": \"work_failed\", \"retry\": true}" >/dev/null
  fi
  kill "$beats" 2>/dev/null || true
done
