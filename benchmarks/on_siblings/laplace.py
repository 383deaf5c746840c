"""A pooled posterior under many spreads and slopes at once, by Laplace's approximation.

The spreads of coefficients and the slope of the floor's share on the level are held at C values.
Given the scales, coefficients of all groups, their means and the shared weights are one Gaussian
about their joint mode; the scales are at theirs with that Gaussian integrated out; what all of it
has as evidence weighs one value against another. It takes a second where the engine takes twenty,
and is no more than a guide to priors: what it chooses is scored by the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.predict import predict
from bayescale.inference.amis import starting_points
from bayescale.inference.mode import find_modes
from bayescale.inference.posterior import Diagnostics, Posterior
from bayescale.inference.stacked import StackedLikelihood
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.population import population_of
from bayescale.models.problem import Problem

STEPS = 25
_FIRST_DAMPING, _LONGEST_STEP, _LONGEST_SCALE_STEP = 1e-3, 1.0, 0.5


class Laplace:
    """The Gaussian of z = (coefficients by group, means, weights) and the scales, at C values.

    Parameters
    ----------
    problems : sequence of Problem
        One a group, of a model in which every coefficient is pooled.
    spreads : array, shape (C, L)
        Of each coefficient.
    slopes : array, shape (C,)
        Of the floor's share on the level of the loss.
    """

    def __init__(self, problems: Sequence[Problem], spreads: Floats, slopes: Floats) -> None:
        self.problems, self.likelihood = problems, StackedLikelihood(problems)
        self.population = population_of(problems)
        self.n_values, self.n_groups = len(spreads), len(problems)
        self.n_law, self.n_weights = self.likelihood.n_law, self.likelihood.n_weights
        self.size = (self.n_groups + 1) * self.n_law + self.n_weights
        self._set_prior(spreads, slopes)
        self._set_scale_prior()
        self._climb()

    def _set_prior(self, spreads: Floats, slopes: Floats) -> None:
        """Collect normals on linear forms of z: a precision, what it pulls to, a constant."""
        shape, law, known = (self.n_values, self.size), self.n_law, self.population
        self._held, self._pull = np.zeros((*shape, self.size)), np.zeros(shape)
        self._constant = np.zeros(self.n_values)
        rows, middle = np.eye(self.size), self.n_groups * law
        for k in range(law):
            self._add(rows[middle + k], np.full(len(spreads), known.mean[k]), known.sd[k])
            for g in range(self.n_groups):
                departs = np.tile(rows[g * law + k] - rows[middle + k], (len(spreads), 1))
                if k == 1:
                    departs = departs - slopes[:, None] * (rows[g * law] - rows[middle])
                self._add(departs, np.zeros(len(spreads)), spreads[:, k])
        for row in rows[middle + law :]:
            self._add(row, np.zeros(len(spreads)), 1.0)

    def _add(self, form: Floats, to: Floats, sd: Floats | float) -> None:
        form = np.broadcast_to(form, self._pull.shape)
        held = np.broadcast_to(1.0 / np.square(sd), to.shape)
        self._held += held[:, None, None] * form[:, :, None] * form[:, None, :]
        self._pull += (held * to)[:, None] * form
        self._constant += 0.5 * np.log(held) - 0.5 * held * to**2

    def _set_scale_prior(self) -> None:
        """Keep the precisions (2, G, G) of logs of scales, their means integrated out."""
        known, G = self.population, self.n_groups
        own = [float(prior.quantile(0.5)) for prior in known.own[self.n_law :]]
        self._scale_mean = known.mean[self.n_law :]
        self._scale_held = np.linalg.inv(
            [
                sd**2 * np.ones((G, G)) + spread**2 * np.eye(G)
                for sd, spread in zip(known.sd[self.n_law :], own, strict=True)
            ]
        )

    def _split(self, z: Floats) -> tuple[Floats, Floats]:
        law = z[:, : self.n_groups * self.n_law].reshape(len(z), self.n_groups, self.n_law)
        return law, z[:, -self.n_weights :]

    def _log_density(self, z: Floats, scales: Floats) -> Floats:
        law, weights = self._split(z)
        of_runs = self.likelihood.log_likelihood(np.concatenate([law, scales], axis=2), weights)
        form = np.einsum("ci,cij,cj->c", z, self._held, z) - 2.0 * (self._pull * z).sum(axis=1)
        return np.asarray(of_runs.sum(axis=1) - 0.5 * form + self._constant)

    def _linear(self, z: Floats, scales: Floats) -> tuple[Floats, Floats]:
        """Make laws linear: return precision and gradient of z; keep columns by group."""
        law, weights = self._split(z)
        x, held = np.concatenate([law, scales], axis=2), self._held.copy()
        gradient = self._pull - np.einsum("cij,cj->ci", self._held, z)
        columns, (variance, tau) = self.likelihood.columns(x), self.likelihood.scales(x)
        self._parts = []
        for g, part in enumerate(self.likelihood.parts):
            first, end = g * self.n_law, self.size
            at = np.r_[first : first + self.n_law, end - self.n_weights : end]
            inner = columns[:, :-1, part].copy()
            inner[:, self.n_law :] *= tau[:, None, part]
            common = np.einsum("ckn,ck->cn", inner[:, self.n_law :], weights)
            left, own = columns[:, -1, part] - common, variance[:, part]
            weighted = inner / own[:, None, :]
            held[np.ix_(range(len(z)), at, at)] += weighted @ inner.swapaxes(1, 2)
            gradient[:, at] += np.einsum("ckn,cn->ck", weighted, left)
            self._parts.append((at, inner, common, left, own, tau[:, part]))
        return held, gradient

    def _climb(self) -> None:
        x = np.stack([_mode(problem) for problem in self.problems])
        law, middle = x[:, : self.n_law], x[:, : self.n_law].mean(axis=0)
        start = np.concatenate([law.ravel(), middle, np.zeros(self.n_weights)])
        z = np.tile(start, (self.n_values, 1))
        scales = np.tile(x[:, self.n_law :], (self.n_values, 1, 1))
        value, damping = self._log_density(z, scales), np.full(len(z), _FIRST_DAMPING)
        for _ in range(STEPS):
            held, gradient = self._linear(z, scales)
            diagonal = np.einsum("cii->ci", held)[:, :, None] * np.eye(self.size)
            damped = held + damping[:, None, None] * diagonal
            step = np.linalg.solve(damped, gradient[..., None])[..., 0]
            step *= np.minimum(1.0, _LONGEST_STEP / np.abs(step).max(axis=1))[:, None]
            better = self._log_density(z + step, scales) > value - 1e-9
            z = np.where(better[:, None], z + step, z)
            damping = np.where(better, damping / 5.0, np.minimum(damping * 8.0, 1e6))
            scales = self._moved_scales(scales, z)
            value = self._log_density(z, scales)
        self._finish(z, scales, value)

    def _moved_scales(self, scales: Floats, z: Floats) -> Floats:
        self.covariance = np.linalg.inv(self._linear(z, scales)[0])
        gradient, information = self._scale_score(scales)
        step = np.linalg.solve(information, gradient[..., None])[..., 0]
        step = np.clip(step, -_LONGEST_SCALE_STEP, _LONGEST_SCALE_STEP)
        return scales + step.reshape(len(z), 2, self.n_groups).swapaxes(1, 2)

    def _scale_score(self, scales: Floats) -> tuple[Floats, Floats]:
        """Return gradient and information of the logs of scales, z integrated out."""
        G, size = self.n_groups, 2 * self.n_groups
        gradient, information = np.zeros((len(scales), 2, G)), np.zeros((len(scales), size, size))
        for g, (at, inner, common, left, own, tau) in enumerate(self._parts):
            spread = self.covariance[np.ix_(range(len(scales)), at, at)] @ inner
            squared = left**2 + (inner * spread).sum(axis=1)
            features = inner[:, self.n_law :]
            crossed = common * left - (features * spread[:, self.n_law :]).sum(axis=1)
            of_sigma = 2.0 * np.exp(2.0 * scales[:, g, [0]]) / own
            of_tau = 2.0 * tau**2 * self.likelihood.eigenvalues[self.likelihood.parts[g]] / own
            gradient[:, 0, g] = 0.5 * (of_sigma * (squared / own - 1.0)).sum(axis=1)
            gradient[:, 1, g] = 0.5 * (of_tau * (squared / own - 1.0)).sum(axis=1)
            gradient[:, 1, g] += (crossed / own).sum(axis=1)
            pairs = np.stack([of_sigma, of_tau], axis=1)
            found = 0.5 * pairs @ pairs.swapaxes(1, 2)
            found[:, 1, 1] += (common**2 / own).sum(axis=1)
            information[np.ix_(range(len(scales)), [g, G + g], [g, G + g])] += found
        for k, held in enumerate(self._scale_held):
            part = slice(k * G, (k + 1) * G)
            gradient[:, k] -= (scales[:, :, k] - self._scale_mean[k]) @ held
            information[:, part, part] += held
        return gradient.reshape(len(scales), size), information

    def _finish(self, z: Floats, scales: Floats, value: Floats) -> None:
        held, _ = self._linear(z, scales)
        self.z, self.scales, self.covariance = z, scales, np.linalg.inv(held)
        information = self._scale_score(scales)[1]
        self.scale_covariance = np.linalg.inv(information)
        for k, precision in enumerate(self._scale_held):
            departs = scales[:, :, k] - self._scale_mean[k]
            value = value - 0.5 * np.einsum("cg,gh,ch->c", departs, precision, departs)
        volume = np.linalg.slogdet(held)[1] + np.linalg.slogdet(information)[1]
        self.log_evidence = value - 0.5 * volume

    def predictions(self, inputs: dict[str, Floats], draws: int, seed: int) -> list[Mixture]:
        """Return the predictive mixture of the first group's new runs at each of the C values."""
        rng = np.random.default_rng(seed)
        half = rng.standard_normal((draws // 2, self.size))
        normal, of_scales = np.concatenate([half, -half]), rng.standard_normal((draws, 2))
        return [self._predicted(c, inputs, normal, of_scales) for c in range(self.n_values)]

    def _predicted(
        self, c: int, inputs: dict[str, Floats], normal: Floats, of_scales: Floats
    ) -> Mixture:
        z = self.z[c] + normal @ np.linalg.cholesky(self.covariance[c]).T
        own = self.scale_covariance[c][np.ix_([0, self.n_groups], [0, self.n_groups])]
        scales = self.scales[c, 0] + of_scales @ np.linalg.cholesky(own).T
        problem, x = self.problems[0], np.concatenate([z[:, : self.n_law], scales], axis=1)
        posterior = Posterior(
            spec=problem.spec,
            group_columns=("table",),
            labels=(("0",),),
            problems=(problem,),
            draws={s: v[None] for s, v in self.likelihood.densities[0].constrain(x).items()},
            population={"weights": z[None, :, -self.n_weights :]},
            diagnostics=_UNKNOWN,
            notes=(),
            provenance={},
        )
        parts = predict(posterior, 0, inputs)
        return Mixture(parts.mean, parts.variance)


_UNKNOWN = Diagnostics(
    engine="amis", khat=(), ess=float("nan"), rhat=float("nan"), divergences=0, cpu_seconds=0.0
)


def _mode(problem: Problem) -> Floats:
    """Return one group's mode under the corpus prior alone."""
    alone = replace(problem, constants=replace(problem.constants, anchors=()))
    density = Density(alone)
    return find_modes(density, starting_points(density, np.random.default_rng(0), 3)).x[0]
