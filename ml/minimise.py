"""One bounded minimiser for all convex fits of this room; no models."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Vector = npt.NDArray[np.float64]
Bound = tuple[float | None, float | None]


def minimise(
    loss: Callable[[Vector], tuple[float, Vector]],
    start: Vector,
    bounds: Sequence[Bound],
    tolerance: float = 1e-12,
    most: int = 500,
) -> Vector:
    """The point where `loss` (value and gradient) is least, within bounds, by L-BFGS-B; deterministic."""
    options = {"maxiter": most, "ftol": tolerance}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x)
