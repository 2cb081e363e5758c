"""Causes: why a gradient shrinks or grows, in words, by rule from measured numbers.

Each function takes numbers and gives one sentence if they make it true, else an empty text: nothing is said by
template alone. Some are told what their numbers claim to be, where they are those of a recording. The markup is that
of `picture.rich`. `all_true` collects what holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from visualizer.language import counted_as, english, tr, translated
from visualizer.said import Claim, claimed, constants
from visualizer.scene import numbers

SATURATED = 0.1
"""From this share of saturated or dead units on it is worth a sentence."""
HEALTHY = (0.9, 1.1)
"""Factors per step or layer between these neither vanish nor explode within some dozens of them."""
SMALL, LARGE = 1e-3, 1e3
SEVERAL = {english("step"): english("steps"), english("layer"): english("layers")}
"""What a gradient goes back through: one of them, and several."""


def all_true(sentences: Iterable[str]) -> tuple[str, ...]:
    """Those that the numbers made true, in the order given, none twice."""
    return tuple(dict.fromkeys(sentence for sentence in sentences if sentence))


# --- how far a gradient reaches -------------------------------------------------------------------------------------

def half_life(name: str, steps: float, what: str = "step", within: int = 0) -> str:
    """`The RNN forgets half every 4.6 steps.`; not finite or not positive means that nothing decays."""
    if math.isfinite(steps) and steps > 0:
        return tr("{name} forgets half every {count} {units}.").format(
            name=name, count=numbers.significant(steps, 2), units=_several(what))
    return tr("{name} does not decay in these {count} {units}.").format(
        name=name, count=within, units=_several(what)) if within else tr("{name} does not decay.").format(name=name)


def crossing(step: int | None, share: float = 0.01, what: str = "step", *claims: Claim) -> str:
    """`After 9 steps less than 1 % is left.`"""
    if step is None:
        return ""
    return tr("After {count} {units} less than {share} is left.").format(
        count=claimed(str(step), claims), units=counted_as(step, translated(what), _several(what)),
        share=claimed(f"{numbers.significant(share * 100, 1)} %", claims, 1))


def _several(what: str) -> str:
    """`steps`, of `step`."""
    return translated(SEVERAL.get(what, what + "s"))


# --- nonlinearities -------------------------------------------------------------------------------------------------

def sigmoid_slope(mean_slope: float, *claims: Claim) -> str:
    """A sigmoid's derivative s (1 − s) is at most 1/4, so every one of them takes at least three quarters."""
    if not 0 < mean_slope <= 0.25:
        return ""
    return tr("The slope of a sigmoid is at most {most}; here it is {slope} on average.").format(
        most=claimed("1/4", claims, 1), slope=claimed(numbers.significant(mean_slope, 2), claims))


def saturated(share: float, what: str = english("units"), where: str = english("beyond ±0.9"),
              *claims: Claim) -> str:
    """`62 % of units saturated`: where a tanh or a gate is flat, its slope is near 0."""
    if not SATURATED <= share <= 1:
        return ""
    return tr("{share} of the {what} are saturated ({where}): their slope is near {zero}.").format(
        share=claimed(numbers.percent(share, 0), claims), what=translated(what),
        where=constants(translated(where)), zero=constants("0"))


def dead(share: float, what: str = english("units"), inputs: int = 1) -> str:
    """ReLUs that answered none of `inputs` inputs hand nothing back."""
    if not SATURATED <= share <= 1:
        return ""
    words = tr("{share} of the {what} are off for this input: nothing goes back through them.") if inputs == 1 else \
        tr("{share} of the {what} are off for any of {count} inputs: nothing goes back through them.")
    return words.format(share=numbers.percent(share, 0), what=translated(what), count=numbers.count(inputs))


def half_open(share: float, *claims: Claim) -> str:
    """A ReLU passes the gradient where it is on and stops it where it is off."""
    if not 0 < share < 1:
        return ""
    return tr("ReLU lets the gradient through at {share} of the units and stops it at the others.").format(
        share=claimed(numbers.percent(share, 0), claims))


# --- the recurrent matrix -------------------------------------------------------------------------------------------

def grows_first(radius: float, singular: float, peak: float, lag: int, *claims: Claim) -> str:
    """The spectral radius rules in the long run, the largest singular value the first steps."""
    if not (radius < 1 < singular and peak > 1.01):
        return ""
    words = tr("Spectral radius {radius}, but largest singular value {singular}: over {count} step a gradient can grow "
              "to "
              "{peak} first, then it decays.") if lag == 1 else \
        tr("Spectral radius {radius}, but largest singular value {singular}: over {count} steps a gradient can grow to "
           "{peak} first, then it decays.")
    return words.format(radius=claimed(numbers.number(radius), claims),
                       singular=claimed(numbers.number(singular), claims, 1), count=claimed(str(lag), claims, 3),
                       peak=claimed(numbers.number(peak), claims, 2))


def bound_is_no_prediction(kept: float, bound: float, *claims: Claim) -> str:
    """A largest singular value above 1 is necessary for a gradient to explode, not sufficient."""
    if not (kept < HEALTHY[0] and bound > 1):
        return ""
    return tr("The bound is {bound} a step, yet {kept} is kept: a bound is not a prediction.").format(
        bound=claimed(numbers.number(bound), claims, 1), kept=claimed(numbers.number(kept), claims))


def must_vanish(bound: float, *claims: Claim) -> str:
    """If no Jacobian stretches anything, nothing can last."""
    if not 0 <= bound < 1:
        return ""
    return tr("No Jacobian stretches anything by more than {bound}: the gradient must vanish.").format(
        bound=claimed(numbers.number(bound), claims))


def large_radius_vanishes(radius: float, kept: float, share: float, *claims: Claim) -> str:
    """A recurrent matrix that would explode in a linear network, tamed by a nonlinearity that is flat."""
    if not (radius > 1 and kept < 1):
        return ""
    words = tr("Spectral radius {radius} would explode if the network were linear; {share} of the units are in their "
              "flat "
              "part.") if share >= SATURATED else \
        tr("Spectral radius {radius} would explode if the network were linear.")
    return words.format(radius=claimed(numbers.number(radius), claims),
                       share=claimed(numbers.percent(share, 0), claims, 1))


def linear_power(radius: float, kept: float) -> str:
    """Without a nonlinearity an orthogonal matrix times g keeps exactly g a step."""
    if not (radius > 0 and abs(kept / radius - 1) < 1e-6):
        return ""
    return tr("Every step multiplies by exactly {radius}, the gain: a straight line.").format(
        radius=numbers.significant(radius, 3))


# --- gates ----------------------------------------------------------------------------------------------------------

def gate_mean(name: str, mean: float, *claims: Claim) -> str:
    """`Forget gate 0.50 on average`: below this the straight way through the memory halves quickly."""
    if not 0 < mean < HEALTHY[0]:
        return ""
    return tr("{gate} {mean} on average: the straight way alone keeps that much a step.").format(
        gate=name, mean=claimed(numbers.number(mean), claims))


def gate_open(name: str, mean: float, *claims: Claim) -> str:
    """An open gate hands the memory, and its gradient, on nearly whole."""
    if not HEALTHY[0] <= mean <= 1:
        return ""
    return tr("{gate} {mean} on average: the memory is handed on nearly whole.").format(
        gate=name, mean=claimed(numbers.number(mean), claims))


def detour(kept: float, gate: float, *claims: Claim) -> str:
    """What the gates let the state feed back adds to the straight way."""
    if not kept > gate + 0.02:
        return ""
    return tr("It keeps {kept} a step, more than its gate of {gate}: the detour through the state adds the "
              "rest.").format(
        kept=claimed(numbers.number(kept), claims), gate=claimed(numbers.number(gate), claims, 1))


# --- growth, clipping, precision ------------------------------------------------------------------------------------

def explodes(factor: float, what: str = "step", *claims: Claim) -> str:
    """Growth that a few dozen steps or layers turn into a problem."""
    if not factor > HEALTHY[1]:
        return ""
    return tr("The gradient grows by {factor} a {unit}.").format(
        factor=claimed(numbers.significant(factor, 3), claims), unit=translated(what))


def clipped(norm: float, limit: float, *claims: Claim) -> str:
    """Clipping by norm rescales the whole gradient: it cures explosion, and leaves every proportion as it is."""
    if not (limit > 0 and norm > limit):
        return ""
    return tr("Clipping at {limit} multiplies the whole gradient of norm {norm} by {factor}: its length changes, not "
              "its "
              "direction.").format(limit=claimed(numbers.significant(limit, 2), claims, 1),
                                   norm=claimed(numbers.significant(norm, 2), claims),
                                   factor=claimed(numbers.significant(limit / norm, 2), claims, 2))


def rounded_to_zero(count: int, what: str = english("steps")) -> str:
    """float32 has no number between 0 and 1.4 × 10⁻⁴⁵."""
    if count < 1:
        return ""
    return tr("float32 makes the gradient of {count} {units} exactly 0; in float64 it is not.").format(
        count=numbers.count(count), units=translated(what))


def overflowed(step: int | None, what: str = english("steps back")) -> str:
    """Where a number left the range of the precision."""
    return "" if step is None else tr("Beyond the range of the numbers from {count} {units} on.").format(
        count=numbers.count(step), units=translated(what))


# --- depth ----------------------------------------------------------------------------------------------------------

def flat_but_dead(weight_ratio: float, spread: float, *claims: Claim) -> str:
    """Weight gradients that look alike in every layer can all be next to nothing: the activations tell."""
    if not (0.1 <= weight_ratio <= 10 and 0 <= spread < SMALL):
        return ""
    return tr("First and last weight gradient differ only {ratio} times, which looks healthy; but the activations have "
              "shrunk to {spread}.").format(ratio=claimed(numbers.significant(weight_ratio, 2), claims),
                                         spread=claimed(numbers.power(spread), claims, 1))


def theory(name: str, factor: float, expected: float) -> str:
    """What a formula says, where the measurement agrees with it."""
    if not abs(factor - expected) <= 0.03:
        return ""
    return tr("Theory says {name} = {expected}; measured {factor}.").format(
        name=name, expected=numbers.number(expected, 3), factor=numbers.number(factor, 3))


def skips_carry(residual: bool, factor: float) -> str:
    """The identity of a residual layer hands the gradient on undiminished, and the layer adds to it."""
    if not (residual and factor >= 1):
        return ""
    return tr("The skip hands every gradient on whole and the layer adds its own: {factor} a layer.").format(
        factor=numbers.number(factor))


def norm_explodes(norm: str, factor: float, residual: bool = False) -> str:
    """Batch norm without skips makes gradients explode at initialisation (Yang et al. 2019)."""
    if norm != "batch" or residual or not factor > HEALTHY[1]:
        return ""
    return tr("Batch norm keeps the activations in range but makes the gradient grow by {factor} a layer.").format(
        factor=numbers.number(factor))


# --- one hop of a recorded pass -------------------------------------------------------------------------------------

def winners(passed: int, places: int, *claims: Claim) -> str:
    """Max-pooling hands each gradient to the largest value of its window alone."""
    if not 0 < passed < places:
        return ""
    return counted_as(passed, tr("Max-pool hands its gradient to {count} winner of {all}."),
                      tr("Max-pool hands its gradient to {count} winners of {all}.")).format(
        count=claimed(numbers.count(passed), claims), all=claimed(numbers.count(places), claims, 1))


def averaged(window: int, *claims: Claim) -> str:
    """Average pooling splits each gradient evenly among what it averaged."""
    if window < 2:
        return ""
    return tr("The average splits each gradient evenly among {count} values.").format(
        count=claimed(numbers.count(window), claims))


def flat_tanh(mean_slope: float, *claims: Claim) -> str:
    """The derivative 1 − y² of a tanh is 1 at 0 and falls to both sides."""
    if not 0 <= mean_slope < 0.9:
        return ""
    return tr("The slope of tanh is at most {most}; here it is {slope} on average.").format(
        most=claimed("1", claims, 1), slope=claimed(numbers.significant(mean_slope, 2), claims))


def stretch(kept: float, largest: float, *claims: Claim) -> str:
    """Wᵀ can lengthen no gradient by more than the largest singular value of W."""
    if not 0 < kept <= largest:
        return ""
    return tr("Its weights could stretch the gradient {largest} times at most; this one lies so that it becomes {kept} "
              "times as long.").format(largest=claimed(numbers.significant(largest, 2), claims, 1),
                                       kept=claimed(numbers.significant(kept, 2), claims))


def added_ways(ways: int, skip: bool = False, *claims: Claim) -> str:
    """What several layers read gets the sum of their gradients; an addition among them hands its own on whole."""
    if ways < 2:
        return ""
    words = tr("{count} layers read it, so their gradients are added; the skip hands one of them on "
               "whole.") if skip else \
        tr("{count} layers read it, so their gradients are added.")
    return words.format(count=claimed(numbers.count(ways), claims))


def moved_only(factor: float) -> str:
    """Reshaping moves numbers and changes none."""
    if factor != 1:
        return ""
    return tr("What reads it only moves numbers, so the gradient passes whole.")


def normalised(kept: float, *claims: Claim) -> str:
    """A norm divides by the spread of what it reads, and so does its gradient."""
    if not 0 < kept or abs(kept - 1) < 0.01:
        return ""
    return tr("Normalising rescales the gradient as it rescales the values: {factor} times.").format(
        factor=claimed(numbers.significant(kept, 2), claims))


def joined(parts: int, *claims: Claim) -> str:
    """Joining copies numbers side by side; each part gets its own gradient back."""
    if parts < 2:
        return ""
    return tr("It is one of {count} parts that were joined, and gets its own share back unchanged.").format(
        count=claimed(numbers.count(parts), claims))


def gated(factor: float, *claims: Claim) -> str:
    """The derivative of a product is the other factor."""
    if not 0 < factor < math.inf:
        return ""
    return tr("A product passes the gradient times its other factor, here {factor} on average.").format(
        factor=claimed(numbers.significant(factor, 2), claims))


def dead_layer(spread: float, *claims: Claim) -> str:
    """A layer that says the same whatever it reads hands no information on, in either direction."""
    if not 0 <= spread < SMALL:
        return ""
    return tr("Its activations hardly differ from each other (standard deviation {spread}).").format(
        spread=claimed(numbers.significant(spread, 2), claims))


def uneven(fit: float, *claims: Claim) -> str:
    """One half-life describes a straight line only."""
    if not fit < 0.9:
        return ""
    return tr("The line is uneven (R² {fit}): what is read decides how much a step keeps.").format(
        fit=claimed(numbers.number(fit), claims))


def before_and_after(before: float, after: float, within: int, what: str = "step") -> str:
    """How training moved the half-life; both in steps, infinite where nothing decays in the steps at hand."""
    if not (before > 0 and after > 0) or before == after or abs(before - after) < 0.1 * after < math.inf:
        return ""
    told = [f"{numbers.significant(steps, 2)} {_several(what)}" if steps < math.inf else
            tr("no decay in {count} {units}").format(count=within, units=_several(what)) for steps in (before, after)]
    return tr("Half-life before training {before}, after {after}.").format(before=told[0], after=told[1])


def from_late_losses(share: float, last: int, *claims: Claim) -> str:
    """What arrives at a step comes mostly from losses near it, where a gradient vanishes: the sum does not."""
    if not 0.5 < share <= 1:
        return ""
    return tr("{share} of the step gradients of the weights, by size, come from the last {count} steps: the sum does "
              "not "
              "vanish, only what is far away in it does.").format(share=claimed(numbers.percent(share, 0), claims),
                                                        count=claimed(str(last), claims, 1))


def truncation(kept: float, missing: float, window: int, *claims: Claim) -> str:
    """Truncated back-propagation cuts credit, not memory."""
    if not missing > 1e-12:
        return ""
    one = tr("Cut after {count} step the weight gradient has {kept} of its size and is {missing} off; the state still "
             "crosses the cut.")
    several = tr("Cut after {count} steps the weight gradient has {kept} of its size and is {missing} off; the state "
                 "still crosses the cut.")
    words = one if window == 1 else several
    return words.format(count=claimed(str(window), claims, 2), kept=claimed(numbers.percent(kept, 0), claims),
                       missing=claimed(numbers.percent(missing, 0), claims, 1))
