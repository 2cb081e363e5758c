"""Numbers are written in one way everywhere."""

import math
import re
from random import Random

import pytest

from visualizer.scene import numbers

SIZES = [sign * factor * 10.0 ** power for power in range(-300, 10) for sign in (1, -1)
         for factor in (1.0, Random(power).uniform(1, 9.99), 4.9999, 5.0001, 9.9999)]
"""From far below what is ever seen to a billion, of both signs, and close to where they are rounded."""
WAYS = {"number": numbers.number, "signed": numbers.signed,
        "significant": lambda value, digits: numbers.significant(value, digits + 1), "power": numbers.power}


def read_back(words):
    """The number that was written."""
    plain = words.replace("−", "-").replace(",", "")
    mantissa, _, tens = plain.partition(" × 10")
    return float(mantissa + ("e" + tens.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) if tens else ""))


@pytest.mark.parametrize("digits", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("way", WAYS)
def test_nothing_but_zero_is_written_as_zero(way, digits):
    for value in SIZES:
        words = WAYS[way](value, digits)
        found = read_back(words)
        assert found != 0, (value, words)
        assert (found > 0) == (value > 0), (value, words)
        last = 10.0 ** -len(re.split(r" × ", words)[0].partition(".")[2])
        tens = 10.0 ** int(f"{found:e}".split("e")[1]) if "×" in words else 1.0
        assert abs(found - value) <= 0.5001 * last * tens, (value, words)
    assert WAYS[way](0.0, digits) == WAYS[way](-0.0, digits) == "0"


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_in_little_room_what_is_nearly_zero_is_said_to_be_nearly_zero(digits):
    for value in SIZES:
        words = numbers.brief(value, digits)
        rounds_to_zero = float(f"{value:.{digits}f}") == 0
        assert (words == "≈0") == rounds_to_zero, (value, words)
        assert rounds_to_zero or read_back(words) == float(f"{value:.{digits}f}")
    assert numbers.brief(0.0, digits) == "0"
    assert numbers.brief(0.381, digits, plus=True).startswith("+0.")


@pytest.mark.parametrize(("value", "digits", "words"), [
    (5.214, 2, "5.21"), (-0.3812, 2, "−0.38"), (0, 2, "0"), (-0.0, 2, "0"), (0.0001, 2, "0.0001"),
    (-3.2e-9, 2, "−3 × 10⁻⁹"), (20784, 0, "20,784"), (-1234567.891, 1, "−1,234,567.9"), (math.nan, 2, "NaN"),
    (math.inf, 2, "∞"), (-math.inf, 2, "−∞"), (-0.231, 3, "−0.231"),
])
def test_a_number_has_a_true_minus_and_tells_exact_zero_from_small(value, digits, words):
    assert numbers.number(value, digits) == words


@pytest.mark.parametrize(("value", "words"), [
    (0.38, "+0.38"), (-0.38, "−0.38"), (0, "0"), (0.001, "+0.001"), (-0.001, "−0.001"), (math.inf, "+∞"),
    (math.nan, "NaN"),
])
def test_what_is_added_carries_a_plus(value, words):
    assert numbers.signed(value) == words


@pytest.mark.parametrize(("share", "words"), [(0.77, "77.0 %"), (0, "0 %"), (1e-7, "0.0 %"), (1, "100.0 %")])
def test_a_percentage_has_a_space(share, words):
    assert numbers.percent(share) == words


@pytest.mark.parametrize(("value", "words"), [
    (1.8e-6, "1.8 × 10⁻⁶"), (-2.5e12, "−2.5 × 10¹²"), (3.0, "3.0"), (9.99e-7, "1.0 × 10⁻⁶"), (0, "0"),
])
def test_powers_are_written_with_true_superscripts(value, words):
    assert numbers.power(value) == words


@pytest.mark.parametrize(("value", "words"), [
    (5.2149, "5.21"), (0.012345, "0.0123"), (1234.7, "1,235"), (0.0000123, "1.23 × 10⁻⁵"), (-42.06, "−42.1"), (0, "0"),
    (2.5e12, "2.50 × 10¹²"), (9.999, "10.0"), (math.nan, "NaN"), (0.00099999, "0.00100"),
])
def test_significant_digits_are_those_that_say_something(value, words):
    assert numbers.significant(value) == words


@pytest.mark.parametrize("value", [5.2149, 0.012345, 0.0000123, -42.06, 2.5e12, 9.999])
def test_significant_words_read_back_within_half_a_unit_of_the_last_digit(value):
    words = numbers.significant(value).replace("−", "-").replace(",", "")
    if "×" in words:
        mantissa, tens = words.split(" × 10")
        words = f"{mantissa}e{tens.translate(str.maketrans('⁻⁰¹²³⁴⁵⁶⁷⁸⁹', '-0123456789'))}"
    assert float(words) == pytest.approx(value, rel=5e-3)


def test_counts_and_shapes():
    assert numbers.count(22090) == "22,090"
    assert numbers.shape((6, 28, 28)) == "6 × 28 × 28"
    assert numbers.shape(()) == ""
