"""What SenML packs of ours say again and again, as the preset dictionary of RFC 1951: a batch of one car is half as long with it.

Both ends need the same bytes, so they never change: another dictionary is another name in a batch's `encoding` (hoflicht.batch).
Quantities that came later are written out. What comes often stands last, where a reference to it is shortest.
"""

_TEXT = """\
{"n":"wait_p10","v":},{"n":"wait_p50","v":},{"n":"wait_p90","v":},{"n":"wait_mean","v":},{"n":"wait_shown","v":},
{"n":"queue_length","v":},{"n":"queue_p10","v":},{"n":"queue_p90","v":},{"n":"arrival_margin","v":},
{"n":"wait_state","v":},{"n":"wait_trust","v":},{"n":"error_mean","v":},{"n":"error_bias","v":},
{"n":"within_3min","v":},{"n":"band_coverage","v":},{"n":"waits_measured","v":},{"n":"stored","v":},
{"n":"stored_late","v":},{"n":"batches","v":},{"n":"set_aside","v":},{"n":"quarantine_packs","v":},
{"n":"quarantine_bytes","v":},{"n":"quarantine_dropped","v":},{"n":"store_errors","v":},{"n":"write_latency","v":},
{"n":"distance","v":},{"n":"held","v":},{"n":"hold","v":},{"n":"notice","v":},{"n":"pm1","v":},{"n":"pm2_5","v":},
{"n":"pm4","v":},{"n":"pm10","v":},{"n":"nc0_5","v":},{"n":"nc1","v":},{"n":"nc2_5","v":},{"n":"nc4","v":},
{"n":"nc10","v":},{"n":"particle_size","v":},{"n":"temperature","v":},{"n":"humidity","v":},{"n":"illuminance","v":},
{"n":"pressure","v":},{"n":"wind_speed","v":},{"n":"wind_direction","v":},{"n":"rain_intensity","v":},
{"n":"global_radiation","v":},{"n":"sound_level","v":},{"n":"voltage","v":},{"n":"voltage_l1","v":},
{"n":"voltage_l2","v":},{"n":"voltage_l3","v":},{"n":"current","v":},{"n":"current_l1","v":},{"n":"current_l2","v":},
{"n":"current_l3","v":},{"n":"active_power","v":},{"n":"active_power_l1","v":},{"n":"active_power_l2","v":},
{"n":"active_power_l3","v":},{"n":"apparent_power","v":},{"n":"apparent_power_l1","v":},
{"n":"apparent_power_l2","v":},{"n":"apparent_power_l3","v":},{"n":"reactive_power","v":},
{"n":"reactive_power_l1","v":},{"n":"reactive_power_l2","v":},{"n":"reactive_power_l3","v":},
{"n":"power_factor","v":},{"n":"power_factor_l1","v":},{"n":"power_factor_l2","v":},{"n":"power_factor_l3","v":},
{"n":"frequency","v":},{"n":"energy_import","v":},{"n":"energy_export","v":},{"n":"reactive_energy_import","v":},
{"n":"reactive_energy_export","v":},{"n":"operating_hours","v":},{"n":"lamp_starts","v":},{"n":"life_left","v":},
{"n":"lamp_failure","v":},{"n":"lamp_unexpected_on","v":},{"n":"cycling_failure","v":},{"n":"dimming_failure","v":},
{"n":"lamp_power_too_high","v":},{"n":"lamp_power_too_low","v":},{"n":"supply_loss","v":},
{"n":"high_temperature","v":},{"n":"control_gear_comm_failure","v":},{"n":"cabinet_door_open","v":},
{"n":"communication_failure","v":},{"n":"acknowledged","v":},{"n":"latitude","v":},{"n":"longitude","v":},
{"n":"satellites","v":},{"n":"clock_offset","v":},{"n":"certificate_left","v":},{"n":"disk_free","v":},
{"n":"version","v":},{"bn":"/gateway/","n":"","v":0,"t":1.5},{"n":"uptime","v":0,"t":1.5},
{"n":"spool_rows","v":0,"t":1.5},{"n":"spool_bytes","v":0,"t":1.5},{"n":"spool_age","v":0,"t":1.5},
{"n":"dropped","v":0,"t":1.5},{"n":"quarantined","v":0,"t":1.5},{"n":"clock_synchronised","v":0,"t":1.5},
{"n":"receipt_latency","v":0,"t":1.5},{"n":"spool_hours_left","v":1,"t":1.5},{"bn":"gw-/port_open","v":1,"t":0.5},
{"n":"port_errors","v":0,"t":0.5},{"n":"frames","v":0,"t":0.5},{"n":"frames_lost","v":0,"t":0.5},
{"n":"noise_bytes","v":0,"t":0.5},{"n":"surplus","v":0,"t":1.5},{"bn":"lamp-00/driver/","n":"level_target","v":100},
{"n":"light_reason","v":1,"t":2.5},{"n":"level_feedback","v":50.5,"t":3.75},{"n":"level_actual","v":50.5,"t":3.75},
{"bn":"lamp-0001/driver/","n":""},{"bn":"hof-bay-"occupied","v":1},{"bn":"hof-lane-in/","n":"presence","v":0,"t":0.1},
{"n":"speed","v":5.5,"t":0.1}]gw-"port_open","v":1}][{"bn":"lamp-hof-gate-in/","bt":17"n":"passage","v":1}]
"""
WORDS = _TEXT.replace("\n", "").encode("ascii")
