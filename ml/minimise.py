"""One bounded minimiser for all convex fits of this room; no models."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Vector = npt.NDArray[np.float64]
Bound = tuple[float | None, float | None]


def minimise(loss: Callable[[Vector], tuple[float, Vector]], start: Vector, bounds: Sequence[Bound]) -> Vector:
    """The point where `loss` (value and gradient) is least, within bounds, by L-BFGS-B; deterministic."""
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500, "ftol": 1e-12})
    return np.asarray(found.x)
