"""Asks servers: bounded in time and memory, repeated where that is safe, and with credentials for their own host only."""

from __future__ import annotations

import atexit
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote
from weakref import WeakSet

import msgspec
import requests
from urllib3.exceptions import HTTPError

from release.adapters.decoding import decoded
from release.adapters.haste import HASTE, patience
from release.adapters.http.address import joined, origin, shown
from release.adapters.http.answers import Answers
from release.adapters.http.cache import Cache
from release.adapters.http.content import CHUNK, body, weight
from release.adapters.http.exchange import AGAIN, Answer, Ask, Glimpse, Trouble, colon, refusal
from release.adapters.http.limits import Limits, limited
from release.adapters.http.lines import Line, proxies, quiet
from release.adapters.http.pace import GITHUB, Pace, Rates
from release.adapters.http.reasons import reason
from release.adapters.http.spent import Spent
from release.errors import ConfigError, Refused, ReleaseError, Uncertain, Unseen
from release.redact import Redactor

REDIRECTS = (301, 302, 303, 307, 308)
PASSING = (500, 502, 503, 504)
BUSY = (429, 502, 503, 504)  # of what is only glimpsed: a server's own 500 is what it has to say
HOPS = 5
SLOWEST = 16 << 10  # bytes a second, of what is streamed
IDLE = 2.0  # seconds; on an older connection, a write may meet a server that has just hung up
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
STOPPED = "we were told to stop"
OURS = "more at once is not what its rules allow"


class Http:
    """One a process, for all its threads. `environment` names proxies and CA bundle; nothing else is taken from anywhere.

    `patience` is how many seconds one call waits for limits in all; in a thread that is in a hurry it is a moment (see
    `haste`). What has to wait longer raises Unseen, a write Refused, with `after`. `paced` are the addresses, by how they
    begin, where `rates` are kept to, together with the commands that share `spent`. `answers` keeps answers for later
    processes. `pause` sleeps, `clock` is monotonic; both are in seconds.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        hide: Redactor,
        agent: str = "sluice",
        *,
        patience: float = 120.0,
        tries: int = 4,
        backoff: float = 0.5,
        connect: float = 10.0,
        read: float = 30.0,
        total: float = 90.0,
        paced: tuple[str, ...] = (),
        rates: Rates = GITHUB,
        answers: Answers | None = None,
        spent: Spent | None = None,
        pause: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        quiet()
        self._environment = environment
        self._bundle = bundle(environment)
        self._hide, self._agent = hide, agent
        for name, value in environment.items():
            if name.lower().endswith("_proxy") and "@" in value:
                hide.learn(unquote(value.rpartition("@")[0].rpartition("/")[2].partition(":")[2]))
        self._patience, self._tries, self._backoff = patience, tries, backoff
        self._timeout, self._total = (connect, read), total
        self._stopped = threading.Event()
        self._pause, self._clock = pause or self._stopped.wait, clock
        self._limits = Limits(clock)
        self._paced, self._pace = paced, Pace(rates, clock, spent)
        if spent is not None:
            atexit.register(self._pace.share)
        self._cache, self._answers = Cache(), answers
        self._lines: WeakSet[Line] = WeakSet()
        self._mine = threading.local()
        self._lock = threading.Lock()

    def now(self, url: str) -> datetime | None:
        """The time at a server, None if it has not answered yet."""
        return self._limits.now(origin(url))

    def answer(self, ask: Ask) -> Answer:
        """Ask, and hold the answer whole. Whatever a server decided is an Answer, 4xx as well.

        A read that gets none raises Unseen. A write raises Refused if it is certainly not done, else Uncertain.
        """
        return self._settled(ask, self._whole)

    def pieces(self, ask: Ask, wrong: Callable[[Answer], ReleaseError]) -> Iterator[bytes]:
        """Read a body of any length in pieces, to its end; `wrong` says what an answer that is no body means."""
        got: list[tuple[Line, requests.Response]] = []

        def opened(ask: Ask) -> Answer | Trouble:
            return self._opened(ask, got)

        answer = self._settled(ask, opened)
        if not answer.good or not got:
            raise wrong(answer)
        line, response = got[-1]
        try:
            yield from self._drawn(ask, line, response)
        finally:
            response.close()

    def glimpse(self, ask: Ask, most: int, seconds: float) -> Glimpse:
        """Whatever a server says, a 503 as well, and the first `most` bytes of its body, of any kind; all in so many seconds.

        For those who are no API: `ask.shape` means nothing. Who does not answer, or is busy, is asked again, what is
        written as well, and is an answer in the end where it said something; else Unseen, a write Refused.
        """
        ends, failed = self._clock() + seconds, 0
        while True:
            self._admitted(ask, ask.url, min(patience(self._patience), ends - self._clock()))
            with self._ending(ask, ask.url):
                got = self._glimpsed(ask, most, ends - self._clock())
            failed += 1
            passing = got.passing if isinstance(got, Trouble) else got.status in BUSY
            pause = self._backoff * 2 ** (failed - 1) * random.uniform(0.5, 1.5)
            if passing and failed < self._tries and self._clock() + pause < ends:
                self._rest(ask, pause)
                continue
            if isinstance(got, Trouble):
                self._lost(ask, got)
            return got

    def stop(self) -> None:
        """End all pauses and exchanges, now; nothing is asked any more."""
        self._stopped.set()
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            line.end(STOPPED)

    def close(self) -> None:
        """Let go of all connections; for when nobody asks any more."""
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            line.close()

    def _settled(self, ask: Ask, once: Callable[[Ask], Answer | Trouble]) -> Answer:
        """Ask until something is decided, as often as that is safe."""
        left, failed = patience(self._patience), 0
        while True:
            left -= self._admitted(ask, ask.url, left)
            asked_at = self._clock()
            with self._ending(ask, ask.url):
                got = once(ask)
            if isinstance(got, Answer) and limited(got.status, got.headers, got.words):
                self._limits.met(origin(ask.url), got.headers, asked_at, got.words)
                continue
            if isinstance(got, Answer) and got.status not in PASSING:
                self._limits.passed(origin(ask.url))
                return got
            failed += 1
            trouble = got if isinstance(got, Trouble) else Trouble(f"it answered {got.status}{colon(got.words)}")
            if trouble.sent and not (ask.reads or ask.harmless):
                raise Uncertain(f"{ask.what}: {shown(ask.url)} was asked, but its answer was lost ({trouble.why})")
            if not trouble.passing or failed >= self._tries:
                self._lost(ask, trouble)
            self._rest(ask, self._backoff * 2 ** (failed - 1) * random.uniform(0.5, 1.5))

    def _admitted(self, ask: Ask, url: str, left: float) -> float:
        """Wait for a server's limit and for our own pace; the seconds that it took. What is let go has to end."""
        place, waited = origin(url), 0.0
        if url == ask.url and place not in ask.origins:
            raise _no(ask)(f"cannot {ask.what}: {shown(ask.url)} is not on {' or '.join(sorted(ask.origins))}", "")
        self._rest(ask, 0.0)
        while (pause := self._limits.remaining(place) or self._ahead(ask, url)) > 0:
            if waited + pause > left:
                self._beyond(ask, url, pause)
            self._rest(ask, pause)
            waited += pause
        return waited

    def _ahead(self, ask: Ask, url: str) -> float:
        """Seconds that our own pace makes it wait; at 0 it is let go."""
        return self._pace.begin(not ask.reads, ask.creates) if url.startswith(self._paced) else 0.0

    def _ending(self, ask: Ask, url: str) -> AbstractContextManager[None]:
        return self._pace.ending(not ask.reads) if url.startswith(self._paced) else nullcontext()

    def _beyond(self, ask: Ask, url: str, pause: float) -> NoReturn:
        place = origin(url)
        now, told = self._limits.now(place), self._limits.remaining(place) > 0
        if url.startswith(self._paced) and not told:
            pause = max(pause, self._pace.turn(not ask.reads, ask.creates))
        ends = f"for {pause:.0f} more seconds"
        if now is not None:
            ends = f"before {datetime.fromtimestamp(now.timestamp() + pause, now.tzinfo):%Y-%m-%d %H:%M:%S} UTC"
        raise _no(ask)(
            f"cannot {ask.what}: {place} takes no more requests {ends}{colon(self._limits.why(place) if told else OURS)}",
            "nothing is lost: the same command goes on from here then",
            after=0.0 if told and pause > self._patience else pause,  # nobody sits before a command for an hour
        )

    def _rest(self, ask: Ask, seconds: float) -> None:
        if seconds > 0:
            self._pause(seconds)
        if self._stopped.is_set():
            raise _no(ask)(f"cannot {ask.what}: {STOPPED}", AGAIN)

    def _lost(self, ask: Ask, trouble: Trouble) -> NoReturn:
        raise _no(ask)(f"cannot {ask.what}: {shown(ask.url)}: {trouble.why}", trouble.remedy)

    def _whole(self, ask: Ask) -> Answer | Trouble:
        """One try, with its answer read to the end."""
        secret = ask.secret()
        opens = sha256(repr(sorted(secret.items())).encode()).hexdigest()
        key = (ask.url, ask.headers.get("Accept", ""), opens)
        kept = self._kept(ask, key) if ask.method == "GET" else None
        asked = replace(ask, headers={**ask.headers, "If-None-Match": kept.headers["etag"]}) if kept else ask
        with self._exchange(asked, secret) as (line, response):
            if isinstance(response, Trouble):
                return response
            held = self._held(ask, line, response)
            if isinstance(held, Trouble):
                return held
            if response.status_code == 304 and kept:
                return kept
            answer = self._read(ask, response, held)
        if isinstance(answer, Answer) and ask.method == "GET" and answer.status == 200 and "etag" in answer.headers:
            self._cache.put((*key, ask.shape), answer, len(held))
            if self._answers is not None and ask.shape is not None:
                self._answers.put(key, answer, held)
        return answer

    def _kept(self, ask: Ask, key: tuple[str, str, str]) -> Answer | None:
        """What this process or an earlier one was answered, if it can be read; whether it is still right, the server says."""
        kept = self._cache.get((*key, ask.shape))
        if kept is not None or self._answers is None or ask.shape is None:
            return kept
        found = self._answers.get(key, ask.largest)
        if found is None:
            return None
        answer, held = found
        try:
            answer = replace(answer, value=held if ask.shape is bytes else decoded(held, ask.shape))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        self._cache.put((*key, ask.shape), answer, len(held))
        return answer

    def _opened(self, ask: Ask, got: list[tuple[Line, requests.Response]]) -> Answer | Trouble:
        """One try at a long body: open it, and leave it open if it is one."""
        with self._exchange(ask, ask.secret(), keep=True) as (line, response):
            if isinstance(response, Trouble):
                return response
            if response.status_code == 200:
                got.append((line, response))
                return Answer(200, response.headers)
            try:
                held = self._held(ask, line, response)
                return held if isinstance(held, Trouble) else self._read(replace(ask, shape=None), response, held)
            finally:
                response.close()

    def _glimpsed(self, ask: Ask, most: int, seconds: float) -> Glimpse | Trouble:
        """One try, with no more of its answer read than is wanted."""
        with self._exchange(ask, ask.secret(), total=seconds) as (line, response):
            if isinstance(response, Trouble):
                return response
            held = self._held(ask, line, response, most)
            if isinstance(held, Trouble):
                return held
            relayed = response.url.startswith("http://") and bool(proxies(self._environment, response.url))
            return Glimpse(response.status_code, response.headers, held[:most], relayed)

    @contextmanager
    def _exchange(
        self, ask: Ask, secret: Mapping[str, str], keep: bool = False, total: float | None = None
    ) -> Iterator[tuple[Line, requests.Response | Trouble]]:
        """Send, and follow where that is allowed; what is slow as a whole, in `total` seconds, is cut."""
        line = self._line()
        if not ask.reads and self._clock() - line.used > IDLE:
            line.close()
        longest = self._total + weight(ask) / SLOWEST if total is None else total
        timer = threading.Timer(longest, line.cut, ("it took too long", line.begin()))
        timer.daemon = True
        timer.start()
        response: requests.Response | Trouble | None = None
        try:
            response = self._followed(ask, line, secret)
            if keep:
                timer.cancel()
            yield line, response
        finally:
            timer.cancel()
            line.used = self._clock()
            if isinstance(response, requests.Response) and not keep:
                response.close()

    def _followed(self, ask: Ask, line: Line, secret: Mapping[str, str]) -> requests.Response | Trouble:
        """Where an answer sends a read elsewhere, follow by hand: another host gets nothing of ours but Accept."""
        url, headers = ask.url, {**ask.headers, **secret, "User-Agent": self._agent}
        for hop in count():
            if hop:
                self._admitted(ask, url, HASTE)
            with self._ending(ask, url) if hop else nullcontext():
                got = self._sent(ask, line, url, headers)
            if (
                isinstance(got, Trouble)
                or ask.stays
                or got.status_code not in REDIRECTS
                or "location" not in got.headers
            ):
                return got
            got.close()
            to = joined(url, got.headers["location"])
            same = origin(to) == origin(url)
            if not ask.reads and not (same and got.status_code in (307, 308)):
                return Trouble(f"it has moved to {shown(to)}", False, False, f"mend the address, then {AGAIN}")
            if hop == HOPS:
                return Trouble(f"it sends from one address to the next, the last is {shown(to)}", passing=False)
            if not to.startswith("https://") and not (to.startswith("http://") and url.startswith("http://")):
                return Trouble(f"it sends to {shown(to)}, which is not safe", passing=False)
            url = to
            if not same:
                headers = {name: value for name, value in ask.headers.items() if name.lower() == "accept"}
        raise AssertionError("the hops never end")

    def _sent(self, ask: Ask, line: Line, url: str, headers: Mapping[str, str]) -> requests.Response | Trouble:
        """One request on one connection. A foreign exception may hold our headers: none is kept."""
        coding = {} if "Accept-Encoding" in headers else {"Accept-Encoding": "gzip" if ask.shape else "identity"}
        try:
            with body(ask) as content:
                request = requests.Request(ask.method, url, headers={**coding, **headers}, data=content).prepare()
                if request.url is None or origin(request.url) != origin(url):
                    return Trouble(f"{shown(url)} is no address", sent=False, passing=False)
                got = line.send(
                    request, timeout=self._timeout, verify=self._bundle, proxies=proxies(self._environment, url)
                )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            trouble = self._trouble(line, error)
        else:
            self._limits.heard(origin(url), got.headers)
            return got
        line.mend()
        return trouble

    def _trouble(self, line: Line, error: BaseException) -> Trouble:
        passing = not isinstance(error, (requests.exceptions.SSLError, requests.exceptions.InvalidURL))
        remedy = AGAIN if line.sent else f"look to the network, then {AGAIN}"
        return Trouble(line.cut_for or reason(error), line.sent, passing or line.sent, remedy)

    def _held(self, ask: Ask, line: Line, response: requests.Response, most: int | None = None) -> bytes | Trouble:
        """A body, if it is complete and not too large; or its beginning, where `most` bytes are enough."""
        parts: list[bytes] = []
        size = 0
        try:
            while (most is None or size < most) and (part := response.raw.read1(CHUNK, decode_content=True)):
                parts.append(part)
                size += len(part)
                if size > ask.largest:
                    return Trouble(f"its answer is longer than {ask.largest >> 20} MiB", passing=False)
        except (HTTPError, OSError, ValueError) as error:
            trouble = Trouble(line.cut_for or f"its answer broke off ({reason(error)})")
            line.mend()
            return trouble
        if line.cut_for:
            trouble = Trouble(line.cut_for)
            line.mend()
            return trouble
        return b"".join(parts)

    def _read(self, ask: Ask, response: requests.Response, held: bytes) -> Answer | Trouble:
        """Understand an answer. What is not in its form is none: a proxy's page is not a server's word."""
        status, headers = response.status_code, response.headers
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
        if not 200 <= status < 300:
            words = self._hide.redacted(refusal(held)) if json else ""
            if ask.reads and status < 500 and status != 429 and not words and not ask.bare:
                return Trouble(f"it answered {status} with {kind or 'nothing'}")
            return Answer(status, headers, words=words)
        onward = response.links.get("next", {}).get("url", "")
        onward = joined(ask.url, onward) if onward else ""
        if status == 204 or (ask.shape is None and (json or not held)):
            return Answer(status, headers, next=onward)
        if not json:
            return Trouble(f"it answered with {kind or 'something without a type'}, not with JSON")
        if ask.shape is bytes:
            return Answer(status, headers, held, next=onward)
        try:
            return Answer(status, headers, decoded(held, ask.shape), next=onward)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return Trouble(f"its answer is not what it should be ({self._hide.redacted(str(error))[:200]})")

    def _drawn(self, ask: Ask, line: Line, response: requests.Response) -> Iterator[bytes]:
        """A body's pieces as they come, not slower than `SLOWEST` in the long run; only waiting for the server counts."""
        took, size = 0.0, 0
        while True:
            began = self._clock()
            try:
                piece = response.raw.read1(CHUNK, decode_content=True)
            except (HTTPError, OSError, ValueError) as error:
                why = line.cut_for or reason(error)
                line.mend()
                piece = None
            took, size = took + self._clock() - began, size + len(piece or b"")
            if piece is not None and (line.cut_for or took > self._total + size / SLOWEST):
                why, piece = line.cut_for or "it is too slow", None
            if piece is None:
                raise Unseen(f"cannot {ask.what}: {shown(ask.url)} broke off after {size} bytes ({why})", AGAIN)
            if not piece:
                return
            yield piece

    def _line(self) -> Line:
        line: Line | None = getattr(self._mine, "line", None)
        if line is None:
            line = self._mine.line = Line(self._timeout[1])
            with self._lock:
                self._lines.add(line)
            if self._stopped.is_set():
                line.end(STOPPED)
        return line


def bundle(environment: Mapping[str, str]) -> str | bool:
    """The certificates to trust: a file or folder that the environment names, else those that come with `requests`."""
    name = next((name for name in BUNDLES if environment.get(name)), "")
    if name and not Path(environment[name]).exists():
        raise ConfigError(f"{name} names {environment[name]}, which is not there", "mend it, or unset it")
    return environment[name] if name else True


def _no(ask: Ask) -> type[Unseen] | type[Refused]:
    return Unseen if ask.reads else Refused
