"""The person of an unattended demo: a "browser" that fills in the portal's real forms and says yes.

Started by its path as the command ``BROWSER`` names, so it imports the standard library only.
Usage: ``person.py USER PASSWORD ADDRESS``. Exit code 0 when no page asks anything any more.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from http.client import HTTPException
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

_MOST_PAGES = 6
_PATIENCE_SECONDS = 30.0
_YES = ("decision", "allow")


class Form(HTMLParser):
    """The first form of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        """None: the page asks nothing."""
        self.fields: dict[str, str] = {}
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what the form sends; of its buttons only the one that says yes."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action, self._inside = given.get("action", ""), True
        elif self._inside and tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        elif self._inside and tag == "button" and (given.get("name"), given.get("value")) == _YES:
            self.fields.update([_YES])

    def handle_endtag(self, tag: str) -> None:
        """Notice the end of the form."""
        if tag == "form":
            self._inside = False


def sign_in(address: str, user: str, password: str) -> bool:
    """Go from page to page as a person would; True when the last one asks nothing any more.

    Raises:
        OSError, HTTPException: a page did not come, or came as a refusal (401 for a wrong password).
    """
    browser = build_opener(HTTPCookieProcessor(), ProxyHandler({}))
    page = browser.open(address, timeout=_PATIENCE_SECONDS)
    for _ in range(_MOST_PAGES):
        with page:
            place, form = page.geturl(), Form(page.read().decode())
        if form.action is None:
            return True
        typed = {"user": user, "password": password}
        filled = {name: typed.get(name, value) for name, value in form.fields.items()}
        content = urlencode(filled).encode()
        page = browser.open(urljoin(place, form.action), content, timeout=_PATIENCE_SECONDS)
    page.close()
    return False


def main(arguments: list[str]) -> int:
    """Sign in and return the exit code."""
    user, password, address = arguments
    try:
        return 0 if sign_in(address, user, password) else 1
    except (OSError, HTTPException) as error:
        sys.stderr.write(f"the sign-in pages cannot be used: {type(error).__name__}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
