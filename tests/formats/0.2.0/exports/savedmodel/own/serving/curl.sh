#!/bin/sh
# Send requests to own over REST, with curl:
#
#     sh curl.sh
#     HOST=http://server:8501 sh curl.sh
#
# predict.json and classify.json are the requests.
set -eu

HOST=${HOST:-http://localhost:8501}
MODEL=$HOST/v1/models/own
HERE=$(dirname "$0")

ask() {
    curl --silent --show-error --fail-with-body --header 'Content-Type: application/json' "$@"
    echo
}

echo '# Loaded versions:'
ask "$MODEL"
echo '# Signatures, with dtypes and shapes:'
ask "$MODEL/metadata"
echo '# Outputs of serving_default:'
ask --data-binary "@$HERE/predict.json" "$MODEL:predict"
echo '# Outputs of classify:'
ask --data-binary "@$HERE/classify.json" "$MODEL:classify"

# Send your own file. JSON has no bytes, so the file is sent as base64, without line breaks.
echo '# Outputs of serving_default for an image (sh curl.sh IMAGE):'
encoded=$(base64 < "${1:-$HERE/example.png}")
printf '{"instances": [{"image_bytes": {"b64": "%s"}}]}' "$(echo "$encoded" | tr -d '\n')" |
    ask --data-binary @- "$MODEL:predict"
