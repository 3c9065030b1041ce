"""botocore is the judge of what a config file means: same profiles, same roles, same endpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import AssumeRoleProvider, CredentialProvider, SSOProvider
from botocore.exceptions import BotoCoreError
from botocore.session import Session
from hypothesis import example, given, settings
from hypothesis import strategies as st

from credtray.aws.config_file import AwsConfigFile
from credtray.aws.locations import locate
from credtray.core.config.sso import parse_config, read_credentials
from credtray.core.models import AwsConfig, Endpoints
from tests.botocore_oracle import both_files
from tests.soak import examples

SESSION = """
[sso-session corp]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
"""
SSO = "sso_session = corp\nsso_account_id = 111100000000\nsso_role_name = Admin\n"


def parse(text: str, credentials: str = "", **environ: str) -> AwsConfig:
    return parse_config(text.encode(), environ, read_credentials(credentials.encode()))


def no_client(*args: object, **kwargs: object) -> Any:
    raise AssertionError("no client is needed to find out where credentials come from")


_SETTINGS = (
    "services = s",
    "services = nowhere",
    "endpoint_url = https://profile.test",
    "endpoint_url =",
    "ca_bundle = /profile.pem",
    "ignore_configured_endpoint_urls = true",
    "ignore_configured_endpoint_urls = no",
)
_ENVIRON = (
    ("AWS_ENDPOINT_URL", "https://env.test"),
    ("AWS_ENDPOINT_URL_SSO", "https://env-sso.test"),
    ("AWS_ENDPOINT_URL_SSO_OIDC", "https://env-oidc.test"),
    ("AWS_ENDPOINT_URL_STS", "https://env-sts.test"),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE"),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"),
    ("AWS_CA_BUNDLE", "/env.pem"),
    ("REQUESTS_CA_BUNDLE", "/requests.pem"),
)
_DEFAULT_HOSTS = ("oidc.us-east-1.amazonaws.com", "portal.sso.us-east-1.amazonaws.com", "//sts.")


def _by_botocore(path: Path, environ: dict[str, str]) -> Endpoints | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        for name, value in environ.items():
            patch.setenv(name, value)
        patch.setenv("AWS_CONFIG_FILE", str(path))
        session = Session()
        found: list[str | None] = []
        client: Any
        try:
            for service in ("sso-oidc", "sso", "sts"):
                client = session.create_client(
                    service,
                    region_name="us-east-1",
                    aws_access_key_id="k",
                    aws_secret_access_key="s",
                )
                url = client.meta.endpoint_url
                found.append(None if any(host in url for host in _DEFAULT_HOSTS) else url)
        except BotoCoreError:
            return None
        verify = client._endpoint.http_session._verify
        oidc, portal, sts = found
        return Endpoints(oidc, portal, sts, None if verify is True else verify)


@pytest.mark.parametrize("seed", range(40))
def test_endpoints_are_those_of_botocore(seed: int, tmp_path: Path) -> None:
    # Each seed draws its own mixture; 40 of them use every setting next to every variable.
    lines = [text for place, text in enumerate(_SETTINGS) if (seed * 7919 >> place) & 1]
    unique = {line.split(" ")[0]: line for line in lines}
    environ = dict(pair for place, pair in enumerate(_ENVIRON) if (seed * 104729 >> place) & 1)
    text = (
        f"{SESSION}[default]\n{SSO}" + "".join(f"{line}\n" for line in unique.values()) + "[services s]\n"
        "sso_oidc =\n  endpoint_url = https://services-oidc.test\n"
        "sts =\n  endpoint_url = https://services-sts.test\n"
    )
    (tmp_path / "config").write_text(text)
    profile = parse(text, **environ).profiles.get("default")

    assert _by_botocore(tmp_path / "config", environ) == (profile.endpoints if profile else None)


# --- botocore as the judge of whole files ------------------------------------------------------------

_ROWS = (
    "sso_session = corp",
    "sso_session = nowhere",
    "sso_start_url = https://d-9067000001.awsapps.com/start",
    "sso_start_url = https://d-9067000002.awsapps.com/start",
    "sso_region = us-east-1",
    "sso_region = eu-west-1",
    "sso_account_id = 111100000000",
    "sso_role_name = Admin",
    "role_arn = arn:aws:iam::111100000000:role/r",
    "source_profile = a",
    "source_profile = b",
    "source_profile = c",
    "credential_source = Environment",
    "mfa_serial = arn:mfa",
    "web_identity_token_file = /t",
    "aws_access_key_id = AKIA",
    "external_id = x",
    "duration_seconds = 900",
    "credential_process = /bin/false",
    "login_session = arn:x",
    "region = eu-west-1",
    "sso_role_name = ReadOnly",
    "sso_account_id = 222200000000",
    "aws_secret_access_key = secret",
)
_Seeds = tuple[int, int, int]
"""Which rows each of the profiles a, b and c has in one file; 0: its section is not there at all."""


def _sections(seeds: _Seeds, prefix: str) -> str:
    text = ""
    for name, seed in zip("abc", seeds, strict=True):
        rows = {row.split(" ")[0]: row for place, row in enumerate(_ROWS) if seed >> place & 1}
        text += f"[{prefix}{name}]\n" + "".join(f"{row}\n" for row in rows.values()) if seed else ""
    return text


class _Builder:
    """Gives a source profile what botocore's own builder gives it, as far as SSO is concerned."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    def providers(self, profile_name: str, *, disable_env_vars: bool) -> list[CredentialProvider]:
        profile = self._config["profiles"][profile_name]
        if "web_identity_token_file" in profile:
            return []
        return [_sso_provider(self._config, profile_name)]


def _sso_provider(config: dict[str, Any], name: str) -> SSOProvider:
    return SSOProvider(load_config=lambda: config, client_creator=no_client, profile_name=name)


def _role_of(credentials: Any, roles: list[str | None]) -> tuple[str, str, list[str | None]]:
    fetcher = credentials._refresh_using.__self__
    if hasattr(fetcher, "_account_id"):
        return (fetcher._account_id, fetcher._role_name, roles)
    roles.insert(0, fetcher._assume_kwargs.get("ExternalId"))
    return _role_of(fetcher._source_credentials, roles)


def _resolved_by_botocore(config: dict[str, Any], name: str) -> tuple[str, str, list[str | None]] | None:
    profile = config["profiles"][name]
    try:
        assumed = AssumeRoleProvider(
            lambda: config, no_client, {}, name, profile_provider_builder=_Builder(config)
        ).load()
        if assumed is None and "web_identity_token_file" not in profile:
            assumed = _sso_provider(config, name).load()
        return _role_of(assumed, []) if assumed is not None else None
    except (BotoCoreError, AttributeError):
        return None  # refused, or a code from an MFA device is wanted (its refresher is no method)


_SEED = st.integers(0, 2 ** len(_ROWS) - 1)
_FEW = st.sets(st.integers(0, len(_ROWS) - 1), max_size=4).map(lambda rows: sum(1 << row for row in rows))
_IN_CONFIG = st.tuples(*[st.one_of(_SEED, _FEW)] * 3)
_IN_CREDENTIALS = st.tuples(*[st.one_of(st.just(0), _FEW, _SEED)] * 3)
_SSO_SEED = 0b11000001  # sso_session = corp, account and role
_LEGACY = 0b11010100  # the four settings of a profile without an sso-session
_ROLE_ARN, _SOURCE_A, _SOURCE_B, _EXTERNAL_ID = 1 << 8, 1 << 9, 1 << 10, 1 << 16
_READ_ONLY, _PROCESS, _KEY = 1 << 21, 1 << 18, 1 << 15


def _of_two_regions(config: AwsConfig) -> set[str]:
    """Return the profiles that are refused because another one gave their start URL another region."""
    return {item.profile for item in config.warnings if item.text.endswith("with another sso_region")}


def _shares_a_token_in_another_region(config: AwsConfig, by_botocore: dict[str, Any], name: str) -> bool:
    """Tell whether botocore would use one token file for two regions.

    It keeps the token under the start URL and looks at no region, so it serves both profiles; but a portal
    accepts only tokens of its own region. Whichever region is wrong, its profile gets no keys from AWS.
    """
    refused = by_botocore["profiles"][name]
    return any(
        refused["sso_start_url"] == session.start_url and refused["sso_region"] != session.region
        for session in config.sessions.values()
    )


def _judged(config: AwsConfig, by_botocore: dict[str, Any]) -> None:
    """Compare: the profiles we serve are those botocore serves by SSO, with the same roles."""
    told = (
        {other.name for other in config.foreign}
        | {problem.profile for problem in config.warnings}
        | set(config.profiles)
    )
    for name in "abc":
        profile = config.profiles.get(name)
        found = profile and (
            profile.account_id,
            profile.role_name,
            [role.external_id for role in profile.chain],
        )

        if name not in by_botocore["profiles"]:
            assert profile is None
            continue
        assert name in told
        if name in _of_two_regions(config):
            assert _shares_a_token_in_another_region(config, by_botocore, name)
            continue
        assert found == _resolved_by_botocore(by_botocore, name)
        assert profile is None or profile.region == by_botocore["profiles"][name].get("region")


@given(in_config=_IN_CONFIG, in_credentials=_IN_CREDENTIALS)
@example(
    in_config=(_SSO_SEED, _ROLE_ARN | _SOURCE_A, _ROLE_ARN | _SOURCE_B | _EXTERNAL_ID),
    in_credentials=(0,) * 3,
)
@example(in_config=(0, 0, 36840), in_credentials=(0, 0, 0))
@example(in_config=(0, 0, 0), in_credentials=(_LEGACY, 0, 0))
@example(in_config=(_SSO_SEED, 0, 0), in_credentials=(_READ_ONLY, 0, 0))
@example(in_config=(0, _ROLE_ARN, 0), in_credentials=(_LEGACY, _SOURCE_A, _ROLE_ARN | _SOURCE_B))
@example(in_config=(0, 216, 248), in_credentials=(0, 0, 0))
@example(in_config=(0, 216, 0), in_credentials=(0, 0, 248))
@example(in_config=(_PROCESS, _SSO_SEED, 0), in_credentials=(_KEY, _KEY, 0))
@settings(max_examples=examples(400))
def test_profiles_served_are_those_botocore_serves_by_sso(
    in_config: _Seeds, in_credentials: _Seeds, tmp_path_factory: pytest.TempPathFactory
) -> None:
    texts = SESSION + _sections(in_config, "profile "), _sections(in_credentials, "")
    paths = [tmp_path_factory.getbasetemp() / name for name in ("judged", "judged-credentials")]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)

    _judged(parse(*texts), both_files(*paths))


_IDIOMS = (
    None,
    "/dev/null",
    "~/config",
    "~/credentials",
    "$PLACE/config",
    "${PLACE}/credentials",
    "linked",
    "nowhere/file",
    "$PLACE",
)
"""What the variables of the two files are set to; the fixture's folder has all of them.

Not the empty word: botocore opens no file then; we take it for unset, as the Go SDK does.
"""


@pytest.mark.posix("botocore reads the files as UTF-8, not in a code page")
@given(in_config=_IN_CONFIG, in_credentials=_IN_CREDENTIALS, named=st.tuples(*[st.sampled_from(_IDIOMS)] * 2))
@example(in_config=(_SSO_SEED, 0, 0), in_credentials=(_READ_ONLY, 0, 0), named=("/dev/null", None))
@example(in_config=(_SSO_SEED, 0, 0), in_credentials=(_READ_ONLY, 0, 0), named=(None, "/dev/null"))
@example(in_config=(_SSO_SEED, 0, 0), in_credentials=(_LEGACY, 0, 0), named=("~/config", "$PLACE/config"))
@example(in_config=(_SSO_SEED, 0, 0), in_credentials=(_LEGACY, 0, 0), named=("~/config", "linked"))
@settings(max_examples=examples(80), deadline=None)
def test_both_files_are_found_and_merged_as_botocore_does(
    in_config: _Seeds,
    in_credentials: _Seeds,
    named: tuple[str | None, str | None],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = tmp_path_factory.getbasetemp() / "idioms"
    (place / ".aws").mkdir(parents=True, exist_ok=True)
    texts = SESSION + _sections(in_config, "profile "), _sections(in_credentials, "")
    for folder in (place, place / ".aws"):
        for name, text in zip(("config", "credentials"), texts, strict=True):
            (folder / name).write_text(text)
    if not (place / "linked").is_symlink():
        (place / "linked").symlink_to("config")
    variables = zip(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), named, strict=True)
    environ = {name: text for name, text in variables if text is not None}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for name, text in {"HOME": str(place), "PLACE": str(place), **environ}.items():
            patch.setenv(name, text)
        found = locate({"PLACE": str(place), **environ}, place)
        loaded = Session().full_config
        if found.config == place:  # a directory: botocore passes over it in silence, and we tell
            return
        config = AwsConfigFile(found.config, {}, found.credentials).load()

    loaded.setdefault("sso_sessions", {})
    _judged(config, loaded)


def test_an_empty_variable_is_no_file_for_botocore_and_the_usual_one_for_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[profile dev]\nregion = eu-west-1\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", "")

    assert Session().full_config == {"profiles": {}}
    assert locate({"AWS_CONFIG_FILE": ""}, tmp_path).config == tmp_path / ".aws" / "config"
