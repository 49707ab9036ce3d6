"""After a slip: a user's head corrected by one target or by none, and how far it has drifted.

What slips do to a user's head lies mostly in a few directions, the changes H of a `Recovery`: a head after a
slip is W + Σ a_k H_k, and over simulated slips the numbers a are about independent with a variance of 1. So
everything here works on K numbers.

- One target: with f the mean features there, J = [H_1 f … H_K f] and r the gaze that is missing, the most
  probable a is P Jᵀ (J P Jᵀ + σ² I)⁻¹ r; only a 2×2 matrix is inverted.
- No target: readings x over estimated gaze g differ from what they were at the calibration. A quadratic
  surface is fitted to the difference over the last minutes, and a is a linear function of its coefficients.
  As a surface *over gaze*, it says little about where the wearer happened to look.
- Drift: how far a has come since it was last known to be right, in units of how far it wanders while a
  headset sits still (a Mahalanobis distance).

Source: linear Bayesian estimation (Kalman's measurement update); the surface over gaze is this project's. All
of it is learnt from simulated users (psog.net.recovery_learning).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError
from psog.net.architecture import OPENNESS
from psog.net.calibrated import Calibrated, Form, calibrated
from psog.net.integer import IntegerNet
from psog.net.ridge import GAZE_OUTPUTS
from psog.net.surface import CALIBRATION_RIDGE, SURFACE_RIDGE, Moments, fitted, inputs_of, moments

Array = NDArray[np.float64]

SURPRISE = 13.8
"""A target farther from where it is expected than this (squared, in SDs: 0.1 % of a χ² of 2 degrees of
freedom) counts as if it were so far: the wearer looked elsewhere."""


AGREEMENT_KEPT = 0.9
"""Of what is known of a guess's worth, from call to call; a weak value."""


@dataclass(frozen=True)
class Agreement:
    """How far guesses from readings without targets are borne out by what is read next.

    A guess that only follows noise, or a headset that does not rest, agrees with nothing that comes later.
    The slope of later guesses over earlier ones is the best factor for using them (linear prediction).

    Attributes:
        agreed, guessed: sums of the products of a guess with the later one, and with itself, half forgotten.
    """

    agreed: float = 6.0
    guessed: float = 10.0

    @property
    def share(self) -> float:
        """Of a guess that is used, 0 to 1."""
        return min(max(self.agreed / self.guessed, 0.0), 1.0)

    def after(self, guess: Array, later: Array) -> Agreement:
        return Agreement(
            AGREEMENT_KEPT * self.agreed + float(guess @ later),
            AGREEMENT_KEPT * self.guessed + float(guess @ guess),
        )


@dataclass(frozen=True)
class Wearer:
    """A user from a calibration on.

    Attributes:
        calibrated: network and head of the calibration.
        net: of the population; it says how readings become inputs.
        surface: (6, sensors) inputs over gaze at the calibration.
        asked: (K,) change of the head by recentring.
        guess: (K,) change of the head that readings without targets imply; None where nobody looked at them.
        agreement: how much of it is used.
    """

    calibrated: Calibrated
    net: IntegerNet
    surface: Array
    asked: Array
    guess: Array | None = None
    agreement: Agreement = Agreement()

    @property
    def change(self) -> Array:
        """(K,) of the head in use."""
        return self.asked if self.guess is None else self.asked + self.agreement.share * self.guess

    def moments(self, wire: NDArray[np.uint16], openness_border: float) -> Moments:
        """Of (n, sensors) readings, as far as the eye seems open.

        Gaze is estimated by the head of the calibration, so that no correction feeds on itself.
        """
        features, head = self.calibrated.features(wire), self.calibrated.head
        openness = self.net.head.weight[OPENNESS]
        is_open = features @ openness[:-1] + openness[-1] >= openness_border
        gaze_deg = features[is_open] @ head[:, :-1].T + head[:, -1]
        return moments(inputs_of(self.net, wire[is_open]), gaze_deg)


@dataclass(frozen=True)
class Recovery:
    """What simulated slips teach, for one network.

    Attributes:
        surface: (6, sensors) inputs over gaze of the average user.
        changes: (K, 2, features + 1) of heads, degrees.
        weight: (K, 6 · sensors), bias: (K,) from a surface's coefficients to the change.
        left: (K, K) covariance of the change that the implicit mode does not see.
        noise_deg: of gaze at one place, an axis: what no change of the head explains, and fixation.
        calm: (K, K) makes changes white that are seen while the headset sits still.
        alarm: drift that in an hour without a slip is passed once on average, if looked at each minute.
    """

    surface: Array
    changes: Array
    weight: Array
    bias: Array
    left: Array
    noise_deg: float
    calm: Array
    alarm: float

    def wearer(
        self, net: IntegerNet, form: Form, wire: NDArray[np.uint16], target_deg: NDArray[np.floating]
    ) -> Wearer:
        """A user from a calibration: (n, sensors) readings at (n, 2) targets."""
        seen = moments(inputs_of(net, wire), target_deg)
        surface = self.surface + fitted(seen, self.surface, CALIBRATION_RIDGE)
        return Wearer(calibrated(net, form, wire, target_deg), net, surface, np.zeros(len(self.changes)))

    def gaze(self, wearer: Wearer) -> Calibrated:
        """The network and the head in use."""
        head = self.changed(wearer.calibrated.head, wearer.change)
        return replace(wearer.calibrated, head=head)

    def recentred(self, wearer: Wearer, wire: NDArray[np.uint16], target_deg: NDArray[np.floating]) -> Wearer:
        """After a few readings at one target.

        Args:
            wire: (n, sensors) readings of one fixation, n >= 1.
            target_deg: (2,) where the wearer was asked to look.
        Raises:
            ShapeError: no reading, or more than one target.
        """
        if len(wire) < 1 or np.shape(target_deg) != (GAZE_OUTPUTS,):
            raise ShapeError(
                f"cannot recentre: {len(wire)} readings, targets {np.shape(target_deg)}; expected at least 1 "
                "and (2,)"
            )
        now = self.gaze(wearer)
        prior = None if wearer.guess is None else self.left
        change, _ = self.one_target(now.head, now.features(wire).mean(axis=0), target_deg, prior)
        return replace(wearer, asked=wearer.asked + change)

    def one_target(
        self,
        head: NDArray[np.floating],
        features: NDArray[np.floating],
        target_deg: NDArray[np.floating],
        prior: Array | None = None,
    ) -> tuple[Array, float]:
        """What a look at one target says of the head in use.

        Args:
            head: (2, D + 1) in use. features: (D,) real ones, the mean of the look. target_deg: (2,).
            prior: (K, K) covariance of the change before the look; by default that of slips.
        Returns:
            The most probable change, (K,), for `changed`; and how surprising the look is: the squared
            distance from what is expected of calibrated wearers who slip, in SDs (see SURPRISE).
        """
        mean = np.append(features, 1.0)
        missing = np.asarray(target_deg, np.float64) - head @ mean
        jacobian = (self.changes @ mean).T
        prior = np.eye(len(self.changes)) if prior is None else prior
        spread = jacobian @ prior @ jacobian.T + self.noise_deg**2 * np.eye(GAZE_OUTPUTS)
        weighted = np.linalg.solve(spread, missing)
        surprise = float(missing @ weighted)
        weighted *= min(1.0, np.sqrt(SURPRISE / max(surprise, 1e-9)))
        return np.asarray(prior @ jacobian.T @ weighted), surprise

    def changed(self, head: NDArray[np.floating], change: Array) -> Array:
        """(2, D + 1) head after a change, (K,)."""
        return np.asarray(head + np.tensordot(change, self.changes, axes=1))

    def implied(self, wearer: Wearer, seen: Moments) -> Array:
        """(K,) how the head has changed since the calibration, from readings without targets."""
        away = fitted(seen, wearer.surface, SURFACE_RIDGE)
        return np.asarray(self.weight @ away.ravel() + self.bias)

    def followed(self, wearer: Wearer, seen: Moments, latest: Moments) -> Wearer:
        """The implicit mode, to be called at equal intervals.

        Args:
            seen: of all readings that are not forgotten yet, the latest included.
            latest: of those since the call before.
        Returns:
            The wearer as before where gaze reached too little to tell.
        """
        if not covers(seen):
            return wearer
        agreement = wearer.agreement
        if wearer.guess is not None and covers(latest):
            agreement = agreement.after(wearer.guess, self.implied(wearer, latest))
        return replace(wearer, guess=self.implied(wearer, seen), agreement=agreement)

    def drift(self, change: Array, since: Array) -> float:
        """How far apart two changes of a head are; about √K while the headset sits still."""
        return float(np.linalg.norm(self.calm @ (change - since)))


LEAST_READINGS, LEAST_REACH_DEG = 20.0, 2.5
"""Of readings that the implicit mode goes by: how many, each of another fixation, and how far gaze varies (SD
in the direction in which it varies least); weak values."""


def covers(seen: Moments) -> bool:
    """Whether readings without targets say enough: how many there are, and how far gaze reached."""
    return seen.count >= LEAST_READINGS and seen.reach_deg() >= LEAST_REACH_DEG
