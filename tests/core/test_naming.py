"""Profile names: readable, unique, the same in every order, and fit for an INI section."""

from __future__ import annotations

import random

import pytest
from botocore.configloader import load_config
from hypothesis import given, settings
from hypothesis import strategies as st

from credtray.core.errors import UsageError
from credtray.core.models import Account
from credtray.core.naming import DEFAULT_TEMPLATE, FIELDS, RoleChoice, check_template, profile_names, slug
from tests.soak import examples

PROD = Account("111100000000", "Prod", "prod@example.test")
LAB = Account("222200000000", "Lab Zürich")
NAMELESS = Account("333300000000")


def names(template: str, *choices: RoleChoice, taken: frozenset[str] = frozenset()) -> list[str]:
    made = profile_names(template, "synderys", choices, taken)
    return [made[choice.key] for choice in choices]


def test_the_preset_gets_the_names_its_people_expect() -> None:
    made = names(DEFAULT_TEMPLATE, RoleChoice(PROD, "ReadOnly"), RoleChoice(PROD, "DNS"))

    assert made == ["synderys-readonly", "synderys-dns"]


def test_the_account_is_added_on_a_collision() -> None:
    made = names(DEFAULT_TEMPLATE, *(RoleChoice(account, "Admin") for account in (PROD, LAB, NAMELESS)))

    assert made == ["synderys-admin-prod", "synderys-admin-lab-zurich", "synderys-admin-333300000000"]


def test_the_account_number_is_added_when_names_collide_too() -> None:
    twin = Account("444400000000", "prod")
    made = names(DEFAULT_TEMPLATE, RoleChoice(PROD, "Admin"), RoleChoice(twin, "Admin"))

    assert made == ["synderys-admin-111100000000", "synderys-admin-444400000000"]


def test_roles_that_differ_in_case_only_are_numbered() -> None:
    made = names(DEFAULT_TEMPLATE, RoleChoice(PROD, "Admin"), RoleChoice(PROD, "ADMIN"))

    assert sorted(made) == ["synderys-admin-111100000000-2", "synderys-admin-111100000000-3"]


def test_a_taken_name_is_never_given_out() -> None:
    made = names(DEFAULT_TEMPLATE, RoleChoice(PROD, "DNS"), taken=frozenset({"synderys-dns"}))

    assert made == ["synderys-dns-prod"]


def test_the_default_profile_is_never_given_out() -> None:
    assert names("{role}", RoleChoice(PROD, "Default")) == ["default-prod"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{account_name}/{role}", "lab-zurich/admin"),
        ("{account_id}-{role}", "222200000000-admin"),
        ("{account_number}.{session}", "222200000000.synderys"),
        ("AWS {role}", "aws-admin"),
        ("]{role}\n", "admin"),
    ],
)
def test_a_template_may_name_these_fields(template: str, expected: str) -> None:
    assert names(template, RoleChoice(LAB, "Admin")) == [expected]


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("{rol}", "Did you mean role"),
        ("{}", "''"),
        ("{role", "stray brace"),
        ("fixed", "one name"),
        ("{role!r}", "formats"),
        ("{role:>9}", "formats"),
        ("{role.__class__}", "role"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused(template: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        check_template(template)


def test_a_slug_is_plain() -> None:
    assert slug("  Ärger & Co. (Test)_1 ") == "arger-co.-test-_1"


_ODD = st.text(st.sampled_from("aA]b[-\n\r\0\u2028\x1b é日'\"\\#;=%{} "), max_size=6)
_ACCOUNTS = st.builds(Account, st.sampled_from(["111100000000", "222200000000"]), st.none() | _ODD)
_CHOICES = st.lists(
    st.builds(RoleChoice, _ACCOUNTS, _ODD.filter(bool)), max_size=6, unique_by=lambda choice: choice.key
)
_TEMPLATES = st.tuples(
    _ODD.map(lambda text: text.strip("{}").replace("{", "").replace("}", "")), st.sampled_from(sorted(FIELDS))
).map(lambda parts: f"{parts[0]}{{{parts[1]}}}")


@given(
    template=_TEMPLATES,
    session=_ODD,
    choices=_CHOICES,
    taken=st.frozensets(st.sampled_from(["a", "default"])),
)
@settings(max_examples=examples(500))
def test_names_are_unique_stable_and_fit_for_a_section(
    template: str,
    session: str,
    choices: list[RoleChoice],
    taken: frozenset[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    made = profile_names(template, session, choices, taken)
    shuffled = random.Random(1).sample(choices, len(choices))
    path = tmp_path_factory.getbasetemp() / "names"
    path.write_text("".join(f"[profile {name}]\nregion = x\n" for name in made.values()))

    assert made == profile_names(template, session, shuffled, taken)
    assert len(choices) == len(set(made.values()))
    assert not taken & set(made.values())
    assert set(made.values()) == set(load_config(str(path))["profiles"])
    assert all(name.isprintable() and "]" not in name for name in made.values())


def account(name: str | None) -> Account:
    return Account("555500000000", name)


@pytest.mark.met("F23")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("\u65e5\u672c\u8a9e", "555500000000/admin"),
        ("\u0411\u0435\u0442\u0430", "555500000000/admin"),
        ("\U0001f680\U0001f680", "555500000000/admin"),
        ("--- ...", "555500000000/admin"),
        ("@", "555500000000/admin"),
        ("", "555500000000/admin"),
        ("   ", "555500000000/admin"),
        (None, "555500000000/admin"),
        ("\u65e5\u672c\u8a9e prod", "prod/admin"),
        ("\uff11\uff12\uff13", "123/admin"),
        ("Lab Z\u00fcrich \u2615", "lab-zurich/admin"),
    ],
)
def test_a_name_of_which_nothing_is_left_gives_way_to_the_account_number(
    name: str | None, expected: str
) -> None:
    assert names("{account_name}/{role}", RoleChoice(account(name), "Admin")) == [expected]


@pytest.mark.met("F23")
def test_two_accounts_of_which_nothing_is_left_have_two_names() -> None:
    one, other = Account("111100000000", "\u65e5\u672c"), Account("222200000000", "\u8a9e")

    assert names("{account_name}-{role}", RoleChoice(one, "DNS"), RoleChoice(other, "DNS")) == [
        "111100000000-dns",
        "222200000000-dns",
    ]


@pytest.mark.met("F23")
def test_a_role_and_a_session_of_which_nothing_is_left_have_a_word() -> None:
    made = profile_names("{session}/{role}", "\u65e5\u672c", [RoleChoice(PROD, "+=,-")])

    assert list(made.values()) == ["sso/role"]


@pytest.mark.met("F23")
def test_very_long_names_are_cut_and_stay_apart() -> None:
    one, other = Account("111100000000", "x" * 300 + "1"), Account("222200000000", "x" * 300 + "2")
    made = names("{account_name}", RoleChoice(one, "Admin"), RoleChoice(other, "Admin"))

    assert len(set(made)) == 2
    assert all(len(name) < 200 for name in made)
