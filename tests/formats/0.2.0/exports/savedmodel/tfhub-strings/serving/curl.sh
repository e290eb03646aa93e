#!/bin/sh
# Send requests to tfhub-strings over REST, with curl:
#
#     sh curl.sh
#     HOST=http://server:8501 sh curl.sh
#
# predict.json and regress.json are the requests.
set -eu

HOST=${HOST:-http://localhost:8501}
MODEL=$HOST/v1/models/tfhub-strings
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
echo '# Outputs of regress:'
ask --data-binary "@$HERE/regress.json" "$MODEL:regress"
