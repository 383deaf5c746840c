"""Hamiltonian steps of effects, shared weights and groups, given spreads, slopes and scales.

In the coordinates of `inference.joint_gaussian` the Gaussian part of the motion is a rotation and
is followed exactly; only what is left of the force is taken in steps. A handful of them leads to an
almost independent point, where single groups, each held by the others, would creep.

References
----------
Shahbaba, Lan, Johnson and Neal (2014), Split Hamiltonian Monte Carlo, Statistics and Computing 24;
Beskos, Pinski, Sanz-Serna and Stuart (2011), Hybrid Monte Carlo on Hilbert spaces, SPA 121.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from bayescale.inference.joint_gaussian import Pair
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    from bayescale.inference.pooled_chains import Chains


def glide(chains: Chains, angle: float, steps: int) -> np.ndarray:
    """Try a path of `steps` rotations of everything; return where its end was taken, (C,)."""
    gaussian = chains.present_gaussian()
    z = gaussian.standard(chains.phi(), chains.law)
    first = z.normal(chains.rng)

    def rest(z: Pair) -> Pair:
        phi = gaussian.phi(z.phi)
        pulled = gaussian.pulled_back(*chains.force(phi, gaussian.law(phi, z.law)))
        return pulled.plus(z, 1.0)

    z, momentum = _followed(z, first, rest, np.full((1, 1), angle), steps)
    phi = gaussian.phi(z.phi)
    gain = 0.5 * (first.squares() - momentum.squares())
    return chains.accept(chains.state, phi, chains.with_law(gaussian.law(phi, z.law)), gain)


def glide_apart(chains: Chains, angles: Floats, steps: int) -> np.ndarray:
    """Try a path of each group's law, rotated by its own angle (G,); return where taken, (C, G)."""
    gaussian, phi = chains.present_gaussian(), chains.phi()
    z = gaussian.standard(phi, chains.law)
    still = np.zeros_like(z.phi)
    first = Pair(still, z.normal(chains.rng).law)

    def rest(z: Pair) -> Pair:
        pulled = gaussian.pulled_back(*chains.force(phi, gaussian.law(phi, z.law)))
        return Pair(still, pulled.law + z.law)

    z, momentum = _followed(Pair(still, z.law), first, rest, angles[:, None], steps)
    gain = 0.5 * ((first.law**2).sum(axis=2) - (momentum.law**2).sum(axis=2))
    return chains.accept_groups(chains.with_law(gaussian.law(phi, z.law)), gain)


def glide_shared(chains: Chains, angle: float, steps: int) -> np.ndarray:
    """Try a path of effects and shared weights, every group keeping its place given them, (C,)."""
    gaussian = chains.present_gaussian()
    z = gaussian.standard(chains.phi(), chains.law)
    still = np.zeros_like(z.law)
    first = Pair(z.normal(chains.rng).phi, still)

    def rest(moved: Pair) -> Pair:
        phi = gaussian.phi(moved.phi)
        pulled = gaussian.pulled_back(*chains.force(phi, gaussian.law(phi, z.law)))
        return Pair(pulled.phi + moved.phi, still)

    end, momentum = _followed(Pair(z.phi, still), first, rest, np.full((1, 1), angle), steps)
    phi = gaussian.phi(end.phi)
    gain = 0.5 * (first.squares() - momentum.squares())
    return chains.accept(chains.state, phi, chains.with_law(gaussian.law(phi, z.law)), gain)


def _followed(
    z: Pair, momentum: Pair, rest: Callable[[Pair], Pair], angle: Floats, steps: int
) -> tuple[Pair, Pair]:
    """Return where a path ends, and with what momentum.

    `rest` is the force that the Gaussian leaves: the gradient of the log density plus z. `angle`
    stands for all groups, (1, 1), or for each, (G, 1).
    """
    momentum = momentum.plus(rest(z), 0.5 * angle)
    for step in range(steps):
        z, momentum = z.rotated(momentum, angle), momentum.rotated(z, -angle)
        momentum = momentum.plus(rest(z), angle if step < steps - 1 else 0.5 * angle)
    return z, momentum
