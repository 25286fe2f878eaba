#!/usr/bin/env bash
# Runs every fuzz target of the module for a moment: FUZZTIME each, 30s unless told. FUZZ chooses targets by a regular
# expression. What a run finds interesting stays in Go's cache, so that the next run goes on from there. Stops at the
# first crash, and says how to see it again.
set -uo pipefail
fuzztime=${FUZZTIME:-30s}
chosen=${FUZZ:-.}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Go lists what it compiles, so no target can be forgotten; the search only saves compiling the packages without any.
mapfile -t packages < <(grep -rlE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz' . | xargs -r -n1 dirname | sort -u)
total=0
for package in "${packages[@]}"; do
  if ! listed=$(go test -list '^Fuzz' "$package" 2>&1); then
    echo "$listed" >&2
    exit 1
  fi
  mapfile -t targets < <(grep -E '^Fuzz' <<<"$listed" | grep -E -- "$chosen")
  for target in "${targets[@]}"; do
    # Go may spend a minute on making one interesting input shorter; here the time is for finding.
    if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" -fuzzminimizetime 2s "$package" >"$log" 2>&1; then
      cat "$log" >&2
      printf '\n%s in %s failed. What is written above names the input, if one was found, and how to try it again;\n' "$target" "$package" >&2
      printf "else: go test -run '^\$' -fuzz '^%s\$' %s\n" "$target" "$package" >&2
      exit 1
    fi
    total=$((total + 1))
    # fuzz: elapsed: 30s, execs: 1234 (41/sec), new interesting: 5 (total: 60). It is missing when the time was too short
    # to read what is known.
    last=$(grep -E '^fuzz: elapsed: .*execs:' "$log" | tail -n 1)
    number() { sed -nE "s/.*$1: ([0-9]+).*/\1/p" <<<"$last"; }
    executions=$(number execs) new=$(number 'new interesting') known=$(number total)
    printf '%-28s %-26s %10s executions, %4s new interesting, %4s known\n' \
      "$target" "${package#./}" "${executions:-0}" "${new:-0}" "${known:-?}"
  done
done
if [ "$total" -eq 0 ]; then
  echo "no fuzz target fits $chosen" >&2
  exit 1
fi
echo "$total fuzz targets, $fuzztime each: nothing found"
