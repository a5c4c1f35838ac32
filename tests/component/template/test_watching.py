"""Every alarm of the template, evaluated at its threshold, just above and below, and with missing data."""

from __future__ import annotations

import json
import re

import pytest

from darkroom_pipeline.operations.cost_check import parse_amounts
from darkroom_pipeline.operations.cost_model import load_prices
from darkroom_pipeline.operations.messages import HOURLY, SCHEDULE_MINUTES, SCHEDULED
from observability.alarm_cost import LEVELS as LEVELS_OF_ALARMS
from observability.alarm_cost import MODES, Level, count_resources, insert_mapping, insert_table
from observability.alarm_states import Alarm, Evaluation, State, evaluate
from observability.alarms import ESSENTIAL, EVERY
from observability.composites import evaluate_composites
from observability.dashboards import DASHBOARDS
from observability.measures import Split
from observability.metric_math import Series
from observability.template import template as alarms_template

from .stack import OPTIONAL_PARTS, PSEUDO, ROOT, TEMPLATE, Stack, nested_templates, template
from .watching import ALARM, COMPOSITE, alarms, composites, deployed

NOW_S = 1_000_000 * 60
HOUR_S = 3600

ALARMS = alarms()
COMPOSITES = composites()

BURNING = {
    # objective: metric of all, metric of bad, and the share of bad that the objective allows, in ten thousand
    "viewers-success": (["Requests"], ["Faults"], 10),
    "viewers-latency": (["Timed"], ["Slow"], 500),
    "uploads-success": (["Requests"], ["Faults"], 10),
    "uploads-latency": (["Timed"], ["Slow"], 500),
    "api-success": (["Requests"], ["Faults"], 10),
    "similar-success": (["Requests"], ["Faults"], 10),
    "analysis-success": (["Requests"], ["Faults"], 10),
    "analysis-latency": (["Timed"], ["Slow"], 500),
}
WINDOWS = {
    "fast": (14.4, HOUR_S),
    "slow": (6, 6 * HOUR_S),
    "short": (6, 1800),
    "sustained": (3, 24 * HOUR_S),
    "sustained-short": (3, 2 * HOUR_S),
}
BURNING_ALARMS = [(objective, window) for objective in BURNING for window in WINDOWS]
LEAST = {"viewers-success": 3, "api-success": 3, "similar-success": 3, "uploads-success": 7, "analysis-success": 7}
"""Events of an hour, all of which must fail. Six attempts at one message are none: it is a dead letter then."""

GROUPS = {"viewers", "uploads", "analysis", "similar"}
BUDGETS = {f"{group}-budget" for group in GROUPS}
LEVELS = {
    # alarm: threshold, which side of it alarms, periods that must
    "ingest-age": (300, "over", 3),
    "ingest-priority-age": (60, "over", 3),
    "infer-age": (900, "over", 3),
    "infer-priority-age": (900, "over", 3),
    "purge-age": (300, "over", 3),
    "refine-age": (21_600, "over", 3),
    "ingest-depth": (10, "over", 3),
    "infer-depth": (12, "over", 3),
    "infer-priority-depth": (4, "over", 3),
    "purge-depth": (20, "over", 3),
    "dead-letters": (0, "over", 1),
    "infer-dead-letters": (0, "over", 1),
    "refine-dead-letters": (0, "over", 1),
    "quality-overdue": (97_200, "over", 1),
    "cost-per-picture": (0.01, "over", 1),
    "drift": (0.2, "over", 1),
    "drift-overdue": (10_800, "over", 1),
    "cache-hit-ratio": (85, "under", 6),
    "breaker-open": (0, "over", 1),
    "endpoint-slow": (5000, "over", 5),
    "gpu-busy": (90, "over", 12),
    "gpu-idle": (5, "under", 24),
}
PAGES = {"erasure-incomplete"}
CHECKS = {
    # of the monitor: the period in which it runs three times
    **dict.fromkeys(("drift", "rollout", "experiments", "remedy"), 900),
    **dict.fromkeys(("cdn", "cost", "quality-due"), 3 * HOUR_S),
}
OTHERS = {
    *("uploads-refused", "cold-starts", "recursion-stopped", "recursion-stopped-infer"),
    *("configuration-invalid", "schedule-errors", "popular-errors"),
    *(f"check-{name}" for name in CHECKS),
}
"""Tickets with formulas of their own."""

OF_MODELS = {
    *("model-precision", "model-recall", "model-false-alarms", "quality-overdue", "drift", "drift-overdue"),
    *("check-drift", "check-rollout", "check-quality-due"),
}
"""Alarms that notify the topic about models."""

VARIANTS = set(re.findall(r"VariantName: (\w+)", (ROOT / "stacks" / "inference.yaml").read_text(encoding="utf-8")))
"""Of the endpoint."""

UNKNOWN = ("drift", "drift-overdue", "quality-overdue")
"""Without data their state is unknown, not OK."""

QUALITY = {"model-precision": (90, "under"), "model-recall": (90, "under"), "model-false-alarms": (10, "over")}


def ended(alarm: Alarm, age: int = 1) -> int:
    """When the period began that ended ``age`` - 1 periods before now."""
    return NOW_S - age * alarm.period_s


def by_metric(alarm: Alarm, **values: float) -> dict[str, Series]:
    """A value for each metric name, in the newest period, for the first function that counts it."""
    first: dict[str, Series] = {}
    for query in alarm.queries:
        if query.metric in values and query.metric not in {q.metric for q in alarm.queries if q.id in first}:
            first[query.id] = {ended(alarm): values[query.metric]}
    return first


def state(alarm: Alarm, metrics: dict[str, Series], before: State = "OK") -> State:
    return evaluate(alarm, metrics, NOW_S, before).state


def test_these_are_all() -> None:
    burning = {f"{objective}-{window}" for objective, window in BURNING_ALARMS}
    assert set(ALARMS) == burning | set(LEVELS) | set(QUALITY) | OTHERS | {"monitor-silent"} | PAGES
    assert set(COMPOSITES) == GROUPS | BUDGETS


# ------------------------------------------------------------------ burning


@pytest.mark.parametrize(("objective", "window"), BURNING_ALARMS)
def test_a_budget_that_burns(objective: str, window: str) -> None:
    alarm = ALARMS[f"{objective}-{window}"]
    [total], [bad], allowed = BURNING[objective]
    burn, period_s = WINDOWS[window]
    limit = burn * allowed
    assert alarm.period_s == period_s

    def of(bad_ones: float) -> Evaluation:
        return evaluate(alarm, by_metric(alarm, **{total: 10_000, bad: bad_ones}), NOW_S)

    assert of(limit).state == "OK"
    assert of(limit).value == pytest.approx(limit / 10_000)
    assert of(limit + 1).state == "ALARM"
    assert of(limit - 1).state == "OK"


@pytest.mark.parametrize(("objective", "window"), BURNING_ALARMS)
def test_few_events_of_which_one_succeeded_are_no_share(objective: str, window: str) -> None:
    alarm = ALARMS[f"{objective}-{window}"]
    [total], [bad], _ = BURNING[objective]
    assert state(alarm, by_metric(alarm, **{total: 19, bad: 18})) == "OK"
    assert state(alarm, by_metric(alarm, **{total: 20, bad: 20})) == "ALARM"


@pytest.mark.parametrize("objective", LEAST)
def test_few_events_that_all_fail_page(objective: str) -> None:
    alarm, least = ALARMS[f"{objective}-fast"], LEAST[objective]
    assert (alarm.period_s, alarm.evaluation_periods) == (HOUR_S, 1)
    assert state(alarm, by_metric(alarm, Requests=least, Faults=least)) == "ALARM"
    assert state(alarm, by_metric(alarm, Requests=least - 1, Faults=least - 1)) == "OK"
    assert state(alarm, by_metric(alarm, Requests=least, Faults=least - 1)) == "OK", "one succeeded"
    assert state(alarm, by_metric(alarm, Errors=least)) == "ALARM", "none could count itself"
    assert state(alarm, {}, "ALARM") == "OK"
    short = ALARMS[f"{objective}-short"]
    assert state(short, by_metric(short, Requests=1, Faults=1)) == "ALARM", "the last one failed"
    assert state(short, by_metric(short, Requests=2, Faults=1)) == "OK"
    assert state(ALARMS[f"{objective}-slow"], by_metric(alarm, Requests=19, Faults=19)) == "OK"
    [group] = [name for name in GROUPS if alarm.name in COMPOSITES[name].children]
    states = evaluate_composites(COMPOSITES.values(), {alarm.name: "ALARM", short.name: "ALARM"})
    assert {name for name, one in states.items() if one == "ALARM"} == {f"stack-{group}"}


@pytest.mark.parametrize("group", sorted(GROUPS))
@pytest.mark.parametrize("window", ["fast", "slow"])
def test_a_group_pages_while_the_short_window_burns_too(group: str, window: str) -> None:
    objectives = {re.sub("^stack-|-(fast|slow|short)$", "", name) for name in COMPOSITES[group].children}
    for objective in objectives:
        long, short = f"stack-{objective}-{window}", f"stack-{objective}-short"
        for now, expected in (
            ({long: "ALARM"}, "OK"),
            ({short: "ALARM"}, "OK"),
            ({long: "ALARM", short: "ALARM"}, "ALARM"),
        ):
            states = evaluate_composites(COMPOSITES.values(), now)  # type: ignore[arg-type]
            assert states[f"stack-{group}"] == expected


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_a_budget_that_burns_for_hours_is_a_ticket_and_no_page(group: str) -> None:
    composite = COMPOSITES[f"{group}-budget"]
    assert composite.actions == ("<TicketTopic>",)
    objectives = {re.sub("^stack-|-sustained(-short)?$", "", name) for name in composite.children}
    assert {f"stack-{name}-short" for name in objectives} <= COMPOSITES[group].children
    for objective in objectives:
        long, short = f"stack-{objective}-sustained", f"stack-{objective}-sustained-short"
        for now, expected in (({long: "ALARM"}, "OK"), ({long: "ALARM", short: "ALARM"}, "ALARM")):
            states = evaluate_composites(COMPOSITES.values(), now)  # type: ignore[arg-type]
            assert states[composite.name] == expected
            assert states[f"stack-{group}"] == "OK"


@pytest.mark.parametrize(("objective", "window"), BURNING_ALARMS)
def test_silence_and_what_is_over_are_no_fault(objective: str, window: str) -> None:
    alarm = ALARMS[f"{objective}-{window}"]
    [total], [bad], _ = BURNING[objective]
    assert state(alarm, {}, "ALARM") == "OK"
    assert state(alarm, by_metric(alarm, **{total: 1000})) == "OK"
    past = {name: {ended(alarm, 2): 1000.0} for name in by_metric(alarm, **{total: 1, bad: 1})}
    assert state(alarm, past, "ALARM") == "OK"


@pytest.mark.parametrize(
    ("objective", "deaths"),
    [
        ("viewers-success", {"Errors", "Throttles"}),
        ("uploads-success", {"Errors"}),
        ("api-success", {"Errors", "Throttles"}),
        ("similar-success", {"Errors", "Throttles"}),
        ("analysis-success", {"Errors"}),
    ],
)
def test_what_died_or_never_began_is_a_fault(objective: str, deaths: set[str]) -> None:
    """Such an invocation did not count itself, so it is one more of all."""
    alarm = ALARMS[f"{objective}-fast"]
    assert {query.metric for query in alarm.queries if query.namespace == "AWS/Lambda"} == deaths
    for death in deaths:
        assert evaluate(alarm, by_metric(alarm, Requests=60, **{death: 40}), NOW_S).value == pytest.approx(0.4)
        assert state(alarm, by_metric(alarm, **{death: 20})) == "ALARM"


# ------------------------------------------------------------------- levels


@pytest.mark.parametrize("name", LEVELS)
def test_a_level(name: str) -> None:
    alarm = ALARMS[name]
    limit, side, periods = LEVELS[name]
    metric = alarm.queries[0].id
    step = max(abs(limit), 1) * 0.001

    def of(value: float, count: int = periods) -> State:
        return state(alarm, {metric: {ended(alarm, age): value for age in range(1, count + 1)}})

    assert of(limit, 20) == "OK"
    assert of(limit + step) == ("ALARM" if side == "over" else "OK")
    assert of(limit - step) == ("ALARM" if side == "under" else "OK")
    if periods > 1:
        good = {ended(alarm, age): float(limit) for age in range(1, 20)}
        worse = {ended(alarm, age): limit + (step if side == "over" else -step) for age in range(1, periods)}
        assert state(alarm, {metric: good | worse}) == "OK", "one period less than it takes"


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        *((name, "OK") for name in LEVELS if name not in UNKNOWN),
        *((name, "INSUFFICIENT_DATA") for name in UNKNOWN),
        ("monitor-silent", "INSUFFICIENT_DATA"),
        *((name, "INSUFFICIENT_DATA") for name in QUALITY),
        ("uploads-refused", "OK"),
    ],
)
def test_missing_data(name: str, missing: str) -> None:
    before: State
    for before in ("OK", "ALARM"):
        assert state(ALARMS[name], {}, before) == missing


def test_drift_is_judged_by_the_newest_run_and_ends_with_it() -> None:
    """The monitor runs every five minutes, not on the minute: a period may have none of its runs."""
    alarm = ALARMS["drift"]
    assert alarm.period_s == 300
    assert state(alarm, {"value": {ended(alarm, 3): 0.5}}) == "ALARM"
    assert state(alarm, {"value": {ended(alarm, 3): 0.5, ended(alarm, 2): 0.1}}, "ALARM") == "OK"
    assert state(alarm, {"value": {ended(alarm, 4): 0.5}}, "ALARM") == "INSUFFICIENT_DATA"


def test_no_alarm_keeps_a_state_without_data() -> None:
    """CloudWatch would keep OK for as long as nothing is published."""
    assert [name for name, alarm in ALARMS.items() if alarm.missing == "ignore"] == []


@pytest.mark.parametrize("name", CHECKS)
def test_two_of_three_failed_runs_of_a_check_are_a_ticket(name: str) -> None:
    alarm = ALARMS[f"check-{name}"]
    [query] = alarm.queries
    assert (query.metric, query.dimensions) == (
        "CheckFaults",
        {"service": "monitor", "function": "monitor", "check": name},
    )
    assert (alarm.period_s, alarm.evaluation_periods) == (CHECKS[name], 1)
    assert state(alarm, by_metric(alarm, CheckFaults=2)) == "ALARM"
    assert state(alarm, by_metric(alarm, CheckFaults=1)) == "OK"
    assert state(alarm, {}, "ALARM") == "OK"


def test_every_check_of_a_schedule_has_its_alarm_and_runs_three_times_in_its_period() -> None:
    [event] = template()["Resources"]["MonitorFunction"]["Properties"]["Events"].values()
    assert event["Properties"]["Schedule"] == f"rate({SCHEDULE_MINUTES} minutes)"
    assert dict.fromkeys(SCHEDULED, 3 * 60 * SCHEDULE_MINUTES) | dict.fromkeys(HOURLY, 3 * HOUR_S) == CHECKS


@pytest.mark.parametrize(
    ("name", "function"), [("schedule-errors", "Monitor"), ("schedule-errors", "Sweep"), ("popular-errors", "Popular")]
)
def test_two_errors_of_scheduled_functions_in_three_hours_are_a_ticket(name: str, function: str) -> None:
    alarm = ALARMS[name]
    assert (alarm.period_s, alarm.evaluation_periods) == (3 * HOUR_S, 1)
    [query] = [one for one in alarm.queries if one.dimensions["FunctionName"] == f"<{function}Function>"]
    assert state(alarm, {query.id: {ended(alarm): 2}}) == "ALARM"
    assert state(alarm, {query.id: {ended(alarm): 1}}) == "OK"
    assert state(alarm, {}, "ALARM") == "OK"


@pytest.mark.parametrize("name", QUALITY)
def test_the_worst_model_of_two_days_counts(name: str) -> None:
    alarm = ALARMS[name]
    limit, side = QUALITY[name]
    worse = limit + (0.1 if side == "over" else -0.1)
    assert state(alarm, {"value": {ended(alarm): float(limit)}}) == "OK"
    assert state(alarm, {"value": {ended(alarm): worse}}) == "ALARM"
    assert state(alarm, {"value": {ended(alarm, 2): worse}}) == "ALARM", "yesterday's run"
    assert state(alarm, {"value": {ended(alarm): float(limit), ended(alarm, 2): float(limit)}}, "ALARM") == "OK"
    [query] = alarm.queries
    assert (query.dimensions, query.stat) == (
        {"service": "monitor", "function": "monitor"},
        "Maximum" if side == "over" else "Minimum",
    )


@pytest.mark.parametrize(
    ("handled", "refused", "expected"),
    [(1000, 1, "OK"), (1000, 2, "ALARM"), (999, 999, "OK"), (10_000, 10, "OK"), (10_000, 11, "ALARM"), (0, 0, "OK")],
)
def test_refused_uploads(handled: float, refused: float, expected: State) -> None:
    alarm = ALARMS["uploads-refused"]
    assert alarm.period_s == 24 * HOUR_S
    assert state(alarm, by_metric(alarm, Requests=handled, ClientErrors=refused)) == expected


@pytest.mark.parametrize(
    ("renders", "cold", "expected"),
    [(100, 5, "OK"), (100, 6, "ALARM"), (99, 99, "OK"), (10_000, 500, "OK"), (10_000, 501, "ALARM"), (0, 0, "OK")],
)
def test_cold_starts_may_not_exceed_what_the_objective_allows_to_be_slow(
    renders: float, cold: float, expected: State
) -> None:
    alarm = ALARMS["cold-starts"]
    assert alarm.period_s == 6 * HOUR_S
    assert state(alarm, by_metric(alarm, Requests=renders, ColdRequests=cold)) == expected
    assert state(alarm, {}, "ALARM") == "OK"


@pytest.mark.parametrize("metric", ["SettingsInvalid", "SettingsReadFailed"])
def test_one_failed_read_of_the_settings_in_15_minutes_is_a_ticket(metric: str) -> None:
    alarm = ALARMS["configuration-invalid"]
    assert (alarm.period_s, alarm.evaluation_periods) == (900, 1)
    assert state(alarm, by_metric(alarm, **{metric: 1})) == "ALARM"
    assert state(alarm, by_metric(alarm, **{metric: 0})) == "OK"
    assert state(alarm, {}, "ALARM") == "OK"


@pytest.mark.parametrize("function", ["transform", "upload"])
def test_one_rejected_secret_in_15_minutes_is_a_ticket(function: str) -> None:
    alarm = ALARMS["configuration-invalid"]
    assert (alarm.period_s, alarm.evaluation_periods) == (900, 1)
    [query] = [query for query in alarm.queries if query.dimensions["function"] == function]
    assert query.metric == "SigningSecretInvalid"
    assert state(alarm, {query.id: {ended(alarm): 1}}) == "ALARM"
    assert state(alarm, {query.id: {ended(alarm): 0}}) == "OK"
    assert state(alarm, {}, "ALARM") == "OK"


# --------------------------------------------------------------- descriptions


@pytest.mark.parametrize("name", [*ALARMS, *COMPOSITES])
def test_an_alarm_describes_its_meaning_and_a_remedy(name: str) -> None:
    alarm = ALARMS.get(name) or COMPOSITES[name]
    assert alarm.name == f"stack-{name}"
    noticed = r"\. Users notice: [a-z][^.]{20,}" if alarm.actions else ""
    match = re.fullmatch(rf"[A-Z](?:(?!notice: ).){{20,}}{noticed}\. Runbook: (docs/.*)", alarm.description)
    assert match is not None, alarm.description
    for one in match[1].split(", "):
        path, _, child = one.partition(" for ")
        assert (ROOT / path).is_file()
        assert not child or f"stack-{child}" in COMPOSITES[name].children
    assert len(alarm.description) <= 1024  # API reference, PutCompositeAlarm


def test_a_page_names_the_runbook_of_each_of_its_alarms() -> None:
    assert COMPOSITES["viewers"].description.partition("Runbook: ")[2] == (
        "docs/guides/runbooks/bad-deploy.md for viewers-success-short, "
        "docs/guides/runbooks/cache-storm.md for viewers-latency-short"
    )


def test_only_groups_page_and_the_rest_are_tickets_or_parts() -> None:
    alarm_actions = {name: alarm.actions for name, alarm in (ALARMS | COMPOSITES).items() if alarm.actions}
    pages = {name for name, actions in alarm_actions.items() if actions == ("<PageTopic>",)}
    assert pages == GROUPS | PAGES
    models = {name for name, actions in alarm_actions.items() if actions == ("<ModelTopic>",)}
    assert models == OF_MODELS
    tickets = {name for name, actions in alarm_actions.items() if actions == ("<TicketTopic>",)}
    assert tickets == set(alarm_actions) - pages - models
    notifying = set(LEVELS) | set(QUALITY) | OTHERS | BUDGETS | {"monitor-silent"}
    assert set(alarm_actions) - pages == notifying


def test_metrics_are_those_of_this_stack() -> None:
    stack = deployed()
    functions = set(stack.of_type("AWS::Lambda::Function"))
    queues = {properties["QueueName"] for properties in stack.of_type("AWS::SQS::Queue").values()}
    for alarm in ALARMS.values():
        for query in alarm.queries:
            match query.namespace:
                case "Darkroom/stack":
                    assert query.dimensions["service"] == query.dimensions["function"]
                    assert f"{query.dimensions['function'].capitalize()}Function" in functions
                case "AWS/Lambda":
                    named = query.dimensions["FunctionName"].strip("<>")
                    assert named in functions
                case "AWS/SQS":
                    assert query.dimensions["QueueName"] in queues
                case namespace:
                    assert namespace == "/aws/sagemaker/Endpoints"
                    assert query.dimensions["EndpointName"] == "models"
                    assert query.dimensions["VariantName"] in VARIANTS


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_busy_gpu_of_any_variant_is_a_ticket(variant: str) -> None:
    alarm = ALARMS["gpu-busy"]
    assert {query.dimensions["VariantName"] for query in alarm.queries} == VARIANTS
    [query] = [one for one in alarm.queries if one.dimensions["VariantName"] == variant]
    assert state(alarm, {query.id: {ended(alarm, age): 95.0 for age in range(1, 15)}}) == "ALARM"


def test_a_gpu_that_is_idle_for_a_day_is_a_ticket_also_beside_a_busy_one() -> None:
    alarm = ALARMS["gpu-idle"]
    ids = {query.dimensions["VariantName"]: query.id for query in alarm.queries}
    day = [ended(alarm, age) for age in range(1, 30)]
    idle, busy = dict.fromkeys(day, 1.0), dict.fromkeys(day, 60.0)
    assert alarm.period_s == HOUR_S
    assert state(alarm, {ids["main"]: idle}) == "ALARM"
    assert state(alarm, {ids["main"]: idle, ids["canary"]: busy}) == "ALARM", "it lost its calls to the canary"
    assert state(alarm, {ids["main"]: busy}) == "OK"
    assert state(alarm, {ids["main"]: idle | {day[5]: 60.0}}) == "OK", "one busy hour"
    assert state(alarm, {}) == "OK", "a processor has no GPU"


def test_the_panel_of_the_gpu_shows_every_variant() -> None:
    [panel] = [panel for board in DASHBOARDS for panel in board.panels if panel.id == "gpu"]
    [series] = panel.series
    assert isinstance(series, Split)
    assert (series.by, dict(series.fixed)) == ("VariantName", {"EndpointName": "{endpoint}"})


def test_cloudwatch_takes_no_more_than_ten_metrics_and_whole_days() -> None:
    for alarm in ALARMS.values():
        assert len(alarm.queries) <= 10
        assert {query.period_s for query in alarm.queries} == {alarm.period_s}
        span_s = alarm.period_s * alarm.evaluation_periods
        assert span_s <= (7 * 24 * HOUR_S if alarm.period_s >= HOUR_S else 24 * HOUR_S)


# ------------------------------------------------------------------ conditions


WATCHING = {ALARM, COMPOSITE, "AWS::CloudWatch::Dashboard", "AWS::SNS::Topic", "AWS::SNS::Subscription"} | {
    *("AWS::SNS::TopicPolicy", "AWS::Budgets::Budget")
}


def kinds(**parameters: str) -> set[str]:
    return {resource["Type"] for resource in Stack(**parameters).resources.values()} & WATCHING


def test_alarms_can_be_off() -> None:
    everything = {"PageEmail": "a@example.com", "TicketEmail": "b@example.com", "MonthlyBudgetUsd": "50"}
    assert kinds(Alarms="all", **everything) == WATCHING
    assert kinds(Alarms="off", MaxCostPerPicture="1", InferenceMode="lambda", **everything) == set()


@pytest.mark.parametrize(
    ("addresses", "recipients"),
    [
        ("", {}),
        ("ops@example.com", {"<TicketTopic>": "ops@example.com", "<ModelTopic>": "ops@example.com"}),
        (
            "ops@example.com,models@example.com",
            {"<TicketTopic>": "ops@example.com", "<ModelTopic>": "models@example.com"},
        ),
    ],
)
def test_alarms_about_models_have_a_topic_and_a_recipient_of_their_own(
    addresses: str, recipients: dict[str, str]
) -> None:
    stack = Stack(InferenceMode="lambda", TicketEmail=addresses)
    found = stack.of_type("AWS::SNS::Subscription").values()
    assert {one["TopicArn"]: one["Endpoint"] for one in found} == recipients
    assert stack.properties("ModelTopic")["TopicName"] == "stack-models"
    [statement] = stack.properties("ModelTopicPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert "ModelTopic" not in Stack(TicketEmail=addresses).resources, "without inference there are no models"


@pytest.mark.slow
def test_parts_that_are_not_deployed_have_no_alarms() -> None:
    bare = Stack(Alarms="all")
    names = {properties["AlarmName"] for properties in bare.of_type(ALARM).values()}
    assert not [name for name in names if "infer" in name or "analysis" in name or "model" in name or "gpu" in name]
    assert "stack-cost-per-picture" not in names
    assert bare.of_type("AWS::SNS::Subscription") == {}
    assert bare.of_type("AWS::Budgets::Budget") == {}
    small = {p["AlarmName"] for p in Stack(Alarms="all", InferenceMode="lambda").of_type(ALARM).values()}
    assert {"stack-drift", "stack-infer-age"} <= small
    assert not {"stack-breaker-open", "stack-gpu-busy"} & small


def test_the_budget_is_of_what_bears_the_stacks_tag() -> None:
    stack = Stack(MonthlyBudgetUsd="50")
    [budget] = stack.of_type("AWS::Budgets::Budget").values()
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:darkroom$stack"]}
    notifications = [
        (n["Notification"]["NotificationType"], n["Notification"]["Threshold"])
        for n in budget["NotificationsWithSubscribers"]
    ]
    assert notifications == [("ACTUAL", 80), ("FORECASTED", 100)]


# ----------------------------------------------------------------- dashboards


@pytest.mark.parametrize("mode", ["off", "lambda", "endpoint"])
def test_dashboards_are_what_cloudwatch_reads(mode: str) -> None:
    stack = Stack(Alarms="all", InferenceMode=mode, EndpointName="models" if mode == "endpoint" else "")
    boards = {
        p["DashboardName"]: json.loads(p["DashboardBody"]) for p in stack.of_type("AWS::CloudWatch::Dashboard").values()
    }
    names = {f"stack-{PSEUDO['AWS::Region']}-{name}" for name in ("executive", "on-call", "debug")}
    assert set(boards) == names, "they are global to an account"
    for board in boards.values():
        for widget in board["widgets"]:
            assert widget["x"] + widget["width"] <= 24
            properties = widget["properties"]
            if widget["type"] == "log":
                infers = "SOURCE '/aws/lambda/stack-infer'" in properties["query"]
                assert infers == (mode != "off")
            else:
                assert properties["metrics"]
    text = json.dumps(boards)
    assert "<InferFunction>" in text or mode == "off"
    assert "{namespace}" not in text


def test_the_nested_template_is_as_the_tables_are() -> None:
    path = nested_templates()["AlarmsStack"]
    assert path.read_text(encoding="utf-8") == alarms_template(), "make alarms"
    root = template()["Resources"]["AlarmsStack"]
    assert set(root["Properties"]["Parameters"]) == set(template(path)["Parameters"])
    assert root["Condition"] == "HasAlarms"


# ---------------------------------------------------------------------- levels


CONDITIONS = {one.name: one.condition for one in EVERY}
ALWAYS = {"", "HasRefine", "HasSimilar"}
HOLDING = {
    "off": ALWAYS,
    "lambda": {*ALWAYS, "HasAnalysis"},
    "endpoint": {*ALWAYS, "HasAnalysis", "HasEndpoint"},
}
"""Conditions of alarms that hold by ``InferenceMode``, with all other parameters at their defaults."""


@pytest.mark.sample(3)
@pytest.mark.parametrize("inference", ["off", "lambda", "endpoint"])
def test_essential_alarms_are_those_that_page_their_parts_and_tickets_about_losses(inference: str) -> None:
    stack = Stack(InferenceMode=inference, EndpointName="models" if inference == "endpoint" else "")
    there = stack.of_type(ALARM) | stack.of_type(COMPOSITE)
    names = {properties["AlarmName"].removeprefix("stack-") for properties in there.values()}
    expected = {name for name in ESSENTIAL if CONDITIONS[name] in HOLDING[inference]}
    assert names == expected
    of_models = set() if inference == "off" else {"<ModelTopic>"}
    assert {action for one in there.values() for action in one.get("AlarmActions", ())} == of_models | {
        "<PageTopic>",
        "<TicketTopic>",
    }
    rules = " ".join(properties["AlarmRule"] for properties in stack.of_type(COMPOSITE).values())
    assert set(re.findall(r"<(\w+)>", rules)) <= set(there), "no rule names an alarm that does not exist"
    assert [one["DashboardName"] for one in stack.of_type("AWS::CloudWatch::Dashboard").values()] == [
        f"stack-{PSEUDO['AWS::Region']}-on-call"
    ]
    assert stack.of_type("AWS::CloudFront::MonitoringSubscription") == {}


def test_what_is_lost_or_silent_has_an_alarm_by_default() -> None:
    """Each of these was missed by a deployment with default parameters."""
    letters = {"dead-letters", "infer-dead-letters", "refine-dead-letters"}
    burning = {f"{objective}-{window}" for objective in BURNING for window in ("fast", "slow", "short")}
    models = {"drift", "model-precision", "model-recall", "model-false-alarms", "breaker-open"}
    assert letters | models | burning | {"monitor-silent", "schedule-errors"} <= ESSENTIAL
    assert (BUDGETS | {"check-cdn", "check-cost", "check-remedy", "recursion-stopped", "popular-errors"}).isdisjoint(
        ESSENTIAL
    )
    assert {"ingest-age", "gpu-busy", "cache-hit-ratio", "cold-starts", "endpoint-slow"}.isdisjoint(ESSENTIAL)


def test_the_page_about_objectives_is_as_the_tables_are() -> None:
    page = (ROOT / "docs" / "reference" / "slo.md").read_text(encoding="utf-8")
    assert insert_table(page) == page, "make alarms"
    text = TEMPLATE.read_text(encoding="utf-8")
    assert insert_mapping(text) == text, "make alarms"


@pytest.mark.parametrize("level", LEVELS_OF_ALARMS)
@pytest.mark.parametrize("mode", MODES)
def test_the_cost_of_a_level_is_that_of_the_template(level: Level, mode: str) -> None:
    given = {"Alarms": level, "InferenceMode": mode, "EndpointName": "models" if mode == "endpoint" else ""}
    stack = Stack(**dict.fromkeys(OPTIONAL_PARTS, "off") | given)
    read = [Alarm.read(name, properties) for name, properties in stack.of_type(ALARM).items()]
    found = count_resources(level, mode)
    assert (found.alarms, found.metrics, found.composites, found.cdn_metrics) == (
        len(read),
        sum(len(alarm.queries) for alarm in read),
        len(stack.of_type(COMPOSITE)),
        8 * len(stack.of_type("AWS::CloudFront::MonitoringSubscription")),
    )
    amounts = parse_amounts(stack.variables("MonitorFunction")["MONTHLY_AMOUNTS"])
    assert amounts == {"secret-months": len(stack.of_type("AWS::SecretsManager::Secret")), **found.amounts}
    assert sum(load_prices().cost(amounts).values()) > 0


def test_without_alarms_only_secrets_are_charged_by_the_month() -> None:
    stack = Stack(Alarms="off", Dialects="on")
    assert parse_amounts(stack.variables("MonitorFunction")["MONTHLY_AMOUNTS"]) == {"secret-months": 2}
    assert len(stack.of_type("AWS::SecretsManager::Secret")) == 2


@pytest.mark.slow
def test_the_limit_of_cost_has_an_alarm_at_each_level() -> None:
    for level in ("essential", "all"):
        assert "CostPerPictureAlarm" in Stack(Alarms=level, MaxCostPerPicture="0.01").resources


def test_off_creates_no_nested_stack() -> None:
    assert "AlarmsStack" not in Stack(Alarms="off").resources


# ------------------------------------------- a silent monitor and dead letters


def test_a_monitor_that_stopped_is_a_ticket_within_the_hour_and_none_before_its_first_run() -> None:
    """The end of the data acts. A new alarm has had none: its state does not change."""
    alarm = ALARMS["monitor-silent"]
    properties = deployed().properties("MonitorSilentAlarm")
    assert properties["InsufficientDataActions"] == ["<TicketTopic>"]
    assert "AlarmActions" not in properties
    assert state(alarm, {}, "INSUFFICIENT_DATA") == "INSUFFICIENT_DATA"
    assert state(alarm, {"value": {NOW_S - 59 * 60: 1.0}}) == "OK"
    assert state(alarm, {"value": {NOW_S - 61 * 60: 12.0}}) == "INSUFFICIENT_DATA"
    assert state(alarm, {"value": {NOW_S - 300: 1.0}}, "INSUFFICIENT_DATA") == "OK"


@pytest.mark.parametrize("function", ["ingest", "review", "purge"])
def test_a_message_in_any_dead_letter_queue_is_a_ticket(function: str) -> None:
    alarm = ALARMS["dead-letters"]
    [query] = [one for one in alarm.queries if one.dimensions["QueueName"] == f"stack-{function}-dead-letters"]
    assert state(alarm, {query.id: {ended(alarm): 1.0}}) == "ALARM"
    assert state(alarm, {query.id: {ended(alarm): 0.0}}) == "OK"
