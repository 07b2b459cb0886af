"""The InfluxDB task that keeps an hourly value of every series for ever. Tasks speak Flux only; nothing else of ours does."""

RETENTION_S = 90 * 86_400  # raw readings
CATCH_UP = "3d"  # each run goes over so much again: what a gateway brings after a weekend offline still counts


def hourly_bucket(bucket: str) -> str:
    """Where the hourly values of `bucket` go."""
    return f"{bucket}_hourly"


def task_name(bucket: str) -> str:
    """The name by which the task is found again."""
    return f"hoflicht hourly {bucket}"


def task(bucket: str, org: str) -> str:
    """The task's Flux: field `value` is the mean of an hour, beside it `min`, `max` and `count`; time is the hour's start.

    The sum of an hour's events, such as passages, is value * count. `bucket` and `org` hold neither quote, backslash nor dollar.
    """
    return f"""import "date"

option task = {{name: "{task_name(bucket)}", every: 1h, offset: 5m}}

raw = from(bucket: "{bucket}")
    |> range(start: date.truncate(t: date.sub(d: {CATCH_UP}, from: now()), unit: 1h), stop: date.truncate(t: now(), unit: 1h))
    |> filter(fn: (r) => r._field == "value")

keep = (tables=<-, field) => tables
    |> toFloat()
    |> set(key: "_field", value: field)
    |> to(bucket: "{hourly_bucket(bucket)}", org: "{org}")
    |> yield(name: field)

raw |> aggregateWindow(every: 1h, fn: mean, createEmpty: false, timeSrc: "_start") |> keep(field: "value")
raw |> aggregateWindow(every: 1h, fn: min, createEmpty: false, timeSrc: "_start") |> keep(field: "min")
raw |> aggregateWindow(every: 1h, fn: max, createEmpty: false, timeSrc: "_start") |> keep(field: "max")
raw |> aggregateWindow(every: 1h, fn: count, createEmpty: false, timeSrc: "_start") |> keep(field: "count")
"""
