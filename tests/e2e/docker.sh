#!/usr/bin/env bash
# Stands before docker in PATH. Does what it is asked, and keeps of every container that is run what it was asked for
# and what `docker inspect` says of it before it starts: a file in $LOADGATE_CONTAINERS for each.
set -euo pipefail

docker=$LOADGATE_DOCKER
if [[ ${1-} != run ]]; then exec "$docker" "$@"; fi
shift
attach=(--attach)
options=()
for argument in "$@"; do
  if [[ $argument == --detach ]]; then attach=(); else options+=("$argument"); fi
done
id=$("$docker" create "${options[@]}")
file=$(mktemp "$LOADGATE_CONTAINERS/XXXXXX")
"$docker" inspect "$id" >"$file.inspect"
printf '%s\0' "${options[@]}" >"$file.arguments"
rm "$file"
exec "$docker" start "${attach[@]}" "$id"
