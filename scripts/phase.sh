#!/usr/bin/env bash
# Runs one phase of a make target between two lines that name it and say how long it took.
# usage: phase.sh NAME COMMAND [ARGUMENT…]
set -uo pipefail
name=$1
shift
echo "== $name"
"$@"
code=$?
if [ "$code" -eq 0 ]; then
  echo "== $name: ${SECONDS} s"
else
  echo "== $name: failed after ${SECONDS} s" >&2
fi
exit "$code"
