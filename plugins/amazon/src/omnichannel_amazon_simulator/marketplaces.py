"""The marketplaces and their regions (guide amazon 1.1, 1.2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One marketplace; `tax` is the usual rate in per cent, `decimals` those of its currency."""

    id: str
    country: str
    region: str
    host: str
    currency: str
    locale: str
    domain: str
    tax: int = 20

    @property
    def decimals(self) -> int:
        return 0 if self.currency == "JPY" else 2

    @property
    def name(self) -> str:
        return self.domain.removeprefix("www.").capitalize()


def _row(line: str) -> Marketplace:
    ident, country, region, host, currency, locale, domain, tax = line.split()
    return Marketplace(ident, country, region, host, currency, locale, f"www.{domain}", int(tax))


_ROWS = """
A2EUQ1WTGCTBG2 CA na sellercentral.amazon.ca CAD en_CA amazon.ca 13
ATVPDKIKX0DER US na sellercentral.amazon.com USD en_US amazon.com 8
A1AM78C64UM0Y8 MX na sellercentral.amazon.com.mx MXN es_MX amazon.com.mx 16
A2Q3Y263D00KWC BR na sellercentral.amazon.com.br BRL pt_BR amazon.com.br 17
A28R8C7NBKEWEA IE eu sellercentral.amazon.ie EUR en_IE amazon.ie 23
A1RKKUPIHCS9HS ES eu sellercentral-europe.amazon.com EUR es_ES amazon.es 21
A1F83G8C2ARO7P GB eu sellercentral-europe.amazon.com GBP en_GB amazon.co.uk 20
A13V1IB3VIYZZH FR eu sellercentral-europe.amazon.com EUR fr_FR amazon.fr 20
AMEN7PMS3EDWL BE eu sellercentral.amazon.com.be EUR fr_BE amazon.com.be 21
A1805IZSGTT6HS NL eu sellercentral.amazon.nl EUR nl_NL amazon.nl 21
A1PA6795UKMFR9 DE eu sellercentral-europe.amazon.com EUR de_DE amazon.de 19
APJ6JRA9NG5V4 IT eu sellercentral-europe.amazon.com EUR it_IT amazon.it 22
A2NODRKZP88ZB9 SE eu sellercentral.amazon.se SEK sv_SE amazon.se 25
AE08WJ6YKNBMC ZA eu sellercentral.amazon.co.za ZAR en_ZA amazon.co.za 15
A1C3SOZRARQ6R3 PL eu sellercentral.amazon.pl PLN pl_PL amazon.pl 23
ARBP9OOSHTCHU EG eu sellercentral.amazon.eg EGP ar_EG amazon.eg 14
A33AVAJ2PDY3EV TR eu sellercentral.amazon.com.tr TRY tr_TR amazon.com.tr 20
A17E79C6D8DWNP SA eu sellercentral.amazon.sa SAR ar_SA amazon.sa 15
A2VIGQ35RCS4UG AE eu sellercentral.amazon.ae AED en_AE amazon.ae 5
A21TJRUUN4KGV IN eu sellercentral.amazon.in INR en_IN amazon.in 18
A19VAU5U5O7RUS SG fe sellercentral.amazon.sg SGD en_SG amazon.sg 9
A39IBJ37TRP1C6 AU fe sellercentral.amazon.com.au AUD en_AU amazon.com.au 10
A1VC38T7YXB528 JP fe sellercentral.amazon.co.jp JPY ja_JP amazon.co.jp 10
"""
MARKETPLACES = {row.id: row for row in map(_row, _ROWS.strip().splitlines())}

NON_AMAZON = {"DE": "A38D8NSA03LJTC", "ES": "AFQLKURYRPEL8"}
"""Country -> the pseudo marketplace that participations also name; no call takes it (guide 1.2)."""

HOSTS = {f"sellingpartnerapi-{region}.amazon.com": region for region in ("na", "eu", "fe")}
"""The three API hosts -> region."""

LWA = "api.amazon.com"
CENTRALS = {row.host for row in MARKETPLACES.values()} | {"amazon.com"}
"""Where the consent page is; amazon.com confirms what began in the appstore."""

BUCKETS = {"na": ("us-east-1", "prod-na"), "eu": ("eu-west-1", "prod-eu"), "fe": ("us-west-2", "prod-fe")}
"""Region -> AWS region and name in the host of presigned documents."""

FBA_CHANNEL = {"na": "AMAZON_NA", "eu": "AMAZON_EU", "fe": "AMAZON_JP"}
