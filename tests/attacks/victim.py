"""A process of the test's own, with a secret in every place where a process may have one. It says where, then waits."""

import ctypes
import json
import os
import sys
import time

secret = os.environ["VICTIM_SECRET"].encode()
buffer = ctypes.create_string_buffer(secret, 4096)
descriptor = os.open(sys.argv[2], os.O_RDONLY)
os.write(1, json.dumps({"address": ctypes.addressof(buffer), "descriptor": descriptor}).encode() + b"\n")
time.sleep(600)
