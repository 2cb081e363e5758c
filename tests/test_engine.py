"""The engine: what may cross, what the child does with it, and how the window lives through the child's troubles.

Most tests run a real child process with requests made for them, which starts in a moment because it needs no torch;
the last part runs the engine as the app does, with torch, and compares its recording with one made here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_timeline import chain
from visualizer.engine import client
from visualizer.engine.client import Engine
from visualizer.engine.protocol import (
    ANSWERED,
    CANCEL,
    CANCELLED,
    FAILED,
    PROGRESS,
    REFUSED,
    REQUEST,
    STARTED,
    Broken,
    Connection,
    Message,
    pack,
    unpack,
)
from visualizer.engine.server import serve
from visualizer.kinds import Report
from visualizer.language import speaking
from visualizer.trace import Refused, Trace

ROOT = Path(__file__).resolve().parent.parent
WAIT = 20_000
"""Milliseconds that anything may take on a busy machine before a test gives up."""

posix = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals to the child")


# --- protocol: what may cross ---------------------------------------------------------------------------------------

def crossed(value: object) -> object:
    """The value as the other side gets it."""
    _, words, *pieces = pack(Message(ANSWERED, 7, value=value))
    return unpack(words, b"".join(pieces)).value


plain = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
                     | st.binary(max_size=20),
                     lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text().filter(lambda k: k != "$"),
                                                                                 inner, max_size=4), max_leaves=20)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(plain)
def test_plain_values_and_bytes_arrive_as_they_were(value) -> None:
    assert crossed(value) == value


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool", ">f4", "float16"])
def test_arrays_arrive_bit_for_bit_and_read_only(dtype) -> None:
    array = np.array([[1.5, np.nan, -0.0], [np.inf, 2, 3]]).astype(dtype) if "f" in dtype else \
        np.arange(6).reshape(2, 3).astype(dtype)
    found = crossed({"deep": [array, array.T, array[:, :0]]})["deep"]
    for one, other in zip(found, [array, array.T, array[:, :0]], strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.shape == other.shape
        assert one.dtype.newbyteorder("=") == other.dtype.newbyteorder("=")
        assert not one.flags.writeable


def test_a_trace_and_its_report_arrive_equal() -> None:
    trace, report = chain(5), Report({"layer1": 1e-8}, {"layer2": float("inf")}, {"layer3": "unexplained"}, 1e-6)
    found = crossed({"trace": trace, "report": report})
    assert found["trace"].digest == trace.digest
    assert found["report"] == report


@pytest.mark.parametrize("value", [object(), {1: 2}, {"$": "bytes"}, np.array(["text"]), np.array([object()]), {1, 2}])
def test_what_is_no_plain_data_does_not_cross(value) -> None:
    with pytest.raises(TypeError):
        pack(Message(REQUEST, 1, value=value))


@pytest.mark.parametrize("words", [
    b"", b"[]", b"{", b"null", b'{"kind": "answered"}',
    b'{"kind": "eval", "id": 1, "name": "", "lane": "", "value": 1, "sizes": []}',
    b'{"kind": "answered", "id": "1", "name": "", "lane": "", "value": 1, "sizes": []}',
    b'{"kind": "answered", "id": 1, "name": "", "lane": "", "value": 1, "sizes": [9]}',
    b'{"kind": "answered", "id": 1, "name": "", "lane": "", "value": 1, "sizes": [-8, 16]}',
    b'{"kind": "answered", "id": 1, "name": "", "lane": "", "value": {"$": "pickle", "at": 0}, "sizes": [8]}',
    b'{"kind": "answered", "id": 1, "name": "", "lane": "", "value": {"$": "bytes", "at": 1}, "sizes": [8]}',
    b'{"kind": "answered", "id": 1, "name": "", "lane": "", "value": {"$": "trace", "at": 0}, "sizes": [8]}',
    b'{"kind": "answered", "id": 1, "name": "", "lane": "", "value":'
    b' {"$": "array", "at": 0, "dtype": "|O8", "shape": [1]}, "sizes": [8]}',
    b'{"kind": "answered", "id": 1, "name": "", "lane": "", "value":'
    b' {"$": "array", "at": 0, "dtype": "<f8", "shape": [1000000000]}, "sizes": [8]}',
    b'{"kind": "answered", "id": 1, "name": "", "lane": "", "value":'
    b' {"$": "array", "at": 0, "dtype": "<f8", "shape": [-1, -1]}, "sizes": [8]}',
])
def test_what_is_no_message_is_not_believed(words) -> None:
    with pytest.raises(Broken):
        unpack(words, b"8 bytes.")


class Gated(Connection):
    """Opens its gate when it has received everything up to `OPEN`."""

    gate = Event()

    def receive(self) -> Message | None:
        message = super().receive()
        if message == OPEN:
            self.gate.set()
        return message


OPEN = Message(CANCEL, 0)


class Ends:
    """Two connections that talk to each other over pipes of this process."""

    def __init__(self) -> None:
        (one_in, other_out), (other_in, one_out) = os.pipe(), os.pipe()
        self.one = Connection(os.fdopen(one_in, "rb", 0), os.fdopen(one_out, "wb", 0))
        self.other = Gated(os.fdopen(other_in, "rb", 0), os.fdopen(other_out, "wb", 0))
        self.other.gate.clear()

    def close(self) -> None:
        for stream in (self.one.writer, self.other.writer, self.one.reader, self.other.reader):
            stream.close()


@pytest.fixture
def ends():
    pair = Ends()
    yield pair
    pair.close()


def test_messages_come_out_of_the_pipe_in_their_order_and_then_its_end(ends) -> None:
    ends.one.send(Message(REQUEST, 1, "record", "lane", {"pixels": b"\0" * 784}))
    ends.one.send(Message(CANCEL, 1))
    ends.one.writer.close()
    assert ends.other.receive() == Message(REQUEST, 1, "record", "lane", {"pixels": b"\0" * 784})
    assert ends.other.receive() == Message(CANCEL, 1)
    assert ends.other.receive() is None


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\n\r\n", b"VIZ1", b"VIZ1\xff\xff\xff\xff" + b"\0" * 8, b"VIZ1" + b"\0" * 4 + b"\xff" * 8,
    b"VIZ1\0\0\0\x02\0\0\0\0\0\0\0\0{",
], ids=["another language", "half a head", "4 GB of JSON", "16 EB of data", "half a body"])
def test_what_is_no_frame_is_given_up_before_anything_is_made_of_it(ends, data) -> None:
    ends.one.writer.write(data)
    ends.one.writer.close()
    with pytest.raises(Broken):
        ends.other.receive()


# --- server: what the child does, here in a thread ------------------------------------------------------------------

class Server:
    """`serve` in a thread, with requests of the test's own."""

    def __init__(self, ends: Ends, requests) -> None:
        self.connection, self.other = ends.one, ends.other
        self.thread = Thread(target=serve, args=(ends.other, requests))
        self.thread.start()
        self.heard: SimpleQueue[Message] = SimpleQueue()
        self.listener = Thread(target=self.listen)
        self.listener.start()
        self.ids = iter(range(1, 1000))

    def ask(self, name: str, lane: str = "", **arguments) -> int:
        number = next(self.ids)
        self.connection.send(Message(REQUEST, number, name, lane or name, arguments))
        return number

    def listen(self) -> None:
        while (message := self.connection.receive()) is not None:
            self.heard.put(message)

    def hear(self) -> tuple[str, int, object]:
        message = self.heard.get(timeout=WAIT / 1000)
        return message.kind, message.id, message.value


@pytest.fixture
def server(ends):
    servers: list[Server] = []

    def start(**requests) -> Server:
        servers.append(Server(ends, requests))
        return servers[0]

    yield start
    for one in servers:
        one.connection.writer.close()
        one.thread.join(10)
        assert not one.thread.is_alive()
        one.other.writer.close()
        one.listener.join(10)


def test_a_request_is_started_and_answered(server) -> None:
    child = server(double=lambda number: {"twice": 2 * number})
    number = child.ask("double", number=21)
    assert child.hear() == (STARTED, number, None)
    assert child.hear() == (ANSWERED, number, {"twice": 42})


def test_a_refusal_is_said_in_its_own_words_and_the_next_request_answered(server) -> None:
    def refuse():
        raise Refused("A cat; open a digit.")

    child = server(refuse=refuse, fine=lambda: 1)
    first, second = child.ask("refuse"), child.ask("fine")
    assert [child.hear() for _ in range(4)] == [(STARTED, first, None), (REFUSED, first, "A cat; open a digit."),
                                                (STARTED, second, None), (ANSWERED, second, 1)]


@pytest.mark.parametrize(("error", "words"), [(ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
                                              (MemoryError(), "more memory than there is"),
                                              (KeyError(), "(KeyError)")])
def test_an_error_becomes_one_sentence_and_the_whole_story_goes_to_stderr(server, capfd, error, words) -> None:
    def fail():
        raise error

    child = server(fail=fail)
    child.ask("fail")
    child.hear()
    kind, _, sentence = child.hear()
    assert kind == FAILED
    assert words in sentence
    assert "\n" not in sentence
    assert "Traceback" in capfd.readouterr().err


def test_an_answer_that_cannot_cross_is_a_failure(server, capfd) -> None:
    child = server(odd=lambda: object())
    number = child.ask("odd")
    child.hear()
    kind, same, sentence = child.hear()
    assert (kind, same) == (FAILED, number)
    assert "cannot cross" in sentence


def test_an_unknown_request_says_which_there_are(server) -> None:
    child = server(record=lambda: 1)
    child.ask("rekord")
    child.hear()
    kind, _, sentence = child.hear()
    assert kind == REFUSED
    assert "rekord" in sentence
    assert "record" in sentence.replace("rekord", "")


def test_of_many_requests_waiting_in_a_lane_only_the_newest_is_run(server, ends) -> None:
    ran: list[int] = []
    child = server(wait=lambda: ends.other.gate.wait(10), record=lambda n: ran.append(n), other=lambda n: ran.append(n))
    waiting = child.ask("wait")
    for n in range(1, 6):
        last = child.ask("record", n=n)
    other = child.ask("other", n=9)
    child.connection.send(OPEN)
    assert [child.hear() for _ in range(6)] == [
        (STARTED, waiting, None), (ANSWERED, waiting, True), (STARTED, last, None), (ANSWERED, last, None),
        (STARTED, other, None), (ANSWERED, other, None)]
    assert ran == [5, 9]


def test_a_cancelled_request_is_not_begun(server, ends) -> None:
    child = server(wait=lambda: ends.other.gate.wait(10), fine=lambda: 1)
    first, second, third = child.ask("wait"), child.ask("fine", "a"), child.ask("fine", "b")
    child.connection.send(Message(CANCEL, second))
    child.connection.send(OPEN)
    assert [child.hear()[:2] for _ in range(4)] == [(STARTED, first), (ANSWERED, first), (STARTED, third),
                                                    (ANSWERED, third)]


def test_a_long_request_tells_how_far_it_is_and_answers_at_its_end(server, monkeypatch) -> None:
    monkeypatch.setattr("visualizer.engine.server.TELL", 0)

    def count(to):
        for n in range(to):
            yield n / to, f"step {n}"
        return to

    child = server(count=count)
    number = child.ask("count", to=3)
    assert [child.hear() for _ in range(5)] == [
        (STARTED, number, None), *((PROGRESS, number, [n / 3, f"step {n}"]) for n in range(3)), (ANSWERED, number, 3)]


def test_progress_is_not_told_more_often_than_anyone_can_see(server) -> None:
    def hurry():
        for n in range(10_000):
            yield n / 10_000, ""

    child = server(hurry=hurry)
    child.ask("hurry")
    heard = []
    while not heard or heard[-1] != ANSWERED:
        heard.append(child.hear()[0])
    assert 1 <= heard.count(PROGRESS) < 1000


def endless():
    while True:
        yield 0.5, "still going"


def test_short_requests_are_answered_while_a_long_one_runs_and_a_cancel_ends_it(server) -> None:
    child = server(endless=endless, fine=lambda: 1)
    long = child.ask("endless")
    heard = [child.hear()[:2]]
    for _ in range(3):
        short = child.ask("fine")
        while heard[-1] != (ANSWERED, short):
            heard.append(child.hear()[:2])
    child.connection.send(Message(CANCEL, long))
    while heard[-1][0] == PROGRESS or heard[-1] == (ANSWERED, short):
        heard.append(child.hear()[:2])
    assert heard[-1] == (CANCELLED, long)


def test_a_newer_request_in_its_lane_ends_a_long_one_and_lets_it_clean_up(server) -> None:
    cleaned = Event()

    def long():
        try:
            yield from endless()
        finally:
            cleaned.set()

    child = server(long=long, fine=lambda: 1)
    first = child.ask("long", "lane")
    heard = [child.hear()[:2], child.hear()[:2]]  # it has started and made a step
    second = child.ask("fine", "lane")
    while not {(CANCELLED, first), (ANSWERED, second)} <= set(heard):
        heard.append(child.hear()[:2])
    assert cleaned.is_set()


def test_two_long_requests_take_turns(server, monkeypatch) -> None:
    monkeypatch.setattr("visualizer.engine.server.TELL", 0)
    child = server(endless=endless)
    both = {child.ask("endless", "a"), child.ask("endless", "b")}
    heard = [child.hear()[:2]]
    while not {(STARTED, number) for number in both} <= set(heard):
        heard.append(child.hear()[:2])
    assert {child.hear()[:2] for _ in range(2)} == {(PROGRESS, number) for number in both}


def test_a_long_request_that_fails_says_so_once(server, capfd) -> None:
    def stumble():
        yield 0.5, "half"
        raise ValueError("stumbled")

    child = server(stumble=stumble, fine=lambda: 1)
    number = child.ask("stumble")
    assert [child.hear()[:2] for _ in range(3)] == [(STARTED, number), (PROGRESS, number), (FAILED, number)]
    after = child.ask("fine")
    assert [child.hear()[:2] for _ in range(2)] == [(STARTED, after), (ANSWERED, after)]


# --- client: the window with a real child that needs no torch -------------------------------------------------------

CHILD = """
import sys, json; sys.path[:] = json.loads(sys.argv[1])
import os, signal, time
from visualizer.engine import server
from visualizer.trace import Refused, Trace

def hello():
    return {"pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}

def echo(value=None, print_it=""):
    print(print_it)
    return value

def read():
    return sys.stdin.read() + input()

def refuse():
    raise Refused("No.")

def refuse_aloud():
    from visualizer.language import tr
    raise Refused(tr("The engine crashed ({signal})."))

def fall():
    raise ZeroDivisionError("by zero")

def crash(once=""):
    if not once or not os.path.exists(once):
        once and open(once, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"

def hang():
    while True:
        time.sleep(1)

def hold(seconds):
    import ctypes  # sleeps without letting any other thread run
    return ctypes.PyDLL(None).usleep(int(seconds * 1e6)) or os.getpid()

def layers(every, count, then=0.0):
    from visualizer import advance
    for n in range(count):
        advance.at(f"conv{n}")
        time.sleep(every)
    time.sleep(then)
    return count

def count(to):
    for n in range(to):
        yield n / to, "counting"
        time.sleep(0.01)
    return to

server.REQUESTS.clear()
server.REQUESTS.update(hello=hello, echo=echo, read=read, refuse=refuse, crash=crash, hang=hang, count=count,
                       hold=hold, layers=layers, refuse_aloud=refuse_aloud, fall=fall)
server.main()
"""


class Heard:
    """Everything an engine says, in order."""

    def __init__(self, engine: Engine, qtbot) -> None:
        self.all: list[tuple] = []
        self._qtbot = qtbot
        for name in ("ready", "answered", "refused", "failed", "progress", "slow", "died"):
            getattr(engine, name).connect(lambda *said, name=name: self.all.append((name, *said)))

    def of(self, name: str) -> list[tuple]:
        return [said for said in self.all if said[0] == name]

    def until(self, name: str, count: int = 1) -> list[tuple]:
        self._qtbot.waitUntil(lambda: len(self.of(name)) >= count, timeout=WAIT)
        return self.of(name)

    def until_answer(self, number: int) -> object:
        ends = ("answered", "refused", "failed")
        self._qtbot.waitUntil(lambda: any(said[0] in ends and said[1] == number for said in self.all), timeout=WAIT)
        end = next(said for said in self.all if said[0] in ends and said[1] == number)
        assert end[0] == "answered", end
        return end[3]


@pytest.fixture
def engine(qapp, monkeypatch):
    monkeypatch.setattr(client, "_BOOT", CHILD)
    one = Engine()
    yield one
    one.stop()


@pytest.fixture
def heard(engine, qtbot) -> Heard:
    return Heard(engine, qtbot)


def test_it_says_hello_and_answers(engine, heard) -> None:
    engine.start()
    number = engine.request("echo", value={"array": np.arange(3), "words": "∂L/∂w"})
    found = heard.until_answer(number)
    assert found["words"] == "∂L/∂w"
    np.testing.assert_array_equal(found["array"], [0, 1, 2])
    assert heard.of("ready") == [("ready", {"pid": engine.pid, "threads": "1"})]
    assert [said[0] for said in heard.all] == ["ready", "answered"]


def test_a_request_starts_a_child_where_there_is_none(engine, heard) -> None:
    assert engine.pid is None
    assert heard.until_answer(engine.request("echo", value=1)) == 1
    assert engine.pid is not None


def test_starting_it_twice_starts_one_child(engine, heard) -> None:
    engine.start()
    first = engine.pid
    engine.start()
    assert engine.pid == first


def test_five_quick_requests_deliver_one_answer(engine, heard, qtbot) -> None:
    numbers = [engine.request("echo", value=n) for n in range(5)]
    heard.until_answer(numbers[-1])
    heard.until_answer(engine.request("echo", lane="later", value="done"))
    assert heard.of("answered")[:-1] == [("answered", numbers[-1], "echo", 4)]


def test_an_answer_that_was_overtaken_on_its_way_is_dropped(engine, heard) -> None:
    engine.start()
    heard.until("ready")
    old = engine.request("echo", value="old")
    Event().wait(0.3)  # the answer to the old one waits in this thread's queue, which nobody has looked at
    new = engine.request("echo", value="new")
    heard.until_answer(new)
    assert [said[1] for said in heard.of("answered")] == [new]
    assert old != new


def test_lanes_do_not_disturb_each_other(engine, heard) -> None:
    numbers = {engine.request("echo", lane=lane, value=lane) for lane in ("a", "b", "c")}
    heard.until("answered", 3)
    assert {said[1] for said in heard.of("answered")} == numbers


def test_what_a_model_prints_or_reads_does_not_disturb_the_messages(engine, heard, capfd) -> None:
    assert heard.until_answer(engine.request("echo", value=1, print_it="VIZ1 hello \0")) == 1
    engine.request("read")
    assert "EOFError" in heard.until("failed")[0][2]
    assert heard.until_answer(engine.request("echo", value=2)) == 2
    assert "VIZ1 hello" in capfd.readouterr().err


def test_a_refused_request_keeps_the_engine_alive(engine, heard) -> None:
    number = engine.request("refuse")
    assert heard.until("refused") == [("refused", number, "No.")]
    before = engine.pid
    assert heard.until_answer(engine.request("echo", value=1)) == 1
    assert engine.pid == before
    assert heard.of("died") == []


def test_what_it_says_is_in_the_language_of_whoever_asks(engine, heard) -> None:
    with speaking("de"):
        refused, failed, counted = engine.request("refuse_aloud"), engine.request("fall"), engine.request("count", to=1)
    english = engine.request("refuse_aloud", lane="english")
    heard.until_answer(counted)
    heard.until("refused", 2)
    said = {number: words for name in ("refused", "failed") for _, number, words in heard.of(name)}
    assert said[refused] == "Die Engine ist abgestürzt ({signal})."
    assert said[english] == "The engine crashed ({signal})."
    assert said[failed].startswith("Das ging nicht (ZeroDivisionError: by zero); wähl")


def test_a_request_that_cannot_cross_is_an_error_of_the_caller(engine) -> None:
    with pytest.raises(TypeError):
        engine.request("echo", value=object())


def test_a_long_request_tells_how_far_it_is(engine, heard) -> None:
    number = engine.request("count", to=20)
    assert heard.until_answer(number) == 20
    shares = [said[2] for said in heard.of("progress")]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert len(shares) > 1


def test_nothing_more_is_heard_of_a_cancelled_request(engine, heard, qtbot) -> None:
    number = engine.request("count", to=10_000)
    heard.until("progress")
    engine.cancel(number)
    said = len(heard.all)
    heard.until_answer(engine.request("echo", value=1))
    assert [name for name, *_ in heard.all[said:]] == ["answered"]


@posix
def test_a_killed_child_gives_one_sentence_and_the_next_request_is_answered(engine, heard) -> None:
    engine.start()
    heard.until("ready")
    os.kill(engine.pid, signal.SIGKILL)
    (_, sentence), = heard.until("died")
    assert "SIGKILL" in sentence
    assert "started again" in sentence
    assert heard.until_answer(engine.request("echo", value=1)) == 1
    assert len(heard.of("died")) == 1
    assert len(heard.of("ready")) == 2


@posix
def test_a_request_under_way_is_asked_once_more_after_a_crash(engine, heard, tmp_path) -> None:
    number = engine.request("crash", once=str(tmp_path / "crashed"))
    assert heard.until_answer(number) == "alive"
    assert len(heard.of("died")) == 1


@posix
def test_a_request_that_ends_every_engine_fails_after_the_second_and_others_go_on(engine, heard) -> None:
    number = engine.request("crash")
    other = engine.request("echo", value=1)
    assert heard.until("failed")[0][:2] == ("failed", number)
    assert "twice" in heard.of("failed")[0][2]
    assert heard.until_answer(other) == 1
    assert len(heard.of("died")) == 2


@posix
def test_it_is_not_started_more_than_three_times_a_minute(qapp, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(client, "_BOOT", "import os; os._exit(3)")
    now = [1000.0]
    engine = Engine(clock=lambda: now[0])
    heard = Heard(engine, qtbot)
    number = engine.request("echo", value=1)
    died = heard.until("died", 4)
    assert all("exit status 3" in sentence for _, sentence in died)
    assert "stays off" in died[-1][1]
    assert heard.until("failed") == [("failed", number, heard.of("failed")[0][2])]
    assert engine.pid is None
    again = engine.request("echo", value=1)  # too soon
    assert heard.of("failed")[1:] == []      # and not said before the caller knows the number
    assert heard.until("failed", 2)[1][1] == again
    monkeypatch.setattr(client, "_BOOT", CHILD)
    now[0] += 61
    assert heard.until_answer(engine.request("echo", value=1)) == 1
    engine.stop()


@posix
def test_a_hanging_request_is_ended_after_its_limit_and_the_sentence_says_so(engine, heard) -> None:
    engine.start()
    heard.until("ready")
    first = engine.pid
    number = engine.request("hang", limit=0.2)
    (_, sentence), = heard.until("died")
    assert "0.2 s" in sentence
    assert heard.until("failed")[0][:2] == ("failed", number)
    assert heard.until_answer(engine.request("echo", value=1)) == 1
    assert engine.pid != first
    assert not alive(first)


@posix
def test_a_hanging_request_that_nobody_wants_any_more_does_not_hold_up_the_next(engine, heard, qtbot) -> None:
    engine.start()
    heard.until("ready")
    engine.request("hang", lane="lane", limit=0.3)
    qtbot.waitUntil(lambda: bool(engine._started), timeout=WAIT)
    newer = engine.request("echo", lane="lane", value=1)
    assert heard.until_answer(newer) == 1
    assert len(heard.of("died")) == 1
    assert heard.of("failed") == []


@pytest.fixture
def fast(qapp, monkeypatch):
    """fast(code): an engine whose signs come ten times as fast, and whose process runs `code` before it loads."""
    def start(code: str = "") -> Engine:
        for name, seconds in (("SILENT", 0.8), ("SLOW", 0.4), ("TICK", 0.05)):
            monkeypatch.setattr(client, name, seconds)
        begun = "from visualizer.engine import alive; alive.EVERY = 0.1; alive.begin()"
        monkeypatch.setattr(client, "_BOOT", CHILD.replace("import os, signal, time", f"{begun}\n{code}\n"
                                                           "import os, signal, time", 1))
        return Engine()

    return start


@posix
@pytest.mark.matrix(spine=("stopped-loading", "stopped-working", "killed-answering"), sample=2)
@pytest.mark.parametrize("when", ["loading", "idle", "asked", "working", "answering"])
@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["stopped", "killed"])
def test_at_every_moment_of_a_request_it_is_started_again_and_asked_once_more(qapp, qtbot, monkeypatch, fast, when,
                                                                              how) -> None:
    engine = fast("import time; time.sleep(0.6)" if when == "loading" else "")
    heard = Heard(engine, qtbot)
    engine.start()
    first = engine.pid
    if when == "loading":
        qtbot.wait(200)
    else:
        heard.until("ready")
    number = 0
    if when in ("working", "answering"):
        number = engine.request("layers", every=0.02, count=20) if when == "working" else \
            engine.request("echo", value=np.zeros(3_000_000))
        qtbot.waitUntil(lambda: bool(engine._started), timeout=WAIT)
    os.kill(first, how)
    if when == "asked":
        number = engine.request("echo", value=7)
    (_, sentence), = heard.until("died")
    assert "started again" in sentence
    assert ("did not answer" if how == signal.SIGSTOP else "SIGKILL") in sentence
    assert not alive(first)
    answer = heard.until_answer(number or engine.request("echo", value=7))
    assert np.array_equal(answer, np.zeros(3_000_000)) if when == "answering" else answer in (7, 20)
    assert len(heard.of("died")) == 1
    engine.stop()


@posix
def test_what_hangs_every_process_before_it_is_begun_is_asked_once_more_and_never_twice(qapp, qtbot, fast) -> None:
    engine = fast("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    heard = Heard(engine, qtbot)
    number = engine.request("echo", value=1)
    assert heard.until("failed")[0][1] == number
    assert len(heard.of("died")) == 2
    engine.stop()


@posix
def test_a_call_that_lets_nothing_else_run_is_noticed(qapp, qtbot, fast) -> None:
    engine = fast()
    heard = Heard(engine, qtbot)
    engine.start()
    heard.until("ready")
    number = engine.request("hold", seconds=30)
    assert heard.until("failed")[0][1] == number  # asked twice, and both processes ended
    assert [sentence for _, sentence in heard.of("died") if "did not answer" not in sentence] == []
    assert len(heard.of("died")) == 2
    engine.stop()


@posix
@pytest.mark.parametrize("starved", ["process", "window"])
def test_a_process_or_a_window_that_gets_no_time_for_three_seconds_is_no_fault(engine, heard, qtbot, starved) -> None:
    """With the signs as they are: the process really stands still in the middle of a request, or the window does."""
    engine.start()
    heard.until("ready")
    first = engine.pid
    number = engine.request("layers", every=0.1, count=5)
    qtbot.waitUntil(lambda: bool(engine._started), timeout=WAIT)
    if starved == "process":
        os.kill(first, signal.SIGSTOP)
        qtbot.wait(3000)
        os.kill(first, signal.SIGCONT)
    else:
        time.sleep(3.0)
    assert heard.until_answer(number) == 5
    assert (heard.of("died"), heard.of("slow"), heard.of("failed")) == ([], [], [])
    assert engine.pid == first


@posix
def test_late_ticks_of_the_window_are_not_counted(qapp, qtbot, fast) -> None:
    """A window that gets no time for three times as long as a process may be silent finds no fault."""
    engine = fast()
    heard = Heard(engine, qtbot)
    engine.start()
    heard.until("ready")
    time.sleep(3 * client.SILENT)
    qtbot.wait(int(1000 * client.SILENT))
    assert heard.of("died") == []
    assert heard.until_answer(engine.request("echo", value=1)) == 1
    engine.stop()


@posix
def test_what_goes_on_layer_by_layer_is_never_slow_and_what_does_not_says_where(qapp, qtbot, fast) -> None:
    engine = fast()
    heard = Heard(engine, qtbot)
    assert heard.until_answer(engine.request("layers", every=0.1, count=10, limit=1.0)) == 10
    assert heard.of("slow") == []
    number = engine.request("layers", every=0.06, count=3, then=30.0, limit=1.5)
    found = heard.until("slow")[0]
    assert found[1] == number
    assert client.SLOW <= found[2] < 1.5
    assert found[3:] == (1.5, "conv2")
    assert "1.5 s" in heard.until("failed")[0][2]
    assert heard.until_answer(engine.request("echo", value=1)) == 1
    engine.stop()


@posix
def test_a_person_can_stop_what_takes_long(qapp, qtbot, fast) -> None:
    engine = fast()
    heard = Heard(engine, qtbot)
    number = engine.request("hang")
    other = engine.request("echo", value=1)
    engine.interrupt(heard.until("slow")[0][1])
    assert heard.until("failed")[0][1:] == (number, heard.of("failed")[0][2])
    assert "stopped" in heard.of("failed")[0][2]
    assert heard.until_answer(other) == 1
    assert heard.of("died") == []
    engine.stop()


def test_a_process_that_was_ended_from_outside_is_not_said_to_lack_memory() -> None:
    assert "from outside" in client._how_it_ended(-9, False)
    assert "memory ran out" in client._how_it_ended(-9, True)


def test_progress_is_a_sign_of_life(engine, heard) -> None:
    engine.start()
    heard.until("ready")
    number = engine.request("count", limit=0.5, to=120)  # 1.2 s and more
    assert heard.until_answer(number) == 120
    assert heard.of("died") == []


@posix
def test_a_child_that_talks_nonsense_is_ended(engine, heard, monkeypatch) -> None:
    monkeypatch.setattr(client, "_BOOT", "import time; print('hello, window, how are you?', flush=True); time.sleep(9)")
    engine.start()
    first = engine.pid
    monkeypatch.setattr(client, "_BOOT", CHILD)
    assert "broke" in heard.until("died")[0][1]
    assert heard.until_answer(engine.request("echo", value=1)) == 1
    assert not alive(first)


def test_an_engine_that_cannot_be_started_says_so(engine, heard, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    number = engine.request("echo", value=1)
    assert "cannot be started" in heard.until("died")[0][1]
    assert heard.until("failed")[0][1] == number


@posix
def test_stopping_leaves_no_process_and_says_nothing(engine, heard, qtbot) -> None:
    engine.start()
    heard.until("ready")
    engine.request("hang")
    pid = engine.pid
    engine.stop()
    assert engine.pid is None
    assert not alive(pid)
    qtbot.wait(50)
    assert [name for name, *_ in heard.all] == ["ready"]
    assert heard.until_answer(engine.request("echo", value=1)) == 1


@posix
def test_the_child_does_not_outlive_a_window_that_is_killed() -> None:
    code = ("import os, sys; from PySide6.QtCore import QCoreApplication; from visualizer.engine import client;"
            f"client._BOOT = {CHILD!r}; app = QCoreApplication([]); engine = client.Engine();"
            "engine.request('hang', limit=100); engine.ready.connect(lambda _: (print(engine.pid, flush=True),"
            " os.kill(os.getpid(), 9))); app.exec()")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    pid = int(done.stdout)
    for _ in range(200):
        if not alive(pid):
            break
        Event().wait(0.05)
    assert not alive(pid)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# --- the engine as the app runs it: with torch ----------------------------------------------------------------------

@pytest.fixture(scope="module")
def torch_engine(qapp):
    one = Engine()
    one.start()
    yield one
    one.stop()


def test_it_says_which_versions_do_the_work(torch_engine, qtbot) -> None:
    import torch

    heard = Heard(torch_engine, qtbot)
    found = heard.until_answer(torch_engine.request("hello"))
    assert found["torch"] == str(torch.__version__)
    assert found["numpy"] == np.__version__


def test_its_recording_equals_one_made_here(torch_engine, qtbot) -> None:
    import torch

    from visualizer.record import record

    heard = Heard(torch_engine, qtbot)
    found = heard.until_answer(torch_engine.request("record", model="digits_cnn", sample="digit-2148"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two add up in another order
    try:
        here = record("digits_cnn", "digit-2148")
    finally:
        torch.set_num_threads(threads)
    assert found["trace"].digest == here.digest
    assert found["report"] == here.check()
    assert found["report"].passed


def test_numbers_can_come_first_and_their_check_later(torch_engine, qtbot) -> None:
    heard = Heard(torch_engine, qtbot)
    wanted = {"model": "lenet_mnist", "sample": "digit-7"}
    first = heard.until_answer(torch_engine.request("record", check=False, **wanted))
    assert first["report"] is None
    later = heard.until_answer(torch_engine.request("check", lane="record", **wanted))
    assert later["report"] == first["trace"].check()
    assert later["report"].errors


def test_a_recording_is_not_made_twice_for_its_check_but_again_for_anything_else(monkeypatch) -> None:
    from visualizer import record as recorder
    from visualizer.engine import requests

    monkeypatch.setattr(requests, "_last", {})
    made: list[Trace] = []
    really = recorder.record
    monkeypatch.setattr(recorder, "record", lambda *a, **k: made.append(really(*a, **k)) or made[-1])
    wanted = {"model": "mlp_mnist", "sample": "digit-7"}
    trace = requests.record(check=False, **wanted)["trace"]
    steps = requests.check(**wanted)
    next(steps)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == {"report": trace.check()}
    assert len(made) == 1
    ink = np.zeros((28, 28), np.uint8)
    ink[5:20, 14] = 200
    for other in ({"sample": "digit-2148"}, {"objective": "logit:3"}, {"target": 2}, {"dtype": "float64"},
                  {"pixels": ink}, {"pixels": ink.T}):
        requests.record(check=False, **{**wanted, **other})
    assert len({trace.digest for trace in made}) == 7


def test_a_drawing_is_recorded_as_it_was_drawn(torch_engine, qtbot) -> None:
    heard = Heard(torch_engine, qtbot)
    drawn = np.zeros((28, 28), np.uint8)
    drawn[4:24, 13:16] = 255
    found = heard.until_answer(torch_engine.request("record", model="digits_cnn", pixels=drawn.tobytes(), target=1))
    np.testing.assert_array_equal(found["trace"].layers[0].output, drawn[None].astype(np.float32) / 255)
    assert found["trace"].objective.target == 1
    number = torch_engine.request("record", model="digits_cnn", pixels=b"too few")
    assert heard.until("refused")[0][:2] == ("refused", number)


def test_what_is_typed_is_recorded_however_long_it_is(torch_engine, qtbot) -> None:
    """A text may be longer than any file name, and hold what no file name can."""
    heard = Heard(torch_engine, qtbot)
    for typed in ("to be or not", "To be,\nor not\n" * 20):
        found = heard.until_answer(torch_engine.request("record", model="char_rnn", sample=typed, check=False))
        assert found["trace"].sample.steps == tuple(typed)
    number = torch_engine.request("record", model="char_rnn", sample="\0")
    (_, refused, sentence), = heard.until("refused")
    assert refused == number
    assert "does not know" in sentence


def test_typing_goes_on_from_what_was_recorded_last(torch_engine, qtbot) -> None:
    heard = Heard(torch_engine, qtbot)
    typed = "to be or not to be"
    heard.until_answer(torch_engine.request("record", model="char_rnn", sample=typed[:9], check=False))
    for end in range(10, len(typed) + 1):
        found = heard.until_answer(torch_engine.request("extend", lane="record", model="char_rnn", sample=typed[:end]))
        assert found["report"] is None
        assert found["trace"].sample.steps == tuple(typed[:end])
        assert not found["trace"].has_backward
    whole = heard.until_answer(torch_engine.request("record", model="char_rnn", sample=typed))
    np.testing.assert_allclose(found["trace"]["fc"].output, whole["trace"]["fc"].output, rtol=0, atol=1e-5)
    assert whole["trace"].has_backward
    number = torch_engine.request("extend", model="char_rnn", sample="to be or #")
    (_, refused, sentence), = heard.until("refused")
    assert refused == number
    assert "does not know '#'" in sentence


def test_the_engine_keeps_what_was_read_last_to_read_on(monkeypatch) -> None:
    from visualizer.engine import requests
    from visualizer.record import extend as reading

    monkeypatch.setattr(requests, "_read", {})
    monkeypatch.setattr(requests, "_last", {})
    given: list[Trace | None] = []
    really = reading.extend
    monkeypatch.setattr(reading, "extend", lambda model, before, *words: given.append(before) or really(
        model, before, *words))
    first = requests.record(model="char_rnn", sample="to be", check=False)["trace"]
    second = requests.extend("char_rnn", "to be or")["trace"]
    requests.extend("char_rnn", "to be or not")
    requests.record(model="char_rnn", sample="to be", dtype="float64", check=False)
    requests.extend("char_gru", "to be")
    assert given[:2] == [first, second]
    assert given[2] is None
    assert len(requests._read) == 1


@pytest.mark.parametrize(("asked", "words"), [({"model": "no_such_model"}, "no_such_model"),
                                              ({"model": "digits_cnn", "sample": "digit-none"}, "digit-none"),
                                              ({"model": "digits_cnn", "target": 10}, "class 10"),
                                              ({"model": "digits_cnn", "objective": "joy"}, "joy")])
def test_what_cannot_be_recorded_is_refused_in_one_sentence_and_the_engine_lives(torch_engine, qtbot, asked,
                                                                                 words) -> None:
    heard = Heard(torch_engine, qtbot)
    before = torch_engine.pid
    number = torch_engine.request("record", **asked)
    (_, refused, sentence), = heard.until("refused")
    assert refused == number
    assert words in sentence
    heard.until_answer(torch_engine.request("hello"))
    assert torch_engine.pid == before


def test_a_model_is_opened_once_for_as_long_as_its_file_has_the_same_bytes(tmp_path, monkeypatch) -> None:
    from visualizer.engine import requests
    from visualizer.record import edits

    monkeypatch.setattr(requests, "_open", {})
    opened: list[str] = []
    really = edits.open_model
    monkeypatch.setattr(edits, "open_model", lambda model, untrained: opened.append(model) or really(model, untrained))
    path = tmp_path / "mine.safetensors"
    path.write_bytes((ROOT / "models/digits_cnn.safetensors").read_bytes())
    before = [requests.record(model=str(path), sample=sample)["trace"] for sample in ("digit-2148", "digit-7")]
    assert opened == [str(path)]
    assert before[0].layers[0].output.sum() != before[1].layers[0].output.sum()

    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(path)
    save_file({name: torch.zeros_like(weight) for name, weight in weights.items()}, path)
    after = requests.record(model=str(path), sample="digit-2148")["trace"]
    assert opened == [str(path)] * 2
    assert after.layers[-1].output.sum() != before[0].layers[-1].output.sum()
    for model in ("digits_cnn", "lenet_mnist", "mlp_mnist", "digits_cnn"):
        requests.record(model=model)
    assert len(requests._open) == requests.MOST_OPEN


def test_a_model_before_training_is_another_one_for_the_engine(monkeypatch) -> None:
    from visualizer.engine import requests

    monkeypatch.setattr(requests, "_open", {})
    monkeypatch.setattr(requests, "_last", {})
    trained, before, again = (requests.record(model="rows_rnn", check=False, edits=done)["trace"]
                              for done in ((), ["untrained"], ()))
    assert trained.hashes["weights"] == again.hashes["weights"] != before.hashes["weights"]
    assert (trained.title, before.title) == ("Rows RNN", "Rows RNN, before training")
    assert len(requests._open) == 2
    assert requests.check(model="rows_rnn", edits=("untrained",)) is not None
    typed = requests.extend("char_rnn", "to be", ["untrained"])["trace"]
    assert typed.title == "Shakespeare RNN, before training"


def test_torch_runs_on_one_thread_in_the_child() -> None:
    code = "import torch; print(torch.get_num_threads())"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **client._ENVIRONMENT}, capture_output=True,
                          text=True, check=True)
    assert done.stdout == "1\n"


def test_the_window_takes_a_recording_and_checks_nothing_itself_without_torch() -> None:
    code = ("import sys; from PySide6.QtCore import QCoreApplication; from visualizer.engine.client import Engine\n"
            "from visualizer.ui.store import Store; from visualizer.ui.player import Player\n"
            "app = QCoreApplication([]); engine, store = Engine(), Store(); player = Player(store)\n"
            "def take(number, name, found):\n"
            "    store.set_trace(found['trace'], found['report']); app.quit()\n"
            "engine.answered.connect(take)\n"
            "for end in (engine.failed, engine.refused): end.connect(lambda *said: (print(said), app.exit(1)))\n"
            "engine.request('record', model='digits_cnn'); app.exec()\n"
            "print(len(store.trace.layers) > 5, store.report.passed, 'torch' in sys.modules, engine.pid)")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120,
                          check=True)
    assert done.stdout == "True True False None\n", done.stderr


def test_it_trains_pauses_and_goes_on_and_tells_no_more_than_ten_times_a_second(torch_engine, qtbot) -> None:
    from visualizer.record import training
    from visualizer.train import course_of, news_from, plain_course, run_from

    heard = Heard(torch_engine, qtbot)
    course = course_of({"seed": "5"}, training.taught("mlp_small")[0])
    words = {"model": "mlp_small", "course": plain_course(course), "sample": "digit-2148"}
    number = torch_engine.request("train", upto=100_000, **words)
    begun = time.monotonic()
    qtbot.waitUntil(lambda: sum(bool(said[3]) for said in heard.of("progress")) >= 4, timeout=WAIT)
    torch_engine.cancel(number)
    lasted = time.monotonic() - begun
    told = [json.loads(said[3]) for said in heard.of("progress") if said[3]]
    assert len(told) <= 2 + 10 * lasted
    run = run_from(told[0])
    for plain in told[1:]:
        run = run.grown(*news_from(plain))
    assert [each.step for each in run.updates] == list(range(1, run.step + 1))
    before = len(heard.of("progress"))
    upto = run.step + 1
    answer = heard.until_answer(torch_engine.request("train", upto=upto, known=run.step, **words))
    assert answer["step"] >= upto
    for _, _, _, plain in heard.of("progress")[before:]:
        run = run.grown(*news_from(json.loads(plain))) if plain else run
    assert run.step == upto
    alone, learner = training.begin("mlp_small", course, sample="digit-2148")
    for news in training.advance(alone, learner, upto):
        alone = alone.grown(*news)
    if run.checkpoints[-1].step == upto > alone.checkpoints[-1].step:  # where it stands, and none was kept
        alone = alone.grown(checkpoints=(training.at_the_end(learner),))
    assert run.plain() == alone.plain()
    told_before = len(heard.of("progress"))
    answer = heard.until_answer(torch_engine.request("train", upto=0, **words))  # what there is, and no update more
    whole = run_from(json.loads(next(said[3] for said in heard.of("progress")[told_before:] if said[3])))
    assert whole.step == answer["step"] >= upto
    assert [each.step for each in whole.updates] == list(range(1, whole.step + 1))
