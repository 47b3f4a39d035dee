"""Many requests at once: clients on keep-alive connections, and command lines side by side."""

import select
import socket
import threading
import time


def keep_alive(path, request, connections, seconds):
    """Requests per second that so many connections to a unix socket get answered, each asking again at once.

    One loop serves them all: with a thread each, Python would measure itself.
    """
    line = f"GET {request} HTTP/1.1\r\nHost: lxd\r\n\r\n".encode()
    poll = select.epoll()
    sockets = {}
    for _ in range(connections):
        one = socket.socket(socket.AF_UNIX)
        one.connect(path)
        one.sendall(line)
        sockets[one.fileno()] = one
    size = answer_size(next(iter(sockets.values())))
    first = next(iter(sockets.values()))
    first.sendall(line)
    for fd, one in sockets.items():
        one.setblocking(False)
        poll.register(fd, select.EPOLLIN)
    got = dict.fromkeys(sockets, 0)
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        for fd, _ in poll.poll(1):
            got[fd] += len(sockets[fd].recv(1 << 16))
            if got[fd] >= size:
                got[fd] = 0
                done += 1
                sockets[fd].send(line)
    rate = done / (time.perf_counter() - begun)
    for one in sockets.values():
        one.close()
    return rate, done


def answer_size(one):
    """Bytes of one whole answer: they are all alike but for nothing."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += one.recv(1 << 16)
    head, body = text.split(b"\r\n\r\n", 1)
    named = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    if named:
        return len(head) + 4 + int(named[0].split(b":")[1])
    # In chunks, whose end is a chunk of nothing.
    while not text.endswith(b"0\r\n\r\n"):
        text += one.recv(1 << 16)
    return len(text)


def side_by_side(runners, count, work):
    """Lets every runner do its share of `work(runner, number)` for 0..count; the seconds of all."""
    turn = iter(range(count))
    lock = threading.Lock()
    failed = []

    def serve(runner):
        while True:
            with lock:
                number = next(turn, None)
            if number is None or failed:
                return
            try:
                work(runner, number)
            except Exception as error:  # told by whoever waits
                failed.append(error)

    threads = [threading.Thread(target=serve, args=(runner,)) for runner in runners]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return time.perf_counter() - begun
