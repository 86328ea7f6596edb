"""The last hours one by one, as the log tells of them: what charts are drawn from. Pure."""

from collections import Counter, deque

from kis.ops.report_lines import Access, Fact, Message, Refusal
from kis.ops.report_tally import DENIED, Timings, two_digits

LENGTH = 13
"""An hour is named by the beginning of the moments in it: `2026-11-22T10`."""

LATEST_DENIALS = 12


class Hour:
    """What happened within an hour."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.timings = Timings()
        self.faults = 0
        self.refusals: Counter[str] = Counter()


class Hours:
    """All hours from one on, by name, and who was denied last."""

    def __init__(self, first: str) -> None:
        """Count from the hour `first` on."""
        self._first = first
        self.by_name: dict[str, Hour] = {}
        self.denials: deque[Access] = deque(maxlen=LATEST_DENIALS)

    def forget_before(self, first: str) -> None:
        """Forget the hours before `first`, as time goes on."""
        self._first = first
        self.by_name = {name: hour for name, hour in self.by_name.items() if name >= first}
        kept = (denial for denial in self.denials if denial.at >= first)
        self.denials = deque(kept, LATEST_DENIALS)

    def add(self, fact: Fact) -> None:
        """Count a fact, unless it is older."""
        name = fact.at[:LENGTH]
        hour = self.by_name.get(name)
        if hour is None:
            if name < self._first:
                return
            hour = self.by_name[name] = Hour()
        match fact:
            case Access():
                hour.timings.add(two_digits(fact.ms))
                if fact.status in DENIED:
                    self.denials.append(fact)
            case Refusal():
                hour.refusals[fact.code] += 1
            case Message(level="ERROR" | "CRITICAL"):
                hour.faults += 1
