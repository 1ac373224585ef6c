"""A line of the journal as people read it: aligned columns, and colour where it means something.

Columns: time of day, tier or kind of event, then what matters. Text wraps under its own column.
"""

import textwrap
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from math import isfinite

import msgspec

from edge_daemon.governor.margin import QUANTITIES, Margin
from edge_daemon.terminal import printable

Fields = Mapping[str, object]

_DIM, _BOLD, _REVERSE, _RED, _GREEN, _YELLOW = "2", "1", "7", "31", "32", "33"
_TIERS = {"critical": "31", "low": "33", "medium": "36", "high": "32"}
_STATES = {"healthy": _GREEN, "ended": _DIM, "stalled": _YELLOW, "reconnecting": _YELLOW}
_ENVELOPE = ("schema", "ts", "mono_ns", "boot_id", "seq", "event")
_KIND = 10
_COLUMN = 26
_BAR = 10
_WIDE = 100
_NO_BREAK = "\u00a0"


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
        render = _EVENTS.get(_text(fields, "event"), _unknown)
        return render(self, fields)

    def day(self, fields: Fields) -> str:
        """Return the local date of a line, for a heading; empty where it has none."""
        moment = self._moment(fields)
        return "" if moment is None else f"{moment:%A} {moment.day} {moment:%B %Y}"

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
        return [line.replace(_NO_BREAK, " ") for line in lines]

    def _moment(self, fields: Fields) -> datetime | None:
        try:
            return datetime.fromisoformat(_text(fields, "ts")).astimezone(self._zone)
        except (ValueError, OverflowError, OSError):
            return None


def _start(to: Renderer, fields: Fields) -> str:
    torn = _number(fields, "repaired_bytes")
    return to.row(
        fields,
        "start",
        f"edge-daemon {_text(fields, 'version')} with {_text(fields, 'bundle')} in "
        f"{_text(fields, 'tier')}" + (" (pinned)" if fields.get("pinned") else ""),
        _list(f"video {_text(fields, 'video')}", f"audio {_text(fields, 'audio')}"),
        _list(
            _text(fields, "board"),
            _text(fields, "runtime"),
            f"Python {_text(fields, 'python')}",
            f"pid {_text(fields, 'pid')}",
        ),
        f"{torn:.0f} torn bytes cut from the journal's end" if torn else "",
        kind_codes=_GREEN,
    )


def _prediction(to: Renderer, fields: Fields) -> str:
    tier, label, best = (_text(fields, key) for key in ("tier", "label", "best"))
    confidence = min(1.0, max(0.0, _number(fields, "confidence") or 0.0))
    sure = label == best
    code = _TIERS.get(tier, "")
    mark = " "
    if fields.get("truth") is not None:
        right = label == (_text(fields, "truth") or "unknown")
        mark = to.paint("✓", _GREEN) if right else to.paint("✗" if sure else "·", _RED)
    bar = round(confidence * _BAR)
    picture = "picture" if fields.get("image") else ""
    sound = "sound" if fields.get("audio") else ""
    cells = [
        to.paint(f"{label if sure else best + '?':10}", _BOLD if sure else _DIM) + mark,
        to.paint("█" * bar, code) + to.paint("░" * (_BAR - bar), _DIM) + f" {confidence:4.0%}",
        to.paint(f"{picture:7} {sound:5}", _DIM) + f" {_ms(fields, 'age_ms'):>8}",
    ]
    if to.width >= _WIDE:
        cells.append(to.paint(f"{_ms(fields, 'cycle_ms'):>8}  {_text(fields, 'window'):>7}", _DIM))
    return (to.head(fields, tier, code) + " ".join(cells)).rstrip()


def _tier_change(to: Renderer, fields: Fields) -> str:
    before, after = _text(fields, "from"), _text(fields, "to")
    ranks = list(_TIERS)
    down = after in ranks and before in ranks and ranks.index(after) < ranks.index(before)
    wait_s = _number(fields, "next_change_s")
    timing = [f"gap {_ms(fields, 'gap_ms')}", f"prepared in {_ms(fields, 'prepare_ms')}"]
    if wait_s is not None:
        timing.append(f"not up again for {wait_s:.0f} s")
    return to.row(
        fields,
        f"{'▼' if down else '▲'} {after}",
        f"from {before}: {_text(fields, 'reason') or _text(fields, 'resource')}",
        _list(*_board(fields.get("reading")), _headroom(fields.get("headroom"))),
        _needs(fields.get("needs")),
        _list(*timing),
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
        _list(*parts),
        ": ".join(filter(None, (_text(fields, "tier"), _text(decision, "reason")))),
        _needs(decision.get("needs"), told=decision.get("binding")),
        kind_codes=_DIM,
    )


def _capture(to: Renderer, fields: Fields) -> str:
    state, previous = _text(fields, "state"), _text(fields, "previous")
    remarks = state == previous
    was = "" if remarks else f", was {previous}"
    counts = [
        f"{_text(fields, key)} {key}"
        for key in ("dropped", "overflows", "reconnects")
        if _number(fields, key)
    ]
    return to.row(
        fields,
        _text(fields, "source"),
        f"{state}{was}: {_text(fields, 'name')}",
        _text(fields, "detail"),
        _list(*counts),
        kind_codes=_YELLOW if remarks else _STATES.get(state, _RED),
    )


def _fault(to: Renderer, fields: Fields) -> str:
    count = _number(fields, "count") or 1
    times = f" ({count:.0f} times)" if count > 1 else ""
    text = f"{_text(fields, 'part')}: {_text(fields, 'message')}{times}"
    return to.row(fields, "fault", text, kind_codes=f"{_REVERSE};{_RED}")


def _reload(to: Renderer, fields: Fields) -> str:
    if fields.get("error") is not None:
        text = f"refused, the old config stays: {_text(fields, 'error')}"
        return to.row(fields, "reload", text, kind_codes=_RED)
    applied, restart = _names(fields.get("applied")), _names(fields.get("restart"))
    text = f"applied {applied}" if applied else "nothing to apply"
    waits = f"after a restart: {restart}" if restart else ""
    return to.row(fields, "reload", text, waits, kind_codes=_GREEN)


def _stop(to: Renderer, fields: Fields) -> str:
    scored, correct = _number(fields, "scored"), _number(fields, "correct") or 0.0
    reused = _number(fields, "reused")
    spent = fields.get("tier_s")
    tiers = spent if isinstance(spent, dict) else {}
    return to.row(
        fields,
        "stop",
        f"{_text(fields, 'reason')}, after {duration(_number(fields, 'uptime_s') or 0.0)}",
        _list(
            f"{_text(fields, 'predictions')} predictions",
            f"{reused:.0f} of them reused" if reused else "",
            f"{correct / scored:.1%} of {scored:.0f} right" if scored else "",
            f"{_text(fields, 'swaps')} swaps",
            f"{_text(fields, 'dropped_frames')} frames skipped · "
            f"{_text(fields, 'lost_samples')} samples lost",
        ),
        _list(
            *(
                f"{printable(str(tier))} {duration(seconds)}"
                for tier in tiers
                if (seconds := _number(tiers, tier)) is not None
            )
        ),
        _list(
            f"cycle p50 {_ms(fields, 'cycle_p50_ms')}, p99 {_ms(fields, 'cycle_p99_ms')}",
            f"age p99 {_ms(fields, 'age_p99_ms')}",
        ),
        kind_codes=_YELLOW,
    )


def _unknown(to: Renderer, fields: Fields) -> str:
    """Render an event of a later version: its fields as they are."""
    rest = [f"{key}={value}" for key, value in fields.items() if key not in _ENVELOPE]
    return to.row(fields, _text(fields, "event"), printable(" ".join(rest)), kind_codes="")


_EVENTS: dict[str, Callable[[Renderer, Fields], str]] = {
    "start": _start,
    "prediction": _prediction,
    "tier_change": _tier_change,
    "reading": _reading,
    "capture": _capture,
    "fault": _fault,
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
        value = _number(reading, key)
        if value is not None:
            parts.append(form.format(value))
    if reading.get("on_mains") is not None:
        parts.append("on mains" if reading["on_mains"] else "on battery")
    parts += [f"no {name}" for name in ("sound", "picture") if reading.get(name) is False]
    throttled, failed = _names(reading.get("throttled")), _names(reading.get("failed"))
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
        if (value := _number(headroom, name)) is not None
    }
    if not left:
        return ""
    scarcest = min(left, key=left.__getitem__)
    which = f" ({scarcest})" if left[scarcest] < 1.0 else ""
    return f"headroom {left[scarcest]:.0%}{which}"


def _needs(needs: object, told: object = None) -> str:
    """Return what a move up needs, unless it is what the reason has `told` and nothing else.

    Empty where nothing is short, and for what has not a known form.
    """
    if needs == [told]:
        return ""
    try:
        margins = msgspec.convert(needs, tuple[Margin, ...])
    except (msgspec.ValidationError, RecursionError):
        return ""
    wants = [margin.wants() for margin in margins if margin.quantity in QUANTITIES]
    return f"↑ {'; '.join(wants)}" if wants else ""


def _text(fields: Fields, key: str) -> str:
    value = fields.get(key)
    return "" if value is None else printable(str(value))


def _list(*parts: str) -> str:
    """Return the parts side by side; only between two of them may a line end."""
    return f"{_NO_BREAK}· ".join(part.replace(" ", _NO_BREAK) for part in parts if part)


def _names(value: object) -> str:
    return (
        ", ".join(printable(str(each)) for each in value) if isinstance(value, list | dict) else ""
    )


def _number(fields: Fields, key: str) -> float | None:
    value = fields.get(key)
    try:
        return float(value) if isinstance(value, int | float) and isfinite(value) else None
    except OverflowError:
        return None


def _ms(fields: Fields, key: str) -> str:
    value = _number(fields, key)
    if value is None:
        return "–"
    return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"


def duration(seconds: float) -> str:
    """Return a time in words: `3.2 s`, `3 min 20 s`, `26 h 03 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours = int(seconds // 60) % 60, int(seconds // 3600)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {int(seconds % 60):02} s"
