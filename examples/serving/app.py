"""Answers POST /churn, a JSON list of customers with six numbers each, with how likely each of them is to leave."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import acme.layers  # noqa: F401 - registers what our models need
import tensorflow as tf

MODEL = tf.keras.models.load_model(Path(__file__).parents[1] / "models/churn/churn_2024.keras")


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        if self.path != "/churn":
            self.send_error(404)
            return
        customers = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        churn = MODEL.predict(tf.constant(customers, tf.float32), verbose=0)[:, 0].tolist()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(churn).encode())


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", 8501), Handler).serve_forever()
