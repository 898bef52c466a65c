"""Make many loads in one runtime, quickly: `python lab_sweep.py PROBE REQUEST ANSWERS`.

TensorFlow is imported once; each fork of that makes one group of loads, one after the other, and says of each how it
began and how it ended. What ends its process, or takes too long, is only named here: it is then loaded alone. The calls
themselves are those of loadgate's own probe, in the folder PROBE.
"""

import gc
import importlib
import importlib.util
import json
import os
import signal
import sys
import time

POLL_SECONDS = 0.1
COLLECT_EVERY = 8
"""Loads after which garbage is collected; collecting after each would take longer than the loads."""


def import_probe(folder):
    spec = importlib.util.spec_from_file_location(
        "loadgate_probe", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["loadgate_probe"] = package
    spec.loader.exec_module(package)
    names = ("child", "inference", "kernel", "loaders", "runtime", "warm")
    return [importlib.import_module("loadgate_probe." + name) for name in names]


class Answers:
    def __init__(self, path):
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(self, **line):
        os.write(self.descriptor, json.dumps(line).encode("ascii") + b"\n")


def stage(child, action):
    """How one stage ended, and what it gave."""
    try:
        return {"reason": None}, action()
    except BaseException as error:
        return {"reason": child.reason_of(error), "exception": child.exception_details(error)}, None


def one_load(probe, item, answers):
    child, inference, _kernel, loaders, _runtime, _warm = probe
    answers.tell(begin=item["name"], computed=time.process_time())
    api = [""]

    def called(name):
        api[0] = name

    begun = time.time()
    load, loaded = stage(child, lambda: loaders.LOADERS[item["loader"]](item["path"], called))
    answer = {"name": item["name"], "load": load, "api": api[0], "seconds": time.time() - begun}
    if load["reason"] is None:
        answer["infer"] = stage(child, lambda: inference.run(item["loader"], loaded, "cpu", called))[0]
        if item["loader"] == "keras":
            compiled = stage(child, lambda: loaders.compiled("keras", item["path"], called))[0]
            if compiled["reason"] != "nothing_to_run":
                answer["compile"] = compiled
    answers.tell(**answer)


def one_group(probe, items, timeout, answers):
    import tensorflow as tf

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    for number, item in enumerate(items, start=1):
        # ends the process, also where it never comes back to Python
        signal.alarm(timeout)
        one_load(probe, item, answers)
        signal.alarm(0)
        tf.keras.backend.clear_session()
        if number % COLLECT_EVERY == 0:
            gc.collect()


class Group:
    """The loads of one process."""

    def __init__(self, items):
        self.items = items
        self.process = 0

    def start(self, probe, timeout, answers):
        parent = os.getpid()
        self.process = os.fork()
        if self.process == 0:
            status = 70
            try:
                os.setsid()
                probe[2].die_with_parent(parent)
                one_group(probe, self.items, timeout, answers)
                status = 0
            finally:
                os._exit(status)


def begun_in(path):
    """Of each load, whether it has ended, and what its process had computed before it."""
    seen = {}
    with open(path) as stream:
        for line in stream:
            if line.endswith("\n"):
                answer = json.loads(line)
                if "begin" in answer:
                    seen[answer["begin"]] = (False, answer["computed"])
                elif "name" in answer:
                    seen[answer["name"]] = (True, 0.0)
    return seen


def sweep(probe, request, path):
    answers = Answers(path)
    waiting = [Group(items) for items in request["groups"]]
    running = {}
    while waiting or running:
        while waiting and len(running) < request["workers"]:
            group = waiting.pop(0)
            group.start(probe, request["timeout"], answers)
            running[group.process] = group
        try:
            process, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            process = 0
        if process:
            group = running.pop(process)
            if status:
                computed = usage.ru_utime + usage.ru_stime
                waiting.insert(0, Group(after_the_culprit(group, path, answers, status, computed)))
            continue
        for process in running:
            if probe[2].resident(process)[0] > request["memory"]:
                probe[2].kill([process])
        time.sleep(POLL_SECONDS)


def after_the_culprit(group, path, answers, status, computed):
    """What is left of a group whose process has ended; the load that ended it is named, and why is not judged here."""
    seen = begun_in(path)
    left = [item for item in group.items if not seen.get(item["name"], (False, 0.0))[0]]
    for item in left:
        if item["name"] in seen:
            was_slow = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
            before = seen[item["name"]][1]
            answers.tell(suspect=item["name"], computed=computed - before if was_slow else 0.0)
    return [item for item in left if item["name"] not in seen]


def main(folder, request_path, path):
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry != here]
    with open(request_path) as stream:
        request = json.load(stream)
    probe = import_probe(folder)
    _child, _inference, kernel, _loaders, runtime, warm = probe
    gc.disable()
    runtime.prepare({"paths": [], "imports": []})
    warm.up()
    runtime.prepare(request)
    if runtime.has_eager_context():
        raise SystemExit("this process cannot be forked: an op has run in it")
    gc.collect()
    gc.freeze()
    kernel.tidy_heap()
    sweep(probe, request, path)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
