#!/bin/sh
# Texts and files through `scrubjay serve`, with nothing but curl.
#   SCRUBJAY_API_KEY=sjk_... sh examples/curl.sh
set -eu
url=${SCRUBJAY_URL:-http://127.0.0.1:8600}

# The key is in a file of ours alone: what stands among a command's arguments, everybody can read.
umask 077
config=$(mktemp)
trap 'rm -f "$config"' EXIT
printf 'header = "Authorization: Bearer %s"\n' "$SCRUBJAY_API_KEY" >"$config"

ask() {
    path=$1
    shift
    curl --silent --show-error --fail-with-body --config "$config" --data-binary @- "$@" "$url$path"
    echo
}

echo '{"text": "Call Dr. Ann Lee at 555-010-7788", "id": "note 1"}' | ask /v1/anonymize

printf '%s\n' '{"text": "SSN 536-90-4399"}' '{"text": "seen 2024-03-04"}' | ask /v1/batch

printf 'name,phone\nAnn Lee,555-010-7788\n' | ask '/v1/files?name=people.csv'
