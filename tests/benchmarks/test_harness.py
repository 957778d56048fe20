"""The parts of the harness: alternation, samples, checks, targets, tables. Nothing is timed."""

import json
import subprocess
import sys
from timeit import Timer

import numpy as np
import pytest

from benchmarks import report, run
from benchmarks.cold import COLD, ROOT, Cold, Column
from benchmarks.timing import Sample, alternate, calibrate, call_timer, rounds
from benchmarks.workload import Figure, Target, Work, check


class ScriptedTimer(Timer):
    """A timer of calls that take a given number of seconds, and a list of who ran."""

    def __init__(self, name, seconds, log):
        super().__init__()
        self.name, self.seconds, self.log = name, seconds, log

    def timeit(self, number=1):
        self.log.append(self.name)
        return self.seconds * number


def test_libraries_run_in_turn_and_times_are_per_call():
    log = []
    timers = {name: ScriptedTimer(name, s, log) for name, s in (("a", 0.01), ("b", 2e-6))}
    found = alternate(timers, seconds=0.0)
    assert log[-10:] == ["a", "b"] * 5
    assert found["a"] == Sample(pytest.approx(0.01), pytest.approx(0.01), 5)
    assert found["b"].median == pytest.approx(2e-6)


@pytest.mark.parametrize("seconds, least", [(1.0, 1), (1e-4, 20), (5e-8, 40_000)])
def test_short_calls_are_repeated_until_a_run_is_long(seconds, least):
    count = calibrate(ScriptedTimer("a", seconds, []))
    assert least <= count <= 3 * least


def test_rounds_have_bounds():
    assert len(list(rounds(0.0, fewest=3))) == 3
    assert len(list(rounds(1e9, most=7))) == 7


def test_a_timer_calls_with_the_arguments_and_waits():
    calls = []

    class Result:
        def wait(self):
            calls.append("waited")

    def function(*arguments):
        calls.append(arguments)
        return Result()

    call_timer(function, (1, "x"), ".wait()").timeit(2)
    assert calls == [(1, "x"), "waited"] * 2


def test_a_sample_has_minimum_and_median():
    assert Sample.of([3.0, 1.0, 2.0, 9.0]) == Sample(1.0, 2.5, 4)


GOOD = {"a": np.array([1.0, -4.0]), "b": (np.float32(2), [np.zeros(0)])}
BAD = {
    "value": {"a": np.array([1.0, -4.1]), "b": (np.float32(2), [np.zeros(0)])},
    "nan": {"a": np.array([np.nan, -4.0]), "b": (np.float32(2), [np.zeros(0)])},
    "shape": {"a": np.array([[1.0, -4.0]]), "b": (np.float32(2), [np.zeros(0)])},
    "structure": {"a": np.array([1.0, -4.0]), "b": (np.float32(2),)},
}


def test_equal_results_pass_the_check():
    check(GOOD, GOOD, 0.0, "x")


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_wrong_results_fail_the_check(bad):
    with pytest.raises(AssertionError, match=r"^x"):
        check(bad, GOOD, 1e-3, "x")


def test_an_error_counts_relative_to_the_largest_element():
    check(np.array([1e-9, 1.0]), np.array([0.0, 1.0]), 1e-8, "x")
    with pytest.raises(AssertionError, match=r"relative error 1e-09"):
        check(np.array([1e-9, 1.0]), np.array([0.0, 1.0]), 1e-10, "x")


def figure(ours, jax=None, target=None, limit=None, unit="s"):
    times = {"gradatim": ours, "jax": jax}
    samples = {name: Sample(t, t, 1) for name, t in times.items() if t is not None}
    return Figure("name", "title", samples, unit, target, limit)


@pytest.mark.parametrize(
    "ours, jax, target, met",
    [
        (1.0, None, Target(1.0), True),
        (1.1, 9.0, Target(1.0), False),
        (1.0, 4.0, Target(of_baseline=0.25), True),
        (1.1, 4.0, Target(of_baseline=0.25), False),
        (1.0, None, Target(of_baseline=0.25), None),
        (None, 4.0, Target(1.0), None),
        (1.0, 4.0, None, None),
    ],
)
def test_targets(ours, jax, target, met):
    assert figure(ours, jax, target).met is met


def test_the_ratio_says_how_many_times_jax_takes():
    assert figure(2.0, 5.0).ratio == 2.5
    assert figure(2.0).ratio is None


def test_what_misses_its_target_or_beats_its_limit_is_found():
    slow, fast = (
        figure(2.0, target=Target(1.0), limit=1.0),
        figure(0.5, target=Target(1.0), limit=1.0),
    )
    assert report.missed([slow, fast]) == [slow]
    assert report.below_limit([slow, fast]) == [fast]


def test_limits_are_the_largest_of_the_bounds(monkeypatch):
    monkeypatch.setattr("benchmarks.machine.copy_bandwidth", lambda size: 1e9)
    monkeypatch.setattr("benchmarks.machine.flop_rate", lambda dtype: 1e10)
    monkeypatch.setattr("benchmarks.machine.call_seconds", lambda: 1e-8)
    assert Work(moved=2_000_000, flops=1e6).seconds() == pytest.approx(2e-3)
    assert Work(moved=1000, flops=1e6).seconds() == pytest.approx(1e-4)
    assert Work(flops=1.0, calls=1).seconds() == pytest.approx(1e-8)


@pytest.mark.parametrize(
    "value, unit, text",
    [
        (None, "s", "-"),
        (1.5, "s", "1.5 s"),
        (2.5e-3, "s", "2.5 ms"),
        (1e-6, "s", "1 µs"),
        (4.86e-8, "s", "48.6 ns"),
        (0.0, "s", "0 ns"),
        (-0.002, "s", "-2 ms"),
        (130 * 2**20, "B", "130 MiB"),
        (1.25, "1", "1.25"),
    ],
)
def test_spelling(value, unit, text):
    assert report.spell(value, unit) == text


def test_tables_have_a_column_for_each_other_library():
    other = Figure("n", "t", {"gradatim": Sample(1, 1, 1), "torch": Sample(2, 2, 1)})
    head, *body = report.rows([figure(1.0, 2.0, Target(3.0)), other])
    assert head[-1] == "torch"
    assert [dict(zip(head, row))["torch"] for row in body] == ["-", "2 s"]
    assert dict(zip(head, body[0]))["met"] == "yes"
    assert {line.count("|") for line in report.as_markdown([other]).splitlines()} == {len(head) + 1}


def test_data_is_json():
    data = report.as_data({"g": [figure(1.0, 2.0, Target(of_baseline=1.0))]}, {"cores": "2"})
    [found] = json.loads(json.dumps(data))["groups"]["g"]
    assert found["samples"]["jax"]["minimum"] == found["wanted"] == 2.0


def test_sections_of_pages_are_replaced():
    page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    new = report.replace_section(page, "x", "new")
    assert new == "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n"
    assert report.replace_section(new, "x", "new") == new


@pytest.mark.parametrize("page", ["", "<!-- x -->", "<!-- /x --><!-- x -->", "<!-- x -->" * 2])
def test_pages_without_a_section_are_refused(page):
    with pytest.raises(ValueError, match="needs one"):
        report.replace_section(page, "x", "new")


def test_pages_that_are_published_have_their_sections():
    for name in ("README.md", "docs/benchmarks.md"):
        report.replace_section((ROOT / name).read_text(), "benchmarks", "")


def test_names_are_unique():
    cold = [f"{c.name}-{column.key}" for c in COLD for column in c.columns]
    names = [*cold, *run.WORKLOADS]
    assert len(set(names)) == len(names)
    assert sum(map(len, run.GROUPS.values())) == len(run.WORKLOADS)


def test_a_fresh_process_checks_its_result_and_prints_figures():
    columns = (Column("compile", "c"), Column("run", "r"), Column("memory", "m", "B"))
    cold = Cold("x", columns, ("chain-gradient", "12"), processes=1)
    figures = cold.measure(["gradatim"], processes=1)
    assert [f.name for f in figures] == ["x-compile", "x-run", "x-memory"]
    assert all(list(f.samples) == ["gradatim"] and f.ours.minimum > 0 for f in figures)


def test_unknown_packages_are_refused():
    command = [sys.executable, "benchmarks/run.py", "--peers", "jacks"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no such packages: jacks" in done.stderr


@pytest.mark.parametrize("also", [["--quick"], ["call"]])
def test_only_full_runs_are_published(also, capsys):
    with pytest.raises(SystemExit):
        run.main(["--publish", *also])
    assert "full run" in capsys.readouterr().err
