"""Eight threads call count_doubles at once, with texts that they share.

Usage: python hammer.py SECONDS [--no-fresh]. Without fresh texts, none is freed while threads run:
ThreadSanitizer does not see that CPython counts references, and would report each.

A free-threaded interpreter runs it, with the package installed. It ends with 1 if an answer is
wrong, or if the GIL is on; a crash ends it with a signal. It prints the number of calls.
"""

import random
import sys
import threading
import time

from fast_doubles import count_doubles

THREADS = 8
LENGTHS = (0, 1, 5, 127, 128, 129, 4095, 4096, 4097, 20_000)
# ASCII, Cyrillic, CJK, emoji, a lone surrogate, Latin-1: each is stored in another way.
LETTERS = ("ab", "яб", "人我", "🦀😀", "a\ud800", "aé")


class Subclass(str):
    """A `str` that is not exactly one."""


def expected(text: str | bytes) -> int:
    """The definition."""
    return sum(a == b for a, b in zip(text, text[1:], strict=False))


def main(seconds: float, make_fresh: bool) -> None:
    generator = random.Random(1)
    plain = ["".join(generator.choices(letters, k=n)) for letters in LETTERS for n in LENGTHS]
    encoded = [text.encode("utf-8", "surrogatepass") for text in plain]
    texts: list[str | bytes] = [*plain, *encoded, *map(Subclass, plain)]
    answers = [expected(text) for text in texts]
    fresh = [("", 0)]  # what one thread has made a moment ago, for the others
    start, wrong, calls = threading.Barrier(THREADS), list[str](), [0] * THREADS

    def work(number: int) -> None:
        mine = random.Random(number)
        start.wait()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for index in mine.choices(range(len(texts)), k=200):
                if count_doubles(texts[index]) != answers[index]:
                    wrong.append(f"text {index}")
            if make_fresh:
                made = "".join(mine.choices("яб", k=300))
                fresh[0] = (made, expected(made))
            text, answer = fresh[0]
            if count_doubles(text) != answer:
                wrong.append("a fresh text")
            try:
                count_doubles(bytearray(b"aa"))
                wrong.append("bytearray was taken")
            except TypeError:
                calls[number] += 202

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(calls)} calls, {len(wrong)} wrong: {sorted(set(wrong))[:5]}")
    sys.exit(bool(wrong) or getattr(sys, "_is_gil_enabled", lambda: True)())


if __name__ == "__main__":
    main(float(sys.argv[1]), "--no-fresh" not in sys.argv)
