from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from credtray import __version__, credentials_fetch
from credtray.core import protocol
from credtray.core.errors import (
    BadFrame,
    CredtrayError,
    ProtocolMismatch,
    Retry,
    SignInRequired,
    UnknownProfile,
)
from credtray.core.models import RoleCredentials, Secret
from credtray.core.protocol import (
    Activate,
    Asks,
    CancelLogin,
    Credentials,
    CredentialsIssued,
    Deactivate,
    Done,
    Endpoint,
    Failed,
    ListUndo,
    Login,
    Logout,
    Ping,
    ProcessCredentials,
    Progress,
    Reply,
    Request,
    RevokeEndpoint,
    Snooze,
    Status,
    Stop,
    Switch,
    Undo,
    Update,
    Watch,
    decode_reply,
    decode_request,
    encode,
    result_of,
)
from credtray.core.protocol.messages import Known
from credtray.core.protocol.results import PingResult, StatusDocument, whole_seconds
from tests.soak import examples

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MAYBE = st.none() | NAMES
REQUESTS = st.one_of(
    st.builds(Ping),
    st.builds(Status),
    st.builds(Watch),
    st.builds(Stop, st.booleans(), st.booleans()),
    st.builds(Credentials, NAMES),
    st.builds(Login, MAYBE, st.booleans(), st.booleans(), st.booleans()),
    st.builds(CancelLogin, MAYBE),
    st.builds(Logout, MAYBE),
    st.builds(Activate, st.lists(NAMES).map(tuple), MAYBE),
    st.builds(Deactivate, st.lists(NAMES).map(tuple)),
    st.builds(Switch, MAYBE),
    st.builds(Undo, MAYBE),
    st.builds(Snooze, NAMES, st.integers(1, 10080)),
)
SECRETS = st.text("abcXYZ0189+/=_-", min_size=1).map(Secret)
ASKING = [kind for kind in get_args(Known) if issubclass(kind, Asks)]
PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: NAMES,
    int: st.integers(-(2**53), 2**53),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC)).map(whole_seconds),
    Secret: SECRETS,
    type(None): st.none(),
    UnsetType: st.just(UNSET),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of a type that a struct of the protocol may hold."""
    inner, origin = get_args(kind), get_origin(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if origin in {tuple, dict}:
        several = st.lists(values(inner[0]), max_size=2).map(tuple)
        return several if origin is tuple else st.dictionaries(NAMES, values(inner[1]), max_size=2)
    if inner:
        return st.one_of(*(st.just(each) if origin is Literal else values(each) for each in inner))
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    fields = {name: values(each) for name, each in get_type_hints(kind).items() if name[0] != "_"}
    return st.builds(kind, **fields)


def answers(asking: type[Asks[Any]]) -> st.SearchStrategy[tuple[Request, Reply]]:
    """Return requests of that kind, each with a reply it may get."""
    reply: Any = CredentialsIssued if asking is Credentials else Done
    return st.tuples(values(asking), st.builds(reply, values(asking.result_type())))


REPLIES = st.one_of(
    st.tuples(st.just(Ping()), st.builds(Progress, NAMES, MAYBE, MAYBE, MAYBE, MAYBE)),
    st.tuples(st.just(Watch()), st.builds(Update, values(StatusDocument))),
    st.tuples(st.just(Ping()), st.builds(Failed, NAMES, NAMES, NAMES, st.sampled_from(list(Retry)))),
    *(answers(each) for each in (*ASKING, ListUndo, RevokeEndpoint)),
)
SAMPLES = [
    encode(request)
    for request in (
        Ping(),
        Watch(),
        Credentials('a "name" \\ é'),
        Login("corp", fresh=True, device=False),
        Activate(("one", "two"), "three"),
        Switch(None),
        Snooze("corp", 10),
    )
]
ISSUED = ProcessCredentials.of(
    RoleCredentials(
        "ASIAEXAMPLE",
        Secret("very/secret+key"),
        Secret("very-secret-token=="),
        datetime(2026, 11, 22, 19, 36, 43, 999_999, tzinfo=UTC),
        datetime(2026, 11, 22, 18, 36, 43, tzinfo=UTC),
    ),
    "123456789012",
)


@given(REQUESTS)
def test_request_survives_the_wire(request: Request) -> None:
    frame = encode(request)

    assert frame.count(b"\n") == 1
    assert frame.endswith(b"\n")
    assert request == decode_request(frame[:-1])


@given(REPLIES)
def test_reply_survives_the_wire(asked: tuple[Request, Reply]) -> None:
    request, reply = asked
    frame = encode(reply)

    assert frame.count(b"\n") == 1
    assert reply == decode_reply(frame[:-1], request)


def test_result_of_another_request_is_no_answer() -> None:
    with pytest.raises(BadFrame, match="Done is not an answer to Login"):
        result_of(Done(PingResult(1, "1")), Login())


@pytest.mark.parametrize(
    ("client", "agent"), [(ListUndo(), Undo("list")), (RevokeEndpoint("p"), Endpoint("p", True))]
)
def test_question_with_a_result_of_its_own_is_an_old_one_on_the_wire(client: Request, agent: Request) -> None:
    assert encode(client) == encode(agent)
    assert decode_request(encode(client)[:-1]) == agent


def test_credentials_reply_is_the_contracts_object_between_fixed_bytes() -> None:
    frame = encode(CredentialsIssued(ISSUED))
    cut = frame.removeprefix(credentials_fetch.HEAD).removesuffix(credentials_fetch.TAIL)

    expected = {
        "Version": 1,
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": "very/secret+key",
        "SessionToken": "very-secret-token==",
        "Expiration": "2026-11-22T19:36:43Z",
        "AccountId": "123456789012",
    }

    assert (credentials_fetch.HEAD, credentials_fetch.TAIL) == (
        protocol.CREDENTIALS_HEAD,
        protocol.CREDENTIALS_TAIL,
    )
    assert len(frame) == len(credentials_fetch.HEAD) + len(cut) + len(credentials_fetch.TAIL)
    assert cut + b"\n" == ISSUED.line()
    assert expected == json.loads(cut)


def test_account_is_left_out_when_it_is_not_known() -> None:
    credentials = RoleCredentials(
        "A", Secret("b"), Secret("c"), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    )

    assert "AccountId" not in json.loads(ProcessCredentials.of(credentials).line())


@given(NAMES)
def test_progress_begins_as_the_fast_client_expects(text: str) -> None:
    assert encode(Progress(text)).startswith(credentials_fetch.PROGRESS)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_fast_client_writes_the_same_request_as_a_json_writer(profile: str) -> None:
    question = credentials_fetch.question(profile)

    assert question is not None
    assert Credentials(profile) == decode_request(question)


@pytest.mark.parametrize("profile", ["\ud800", "a\udcffb"])
def test_name_that_is_no_unicode_is_not_sent(profile: str) -> None:
    assert credentials_fetch.question(profile) is None
    with pytest.raises(BadFrame):
        encode(Credentials(profile))


def test_secrets_have_no_repr_in_replies() -> None:
    text = repr(CredentialsIssued(ISSUED)) + str(ISSUED)

    assert "very" not in text


def test_request_of_another_version_names_the_agents() -> None:
    with pytest.raises(
        ProtocolMismatch, match=rf"protocol 2, the agent \(credtray {__version__}\) protocol 1"
    ):
        decode_request(b'{"credtray":2,"request":"from the future","with":[]}')


def test_reply_of_another_version_names_both() -> None:
    with pytest.raises(ProtocolMismatch, match="the agent speaks protocol 7, this command"):
        decode_reply(b'{"credtray":7}', Ping())


def test_an_older_agent_does_not_say_whether_it_shows_an_icon() -> None:
    told = decode_reply(b'{"credtray":1,"reply":"done","result":{"pid":7,"version":"0.1.0"}}\n', Ping())

    assert result_of(told, Ping()).tray is None


def test_fields_of_a_later_minor_version_are_ignored() -> None:
    assert Ping() == decode_request(b'{"credtray":1,"request":"ping","later":{"a":[1]}}')


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"credtray":"1","request":"ping"}',
        b'{"credtray":1}',
        b'{"credtray":1,"request":"pong"}',
        b'{"credtray":1,"request":"credentials"}',
        b'{"credtray":1,"request":"credentials","profile":null}',
        b'{"credtray":1,"request":"credentials","profile":"\xff"}',
        b'{"credtray":1,"request":"snooze","session":"corp","minutes":0}',
        b'{"credtray":1,"request":"snooze","session":"corp","minutes":10081}',
        b'{"credtray":1,"request":"ping","x":' + b"[" * 60_000,
        b'{"credtray":1,"request":"ping"}{',
    ],
)
def test_frame_of_no_known_shape_is_refused_without_quoting_it(frame: bytes) -> None:
    with pytest.raises(BadFrame) as caught:
        decode_request(frame)

    assert str(caught.value) == f"{BadFrame.title}: it is not JSON of a known shape"


@pytest.mark.parametrize(
    "error", [SignInRequired("corp"), UnknownProfile("x", hint="try y"), CredtrayError()]
)
def test_error_comes_back_as_its_own_class(error: CredtrayError) -> None:
    reply = decode_reply(encode(Failed.of(error)), Ping())
    assert isinstance(reply, Failed)
    again = reply.error()

    assert type(again) is type(error)
    assert error.problem == again.problem
    assert again.exit_code == error.exit_code


def test_reply_and_request_above_their_limits_are_not_sent() -> None:
    encode(Done(PingResult(1, "x" * (protocol.REPLY_LIMIT - 1000))))
    encode(Credentials("x" * (protocol.REQUEST_LIMIT - 1000)))
    with pytest.raises(BadFrame):
        encode(Done(PingResult(1, "x" * protocol.REPLY_LIMIT)))
    with pytest.raises(BadFrame):
        encode(Credentials("x" * protocol.REQUEST_LIMIT))


@settings(max_examples=examples(10_000))
@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(st.sampled_from(SAMPLES), st.integers(0, 100), st.binary(max_size=3)).map(
            lambda hit: hit[0][: hit[1]] + hit[2] + hit[0][hit[1] + len(hit[2]) :]
        ),
    )
)
def test_any_bytes_are_a_request_or_a_clear_refusal(frame: bytes) -> None:
    try:
        request = decode_request(frame)
    except (BadFrame, ProtocolMismatch):
        return

    assert request == decode_request(encode(request)[:-1])
