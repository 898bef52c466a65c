#!/usr/bin/env bash
# A runtime that is a container image: what it is, and a place in which models are loaded in it. Run where Docker is;
# what runs in the image never sees Docker.
#
#   image.sh describe FOLDER PROBE                    pull FOLDER/image, find its Python, ask it what it is
#   image.sh open FOLDER PROBE REPOSITORY [--gpus all]    start FOLDER/id, with a probe's door at FOLDER/door/probe
#   image.sh close FOLDER                             end what `open` started
#
# FOLDER/image and FOLDER/env are written before, by whoever read the plan. `describe` writes FOLDER/id, FOLDER/python,
# FOLDER/answer/report.json, how that ended (FOLDER/status), and what was said on the way (FOLDER/errors). Where it
# comes to nothing some of them are missing, and it succeeds all the same.
# LOADGATE_USER and LOADGATE_MEMORY are the user in there (nobody, if not said) and what it may take.
set -euo pipefail

verb=$1 folder=$2
shift 2

# Two folders are open to the inside, the answer's and the door's: to whichever user an engine makes of the one in there.
# So FOLDER has to lie where no other user of this machine can pass; for a mount they need not. What decides which
# container is ended is in neither.
describe() {
  local probe=$1 image python status
  rm -rf "$folder"/{id,python,status,answer}
  install -d -m 777 "$folder/answer"
  image=$(<"$folder/image")
  # no option and no path: what a spec may name is checked where it is read, and here once more
  [[ $image =~ ^[A-Za-z0-9][A-Za-z0-9._:/@-]*$ ]] || { echo 'this is no name of an image' >"$folder/errors"; return; }
  if ! docker image inspect "$image" >/dev/null 2>&1; then
    docker pull --quiet "$image" >/dev/null 2>"$folder/errors" || return 0
  fi
  docker image inspect --format '{{.Id}}' "$image" >"$folder/id"
  for python in python3 python; do
    status=0
    walled --rm "$(<"$folder/id")" "$python" "$probe" describe.py \
      --mount "type=bind,src=$folder/answer,dst=/loadgate/answer" --env-file "$folder/env" \
      -- /loadgate/answer/report.json >/dev/null 2>"$folder/errors" || status=$?
    # 125 is Docker's own, 126 and 127 come of a program that is not there
    ((status < 125 || status > 127)) || continue
    echo "$python" >"$folder/python"
    echo "$status" >"$folder/status"
    ! grep -q '"tensorflow": *"' "$folder/answer/report.json" 2>/dev/null || return 0
  done
}

open() {
  local probe=$1 repository=$2
  shift 2
  install -d -m 777 "$folder/door"
  rm -f "$folder/container" "$folder/door/probe"
  # a listener that a model has killed is started again, with nothing of what was there
  walled --detach --restart on-failure:3 --cidfile "$folder/container" \
    "$(<"$folder/id")" "$(<"$folder/python")" "$probe" __main__.py \
    --mount "type=bind,src=$repository,dst=/repository,readonly" \
    --mount "type=bind,src=$folder/door,dst=/loadgate/door" "$@" \
    -- --listen /loadgate/door/probe >/dev/null
}

close() {
  [[ -s $folder/container ]] || return 0
  docker rm --force "$(<"$folder/container")" >/dev/null
  rm -f "$folder/container"
}

# walled HOW... IMAGE PYTHON PROBE PROGRAM OPTION... -- ARGUMENT...: HOW are options until the first that is an image ID
walled() {
  local how=() options=()
  while [[ $1 != sha256:* ]]; do how+=("$1"); shift; done
  local image=$1 python=$2 probe=$3 program=$4 memory
  shift 4
  while [[ $1 != -- ]]; do options+=("$1"); shift; done
  shift
  memory=${LOADGATE_MEMORY:-$(awk '/^MemTotal:/ { printf "%dk", $2 * 0.9 }' /proc/meminfo)}
  docker run "${how[@]}" --init --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
    --user "${LOADGATE_USER:-65532:65532}" --pids-limit 4096 --memory "$memory" --memory-swap "$memory" \
    --tmpfs /tmp:rw,nosuid,nodev,noexec,mode=1777 --workdir /tmp \
    --env HOME=/tmp --env USER=loadgate --env PYTHONDONTWRITEBYTECODE=1 \
    --mount "type=bind,src=$probe,dst=/loadgate/probe,readonly" "${options[@]}" \
    --entrypoint "$python" "$image" "/loadgate/probe/$program" "$@"
}

"$verb" "$@"
