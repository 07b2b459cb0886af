"""The closed table of what can be measured: drivers, checks, panels and docs read it."""

import enum

import msgspec


class Kind(enum.IntEnum):
    """How much a reading matters when a full disk forces a choice: the lowest goes first."""

    SAMPLE = 0  # one of many like it: the next one tells nearly the same
    STATE = 1  # holds until the next one
    EVENT = 2  # counted: a lost one is never seen again


class Quantity(msgspec.Struct, frozen=True):
    """A quantity, its unit as SenML names it (RFC 8428 §12.1, RFC 8798), and the range outside which a value is no measurement."""

    unit: str
    low: float
    high: float
    kind: Kind
    meaning: str


def _sample(unit: str, low: float, high: float, meaning: str) -> Quantity:
    return Quantity(unit, low, high, Kind.SAMPLE, meaning)


def _state(meaning: str) -> Quantity:
    return Quantity("/", 0, 1, Kind.STATE, meaning)


def _phases(name: str, quantity: Quantity) -> dict[str, Quantity]:
    phased = {f"{name}_l{n}": msgspec.structs.replace(quantity, meaning=f"{quantity.meaning}, phase L{n}") for n in (1, 2, 3)}
    return {name: quantity} | phased


QUANTITIES: dict[str, Quantity] = {
    # Yards
    "passage": Quantity("count", 1, 50, Kind.EVENT, "vehicles that passed at this instant"),
    "presence": _state("something stands or moves in front of the sensor"),
    "distance": _sample("m", 0, 50, "distance to what is in front of the sensor"),
    "speed": _sample("m/s", 0, 70, "speed of what passed"),
    "occupied": _state("the bay is in use"),
    "held": _state("the gate lets nobody in for now"),
    "hold": Quantity("s", 0, 10_800, Kind.STATE, "staff let nobody in for so long from now; 0: no more"),
    "notice": _state("staff's notice stands on page and display"),
    # What was estimated and shown
    "wait_p10": _sample("s", 0, 86_400, "estimated wait, shorter for one car in ten"),
    "wait_p50": _sample("s", 0, 86_400, "estimated wait, median"),
    "wait_p90": _sample("s", 0, 86_400, "estimated wait, longer for one car in ten"),
    "wait_mean": _sample("s", 0, 86_400, "estimated wait, expected value: the number that is scored"),
    "wait_shown": Quantity("min", 0, 61, Kind.STATE, "step that page and sign show; 61: more than 60"),
    "queue_length": _sample("count", 0, 1_000, "estimated vehicles in the lane"),
    "queue_p10": _sample("count", 0, 1_000, "estimated vehicles in the lane, fewer in one case of ten"),
    "queue_p90": _sample("count", 0, 1_000, "estimated vehicles in the lane, more in one case of ten"),
    "arrival_margin": _sample("s", 0, 86_400, "time left in which to join the queue and still get in, with 90 %"),
    "wait_state": Quantity("count", 0, 4, Kind.STATE, "0 open, 1 held, 2 closing, 3 closed, 4 unknown"),
    "wait_trust": Quantity("count", 0, 2, Kind.STATE, "0 measured, 1 configured, 2 reckoned"),
    # What of it came true, by the hour: waits that were published, against those that were measured back
    "error_mean": _sample("s", 0, 86_400, "absolute error of the expected wait, mean of the hour"),
    "error_bias": _sample("s", -86_400, 86_400, "error of the expected wait, mean of the hour; above 0: told too long"),
    "within_3min": _sample("/", 0, 1, "share of the hour's waits that were told to within 3 minutes"),
    "band_coverage": _sample("/", 0, 1, "share of the hour's waits inside the band that was told"),
    "waits_measured": _sample("count", 0, 100_000, "waits measured back in the hour"),
    # Air, weather and noise
    "pm1": _sample("ug/m3", 0, 1_000, "particulate matter up to 1 µm"),
    "pm2_5": _sample("ug/m3", 0, 1_000, "particulate matter up to 2.5 µm"),
    "pm4": _sample("ug/m3", 0, 1_000, "particulate matter up to 4 µm"),
    "pm10": _sample("ug/m3", 0, 2_000, "particulate matter up to 10 µm"),
    "nc0_5": _sample("1/cm3", 0, 30_000, "particles up to 0.5 µm"),
    "nc1": _sample("1/cm3", 0, 30_000, "particles up to 1 µm"),
    "nc2_5": _sample("1/cm3", 0, 30_000, "particles up to 2.5 µm"),
    "nc4": _sample("1/cm3", 0, 30_000, "particles up to 4 µm"),
    "nc10": _sample("1/cm3", 0, 30_000, "particles up to 10 µm"),
    "particle_size": _sample("um", 0, 100, "typical particle size"),
    "temperature": _sample("Cel", -60, 150, "temperature"),
    "humidity": _sample("%RH", 0, 100, "relative humidity"),
    "illuminance": _sample("lx", 0, 200_000, "illuminance"),
    "pressure": _sample("hPa", 800, 1_100, "air pressure"),
    "wind_speed": _sample("m/s", 0, 100, "wind speed"),
    "wind_direction": _sample("deg", 0, 360, "where the wind comes from, clockwise from north"),
    "rain_intensity": _sample("mm/h", 0, 500, "rain or melted snow"),
    "global_radiation": _sample("W/m2", 0, 2_000, "radiation of sun and sky on the level ground"),
    # 140: where meters of IEC 61672-1 end, and where it hurts.
    "sound_level": _sample("dB", 0, 140, "A-weighted sound level, the mean by energy since the last one (LAeq)"),
    # Electricity
    **_phases("voltage", _sample("V", 0, 600, "voltage")),
    **_phases("current", _sample("A", 0, 10_000, "current")),
    **_phases("active_power", _sample("W", -1_000_000, 1_000_000, "active power")),
    **_phases("apparent_power", _sample("VA", 0, 1_000_000, "apparent power")),
    **_phases("reactive_power", _sample("var", -1_000_000, 1_000_000, "reactive power")),
    **_phases("power_factor", _sample("/", -1, 1, "power factor")),
    "frequency": _sample("Hz", 0, 400, "mains frequency"),
    "energy_import": _sample("kWh", 0, 100_000_000, "active energy taken, meter reading"),
    "energy_export": _sample("kWh", 0, 100_000_000, "active energy delivered, meter reading"),
    "reactive_energy_import": _sample("kvarh", 0, 100_000_000, "reactive energy taken, meter reading"),
    "reactive_energy_export": _sample("kvarh", 0, 100_000_000, "reactive energy delivered, meter reading"),
    # Lamps, by TALQ's three values, and what the driver's memory banks tell (DiiA parts 252 and 253)
    "level_target": _sample("%", 0, 100, "light level asked for"),
    "level_feedback": _sample("%", 0, 100, "light level the gateway sent"),
    "level_actual": _sample("%", 0, 100, "light level the driver reports"),
    "light_reason": Quantity("count", 0, 3, Kind.STATE, "why the level is asked for: 0 failsafe, 1 program, 2 sensor, 3 override"),
    "operating_hours": _sample("h", 0, 1_000_000, "burn hours"),
    "lamp_starts": _sample("count", 0, 100_000_000, "times the lamp was switched on"),
    "life_left": _sample("%", 0, 100, "rated life of the lamp that is left, by burn hours or starts, whichever is less"),
    # Faults, by TALQ's names (hoflicht.faults)
    "lamp_failure": _state("the lamp does not light although it should"),
    "lamp_unexpected_on": _state("the lamp burns although it should not"),
    "cycling_failure": _state("the lamp goes off and on again by itself"),
    "dimming_failure": _state("the lamp does not follow the level asked for"),
    "lamp_power_too_high": _state("the lamp takes more power than its level explains"),
    "lamp_power_too_low": _state("the lamp takes less power than its level explains"),
    "supply_loss": _state("no mains voltage"),
    "high_temperature": _state("the lamp or its driver is too hot"),
    "control_gear_comm_failure": _state("the lamp's driver does not answer its gateway"),
    "cabinet_door_open": _state("the door of the cabinet is open"),
    "communication_failure": _state("nothing is heard of the site"),
    "acknowledged": Quantity("count", 0, 31, Kind.STATE, "staff have seen the fault of this number"),
    # Where a gateway stands, and what its clock is worth
    "latitude": _sample("lat", -90, 90, "latitude, WGS 84"),
    "longitude": _sample("lon", -180, 180, "longitude, WGS 84"),
    "satellites": _sample("count", 0, 100, "satellites that the position rests on"),
    "clock_offset": _sample("s", -1e10, 1e10, "the gateway's clock before the satellites' time; below 0: behind"),
    # The platform itself
    "uptime": _sample("s", 0, 1e10, "time since the program started"),
    "spool_rows": _sample("count", 0, 1e10, "readings that wait on the gateway's disk"),
    "spool_bytes": _sample("B", 0, 1e13, "size of the spool on disk"),
    "spool_age": _sample("s", 0, 1e10, "age of the oldest reading that waits"),
    "spool_hours_left": _sample("h", 0, 1e6, "hours until the spool is full at the present rate"),
    "dropped": _sample("count", 0, 1e10, "readings given up since the start: no room on the disk, or a device that said too much"),
    "quarantined": _sample("count", 0, 1e10, "readings set aside because ingest refuses them"),
    "receipt_latency": _sample("s", 0, 86_400, "from publishing a batch to its receipt"),
    "clock_synchronised": _state("the gateway's clock is set"),
    "certificate_left": _sample("s", -1e10, 1e10, "time until the gateway's certificate ends; below 0: since it has ended"),
    "disk_free": _sample("/", 0, 1, "share of the disk with the spool that is free"),
    "version": _sample("count", 0, 1e9, "the program's version; 1002003 is 1.2.3"),
    "port_open": _state("the serial port is open"),
    "port_errors": _sample("count", 0, 1e10, "times the serial port failed since the start"),
    "frames": _sample("count", 0, 1e12, "good frames since the start"),
    "frames_lost": _sample("count", 0, 1e10, "frames that a gap in the sequence numbers shows as lost"),
    "noise_bytes": _sample("B", 0, 1e13, "bytes that were part of no good frame since the start"),
    "surplus": _sample("count", 0, 1e12, "readings given up since the start because the device said more than an honest one can"),
    "stored": _sample("count", 0, 1e15, "readings that the store has taken since the start"),
    "stored_late": _sample("count", 0, 1e15, "those of them that were older than five minutes: the backlog of an outage"),
    "batches": _sample("count", 0, 1e15, "batches settled since the start; the sensor names the receipt"),
    "set_aside": _sample("count", 0, 1e15, "packs put into ingest's quarantine since the start; the sensor names the fault"),
    "quarantine_packs": _sample("count", 0, 1e10, "packs that lie in ingest's quarantine"),
    "quarantine_bytes": _sample("B", 0, 1e13, "size of the packs in ingest's quarantine"),
    "quarantine_dropped": _sample("count", 0, 1e15, "packs given up since the start because ingest's quarantine was full"),
    "store_errors": _sample("count", 0, 1e15, "writes that the store did not take since the start; each is tried again"),
    "write_latency": _sample("s", 0, 86_400, "time that a write to the store took, mean of the minute"),
}
