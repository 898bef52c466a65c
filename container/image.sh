#!/usr/bin/env bash
# Prints `image=ID` of the image of loadgate that the action runs, which it pulls or builds where it is not there.
#   image.sh [IMAGE]      IMAGE is used as it is, and its absence is an error
# A released action has a file container/image, which names the image of its version by digest. Where that cannot be
# had, as in a fork or on a server without a way out, and where there is no such file, the image is built from here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "$*" >&2; }
# Docker prints an empty line for an image that is not there.
id_of() { docker image inspect --format '{{.Id}}' "$1" 2>/dev/null | grep .; }

# One that is named by its digest is the same wherever it came from; a tag may have moved since it was pulled.
pulled() {
  [[ $1 == *@sha256:* ]] && id_of "$1" && return
  docker pull --quiet "$1" >&2 || say "$1 could not be pulled"
  id_of "$1"
}

# Named by what it is built from, so that a self-hosted runner builds each once.
built() {
  local tag
  tag=loadgate-action:$(find Dockerfile .dockerignore container pyproject.toml README.md LICENSE src -type f \
    -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-32)
  id_of "$tag" && return
  say "building the image from $PWD"
  docker build --quiet --tag "$tag" . >&2
  id_of "$tag"
}

wanted=${1-}
if [[ -n $wanted ]]; then
  image=$(pulled "$wanted") || { say "::error title=loadgate::image: $wanted cannot be had"; exit 2; }
elif [[ -s container/image ]] && image=$(pulled "$(<container/image)"); then
  :
else
  [[ ! -s container/image ]] || say "$(<container/image) cannot be had, so it is built here"
  image=$(built)
fi
echo "image=$image"
