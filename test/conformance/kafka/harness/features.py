"""Runs features one after another, and tells what became of each in a line of JSON."""

import json
import sys
import threading
import time
import traceback

LIMIT_SECONDS = 60
# An hour ago: old enough to tell apart from the clock, young enough for every retention.
BASE_TIME = int(time.time() * 1000) - 3_600_000

job = json.loads(sys.argv[1])
server = job["server"]


class Unsupported(Exception):
    """What the client itself cannot do."""


def topic_name(name):
    return f"{job['prefix']}-{name}"


def emit(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def run_feature(name, body):
    outcome = {"ok": False, "detail": f"no end within {LIMIT_SECONDS} s"}

    def attempt():
        try:
            body()
            outcome.update(ok=True, detail="")
        except Unsupported as error:
            outcome.update(ok="unsupported", detail=str(error))
        except BaseException as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [str(frame.lineno) for frame in frames if "/conformance/" in frame.filename]
            outcome["detail"] = f"{type(error).__name__}: {str(error)[:600]} at lines {', '.join(lines)}"

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(LIMIT_SECONDS)
    emit({"feature": name, **outcome})


class Restart:
    """Asks for a restart of the server."""

    def __init__(self):
        self.is_over = False
        emit({"event": "restart"})
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self):
        equal(sys.stdin.readline(), "restarted\n", "the answer")
        self.is_over = True


def require_restart():
    if not job["canRestart"]:
        raise Unsupported("the server is not ours to kill")


def pattern(seed, length):
    """The same bytes in every language: all values occur, and they compress."""
    return bytes((seed * 31 + i * 7) & 255 for i in range(length))


def incompressible(length):
    state, out = 1, bytearray()
    while len(out) < length:
        state = (state * 6364136223846793005 + 1442695040888963407) & (2**64 - 1)
        out += state.to_bytes(8, "big")[:4]
    return bytes(out[:length])


def equal(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what} is {show(actual)}, expected {show(expected)}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def eventually(body):
    """What takes a moment to be seen everywhere is asked again, for ten seconds."""
    for attempt in range(101):
        try:
            return body()
        except Exception:
            if attempt == 100:
                raise
            time.sleep(0.1)


def show(value):
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text)} characters)"


class Record:
    def __init__(self, value, key=None, headers=(), after_ms=0):
        self.value, self.key, self.headers = value, key, list(headers)
        self.timestamp = BASE_TIME + after_ms


def sample(count):
    return [Record(pattern(i, 100 + 50 * i), key=f"key {i}".encode(), after_ms=i) for i in range(count)]


def numbered(count):
    return [Record(f"record {i}".encode(), after_ms=i) for i in range(count)]


def expect(sent, read, first_offset=0):
    """`read`: tuples of offset, key, value, headers and timestamp."""
    equal(len(read), len(sent), "the number of records read")
    for i, (record, (offset, key, value, headers, timestamp)) in enumerate(zip(sent, read)):
        equal(offset, first_offset + i, f"the offset of record {i}")
        equal(key, record.key, f"the key of record {i}")
        equal(value, record.value, f"the value of record {i}")
        equal(list(headers or []), record.headers, f"the headers of record {i}")
        equal(timestamp, record.timestamp, f"the time of record {i}")
