"""Where the house keeps things: tables, engines, migrations, one repository per aggregate, the vault."""
