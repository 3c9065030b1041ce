from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import PasteRefused
from credtray.core.forms import Form
from credtray.core.models import RoleCredentials, Secret
from credtray.pasted.portal_text import LONGEST, PastedKeys, parse
from credtray.ways_out.shells import written
from tests.core.making import HOUR, NOON

ID = "ASIAQWERTYUIOPLK2345"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2Vj" + "EA/a+Z9" * 120 + "=="

EXPORTS = (
    f'export AWS_ACCESS_KEY_ID="{ID}"\n'
    f'export AWS_SECRET_ACCESS_KEY="{SECRET}"\n'
    f'export AWS_SESSION_TOKEN="{TOKEN}"'
)
POWERSHELL = EXPORTS.replace("export ", "$Env:")
CMD = f"SET AWS_ACCESS_KEY_ID={ID}\nSET AWS_SECRET_ACCESS_KEY={SECRET}\nSET AWS_SESSION_TOKEN={TOKEN}"
FISH = (
    f"set -gx AWS_ACCESS_KEY_ID {ID}\n"
    f"set -gx AWS_SECRET_ACCESS_KEY '{SECRET}'\n"
    f'set -gx AWS_SESSION_TOKEN "{TOKEN}"'
)
BLOCK = (
    "[111122223333_AdministratorAccess]\n"
    f"aws_access_key_id={ID}\naws_secret_access_key={SECRET}\naws_session_token={TOKEN}"
)
VALUES = f"{ID}\n{SECRET}\n{TOKEN}"
DOTENV = EXPORTS.replace("export ", "").replace('"', "'")


def wrapped(text: str, width: int) -> str:
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def read(text: str) -> PastedKeys:
    return parse(text.encode())


def values(keys: PastedKeys) -> tuple[str, str, str]:
    return keys.access_key_id, keys.secret_access_key.reveal(), keys.session_token.reveal()


FORMS = {
    "bash": EXPORTS,
    "powershell": POWERSHELL,
    "cmd": CMD,
    "cmd with quotes": CMD.replace("SET A", 'SET "A').replace("\n", '"\n') + '"',
    "setx": CMD.replace("SET", "setx")
    .replace("=", " ", 1)
    .replace("KEY=", "KEY ")
    .replace("TOKEN=", "TOKEN "),
    "fish": FISH,
    "fish, long options": FISH.replace("-gx", "--global --export"),
    "declare": EXPORTS.replace("export", "declare -x"),
    "on one line": EXPORTS.replace("\n", "; "),
    "one command": EXPORTS.replace("\nexport", ""),
    "block": BLOCK,
    "block, spaced": BLOCK.replace("=", " = ", 1).replace("key=", "key = ").replace("token=", "token = "),
    "values": VALUES,
    "values, quoted": f'"{ID}"\n"{SECRET}"\n"{TOKEN}"',
    "values with their labels": (
        f"AWS access key ID\n{ID}\nAWS secret access key\n{SECRET}\nAWS session token\n{TOKEN}"
    ),
    "labels and colons": (
        f"AWS Access Key Id: {ID}\nAWS Secret access key: {SECRET}\nAWS session token: {TOKEN}"
    ),
    "dotenv": DOTENV,
    "security token": BLOCK.replace("aws_session_token", "aws_security_token"),
    "export-credentials": json.dumps(
        {"Version": 1, "AccessKeyId": ID, "SecretAccessKey": SECRET, "SessionToken": TOKEN}
    ),
    "sts": json.dumps(
        {"Credentials": {"AccessKeyId": ID, "SecretAccessKey": SECRET, "SessionToken": TOKEN}}, indent=4
    ),
    "sso": json.dumps(
        {"roleCredentials": {"accessKeyId": ID, "secretAccessKey": SECRET, "sessionToken": TOKEN}}
    ),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_every_form_is_read(text: str) -> None:
    assert values(read(text)) == (ID, SECRET, TOKEN)


MISHAPS: dict[str, Callable[[str], str]] = {
    "windows line ends": lambda text: text.replace("\n", "\r\n"),
    "old mac line ends": lambda text: text.replace("\n", "\r"),
    "byte order mark": lambda text: "\ufeff" + text,
    "blank lines around": lambda text: f"\n \n{text}\n\n",
    "indented": lambda text: "    " + text.replace("\n", "\n\t"),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "typographic quotes": lambda text: text.replace('"', "\u201c", 1).replace('"', "\u201d"),
    "zero-width characters": lambda text: text.replace("\n", "\u200b\n"),
    "end of file of windows": lambda text: text + "\r\n\x1a",
    "copied twice": lambda text: f"{text}\n\n{text}\n",
}


@pytest.mark.parametrize("form", ["bash", "powershell", "cmd", "block", "fish", "values", "dotenv"])
@pytest.mark.parametrize("mishap", sorted(MISHAPS.keys() - {"copied twice"}))
def test_what_happens_on_the_way_does_not_matter(form: str, mishap: str) -> None:
    assert values(read(MISHAPS[mishap](FORMS[form]))) == (ID, SECRET, TOKEN)


@pytest.mark.parametrize("form", ["bash", "powershell", "cmd", "block", "fish", "dotenv"])
def test_the_same_set_twice_is_one_set(form: str) -> None:
    assert values(read(f"{FORMS[form]}\n\n{FORMS[form]}\n")) == (ID, SECRET, TOKEN)


@pytest.mark.parametrize("prompt", ["$ ", "user@host:~$ ", "# ", "PS C:\\Users\\me> ", "C:\\>", "> ", "me% "])
def test_prompts_before_the_lines_do_not_matter(prompt: str) -> None:
    text = "\n".join(prompt + line for line in EXPORTS.splitlines())

    assert values(read(text)) == (ID, SECRET, TOKEN)


@pytest.mark.parametrize("width", [64, 72, 76, 80, 120, 200])
@pytest.mark.parametrize("form", ["bash", "block", "values", "dotenv", "cmd"])
def test_wrapped_session_token_is_put_together(form: str, width: int) -> None:
    text = FORMS[form].replace(TOKEN, wrapped(TOKEN, width))

    assert values(read(text)) == (ID, SECRET, TOKEN)


def test_wrapped_token_of_pieces_as_long_as_a_secret_key_is_put_together() -> None:
    assert values(read(f"{ID}\n{SECRET}\n{wrapped(TOKEN, 40)}")) == (ID, SECRET, TOKEN)


def test_lines_after_a_wrapped_token_are_not_taken_for_more_of_it() -> None:
    text = BLOCK.replace(TOKEN, wrapped(TOKEN, 80)) + "\nregion = eu-west-1\n\nDone\n[other]\noutput=json\n"
    keys = read(text)

    assert values(keys) == (ID, SECRET, TOKEN)
    assert keys.region == "eu-west-1"


def test_utf_16_as_powershell_writes_files_is_read() -> None:
    assert values(parse(POWERSHELL.encode("utf-16"))) == (ID, SECRET, TOKEN)


# --- what else it says -------------------------------------------------------------------------------


def test_profile_block_names_account_and_role() -> None:
    keys = read(BLOCK)

    assert (keys.section, keys.account_id, keys.role_name) == (
        "111122223333_AdministratorAccess",
        "111122223333",
        "AdministratorAccess",
    )


@pytest.mark.parametrize("header", ["dev", "profile dev", " dev "])
def test_header_of_another_form_is_a_section_and_nothing_more(header: str) -> None:
    keys = read(BLOCK.replace("111122223333_AdministratorAccess", header))

    assert (keys.section, keys.account_id, keys.role_name) == ("dev", None, None)


def test_header_that_counts_is_the_one_above_the_keys() -> None:
    keys = read(f"[default]\nregion = eu-central-1\n\n{BLOCK}\n\n[later]\noutput = json\n")

    assert keys.section == "111122223333_AdministratorAccess"
    assert keys.region == "eu-central-1"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('export AWS_CREDENTIAL_EXPIRATION="2026-11-22T13:00:00+00:00"', NOON + HOUR),
        ("AWS_CREDENTIAL_EXPIRATION=2026-11-22T13:00:00Z", NOON + HOUR),
        ("x_security_token_expires = 2026-11-22T14:00:00+01:00", NOON + HOUR),
        ("aws_session_expiration = 2026-11-22T13:00:00+00:00+0000", NOON + HOUR),
        ("aws_expiration = 2026-11-22T13:00:00", None),
        ("aws_expiration = tomorrow", None),
        ("aws_expiration = 99999999999999999999999", None),
        ("aws_expiration = 0001-01-01T00:00:00+14:00", None),
    ],
)
def test_expiration_is_taken_where_it_is_certain(line: str, expected: datetime | None) -> None:
    assert read(f"{BLOCK}\n{line}\n").expires_at == expected


def test_json_tells_expiration_account_and_role() -> None:
    credentials = {"AccessKeyId": ID, "SecretAccessKey": SECRET, "SessionToken": TOKEN}
    arn = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ReadOnly_0123456789abcdef/alice"
    sts = {
        "Credentials": {**credentials, "Expiration": "2026-11-22T13:00:00Z"},
        "AssumedRoleUser": {"Arn": arn},
    }
    exported = {**credentials, "Expiration": "2026-11-22T13:00:00+00:00", "AccountId": "111122223333"}
    milliseconds = int((NOON + HOUR).timestamp() * 1000)
    sso = {"roleCredentials": {**credentials, "expiration": milliseconds}}
    told = [read(json.dumps(each)) for each in (sts, exported, sso)]

    assert [each.expires_at for each in told] == [NOON + HOUR] * 3
    assert [(each.account_id, each.role_name) for each in told] == [
        ("111122223333", "ReadOnly"),
        ("111122223333", None),
        (None, None),
    ]


# --- what is refused ---------------------------------------------------------------------------------


def without(text: str, name: str) -> str:
    return "\n".join(line for line in text.splitlines() if name not in line.lower())


OTHER = EXPORTS.replace(ID, "ASIAOTHEROTHEROTHER2")
REFUSED = {
    "nothing": ("", "nothing was pasted"),
    "blanks": (" \n\ufeff\n", "nothing was pasted"),
    "prose": ("Please copy the keys from the portal.", "there are no keys"),
    "no ID": (without(EXPORTS, "key_id"), "no whole access key ID"),
    "no secret": (without(BLOCK, "secret"), "no whole secret access key"),
    "no token": (without(POWERSHELL, "token"), "no whole session token"),
    "ID alone": (ID, "no whole secret access key and no session token"),
    "secret alone": (SECRET, "no whole access key ID and no session token"),
    "token alone": (TOKEN, "no whole access key ID and no secret access key"),
    "empty value": (EXPORTS.replace(TOKEN, ""), "no whole session token"),
    "quote not closed": (EXPORTS[: EXPORTS.index("==")], "has a form that credtray does not know"),
    "secret cut off": (BLOCK.replace(SECRET, SECRET[:-1]), r"secret access key is not whole.*39"),
    "secret too long": (EXPORTS.replace(SECRET, SECRET + "A"), r"secret access key is not whole.*41"),
    "token cut off": (CMD.replace(TOKEN, TOKEN[:40]), r"session token is not whole.*40"),
    "token too long": (BLOCK.replace(TOKEN, "A" * 20000), "session token is not whole"),
    "ID of something else": (EXPORTS.replace("ASIA", "AROA"), "access key ID is not whole, or is none"),
    "strange characters": (EXPORTS.replace(SECRET, SECRET[:-1] + "€"), "secret access key is not whole"),
    "long-term key": (EXPORTS.replace("ASIA", "AKIA"), "long-term access key"),
    "long-term key alone": (f"{ID.replace('ASIA', 'AKIA')}\n{SECRET}", "long-term access key"),
    "two sets": (f"{EXPORTS}\n{OTHER}", "two different sets"),
    "two blocks": (f"{BLOCK}\n{BLOCK.replace(SECRET, SECRET[::-1])}", "two different sets"),
    "two sets of values": (f"{VALUES}\n{VALUES.replace(ID, 'ASIAOTHEROTHEROTHER2')}", "two different sets"),
    "escape sequence": (EXPORTS + "\x1b[0m", "control characters"),
    "NUL": (BLOCK + "\0", "control characters"),
    "half of JSON": (FORMS["sts"][:-20], "begins like JSON"),
    "JSON of a list of lists": ("{" + "[" * 5000, "begins like JSON"),
    "JSON of wrong types": ('{"AccessKeyId": ["ASIA"], "Credentials": 3}', "there are no keys"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_whole_set_is_refused_with_its_reason_and_without_a_secret(text: str, reason: str) -> None:
    with pytest.raises(PasteRefused, match=reason) as refused:
        read(text)

    told = f"{refused.value} {refused.value.advice} {refused.value!r}"

    assert not any(part in told for part in (SECRET[:12], SECRET[::-1][:12], TOKEN[:24], ID))


@pytest.mark.parametrize(
    "data", [b"\xff\x00\xfe", b"\x80abc", EXPORTS.encode("utf-16")[:-1], b"a" * (LONGEST + 1)]
)
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(PasteRefused):
        parse(data)


def test_keys_have_no_repr() -> None:
    assert SECRET not in repr(read(BLOCK))
    assert TOKEN not in repr(read(BLOCK))


# --- properties --------------------------------------------------------------------------------------

KEY_TEXT = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
KEYS = st.builds(
    lambda key_id, secret, token, padding: RoleCredentials(
        f"ASIA{key_id}", Secret(secret), Secret(token + padding), NOON + HOUR, NOON
    ),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16),
    st.text(KEY_TEXT, min_size=40, max_size=40),
    st.text(KEY_TEXT, min_size=64, max_size=400),
    st.sampled_from(["", "=", "=="]),
)


@given(KEYS, st.sampled_from(Form), st.sampled_from([None, "eu-west-1"]), st.sampled_from(sorted(MISHAPS)))
def test_what_credtray_writes_for_a_shell_is_read_back(
    keys: RoleCredentials, form: Form, region: str | None, mishap: str
) -> None:
    text = written(keys, form, "section name", region).reveal()
    found = read(MISHAPS[mishap](text))

    assert values(found) == (
        keys.access_key_id,
        keys.secret_access_key.reveal(),
        keys.session_token.reveal(),
    )


PIECES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        (
            *(
                '"',
                "'",
                "\n",
                "[",
                "]",
                "{",
                "}",
                ":",
                "=",
                "\u00a0",
                "\x00",
                "\u2028",
                "export ",
                "set -gx ",
            ),
            *(
                "AWS_ACCESS_KEY_ID=",
                "aws_secret_access_key = ",
                "aws_session_token=",
                "region=",
                "aws_expiration=",
            ),
            *(ID, SECRET, TOKEN, "AKIAQWERTYUIOPLK2345", "9" * 40, '"AccessKeyId":', '"Expiration": 1e400'),
        )
    ),
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_text_is_keys_or_a_refusal(text: str) -> None:
    try:
        keys = parse(text.encode("utf-8", "surrogatepass"))
    except PasteRefused:
        return

    assert keys.access_key_id.startswith("ASIA")
    assert keys.session_token.reveal().isascii()


@given(st.binary(max_size=200))
def test_any_bytes_are_keys_or_a_refusal(data: bytes) -> None:
    with pytest.raises(PasteRefused):
        parse(data)


def test_a_long_paste_without_keys_is_refused_quickly_enough() -> None:
    texts = [
        "aws_session_token=" * 3000,
        "set -a " * 9000,
        "A" * 40 + "\nAAAA" * 12000,
        "[" * 60000,
        " " * 60000,
    ]

    for text in texts:
        with pytest.raises(PasteRefused):
            read(text)


def test_expiration_before_1970_or_far_away_breaks_nothing() -> None:
    keys = {"AccessKeyId": ID, "SecretAccessKey": SECRET, "SessionToken": TOKEN}
    odd = [
        json.dumps({**keys, "Expiration": each})
        for each in (-(10**20), 10**20, True, "-1", "9999-12-31T23:59:59-12:00")
    ]

    assert [read(each).expires_at for each in odd] == [None] * 5
    assert read(json.dumps({**keys, "Expiration": 0})).expires_at == datetime(1970, 1, 1, tzinfo=UTC)
