"""Load many small files, one after the other in one process: `python lab_load_parts.py PROBE ACCOUNT LIST`.

PROBE is the folder of loadgate's own probe, whose loaders are called; LIST holds a loader and a path a line. A line in
ACCOUNT before each load and one after it, so that whoever started this knows what ended the process.
"""

import json
import os
import signal
import sys

import tensorflow as tf
from lab_sweep import import_probe

SECONDS = 20
"""For one load; some versions loop for ever over some files."""


class TooLong(BaseException):
    """Its time was up."""


def give_up(_number, _frame):
    raise TooLong("not done within %d seconds" % SECONDS)


def name_of(error):
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__name__


def chain_of(error):
    chain = []
    behind = error.__cause__ or error.__context__
    while behind is not None and len(chain) < 5:
        chain.append("%s: %s" % (name_of(behind), str(behind)[:600]))
        behind = behind.__cause__ or behind.__context__
    return chain


def failure(load, path):
    try:
        load(path, print)
    except (Exception, TooLong) as error:
        message = str(error)
        if len(message) > 1200:
            message = message[:600] + " ... " + message[-600:]
        return {"type": name_of(error), "message": message, "chain": chain_of(error)}
    return None


def main(probe, account, wanted):
    loaders = import_probe(probe)[3]
    signal.signal(signal.SIGALRM, give_up)
    with open(account, "a") as stream:

        def tell(**line):
            stream.write(json.dumps(line) + "\n")
            stream.flush()

        for line in wanted:
            loader, path = line.split("\t")
            tf.compat.v1.reset_default_graph()
            tf.keras.backend.clear_session()
            tell(begin=path, loader=loader)
            signal.alarm(SECONDS)
            exception = failure(loaders.LOADERS[loader], path)
            signal.alarm(0)
            tell(end=path, loader=loader, exception=exception)


if __name__ == "__main__":
    with open(sys.argv[3]) as listing:
        main(sys.argv[1], sys.argv[2], listing.read().split("\n"))
    sys.stdout.flush()
    os._exit(0)
