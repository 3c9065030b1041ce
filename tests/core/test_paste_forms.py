"""Every form of pasted keys: a lost line or an inserted word gives the same keys or a refusal."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from credtray.core.errors import PasteRefused
from credtray.pasted.portal_text import parse
from tests.core.test_portal_text import wrapped

Three = tuple[str, str, str]
ID = "ASIAQWERTYUIOPLK2345"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = base64.b64encode(bytes(range(256)) * 2 + b"end").decode()
_PLACE = re.compile(r"(?<![A-Za-z])[NnV](?![A-Za-z])")
NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def each(line: str, between: str = "\n") -> Callable[[Three], str]:
    """Return a form of one line (or piece) for each value: N its name, n in lower case, V the value."""

    def written(keys: Three) -> str:
        return between.join(
            _PLACE.sub(lambda found: {"N": name, "n": name.lower(), "V": value}[found[0]], line)  # noqa: B023 -- used at once
            for name, value in zip(NAMES, keys, strict=True)
        )

    return written


def around(before: str, form: Callable[[Three], str], after: str = "") -> Callable[[Three], str]:
    return lambda keys: before + form(keys) + after


def kubernetes(keys: Three) -> str:
    lines = [
        f"        - name: {name}\n          value: {value!r}" for name, value in zip(NAMES, keys, strict=True)
    ]
    return "      env:\n" + "\n".join(lines)


def process(keys: Three) -> str:
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    return json.dumps({"Version": 1, **dict(zip(names, keys, strict=True))}, indent=4)


def assumed(keys: Three) -> str:
    return json.dumps({"Credentials": json.loads(process(keys)), "AssumedRoleUser": {"Arn": "arn"}}, indent=2)


def task(keys: Three) -> str:
    named = [{"name": name, "value": value} for name, value in zip(NAMES, keys, strict=True)]
    return json.dumps({"containerDefinitions": [{"environment": named}]})


def set_environment_variable(keys: Three) -> str:
    lines = zip(NAMES, keys, strict=True)
    return "\n".join(
        f'[Environment]::SetEnvironmentVariable("{name}", "{value}", "User")' for name, value in lines
    )


FORMS: dict[str, Callable[[Three], str]] = {
    "csh": each("setenv N V"),
    "csh with quotes and semicolons": each("setenv N 'V';"),
    "csh at its prompt": each("% setenv N V"),
    "bash": each('export N="V"'),
    "bash without quotes": each("export N=V"),
    "bash, one after the other": each("export N=V", " && "),
    "bash, all at once": around("export ", each("N='V'", " ")),
    "zsh": each("typeset -x N=V"),
    "fish": each("set -gx N V"),
    "fish, short": each("set -x N 'V'"),
    "fish, several flags": each('set -g -x N "V";'),
    "PowerShell": each('$Env:N="V"'),
    "PowerShell with blanks": each("$env:N = 'V'"),
    "PowerShell at its prompt": each('PS C:\\Users\\me> $Env:N="V"'),
    "PowerShell, Set-Item": each('Set-Item -Path env:N -Value "V"'),
    "PowerShell, for good": set_environment_variable,
    "cmd": each("SET N=V"),
    "cmd with quotes": each('set "N=V"'),
    "cmd at its prompt": each("C:\\Users\\me>SET N=V"),
    "setx": each("setx N V"),
    "setx with quotes": each('setx N "V" /M'),
    "nushell": each('$env.N = "V"'),
    "an env file": each("N=V"),
    "an env file with quotes": each('N="V"'),
    "an env file with a comment": around(
        "# from the portal\n", each("N=V"), "\nAWS_REGION=eu-west-1  # near"
    ),
    "docker": around("docker run --rm ", each("-e N=V", " "), " alpine:3 env"),
    "docker with quotes over lines": around(
        "docker run \\\n", each('  --env "N=V"', " \\\n"), " \\\n  amazon/aws-cli s3 ls"
    ),
    "options alone": each("-e N=V", " "),
    "podman": around("$ podman run ", each("--env=N=V", " "), " -it ubuntu"),
    "a section": around("[profile dev]\n", each("n = V")),
    "a section without blanks": around("[default]\n", each("n=V"), "\nregion=eu-west-1\n"),
    "credential process": process,
    "export-credentials at a prompt": around(
        "$ aws configure export-credentials\n", process, "\nme@host:~$ "
    ),
    "assume-role": assumed,
    "a task definition": task,
    "lines of JSON": each('  "N": "V",'),
    "compose": around("services:\n  app:\n    environment:\n", each("      N: V")),
    "compose with quotes": around("environment:\n", each('  N: "V"')),
    "compose as a list": around("    environment:\n", each("      - N=V")),
    "compose as a list with quotes": around("    environment:\n", each('      - "N=V"')),
    "tfvars": each('n = "V"'),
    "tfvars of the environment": each("export TF_VAR_n=V"),
    "Kubernetes": kubernetes,
    "a fence of a chat": around("```bash\n", each("export N=V"), "\n```"),
    "values": "\n".join,
    "values on one line": " ".join,
}

ON_THE_WAY: dict[str, Callable[[str], str]] = {
    "nothing": lambda text: text,
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "a mark of byte order": lambda text: "\ufeff" + text,
    "blanks that do not break": lambda text: text.replace(" ", "\u00a0"),
    "typographic quotes": lambda text: text.replace('"', "\u201c").replace("'", "\u2019"),
    "a character without width": lambda text: text.replace("\n", "\u200b\n\u200b"),
}


def outcome(text: str) -> Three | None:
    """Return the keys; None: refused."""
    try:
        keys = parse(text.encode())
    except PasteRefused:
        return None
    return keys.access_key_id, keys.secret_access_key.reveal(), keys.session_token.reveal()


@pytest.mark.met("F16")
def test_three_lines_of_csh_are_the_keys() -> None:
    text = "\n".join(f"setenv {name} {value}" for name, value in zip(NAMES, (ID, SECRET, TOKEN), strict=True))

    assert outcome(text) == (ID, SECRET, TOKEN)


@pytest.mark.met("F16")
@pytest.mark.parametrize("mishap", ON_THE_WAY)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_whatever_chats_make_of_it(form: str, mishap: str) -> None:
    text = FORMS[form]((ID, SECRET, TOKEN))
    if mishap == "typographic quotes" and text.lstrip().startswith(("{", "$ aws")):
        mishap = "nothing"

    assert outcome(ON_THE_WAY[mishap](text)) == (ID, SECRET, TOKEN)


@pytest.mark.met("F16")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{ID}\n{SECRET}\n{TOKEN[:400]}\nmore {TOKEN[400:]}", id="a word within a token"),
        pytest.param(f"{ID}\n{SECRET}\n{TOKEN}\nDone", id="a word below a token"),
        pytest.param(
            each("export N=V")((ID, SECRET, TOKEN[:100])) + f"\n{TOKEN[100:]}", id="half on its own line"
        ),
        pytest.param(each("export N=V")((ID, SECRET, TOKEN[:100])) + f" {TOKEN[100:]}", id="a blank within"),
        pytest.param(
            each('export N="V"')((ID, SECRET, f"{TOKEN[:76]}\nword\n{TOKEN[76:152]}")), id="a word in quotes"
        ),
        pytest.param(each("let N be V")((ID, SECRET, TOKEN)), id="no form of anything"),
        pytest.param(
            each("docker run -e N=V", " ")((ID, SECRET, f"{TOKEN[:80]} {TOKEN[80:]}")), id="a broken option"
        ),
        pytest.param(
            each("setenv N V")((ID, SECRET, f"setenv{TOKEN} {TOKEN}")), id="two words for one value"
        ),
        pytest.param(each("N: >-\n  V")((ID, SECRET, TOKEN)), id="a folded block of YAML"),
        pytest.param(each("set -gx N V")((ID, SECRET, f"{TOKEN[:99]} {TOKEN[99:]}")), id="a list of fish"),
    ],
)
def test_what_may_be_more_or_less_than_the_token_is_refused(text: str) -> None:
    assert outcome(text) is None


WRAPPING = [
    "bash",
    "bash without quotes",
    "csh",
    "an env file with quotes",
    "a section",
    "cmd",
    "fish, short",
    "values",
    "cmd with quotes",
    "PowerShell",
    "lines of JSON",
]


@pytest.mark.parametrize("width", [64, 76, 80, 132])
@pytest.mark.parametrize("form", WRAPPING)
def test_a_token_that_a_mail_wrapped_is_put_together_and_called_doubtful(form: str, width: int) -> None:
    padded = TOKEN[:-4] + "abc="
    text = FORMS[form]((ID, SECRET, wrapped(padded, width)))
    keys = parse(text.encode())

    assert (keys.session_token.reveal(), keys.doubtful) == (padded, True)


@pytest.mark.parametrize("form", sorted(set(WRAPPING) - {"lines of JSON"}))
def test_lines_that_a_terminal_wrapped_are_put_together(form: str) -> None:
    padded = TOKEN[:-4] + "abc="
    lines = FORMS[form]((ID, SECRET, padded)).split("\n")
    text = "\n".join("\n".join(line[at : at + 100] for at in range(0, len(line), 100)) for line in lines)

    assert outcome(text) == (ID, SECRET, padded)


def test_keys_on_lines_of_their_own_are_beyond_doubt() -> None:
    assert not parse(FORMS["csh"]((ID, SECRET, TOKEN)).encode()).doubtful


# --- neighbours --------------------------------------------------------------------------------------

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
KEYS = st.tuples(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16).map("ASIA".__add__),
    st.text(BASE64, min_size=40, max_size=40),
    st.binary(min_size=60, max_size=500).map(lambda data: base64.b64encode(data).decode()),
)
WORDS = st.one_of(
    st.sampled_from(
        ["Done", "foo.bar", "export", "setenv", "the", "AWS_SESSION_TOKEN", "=", "-", "$", "#", "über"]
    ),
    st.text(BASE64, min_size=1, max_size=12),
)


@given(KEYS, st.sampled_from(sorted(FORMS)))
def test_what_a_form_writes_is_read_back(keys: Three, form: str) -> None:
    assert outcome(FORMS[form](keys)) == keys


def same_or_refused(text: str, keys: Three) -> bool:
    """Tell whether the outcome is the keys, a refusal, or keys that are said to be doubtful."""
    found = outcome(text)
    return found in {None, keys} or parse(text.encode()).doubtful


@given(KEYS, st.sampled_from(sorted(FORMS)), WORDS, st.sampled_from([" ", "\n"]), st.floats(0, 1))
@example((ID, SECRET, TOKEN), "csh", "setenv", " ", 0.9)
@example((ID, SECRET, TOKEN), "values", "foo.bar", "\n", 0.999)
def test_an_inserted_word_never_makes_another_token(
    keys: Three, form: str, word: str, blank: str, where: float
) -> None:
    text = FORMS[form](keys)
    at = round(where * len(text))

    assert same_or_refused(f"{text[:at]}{blank}{word}{blank}{text[at:]}", keys)


@given(KEYS, st.sampled_from(sorted(FORMS)), st.integers(0, 30))
def test_a_lost_line_never_makes_another_token(keys: Three, form: str, which: int) -> None:
    lines = FORMS[form](keys).split("\n")
    del lines[which % len(lines)]

    assert same_or_refused("\n".join(lines), keys)


@given(KEYS, st.sampled_from(WRAPPING), st.integers(40, 200), WORDS, st.floats(0, 1))
def test_a_word_within_a_wrapped_token_never_makes_another_token(
    keys: Three, form: str, width: int, word: str, where: float
) -> None:
    lines = FORMS[form]((keys[0], keys[1], wrapped(keys[2], width))).split("\n")
    lines.insert(round(where * len(lines)), word)

    assert same_or_refused("\n".join(lines), keys)
