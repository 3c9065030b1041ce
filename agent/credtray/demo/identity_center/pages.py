"""The pages a browser sees: sign in, allow or deny, device code, done, portal. HTML only.

No script, no outside asset; every foreign text is escaped here. Which page is due is decided in ``browser``.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from credtray.demo.identity_center.exchange import Response

_STYLE = """
:root{color-scheme:light dark;--page:#f3f5f9;--card:#fff;--text:#17202e;--muted:#58657a;--line:#d6dde8;
--edge:#8794a8;
--accent:#1f5fd0;--on-accent:#fff;--soft:#e9f0fd;--bad:#b3261e;--bad-soft:#fdecea;--good:#17744a;--good-soft:#e6f5ed}
@media (prefers-color-scheme:dark){:root{--page:#10151d;--card:#19212c;--text:#e8edf5;--muted:#9dabbf;
--line:#2e3a4a;--edge:#66778e;--accent:#8ab4ff;--on-accent:#0b1a33;--soft:#1d2b42;--bad:#ffb4ab;--bad-soft:#3b1d1b;
--good:#7ddba8;--good-soft:#163325}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;
padding:24px 16px;background:var(--page);color:var(--text);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{width:100%;max-width:420px;background:var(--card);border:1px solid var(--line);border-radius:14px;
padding:32px;box-shadow:0 1px 2px rgb(0 0 0/6%),0 12px 32px rgb(0 0 0/7%)}
main.wide{max-width:680px}
.label{display:flex;align-items:center;gap:8px;margin:0 0 24px;font-size:14px;color:var(--muted)}
.label b{padding:2px 9px;border-radius:99px;background:var(--soft);color:var(--accent);font-size:12px}
h1{margin:0 0 8px;font-size:24px;line-height:1.25;letter-spacing:-.01em}
p{margin:0 0 16px}
.muted{color:var(--muted)}
.small{font-size:14px}
label{display:block;margin:16px 0 6px;font-weight:600;font-size:14px}
input{width:100%;padding:10px 12px;border:1px solid var(--edge);border-radius:8px;background:var(--page);
color:var(--text);font:inherit}
input:focus-visible,button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
input.code{font:600 22px/1.4 ui-monospace,"DejaVu Sans Mono",monospace;letter-spacing:.12em;text-align:center;
text-transform:uppercase}
.buttons{display:flex;gap:12px;margin-top:24px}
button{flex:1;padding:11px 16px;border:1px solid var(--accent);border-radius:8px;background:var(--accent);
color:var(--on-accent);font:inherit;font-weight:600;cursor:pointer}
button:hover{filter:brightness(1.06)}
button.second{border-color:var(--edge);background:transparent;color:var(--text)}
.note{margin:0 0 16px;padding:10px 14px;border-radius:8px;background:var(--soft);font-size:14px}
.note.bad{background:var(--bad-soft);color:var(--bad)}
.badge{display:inline-grid;place-items:center;width:44px;height:44px;margin-bottom:16px;border-radius:50%;
background:var(--good-soft);color:var(--good);font-size:22px;font-weight:700}
.badge.bad{background:var(--bad-soft);color:var(--bad)}
.user-code{margin:0 0 16px;padding:14px;border:1px dashed var(--line);border-radius:8px;text-align:center;
font:600 24px/1.3 ui-monospace,"DejaVu Sans Mono",monospace;letter-spacing:.12em}
ul.facts{margin:0;padding:0;list-style:none;border-top:1px solid var(--line)}
ul.facts li{padding:10px 0;border-bottom:1px solid var(--line)}
table{width:100%;border-collapse:collapse;font-size:15px}
th{padding:8px 12px 8px 0;text-align:left;font-size:13px;color:var(--muted);
border-bottom:1px solid var(--line)}
td{padding:10px 12px 10px 0;vertical-align:top;border-bottom:1px solid var(--line)}
.role{display:inline-block;margin:0 6px 4px 0;padding:1px 9px;border-radius:99px;background:var(--soft);
font-size:13px;white-space:nowrap}
main>:last-child{margin-bottom:0}
footer{margin-top:20px;max-width:420px;text-align:center;text-wrap:balance;font-size:13px;color:var(--muted)}
@media (max-width:560px){main{padding:24px 20px}thead{display:none}td{display:block;padding:0 0 10px;
overflow-wrap:anywhere}td:first-child{padding:10px 0 6px;border:0}}
"""

_FOOTER = "A stand-in on this computer. It is not AWS: names, accounts and keys are made up."

_HEADERS = (
    ("Cache-Control", "no-store"),
    (
        "Content-Security-Policy",
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


def _page(title: str, content: str, *, status: int = 200, wide: bool = False) -> Response:
    shape = ' class="wide"' if wide else ""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)} · demo Identity Center</title><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style></head><body><main{shape}>"
        '<p class="label"><b>demo</b> Identity Center</p>'
        f"{content}</main><footer>{_FOOTER}</footer></body></html>"
    )
    return Response(status, text.encode(), "text/html; charset=utf-8", _HEADERS)


def sign_in(flow: str, *, reason: str, wrong: bool = False) -> Response:
    """Ask for user name and password; *reason* says for whom."""
    error = '<p class="note bad" role="alert">User name or password is not right.</p>' if wrong else ""
    return _page(
        "Sign in",
        f'<h1>Sign in</h1><p class="muted">{escape(reason)}</p>{error}'
        '<form method="post" action="/signin">'
        f'<input type="hidden" name="flow" value="{escape(flow)}">'
        '<label for="user">User name</label>'
        '<input id="user" name="user" autocomplete="username" autofocus required>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required>'
        '<div class="buttons"><button>Sign in</button></div></form>'
        '<p class="muted small" style="margin:20px 0 0">In the demo: user <b>alice</b>, '
        "password <b>demo</b>.</p>",
        status=401 if wrong else 200,
    )


def consent(flow: str, client: str, user: str, scopes: Iterable[str], *, user_code: str = "") -> Response:
    """Ask whether *client* may act for *user*."""
    compare = (
        "<p>Allow only if the program you started shows the same code:</p>"
        f'<p class="user-code">{escape(user_code)}</p>'
        if user_code
        else ""
    )
    facts = "".join(f"<li>{escape(_meaning(scope))}</li>" for scope in scopes)
    return _page(
        "Allow access",
        "<h1>Allow access to your accounts?</h1>"
        f'<p class="muted"><b>{escape(client)}</b> asks to act for {escape(user)}.</p>{compare}'
        f'<ul class="facts">{facts or "<li>Get credentials for your accounts</li>"}</ul>'
        '<form method="post" action="/consent">'
        f'<input type="hidden" name="flow" value="{escape(flow)}">'
        '<div class="buttons"><button class="second" name="decision" value="deny">Deny</button>'
        '<button name="decision" value="allow">Allow</button></div></form>',
    )


def _meaning(scope: str) -> str:
    return "Get credentials for your accounts" if scope == "sso:account:access" else f"Use {scope}"


def device(*, wrong: bool = False) -> Response:
    """Ask for the user code that a program shows."""
    error = '<p class="note bad" role="alert">That code is not known, or it has ended.</p>' if wrong else ""
    return _page(
        "Enter code",
        '<h1>Enter the code</h1><p class="muted">Your program shows one of eight letters.</p>'
        f'{error}<form method="get" action="/device"><label for="code">Code</label>'
        '<input class="code" id="code" name="user_code" autocomplete="off" spellcheck="false" '
        'autofocus required maxlength="9"><div class="buttons"><button>Continue</button></div></form>',
        status=400 if wrong else 200,
    )


def done(title: str, text: str, *, good: bool) -> Response:
    """Tell the outcome of a device authorization."""
    badge = '<div class="badge" aria-hidden="true">&#10003;</div>'
    if not good:
        badge = '<div class="badge bad" aria-hidden="true">&#10005;</div>'
    return _page(title, f'{badge}<h1>{escape(title)}</h1><p class="muted">{escape(text)}</p>')


def problem(title: str, text: str, *, status: int = 400) -> Response:
    """Tell why a request cannot go on."""
    return _page(
        title,
        '<div class="badge bad" aria-hidden="true">!</div>'
        f'<h1>{escape(title)}</h1><p class="muted">{escape(text)}</p>',
        status=status,
    )


def portal(user: str, until: str, rows: Iterable[tuple[str, str, str, Iterable[str]]]) -> Response:
    """List the accounts of *user*: rows of (name, account id, e-mail, role names)."""
    lines = "".join(
        f'<tr><td><b>{escape(name)}</b><br><span class="muted small">{escape(account_id)}'
        f"{' · ' + escape(email) if email else ''}</span></td>"
        f"<td>{''.join(f'<span class=role>{escape(role)}</span>' for role in roles)}</td></tr>"
        for name, account_id, email, roles in rows
    )
    return _page(
        "Your accounts",
        f'<h1>Your accounts</h1><p class="muted">Signed in as {escape(user)} until {escape(until)}.</p>'
        f"<table><thead><tr><th>Account</th><th>Roles</th></tr></thead><tbody>{lines}</tbody></table>"
        '<form method="post" action="/signout"><div class="buttons">'
        '<button class="second">Sign out</button></div></form>',
        wide=True,
    )
