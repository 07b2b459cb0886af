"""The InfluxDB task that keeps hourly values of every series for ever. Tasks speak Flux only; nothing else of ours does.

Each hour it goes over the last six hours, and over six others in turn, so that in eighteen days it has been everywhere: a gateway
may have been away for weeks, and what it brings then counts too.
"""

RETENTION_S = 90 * 86_400  # raw readings
# Of these all readings are there, and ingest takes none that are older (ingest.checks): no hour is reckoned again that lost some.
WHOLE_DAYS = 89
SPAN_H = 6  # 10 000 series take it 11 s and 570 MB
TURNS = WHOLE_DAYS * 24 // SPAN_H
HOUR_MS = 3_600_000


def hourly_bucket(bucket: str) -> str:
    """Where the hourly values of `bucket` go."""
    return f"{bucket}_hourly"


def task_name(bucket: str) -> str:
    """The name by which the task is found again."""
    return f"hoflicht hourly {bucket}"


def task(bucket: str, org: str) -> str:
    """The task's Flux: field `value` is the mean of an hour, beside it `min`, `max` and `count`; time is the hour's start.

    The sum of an hour's events, such as passages, is value * count. `bucket` and `org` hold neither quote, backslash nor dollar.
    Each function reads the bucket for itself: only then does the database reckon where the readings lie, in a tenth of the time and
    without the readings in memory. What it has reckoned is there until it is written, so no run is about all that there is.
    """
    return f"""import "date"

option task = {{name: "{task_name(bucket)}", every: 1h, offset: 5m}}

hour = date.truncate(t: now(), unit: 1h)
turn = int(v: hour) / int(v: 1h) % {TURNS}

hourly = (back, fn, field) => from(bucket: "{bucket}")
    |> range(start: date.sub(d: {SPAN_H}h, from: date.sub(d: back, from: hour)), stop: date.sub(d: back, from: hour))
    |> filter(fn: (r) => r._field == "value")
    |> aggregateWindow(every: 1h, fn: fn, createEmpty: false, timeSrc: "_start")
    |> toFloat()
    |> set(key: "_field", value: field)
    |> to(bucket: "{hourly_bucket(bucket)}", org: "{org}")

each = (back, name) => {{
    hourly(back: back, fn: mean, field: "value") |> yield(name: "value " + name)
    hourly(back: back, fn: min, field: "min") |> yield(name: "min " + name)
    hourly(back: back, fn: max, field: "max") |> yield(name: "max " + name)
    return hourly(back: back, fn: count, field: "count") |> yield(name: "count " + name)
}}

each(back: 0h, name: "now")
each(back: duration(v: turn * int(v: {SPAN_H}h)), name: "in turn")
"""
