"""How numbers are written on the report: one form per kind of quantity."""

MINUS = "\N{MINUS SIGN}"  # as wide as a plus; a hyphen is too short
RANGE = "\N{EN DASH}"  # between two ends, as in 4 to 7
NOTHING = "\N{EN DASH}"  # in place of a number that does not exist


def count(number: float) -> str:
    """Whole things: `1,479`."""
    return f"{int(number):,}"


def things(number: int, one: str, many: str = "") -> str:
    """So many of something: `1 cluster`, `17 clusters`; `many` where it is not just an s."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def short(number: float) -> str:
    """Three digits and a unit: `840`, `12.3 k`, `2.56 M`, `124 M`, `1.10 B`."""
    value = float(number)
    for unit in ("", " k", " M", " B", " T"):
        # 999.5 would be written 1000, so it belongs to the next unit.
        if abs(value) < 999.5 or unit == " T":
            break
        value /= 1000
    if not unit:
        return f"{value:.0f}" if value == int(value) else f"{value:.3g}"
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{digits}f}{unit}"


def share(part: float, whole: float) -> str:
    """`part` of `whole` in percent; two digits that matter, and never a false 0 or 100."""
    if not whole:
        return NOTHING
    percent = 100 * part / whole
    if percent in (0, 100):
        return f"{percent:.0f} %"
    if percent < 0.1:
        return "< 0.1 %"
    if percent > 99.9:
        return "> 99.9 %"
    return f"{percent:.1f} %" if percent < 10 or percent > 99 else f"{percent:.0f} %"


def size(number: float) -> str:
    """Bytes in decimal units: `26.3 MB`."""
    value = float(number)
    if value < 1000:
        return f"{value:.0f} B"
    for unit in ("kB", "MB", "GB", "TB"):  # noqa: B007 - the last unit is used after the loop
        value /= 1000
        if value < 999.5:
            break
    return f"{value:.0f} {unit}" if value >= 99.95 else f"{value:.1f} {unit}"


def duration(seconds: float) -> str:
    """Time spent: `0.4 s`, `37 s`, `4 min 10 s`, `3 h 05 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def measured(value: object) -> str:
    """A signal's value: three digits that matter of a fraction, anything else as it is."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def bounds(low: object, high: object) -> str:
    """What lies within limits, of which either may be None: `at least 3, at most 10`."""
    named = (("at least", low), ("at most", high))
    return ", ".join(f"{how} {measured(limit)}" for how, limit in named if limit is not None)


def decimal(number: float, digits: int = 3) -> str:
    """A score with a fixed number of decimals, a real minus sign, and no `-0.000`."""
    text = f"{number:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)
