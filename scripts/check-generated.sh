#!/usr/bin/env bash
# Generates everything anew, and fails if that changed a file: what is generated is then older than its source.
set -euo pipefail
state() {
  git diff
  git ls-files -z --others --exclude-standard | xargs -0 -r sha256sum
}
before=$(state)
make generate
if [ "$(state)" != "$before" ]; then
  git status --short
  echo "Generated files were older than their sources. They are up to date now: commit them." >&2
  exit 1
fi
