#!/bin/sh
# Asks a source of advisories about each locked package:
#   sh deploy/audit.sh pip-audit [further options of pip-audit, as --vulnerability-service osv]
# Exit 0: nothing is known against them; 1: something is, and is shown; 3: no source answered for every package.
set -eu
cd "$(dirname "$0")/.."
command="$1"
shift
report="$(mktemp)"
trap 'rm -f "$report"' EXIT
status=0
# Strict: a source that does not know a package has said nothing about it, and must not pass for good news.
"$command" --strict --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off \
  --format markdown --output "$report" "$@" || status=$?
cat "$report"
if [ "$status" -ne 0 ] && [ ! -s "$report" ]; then
  echo "audit: no source of advisories answered for every locked package, so nothing is known (is there a way out?)" >&2
  exit 3
fi
exit "$status"
