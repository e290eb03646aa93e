"""Servers that give the answers they are told to, whatever they are asked."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc


@contextlib.contextmanager
def rest_server(*answers):
    """An HTTP server that gives these answers, one after another, and counts the questions.

    An answer is a status, a text and perhaps headers; "hang up"; or "wait" until the server ends.
    """
    asked, over = [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.path)
            answer = answers[len(asked) - 1]
            if answer == "wait":
                over.wait()
            if isinstance(answer, str):
                self.connection.close()
                return
            self.send_response(answer[0])
            for name, value in dict(*answer[2:]).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer[1].encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

        def finish(self):
            with contextlib.suppress(OSError, ValueError):
                super().finish()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def grpc_server(**answers):
    """A gRPC server of the prediction service that gives these answers, one after another.

    Args:
        answers: by method, a list of messages, or of codes and texts of errors.
    """

    def handler(left):
        def answer(_, context):
            found = left.pop(0)
            if isinstance(found, tuple):
                context.abort(*found)
            return found

        return grpc.unary_unary_rpc_method_handler(
            answer, response_serializer=lambda message: message.SerializeToString()
        )

    server = grpc.server(ThreadPoolExecutor(1))
    methods = {name: handler([*found]) for name, found in answers.items()}
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", methods)]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
