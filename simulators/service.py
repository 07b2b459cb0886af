"""How long a car unloads: exponential, or lognormal with some cars, those with a trailer, that take a multiple of it."""

import math
import random

import msgspec


class Service(msgspec.Struct, frozen=True):
    """The law of an unloading time. `plain_s` is the mean of a car without a trailer."""

    plain_s: float
    sigma: float | None  # of the logarithm; None: exponential, and trailers make no difference
    trailers: float
    trailer_factor: float

    @property
    def median_s(self) -> float:
        """Of a car without a trailer, where the law is lognormal."""
        return self.plain_s * math.exp(-((self.sigma or 0.0) ** 2) / 2)

    def drawn_ms(self, rng: random.Random) -> int:
        """One unloading time, at least a millisecond."""
        if self.sigma is None:
            return max(1, round(1000 * rng.expovariate(1 / self.plain_s)))
        time_s = rng.lognormvariate(math.log(self.median_s), self.sigma)
        return max(1, round(1000 * time_s * (self.trailer_factor if rng.random() < self.trailers else 1)))


def service(mean_s: float, sigma: float | None, trailers: float, trailer_factor: float) -> Service:
    """The law whose mean over all cars is `mean_s`."""
    plain_s = mean_s if sigma is None else mean_s / (1 + trailers * (trailer_factor - 1))
    return Service(plain_s, sigma, trailers, trailer_factor)
