from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.frames import DEFLATE, Tape
from traceproof.proxy.exchange import Chunk
from traceproof.proxy.websocket.socket import Passed, Socket


def lines(passed: list[Passed]) -> list[str]:
    """Return messages as a transcript."""
    return [f"{'>' if told.from_client else '<'} {told.message.data.decode()}" for told in passed]


def talk(**more: str) -> Tape:
    """Return a socket on which both sides have spoken, in turns."""
    tape = Tape(**more)
    for number in range(3):
        tape.asks(tape.client.message(f"ask {number}"))
        tape.says(tape.server.message(f"say {number}"))
    return tape


TRANSCRIPT = ["> ask 0", "< say 0", "> ask 1", "< say 1", "> ask 2", "< say 2"]


def test_messages_come_in_the_order_in_which_they_passed() -> None:
    socket = Socket(talk().exchange)

    assert lines(list(socket.read())) == TRANSCRIPT
    assert list(socket.finish()) == []


def test_what_has_been_read_is_not_kept_in_memory() -> None:
    exchange = talk().exchange
    sizes = [
        sum(len(chunk.data) for chunk in chunks)
        for chunks in (exchange.request_chunks, exchange.response_chunks)
    ]

    list(Socket(exchange).read())

    assert (exchange.request_chunks, exchange.response_chunks) == ([], [])
    assert [exchange.request_taken, exchange.response_taken] == sizes


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=8))
def test_looks_at_any_moment_change_nothing(looks: list[tuple[bool, int]]) -> None:
    whole, tape = talk(deflate=DEFLATE).exchange, Tape(deflate=DEFLATE)
    waiting = {True: whole.request_chunks, False: whole.response_chunks}
    into = {True: tape.exchange.request_chunks, False: tape.exchange.response_chunks}
    socket = Socket(tape.exchange)
    found: list[Passed] = []

    for from_client, count in looks:
        for _ in range(count):
            _let_through(waiting, into)
        found += socket.read() if from_client else ()
    while any(waiting.values()):
        _let_through(waiting, into)
    found += socket.finish()

    assert lines(found) == TRANSCRIPT


def _let_through(waiting: dict[bool, list[Chunk]], into: dict[bool, list[Chunk]]) -> None:
    """Let the chunk that comes first arrive."""
    sides = [side for side in (True, False) if waiting[side]]
    if sides:
        side = min(sides, key=lambda side: waiting[side][0].time)
        into[side].append(waiting[side].pop(0))


def test_a_question_that_came_while_one_looked_waits_for_what_came_before_it() -> None:
    class Late(list[Chunk]):
        """A list to which another is added once its length has been asked for."""

        later: Chunk | None = None

        def __len__(self) -> int:
            count = super().__len__()
            if self.later:
                self.append(self.later)
                self.later = None
            return count

    tape = Tape()
    asks = Late()
    tape.exchange.request_chunks = asks
    tape.asks(tape.client.message("ask 0"))
    socket = Socket(tape.exchange)
    tape.tick()
    asks.later = Chunk(tape.tick() + 5 * 10**6, tape.client.message("ask 1"))

    first = lines(list(socket.read()))
    tape.says(tape.server.message("say 0"))
    second = lines(list(socket.read()))

    assert first + second == ["> ask 0", "< say 0", "> ask 1"]


def test_a_socket_says_who_closed_it_and_what_was_wrong() -> None:
    tape = talk()
    tape.says(tape.server.close(1011, "out of order"))
    tape.asks(b"\x83\x00")
    socket = Socket(tape.exchange)

    list(socket.read())

    assert socket.closed == "the server closed the web socket: 1011 out of order"
    assert socket.problem.startswith("the client: the frames are broken")


def test_the_first_to_close_is_told() -> None:
    tape = talk()
    tape.asks(tape.client.close(1000))
    socket = Socket(tape.exchange)
    assert socket.closed == ""

    list(socket.finish())

    assert socket.closed == "the client closed the web socket: 1000"


def test_what_was_under_way_at_the_end_is_told_as_far_as_it_came() -> None:
    tape = talk()
    tape.says(tape.server.message("say more")[:-4])
    socket = Socket(tape.exchange)

    *_, (from_client, message) = socket.finish()

    assert (from_client, message.data, message.whole) == (False, b"say ", False)
