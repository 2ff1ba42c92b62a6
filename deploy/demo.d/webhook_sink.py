"""A receiver of webhooks for the demo and the tests: checks the signature (Standard Webhooks) and
writes each call into a folder, named after its delivery id, so that a second one changes nothing.

  webhook_sink.py PORT FOLDER SECRET_FILE
"""
import base64
import hashlib
import hmac
import http.server
import os
import sys


def main():
    port, folder, secret_file = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    with open(secret_file, "rb") as f:
        secret = f.read()

    class Sink(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            name = self.headers.get("webhook-id", "")
            signed = f"{name}.{self.headers.get('webhook-timestamp', '')}.".encode() + body
            want = b"v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest())
            right = hmac.compare_digest(want, self.headers.get("webhook-signature", "").encode())
            if right and name.isalnum():
                path = os.path.join(folder, name)
                with open(path + ".part", "wb") as out:
                    out.write(body)
                os.replace(path + ".part", path + ".json")
            self.send_response(204 if right else 401)
            self.end_headers()

        def log_message(self, *args):
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Sink).serve_forever()


main()
