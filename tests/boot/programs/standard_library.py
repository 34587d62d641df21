# SPDX-License-Identifier: GPL-2.0-only
"""Python's standard library inside an image: what it builds on extension modules and on the system."""
import asyncio
import concurrent.futures
import ctypes
import datetime
import decimal
import hashlib
import http.client
import http.server
import json
import lzma
import math
import multiprocessing
import os
import pathlib
import random
import re
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def square(number):
    return number * number


def main():
    assert json.loads(json.dumps({"a": [1, 2.5, None, "ü"]})) == {"a": [1, 2.5, None, "ü"]}
    assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf")
    assert hashlib.blake2b(b"").hexdigest().startswith("786a02f7")
    assert decimal.Decimal("0.1") * 3 == decimal.Decimal("0.3")
    assert zlib.decompress(zlib.compress(b"x" * 10000)) == b"x" * 10000
    assert lzma.decompress(lzma.compress(b"y" * 10000)) == b"y" * 10000
    assert re.fullmatch(r"(\w+)\s(\d+)", "word 42").group(2) == "42"
    assert struct.unpack("<IQ", struct.pack("<IQ", 7, 8)) == (7, 8)
    assert math.isclose(sum(math.sin(x) ** 2 + math.cos(x) ** 2 for x in range(1000)), 1000)
    assert datetime.datetime.now().year >= 2024
    assert len({random.SystemRandom().getrandbits(64) for _ in range(100)}) == 100
    assert ssl.OPENSSL_VERSION.startswith("OpenSSL 3")
    assert ctypes.CDLL(None).getpid() == os.getpid()

    with sqlite3.connect(":memory:") as data:
        data.execute("create table t(a, b)")
        data.executemany("insert into t values (?, ?)", [(i, str(i)) for i in range(1000)])
        assert data.execute("select sum(a) from t").fetchone() == (499500,)

    # Threads.
    total = []
    lock = threading.Lock()

    def add(start):
        for number in range(start, start + 100):
            with lock:
                total.append(number)

    threads = [threading.Thread(target=add, args=(i * 100,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(total) == list(range(800))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(square, range(50))) == [n * n for n in range(50)]

    # Processes.
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(square, range(20)) == [n * n for n in range(20)]
    done = subprocess.run([sys.executable, "-c", "import sys; print(sys.stdin.read().upper())"],
                          input="from a child", capture_output=True, text=True, check=True)
    assert done.stdout == "FROM A CHILD\n", done
    assert subprocess.run([sys.executable, "-c", "raise SystemExit(7)"]).returncode == 7

    # Signals, exceptions in handlers.
    def on_alarm(_number, _frame):
        raise TimeoutError

    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        time.sleep(30)
        raise AssertionError("no alarm")
    except TimeoutError:
        pass

    # A server and its client; an event loop.
    server = http.server.HTTPServer(("127.0.0.1", 0), QuietHandler)
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "page.txt").write_text("served by python\n")
        os.chdir(folder)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = http.client.HTTPConnection("127.0.0.1", server.server_port)
        client.request("GET", "/page.txt")
        assert client.getresponse().read() == b"served by python\n"
        server.shutdown()
        os.chdir("/")

    async def ping(number):
        reader, writer = await asyncio.open_unix_connection(sock=ends[number])
        writer.write(b"ping\n")
        return await reader.readline()

    ends = socket.socketpair()

    async def both():
        return await asyncio.gather(ping(0), ping(1))

    assert asyncio.run(both()) == [b"ping\n", b"ping\n"]
    print("python ran everything as it should", sys.version.split()[0])


if __name__ == "__main__":
    main()
