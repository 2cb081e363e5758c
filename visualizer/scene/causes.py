"""Causes: why a gradient shrinks or grows, in words, by rule from measured numbers.

Each function takes numbers and gives one sentence if they make it true, else an empty text: nothing is said by
template alone. The markup is that of `picture.rich`. `all_true` collects what holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from visualizer.scene import numbers

SATURATED = 0.1
"""From this share of saturated or dead units on it is worth a sentence."""
HEALTHY = (0.9, 1.1)
"""Factors per step or layer between these neither vanish nor explode within some dozens of them."""
SMALL, LARGE = 1e-3, 1e3
NEVER = "does not decay"


def all_true(sentences: Iterable[str]) -> tuple[str, ...]:
    """Those that the numbers made true, in the order given, none twice."""
    return tuple(dict.fromkeys(sentence for sentence in sentences if sentence))


# --- how far a gradient reaches -------------------------------------------------------------------------------------

def half_life(name: str, steps: float, what: str = "step", within: int = 0) -> str:
    """`The RNN forgets half every 4.6 steps.`; not finite or not positive means that nothing decays."""
    if math.isfinite(steps) and steps > 0:
        return f"{name} forgets half every {numbers.significant(steps, 2)} {what}s."
    return f"{name} {NEVER} in these {within} {what}s." if within else f"{name} {NEVER}."


def crossing(step: int | None, share: float = 0.01, what: str = "step") -> str:
    """`After 9 steps less than 1 % is left.`"""
    if step is None:
        return ""
    return f"After {step} {what}{'' if step == 1 else 's'} less than {numbers.significant(share * 100, 1)} % is left."


# --- nonlinearities -------------------------------------------------------------------------------------------------

def sigmoid_slope(mean_slope: float) -> str:
    """A sigmoid's derivative s (1 − s) is at most 1/4, so every one of them takes at least three quarters."""
    if not 0 < mean_slope <= 0.25:
        return ""
    return f"The slope of a sigmoid is at most 1/4; here it is {numbers.significant(mean_slope, 2)} on average."


def saturated(share: float, what: str = "units", where: str = "beyond ±0.9") -> str:
    """`62 % of units saturated`: where a tanh or a gate is flat, its slope is near 0."""
    if not SATURATED <= share <= 1:
        return ""
    return f"{numbers.percent(share, 0)} of the {what} are saturated ({where}): their slope is near 0."


def dead(share: float, what: str = "units", inputs: int = 1) -> str:
    """ReLUs that answered none of `inputs` inputs hand nothing back."""
    if not SATURATED <= share <= 1:
        return ""
    of = "this input" if inputs == 1 else f"any of {numbers.count(inputs)} inputs"
    return f"{numbers.percent(share, 0)} of the {what} are off for {of}: nothing goes back through them."


def half_open(share: float) -> str:
    """A ReLU passes the gradient where it is on and stops it where it is off."""
    if not 0 < share < 1:
        return ""
    return f"ReLU lets the gradient through at {numbers.percent(share, 0)} of the units and stops it at the others."


# --- the recurrent matrix -------------------------------------------------------------------------------------------

def grows_first(radius: float, singular: float, peak: float, lag: int) -> str:
    """The spectral radius rules in the long run, the largest singular value the first steps."""
    if not (radius < 1 < singular and peak > 1.01):
        return ""
    return (f"Spectral radius {numbers.number(radius)}, but largest singular value {numbers.number(singular)}: over "
            f"{lag} step{'' if lag == 1 else 's'} a gradient can grow to {numbers.number(peak)} first, then it decays.")


def bound_is_no_prediction(kept: float, bound: float) -> str:
    """A largest singular value above 1 is necessary for a gradient to explode, not sufficient."""
    if not (kept < HEALTHY[0] and bound > 1):
        return ""
    return (f"The bound is {numbers.number(bound)} a step, yet {numbers.number(kept)} is kept: a bound is not a "
            "prediction.")


def must_vanish(bound: float, what: str = "step") -> str:
    """If no Jacobian stretches anything, nothing can last."""
    if not 0 <= bound < 1:
        return ""
    return f"No Jacobian stretches anything by more than {numbers.number(bound)}: the gradient must vanish."


def large_radius_vanishes(radius: float, kept: float, share: float) -> str:
    """A recurrent matrix that would explode in a linear network, tamed by a nonlinearity that is flat."""
    if not (radius > 1 and kept < 1):
        return ""
    why = f"; {numbers.percent(share, 0)} of the units are in their flat part" if share >= SATURATED else ""
    return f"Spectral radius {numbers.number(radius)} would explode if the network were linear{why}."


def linear_power(radius: float, kept: float) -> str:
    """Without a nonlinearity an orthogonal matrix times g keeps exactly g a step."""
    if not (radius > 0 and abs(kept / radius - 1) < 1e-6):
        return ""
    return f"Every step multiplies by exactly {numbers.significant(radius, 3)}, the gain: a straight line."


# --- gates ----------------------------------------------------------------------------------------------------------

def gate_mean(name: str, mean: float) -> str:
    """`Forget gate 0.50 on average`: below this the straight way through the memory halves quickly."""
    if not 0 < mean < HEALTHY[0]:
        return ""
    return f"{name} {numbers.number(mean)} on average: the straight way alone keeps that much a step."


def gate_open(name: str, mean: float) -> str:
    """An open gate hands the memory, and its gradient, on nearly whole."""
    if not HEALTHY[0] <= mean <= 1:
        return ""
    return f"{name} {numbers.number(mean)} on average: the memory is handed on nearly whole."


def detour(kept: float, gate: float) -> str:
    """What the gates let the state feed back adds to the straight way."""
    if not kept > gate + 0.02:
        return ""
    return (f"It keeps {numbers.number(kept)} a step, more than its gate of {numbers.number(gate)}: the detour through "
            "the state adds the rest.")


# --- growth, clipping, precision ------------------------------------------------------------------------------------

def explodes(factor: float, what: str = "step") -> str:
    """Growth that a few dozen steps or layers turn into a problem."""
    if not factor > HEALTHY[1]:
        return ""
    return f"The gradient grows by {numbers.significant(factor, 3)} a {what}."


def clipped(norm: float, limit: float) -> str:
    """Clipping by norm rescales the whole gradient: it cures explosion, and leaves every proportion as it is."""
    if not (limit > 0 and norm > limit):
        return ""
    return (f"Clipping at {numbers.significant(limit, 2)} multiplies the whole gradient of norm "
            f"{numbers.significant(norm, 2)} by {numbers.significant(limit / norm, 2)}: its length changes, not its "
            "direction.")


def rounded_to_zero(count: int, what: str = "steps") -> str:
    """float32 has no number between 0 and 1.4 × 10⁻⁴⁵."""
    if count < 1:
        return ""
    return f"float32 makes the gradient of {numbers.count(count)} {what} exactly 0; in float64 it is not."


def overflowed(step: int | None, what: str = "steps back") -> str:
    """Where a number left the range of the precision."""
    return "" if step is None else f"Beyond the range of the numbers from {numbers.count(step)} {what} on."


# --- depth ----------------------------------------------------------------------------------------------------------

def flat_but_dead(weight_ratio: float, spread: float) -> str:
    """Weight gradients that look alike in every layer can all be next to nothing: the activations tell."""
    if not (0.1 <= weight_ratio <= 10 and 0 <= spread < SMALL):
        return ""
    return (f"First and last weight gradient differ only {numbers.significant(weight_ratio, 2)} times, which looks "
            f"healthy; but the activations have shrunk to {numbers.power(spread)}.")


def theory(name: str, factor: float, expected: float) -> str:
    """What a formula says, where the measurement agrees with it."""
    if not abs(factor - expected) <= 0.03:
        return ""
    return f"Theory says {name} = {numbers.number(expected, 3)}; measured {numbers.number(factor, 3)}."


def skips_carry(residual: bool, factor: float) -> str:
    """The identity of a residual layer hands the gradient on undiminished, and the layer adds to it."""
    if not (residual and factor >= 1):
        return ""
    return f"The skip hands every gradient on whole and the layer adds its own: {numbers.number(factor)} a layer."


def norm_explodes(norm: str, factor: float, residual: bool = False) -> str:
    """Batch norm without skips makes gradients explode at initialisation (Yang et al. 2019)."""
    if norm != "batch" or residual or not factor > HEALTHY[1]:
        return ""
    return (f"Batch norm keeps the activations in range but makes the gradient grow by {numbers.number(factor)} a "
            "layer.")


# --- one hop of a recorded pass -------------------------------------------------------------------------------------

def winners(passed: int, places: int) -> str:
    """Max-pooling hands each gradient to the largest value of its window alone."""
    if not 0 < passed < places:
        return ""
    return f"Max-pool hands its gradient to {numbers.count(passed)} winners of {numbers.count(places)}."


def averaged(window: int) -> str:
    """Average pooling splits each gradient evenly among what it averaged."""
    if window < 2:
        return ""
    return f"The average splits each gradient evenly among {numbers.count(window)} values."


def flat_tanh(mean_slope: float) -> str:
    """The derivative 1 − y² of a tanh is 1 at 0 and falls to both sides."""
    if not 0 <= mean_slope < 0.9:
        return ""
    return f"The slope of tanh is at most 1; here it is {numbers.significant(mean_slope, 2)} on average."


def stretch(kept: float, largest: float) -> str:
    """Wᵀ can lengthen no gradient by more than the largest singular value of W."""
    if not 0 < kept <= largest:
        return ""
    return (f"Its weights could stretch the gradient {numbers.significant(largest, 2)} times at most; this one lies so "
            f"that it becomes {numbers.significant(kept, 2)} times as long.")


def added_ways(ways: int, skip: bool = False) -> str:
    """What several layers read gets the sum of their gradients; an addition among them hands its own on whole."""
    if ways < 2:
        return ""
    whole = "; the skip hands one of them on whole" if skip else ""
    return f"{numbers.count(ways)} layers read it, so their gradients are added{whole}."


def moved_only(factor: float) -> str:
    """Reshaping moves numbers and changes none."""
    if factor != 1:
        return ""
    return "What reads it only moves numbers, so the gradient passes whole."


def normalised(kept: float) -> str:
    """A norm divides by the spread of what it reads, and so does its gradient."""
    if not 0 < kept or abs(kept - 1) < 0.01:
        return ""
    return f"Normalising rescales the gradient as it rescales the values: {numbers.significant(kept, 2)} times."


def joined(parts: int) -> str:
    """Joining copies numbers side by side; each part gets its own gradient back."""
    if parts < 2:
        return ""
    return f"It is one of {numbers.count(parts)} parts that were joined, and gets its own share back unchanged."


def gated(factor: float) -> str:
    """The derivative of a product is the other factor."""
    if not 0 < factor < math.inf:
        return ""
    return f"A product passes the gradient times its other factor, here {numbers.significant(factor, 2)} on average."


def dead_layer(spread: float) -> str:
    """A layer that says the same whatever it reads hands no information on, in either direction."""
    if not 0 <= spread < SMALL:
        return ""
    return f"Its activations hardly differ from each other (standard deviation {numbers.significant(spread, 2)})."


def uneven(fit: float) -> str:
    """One half-life describes a straight line only."""
    if not fit < 0.9:
        return ""
    return f"The line is uneven (R² {numbers.number(fit)}): what is read decides how much a step keeps."


def before_and_after(before: float, after: float, within: int, what: str = "step") -> str:
    """How training moved the half-life; both in steps, infinite where nothing decays in the steps at hand."""
    if not (before > 0 and after > 0) or before == after or abs(before - after) < 0.1 * after < math.inf:
        return ""
    told = [f"{numbers.significant(steps, 2)} {what}s" if steps < math.inf else f"no decay in {within} {what}s"
            for steps in (before, after)]
    return f"Half-life before training {told[0]}, after {told[1]}."


def from_late_losses(share: float, last: int) -> str:
    """What arrives at a step comes mostly from losses near it, where a gradient vanishes: the sum does not."""
    if not 0.5 < share <= 1:
        return ""
    return (f"{numbers.percent(share, 0)} of the step gradients of the weights, by size, come from the last {last} "
            "steps: the sum does not vanish, only what is far away in it does.")


def truncation(kept: float, missing: float, window: int) -> str:
    """Truncated back-propagation cuts credit, not memory."""
    if not missing > 1e-12:
        return ""
    return (f"Cut after {window} step{'' if window == 1 else 's'} the weight gradient has "
            f"{numbers.percent(kept, 0)} of its size and is {numbers.percent(missing, 0)} off; the state still crosses "
            "the cut.")
