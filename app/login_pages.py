"""The pages of the login: one that asks for the token, and one that replaces the URL with the token by that without.

They are complete HTML documents without scripts; every text from a request is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

from starlette.responses import HTMLResponse

_NO_STORE = {"Cache-Control": "no-store"}


def token_page(
    path: str, query: Sequence[tuple[str, str]], parameter: str, *, is_wrong: bool, is_from_other_site: bool
) -> HTMLResponse:
    """Status 401: says where the token is, and asks for it.

    A form sends it as `parameter` to `path`, with the rest of the `query`. Browsers send no cookie with a link of
    another site (SameSite=Strict), so a user who is logged in gets a link here to go on.
    """
    reason = "The token is wrong." if is_wrong else "This page needs a token."
    kept = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in query)
    again = (
        f'<p>You followed a link of another site: <a href="{escape(path)}{_query_suffix(query)}">open it here</a>.</p>'
    )
    body = f"""
<h1>{reason}</h1>
<p>Open the address that <code>pesearch app</code> printed in its terminal, which ends with
<code>{parameter}=&hellip;</code>, or enter the token from there. After a restart there is usually a new one, which
bookmarks and open tabs do not have.</p>
<form action="{escape(path)}" method="get">{kept}
<label>Token <input type="password" name="{parameter}" autocomplete="off" autofocus required size="40"></label>
<button>Open</button>
</form>
{again if is_from_other_site else ""}
<p class="fine">Whoever has the token can view all media of this library.</p>"""
    return HTMLResponse(_document("pesearch: token needed", body), 401, _NO_STORE)


def opening_page(url: str) -> HTMLResponse:
    """Goes on to a URL of this server. A redirect would not do: after a link or a file that opened the page, browsers
    hold back SameSite=Strict cookies until a page of this server leads to another.
    """
    refresh = f'<meta http-equiv="refresh" content="0;url={escape(url)}">'
    body = f'<p><a href="{escape(url)}">Open pesearch</a></p>'
    return HTMLResponse(_document("pesearch", body, refresh), 200, _NO_STORE)


def _query_suffix(query: Sequence[tuple[str, str]]) -> str:
    return f"?{escape(urlencode(query))}" if query else ""


def _document(title: str, body: str, head: str = "") -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{head}
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 38rem; margin: 15vh auto 0; padding: 0 1rem }}
h1 {{ font-size: 1.5rem }}
input, button {{ font: inherit; padding: .3rem .6rem }}
.fine {{ opacity: .7; font-size: .9rem; margin-top: 2rem }}
</style></head><body>{body}
</body></html>
"""
