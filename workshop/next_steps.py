"""The README of a new city: what a person does with the files that were written."""

from workshop.answers import Answers

HEAD = """\
# {city}

Made by `hoflicht init`. From now on these files are yours: edit them, and keep them in version control. After each change

```
hoflicht check {files}
```

tells every mistake by file, line and key, and what is legal but odd.

## The server
"""
COMPOSE = """
The long form, with the reasons, is `docs/operations.md`. On the server, with Docker and its compose plugin, in the folder `deploy`
of a checkout:

1. Copy `ingest.toml` and `api.toml` over those in `deploy/etc`.
2. `docker compose build`
3. `./new-secrets {server}`
4. `HOFLICHT_CITY=/srv/city/city.toml`, the absolute path of the file here, into the file `.env` beside `compose.yaml`
5. `docker compose up --detach influxdb`, then `docker compose run --rm prepare`
6. Make the two tokens of InfluxDB, as `docs/operations.md` shows
7. The names of page and Grafana into `.env`, `HOFLICHT_SITE` and `HOFLICHT_GRAFANA`, then `docker compose up --detach`
8. `docker compose run --rm backup` each night, by cron or a timer
"""
MACHINE = """
The long form, with the reasons, is `docs/operations.md`. On the server (Debian: `apt install mosquitto`), as root:

1. `python3 -m venv /opt/hoflicht`, then `/opt/hoflicht/bin/pip install 'hoflicht[ingest,api]'`
2. `useradd --system --home-dir /var/lib/hoflicht hoflicht`
3. Copy `city.toml` and the configs beside it into `/etc/hoflicht`
4. `hoflicht authority init`
5. `install -d -o mosquitto -m 700 /etc/mosquitto/hoflicht`, then `hoflicht broker-config mosquitto /etc/mosquitto/hoflicht`
6. `mosquitto_passwd -c /etc/mosquitto/hoflicht/passwords ingest`, without `-c` also for `api` and `operator`; the same passwords
   into `ingest_password`, `api_password` and `operator_password` in `/etc/hoflicht` (root:hoflicht, mode 640)
7. Let the unit of mosquitto read `/etc/mosquitto/hoflicht/mosquitto.conf`
8. `hoflicht-ingest.service` and `hoflicht-api.service` of `deploy/systemd` into `/etc/systemd/system`, then
   `systemctl enable --now hoflicht-ingest hoflicht-api`
"""
GATEWAYS = """
## The gateways

For each of them: on the server `hoflicht authority invite NAME`, which prints a code, and `hoflicht authority serve` while gateways
are enrolled{with_compose}. On a Raspberry Pi OS or Debian 12 `deploy/gateway/install` does the rest; by hand:

1. `python3 -m venv /opt/hoflicht`, then `/opt/hoflicht/bin/pip install 'hoflicht[edge]'`
2. `useradd --system --home-dir /var/lib/hoflicht hoflicht`, then `install -d -o hoflicht -g hoflicht -m 750 /etc/hoflicht`
3. Its file of the table below to `/etc/hoflicht/edge.toml`
4. `hoflicht enroll NAME https://{host}:8443` asks for the code
5. `hoflicht-edge.service`, `hoflicht-renew.service` and `hoflicht-renew.timer` of `deploy/systemd` into `/etc/systemd/system`, its
   name and the authority's address into `hoflicht-renew.service`, then `systemctl enable --now hoflicht-edge hoflicht-renew.timer`
6. `hoflicht doctor /etc/hoflicht/edge.toml` looks whether all is well, and says what to do where it is not

| gateway | its file |
|---|---|
"""
END = """
## When all runs

`hoflicht doctor ingest.toml api.toml` on the server; the page is at `http://127.0.0.1:8000/` there, until a web server with TLS
stands before it. The waiting time says "about" until the platform has seen a few days.
"""


def next_steps(answers: Answers, gateways: list[str]) -> str:
    """The text of README.md."""
    host = f"[{answers.server}]" if ":" in answers.server else answers.server
    server = COMPOSE if answers.store == "influx" else MACHINE
    with_compose = " (with compose: `docker compose run --rm --service-ports hoflicht authority …`)"
    return "".join(
        [
            HEAD.format(city=answers.name, files="city.toml ingest.toml api.toml gateways/*.toml"),
            server.format(server=answers.server),
            GATEWAYS.format(host=host, with_compose=with_compose if answers.store == "influx" else ""),
            *(f"| {name} | `gateways/{name}.toml` |\n" for name in gateways),
            END,
        ]
    )
