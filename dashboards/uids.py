"""The boards' addresses in Grafana: people keep them as bookmarks, so they never change."""

CITY = "hoflicht-city"
LAMPS = "hoflicht-lamps"
LAMP = "hoflicht-lamp"
ENERGY = "hoflicht-energy"
ENVIRONMENT = "hoflicht-environment"
YARDS = "hoflicht-yards"
PLATFORM = "hoflicht-platform"
TITLES = {
    CITY: "City",
    LAMPS: "Street lamps",
    LAMP: "One lamp",
    ENERGY: "Energy of the light",
    ENVIRONMENT: "Environment",
    YARDS: "Recycling yards",
    PLATFORM: "Platform",
}
