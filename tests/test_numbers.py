"""Numbers are written in one way everywhere."""

import math

import pytest

from visualizer.scene import numbers


@pytest.mark.parametrize(("value", "digits", "words"), [
    (5.214, 2, "5.21"), (-0.3812, 2, "−0.38"), (0, 2, "0"), (-0.0, 2, "0"), (0.0001, 2, "0.00"), (-0.0001, 2, "0.00"),
    (20784, 0, "20,784"), (-1234567.891, 1, "−1,234,567.9"), (math.nan, 2, "NaN"), (math.inf, 2, "∞"),
    (-math.inf, 2, "−∞"), (-0.231, 3, "−0.231"),
])
def test_a_number_has_a_true_minus_and_tells_exact_zero_from_small(value, digits, words):
    assert numbers.number(value, digits) == words


@pytest.mark.parametrize(("value", "words"), [
    (0.38, "+0.38"), (-0.38, "−0.38"), (0, "0"), (0.001, "0.00"), (-0.001, "0.00"), (math.inf, "+∞"), (math.nan, "NaN"),
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
