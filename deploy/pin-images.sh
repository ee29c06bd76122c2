#!/bin/sh
# Names the base images of deploy/Dockerfile and docker-compose.yml by digest, so that a tag that moves changes nothing.
#   sh deploy/pin-images.sh --check   lists the images without a digest; exit 1 where there is one
#   sh deploy/pin-images.sh           asks their registries for the digests (needs docker with buildx) and writes them
# A digest that is there is kept: take it away, or change the tag, and run this again for a newer image.
set -eu
cd "$(dirname "$0")/.."
files="deploy/Dockerfile docker-compose.yml"

without() {
  sed -nE 's/^(FROM|[[:space:]]+image:)[[:space:]]+([^[:space:]$@]+)([[:space:]].*)?$/\2/p' $files | sort -u
}

if [ "${1:-}" = --check ]; then
  [ -z "$(without)" ] && exit 0
  without
  exit 1
fi

for image in $(without); do
  digest="$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image")" || {
    echo "$image: its registry gave no digest; what was written before stays" >&2
    exit 3
  }
  printf '%s\n' "$digest" | grep -qxE 'sha256:[0-9a-f]{64}' || {
    echo "$image: '$digest' is no digest" >&2
    exit 3
  }
  for file in $files; do
    sed -E "s#^((FROM|[[:space:]]+image:)[[:space:]]+)($(printf '%s' "$image" | sed 's/[.]/[.]/g'))([[:space:]].*)?\$#\1\3@$digest\4#" "$file" >"$file.pinned"
    cat "$file.pinned" >"$file"
    rm "$file.pinned"
  done
  echo "$image@$digest"
done
