"""A line of the journal as people read it: aligned columns, and colour where it means something.

Columns: time of day, tier or kind of event, then what matters. Text wraps under its own column.
"""

import textwrap
from collections.abc import Callable
from datetime import datetime, tzinfo

from edge_daemon.journal.values import (
    NO_BREAK,
    Fields,
    duration,
    listed,
    ms_of,
    names_in,
    number_of,
    text_of,
)
from edge_daemon.journal.wayup import way_up, way_up_in_time
from edge_daemon.terminal import printable

_DIM, _BOLD, _REVERSE, _RED, _GREEN, _YELLOW = "2", "1", "7", "31", "32", "33"
_TIERS = {"critical": "31", "low": "33", "medium": "36", "high": "32"}
_STATES = {"healthy": _GREEN, "ended": _DIM, "stalled": _YELLOW, "reconnecting": _YELLOW}
_ENVELOPE = ("schema", "ts", "mono_ns", "boot_id", "seq", "event")
_KIND = 10
_COLUMN = 26
_BAR = 10
_WIDE = 100


class Renderer:
    """Renders lines for one terminal.

    Args:
        width: columns of the terminal; at least 60 are used.
        colour: whether to use ANSI colours.
        zone: time zone to show; None for the local one.
    """

    def __init__(
        self, *, width: int = 80, colour: bool = False, zone: tzinfo | None = None
    ) -> None:
        self.width = max(width, 60)
        self._colour = colour
        self._zone = zone

    def __call__(self, fields: Fields) -> str:
        """Return the text for one line of the journal; several lines where it does not fit."""
        render = _EVENTS.get(text_of(fields, "event"), _unknown)
        return render(self, fields)

    def day(self, fields: Fields) -> str:
        """Return the local date of a line, for a heading; empty where it has none."""
        moment = self._moment(fields)
        return "" if moment is None else f"{moment:%A} {moment.day} {moment:%B %Y}"

    def date(self, fields: Fields, key: str) -> str:
        """Return a time of day with its local date; empty where it is none."""
        moment = self._moment(fields, key)
        return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"

    def heading(self, text: str) -> str:
        """Return a heading across the terminal."""
        return self.paint(f"── {text} ".ljust(self.width, "─"), _DIM)

    def row(
        self, fields: Fields, kind: str, text: str, *details: str, kind_codes: str, code: str = ""
    ) -> str:
        """Return time, kind, and a text that wraps under itself; dim details go below."""
        body = [self.paint(line, code) for line in self._wrap(text)] or [""]
        body += [self.paint(line, _DIM) for detail in details for line in self._wrap(detail)]
        head = self.head(fields, kind, kind_codes)
        return (head + f"\n{'':{_COLUMN}}".join(body)).rstrip()

    def head(self, fields: Fields, kind: str, *codes: str) -> str:
        """Return the first two columns."""
        moment = self._moment(fields)
        time = "--:--:--.---" if moment is None else f"{moment:%H:%M:%S.%f}"[:12]
        return f"{self.paint(time, _DIM)}  {self.paint(f'{kind:{_KIND}}', *codes)}  "

    def paint(self, text: str, *codes: str) -> str:
        """Return the text in colour, where colour is wanted."""
        wanted = ";".join(code for code in codes if code)
        return f"\x1b[{wanted}m{text}\x1b[0m" if self._colour and wanted and text else text

    def _wrap(self, text: str) -> list[str]:
        lines = textwrap.wrap(text, self.width - _COLUMN, break_on_hyphens=False)
        return [line.replace(NO_BREAK, " ") for line in lines]

    def _moment(self, fields: Fields, key: str = "ts") -> datetime | None:
        try:
            return datetime.fromisoformat(text_of(fields, key)).astimezone(self._zone)
        except (ValueError, OverflowError, OSError):
            return None


def _start(to: Renderer, fields: Fields) -> str:
    torn = number_of(fields, "repaired_bytes")
    return to.row(
        fields,
        "start",
        f"edge-daemon {text_of(fields, 'version')} with {text_of(fields, 'bundle')} in "
        f"{text_of(fields, 'tier')}" + (" (pinned)" if fields.get("pinned") else ""),
        listed(f"video {text_of(fields, 'video')}", f"audio {text_of(fields, 'audio')}"),
        listed(
            text_of(fields, "board"),
            text_of(fields, "runtime"),
            f"Python {text_of(fields, 'python')}",
            f"pid {text_of(fields, 'pid')}",
        ),
        f"{torn:.0f} torn bytes cut from the journal's end" if torn else "",
        kind_codes=_GREEN,
    )


def _prediction(to: Renderer, fields: Fields) -> str:
    tier, label, best = (text_of(fields, key) for key in ("tier", "label", "best"))
    confidence = min(1.0, max(0.0, number_of(fields, "confidence") or 0.0))
    sure = label == best
    code = _TIERS.get(tier, "")
    mark = " "
    if fields.get("truth") is not None:
        right = label == (text_of(fields, "truth") or "unknown")
        mark = to.paint("✓", _GREEN) if right else to.paint("✗" if sure else "·", _RED)
    bar = round(confidence * _BAR)
    picture = "picture" if fields.get("image") else ""
    sound = "sound" if fields.get("audio") else ""
    cells = [
        to.paint(f"{label if sure else best + '?':10}", _BOLD if sure else _DIM) + mark,
        to.paint("█" * bar, code) + to.paint("░" * (_BAR - bar), _DIM) + f" {confidence:4.0%}",
        to.paint(f"{picture:7} {sound:5}", _DIM) + f" {ms_of(fields, 'age_ms'):>8}",
    ]
    if to.width >= _WIDE:
        cells.append(
            to.paint(f"{ms_of(fields, 'cycle_ms'):>8}  {text_of(fields, 'window'):>7}", _DIM)
        )
    return (to.head(fields, tier, code) + " ".join(cells)).rstrip()


def _tier_change(to: Renderer, fields: Fields) -> str:
    before, after = text_of(fields, "from"), text_of(fields, "to")
    ranks = list(_TIERS)
    down = after in ranks and before in ranks and ranks.index(after) < ranks.index(before)
    wait_s = number_of(fields, "next_change_s")
    timing = [f"gap {ms_of(fields, 'gap_ms')}", f"prepared in {ms_of(fields, 'prepare_ms')}"]
    if wait_s is not None:
        timing.append(f"not up again for {wait_s:.0f} s")
    return to.row(
        fields,
        f"{'▼' if down else '▲'} {after}",
        f"from {before}: {text_of(fields, 'reason') or text_of(fields, 'resource')}",
        listed(*_board(fields.get("reading")), _headroom(fields.get("headroom"))),
        way_up(fields),
        listed(*timing),
        kind_codes=f"{_REVERSE};{_TIERS.get(after, _BOLD)}",
        code=_BOLD,
    )


def _reading(to: Renderer, fields: Fields) -> str:
    parts = *_board(fields.get("reading")), _headroom(fields.get("headroom"))
    found = fields.get("decision")
    decision = found if isinstance(found, dict) else {}
    return to.row(
        fields,
        "reading",
        listed(*parts),
        ": ".join(filter(None, (text_of(fields, "tier"), text_of(decision, "reason")))),
        way_up_in_time(decision),
        kind_codes=_DIM,
    )


def _capture(to: Renderer, fields: Fields) -> str:
    state, previous = text_of(fields, "state"), text_of(fields, "previous")
    remarks = state == previous
    was = "" if remarks else f", was {previous}"
    counts = [
        f"{text_of(fields, key)} {key}"
        for key in ("dropped", "overflows", "reconnects")
        if number_of(fields, key)
    ]
    return to.row(
        fields,
        text_of(fields, "source"),
        f"{state}{was}: {text_of(fields, 'name')}",
        text_of(fields, "detail"),
        listed(*counts),
        kind_codes=_YELLOW if remarks else _STATES.get(state, _RED),
    )


def _fault(to: Renderer, fields: Fields) -> str:
    count = number_of(fields, "count") or 1
    times = f" ({count:.0f} times)" if count > 1 else ""
    text = f"{text_of(fields, 'part')}: {text_of(fields, 'message')}{times}"
    return to.row(fields, "fault", text, kind_codes=f"{_REVERSE};{_RED}")


def _clock(to: Renderer, fields: Fields) -> str:
    by_s = number_of(fields, "by_s") or 0.0
    lasted = duration(abs(by_s))
    way = "back" if by_s < 0 else "ahead"
    slept = text_of(fields, "change") == "suspend"
    text = f"the board slept for {lasted}" if slept else f"the wall clock was set {lasted} {way}"
    ends = listed(f"from {to.date(fields, 'from')}", f"to {to.date(fields, 'to')}")
    return to.row(fields, "clock", text, ends, kind_codes=_YELLOW)


def _reload(to: Renderer, fields: Fields) -> str:
    if fields.get("error") is not None:
        text = f"refused, the old config stays: {text_of(fields, 'error')}"
        return to.row(fields, "reload", text, kind_codes=_RED)
    applied, restart = names_in(fields.get("applied")), names_in(fields.get("restart"))
    text = f"applied {applied}" if applied else "nothing to apply"
    waits = f"after a restart: {restart}" if restart else ""
    return to.row(fields, "reload", text, waits, kind_codes=_GREEN)


def _stop(to: Renderer, fields: Fields) -> str:
    scored, correct = number_of(fields, "scored"), number_of(fields, "correct") or 0.0
    reused = number_of(fields, "reused")
    late, late_max_s = number_of(fields, "late_windows"), number_of(fields, "late_max_s") or 0.0
    spent = fields.get("tier_s")
    tiers = spent if isinstance(spent, dict) else {}
    return to.row(
        fields,
        "stop",
        f"{text_of(fields, 'reason')}, after {duration(number_of(fields, 'uptime_s') or 0.0)}",
        listed(
            f"{text_of(fields, 'predictions')} predictions",
            f"{reused:.0f} of them reused" if reused else "",
            f"{correct / scored:.1%} of {scored:.0f} right" if scored else "",
            f"{text_of(fields, 'swaps')} swaps",
            f"{late:.0f} windows late, by {late_max_s:.2f} s at most" if late else "",
            f"{text_of(fields, 'dropped_frames')} frames skipped · "
            f"{text_of(fields, 'lost_samples')} samples lost",
        ),
        listed(
            *(
                f"{printable(str(tier))} {duration(seconds)}"
                for tier in tiers
                if (seconds := number_of(tiers, tier)) is not None
            )
        ),
        listed(
            f"cycle p50 {ms_of(fields, 'cycle_p50_ms')}, p99 {ms_of(fields, 'cycle_p99_ms')}",
            f"age p99 {ms_of(fields, 'age_p99_ms')}",
        ),
        kind_codes=_YELLOW,
    )


def _unknown(to: Renderer, fields: Fields) -> str:
    """Render an event of a later version: its fields as they are."""
    rest = [f"{key}={value}" for key, value in fields.items() if key not in _ENVELOPE]
    return to.row(fields, text_of(fields, "event"), printable(" ".join(rest)), kind_codes="")


_EVENTS: dict[str, Callable[[Renderer, Fields], str]] = {
    "start": _start,
    "prediction": _prediction,
    "tier_change": _tier_change,
    "reading": _reading,
    "capture": _capture,
    "fault": _fault,
    "clock": _clock,
    "reload": _reload,
    "stop": _stop,
}


def _board(reading: object) -> list[str]:
    """Return a reading in words, what is not known left out."""
    if not isinstance(reading, dict):
        return []
    parts = []
    for key, form in (
        ("cpu_foreign", "cpu {:.0%} by others"),
        ("cpu_own", "{:.0%} own"),
        ("memory_available_mib", "{:.0f} MiB free"),
        ("temperature_c", "{:.1f} °C"),
        ("battery_fraction", "battery {:.0%}"),
    ):
        value = number_of(reading, key)
        if value is not None:
            parts.append(form.format(value))
    if reading.get("on_mains") is not None:
        parts.append("on mains" if reading["on_mains"] else "on battery")
    parts += [f"no {name}" for name in ("sound", "picture") if reading.get(name) is False]
    throttled, failed = names_in(reading.get("throttled")), names_in(reading.get("failed"))
    if throttled:
        parts.append(throttled)
    if failed:
        parts.append(f"cannot read {failed}")
    return parts


def _headroom(headroom: object) -> str:
    """Return the scarcest resource and what it leaves; empty in a line of an earlier version."""
    if not isinstance(headroom, dict):
        return ""
    left = {
        name: value
        for name in ("cpu", "memory", "energy", "thermal")
        if (value := number_of(headroom, name)) is not None
    }
    if not left:
        return ""
    scarcest = min(left, key=left.__getitem__)
    which = f" ({scarcest})" if left[scarcest] < 1.0 else ""
    return f"headroom {left[scarcest]:.0%}{which}"
