"""How long Sparkplug B makes a batch: run by the environment that `build` has made, batches in as JSON lines, lengths out.

As an edge node would after its birth: NDATA, names as aliases, values as floats of four bytes, whose types were told at birth.
"""

import json
import sys

from pysparkplug import DataType, Metric, NData  # type: ignore[import-not-found]  # it is in the peer's environment

SEQUENCES = 256  # seq counts from 0 to 255 (Sparkplug 3.0, tck-id-payloads-sequence-num)


def main() -> None:
    aliases: dict[str, int] = {}
    for number, line in enumerate(sys.stdin):
        metrics = [
            Metric(timestamp=at_ms, name=None, datatype=DataType.FLOAT, value=value, alias=aliases.setdefault(name, len(aliases)))
            for name, at_ms, value in json.loads(line)
        ]
        data = NData(timestamp=max(metric.timestamp for metric in metrics), seq=number % SEQUENCES, metrics=metrics)
        print(len(data.encode(include_dtypes=False)))


if __name__ == "__main__":
    main()
