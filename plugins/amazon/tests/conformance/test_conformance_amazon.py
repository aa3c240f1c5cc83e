"""The driver runs the conformance kit, against its simulator over a real socket."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import SecretStr

from omnichannel_core.driver import Token
from omnichannel_core.testing import DriverConformance, Remote
from omnichannel_core.testing.conformance import Expected

SELLER, DE, BEGIN = "A1CONFORMSELLER", "A1PA6795UKMFR9", 1_767_225_600.0
CLIENT, SECRET, APP = "amzn1.application-oa2-client.kit", "amzn1.oa2-cs.v1.kit-0123456789", "amzn1.sellerapps.app.kit"
PUSHES = "samples of pushes are not among the facts yet; tests/driver and tests/house show them one by one"


class TestAmazon(DriverConformance):
    """A seller on one marketplace with ten orders, self-authorized."""

    driver = "amazon"
    loops = ("asyncio",)  # both loops are walked by tests/driver
    simulator = "amazon"
    options = {
        "clock": "manual", "now": BEGIN,
        "apps": [{"client_id": CLIENT, "client_secret": SECRET, "application_id": APP,
                  "redirect_uris": ["https://host.example/back"]}],
        "sellers": [{"seller_id": SELLER, "marketplaces": [DE], "orders": 10, "days": 10, "types": 6,
                     "report_delay": 0, "listing_delay": 0, "fba_report_lag": 0}],
    }  # fmt: skip
    credentials = {"seller_id": SELLER, "marketplace": DE}
    application = {"application_id": APP, "client_id": CLIENT, "client_secrets": [SECRET]}
    wrong_credentials = {"seller_id": "A1SOMEBODYELSE", "marketplace": DE, "own_refresh_token": "Atzr|of-somebody-else"}

    def turn(self, remote: Remote, seconds: float) -> None:
        """One clock."""
        remote.control("clock", {"advance": seconds})

    def tokens(self, remote: Remote) -> Mapping[str, Token]:
        """The seller authorized the app."""
        refresh = remote.control(f"sellers/{SELLER}/authorize", {"client_id": CLIENT})["refresh_token"]
        begin = datetime.fromtimestamp(BEGIN, UTC)
        return {"access": Token(value=SecretStr("Atza|old-0123456789"), expires=begin, refresh=SecretStr(refresh),
                                granted=begin)}  # fmt: skip

    def expected(self, remote: Remote) -> Expected:
        """Something in each stream."""
        return {
            **dict.fromkeys(("data-model", "product-types", "orders")),
            "fba": {},
            "returns": {},
            "invoice-data": {},
        }
