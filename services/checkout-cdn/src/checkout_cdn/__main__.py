"""`python -m checkout_cdn web`"""

from __future__ import annotations

import argparse

from checkout_cdn.bootstrap import SERVICE, make_app
from checkout_cdn.settings import CheckoutSettings
from gateway_common.web.application import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m checkout_cdn", description="Serves the SDK and the checkout page.")
    parser.add_argument("role", choices=["web"])
    parser.parse_args()
    settings = CheckoutSettings()
    serve(make_app(settings), settings, SERVICE)


if __name__ == "__main__":
    main()
