"""Sites of one seller: one grant, one token, one limit, one pull."""
