"""Ways in from marketplaces, attacked: each case by its name. Two hops, single-use states, claims in cookies."""

from __future__ import annotations

import html
import importlib
import re
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest

from omnichannel_core.driver import Arrived
from omnichannel_core.web.guarding import CSP

pytestmark = pytest.mark.anyio
TYPED = {"name": "Mine", "driver": "lab", "c.shop": "a", "c.secret": "hush-lab"}
CROSS = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}


async def out(client: Any, **typed: str) -> str:
    """AUTHORIZE pressed; the state that goes to the marketplace."""
    page = await client.post("/new/authorize", data={**TYPED, **typed})
    assert page.status_code == 200, page.text
    found = re.search(r'href="https://lab\.example/authorize\?state=([\w-]+)"', page.text)
    assert found is not None
    return found[1]


async def home(client: Any, state: str, driver: str = "lab", **query: str) -> Any:
    """The second hop, as our own page sends it."""
    asked = {"state": state, "code": "c0de", **query}
    return await client.get(f"/oauth/{driver}/finish", params=asked)


def arriving(monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """The lab's calls bring an install of shop `b`, unsigned."""
    driver = importlib.import_module("omnichannel_lab.driver")

    async def receive(*_: Any) -> list[Arrived]:
        return [Arrived(account="b", fields={"shop": "b", "secret": "hush-lab"})]

    made = attrs.evolve(driver.callbacks(), receive=receive, **more)
    monkeypatch.setattr(driver, "callbacks", driver.hookimpl(lambda: made))


async def arrived(client: Any, **headers: str) -> Any:
    """A browser comes from the marketplace."""
    return await client.get("/callbacks/lab/auth", headers={"accept": "text/html", **headers})


def claim_of(page: Any) -> dict[str, str]:
    """What the public page's form sends."""
    return dict(re.findall(r'name="(draft|claim)" value="([^"]+)"', page.text))


# --- out and back
async def test_out_and_back(site: Any) -> None:
    """The browser leaves by a link of ours, comes back by a page of ours, and finds the same form filled."""
    web = site.client()
    state = await out(web)
    first = await site.client("", **CROSS).get("/oauth/lab", params={"state": state, "code": "c0de"})
    assert first.status_code == 200
    onward = re.search(r'content="0;url=([^"]+)"', first.text)
    assert onward is not None
    back = await web.get(onward[1].replace("&amp;", "&"))
    assert back.status_code == 303
    form = (await web.get(back.headers["location"])).text
    assert 'value="Mine"' in form
    assert 'value="brought"' in form
    assert "hush-lab" not in form
    saved = await web.post("/new", data={"name": "Mine", "driver": "lab", "draft": "", "c.shop": "a", "c.secret": "s"})
    assert saved.status_code == 303


async def test_save_of_a_draft(site: Any) -> None:
    """SAVE uses what the trip brought; Back throws it all away."""
    web = site.client()
    back = await home(web, await out(web))
    number = re.search(r"draft=(\d+)", back.headers["location"])[1]  # type: ignore[index]
    done = await web.post("/new", data={"name": "Mine", "driver": "lab", "draft": number, "c.shop": "a"})
    assert done.headers["location"].startswith("/?said=sync_triggered"), done.text
    assert (await site.house.connections.credentials("acme", int(number)))["key"] == "brought"
    back = await home(web, await out(web))
    number = re.search(r"draft=(\d+)", back.headers["location"])[1]  # type: ignore[index]
    assert (await web.post("/new/back", data={"draft": number})).status_code == 303
    assert (await web.get(f"/new?draft={number}")).status_code == 404


async def test_public_hop_tells_nothing(site: Any) -> None:
    """The public page neither uses the state up nor says whether it is known."""
    web = site.client()
    state = await out(web)
    known = await site.client("").get("/oauth/lab", params={"state": state})
    unknown = await site.client("").get("/oauth/lab", params={"state": "x" * len(state)})
    assert len(known.text) == len(unknown.text)
    assert (await home(web, state)).status_code == 303


# --- attacks on the way back
async def test_attack_01_state_replayed(site: Any) -> None:
    """A state is used once."""
    web = site.client()
    state = await out(web)
    assert (await home(web, state)).status_code == 303
    assert (await home(web, state)).status_code == 422


async def test_attack_02_state_forged(site: Any) -> None:
    """A state nobody gave is refused."""
    assert (await home(site.client(), "forged")).status_code == 422


async def test_attack_03_state_missing(site: Any) -> None:
    """Without a state nothing is finished."""
    web = site.client()
    await out(web)
    assert (await web.get("/oauth/lab/finish", params={"code": "c0de"})).status_code == 422
    assert (await home(web, "")).status_code == 422


async def test_attack_04_foreign_session(site: Any) -> None:
    """Another user's session cannot finish it, and it is over for everybody then."""
    state = await out(site.client())
    assert (await home(site.client("bob/acme"), state)).status_code == 422


async def test_attack_05_foreign_account(site: Any) -> None:
    """The same user in another account cannot finish it."""
    state = await out(site.client())
    assert (await home(site.client("ann/other"), state)).status_code == 422
    assert await site.house.connections.list("other") == []


async def test_attack_06_signed_out(site: Any) -> None:
    """Nobody can finish it."""
    state = await out(site.client())
    assert (await home(site.client(""), state)).status_code == 401


async def test_attack_07_without_permission(site: Any) -> None:
    """Somebody who may only look cannot finish it."""
    state = await out(site.client())
    assert (await home(site.client("ann/acme/see,operate"), state)).status_code == 403


async def test_attack_08_late(site: Any, clock: Any) -> None:
    """After ten minutes the state is over."""
    web = site.client()
    state = await out(web)
    clock.turn(601)
    assert (await home(web, state)).status_code == 422


async def test_way_back_from_a_late_answer(site: Any, clock: Any) -> None:
    """A late answer leads back to the filled form of the same user; nobody else is led anywhere."""
    web = site.client()
    state = await out(web)
    clock.turn(601)
    late = await home(web, state)
    assert late.status_code == 422
    number = re.search(r'href="/new\?draft=(\d+)"', late.text)[1]  # type: ignore[index]
    assert 'value="Mine"' in (await web.get(f"/new?draft={number}")).text
    for other in ("bob/acme", "ann/other"):
        answer = await home(site.client(other), "forged")
        assert (answer.status_code, "draft=" in answer.text) == (422, False)
    assert "draft=" not in (await home(web, "forged", driver="echo")).text


async def test_unfinished_form(site: Any) -> None:
    """Who comes back without the marketplace's answer finds the unfinished form on Create, and only his own."""
    web = site.client()
    await out(web)
    link = re.search(r'href="(/new\?draft=\d+)"', (await web.get("/new")).text)[1]  # type: ignore[index]
    form = (await web.get(link)).text
    assert 'value="Mine"' in form
    assert "You have not finished" not in form
    assert "draft=" not in (await site.client("bob/acme").get("/new")).text
    (told,) = (await web.get("/api/v1/drafts")).json()
    assert (told["name"], told["driver"], told["connection"]) == ("Mine", "lab", None)
    await web.post("/new/back", data={"draft": link.rpartition("=")[2]})
    assert "draft=" not in (await web.get("/new")).text


async def test_unfinished_reauthorization(site: Any) -> None:
    """An authorization that was begun again for a connection is found on its Credentials tab."""
    web = site.client()
    made = await site.house.connections.create("acme", "lab", "Lab", {"shop": "a", "secret": "hush-lab"})
    here = f"/connections/{made.connection.id}"
    sent = {"name": "Lab", "c.shop": "a", "c.secret": "hush-lab"}
    assert (await web.post(f"{here}/authorize", params={"tab": "credentials"}, data=sent)).status_code == 200
    page = (await web.get(here, params={"tab": "credentials"})).text
    assert "You have not finished to authorize it again." in page
    assert "You have not finished" not in (await web.get("/new")).text
    link = html.unescape(re.search(rf'href="({here}\?[^"]*draft=\d+)"', page)[1])  # type: ignore[index]
    form = (await web.get(link)).text
    draft = re.search(r'name="draft" value="(\d+)" formaction="/new/back"', form)[1]  # type: ignore[index]
    assert (await web.post("/new/back", data={"draft": draft})).status_code == 303
    assert "You have not finished" not in (await web.get(here, params={"tab": "credentials"})).text


async def test_attack_09_mix_up(site: Any) -> None:
    """An answer that comes to another driver's address is refused before any code is sent anywhere."""
    web = site.client()
    state = await out(web)
    assert (await home(web, state, driver="echo")).status_code == 422
    assert (await home(web, state)).status_code == 422


async def test_attack_10_cross_site_finish(site: Any) -> None:
    """The second hop is only reached from our own page: a link elsewhere with a foreign code leads nowhere."""
    web = site.client()
    state = await out(web)
    answer = await web.get("/oauth/lab/finish", params={"state": state, "code": "evil"}, headers=CROSS)
    assert answer.status_code == 403
    assert (await home(web, state)).status_code == 303


async def test_attack_11_said_twice(site: Any) -> None:
    """Two states or two codes in one answer are refused."""
    web = site.client()
    state = await out(web)
    answer = await web.get(f"/oauth/lab/finish?state={state}&state=x&code=c")
    assert answer.status_code == 422


async def test_attack_12_refused_at_the_marketplace(site: Any) -> None:
    """A refusal over there leads back to the filled form with the reason, and stores no token."""
    web = site.client()
    answer = await home(web, await out(web), error="access_denied")
    assert (answer.status_code, "The seller said no." in answer.text) == (422, True)
    number = re.search(r"draft=(\d+)", answer.text)[1]  # type: ignore[index]
    assert not (await site.house.connections.draft("acme", int(number), actor="ann")).authorized


async def test_attack_13_open_redirect(site: Any) -> None:
    """Nothing in the answer can send the browser anywhere else: it only ever goes to our own addresses."""
    web = site.client()
    for name in ("next", "return_url", "redirect_uri", "url", "return_to"):
        answer = await home(web, await out(web), **{name: "https://evil.example"})
        assert urlsplit(answer.headers["location"]).netloc == ""
        assert answer.headers["location"].startswith("/new?draft=")


async def test_attack_14_markup_in_the_answer(site: Any) -> None:
    """What the answer says stays text in the page that leads on."""
    hostile = '"><script>alert(1)</script>'
    page = await site.client("").get("/oauth/lab", params={"state": hostile, hostile: "x"})
    assert "<script>alert" not in page.text
    onward = re.search(r'content="0;url=([^"]+)"', page.text)
    assert onward is not None
    assert onward[1].startswith("/oauth/lab/finish?")
    page = await site.client("").get('/oauth/"><script>alert(1)<%2fscript>', params={"state": "x"})
    assert "<script>alert" not in page.text


async def test_attack_15_script_address(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that sends the browser to a script is refused."""
    driver = importlib.import_module("omnichannel_lab.driver")

    async def begin(*_: Any) -> str:
        return "javascript:alert(1)"

    made = attrs.evolve(driver.authorization_flow(), begin=begin)
    monkeypatch.setattr(driver, "authorization_flow", driver.hookimpl(lambda: made))
    answer = await site.client().post("/new/authorize", data=TYPED)
    assert answer.status_code == 500
    assert "javascript:" not in answer.text


async def test_attack_16_another_users_draft(site: Any) -> None:
    """A draft is its maker's: others of the same account neither see, save, take further nor discard it."""
    web = site.client()
    back = await home(web, await out(web))
    number = re.search(r"draft=(\d+)", back.headers["location"])[1]  # type: ignore[index]
    bob = site.client("bob/acme")
    assert (await bob.get("/new", params={"draft": number})).status_code == 404
    assert (await bob.post("/new", data={**TYPED, "draft": number})).status_code == 404
    assert (await bob.post("/new/authorize", data={**TYPED, "draft": number})).status_code == 404
    assert (await bob.post("/new/back", data={"draft": number})).status_code == 404
    assert (await bob.delete(f"/api/v1/drafts/{number}")).status_code == 404
    assert (await web.get("/new", params={"draft": number})).status_code == 200


async def test_attack_17_locked_field_posted(site: Any) -> None:
    """A token cannot be typed into a locked field, with or without a draft."""
    web = site.client()
    typed = {**TYPED, "c.key": "forged"}
    await web.post("/new", data=typed)
    seen = (await site.house.connections.list("acme"))[0]
    assert (await site.house.connections.credentials("acme", seen.id))["key"] is None


async def test_attack_18_cross_site_authorize(site: Any) -> None:
    """Another site cannot press AUTHORIZE."""
    web = site.client()
    assert (await web.post("/new/authorize", data=TYPED, headers=CROSS)).status_code == 403


# --- installs that begin at the marketplace
async def test_install(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The public page, the claim as a cookie, the confirmation, the filled form."""
    arriving(monkeypatch)
    web = site.client()
    page = await arrived(site.client(""))
    moved = await web.post("/install", data=claim_of(page))
    assert (moved.status_code, "claim" in moved.headers["location"]) == (303, False)
    assert "HttpOnly" in moved.headers["set-cookie"]
    assert "SameSite=lax" in moved.headers["set-cookie"]
    asked = await web.get(moved.headers["location"])
    assert "Confirm only if you began this yourself." in asked.text
    form = await web.post(moved.headers["location"])
    assert form.status_code == 303
    assert 'value="b"' in (await web.get(form.headers["location"])).text


async def test_attack_19_guessed_draft(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who only knows the number of an install cannot make it his."""
    arriving(monkeypatch)
    number = claim_of(await arrived(site.client("")))["draft"]
    assert (await site.client("eve/other").post(f"/install/{number}")).status_code == 404
    eve = site.client("eve/other")
    eve.cookies.set("omnichannel_claim", "guessed")
    assert (await eve.post(f"/install/{number}")).status_code == 404


async def test_attack_20_install_confirmed_twice(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim is used once: the same cookie later, or elsewhere, binds nothing."""
    arriving(monkeypatch)
    form = claim_of(await arrived(site.client("")))
    ann, eve = site.client(), site.client("eve/other")
    for client in (ann, eve):
        await client.post("/install", data=form)
    assert (await ann.post(f"/install/{form['draft']}")).status_code == 303
    assert (await eve.post(f"/install/{form['draft']}")).status_code == 404


async def test_attack_21_planted_claim(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another site cannot plant its own claim into a browser, nor confirm in it."""
    arriving(monkeypatch)
    form = claim_of(await arrived(site.client("")))
    web = site.client()
    for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        answer = await web.post("/install", data=form, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert (await web.post(f"/install/{form['draft']}", headers=headers)).status_code == 403


async def test_attack_22_framed(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the public page may be framed, only by the driver's origins; what is no origin is left out."""
    arriving(monkeypatch, framed_by=("https://*.lab.example", "https://evil.example; script-src *", "*", "'self'"))
    page = await arrived(site.client(""))
    assert page.headers["content-security-policy"] == CSP.replace(
        "frame-ancestors 'none'", "frame-ancestors https://*.lab.example"
    )
    web = site.client()
    moved = await web.post("/install", data=claim_of(page))
    assert (await web.get(moved.headers["location"])).headers["content-security-policy"] == CSP


async def test_attack_23_forged_call(site: Any) -> None:
    """A call that the driver does not verify is 401, and says nothing but so."""
    answer = await site.client("").post("/callbacks/lab/hook", content=b'{"arrived": "a"}', headers={"x-sign": "wrong"})
    assert (answer.status_code, answer.json()) == (401, {"key": "call_refused"})


async def test_attack_24_foreign_key(site: Any) -> None:
    """A key that is no connection's is 404; so is a driver that nobody has."""
    nobody = site.client("")
    assert (await nobody.post(f"/callbacks/lab/{'x' * 32}/hook", content=b"{}")).status_code == 404
    assert (await nobody.post("/callbacks/nobody/hook", content=b"{}")).status_code == 404


async def test_attack_25_huge_call(site: Any) -> None:
    """A call of more than 4 MiB is refused before it is read to its end."""
    answer = await site.client("").post("/callbacks/lab/hook", content=b"x" * 5_000_000, headers={"x-sign": "right"})
    assert answer.status_code == 413


async def test_attack_26_claim_in_an_address(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim never stands in an address, and nobody's cache keeps the page that has it."""
    arriving(monkeypatch)
    page = await arrived(site.client(""))
    claim = claim_of(page)["claim"]
    assert claim not in "".join(re.findall(r'(?:href|action|src)="([^"]*)"', page.text))
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers


async def test_webhook(site: Any) -> None:
    """A signed call of a server is answered 200 with nothing to read."""
    await site.house.connections.create("acme", "lab", "Lab", {"shop": "a", "secret": "s"})
    answer = await site.client("").post(
        "/callbacks/lab/hook", content=b'{"account": "a", "stream": "orders", "key": "k"}', headers={"x-sign": "right"}
    )
    assert (answer.status_code, answer.json()) == (200, {})
