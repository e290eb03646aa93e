"""Starts the server and prints its ports."""

import argparse
import json
from pathlib import Path

from tests.serving_server.models import Models
from tests.serving_server.rest import make_server
from tests.serving_server.rpc import start_server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", default=[], metavar="NAME=BASE_FOLDER")
    parser.add_argument("--label", action="append", default=[], metavar="LABEL=VERSION")
    parser.add_argument("--all-versions", action="store_true", help="not the newest alone")
    parser.add_argument("--port", type=int, default=0, help="of the REST interface, 0 for any")
    parser.add_argument("--grpc-port", type=int, default=0)
    given = parser.parse_args()
    folders = {name: Path(folder) for name, folder in _pairs(given.model)}
    labels = {label: int(version) for label, version in _pairs(given.label)}
    models = Models(folders, labels, given.all_versions)
    rest = make_server(models, given.port)
    _, grpc_port = start_server(models, given.grpc_port)
    print(json.dumps({"rest": rest.server_address[1], "grpc": grpc_port}), flush=True)
    rest.serve_forever()


def _pairs(values: list[str]) -> list[tuple[str, str]]:
    return [tuple(value.split("=", 1)) for value in values]


main()
